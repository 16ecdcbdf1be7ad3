package edits

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// unblock looks for what is in the way of a file that is to be made: a folder
// in its place, or a file in the place of one of its folders. It may be, if all
// of it goes in the same batch. Else the error is ErrStale.
func (b *batch) unblock(f *batchFile) error {
	if f.before != nil || f.after == nil {
		return nil
	}
	stat, err := os.Lstat(f.path)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		f.blocked = fileAbove(f.path)
		if !b.removes(f.blocked) {
			return fmt.Errorf("%s is in the way of %s: %w", f.blocked, f.path, ErrStale)
		}
	case err == nil && stat.IsDir():
		f.blocked = f.path
		return filepath.WalkDir(f.path, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !b.removes(path) {
				err = fmt.Errorf("%s is in the way of %s: %w", path, f.path, ErrStale)
			}
			return err
		})
	}
	return nil
}

// removes reports whether the file at path goes.
func (b *batch) removes(path string) bool {
	return slices.ContainsFunc(b.removed, func(f *batchFile) bool { return f.path == path })
}

// fileAbove returns the part of path that is there and is no folder.
func fileAbove(path string) string {
	for {
		path = filepath.Dir(path)
		if _, err := os.Lstat(path); err == nil || filepath.Dir(path) == path {
			return path
		}
	}
}

// clearPlace removes the empty folders in the place of f, and makes those that
// lead to it.
func (f *batchFile) clearPlace() error {
	if f.blocked != f.path {
		return makeFolders(filepath.Dir(f.path))
	}
	var folders []string
	err := filepath.WalkDir(f.path, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			folders = append(folders, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(folders, func(a, b string) int { return strings.Compare(b, a) }) // what is within comes first
	for _, dir := range folders {
		if err := remove(dir); err != nil {
			return err
		}
	}
	f.blocked = ""
	return nil
}
