package edits

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// fault comes before whatever this package does to the disk itself. Tests let it
// fail or end the process there.
var fault = func(op, path string) error { return nil }

// createTemp makes temporary file n of this process in dir, with mode under
// the umask, or the next one whose name is free.
func createTemp(dir string, n int, mode fs.FileMode) (*os.File, error) {
	if err := fault("create", dir); err != nil {
		return nil, err
	}
	for {
		name := fmt.Sprintf("%s%d-%d.tmp", tempName, os.Getpid(), n)
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode|0o200)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
		n++
	}
}

// remove is os.Remove. This package is the one that writes the user's files.
func remove(path string) error {
	if err := fault("remove", path); err != nil {
		return err
	}
	return os.Remove(path) //nolint:forbidigo // see above
}

// rename is os.Rename, as remove is os.Remove.
func rename(from, to string) error {
	if err := fault("rename", to); err != nil {
		return err
	}
	return os.Rename(from, to) //nolint:forbidigo // see remove
}
