//go:build !unix && !windows

package rpc

// Alive cannot tell on this system, so that every process counts as alive and
// the end of input alone ends a session.
func Alive(pid int) bool { return pid > 0 }
