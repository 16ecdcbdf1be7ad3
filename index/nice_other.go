//go:build !linux

package index

import "runtime"

// yieldTo keeps the calling goroutine on a thread of its own, which ends with
// it. (Elsewhere than on Linux, niceness is the whole process's.)
func yieldTo(int) { runtime.LockOSThread() }
