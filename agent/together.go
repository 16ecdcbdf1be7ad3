package agent

import (
	"context"
	"sync"
)

// What runs have that go on at the same time, for one user: attempts at a task,
// and the parts of one.

// renamed returns e as an event of one of several runs: steps carry id and title
// in front of their own. Nil: nobody is told, since texts would be mixed.
func renamed(e Event, id, title string) Event {
	switch e := e.(type) {
	case StepStarted:
		return StepStarted{ID: id + e.ID, Tool: e.Tool, Title: title + e.Title}
	case StepDone:
		e.ID, e.Title = id+e.ID, title+e.Title
		return e
	case Waiting:
		return Waiting{Reason: title + e.Reason}
	case TextDelta, ReasoningDelta, PlanChanged, StepProposed, Spent:
	}
	return nil
}

// Asking has several runs ask one user: one at a time, and once for what they
// grant for the run.
type asking struct {
	mu      sync.Mutex
	granted map[string]bool // kinds, and paths; guarded by mu
}

// of returns whom t asks, in turn with the others.
func (a *asking) of(t Task) (permit Permit, ask Asker) {
	if t.Permit != nil {
		permit = func(ctx context.Context, p Permission) (Grant, error) { return a.permit(ctx, t.Permit, p) }
	}
	if t.Question != nil {
		ask = func(ctx context.Context, q Question) (string, error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			return t.Question(ctx, q)
		}
	}
	return permit, ask
}

func (a *asking) permit(ctx context.Context, permit Permit, p Permission) (Grant, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := string(p.Kind) + " " + p.Path
	if a.granted[key] {
		return ForRun, nil
	}
	grant, err := permit(ctx, p)
	if err == nil && grant == ForRun {
		if a.granted == nil {
			a.granted = map[string]bool{}
		}
		a.granted[key] = true
	}
	return grant, err
}
