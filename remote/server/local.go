package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/agentls/agentls/remote"
)

const (
	heartbeat = time.Second      // between signs of life of a try
	silence   = 10 * heartbeat   // after which a try counts as dead
	maxTries  = 5                // a task that kills the service must not do so for ever
	backoff   = 2 * time.Second  // before the second try; doubled each time
	idle      = time.Second      // between looks for work that nobody announced
	defaultAt = 2                // executions at once
	longest   = 30 * time.Second // of a backoff
)

// The buckets of the engine's file.
var (
	executionsBucket = []byte("executions") // ID to Execution
	openBucket       = []byte("open")       // ID of each that has not ended
)

// A Local is an Engine in a file, for one process at a time.
type Local struct {
	db      *bbolt.DB
	workers int
	now     func() time.Time
	log     *slog.Logger
	changed func() // called after every change of a state
	more    chan struct{}

	mu   sync.Mutex
	live map[string]*liveTry // the latest of this process; guarded by mu
}

// A liveTry is a try under way.
type liveTry struct{ cancel context.CancelCauseFunc }

var _ Engine = (*Local)(nil)

// LocalOptions configure a Local. Now is needed.
type LocalOptions struct {
	Workers int // executions at once; 0 is 2
	Now     func() time.Time
	Log     *slog.Logger // nil discards
	Changed func()       // called after every change of a state; nil for none
}

// OpenLocal opens the engine in the file at path, or makes it. Nobody else has
// the file open, so the tries that it says are running died with their
// process: they are begun again.
func OpenLocal(ctx context.Context, path string, opts LocalOptions) (*Local, error) {
	db, err := openDatabase(ctx, path, executionsBucket, openBucket)
	if err != nil {
		return nil, err
	}
	e := &Local{
		db: db, workers: opts.Workers, now: opts.Now, log: opts.Log, changed: opts.Changed,
		more: make(chan struct{}, 1), live: map[string]*liveTry{},
	}
	if e.workers <= 0 {
		e.workers = defaultAt
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.changed == nil {
		e.changed = func() {}
	}
	return e, e.revive()
}

// Close closes the file. End Serve first.
func (e *Local) Close() error { return e.db.Close() }

// revive makes what a dead process was at wait again.
func (e *Local) revive() error {
	return e.db.Update(func(tx *bbolt.Tx) error {
		return eachExecution(tx, openBucket, func(x *Execution) error {
			if x.State != remote.Running {
				return nil
			}
			x.State = remote.Pending
			return putExecution(tx, x)
		})
	})
}

// Start implements Engine.
func (e *Local) Start(_ context.Context, id string, input []byte) error {
	err := e.db.Update(func(tx *bbolt.Tx) error {
		if tx.Bucket(executionsBucket).Get([]byte(id)) != nil {
			return nil
		}
		return putExecution(tx, &Execution{ID: id, Input: input, State: remote.Pending, Updated: e.now()})
	})
	e.announce()
	return err
}

// announce wakes Serve and whoever watches.
func (e *Local) announce() {
	select {
	case e.more <- struct{}{}:
	default: // it is awake
	}
	e.changed()
}

// Signal implements Engine.
func (e *Local) Signal(_ context.Context, id string, signal Signal) error {
	return e.update(id, func(x *Execution) error {
		for _, known := range x.Signals {
			if known.ID == signal.ID {
				return nil
			}
		}
		x.Signals = append(x.Signals, signal)
		return nil
	})
}

// Cancel implements Engine.
func (e *Local) Cancel(_ context.Context, id string) error {
	err := e.update(id, func(x *Execution) error {
		x.State, x.Updated = remote.Cancelled, e.now()
		return nil
	})
	if errors.Is(err, ErrEnded) {
		return nil
	}
	e.end(id, errCancelled)
	e.announce()
	return err
}

// end ends the try of id in this process, if there is one.
func (e *Local) end(id string, cause error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if live := e.live[id]; live != nil {
		live.cancel(cause)
	}
}

// Get implements Engine.
func (e *Local) Get(_ context.Context, id string) (x *Execution, err error) {
	err = e.db.View(func(tx *bbolt.Tx) error {
		x, err = getExecution(tx, id)
		return err
	})
	return x, err
}

// List implements Engine.
func (e *Local) List(context.Context) (all []*Execution, err error) {
	err = e.db.View(func(tx *bbolt.Tx) error {
		return eachExecution(tx, executionsBucket, func(x *Execution) error {
			all = append(all, x)
			return nil
		})
	})
	return all, err
}

// update changes an execution that has not ended.
func (e *Local) update(id string, change func(x *Execution) error) error {
	return e.db.Update(func(tx *bbolt.Tx) error {
		x, err := getExecution(tx, id)
		if err != nil {
			return err
		}
		if x.State.Ended() {
			return fmt.Errorf("%s: %w", id, ErrEnded)
		}
		if err := change(x); err != nil {
			return err
		}
		return putExecution(tx, x)
	})
}

// fenced is update for the try with this fence.
func (e *Local) fenced(id string, fence uint64, change func(x *Execution)) error {
	return e.update(id, func(x *Execution) error {
		if x.Fence != fence || x.State != remote.Running {
			return fmt.Errorf("%s: %w", id, ErrFenced)
		}
		change(x)
		return nil
	})
}

// Serve implements Engine.
func (e *Local) Serve(ctx context.Context, work Work) error {
	var tries sync.WaitGroup
	defer tries.Wait()
	room := make(chan struct{}, e.workers)
	tick := time.NewTicker(idle)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case room <- struct{}{}:
		}
		if try := e.take(ctx); try != nil {
			tries.Go(func() {
				defer e.announce()
				defer func() { <-room }()
				e.try(ctx, work, try)
			})
			continue
		}
		<-room
		select {
		case <-ctx.Done():
			return nil
		case <-e.more:
		case <-tick.C:
		}
	}
}

