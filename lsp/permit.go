package lsp

import (
	"context"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
)

// words are the answers to each question, and what they grant. What is not
// among them, and no answer, refuses.
var words = map[agent.PermissionKind][]struct {
	title string
	grant agent.Grant
}{
	agent.Unconfined: {{"Run once", agent.Once}, {"Run all of this run", agent.ForRun}, {"Always run this command here", agent.ForWorkspace}, {"Refuse", agent.Refused}},
	agent.Outside:    {{"Allow once", agent.Once}, {"Allow this folder for this run", agent.ForRun}, {"Always allow this command here", agent.ForWorkspace}, {"Refuse", agent.Refused}},
	agent.Network:    {{"Allow once", agent.Once}, {"Allow for this run", agent.ForRun}, {"Always allow this command here", agent.ForWorkspace}, {"Refuse", agent.Refused}},
}

// permission is the agent.Permit of runs for this client: it asks for what the
// user did not grant for the workspace.
func (s *Server) permission() agent.Permit {
	if s.home.Permissions == nil {
		return s.permit
	}
	return s.home.Permissions.Permit(s.permit)
}

type verifyParams struct {
	Commands []string `json:"commands"`
}

type verifyResult struct {
	Commands []string `json:"commands"`
}

// verifyWith has commands check every change of the workspace from the next run
// on. The user has chosen them: a run's suggestions are a stranger's words.
func (s *Server) verifyWith(_ context.Context, p *verifyParams) (*verifyResult, error) {
	switch store := s.home.Permissions; {
	case store == nil:
		return nil, badParams("agentls.verify: this server keeps nothing of the workspace")
	case s.setup.Load().Untrusted:
		return nil, badParams("this workspace is not trusted: trust it in the editor before its changes are checked")
	case len(p.Commands) == 0:
		return nil, badParams("agentls.verify: name commands, in %q", "commands")
	default:
		if err := store.KeepChecks(p.Commands); err != nil {
			return nil, badParams("agentls.verify: %v", err)
		}
		lines, err := store.VerifyWith()
		return &verifyResult{Commands: lines}, err
	}
}

// permit asks by a message,
// which every client can show. (LSP, window/showMessageRequest)
func (s *Server) permit(ctx context.Context, p agent.Permission) (agent.Grant, error) {
	params := &protocol.ShowMessageRequestParams{Type: protocol.MessageTypeWarning, Message: "agentls: " + p.Question()}
	for _, word := range words[p.Kind] {
		params.Actions = append(params.Actions, protocol.MessageActionItem{Title: word.title})
	}
	answer, err := s.client.ShowMessageRequest(ctx, params)
	if err != nil || answer == nil {
		return agent.Refused, err
	}
	for _, word := range words[p.Kind] {
		if word.title == answer.Title {
			return word.grant, nil
		}
	}
	return agent.Refused, nil
}
