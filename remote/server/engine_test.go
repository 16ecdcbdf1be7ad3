package server_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/agentls/agentls/remote"
	"github.com/agentls/agentls/remote/server"
)

// An engineBench is an engine that works in a bubble of time.
type engineBench struct {
	t      *testing.T
	engine *server.Local
	path   string
	stop   func()
}

// inBubble runs f with an engine, in a bubble where time passes at once.
func inBubble(t *testing.T, f func(b *engineBench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &engineBench{t: t, path: filepath.Join(t.TempDir(), "engine.db"), stop: func() {}}
		b.open()
		f(b)
		b.stop()
		noError(t, b.engine.Close())
	})
}

func (b *engineBench) open() {
	b.t.Helper()
	var err error
	b.engine, err = server.OpenLocal(b.t.Context(), b.path, server.LocalOptions{Now: time.Now})
	noError(b.t, err)
}

// serve works until stop.
func (b *engineBench) serve(work server.Work) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	var done sync.WaitGroup
	done.Go(func() { noError(b.t, b.engine.Serve(ctx, work)) })
	b.stop = sync.OnceFunc(func() { cancel(); done.Wait() })
}

func (b *engineBench) startOne(id string) {
	b.t.Helper()
	noError(b.t, b.engine.Start(b.t.Context(), id, []byte("input of "+id)))
}

// get returns an execution once nothing moves any more.
func (b *engineBench) get(id string) *server.Execution {
	b.t.Helper()
	synctest.Wait()
	x, err := b.engine.Get(b.t.Context(), id)
	noError(b.t, err)
	return x
}

// letPass lets time pass.
func letPass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestStartIsIdempotent(t *testing.T) {
	inBubble(t, func(b *engineBench) {
		var ran []string
		b.startOne("a")
		noError(t, b.engine.Start(t.Context(), "a", []byte("another input")))
		b.serve(func(_ context.Context, try *server.Try) error {
			ran = append(ran, string(try.Input))
			return nil
		})
		letPass(time.Minute)
		b.startOne("a")
		letPass(time.Minute)
		if x := b.get("a"); x.State != remote.Done || !slices.Equal(ran, []string{"input of a"}) {
			t.Errorf("it is %s, ran %q", x.State, ran)
		}
	})
}

func TestARetryHasTheCheckpoint(t *testing.T) {
	inBubble(t, func(b *engineBench) {
		var seen []string
		b.startOne("a")
		b.serve(func(ctx context.Context, try *server.Try) error {
			seen = append(seen, fmt.Sprintf("%d:%s", try.Fence, try.Checkpoint))
			if try.Fence == 3 {
				return nil
			}
			noError(t, try.Save(ctx, fmt.Appendf(nil, "saved by %d", try.Fence)))
			return errors.New("the network hiccuped")
		})
		letPass(time.Minute)
		want := []string{"1:", "2:saved by 1", "3:saved by 2"}
		if x := b.get("a"); x.State != remote.Done || !slices.Equal(seen, want) {
			t.Errorf("it is %s, saw %q", x.State, seen)
		}
	})
}

func TestItGivesUp(t *testing.T) {
	inBubble(t, func(b *engineBench) {
		tries := map[string]int{}
		var mu sync.Mutex
		for _, id := range []string{"again", "final", "panic"} {
			b.startOne(id)
		}
		b.serve(func(_ context.Context, try *server.Try) error {
			mu.Lock()
			tries[try.ID]++
			mu.Unlock()
			switch try.ID {
			case "final":
				return server.Final(errors.New("no such branch"))
			case "panic":
				panic("a bug")
			}
			return errors.New("no luck")
		})
		letPass(10 * time.Minute)
		for id, want := range map[string]struct {
			tries int
			says  string
		}{"again": {5, "no luck"}, "final": {1, "no such branch"}, "panic": {1, "a bug"}} {
			if x := b.get(id); x.State != remote.Failed || tries[id] != want.tries || !strings.Contains(x.Reason, want.says) {
				t.Errorf("%s is %s after %d tries: %s", id, x.State, tries[id], x.Reason)
			}
		}
	})
}

