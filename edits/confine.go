package edits

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrOutside is returned for a path that must not be changed: it lies outside
// the workspace, or inside a .git.
var ErrOutside = errors.New("outside the workspace")

// Confine returns a function that turns names, relative to the first root or
// absolute, into absolute and clean paths inside one of the roots. Symbolic
// links below a root are followed first, so the paths name the files
// themselves; the root stays as it was given. What does not exist yet is
// judged by its deepest folder that does. The error wraps ErrOutside where a
// path leads out or into a .git, and names it.
func Confine(roots []string) func(name string) (abs string, err error) {
	return func(name string) (string, error) {
		if len(roots) == 0 || name == "" || strings.ContainsRune(name, 0) {
			return "", fmt.Errorf("path %q: %w", name, ErrOutside)
		}
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(roots[0], path)
		}
		path = filepath.Clean(path)
		if _, ok := inside(path, roots); !ok {
			return "", fmt.Errorf("path %q: %w", name, ErrOutside)
		}
		real, err := realPath(path)
		if err != nil {
			return "", fmt.Errorf("path %q: %w", name, err)
		}
		for _, root := range roots {
			realRoot, err := filepath.EvalSymlinks(root)
			if err != nil {
				continue // a root that is not there holds nothing
			}
			if rel, ok := inside(real, []string{realRoot}); ok {
				return filepath.Join(root, rel), nil
			}
		}
		return "", fmt.Errorf("path %q leads to %s: %w", name, real, ErrOutside)
	}
}

// inside returns path relative to the first root that it lies below, without
// going through a .git.
func inside(path string, roots []string) (rel string, ok bool) {
	for _, root := range roots {
		rel, err := filepath.Rel(root, path)
		if err == nil && rel != "." && filepath.IsLocal(rel) && !inGit(rel) {
			return rel, true
		}
	}
	return "", false
}

// inGit reports whether a part of rel is .git, in letters of any size: some
// file systems do not tell them apart.
func inGit(rel string) bool {
	for part := range strings.SplitSeq(rel, string(filepath.Separator)) {
		if strings.EqualFold(part, ".git") {
			return true
		}
	}
	return false
}

// realPath returns path without symbolic links. Its end may not exist yet, but
// a link to what does not exist is an error: nobody can tell where it leads.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return real, err
	}
	if _, err := os.Lstat(path); err == nil {
		return "", fmt.Errorf("a symbolic link to nothing: %w", ErrOutside)
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path, nil
	}
	dir, err := realPath(parent)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}
