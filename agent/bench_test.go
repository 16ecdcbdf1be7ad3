package agent_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// BenchmarkContext builds what an ask about (*Server).Serve of net/http begins
// with, in all of the Go tree, once everything is warm.
func BenchmarkContext(b *testing.B) {
	out, err := exec.CommandContext(b.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "src")
	ws := index.New(index.Options{Roots: []string{root}})
	defer ws.Close() //nolint:errcheck // only read
	if _, err := ws.Scan(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	snap := ws.Snapshot()
	path := filepath.Join(root, "net/http/server.go")
	content, err := snap.ReadFile(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	at := strings.Index(string(content), "func (srv *Server) Serve(") + 20
	if at < 20 {
		at = strings.Index(string(content), ") Serve(l net.Listener)") + 3
	}
	a := agent.New(agent.Options{})
	task := agent.Task{Mode: agent.Ask, Prompt: "why does the server not close idle connections?", Focus: &agent.Focus{Path: path, Span: text.Span{Start: at, End: at}}}
	if _, err := snap.Map(b.Context(), index.Focus{Words: task.Prompt}, 1); err != nil { // reads what an ask does not wait for
		b.Fatal(err)
	}
	first, err := a.Context(b.Context(), snap, task)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		if _, err := a.Context(b.Context(), snap, task); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(first.Tokens), "tokens")
}