func TestCancelWins(t *testing.T) {
	inBubble(t, func(b *engineBench) {
		var cause error
		var late error
		b.startOne("running")
		b.serve(func(ctx context.Context, try *server.Try) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			late = try.Save(t.Context(), nil)
			return errors.New("which would be tried again")
		})
		letPass(time.Second)
		noError(t, b.engine.Cancel(t.Context(), "running"))
		noError(t, b.engine.Cancel(t.Context(), "running"))
		letPass(time.Hour)
		if x := b.get("running"); x.State != remote.Cancelled || x.Fence != 1 {
			t.Errorf("it is %s at fence %d", x.State, x.Fence)
		}
		if cause == nil || !strings.Contains(cause.Error(), "cancelled") || !errors.Is(late, server.ErrEnded) {
			t.Errorf("the work was told %v, its late save %v", cause, late)
		}
		if err := b.engine.Signal(t.Context(), "running", server.Signal{ID: "s"}); !errors.Is(err, server.ErrEnded) {
			t.Errorf("a signal behind the end: %v", err)
		}
		if err := b.engine.Cancel(t.Context(), "nobody"); !errors.Is(err, server.ErrUnknown) {
			t.Errorf("a cancel of nothing: %v", err)
		}
	})
}

func TestSignalsComeInOrderAndOnce(t *testing.T) {
	inBubble(t, func(b *engineBench) {
		b.startOne("a")
		for _, id := range []string{"2", "1", "2", "3"} {
			noError(t, b.engine.Signal(t.Context(), "a", server.Signal{ID: id, Data: []byte("to " + id)}))
		}
		var got []string
		b.serve(func(ctx context.Context, try *server.Try) error {
			signals, err := try.Signals(ctx)
			for _, s := range signals {
				got = append(got, string(s.Data))
			}
			return err
		})
		letPass(time.Second)
		if want := []string{"to 2", "to 1", "to 3"}; !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}

// TestAStoppedTryGoesOn: a try that the engine stopped does not count, and
// what it does later is refused.
func TestAStoppedTryGoesOn(t *testing.T) {
	inBubble(t, func(b *engineBench) {
		var first *server.Try
		b.startOne("a")
		for range 10 { // more often than it would be tried again
			b.serve(func(ctx context.Context, try *server.Try) error {
				if first == nil {
					first = try
				}
				<-ctx.Done()
				return context.Cause(ctx)
			})
			letPass(time.Minute)
			b.stop()
		}
		if x := b.get("a"); x.State != remote.Pending || x.Fence != 10 {
			t.Fatalf("it is %s at fence %d", x.State, x.Fence)
		}
		b.serve(func(context.Context, *server.Try) error {
			if err := first.Save(t.Context(), []byte("late")); !errors.Is(err, server.ErrFenced) {
				t.Errorf("the first try may still save: %v", err)
			}
			return nil
		})
		letPass(time.Minute)
		if x := b.get("a"); x.State != remote.Done || x.Fence != 11 || len(x.Checkpoint) > 0 {
			t.Errorf("it is %s at fence %d, checkpoint %q", x.State, x.Fence, x.Checkpoint)
		}
		if err := first.Save(t.Context(), nil); !errors.Is(err, server.ErrEnded) {
			t.Errorf("behind the end: %v", err)
		}
	})
}

// TestLongWorkIsLeftAlone: signs of life keep a try from being taken over.
func TestLongWorkIsLeftAlone(t *testing.T) {
	inBubble(t, func(b *engineBench) {
		b.startOne("a")
		b.serve(func(context.Context, *server.Try) error {
			time.Sleep(time.Hour)
			return nil
		})
		letPass(30 * time.Minute)
		if x := b.get("a"); x.State != remote.Running || x.Fence != 1 || time.Since(x.Heartbeat) > 2*time.Second {
			t.Errorf("it is %s at fence %d, alive %v ago", x.State, x.Fence, time.Since(x.Heartbeat))
		}
		letPass(time.Hour)
		if x := b.get("a"); x.State != remote.Done {
			t.Errorf("it is %s", x.State)
		}
	})
}

func TestEverythingIsThereAfterOpening(t *testing.T) {
	inBubble(t, func(b *engineBench) {
		for _, id := range []string{"b", "a", "c"} {
			b.startOne(id)
		}
		noError(t, b.engine.Cancel(t.Context(), "c"))
		noError(t, b.engine.Close())
		b.open()
		all, err := b.engine.List(t.Context())
		noError(t, err)
		var got []string
		for _, x := range all {
			got = append(got, fmt.Sprintf("%s %s %s", x.ID, x.State, x.Input))
		}
		if want := []string{"a pending input of a", "b pending input of b", "c cancelled input of c"}; !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}
