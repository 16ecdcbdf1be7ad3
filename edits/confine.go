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

// A Refusal says why a path must not be changed. Each is ErrOutside, too.
type Refusal string

// The reasons.
const (
	ErrOutside Refusal = "outside the workspace"
	errNoName  Refusal = "no name of a file"
	errInGit   Refusal = "inside a repository's own .git"
)

// Error returns the reason.
func (r Refusal) Error() string { return string(r) }

// Is reports whether target is ErrOutside.
func (r Refusal) Is(target error) bool { return target == ErrOutside }

// Confine returns a function that turns names, relative to the first root or
// absolute, into absolute and clean paths inside one of the roots. Symbolic
// links below a root are followed first, so the paths name the files
// themselves; the root stays as it was given. What does not exist yet is
// judged by its deepest folder that does. The error names the path and wraps a
// Refusal where that leads out or into a .git.
func Confine(roots []string) func(name string) (abs string, err error) {
	return func(name string) (string, error) {
		path, err := lexical(name, roots)
		if err != nil {
			return "", fmt.Errorf("path %q: %w", name, err)
		}
		real, err := realPath(path)
		if err != nil {
			return "", fmt.Errorf("path %q: %w", name, err)
		}
		_, path, err = below(real, roots, filepath.EvalSymlinks)
		if err != nil {
			return "", fmt.Errorf("path %q leads to %s: %w", name, real, err)
		}
		return path, nil
	}
}

// lexical returns the path that name says, before any link is followed.
func lexical(name string, roots []string) (string, error) {
	if name == "" || strings.ContainsRune(name, 0) {
		return "", errNoName
	}
	path := filepath.Clean(name)
	if !filepath.IsAbs(name) && len(roots) > 0 {
		path = filepath.Join(roots[0], name)
	}
	path, _, err := below(path, roots, func(root string) (string, error) { return root, nil })
	return path, err
}

// below returns path, and what it is under the name that its root was given,
// if it lies below a root, resolved, without going through a .git.
func below(path string, roots []string, resolve func(root string) (string, error)) (resolved, given string, err error) {
	refused := ErrOutside
	for _, root := range roots {
		real, err := resolve(root)
		if err != nil {
			continue // a root that is not there holds nothing
		}
		rel, err := filepath.Rel(real, path)
		switch {
		case err != nil || rel == "." || !filepath.IsLocal(rel):
		case inGit(rel):
			refused = errInGit
		default:
			return path, filepath.Join(root, rel), nil
		}
	}
	return "", "", refused
}

// inGit reports whether a part of rel is .git.
func inGit(rel string) bool {
	for part := range strings.SplitSeq(rel, string(filepath.Separator)) {
		if IsGit(part) {
			return true
		}
	}
	return false
}

// IsGit reports whether some file system takes name for .git: in letters of
// any size, with marks that HFS+ passes over, with the end or the stream that
// NTFS passes over, or as its short name. Git refuses the same.
// (git's verify_path, core.protectHFS and core.protectNTFS)
func IsGit(name string) bool {
	name, _, _ = strings.Cut(strings.Map(visible, name), ":")
	name = strings.TrimRight(name, ". ")
	return strings.EqualFold(name, ".git") || strings.EqualFold(name, "git~1")
}

// visible drops the runes that HFS+ does not compare.
func visible(r rune) rune {
	switch {
	case r >= 0x200c && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x206a && r <= 0x206f, r == 0xfeff:
		return -1
	default:
		return r
	}
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