// take begins a try of the execution that waits longest; nil if none does.
func (e *Local) take(ctx context.Context) *Try {
	var taken *Execution
	look := func(tx *bbolt.Tx) (err error) {
		taken, err = e.next(tx)
		return err
	}
	if err := e.db.View(look); err == nil && taken == nil {
		return nil // without a sync for nothing
	}
	err := e.db.Update(func(tx *bbolt.Tx) error {
		if err := look(tx); err != nil || taken == nil {
			return err
		}
		taken.State, taken.Fence, taken.Begun = remote.Running, taken.Fence+1, taken.Begun+1
		taken.Heartbeat, taken.Updated = e.now(), e.now()
		return putExecution(tx, taken)
	})
	if err != nil {
		e.log.ErrorContext(ctx, "cannot take up work", "err", err)
		return nil
	}
	if taken == nil {
		return nil
	}
	e.changed()
	return e.newTry(taken)
}

// next returns the execution that waits longest, nil if none does.
func (e *Local) next(tx *bbolt.Tx) (first *Execution, err error) {
	err = eachExecution(tx, openBucket, func(x *Execution) error {
		if e.waits(x) && (first == nil || x.Updated.Before(first.Updated)) {
			first = x
		}
		return nil
	})
	return first, err
}

// waits reports whether a try of x may begin.
func (e *Local) waits(x *Execution) bool {
	switch x.State {
	case remote.Pending:
		return !e.now().Before(x.NotBefore)
	case remote.Running:
		return e.now().Sub(x.Heartbeat) > silence
	default:
		return false
	}
}

func (e *Local) newTry(x *Execution) *Try {
	return &Try{
		ID: x.ID, Fence: x.Fence, Input: x.Input, Checkpoint: x.Checkpoint, begun: x.Begun,
		save: func(_ context.Context, checkpoint []byte) error {
			return e.fenced(x.ID, x.Fence, func(now *Execution) { now.Checkpoint, now.Heartbeat = checkpoint, e.now() })
		},
		signals: func(ctx context.Context) ([]Signal, error) {
			now, err := e.Get(ctx, x.ID)
			if err != nil {
				return nil, err
			}
			return now.Signals, nil
		},
	}
}

// try does one try and settles what came of it.
func (e *Local) try(ctx context.Context, work Work, try *Try) {
	if try.begun > maxTries {
		e.settle(ctx, try, Final(fmt.Errorf("it was begun %d times and never came to an end", maxTries)))
		return
	}
	trying, cancel := context.WithCancelCause(context.WithoutCancel(ctx)) // so that the cause is ours
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() { cancel(errStopping) })
	defer stop()
	live := &liveTry{cancel}
	e.mu.Lock()
	e.live[try.ID] = live
	e.mu.Unlock()
	var beats sync.WaitGroup
	beats.Go(func() { e.beat(trying, cancel, try) })
	err := e.guarded(trying, work, try)
	cause := context.Cause(trying)
	cancel(nil)
	beats.Wait()
	e.mu.Lock()
	if e.live[try.ID] == live { // and no try that took over meanwhile
		delete(e.live, try.ID)
	}
	e.mu.Unlock()
	if err != nil && errors.Is(cause, errStopping) {
		e.release(ctx, try)
		return
	}
	e.settle(ctx, try, err)
}

