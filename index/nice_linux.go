package index

import (
	"runtime"
	"syscall"
)

// yieldTo makes the calling goroutine's thread give way to others, as far as
// that number of niceness goes. The thread ends with the goroutine.
func yieldTo(niceness int) {
	runtime.LockOSThread()
	if niceness > 0 {
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, niceness) // 0 is this thread; refused, it is as fast as others
	}
}
