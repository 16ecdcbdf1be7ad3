package agent

import (
	"context"
	"encoding/json"
)

// updatePlan says what the run means to do, and how far it is.
type updatePlan struct{ run *run }

func (updatePlan) Spec() ToolSpec { return spec("update_plan") }

func (updatePlan) Title(json.RawMessage) string { return "update the plan" }

func (t updatePlan) Run(ctx context.Context, _ *Draft, raw json.RawMessage) (string, error) {
	plan, err := decode[Plan](raw)
	if err != nil {
		return "", err
	}
	return t.run.updatePlan(ctx, plan)
}

// askUser asks the user for the model.
type askUser struct{ run *run }

type askUserArgs struct {
	Question string   `json:"question"`
	Options  []string `json:"options"`
}

func (askUser) Spec() ToolSpec { return spec("ask_user") }

func (askUser) Title(args json.RawMessage) string {
	a, _ := decode[askUserArgs](args)
	return about("ask", a.Question)
}

func (t askUser) Run(ctx context.Context, _ *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[askUserArgs](raw)
	if err != nil {
		return "", err
	}
	return t.run.question(ctx, Question{Text: args.Question, Options: args.Options})
}
