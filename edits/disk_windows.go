package edits

import (
	"errors"
	"io/fs"
	"os"
)

// isSpecial reports whether a file has what a renaming over it would lose.
// Nothing that we look at: streams and access lists are the folder's.
func isSpecial(string, fs.FileInfo) bool { return false }

// syncFolder does nothing: a folder cannot be synced here.
func syncFolder(string) error { return nil }

// syncFiles brings files to the disk one by one.
func syncFiles(paths []string) error {
	for _, path := range paths {
		f, err := os.OpenFile(path, os.O_RDWR, 0) // flushing needs the right to write
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// renameNew renames a file to a path where nothing is, else fs.ErrExist.
func renameNew(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return rename(from, to)
}

// writeOwn replaces a file of our own by parts, all or nothing, by way of dir.
func writeOwn(path, dir string, parts ...[]byte) error {
	f, err := createTemp(dir, 0, 0o600)
	if err != nil {
		return err
	}
	if err = errors.Join(writeParts(f, parts), f.Sync(), f.Close()); err == nil {
		err = rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, remove(f.Name()))
	}
	return nil
}
