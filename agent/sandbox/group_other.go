//go:build !unix

package sandbox

import (
	"os"
	"os/exec"
)

// killGroup leaves it at ending cmd itself.
func killGroup(*exec.Cmd) {}

// exitOf returns the exit code. There are no signals.
func exitOf(state *os.ProcessState) (code, signal int) { return state.ExitCode(), 0 }
