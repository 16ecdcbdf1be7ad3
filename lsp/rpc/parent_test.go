package rpc_test

import (
	"context"
	"math"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/agentls/agentls/lsp/rpc"
)

func TestWatchParent(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	for name, test := range map[string]struct {
		ctx                context.Context
		pid, lives, ticks  int // lives: how often the process is found alive
		wantAsked, wantDie int
	}{
		"dies":              {t.Context(), 7, 2, 2, 3, 1},
		"is dead already":   {t.Context(), 7, 0, 0, 1, 1},
		"lives on":          {t.Context(), 7, math.MaxInt, 3, 4, 0},
		"the session ends":  {ended, 7, math.MaxInt, 0, 1, 0},
		"nobody to watch":   {t.Context(), 0, 0, 0, 0, 0},
		"no process at all": {t.Context(), -1, 0, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			every := make(chan time.Time, test.ticks)
			for range test.ticks {
				every <- time.Time{}
			}
			if test.ctx.Err() == nil {
				close(every)
			}
			asked, died := 0, 0
			alive := func(pid int) bool {
				if asked++; pid != test.pid {
					t.Errorf("asked for process %d", pid)
				}
				return asked <= test.lives
			}
			rpc.WatchParent(test.ctx, test.pid, alive, every, func() { died++ })
			if asked != test.wantAsked || died != test.wantDie {
				t.Errorf("asked %d times, died %d times; want %d, %d", asked, died, test.wantAsked, test.wantDie)
			}
		})
	}
}

func TestAlive(t *testing.T) {
	dead := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	for pid, want := range map[int]bool{os.Getpid(): true, dead.Process.Pid: false, 0: false, -1: false} {
		if got := rpc.Alive(pid); got != want {
			t.Errorf("Alive(%d) = %t", pid, got)
		}
	}
}
