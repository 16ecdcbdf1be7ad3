package lsp

import (
	"context"
	"encoding/json"
	"time"

	"go.lsp.dev/protocol"
)

// section is the client's settings that are ours.
const section = "agentls"

// DidChangeConfiguration takes new settings: those it carries, else it asks.
func (s *Server) DidChangeConfiguration(_ context.Context, p *protocol.DidChangeConfigurationParams) error {
	var carried map[string]json.RawMessage
	if json.Unmarshal(p.Settings, &carried) == nil && carried[section] != nil {
		s.configure(carried[section])
		return nil
	}
	s.spawn(s.askConfiguration)
	return nil
}

// askConfiguration reads the client's settings, where it answers that.
func (s *Server) askConfiguration(ctx context.Context) {
	if !s.client.configures {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	got, err := s.client.Configuration(ctx, &protocol.ConfigurationParams{Items: []protocol.ConfigurationItem{{Section: ptr(section)}}})
	if err != nil || len(got) == 0 || string(got[0]) == "null" {
		return
	}
	s.configure(json.RawMessage(got[0]))
}

// configure chooses the runner anew. Runs under way keep theirs.
func (s *Server) configure(settings json.RawMessage) {
	s.offer.set(settings)
	setup := s.Configure(settings)
	s.setup.Store(&setup)
	if setup.Err != nil {
		s.Log.Warn("configuration refused", "err", setup.Err)
		s.spawn(func(ctx context.Context) {
			s.client.say(ctx, protocol.MessageTypeWarning, "agentls: "+setup.Err.Error())
		})
	}
}
