package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// dropTyped forgets what was typed on a terminal and not read yet.
// (termios(3), tcflush)
func dropTyped(terminal *os.File) error {
	return unix.IoctlSetInt(int(terminal.Fd()), unix.TCFLSH, unix.TCIFLUSH)
}
