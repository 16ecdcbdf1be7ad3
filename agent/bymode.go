package agent

import (
	"context"

	"github.com/agentls/agentls/index"
)

// ByMode runs each task with the agent of its mode, so that a question can go
// to a cheaper model than a review.
type ByMode struct {
	Usual *Agent
	Own   map[Mode]*Agent // of modes that have one of their own
}

var _ Runner = ByMode{}

func (b ByMode) of(m Mode) *Agent {
	if own := b.Own[m]; own != nil {
		return own
	}
	return b.Usual
}

// Run is Agent.Run.
func (b ByMode) Run(ctx context.Context, snap *index.Snapshot, task Task, sink Sink) (*Result, error) {
	return b.of(task.Mode).Run(ctx, snap, task, sink)
}

// Context is Agent.Context.
func (b ByMode) Context(ctx context.Context, snap *index.Snapshot, task Task) (*Manifest, error) {
	return b.of(task.Mode).Context(ctx, snap, task)
}
