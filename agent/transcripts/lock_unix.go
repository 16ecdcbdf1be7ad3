//go:build unix

package transcripts

import (
	"errors"
	"os"
	"syscall"
)

// lock locks f for as long as it is open. The error is ErrRunning where another
// has it.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a descriptor is small
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrRunning
	}
	return err
}
