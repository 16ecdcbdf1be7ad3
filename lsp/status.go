package lsp

import (
	"context"

	"github.com/agentls/agentls/agent"
)

type statusParams struct{}

type statusResult struct {
	Version   string                `json:"version"`
	Model     string                `json:"model,omitempty"`  // absent: the index answers
	Models    map[agent.Mode]string `json:"models,omitempty"` // those that are not Model, by what is done
	Source    string                `json:"source"`           // where the configuration came from
	Error     string                `json:"error,omitempty"`  // why it cannot be used
	Ready     bool                  `json:"ready"`            // the index is complete
	Roots     []string              `json:"roots"`
	Files     int                   `json:"files"`
	Symbols   int                   `json:"symbols"`
	Runs      []string              `json:"runs"`      // under way
	Proposals int                   `json:"proposals"` // waiting

	Confinement string `json:"confinement,omitempty"` // of the agent's commands, for people
	Remote      string `json:"remote,omitempty"`      // the task service; absent: none is configured
}

// status answers what a status bar shows.
func (s *Server) status(ctx context.Context, _ *statusParams) (*statusResult, error) {
	snap, setup := snapshot(ctx), s.setup.Load()
	out := &statusResult{
		Version: s.Version, Model: setup.Model, Models: setup.Models, Source: setup.Source,
		Ready: snap.Ready(), Roots: append([]string{}, snap.Roots()...),
		Runs: s.runs.list(), Proposals: len(s.review.all()),
	}
	if setup.Err != nil {
		out.Error = setup.Err.Error()
	}
	if setup.Remote != nil {
		out.Remote = setup.Remote.URL()
	}
	if stats := s.indexed.Load(); stats != nil {
		out.Files, out.Symbols = stats.Files, stats.Symbols
	}
	if says := s.fence.Load(); says != nil {
		out.Confinement = *says
	}
	return out, nil
}
