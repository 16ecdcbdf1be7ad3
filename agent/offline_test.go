package agent_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

var offlineFiles = map[string]string{
	"go.mod": "module calc\n",
	"sum.go": `package calc

// Sum adds a and b.
//
// It never overflows.
func Sum(a, b int) int { return clip(a) + clip(b) }

func clip(n int) int { return n & 0xff }

const limit = 7
`,
	"total.go": `package calc

// Total adds all.
func Total(ns ...int) int {
	t := 0
	for _, n := range ns {
		t = Sum(t, n)
	}
	return t
}

type Reader struct{}

func (Reader) Close() {}

type Writer struct{}

func (Writer) Close() {}
`,
	"sum_test.go": `package calc

import "testing"

func TestTotal(t *testing.T) { Total(1, 2) }
`,
	"notes.txt": "nothing declared here\n",
}

// TestOffline: what the index answers, in testdata/offline-NAME.md.
func TestOffline(t *testing.T) {
	tests := []struct{ name, focus, prompt string }{
		{"symbol", "sum.go:a, b", ""},
		{"symbol-and-question", "sum.go:clip(n", "Is Total tested by it? What of Sum.Nothing and Reader.Close?"},
		{"outline", "sum.go:package", "what is here"},
		{"no-symbols", "notes.txt:nothing", ""},
		{"question", "", "What does Total do?"},
		{"ambiguous-question", "", "Who calls Close?"},
		{"unknown-question", "", "Is it any good?"},
	}
	dir := workspace(t, offlineFiles)
	snap := scan(t, dir)
	runner := &agent.Offline{LastChange: func(_ context.Context, path string, _ text.Span) (string, error) {
		if filepath.Base(path) != "sum.go" {
			return "", errors.New("no repository")
		}
		return `1a2b3c4 "Add Sum" by Ann, 2024-01-02`, nil
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := &fixture{dir: dir, snap: snap, task: agent.Task{ID: "run-1", Mode: agent.Explain, Prompt: test.prompt}}
			if test.focus != "" {
				f.task.Focus = f.focus(t, test.focus)
			}
			var tr transcript
			res, err := runner.Run(t.Context(), snap, f.task, tr.sink)
			if err != nil {
				t.Fatal(err)
			}
			if res.Answer != tr.shown.String() || res.Source != "index" || res.Change != nil {
				t.Errorf("result %+v does not fit what was shown:\n%s", res, tr.shown.String())
			}
			golden(t, "offline-"+test.name+".md", res.Answer)
		})
	}
}

func TestOfflineCannotEdit(t *testing.T) {
	snap := index.New(index.Options{}).Snapshot()
	_, err := new(agent.Offline).Run(t.Context(), snap, agent.Task{Mode: agent.Edit, Prompt: "x"}, func(agent.Event) {})
	if !errors.Is(err, agent.ErrNoModel) || !strings.Contains(err.Error(), "OPENAI_API_KEY") {
		t.Errorf("error is %v", err)
	}
}

func TestOfflineCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the user went away")
	cancel(why)
	f := &fixture{dir: workspace(t, offlineFiles)}
	task := agent.Task{Mode: agent.Ask, Focus: f.focus(t, "sum.go:Sum(")}
	if _, err := new(agent.Offline).Run(ctx, scan(t, f.dir), task, func(agent.Event) {}); !errors.Is(err, why) {
		t.Errorf("error is %v", err)
	}
}
