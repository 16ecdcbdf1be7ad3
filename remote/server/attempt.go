package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/remote"
)

// An input is what the engine holds of an attempt.
type input struct {
	Task   string `json:"task"`
	Number int    `json:"number"`
}

// A checkpoint is how far an attempt has come. Ran is the fence of the try
// whose result holds the agent's work; 0 until then.
type checkpoint struct {
	Ran uint64 `json:"ran"`
}

// An attempt is one try at an attempt of a task.
type attempt struct {
	*Server
	rec    *taskRecord
	number int
	env    remote.Environment
	try    *Try
	dir    string // the checkout

	sandbox Sandbox      // of its commands; nil where there are none
	agent   *usedSandbox // the same for those of the agent; nil before them
	events  *recorder
	result  *remote.Result
}

// work does a try, and keeps its result by the fence: also of one that failed.
func (s *Server) work(ctx context.Context, try *Try) error {
	a, err := s.newAttempt(try)
	if err != nil {
		return err
	}
	defer s.clean(context.WithoutCancel(ctx), a.dir)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a.events.failed = cancel
	var writing sync.WaitGroup
	writing.Go(func() { a.events.run(ctx) })
	err = a.do(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	cancel(nil)
	writing.Wait()
	return a.conclude(err)
}

// conclude keeps what the try came to, which ended with err, and returns what
// the engine is told.
func (a *attempt) conclude(err error) error {
	var failure *failureError
	switch {
	case errors.As(err, &failure):
		a.result.Failure = &failure.Failure
		a.events.stage("failed: " + failure.Message)
		err = Final(err)
	case err != nil:
		a.events.stage("broke off: " + err.Error())
		return errors.Join(err, a.events.flush())
	}
	if kept := a.keep(); kept != nil {
		return kept
	}
	a.changed.ring()
	return err
}

// clean removes scratch. What cannot be removed is litter, no failure.
func (s *Server) clean(ctx context.Context, path string) {
	if err := os.RemoveAll(path); err != nil { //nolint:forbidigo // our own
		s.log.WarnContext(ctx, "cannot remove scratch", "path", path, "err", err)
	}
}

func (s *Server) newAttempt(try *Try) (*attempt, error) {
	var in input
	if err := json.Unmarshal(try.Input, &in); err != nil {
		return nil, Final(err)
	}
	rec, err := s.store.task(in.Task)
	if err != nil {
		return nil, err
	}
	if err := s.store.claim(try.ID, try.Fence); err != nil {
		return nil, err
	}
	a := &attempt{Server: s, rec: rec, number: in.Number, try: try, result: &remote.Result{}}
	a.dir = filepath.Join(s.dir, scratch, fmt.Sprintf("%s-%d", try.ID, try.Fence)) // one that was given up may still be at its own
	a.events = &recorder{now: s.now, attempt: in.Number, write: func(events []remote.Event) error {
		defer s.changed.ring()
		return s.store.append(rec.ID, try.ID, try.Fence, events)
	}}
	return a, nil
}

// A failureError is a Failure on its way to the result. Trying again would not
// mend it.
type failureError struct{ remote.Failure }

func (e *failureError) Error() string { return e.Message }

func failed(code string, err error) error {
	return &failureError{remote.Failure{Code: code, Message: err.Error()}}
}

// do does the try, from where the one before has saved.
func (a *attempt) do(ctx context.Context) error {
	var at checkpoint
	if len(a.try.Checkpoint) > 0 {
		if err := json.Unmarshal(a.try.Checkpoint, &at); err != nil {
			return Final(err)
		}
	}
	if err := a.greet(at); err != nil {
		return err
	}
	defer a.closeSandbox(ctx)
	if err := a.prepare(ctx); err != nil {
		return err
	}
	if at.Ran != 0 {
		return a.resume(ctx, at.Ran)
	}
	if err := a.run(ctx); err != nil {
		return err
	}
	return a.verify(ctx)
}

// greet tells whoever follows that the attempt begins again, and what is void
// of what it said.
func (a *attempt) greet(at checkpoint) error {
	if a.try.Fence == 1 {
		return nil
	}
	if at.Ran != 0 {
		a.events.stage("the service was interrupted; the agent had finished, its work is kept")
		return nil
	}
	void, err := a.store.said(a.rec.ID, a.number)
	if err != nil {
		return err
	}
	a.events.add(remote.Event{Kind: remote.Waiting, Text: "the service was interrupted; the attempt begins again", Void: void})
	return nil
}

// prepare makes the checkout and the sandbox, and runs the set-up in it.
func (a *attempt) prepare(ctx context.Context) (err error) {
	if name := a.rec.Spec.Environment; name != "" {
		if a.env, err = a.store.environment(name); err != nil {
			return failed(remote.BaseFailed, err)
		}
	}
	a.events.stage("preparing the checkout")
	if err := os.RemoveAll(a.dir); err != nil { //nolint:forbidigo // our own scratch folder
		return err
	}
	base := a.rec.Spec.Base
	commit, err := a.shelf.commit(ctx, base, a.env)
	if err != nil {
		return a.hindered(ctx, remote.BaseFailed, err)
	}
	a.result.Commit = commit
	if err := a.shelf.checkOut(ctx, a.dir, commit, base); err != nil {
		return a.hindered(ctx, remote.BaseFailed, err)
	}
	if err := a.openSandbox(ctx); err != nil {
		return err
	}
	return a.setUp(ctx)
}

// hindered returns err as the failure with this code, unless it may pass: a
// cancel, or a disk that is full for now.
func (a *attempt) hindered(ctx context.Context, code string, err error) error {
	if ctx.Err() != nil || isFull(err) {
		return err
	}
	return failed(code, err)
}

// run lets the agent work on the checkout, and saves what came of it.
func (a *attempt) run(ctx context.Context) error {
	a.events.stage("indexing")
	workspace := index.New(index.Options{Roots: []string{a.dir}, Log: a.log, Now: a.now})
	defer workspace.Close() //nolint:errcheck // only read
	if _, err := workspace.Scan(ctx, nil); err != nil {
		return err
	}
	snap := workspace.Snapshot()
	a.events.stage("working")
	done, err := a.runner.Run(ctx, snap, a.task(), a.events.sink)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		return failed(remote.RunFailed, err)
	}
	if done.Paused != "" { // nobody can have it go on here: what it has is its result
		if done.Change == nil {
			return failed(remote.RunFailed, errors.New(done.Paused))
		}
		done.Answer = "It is not done: " + done.Paused + ". What it has so far is here.\n\n" + done.Answer
	}
	a.result.Answer, a.result.Usage, a.result.Source = done.Answer, done.Usage, done.Source
	if done.Change != nil {
		a.change(done.Change, snap.Rel)
		a.result.Verified = done.Change.Checks
	}
	return a.save(ctx)
}

