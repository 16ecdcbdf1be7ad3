package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// dropTyped forgets what was typed on a terminal and not read yet.
func dropTyped(terminal *os.File) error {
	return windows.FlushConsoleInputBuffer(windows.Handle(terminal.Fd()))
}
