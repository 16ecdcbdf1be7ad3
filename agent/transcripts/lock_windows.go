package transcripts

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lock locks f for as long as it is open. The error is ErrRunning where another
// has it. The lock is on a byte that no transcript reaches: on Windows it keeps
// others from reading too.
func lock(f *os.File) error {
	const behind = 1 << 30 // the high half of the offset
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{OffsetHigh: behind})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrRunning
	}
	return err
}
