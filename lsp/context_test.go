package lsp

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/index"
)

// TestContextCommand: what a run would begin with is listed, with the user's
// choice, and shown.
func TestContextCommand(t *testing.T) {
	w := mathWorld(t)
	e := w.start(t)
	e.open("math.go")
	at := e.at("math.go", "Add(a")
	got := must[contextResult](e, "agentls.context", contextParams{place: at, Question: "why?", chosen: chosen{Output: "boom", Drop: []string{"callers"}}})
	state := map[string]string{}
	for _, p := range got.Pieces {
		state[p.ID] = p.Dropped
	}
	if why, ok := state["callers"]; !ok || why != "you removed it" {
		t.Errorf("callers: %v", state)
	}
	if why, ok := state["output"]; !ok || why != "" || got.Tokens == 0 {
		t.Errorf("output: %v, %d tokens", state, got.Tokens)
	}
	path, err := filePath(got.URI)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(page), "| `callers` |") || !strings.Contains(string(page), "boom") {
		t.Errorf("%v: %s", err, page)
	}
	if _, err := execute[contextResult](e, "agentls.context", contextParams{place: at, Mode: "fly"}); err == nil {
		t.Error("a mode that is none is taken")
	}
}

// TestLastRequest shows what a run sent last, of each run.
func TestLastRequest(t *testing.T) {
	w := mathWorld(t)
	w.runner = runner(func(_ context.Context, _ *index.Snapshot, task agent.Task, _ agent.Sink) (*agent.Result, error) {
		task.Sent(&agent.Request{Items: []agent.Item{agent.UserMessage{Text: "first"}}})
		task.Sent(&agent.Request{Items: []agent.Item{agent.UserMessage{Text: "first"}, agent.UserMessage{Text: task.Prompt}}})
		return &agent.Result{Source: "test"}, nil
	})
	e := w.start(t)
	e.open("math.go")
	if _, err := execute[requestResult](e, "agentls.lastRequest", requestParams{}); err == nil {
		t.Error("there is a request before any run")
	}
	var runs []string
	for _, question := range []string{"one", "two"} {
		run := must[startedResult](e, "agentls.ask", askParams{place: e.at("math.go", "Add(a"), Question: question}).Run
		e.eventOf(RunDone, run)
		runs = append(runs, run)
	}
	for run, want := range map[string]string{"": "two", runs[0]: "one", runs[1]: "two"} {
		path, err := filePath(must[requestResult](e, "agentls.lastRequest", requestParams{Run: run}).URI)
		if err != nil {
			t.Fatal(err)
		}
		if page, err := os.ReadFile(path); err != nil || !strings.Contains(string(page), want) {
			t.Errorf("%q: %v: %s", run, err, page)
		}
	}
}
