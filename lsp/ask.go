package lsp

import (
	"context"
	"strings"

	"github.com/agentls/agentls/agent"
)

type askParams struct {
	place
	Question string `json:"question,omitempty"` // absent: what it does and who uses it
	After    string `json:"after,omitempty"`    // the run to go on from
}

// ask answers a question about a place, as a run that may go on from another.
func (s *Server) ask(ctx context.Context, p *askParams) (*startedResult, error) {
	earlier, err := s.said.upTo(p.After)
	if err != nil {
		return nil, err
	}
	return s.answer(ctx, p.place, agent.Task{Mode: agent.Ask, Prompt: p.Question, Earlier: earlier}, "Ask about")
}

type explainParams struct {
	place
}

// explain says what a place does, as a run.
func (s *Server) explain(ctx context.Context, p *explainParams) (*startedResult, error) {
	return s.answer(ctx, p.place, agent.Task{Mode: agent.Explain}, "Explain")
}

func (s *Server) answer(ctx context.Context, at place, task agent.Task, verb string) (*startedResult, error) {
	snap := snapshot(ctx)
	f, err := s.focusOf(ctx, snap, at)
	if err != nil {
		return nil, err
	}
	task.ID, task.Focus = s.NewID(), &f.Focus
	return s.start(snap, task, verb+" "+f.name), nil //nolint:contextcheck // a run outlives its request
}

type changeParams struct {
	place
	Instruction string `json:"instruction"`
}

// changeCode has the agent change the code at a place, as a run that ends as a
// proposal.
func (s *Server) changeCode(ctx context.Context, p *changeParams) (*startedResult, error) {
	if strings.TrimSpace(p.Instruction) == "" {
		return nil, badParams("agentls.change: say what to change, in %q", "instruction")
	}
	if setup := s.setup.Load(); setup.Model == "" {
		return nil, agent.ErrNoModel
	}
	snap := snapshot(ctx)
	f, err := s.focusOf(ctx, snap, p.place)
	if err != nil {
		return nil, err
	}
	task := agent.Task{ID: s.NewID(), Mode: agent.Edit, Prompt: p.Instruction, Focus: &f.Focus}
	return s.start(snap, task, "Change "+f.name), nil //nolint:contextcheck // a run outlives its request
}
