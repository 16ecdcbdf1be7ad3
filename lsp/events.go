package lsp

import (
	"context"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
)

// notification is the one notification of ours. Only clients that declare
// experimental.agentls.events get it.
const notification = "agentls/event"

// An EventKind says what an Event tells.
type EventKind string

// The kinds of events.
const (
	RunStarted   EventKind = "run.started"
	RunText      EventKind = "run.text"
	RunReasoning EventKind = "run.reasoning"
	RunStep      EventKind = "run.step"
	RunWaiting   EventKind = "run.waiting"
	RunPlan      EventKind = "run.plan"
	RunQuestion  EventKind = "run.question"
	RunUsage     EventKind = "run.usage"
	RunCutOff    EventKind = "run.cutoff"
	RunDone      EventKind = "run.done"
	RunFailed    EventKind = "run.failed"
	ChangesMoved EventKind = "changes"
	IndexStarted EventKind = "index.started"
	IndexDone    EventKind = "index.done"
)

// An Event is what agentls/event carries. Fields that a kind does not use are
// absent.
type Event struct {
	Kind      EventKind     `json:"kind"`
	Run       string        `json:"run,omitzero"`
	Title     string        `json:"title,omitzero"`
	Mode      agent.Mode    `json:"mode,omitzero"`
	Remote    string        `json:"remote,omitzero"`
	Text      string        `json:"text,omitzero"`
	Void      int           `json:"void,omitzero"`
	Paused    string        `json:"paused,omitzero"`
	Step      *Step         `json:"step,omitzero"`
	Options   []string      `json:"options,omitzero"`
	Plan      *agent.Plan   `json:"plan,omitzero"`
	Waits     bool          `json:"waits,omitzero"`
	Answer    string        `json:"answer,omitzero"`
	Source    string        `json:"source,omitzero"`
	Usage     *agent.Usage  `json:"usage,omitzero"`
	Cost      *float64      `json:"cost,omitzero"`
	ChangeSet string        `json:"changeSet,omitzero"`
	Steps     []string      `json:"steps,omitzero"`
	Attempts  []attemptLine `json:"attempts,omitzero"`
	Checks    []edits.Check `json:"checks,omitzero"`
	Suggest   []string      `json:"suggest,omitzero"`
	Counts    *edits.Counts `json:"counts,omitzero"`
	Error     string        `json:"error,omitzero"`
	Files     int           `json:"files,omitzero"`
	Parsed    int           `json:"parsed,omitzero"`
	Symbols   int           `json:"symbols,omitzero"`
}

// A Step is one tool call of a run.
type Step struct {
	ID    string    `json:"id"`
	Tool  string    `json:"tool"`
	Title string    `json:"title"`
	State StepState `json:"state"`
	Error string    `json:"error,omitzero"`

	Detail string `json:"detail,omitzero"` // how it ended, beside that
}

// A StepState says how far a step is.
type StepState string

// The states of a step.
const (
	StepStarted StepState = "started"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
)

// emit sends ev to a client that listens. It may wait for the client and
// never runs on the read loop.
func (s *Server) emit(ctx context.Context, ev Event) {
	if !s.client.events {
		return
	}
	if err := s.session.Notify(ctx, notification, ev); err != nil && ctx.Err() == nil {
		s.Log.Debug("event not sent", "kind", ev.Kind, "err", err)
	}
}
