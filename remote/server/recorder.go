package server

import (
	"context"
	"sync"
	"time"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/remote"
)

const (
	gather   = 50 * time.Millisecond // before events are written
	maxPiece = 16 << 10              // bytes of one event's text
)

// A recorder writes the events of one try, gathered for a moment: a sync for
// every word of a model would be too many.
type recorder struct {
	write   func(events []remote.Event) error // keeps them for ever
	failed  context.CancelCauseFunc           // ends the try when they cannot be kept
	now     func() time.Time
	attempt int

	mu      sync.Mutex
	pending []remote.Event
}

// sink takes an event of the agent's run.
func (r *recorder) sink(ev agent.Event) {
	switch ev := ev.(type) {
	case agent.TextDelta:
		r.add(remote.Event{Kind: remote.Text, Text: ev.Text})
	case agent.ReasoningDelta:
		r.add(remote.Event{Kind: remote.Reasoning, Text: ev.Text})
	case agent.StepStarted:
		r.add(remote.Event{Kind: remote.Step, Step: ev.ID, Tool: ev.Tool, Title: ev.Title})
	case agent.StepDone:
		r.add(remote.Event{Kind: remote.StepDone, Step: ev.ID, Tool: ev.Tool, Title: ev.Title, Failed: ev.Failed, Detail: ev.Detail})
	case agent.Waiting:
		r.add(remote.Event{Kind: remote.Waiting, Text: ev.Reason, Void: ev.Void})
	case agent.PlanChanged, agent.StepProposed, agent.Spent: // the service's tasks have one result
	}
}

// stage says what the attempt does now.
func (r *recorder) stage(text string) { r.add(remote.Event{Kind: remote.Stage, Text: text}) }

// add takes an event; text that goes on with the one before joins it.
func (r *recorder) add(ev remote.Event) {
	ev.Attempt, ev.Time = r.attempt, r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.pending); n > 0 && ev.Kind == r.pending[n-1].Kind && flows(ev.Kind) && len(r.pending[n-1].Text) < maxPiece {
		r.pending[n-1].Text += ev.Text
		return
	}
	r.pending = append(r.pending, ev)
}

// flows reports whether events of a kind are pieces of one text.
func flows(kind remote.Kind) bool {
	return kind == remote.Text || kind == remote.Reasoning || kind == remote.Output
}

// Write makes r take what a command prints.
func (r *recorder) Write(p []byte) (int, error) {
	r.add(remote.Event{Kind: remote.Output, Text: string(p)})
	return len(p), nil
}

// run writes what comes until ctx ends.
func (r *recorder) run(ctx context.Context) {
	tick := time.NewTicker(gather)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := r.flush(); err != nil {
			r.failed(err)
			return
		}
	}
}

// flush writes what was gathered. What cannot be written is kept.
func (r *recorder) flush() error {
	r.mu.Lock()
	events := r.pending
	r.pending = nil
	r.mu.Unlock()
	if len(events) == 0 {
		return nil
	}
	err := r.write(events)
	if err != nil {
		r.mu.Lock()
		r.pending = append(events, r.pending...)
		r.mu.Unlock()
	}
	return err
}
