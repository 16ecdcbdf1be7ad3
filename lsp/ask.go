package lsp

import (
	"context"
	"strings"

	"github.com/agentls/agentls/agent"
)

type askParams struct {
	place
	where
	chosen
	Question string `json:"question,omitempty"` // absent: what it does and who uses it
	After    string `json:"after,omitempty"`    // the run to go on from
}

// ask answers a question about a place, as a run that may go on from another.
func (s *Server) ask(ctx context.Context, p *askParams) (*startedResult, error) {
	earlier, err := s.said.upTo(p.After)
	if err != nil {
		return nil, err
	}
	task, err := p.in(agent.Task{Mode: agent.Ask, Prompt: p.Question, Earlier: earlier})
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, p.place, p.where, task, "Ask about")
}

type explainParams struct {
	place
	where
}

// explain says what a place does, as a run.
func (s *Server) explain(ctx context.Context, p *explainParams) (*startedResult, error) {
	return s.begin(ctx, p.place, p.where, agent.Task{Mode: agent.Explain}, "Explain")
}

type changeParams struct {
	place
	where
	chosen
	Instruction string `json:"instruction"`
	Plan        bool   `json:"plan,omitempty"`     // shows a plan, and waits for a word on it, before anything is changed
	Attempts    int    `json:"attempts,omitempty"` // at the task; 0 is one
}

// changeCode has the agent change the code at a place, as a run that ends as a
// proposal.
func (s *Server) changeCode(ctx context.Context, p *changeParams) (*startedResult, error) {
	if strings.TrimSpace(p.Instruction) == "" {
		return nil, badParams("agentls.change: say what to change, in %q", "instruction")
	}
	if setup := s.setup.Load(); setup.Model == "" && !p.Remote {
		return nil, agent.ErrNoModel
	}
	task, err := p.in(agent.Task{Mode: agent.Edit, Prompt: p.Instruction})
	if err != nil {
		return nil, err
	}
	if p.Plan {
		task.Mode = agent.PlanFirst
	}
	if p.Plan && p.Remote {
		return nil, badParams("agentls.change: at the task service nobody can look at a plan: leave out %q or %q", "plan", "remote")
	}
	switch {
	case p.Attempts < 0 || p.Attempts > agent.MaxAttempts:
		return nil, badParams("agentls.change: attempts is a number from 1 to %d", agent.MaxAttempts)
	case p.Attempts > 1 && (p.Plan || p.Remote):
		return nil, badParams("agentls.change: several attempts are made here, and without a plan: leave out %q or the other", "attempts")
	}
	return s.beginTimes(ctx, p.place, p.where, task, "Change", p.Attempts)
}

// begin starts task about a place, as a run whose title begins with verb.
func (s *Server) begin(ctx context.Context, at place, where where, task agent.Task, verb string) (*startedResult, error) {
	return s.beginTimes(ctx, at, where, task, verb, 1)
}

// beginTimes is begin with so many attempts.
func (s *Server) beginTimes(ctx context.Context, at place, where where, task agent.Task, verb string, attempts int) (*startedResult, error) {
	if where.Remote && len(task.Attached) > 0 {
		return nil, badParams("the task service takes no images: leave out %q or %q", "images", "remote")
	}
	x := execution{task: task, attempts: attempts}
	err := s.mayEdit(task.Mode)
	if err != nil {
		return nil, err
	}
	if x.runner, x.remote, err = s.runner(where); err != nil {
		return nil, err
	}
	snap := snapshot(ctx)
	f, err := s.focusOf(ctx, snap, at)
	if err != nil {
		return nil, err
	}
	x.task.ID, x.task.Focus, x.title = s.NewID(), &f.Focus, verb+" "+f.name
	return s.start(snap, x), nil //nolint:contextcheck // a run outlives its request
}

// mayEdit returns an error for a task that edits in a workspace that is not
// trusted.
func (s *Server) mayEdit(mode agent.Mode) error {
	if mode.Edits() && s.setup.Load().Untrusted {
		return badParams("this workspace is not trusted: ask about it, and trust it in the editor to have it changed")
	}
	return nil
}
