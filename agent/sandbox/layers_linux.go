package sandbox

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A base is what the layers below show at a path.
type base struct {
	stat  fs.FileInfo // nil: nothing
	path  string
	merge []string // the folders that make it up, if it is one; the highest first
}

func (b base) isDir() bool { return b.stat != nil && b.stat.IsDir() }

// look returns what the folders dirs, merged, show as name.
func look(dirs []string, name string) (base, error) {
	var found base
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		stat, err := os.Lstat(path)
		switch {
		case isMissing(err), errors.Is(err, fs.ErrPermission): // nothing that anybody here may see
			continue
		case err != nil:
			return base{}, err
		case isWhiteout(stat), found.stat != nil && !stat.IsDir():
			return found, nil // it hides what is below, or is hidden by a folder above
		}
		if found.stat == nil {
			found.stat, found.path = stat, path
		}
		if !stat.IsDir() {
			return found, nil
		}
		found.merge = append(found.merge, path)
		if isOpaque(path) {
			return found, nil
		}
	}
	return found, nil
}

// lookUp is look for a path of several names.
func lookUp(dirs []string, rel string) (found base, err error) {
	for name := range strings.SplitSeq(rel, "/") {
		if found, err = look(dirs, name); err != nil {
			return base{}, err
		}
		dirs = found.merge
	}
	return found, nil
}

// isWhiteout reports whether an entry of a layer hides what lies below it.
func isWhiteout(stat fs.FileInfo) bool {
	sys, ok := stat.Sys().(*syscall.Stat_t)
	return ok && stat.Mode()&fs.ModeCharDevice != 0 && sys.Rdev == 0
}

func isOpaque(dir string) bool {
	var value [1]byte
	n, err := unix.Lgetxattr(dir, xattrOpaque, value[:])
	return err == nil && n == 1 && value[0] == 'y'
}

// opened opens a file, or a folder, that a command may have made: no link is
// followed, and one that the command took its owner's rights from is opened all
// the same.
func opened(path string) (*os.File, error) {
	const how = os.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK
	f, err := os.OpenFile(path, how, 0)
	if !errors.Is(err, fs.ErrPermission) {
		return f, err
	}
	stat, statErr := os.Lstat(path)
	if statErr != nil || stat.Mode()&fs.ModeSymlink != 0 {
		return nil, err
	}
	if os.Chmod(path, stat.Mode().Perm()|0o700) != nil { //nolint:gosec // its owner is who we are, or this fails
		return nil, err
	}
	if f, err = os.OpenFile(path, how, 0); !stat.IsDir() {
		err = errors.Join(err, os.Chmod(path, stat.Mode().Perm()))
	}
	return f, err
}

// readRegular reads a file of a layer.
func readRegular(path string) ([]byte, error) {
	return readFrom(os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0))
}

// readWritten reads a file that a command may have written.
func readWritten(path string) ([]byte, error) { return readFrom(opened(path)) }

func readFrom(f *os.File, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	content := make([]byte, stat.Size())
	n, err := io.ReadFull(f, content)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return content[:n], err
}

// sameFiles compares a file that a command may have written with one of a
// layer, of the same size, piece by piece.
func sameFiles(written, base string) (bool, error) {
	fa, err := opened(written)
	if err != nil {
		return false, err
	}
	defer fa.Close() //nolint:errcheck // only read
	fb, err := os.OpenFile(base, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrPermission) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer fb.Close() //nolint:errcheck // only read
	pa, pb := make([]byte, 1<<16), make([]byte, 1<<16)
	for {
		na, errA := io.ReadFull(fa, pa)
		nb, errB := io.ReadFull(fb, pb)
		if !bytes.Equal(pa[:na], pb[:nb]) {
			return false, nil
		}
		if errA != nil || errB != nil {
			return isEnd(errA) && isEnd(errB), nil
		}
	}
}

func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
