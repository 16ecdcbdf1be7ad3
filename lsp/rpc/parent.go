package rpc

import (
	"context"
	"time"
)

// WatchParent returns when the process pid has died, having called gone, or
// when ctx ends or every is closed. It asks alive at once and then at each tick
// of every. pid is the processId of initialize; there is nothing to watch when
// it is not positive, and WatchParent returns at once. Alive is [Alive] outside
// of tests.
//
// LSP wants the server to exit when its parent is gone; the end of input does
// not always say so, since other processes may hold the pipe open.
func WatchParent(ctx context.Context, pid int, alive func(pid int) bool, every <-chan time.Time, gone func()) {
	if pid <= 0 {
		return
	}
	for alive(pid) {
		select {
		case _, ok := <-every:
			if !ok {
				return
			}
		case <-ctx.Done():
			return
		}
	}
	gone()
}
