package lsp

import (
	"context"
	"strings"

	"go.lsp.dev/uri"

	"github.com/agentls/agentls/agent"
)

type reviseParams struct {
	ChangeSet string          `json:"changeSet,omitempty"` // absent: the newest proposal
	Message   string          `json:"message,omitempty"`
	Comments  []reviseComment `json:"comments,omitempty"`
}

type reviseComment struct {
	URI  uri.URI `json:"uri"`
	Hunk int     `json:"hunk,omitempty"` // absent: the whole file
	Text string  `json:"text"`
}

// revise gives a proposal back to the run that made it, with what was decided
// and said on its hunks: it goes on, and proposes its answer.
func (s *Server) revise(ctx context.Context, p *reviseParams) (*startedResult, error) {
	cs, err := s.review.find(p.ChangeSet)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(p.Message) == "" && len(p.Comments) == 0 {
		return nil, badParams("agentls.revise: say something, in %q or %q", "message", "comments")
	}
	kept := map[string]bool{}
	for _, run := range s.keptRuns() {
		kept[run.ID] = true
	}
	run, ok := agent.RunOf(cs.ID, func(id string) bool { return kept[id] })
	if !ok {
		return nil, badParams("agentls.revise: the run that made %q is not kept here", cs.Title)
	}
	round := &agent.Round{Changes: s.proposedBy(run), Message: p.Message}
	for _, c := range p.Comments {
		path, err := filePath(c.URI)
		if err != nil {
			return nil, err
		}
		round.Comments = append(round.Comments, agent.Comment{Path: path, Hunk: c.Hunk, Text: c.Text})
	}
	return s.goOn(snapshot(ctx), &continueParams{Run: run}, round) //nolint:contextcheck // a run outlives its request
}