// task returns what the agent is asked.
func (a *attempt) task() agent.Task {
	spec := &a.rec.Spec
	task := agent.Task{ID: a.try.ID, Mode: spec.Mode, Prompt: spec.Prompt}
	if a.sandbox != nil && spec.Mode.Edits() {
		a.agent = &usedSandbox{Sandbox: a.sandbox.Agent()}
		task.Sandbox = a.agent
	}
	if f := spec.Focus; f != nil {
		task.Focus = &agent.Focus{Path: filepath.Join(a.dir, filepath.FromSlash(f.Path)), Span: f.Span, Symbol: f.Symbol}
	}
	return task
}

func (a *attempt) change(cs *edits.ChangeSet, rel func(string) string) {
	n := cs.Counts()
	a.result.Diff, a.result.Files, a.result.Added, a.result.Removed = cs.Unified(rel), n.Files, n.Added, n.Removed
}

// save keeps what the agent did, so that no crash makes it work again.
func (a *attempt) save(ctx context.Context) error {
	if err := a.keep(); err != nil {
		return err
	}
	raw, err := json.Marshal(checkpoint{Ran: a.try.Fence})
	if err != nil {
		return err
	}
	return a.try.Save(ctx, raw)
}

// keep writes what happened and what came of it, in this order.
func (a *attempt) keep() error {
	if err := a.events.flush(); err != nil {
		return err
	}
	return a.store.putResult(a.try.ID, a.try.Fence, a.result)
}

// resume goes on with what the try with this fence has saved.
func (a *attempt) resume(ctx context.Context, fence uint64) error {
	saved, err := a.store.result(a.try.ID, fence)
	if err != nil {
		return err
	}
	if saved == nil {
		return Final(fmt.Errorf("the result of try %d is gone", fence))
	}
	a.result = saved
	a.result.Verified = slices.DeleteFunc(saved.Verified, func(c edits.Check) bool { // that try may have come further than it could say
		return slices.Contains(a.env.Verify, c.Command)
	})
	return a.verify(ctx)
}
