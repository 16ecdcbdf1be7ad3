package lsp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/transcripts"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

type runsParams struct{}

type runsResult struct {
	Runs []runLine `json:"runs"` // the one that did something last in front
}

// A runLine is a kept run, for a list.
type runLine struct {
	ID     string         `json:"id"`
	Title  string         `json:"title"`
	Parent string         `json:"parent,omitempty"` // the run that it is a part of
	Mode   agent.Mode     `json:"mode"`
	State  agent.RunState `json:"state"`
	Reason string         `json:"reason,omitempty"` // of that state
	Turns  int            `json:"turns"`
	Usage  agent.Usage    `json:"usage"`
	Cost   *float64       `json:"cost,omitempty"`
	Last   string         `json:"last"` // RFC 3339
}

// listRuns answers with the runs that are kept of this workspace.
func (s *Server) listRuns(context.Context, *runsParams) (*runsResult, error) {
	runs := s.keptRuns()
	out := &runsResult{Runs: make([]runLine, 0, len(runs))}
	for _, run := range runs {
		p := run.Past
		out.Runs = append(out.Runs, runLine{
			ID: run.ID, Title: p.Task.Title(), Parent: p.Task.Parent, Mode: p.Task.Mode, State: p.State, Reason: p.Reason,
			Turns: p.Turns, Usage: p.Usage, Cost: p.Cost, Last: p.Last.Format(timeFormat),
		})
	}
	return out, nil
}

// keptRuns returns the runs that are kept of this workspace and can be read.
func (s *Server) keptRuns() []*transcripts.Run {
	if s.home.Runs == nil {
		return nil
	}
	runs, err := s.home.Runs.List()
	if err != nil {
		s.Log.Warn("some runs could not be read", "err", err)
	}
	return runs
}

type continueParams struct {
	Run     string `json:"run"`
	Message string `json:"message,omitempty"` // what the model is told; needed for a run that is done
}

// continueRun goes on with a run that was cut off, stopped or paused, or failed;
// or, with a message, with one that is done.
func (s *Server) continueRun(ctx context.Context, p *continueParams) (*startedResult, error) {
	return s.goOn(snapshot(ctx), p, nil) //nolint:contextcheck // a run outlives its request
}

// goOn is continueRun; round, which may be nil, is what the user made of what the
// run proposed.
func (s *Server) goOn(snap *index.Snapshot, p *continueParams, round *agent.Round) (*startedResult, error) {
	if s.home.Runs == nil {
		return nil, badParams("agentls.continue: no runs are kept here")
	}
	past, file, err := s.home.Runs.Resume(p.Run)
	switch {
	case errors.Is(err, transcripts.ErrNoRun), errors.Is(err, transcripts.ErrRunning):
		return nil, badParams("agentls.continue: %v", err)
	case err != nil:
		return nil, err
	case past.State == agent.Done && p.Message == "" && round == nil:
		_ = file.Close() // nothing was written
		return nil, badParams("agentls.continue: %v, in %q", agent.ErrDone, "message")
	}
	if parent := past.Task.Parent; parent != "" {
		_ = file.Close() // nothing was written
		return nil, badParams("agentls.continue: %s is a part of run %s: go on with that", p.Run, parent)
	}
	if err := s.mayEdit(past.Task.Mode); err != nil {
		_ = file.Close() // nothing was written
		return nil, err
	}
	x := execution{task: past.Task, title: past.Task.Title(), runner: s.setup.Load().Runner, kept: file}
	x.task.Past, x.task.Inbox = past, &agent.Inbox{}
	if round == nil && past.State == agent.Done && past.Task.Mode.Edits() {
		round = &agent.Round{Changes: s.proposedBy(p.Run), Message: p.Message}
	} else {
		x.task.Inbox.Put(p.Message)
	}
	x.task.Round = round
	return s.start(snap, x), nil
}

// proposedBy returns what a run proposed last.
func (s *Server) proposedBy(run string) []*edits.ChangeSet {
	all, err := s.home.Proposals.List()
	if err != nil {
		s.Log.Warn("some proposals could not be read", "err", err)
	}
	return agent.Proposed(run, all)
}

// keepTranscript begins the transcript of x, unless it has one. A run that
// cannot be kept runs all the same.
func (s *Server) keepTranscript(x *execution) {
	if x.remote != "" || s.home.Runs == nil {
		return
	}
	if x.kept == nil {
		file, err := s.home.Runs.Begin(x.task.ID)
		if err != nil {
			s.Log.Warn("this run cannot be resumed", "run", x.task.ID, "err", err)
			return
		}
		x.kept = file
	}
	x.task.Transcript = x.kept
}

// keepPart begins the transcript of a part of a run, or takes up the one there is.
// A part that cannot be kept runs all the same.
func (s *Server) keepPart(id string) (*agent.Past, agent.Transcript, func()) {
	if s.home.Runs == nil {
		return nil, nil, func() {}
	}
	past, file, err := s.home.Runs.Part(id)
	if err != nil {
		s.Log.Warn("this part of a run cannot be resumed", "run", id, "err", err)
		return nil, nil, func() {}
	}
	part := &execution{task: agent.Task{ID: id}, kept: file}
	return past, file, func() { part.close(s) }
}

// close lets go of the transcript of x.
func (x *execution) close(s *Server) {
	if x.kept == nil {
		return
	}
	if err := x.kept.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		s.Log.Warn("transcript not closed", "run", x.task.ID, "err", err)
	}
}

// What is offered of runs that were cut off.
const (
	maxOffered = 3
	offeredFor = 7 * 24 * time.Hour
)

// offerRuns tells the client which runs were cut off and can go on.
func (s *Server) offerRuns(ctx context.Context) {
	offered := 0
	for _, run := range s.keptRuns() {
		if run.Past.State != agent.CutOff || run.Past.Task.Parent != "" || s.Now().Sub(run.Past.Last) > offeredFor || offered == maxOffered {
			continue
		}
		offered++
		title := run.Past.Task.Title()
		s.emit(ctx, Event{Kind: RunCutOff, Run: run.ID, Title: title, Mode: run.Past.Task.Mode})
		if !s.client.events {
			s.offerRun(ctx, run.ID, title)
		}
	}
}

// offerRun asks the user by a message whether a run is to go on.
func (s *Server) offerRun(ctx context.Context, id, title string) {
	const yes = "Go on"
	answer, err := s.client.ShowMessageRequest(ctx, &protocol.ShowMessageRequestParams{
		Type: protocol.MessageTypeInfo, Message: fmt.Sprintf("agentls: a run was cut off: %s", title),
		Actions: []protocol.MessageActionItem{{Title: yes}, {Title: "Not now"}},
	})
	if err != nil || answer == nil || answer.Title != yes {
		return
	}
	if _, err := s.goOn(s.home.Workspace.Snapshot(), &continueParams{Run: id}, nil); err != nil { //nolint:contextcheck // a run outlives its request
		s.client.say(ctx, protocol.MessageTypeError, "agentls: "+err.Error())
	}
}
