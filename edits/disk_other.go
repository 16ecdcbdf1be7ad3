//go:build unix && !linux

package edits

import (
	"io/fs"
	"os"
)

// syncFiles brings files to the disk.
func syncFiles(paths []string) error { return syncEach(paths) }

// renameNew renames a file to a path where nothing is, else fs.ErrExist.
func renameNew(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return rename(from, to)
}
