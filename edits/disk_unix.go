//go:build unix

package edits

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// isSpecial reports whether a file has what a renaming over it would lose:
// more names, another owner or group, or extended attributes of its own.
func isSpecial(path string, stat fs.FileInfo) bool {
	sys, ok := stat.Sys().(*syscall.Stat_t)
	if !ok || sys.Nlink > 1 || int(sys.Uid) != os.Geteuid() || int(sys.Gid) != os.Getegid() {
		return true
	}
	n, err := unix.Listxattr(path, nil)
	if err != nil || n == 0 {
		return false // or a file system that has none
	}
	names := make([]byte, n)
	if n, err = unix.Listxattr(path, names); err != nil {
		return true
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(names[:n]), "\x00"), "\x00") {
		if !isInherited(name) {
			return true
		}
	}
	return false
}

// isInherited reports whether the system gives an attribute to every file, a
// new one too: SELinux labels, and where macOS notes who wrote it.
func isInherited(attribute string) bool {
	return attribute == "security.selinux" || attribute == "com.apple.provenance"
}

// syncFolder brings the names in dir to the disk. A file system that cannot
// sync folders does so by itself.
func syncFolder(dir string) error {
	if err := fault("sync folder", dir); err != nil {
		return err
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// syncEach brings files to the disk one by one.
func syncEach(paths []string) error {
	for _, path := range paths {
		if err := fault("sync", path); err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// writeOwn replaces a file of our own by parts, all or nothing, by way of dir.
func writeOwn(path, dir string, parts ...[]byte) error {
	if err := fault("write own", path); err != nil {
		return err
	}
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(dir), renameio.WithStaticPermissions(0o600))
	if err != nil {
		return err
	}
	defer f.Cleanup() //nolint:errcheck // of a temporary file, if one is left
	if err := writeParts(f, parts); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}
