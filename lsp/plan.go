package lsp

import (
	"context"
	"errors"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
)

type planParams struct {
	Run    string           `json:"run"`
	Plan   []agent.PlanStep `json:"plan,omitempty"`   // absent: as it was shown
	Refuse string           `json:"refuse,omitempty"` // why it is not accepted; its model then makes another
}

// A planReply is the user's word on a plan.
type planReply struct {
	steps  []agent.PlanStep
	refuse string
}

// acceptPlan gives the user's word on the plan of a run that waits for it.
func (s *Server) acceptPlan(_ context.Context, p *planParams) (*startedResult, error) {
	if !s.plans.give(p.Run, planReply{steps: p.Plan, refuse: p.Refuse}) {
		return nil, badParams("run %q has no plan that waits", p.Run)
	}
	return &startedResult{Run: p.Run}, nil
}

// planner returns who looks at the plans of a run: the client by run.plan and
// agentls.plan.accept, or by a message.
func (s *Server) planner(run string) agent.PlanReview {
	return func(ctx context.Context, plan agent.Plan) (agent.Plan, error) {
		if !s.client.questions {
			return plan, s.askAboutPlan(ctx, plan)
		}
		reply, forget := s.plans.await(run)
		defer forget()
		s.emit(ctx, Event{Kind: RunPlan, Run: run, Plan: &plan, Waits: true})
		select {
		case <-ctx.Done():
			return plan, context.Cause(ctx)
		case word := <-reply:
			if word.refuse != "" {
				return plan, errors.New(word.refuse)
			}
			if word.steps != nil {
				plan.Steps = word.steps
			}
			return plan, nil
		}
	}
}

// askAboutPlan asks by a message, which has no place to change a plan in.
func (s *Server) askAboutPlan(ctx context.Context, plan agent.Plan) error {
	const yes = "Accept"
	answer, err := s.client.ShowMessageRequest(ctx, &protocol.ShowMessageRequestParams{
		Type: protocol.MessageTypeInfo, Message: "agentls: the plan:\n" + plan.String(),
		Actions: []protocol.MessageActionItem{{Title: yes}, {Title: "Refuse"}},
	})
	switch {
	case err != nil:
		return err
	case answer == nil:
		return agent.ErrNobody
	case answer.Title != yes:
		return errors.New("the user refused it, and did not say why")
	}
	return nil
}
