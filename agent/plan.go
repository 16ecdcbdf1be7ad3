package agent

import (
	"cmp"
	"fmt"
	"maps"
	"strings"
)

// A Plan is what a run means to do.
type Plan struct {
	Explanation string     `json:"explanation,omitempty"`
	Steps       []PlanStep `json:"plan"`
}

// marks show how far a step is.
var marks = map[PlanState]string{StepInProgress: "→", StepCompleted: "✓", StepFailed: "✗"}

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

// A checkpoint is the draft as a completed step of the plan, or a round of
// review, left it.
type checkpoint struct {
	title string
	files map[string]draftFile
}

func cloneFiles(files map[string]draftFile) map[string]draftFile { return maps.Clone(files) }
