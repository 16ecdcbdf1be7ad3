package edits

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// createTemp makes temporary file n of this process in dir, with mode under
// the umask, or the next one whose name is free.
func createTemp(dir string, n int, mode fs.FileMode) (*os.File, error) {
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
	return os.Remove(path) //nolint:forbidigo // see above
}

// rename is os.Rename, as remove is os.Remove.
func rename(from, to string) error {
	return os.Rename(from, to) //nolint:forbidigo // see remove
}
