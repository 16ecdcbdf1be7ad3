package server

import (
	"context"
	"errors"
	"strings"

	"github.com/agentls/agentls/remote"
)

const maxTitle = 100 // bytes

// title returns the first line of a prompt, shortened.
func title(spec *remote.Spec) string {
	line, _, _ := strings.Cut(strings.TrimSpace(spec.Prompt), "\n")
	if line == "" && spec.Focus != nil {
		line = "Explain " + spec.Focus.Symbol
	}
	if len(line) > maxTitle {
		line = strings.ToValidUTF8(line[:maxTitle], "") + "…"
	}
	return line
}

// describe returns a task as it stands now.
func (s *Server) describe(ctx context.Context, rec *taskRecord) (*remote.Task, error) {
	t := &remote.Task{
		ID: rec.ID, Title: title(&rec.Spec), Prompt: rec.Spec.Prompt, Mode: rec.Spec.Mode,
		Environment: rec.Spec.Environment, Base: rec.Spec.Base, Created: rec.Created, Updated: rec.Created,
	}
	for n := 1; n <= rec.attempts(); n++ {
		a, err := s.describeAttempt(ctx, attemptID(rec.ID, n), n)
		if err != nil {
			return nil, err
		}
		if a.Updated.After(t.Updated) {
			t.Updated = a.Updated
		}
		t.Attempts = append(t.Attempts, *a)
	}
	t.State = overall(t.Attempts)
	return t, nil
}

// describeAttempt returns an attempt with the result whose fence was accepted.
func (s *Server) describeAttempt(ctx context.Context, id string, number int) (*remote.Attempt, error) {
	x, err := s.engine.Get(ctx, id)
	if errors.Is(err, ErrUnknown) { // a crash came before its start, which is made up for
		return &remote.Attempt{ID: id, Number: number, State: remote.Pending}, nil
	}
	if err != nil {
		return nil, err
	}
	a := &remote.Attempt{ID: id, Number: number, State: x.State, Tries: int(x.Fence), Updated: x.Updated}
	if x.State != remote.Done && x.State != remote.Failed {
		return a, nil
	}
	if a.Result, err = s.store.result(id, x.Fence); err != nil {
		return nil, err
	}
	if x.State == remote.Failed && (a.Result == nil || a.Result.Failure == nil) {
		a.Result = &remote.Result{Failure: &remote.Failure{Code: remote.GaveUp, Message: x.Reason}}
	}
	return a, nil
}

// overall returns the state of a task: it goes on as long as an attempt does,
// and one success is enough.
func overall(attempts []remote.Attempt) remote.State {
	count := map[remote.State]int{}
	for _, a := range attempts {
		count[a.State]++
	}
	switch {
	case count[remote.Running] > 0:
		return remote.Running
	case count[remote.Pending] > 0 && count[remote.Pending] < len(attempts):
		return remote.Running
	case count[remote.Pending] > 0:
		return remote.Pending
	case count[remote.Done] > 0:
		return remote.Done
	case count[remote.Failed] > 0:
		return remote.Failed
	default:
		return remote.Cancelled
	}
}

// best returns the attempt that stands for a task.
func best(t *remote.Task) *remote.Attempt { return &t.Attempts[t.Best()-1] }
