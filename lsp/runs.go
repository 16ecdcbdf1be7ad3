package lsp

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/transcripts"
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
	mu      sync.Mutex
	cancel  map[string]context.CancelCauseFunc // by run; guarded by mu
	inboxes map[string][]*agent.Inbox          // by run; guarded by mu
	tokens  map[string]func()                  // by progress token; guarded by mu
}

func (r *runs) add(id string, cancel context.CancelCauseFunc, inboxes []*agent.Inbox) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel == nil {
		r.cancel, r.inboxes = make(map[string]context.CancelCauseFunc), make(map[string][]*agent.Inbox)
	}
	r.cancel[id], r.inboxes[id] = cancel, inboxes
}

// tell has each attempt of a run under way told something of its user's, and
// reports whether there is one that hears it.
func (r *runs) tell(id string, put func(*agent.Inbox)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, inbox := range r.inboxes[id] {
		put(inbox)
	}
	return len(r.inboxes[id]) > 0
}

func (r *runs) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.cancel, id)
	delete(r.inboxes, id)
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
	task     agent.Task
	title    string
	runner   agent.Runner
	attempts int
	kept     *transcripts.File // its transcript; nil: it has none yet
	others   []*execution      // further attempts at the task, each with an id of its own
	remote   string            // the address of the service that runner hands it to; "" where it runs here
}

// start begins x on snap and returns at once.
func (s *Server) start(snap *index.Snapshot, x execution) *startedResult {
	id := x.task.ID
	x.task.Sent = func(req *agent.Request) { s.sent.note(id, req) }
	x.task.Editor, x.task.Permit, x.task.Question = s.editor.Load(), s.permission(), s.asker(x.task.ID)
	x.task.ReviewPlan = s.planner(x.task.ID)
	if x.task.Inbox == nil && x.remote == "" {
		x.task.Inbox = &agent.Inbox{}
	}
	x.task.Keep = s.keepPart
	s.addAttempts(&x, x.attempts)
	ctx, cancel := s.contextOf(x)
	s.runs.add(x.task.ID, cancel, x.inboxes())
	s.background.Go(func() {
		defer cancel(nil)
		s.keepTranscript(&x)
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
	result, err := s.perform(ctx, snap, &x, sink.event)
	sink.close()
	x.close(s) // before the end is told: who hears of it may go on with the run
	s.runs.remove(x.task.ID)
	if err != nil {
		err = causeOf(ctx, err)
		bar.end(told, "failed")
		s.failed(told, x.task.ID, x.title, err)
		return
	}
	bar.end(told, "done")
	if len(result.Findings) > 0 {
		s.findings.add(result.Findings)
		s.review.draw(told)
	}
	s.finished(told, x.task, x.title, x.remote, result)
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

// finished makes the run's change set a proposal, and shows the answer. Remote is
// as in execution.
func (s *Server) finished(ctx context.Context, task agent.Task, title, remote string, result *agent.Result) {
	done := Event{
		Kind: RunDone, Run: task.ID, Title: title, Mode: task.Mode,
		Answer: result.Answer, Source: result.Source, Usage: &result.Usage, Cost: result.Cost, Paused: result.Paused,
	}
	err := s.proposeOthers(ctx, result, &done)
	if err == nil {
		err = s.propose(ctx, result, &done)
	}
	if err != nil {
		s.failed(ctx, task.ID, title, fmt.Errorf("keep the proposal: %w", err))
		return
	}
	if remote == "" { // there its environment says what checks
		done.Suggest = agent.SuggestChecks(ctx, s.home.Workspace.Snapshot(), result.Change)
	}
	s.said.note(task, result.Answer)
	s.emit(ctx, done)
	if s.client.events {
		return
	}
	if result.Paused != "" {
		s.client.say(ctx, protocol.MessageTypeInfo, fmt.Sprintf("agentls: %s: %s; agentls.continue goes on", title, result.Paused))
	}
	if result.Change != nil {
		s.client.say(ctx, protocol.MessageTypeInfo, s.review.invitation(result.Change))
		return
	}
	if result.Paused != "" {
		return
	}
	s.showAnswer(ctx, task.ID, title, result)
}

// propose makes what a run changed a proposal, or one for each step of its plan,
// and says so in done. Steps that were proposed while the run went on stay as
// they are: the user may have decided on them.
func (s *Server) propose(ctx context.Context, result *agent.Result, done *Event) error {
	if result.Change == nil {
		return nil
	}
	done.ChangeSet, done.Checks = result.Change.ID, result.Change.Checks
	if len(result.Steps) == 0 {
		return s.review.add(ctx, result.Change)
	}
	for _, step := range result.Steps {
		done.ChangeSet, done.Steps = step.ID, append(done.Steps, step.ID)
		if _, err := s.review.find(step.ID); err == nil {
			continue
		}
		step.Checks = result.Change.Checks // they ran with all steps before it
		if err := s.review.add(ctx, step); err != nil {
			return err
		}
	}
	return nil
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
