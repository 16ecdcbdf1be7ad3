package lsp

import (
	"context"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/index"
)

// An attemptLine says how one of several tries of a task went.
type attemptLine struct {
	Number    int    `json:"number"` // from 1
	Run       string `json:"run"`    // its own id, by which agentls.continue goes on with it
	Kept      bool   `json:"kept"`
	Says      string `json:"says"`
	ChangeSet string `json:"changeSet,omitzero"`
}

// addAttempts makes x one of several tries of its task, each a run of its own;
// what they are told is told to all.
func (s *Server) addAttempts(x *execution, attempts int) {
	for len(x.others) < attempts-1 {
		other := *x
		other.others, other.task.ID, other.task.Inbox = nil, s.NewID(), &agent.Inbox{}
		x.others = append(x.others, &other)
	}
}

// inboxes returns where x and its other attempts hear from their user.
func (x *execution) inboxes() []*agent.Inbox {
	var all []*agent.Inbox
	if x.task.Inbox != nil {
		all = append(all, x.task.Inbox)
	}
	for _, other := range x.others {
		all = append(all, other.task.Inbox)
	}
	return all
}

// perform runs the task of x, or the attempts at it.
func (s *Server) perform(ctx context.Context, snap *index.Snapshot, x *execution, sink agent.Sink) (*agent.Result, error) {
	if len(x.others) == 0 {
		return x.runner.Run(ctx, snap, x.task, sink)
	}
	tasks := []agent.Task{x.task}
	for _, other := range x.others {
		s.keepTranscript(other)
		defer other.close(s)
		tasks = append(tasks, other.task)
	}
	return agent.RunAttempts(ctx, x.runner, snap, tasks, sink)
}

// proposeOthers makes proposals of what the attempts changed that were not kept,
// and says in done how all went.
func (s *Server) proposeOthers(ctx context.Context, result *agent.Result, done *Event) error {
	for _, one := range result.Attempts {
		line := attemptLine{Number: one.Number, Run: one.Run, Kept: one.Kept, Says: one.Says}
		if one.Change != nil {
			line.ChangeSet = one.Change.ID
			if !one.Kept {
				if err := s.review.add(ctx, one.Change); err != nil {
					return err
				}
			}
		}
		done.Attempts = append(done.Attempts, line)
	}
	return nil
}
