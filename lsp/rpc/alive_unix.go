//go:build unix

package rpc

import (
	"errors"
	"syscall"
)

// Alive reports whether a process with this id exists, also when it belongs to
// another user. It is false for an id that is not positive.
func Alive(pid int) bool {
	if pid <= 0 { // kill would ask a process group
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
