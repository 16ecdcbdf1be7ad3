package rpc

import (
	"errors"
	"syscall"
)

// Alive reports whether a process with this id exists, also when it belongs to
// another user. It is false for an id that is not positive.
func Alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	process, err := syscall.OpenProcess(syscall.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return errors.Is(err, syscall.ERROR_ACCESS_DENIED)
	}
	defer func() { _ = syscall.CloseHandle(process) }()
	// A process that ended keeps its id while somebody holds a handle of it.
	event, err := syscall.WaitForSingleObject(process, 0)
	return err == nil && event == syscall.WAIT_TIMEOUT
}
