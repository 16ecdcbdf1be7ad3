package lsp

import (
	"context"
	"sync"
	"time"

	"github.com/agentls/agentls/agent"
)

// coalesce is how long text is gathered before it is sent: a frame or two of
// the eye, and far fewer messages.
const coalesce = 30 * time.Millisecond

// A sink turns the events of one run into messages to the client.
type sink struct {
	server *Server
	run    string
	bar    *progress
	ctx    context.Context //nolint:containedctx // the session's, without its cancellation

	mu      sync.Mutex
	kind    EventKind   // of the text gathered; guarded by mu
	text    string      // guarded by mu
	timer   *time.Timer // guarded by mu
	sending sync.Mutex  // keeps messages in order; held while the client is written to, never with mu
}

func newSink(s *Server, run string, bar *progress) *sink {
	return &sink{server: s, run: run, bar: bar, ctx: context.WithoutCancel(s.ctx)}
}

// event is the run's agent.Sink.
func (k *sink) event(ev agent.Event) {
	switch e := ev.(type) {
	case agent.TextDelta:
		k.gather(RunText, e.Text)
	case agent.ReasoningDelta:
		k.gather(RunReasoning, e.Text)
	case agent.StepStarted:
		k.bar.report(k.ctx, e.Title, -1)
		k.step(Step{ID: e.ID, Tool: e.Tool, Title: e.Title, State: StepStarted})
	case agent.StepDone:
		step := Step{ID: e.ID, Tool: e.Tool, Title: e.Title, State: StepDone, Error: e.Failed, Detail: e.Detail}
		if e.Failed != "" {
			step.State = StepFailed
		}
		k.step(step)
	case agent.Waiting:
		k.bar.report(k.ctx, e.Reason, -1)
		k.send(Event{Kind: RunWaiting, Run: k.run, Text: e.Reason, Void: e.Void})
	case agent.PlanChanged:
		k.send(Event{Kind: RunPlan, Run: k.run, Plan: &e.Plan})
	case agent.StepProposed:
		if err := k.server.review.add(k.ctx, e.Change); err != nil {
			k.server.Log.Warn("step not proposed", "run", k.run, "err", err)
		}
	case agent.Spent:
		k.send(Event{Kind: RunUsage, Run: k.run, Usage: &e.Usage, Cost: e.Cost})
	}
}

func (k *sink) step(step Step) { k.send(Event{Kind: RunStep, Run: k.run, Step: &step}) }

// gather adds text to what is sent when coalesce has passed.
func (k *sink) gather(kind EventKind, text string) {
	k.mu.Lock()
	other := k.text != "" && k.kind != kind
	k.mu.Unlock()
	if other {
		k.flush()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kind, k.text = kind, k.text+text
	if k.timer == nil {
		k.timer = time.AfterFunc(coalesce, k.flush)
	}
}

// flush sends what was gathered. It also runs on the timer's goroutine.
func (k *sink) flush() {
	k.sending.Lock()
	defer k.sending.Unlock()
	k.mu.Lock()
	kind, text := k.kind, k.text
	k.text = ""
	if k.timer != nil {
		k.timer.Stop()
		k.timer = nil
	}
	k.mu.Unlock()
	if text != "" {
		k.server.emit(k.ctx, Event{Kind: kind, Run: k.run, Text: text})
	}
}

// send sends ev behind the text gathered before it.
func (k *sink) send(ev Event) {
	k.flush()
	k.sending.Lock()
	defer k.sending.Unlock()
	k.server.emit(k.ctx, ev)
}

// close sends what is left. No event comes after it.
func (k *sink) close() { k.flush() }
