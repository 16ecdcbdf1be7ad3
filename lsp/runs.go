package lsp

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/remote"
)

// Why a run was ended from outside.
var (
	errStopped    = errors.New("stopped by the user")
	errShutdown   = errors.New("the server is shutting down")
	errParentGone = errors.New("the client's process is gone")
)

// runs are the executions under way.
type runs struct {
	mu     sync.Mutex
	cancel map[string]context.CancelCauseFunc // by run; guarded by mu
	tokens map[string]func()                  // by progress token; guarded by mu
}

func (r *runs) add(id string, cancel context.CancelCauseFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel == nil {
		r.cancel = make(map[string]context.CancelCauseFunc)
	}
	r.cancel[id] = cancel
}

func (r *runs) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.cancel, id)
}

// stop ends a run, and reports whether it was under way.
func (r *runs) stop(id string, why error) bool {
	r.mu.Lock()
	cancel := r.cancel[id]
	r.mu.Unlock()
	if cancel != nil {
		cancel(why)
	}
	return cancel != nil
}

func (r *runs) stopAll(why error) (stopped []string) {
	for _, id := range r.list() {
		if r.stop(id, why) {
			stopped = append(stopped, id)
		}
	}
	return stopped
}

func (r *runs) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := make([]string, 0, len(r.cancel))
	for id := range r.cancel {
		ids = append(ids, id)
	}
	return ids
}

// cancellable has stop called when the user cancels the progress with token.
func (r *runs) cancellable(token string, stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tokens == nil {
		r.tokens = make(map[string]func())
	}
	r.tokens[token] = stop
}

func (r *runs) cancelled(token string) {
	r.mu.Lock()
	stop := r.tokens[token]
	delete(r.tokens, token)
	r.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// A startedResult answers a command that goes on as a run.
type startedResult struct {
	Run string `json:"run"`
}

// An execution is a task, and who does it.
type execution struct {
	task   agent.Task
	title  string
	runner agent.Runner
	remote string // the address of the service that runner hands it to; "" where it runs here
}

// start begins x on snap and returns at once.
func (s *Server) start(snap *index.Snapshot, x execution) *startedResult {
	x.task.Editor, x.task.Permit = s.editor.Load(), s.permit
	ctx, cancel := s.contextOf(x)
	s.runs.add(x.task.ID, cancel)
	s.background.Go(func() {
		defer cancel(nil)
		defer s.runs.remove(x.task.ID)
		s.run(ctx, snap, x)
	})
	return &startedResult{Run: x.task.ID}
}

// contextOf returns the context of x, and the way to end it. What goes on at a
// service is left at the end of the session, not cancelled.
func (s *Server) contextOf(x execution) (context.Context, context.CancelCauseFunc) {
	if x.remote == "" {
		return context.WithCancelCause(s.ctx)
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(s.ctx))
	forget := context.AfterFunc(s.ctx, func() { cancel(remote.ErrLeft) })
	return ctx, func(why error) {
		forget()
		if errors.Is(why, errShutdown) {
			why = remote.ErrLeft
		}
		cancel(why)
	}
}

// run executes x and tells the client how it went.
func (s *Server) run(ctx context.Context, snap *index.Snapshot, x execution) {
	told := context.WithoutCancel(ctx) // the end of a run is told, however it ended
	s.emit(told, Event{Kind: RunStarted, Run: x.task.ID, Title: x.title, Mode: x.task.Mode, Remote: x.remote})
	bar := s.beginProgress(told, "agentls: "+x.title, func() { s.runs.stop(x.task.ID, errStopped) })
	sink := newSink(s, x.task.ID, bar)
	result, err := x.runner.Run(ctx, snap, x.task, sink.event)
	sink.close()
	if err != nil {
		err = causeOf(ctx, err)
		bar.end(told, "failed")
		s.failed(told, x.task.ID, x.title, err)
		return
	}
	bar.end(told, "done")
	s.finished(told, x.task, x.title, result)
}

// causeOf returns why ctx ended, if that is why err came.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		return cause
	}
	return err
}

func (s *Server) failed(ctx context.Context, run, title string, err error) {
	s.Log.Info("run failed", "run", run, "err", err)
	s.emit(ctx, Event{Kind: RunFailed, Run: run, Title: title, Error: err.Error()})
	if !s.client.events && s.ctx.Err() == nil {
		s.client.say(ctx, protocol.MessageTypeError, fmt.Sprintf("agentls: %s: %v", title, err))
	}
}

// finished makes the run's change set a proposal, and shows the answer.
func (s *Server) finished(ctx context.Context, task agent.Task, title string, result *agent.Result) {
	done := Event{
		Kind: RunDone, Run: task.ID, Title: title, Mode: task.Mode,
		Answer: result.Answer, Source: result.Source, Usage: &result.Usage,
	}
	if result.Change != nil {
		done.ChangeSet, done.Checks = result.Change.ID, result.Change.Checks
		if err := s.review.add(ctx, result.Change); err != nil {
			s.failed(ctx, task.ID, title, fmt.Errorf("keep the proposal: %w", err))
			return
		}
	}
	s.said.note(task, result.Answer)
	s.emit(ctx, done)
	if s.client.events {
		return
	}
	if result.Change != nil {
		s.client.say(ctx, protocol.MessageTypeInfo, s.review.invitation(result.Change))
		return
	}
	s.showAnswer(ctx, task.ID, title, result)
}

type stopParams struct {
	Run string `json:"run,omitempty"` // absent: all
}

type stopResult struct {
	Stopped []string `json:"stopped"`
}

// stopRun ends a run, or all. A run that is not under way is no error: it ended
// by itself.
func (s *Server) stopRun(_ context.Context, p *stopParams) (*stopResult, error) {
	if p.Run == "" {
		return &stopResult{Stopped: append([]string{}, s.runs.stopAll(errStopped)...)}, nil
	}
	out := &stopResult{Stopped: []string{}}
	if s.runs.stop(p.Run, errStopped) {
		out.Stopped = append(out.Stopped, p.Run)
	}
	return out, nil
}
