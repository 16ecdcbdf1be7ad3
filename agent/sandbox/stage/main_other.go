//go:build !linux

package stage

import (
	"fmt"
	"os"
)

// Main says that there is no stage on this system.
func Main() {
	fmt.Fprintln(os.Stderr, "agentls-sandbox: commands are confined on Linux only")
	os.Exit(CodeRefused)
}