// guarded does the work. A panic in it is a bug of ours: it is logged, and
// trying again would only find it again.
func (e *Local) guarded(ctx context.Context, work Work, try *Try) (err error) {
	defer func() {
		if p := recover(); p != nil {
			e.log.ErrorContext(ctx, "panic in an attempt", "id", try.ID, "panic", p, "stack", string(debug.Stack()))
			err = Final(fmt.Errorf("a bug in the service: %v", p))
		}
	}()
	return work(ctx, try)
}

// beat shows that try is alive, and ends it when it no longer counts.
func (e *Local) beat(ctx context.Context, cancel context.CancelCauseFunc, try *Try) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := e.fenced(try.ID, try.Fence, func(x *Execution) { x.Heartbeat = e.now() })
		switch {
		case errors.Is(err, ErrFenced):
			cancel(ErrFenced)
		case errors.Is(err, ErrEnded):
			cancel(errCancelled)
		case err != nil:
			e.log.WarnContext(ctx, "cannot note that a try is alive", "id", try.ID, "err", err)
		}
	}
}

// release lets the next process go on with a try that was stopped.
func (e *Local) release(ctx context.Context, try *Try) {
	err := e.fenced(try.ID, try.Fence, func(x *Execution) { x.State, x.Begun = remote.Pending, x.Begun-1 })
	if err != nil && !errors.Is(err, ErrFenced) && !errors.Is(err, ErrEnded) {
		e.log.WarnContext(ctx, "cannot release a try", "id", try.ID, "err", err)
	}
}

// settle writes how a try ended. As long as that cannot be written, as on a
// full disk, it tries again: the result must not be lost.
func (e *Local) settle(ctx context.Context, try *Try, result error) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		err := e.fenced(try.ID, try.Fence, func(x *Execution) { e.conclude(x, result) })
		if err == nil || errors.Is(err, ErrFenced) || errors.Is(err, ErrEnded) {
			return
		}
		e.log.ErrorContext(ctx, "cannot write how a try ended; it is tried again", "id", try.ID, "err", err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// conclude makes result the end of x, or of this try of it.
func (e *Local) conclude(x *Execution, result error) {
	x.Updated = e.now()
	if result == nil {
		x.State, x.Reason = remote.Done, ""
		return
	}
	x.Reason = result.Error()
	var final finalError
	if errors.As(result, &final) || x.Begun >= maxTries {
		x.State = remote.Failed
		return
	}
	x.State = remote.Pending
	x.NotBefore = e.now().Add(min(backoff<<(x.Begun-1), longest))
}

func getExecution(tx *bbolt.Tx, id string) (*Execution, error) {
	raw := tx.Bucket(executionsBucket).Get([]byte(id))
	if raw == nil {
		return nil, fmt.Errorf("%s: %w", id, ErrUnknown)
	}
	x := &Execution{}
	if err := json.Unmarshal(raw, x); err != nil {
		return nil, fmt.Errorf("read execution %s: %w", id, err)
	}
	return x, nil
}

func putExecution(tx *bbolt.Tx, x *Execution) error {
	raw, err := json.Marshal(x)
	if err != nil {
		return err
	}
	id := []byte(x.ID)
	if err := tx.Bucket(executionsBucket).Put(id, raw); err != nil {
		return err
	}
	if x.State.Ended() {
		return tx.Bucket(openBucket).Delete(id)
	}
	return tx.Bucket(openBucket).Put(id, []byte{})
}

// eachExecution calls f for every execution whose ID is in bucket, by ID. F
// may change them.
func eachExecution(tx *bbolt.Tx, bucket []byte, f func(x *Execution) error) error {
	var all []*Execution
	err := tx.Bucket(bucket).ForEach(func(id, _ []byte) error {
		x, err := getExecution(tx, string(id))
		all = append(all, x)
		return err
	})
	if err != nil {
		return err
	}
	for _, x := range all {
		if err := f(x); err != nil {
			return err
		}
	}
	return nil
}
