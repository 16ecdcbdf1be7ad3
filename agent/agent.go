// Package agent runs a task: it observes, plans, acts on a copy-on-write
// draft and ends with an answer or a change set. It never writes a file.
package agent

import (
	"context"
	"strings"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// A Mode says what kind of task it is. It decides the instructions and
// whether the tools that change the draft are offered.
type Mode string

// The modes.
const (
	Ask     Mode = "ask"     // answer a question
	Explain Mode = "explain" // explain what the focus does
	Edit    Mode = "edit"    // change the code as told
	Review  Mode = "review"  // find what is wrong in a change

	// PlanFirst is Edit, but nothing is changed before the user accepted a plan.
	PlanFirst Mode = "plan"
)

// Edits reports whether a task of mode m may change files.
func (m Mode) Edits() bool { return m == Edit || m == PlanFirst }

// A Task is what the user asked.
type Task struct {
	ID     string `json:"id"` // of the run; also the cache key at the model
	Mode   Mode   `json:"mode"`
	Prompt string `json:"prompt"` // in the user's words; may be empty for Explain
	Focus  *Focus `json:"focus,omitempty"`

	Editor  *EditorView `json:"editor,omitempty"`  // nil: nothing is known of it
	Earlier []Exchange  `json:"earlier,omitempty"` // what Prompt goes on from, the oldest first
	Permit  Permit      `json:"-"`                 // nil: there is nobody to ask, and what has to be asked is refused

	// Steering of a run under way, and its memory.
	Inbox      *Inbox     `json:"-"` // what the user says meanwhile; nil: nothing
	Question   Asker      `json:"-"` // answers what the model asks its user; nil: there is nobody to ask
	ReviewPlan PlanReview `json:"-"` // shows the plan of a PlanFirst; nil: there is nobody to show it to
	Budget     *Budget    `json:"-"` // nil: the agent's own
	Transcript Transcript `json:"-"` // keeps what happens; nil: it cannot be resumed
	Past       *Past      `json:"-"` // goes on from there; nil: begins
	Round      *Round     `json:"-"` // of review, which Past goes on with; nil: none

	Diff   string `json:"diff,omitempty"`   // the change that a review is about, as a unified diff
	Output string `json:"output,omitempty"` // of a terminal, that the user points at
	Choice Choice `json:"choice,omitzero"`  // among what the conversation begins with

	Attached []Attachment `json:"attached,omitempty"` // images that the user shows

	// Sent is told of each request of the run, as it leaves. It must not change
	// it. Nil: nobody is.
	Sent func(*Request) `json:"-"`

	// Parent is the run that this is a part of; "": of none. Keep begins the
	// transcript of a part with that id, or takes up the one there is, with what
	// the part had come to, and returns what ends it; nil: parts are not kept.
	Parent string                                                             `json:"parent,omitempty"`
	Keep   func(id string) (past *Past, transcript Transcript, forget func()) `json:"-"`
	within *Draft                                                             // of Parent, that the run begins with

	// Sandbox runs the commands of the run in place of one of its own. It stays
	// open: it belongs to whoever gave it.
	Sandbox Sandbox `json:"-"`
}

// Title returns the first line of what the user wants, shortened.
func (t Task) Title() string {
	line, _, _ := strings.Cut(strings.TrimSpace(t.Wish()), "\n")
	return abbreviate(line, maxTitle)
}

// A Focus is the place in the code that a task is about.
type Focus struct {
	Path   string    `json:"path"` // absolute
	Span   text.Span `json:"span"`
	Symbol string    `json:"symbol,omitempty"` // its name, where it is one
}

// A Result is how a run ended. Change is nil where nothing was changed.
type Result struct {
	Answer   string           `json:"answer"` // Markdown
	Change   *edits.ChangeSet `json:"change,omitempty"`
	Findings []Finding        `json:"findings,omitempty"` // of a review, the most urgent first
	Dropped  []Finding        `json:"dropped,omitempty"`  // that its second pass refuted, with the reasons
	Usage    Usage            `json:"usage"`

	// Steps are Change in pieces, one for each step of the plan that was
	// completed, in order, and the rest: each fits what those before lead to.
	// Nil where no step was completed.
	Steps []*edits.ChangeSet `json:"steps,omitempty"`

	Source string `json:"source"` // the model's name, or "index"

	Cost   *float64 `json:"cost,omitempty"`   // in the currency of the prices; absent where no price is known
	Paused string   `json:"paused,omitempty"` // why the run is not done yet: it can go on

	Attempts []Attempt `json:"attempts,omitempty"` // of a task that was tried several times: all, by number
}

// Usage counts tokens, as the model's server reported them, over a run.
type Usage struct {
	Requests     int `json:"requests"`
	InputTokens  int `json:"inputTokens"`
	CachedTokens int `json:"cachedTokens"`
	OutputTokens int `json:"outputTokens"`
}

// A Runner executes tasks: here with a model (Agent), here without one
// (Offline), or on a service.
//
// Run reads through snap alone. It calls sink on its own goroutine, in order;
// a sink must not block for long. Cancelling ctx ends the run, its requests
// and its tools at once, with context.Cause(ctx).
type Runner interface {
	Run(ctx context.Context, snap *index.Snapshot, task Task, sink Sink) (*Result, error)
}

// A Sink takes the events of one run.
type Sink func(Event)

// An Event is one thing that happened in a run.
//
//sumtype:decl
type Event interface{ event() }

// TextDelta is a further piece of the answer.
type TextDelta struct{ Text string }

// ReasoningDelta is a further piece of the model's summary of its thinking.
type ReasoningDelta struct{ Text string }

// StepStarted says that a tool call begins. Title is for people:
// "read chi.go".
type StepStarted struct{ ID, Tool, Title string }

// StepDone says that a tool call ended. Failed is empty, or what went wrong,
// as the model was told. Detail is empty, or what else is to be said of it:
// "exit code 1 after 2.3s, sandbox: full".
type StepDone struct{ ID, Tool, Title, Failed, Detail string }

// Waiting says that the run waits for the model's server, and why. The last
// Void bytes of text, summed over the TextDeltas so far, come again: whoever
// can take them back does.
type Waiting struct {
	Reason string
	Void   int
}

// Spent says what the run used so far. Cost is nil where no price is known.
type Spent struct {
	Usage Usage
	Cost  *float64
}

// PlanChanged says what the run means to do, and how far it is.
type PlanChanged struct{ Plan Plan }

// StepProposed says that a step of the plan is done, and what it changed. That
// stands by itself, also if the run comes to no end; it fits what the steps
// before lead to.
type StepProposed struct{ Change *edits.ChangeSet }

func (Spent) event()          {}
func (StepProposed) event()   {}
func (PlanChanged) event()    {}
func (TextDelta) event()      {}
func (ReasoningDelta) event() {}
func (StepStarted) event()    {}
func (StepDone) event()       {}
func (Waiting) event()        {}
