package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/remote"
)

// Commands runs the commands of an environment, confined: what a command
// writes stays below dir, and it reaches nothing else of this machine.
type Commands interface {
	// Confinement says how, in a few words, for people.
	Confinement() string
	// Run runs a shell command line in dir, and writes what it prints to
	// output, both streams. The error means that it could not be run.
	Run(ctx context.Context, dir, line string, output io.Writer) (exit int, err error)
}

// errRefused is the end of an attempt whose environment has commands where
// nothing can confine them.
var errRefused = errors.New("this service refuses to run commands, because it has no sandbox to confine them in; it runs environments without set-up and verify commands")

const (
	maxVerified = 16 << 10 // bytes of a command's output that a Verification keeps
	maxReason   = 400      // bytes of it that are in a Failure
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
	events *recorder
	result *remote.Result
}

// work does a try, and keeps its result by the fence: also of one that failed.
func (s *Server) work(ctx context.Context, try *Try) error {
	a, err := s.newAttempt(try)
	if err != nil {
		return err
	}
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
	return a.conclude(ctx, err)
}

// conclude keeps what the try came to, which ended with err, and returns what
// the engine is told.
func (a *attempt) conclude(ctx context.Context, err error) error {
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
	a.clean(ctx, a.dir)
	return err
}

// clean removes a checkout. What cannot be removed is litter, no failure.
func (s *Server) clean(ctx context.Context, dir string) {
	if err := os.RemoveAll(dir); err != nil { //nolint:forbidigo // our own scratch folder
		s.log.WarnContext(ctx, "cannot remove a checkout", "dir", dir, "err", err)
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
	a := &attempt{Server: s, rec: rec, number: in.Number, try: try, dir: filepath.Join(s.dir, "scratch", try.ID), result: &remote.Result{}}
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

// prepare makes the checkout and runs the set-up on it.
func (a *attempt) prepare(ctx context.Context) (err error) {
	if name := a.rec.Spec.Environment; name != "" {
		if a.env, err = a.store.environment(name); err != nil {
			return failed(remote.BaseFailed, err)
		}
	}
	if len(a.env.Setup)+len(a.env.Verify) > 0 && a.commands == nil {
		return failed(remote.SetupFailed, errRefused)
	}
	a.events.stage("preparing the checkout")
	if err := os.RemoveAll(a.dir); err != nil { //nolint:forbidigo // our own scratch folder
		return err
	}
	base := a.rec.Spec.Base
	commit, err := a.shelf.commit(ctx, base, a.env)
	if err != nil {
		return a.unprepared(ctx, err)
	}
	a.result.Commit = commit
	if err := a.shelf.checkOut(ctx, a.dir, commit, base); err != nil {
		return a.unprepared(ctx, err)
	}
	if len(a.env.Setup) == 0 {
		return nil
	}
	if err := a.setUp(ctx); err != nil {
		return err
	}
	// What the set-up did to files of the base is not the agent's change.
	return a.shelf.checkOut(ctx, a.dir, commit, base)
}

// unprepared tells a base that cannot be had from a disk that is full for now.
func (a *attempt) unprepared(ctx context.Context, err error) error {
	if ctx.Err() != nil || isFull(err) {
		return err
	}
	return failed(remote.BaseFailed, err)
}

func (a *attempt) setUp(ctx context.Context) error {
	for _, line := range a.env.Setup {
		done, err := a.command(ctx, "setting up: ", line)
		if err != nil {
			return err
		}
		if done.Exit != 0 {
			return failed(remote.SetupFailed, fmt.Errorf("%s: exit %d: %s", line, done.Exit, lastLines(done.Output, maxReason)))
		}
	}
	return nil
}

// command runs one command and shows what it prints. One that cannot be run has
// the exit code -1. The error is that of ctx.
func (a *attempt) command(ctx context.Context, doing, line string) (*remote.Verification, error) {
	a.events.stage(doing + line)
	end := &tail{max: maxVerified}
	exit, err := a.commands.Run(ctx, a.dir, line, io.MultiWriter(a.events, end))
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		exit = -1
		end.kept = fmt.Appendf(end.kept, "cannot be run: %v", err)
	}
	return &remote.Verification{Command: line, Exit: exit, Output: strings.ToValidUTF8(string(end.kept), "\uFFFD")}, nil
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
	a.result.Answer, a.result.Usage, a.result.Source = done.Answer, done.Usage, done.Source
	if done.Change != nil {
		a.change(done.Change, snap.Rel)
	}
	return a.save(ctx)
}

// task returns what the agent is asked.
func (a *attempt) task() agent.Task {
	spec := &a.rec.Spec
	task := agent.Task{ID: a.try.ID, Mode: spec.Mode, Prompt: spec.Prompt}
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
	a.result.Verified = nil // that try may have come further than it could say
	return a.verify(ctx)
}

// verify runs the verify commands on the checkout with the change made.
func (a *attempt) verify(ctx context.Context) error {
	if a.result.Diff == "" || len(a.env.Verify) == 0 {
		return nil
	}
	if err := applyDiff(ctx, a.dir, a.result.Diff); err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	for _, line := range a.env.Verify {
		done, err := a.command(ctx, "verifying: ", line)
		if err != nil {
			return err
		}
		a.result.Verified = append(a.result.Verified, *done)
		a.events.add(remote.Event{Kind: remote.Verified, Verification: done})
	}
	return nil
}

// A tail keeps the last max bytes that are written to it.
type tail struct {
	max  int
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.max; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// lastLines returns the end of s, at most about n bytes, from a line's
// beginning.
func lastLines(s string, n int) string {
	s = strings.TrimSpace(s)
	if len(s) <= n {
		return s
	}
	s = s[len(s)-n:]
	if _, rest, ok := strings.Cut(s, "\n"); ok {
		return rest
	}
	return strings.ToValidUTF8(s, "")
}
