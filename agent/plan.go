package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

// A Plan is what a run means to do.
type Plan struct {
	Explanation string     `json:"explanation,omitempty"`
	Steps       []PlanStep `json:"plan"`
}

// A PlanStep is one step of a plan.
type PlanStep struct {
	Text   string    `json:"step"`
	Status PlanState `json:"status"`
}

// A PlanState says how far a step is.
type PlanState string

// The states of a step.
const (
	StepPending    PlanState = "pending"
	StepInProgress PlanState = "in_progress"
	StepCompleted  PlanState = "completed"
	StepFailed     PlanState = "failed"
)

// Bounds of a plan.
const (
	maxSteps    = 50
	maxStepText = 500 // bytes
)

// marks show how far a step is.
var marks = map[PlanState]string{StepPending: "·", StepInProgress: "→", StepCompleted: "✓", StepFailed: "✗"}

// String returns p in Markdown, a line for each step.
func (p *Plan) String() string {
	var b strings.Builder
	if p.Explanation != "" {
		b.WriteString(p.Explanation + "\n")
	}
	for i, step := range p.Steps {
		fmt.Fprintf(&b, "%d. %s %s\n", i+1, cmp.Or(marks[step.Status], "·"), step.Text)
	}
	return b.String()
}

// check returns a Failure for a plan that is none.
func (p *Plan) check() error {
	if len(p.Steps) == 0 || len(p.Steps) > maxSteps {
		return Fail("a plan has from 1 to %d steps, and this one has %d", maxSteps, len(p.Steps))
	}
	for i, step := range p.Steps {
		switch {
		case strings.TrimSpace(step.Text) == "" || len(step.Text) > maxStepText:
			return Fail("step %d has no text, or more than %d bytes of it", i+1, maxStepText)
		case marks[step.Status] == "":
			return Fail("step %d: the status %q is none of pending, in_progress, completed and failed", i+1, abbreviate(string(step.Status), 40))
		}
	}
	return nil
}

// A PlanReview shows the user a plan before anything is changed, and returns it
// as they want it. Nobody there to look at it is ErrNobody.
type PlanReview func(ctx context.Context, plan Plan) (Plan, error)

// ErrNobody is what a PlanReview returns where nobody is there to look: the run
// pauses until somebody is.
var ErrNobody = errors.New("nobody is there to look at the plan")

// updatePlan takes a plan from the model, and returns what it is told.
func (r *run) updatePlan(ctx context.Context, plan Plan) (string, error) {
	if err := plan.check(); err != nil {
		return "", err
	}
	if r.mayChange() {
		return "The plan is noted.", r.movePlan(ctx, plan)
	}
	accepted, err := r.reviewPlan(ctx, plan)
	if err != nil {
		return "", err
	}
	if err := r.movePlan(ctx, accepted); err != nil {
		return "", err
	}
	if slices.Equal(plan.Steps, accepted.Steps) && accepted.Explanation == plan.Explanation {
		return "The user accepted the plan: go on with it.", nil
	}
	return "The user changed the plan. Go on with it as it is now:\n" + accepted.String(), nil
}

// reviewPlan has the user accept a plan, or pauses the run until they can.
func (r *run) reviewPlan(ctx context.Context, plan Plan) (Plan, error) {
	r.sink(PlanChanged{Plan: plan})
	if r.task.ReviewPlan == nil {
		return plan, &pauseError{"the plan waits for its user"}
	}
	r.sink(Waiting{Reason: "waiting for your word on the plan"})
	accepted, err := r.task.ReviewPlan(ctx, plan)
	switch {
	case ctx.Err() != nil:
		return plan, context.Cause(ctx)
	case errors.Is(err, ErrNobody):
		return plan, &pauseError{"the plan waits for its user"}
	case err != nil:
		return plan, Fail("the user did not accept the plan: %v", err)
	}
	if err := accepted.check(); err != nil {
		return plan, err
	}
	r.accepted = true
	return accepted, nil
}

// mayChange reports whether tools that change something may be called: in a task
// that begins with a plan, once that was accepted.
func (r *run) mayChange() bool { return r.task.Mode != PlanFirst || r.accepted }

const notAccepted = "the user wants to see a plan before anything is changed: look around, then call update_plan"

// movePlan makes plan that of the run. Steps that are completed by it close a
// checkpoint, if they changed something.
func (r *run) movePlan(ctx context.Context, plan Plan) error {
	var closed []string
	for _, step := range plan.Steps {
		done := slices.ContainsFunc(r.plan.Steps, func(s PlanStep) bool { return s.Text == step.Text && s.Status == StepCompleted })
		if step.Status == StepCompleted && !done {
			closed = append(closed, step.Text)
		}
	}
	r.plan = plan
	r.note(&Record{Kind: PlanMoved, Plan: &plan, Accepted: r.accepted})
	r.sink(PlanChanged{Plan: plan})
	if len(closed) == 0 {
		return nil
	}
	return r.closeStep(ctx, strings.Join(closed, "; "))
}

// A checkpoint is the draft as a completed step of the plan left it.
type checkpoint struct {
	title string
	files map[string]draftFile
}

func cloneFiles(files map[string]draftFile) map[string]draftFile { return maps.Clone(files) }

// closeStep makes what the draft changed since the last checkpoint a step of its
// own. It stands from then on, whatever becomes of the run.
func (r *run) closeStep(ctx context.Context, title string) error {
	next := checkpoint{title: title, files: maps.Clone(r.draft.changed)}
	cs, err := r.stepChange(ctx, len(r.steps), next)
	if err != nil {
		return Fail("the step cannot be closed: %v", err)
	}
	if cs == nil {
		return nil
	}
	r.steps = append(r.steps, next)
	r.note(&Record{Kind: StepClosed, Call: title})
	r.sink(StepProposed{Change: cs})
	return nil
}

// stepChange returns what to, which is the step with number i, changes; nil for
// nothing. Its content before is that of the step before.
func (r *run) stepChange(ctx context.Context, i int, to checkpoint) (*edits.ChangeSet, error) {
	base := r.draft.base
	if i > 0 {
		base = base.With(replacements(r.steps[i-1].files)...)
	}
	step := &Draft{snap: r.draft.snap, base: base, gate: r.draft.gate, confine: r.draft.confine, changed: to.files}
	return step.ChangeSet(ctx, fmt.Sprintf("%s.%d", r.id(), i+1), to.title)
}

func replacements(files map[string]draftFile) []index.Replacement {
	out := make([]index.Replacement, 0, len(files))
	for path, f := range files {
		out = append(out, index.Replacement{Path: path, Content: f.content, Gone: f.gone})
	}
	return out
}

// stepChanges returns the change of each step, and of what came after the last;
// nil where no step was closed.
func (r *run) stepChanges(ctx context.Context) ([]*edits.ChangeSet, error) {
	if len(r.steps) == 0 {
		return nil, nil
	}
	rest := checkpoint{title: "the rest of: " + r.task.Title(), files: r.draft.changed}
	var out []*edits.ChangeSet
	for i, step := range append(slices.Clone(r.steps), rest) {
		cs, err := r.stepChange(ctx, i, step)
		if err != nil {
			return nil, err
		}
		if cs != nil {
			out = append(out, cs)
		}
	}
	return out, nil
}

// id returns the name of the run's change sets: that of the task, and from the
// second round of review on with its number.
func (r *run) id() string {
	if r.round == 0 {
		return r.task.ID
	}
	return fmt.Sprintf("%s-%d", r.task.ID, r.round+1)
}
