package lsp

import (
	"context"
	"strings"
	"sync"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
)

type steerParams struct {
	Run     string `json:"run"`
	Message string `json:"message"`
}

// steer tells a run under way something: its model hears it with the next turn.
func (s *Server) steer(_ context.Context, p *steerParams) (*startedResult, error) {
	if strings.TrimSpace(p.Message) == "" {
		return nil, badParams("agentls.steer: say something, in %q", "message")
	}
	if !s.runs.tell(p.Run, func(in *agent.Inbox) { in.Put(p.Message) }) {
		return nil, badParams("no run %q is under way here; agentls.continue goes on with one that is not", p.Run)
	}
	return &startedResult{Run: p.Run}, nil
}

type choiceParams struct {
	Run  string   `json:"run"`
	Drop []string `json:"drop,omitempty"` // pieces to withdraw, by id
	Pin  []string `json:"pin,omitempty"`  // pieces to add
}

// chooseContext withdraws or adds pieces of what a run under way began with, from
// its next turn on.
func (s *Server) chooseContext(_ context.Context, p *choiceParams) (*startedResult, error) {
	if len(p.Drop)+len(p.Pin) == 0 {
		return nil, badParams("agentls.context.choose: name pieces, in %q or %q", "drop", "pin")
	}
	choice := agent.Choice{Drop: p.Drop, Pin: p.Pin}
	if !s.runs.tell(p.Run, func(in *agent.Inbox) { in.Choose(choice) }) {
		return nil, badParams("no run %q is under way here", p.Run)
	}
	return &startedResult{Run: p.Run}, nil
}

// replies are what runs wait for from their users: answers, or plans.
type replies[T any] struct {
	mu      sync.Mutex
	waiting map[string]chan<- T // by run; guarded by mu
}

// await returns where the reply for run comes. The caller calls forget in the
// end.
func (r *replies[T]) await(run string) (reply <-chan T, forget func()) {
	came := make(chan T, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		r.waiting = make(map[string]chan<- T)
	}
	r.waiting[run] = came
	return came, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.waiting[run] == came {
			delete(r.waiting, run)
		}
	}
}

// give gives run its reply, and reports whether it waited for one.
func (r *replies[T]) give(run string, reply T) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting := r.waiting[run]
	if waiting == nil {
		return false
	}
	delete(r.waiting, run)
	waiting <- reply
	return true
}

type replyParams struct {
	Run    string `json:"run"`
	Answer string `json:"answer"`
}

// reply answers what the model of a run asked.
func (s *Server) reply(_ context.Context, p *replyParams) (*startedResult, error) {
	if !s.questions.give(p.Run, p.Answer) {
		return nil, badParams("run %q has no question that waits", p.Run)
	}
	return &startedResult{Run: p.Run}, nil
}

// asker returns who answers the questions of a run: the client by an event and
// agentls.reply; or by a message, if there are answers to choose from.
func (s *Server) asker(run string) agent.Asker {
	return func(ctx context.Context, q agent.Question) (string, error) {
		if !s.client.questions {
			return s.choose(ctx, q)
		}
		answer, forget := s.questions.await(run)
		defer forget()
		s.emit(ctx, Event{Kind: RunQuestion, Run: run, Text: q.Text, Options: q.Options})
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case text := <-answer:
			return text, nil
		}
	}
}

// choose asks by a message, which has no place for a text of the user's own.
func (s *Server) choose(ctx context.Context, q agent.Question) (string, error) {
	params := &protocol.ShowMessageRequestParams{Type: protocol.MessageTypeInfo, Message: "agentls: " + q.Text}
	for _, option := range q.Options {
		params.Actions = append(params.Actions, protocol.MessageActionItem{Title: option})
	}
	if len(params.Actions) == 0 {
		return "", nil
	}
	chosen, err := s.client.ShowMessageRequest(ctx, params)
	if err != nil || chosen == nil {
		return "", err
	}
	return chosen.Title, nil
}
