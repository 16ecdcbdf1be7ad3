package lsp

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
)

// showAnswer opens the answer as a Markdown document, for clients without
// events.
func (s *Server) showAnswer(ctx context.Context, run, title string, result *agent.Result) {
	page := fmt.Sprintf("# %s\n\n%s\n\n*%s*\n", title, result.Answer, result.Source)
	path, err := s.keep("answers", run+".md", []byte(page))
	if err != nil {
		s.Log.Warn("answer not kept", "run", run, "err", err)
		s.client.say(ctx, protocol.MessageTypeInfo, result.Answer)
		return
	}
	s.client.show(ctx, path, "The answer")
}

// keep writes a document for the client to open, among the server's own state.
func (s *Server) keep(folder, name string, content []byte) (path string, err error) {
	dir := filepath.Join(s.home.State, folder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make %s: %w", dir, err)
	}
	path = filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil { //nolint:forbidigo // no file of the user's
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	return path, nil
}
