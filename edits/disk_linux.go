package edits

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// syncFiles brings files to the disk.
func syncFiles(paths []string) error {
	if len(paths) < manyFiles {
		return syncEach(paths)
	}
	synced := map[uint64]bool{}
	folder := ""
	for _, path := range paths {
		if filepath.Dir(path) == folder {
			continue // as the one before it: a folder is on one file system
		}
		folder = filepath.Dir(path)
		if err := syncOnce(path, synced); err != nil {
			return err
		}
	}
	return nil
}

// syncOnce syncs the file system of path unless it was before.
func syncOnce(path string, synced map[uint64]bool) error {
	stat, err := os.Stat(path)
	if err != nil {
		return err
	}
	sys, ok := stat.Sys().(*syscall.Stat_t)
	if ok && synced[sys.Dev] {
		return nil
	}
	if err := fault("sync", path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := errors.Join(unix.Syncfs(int(f.Fd())), f.Close()); err != nil {
		return err
	}
	if ok {
		synced[sys.Dev] = true
	}
	return nil
}

// renameNew renames a file to a path where nothing is, else fs.ErrExist.
func renameNew(from, to string) error {
	if err := fault("rename", to); err != nil {
		return err
	}
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return renameChecked(from, to) // the file system cannot
	}
	return err
}

// renameChecked is renameNew with a moment between the look and the renaming.
func renameChecked(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return os.Rename(from, to) //nolint:forbidigo // see remove
}
