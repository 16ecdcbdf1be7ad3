package edits

import (
	"bufio"
	"errors"
	"fmt"
	"io"
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
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode.Perm()|0o200)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
		n++
	}
}

// specialBits are those of a mode that change what a file does when it runs.
const specialBits = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// keptMode returns what of a file's mode an edit keeps.
func keptMode(stat fs.FileInfo) fs.FileMode { return stat.Mode() & (fs.ModePerm | specialBits) }

// remove is os.Remove. This package is the one that writes the user's files.
func remove(path string) error {
	if err := fault("remove", path); err != nil {
		return err
	}
	return os.Remove(path) //nolint:forbidigo // see above
}

// chmod is os.Chmod.
func chmod(path string, mode fs.FileMode) error {
	if err := fault("mode", path); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// makeFolders is os.MkdirAll.
func makeFolders(dir string) error {
	if err := fault("folder", dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o755)
}

// rename is os.Rename, as remove is os.Remove.
func rename(from, to string) error {
	if err := fault("rename", to); err != nil {
		return err
	}
	return os.Rename(from, to) //nolint:forbidigo // see remove
}

// writeParts writes parts one after the other: in large pieces, and without a
// copy of all of them.
func writeParts(to io.Writer, parts [][]byte) error {
	w := bufio.NewWriterSize(to, 256<<10)
	for _, part := range parts {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return w.Flush()
}
