//go:build unix

package index

import (
	"os"
	"syscall"
)

// unmapFile gives back what mapFile returned.
func unmapFile(mapped []byte) { _ = syscall.Munmap(mapped) } // it costs addresses only

// mapFile returns the content of a file as memory that must not be written to.
// It stays until the process ends.
func mapFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	at, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if at.Size() == 0 {
		return nil, nil
	}
	return syscall.Mmap(int(f.Fd()), 0, int(at.Size()), syscall.PROT_READ, syscall.MAP_PRIVATE)
}
