package lsp

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/index"
)

// TestEvents: a run is told step by step, in order, text coalesced.
func TestEvents(t *testing.T) {
	w := mathWorld(t)
	w.runner = runner(func(_ context.Context, _ *index.Snapshot, task agent.Task, sink agent.Sink) (*agent.Result, error) {
		sink(agent.ReasoningDelta{Text: "Hm."})
		for range 100 {
			sink(agent.TextDelta{Text: "x"})
		}
		sink(agent.StepStarted{ID: "1", Tool: "grep", Title: "grep x"})
		sink(agent.StepDone{ID: "1", Tool: "grep", Title: "grep x", Failed: "no"})
		sink(agent.Waiting{Reason: "busy"})
		sink(agent.TextDelta{Text: "y"})
		return &agent.Result{Answer: task.Focus.Symbol, Source: "test"}, nil
	})
	e := w.start(t)
	e.open("math.go")
	run := must[startedResult](e, "agentls.ask", askParams{place: e.at("math.go", "Sum(n"), Question: "why?"}).Run
	if done := e.eventOf(RunDone, run); done.Answer != "Adder.Sum" || done.Title != "Ask about Sum" {
		t.Errorf("run.done: %+v", done)
	}
	var got []string
	text := ""
	e.mu.Lock()
	for _, ev := range e.events {
		if ev.Run != run {
			continue
		}
		text += ev.Text
		if len(got) == 0 || got[len(got)-1] != string(ev.Kind) || ev.Kind == RunStep {
			got = append(got, string(ev.Kind))
		}
	}
	count := len(e.events)
	e.mu.Unlock()
	want := []string{"run.started", "run.reasoning", "run.text", "run.step", "run.step", "run.waiting", "run.text", "run.done"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if text != "Hm."+strings.Repeat("x", 100)+"busyy" {
		t.Errorf("text arrived as %q", text)
	}
	if count > 40 {
		t.Errorf("%d events for 100 deltas: not coalesced", count)
	}
}

// TestEditorIsTold: a run knows what the editor said last before it.
func TestEditorIsTold(t *testing.T) {
	w := mathWorld(t)
	told := make(chan *agent.EditorView, 2)
	w.runner = runner(func(_ context.Context, _ *index.Snapshot, task agent.Task, _ agent.Sink) (*agent.Result, error) {
		told <- task.Editor
		return &agent.Result{Source: "test"}, nil
	})
	e := w.start(t)
	e.open("math.go")
	at := e.at("math.go", "Add(a")
	must[startedResult](e, "agentls.ask", askParams{place: at})
	if got := <-told; got != nil {
		t.Errorf("a run is told of an editor that said nothing: %+v", got)
	}
	result := must[editorResult](e, "agentls.editor", editorParams{
		Visible: []uri.URI{at.URI, "untitled:x"},
		Problems: []editorProblem{
			{URI: at.URI, Range: at.Range, Severity: protocol.DiagnosticSeverityWarning, Message: "unused", Source: "vet"},
			{URI: at.URI, Message: "ours", Source: "agentls"},
			{URI: "untitled:x", Message: "no file"},
		},
	})
	if result.Problems != 1 {
		t.Errorf("%d problems were noted, want 1", result.Problems)
	}
	must[startedResult](e, "agentls.explain", explainParams{place: at})
	path := filepath.Join(w.dir, "math.go")
	want := &agent.EditorView{
		Visible:  []string{path},
		Problems: []agent.Problem{{Path: path, Line: int(at.Range.Start.Line), Severity: "warning", Message: "unused", Source: "vet"}},
	}
	if diff := cmp.Diff(want, <-told); diff != "" {
		t.Errorf("the run is told (-want +got):\n%s", diff)
	}
}

// TestPlainClient: without events there are progress, messages and a document.
func TestPlainClient(t *testing.T) {
	w := mathWorld(t)
	w.caps = plainCaps
	e := w.start(t)
	e.open("math.go")
	must[startedResult](e, "agentls.explain", explainParams{place: e.at("math.go", "Add(a")})
	var path string
	e.await("a message that names the answer", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, m := range e.messages {
			_, after, ok := strings.Cut(m, "The answer is in ")
			path = after
			if ok {
				return true
			}
		}
		return false
	})
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"# Explain Add", "func Add(a, b int) int", "OPENAI_API_KEY"} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the answer lacks %q:\n%s", part, page)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !strings.Contains(strings.Join(e.progress, " "), "agentls: Explain Add") {
		t.Errorf("no progress was shown: %q", e.progress)
	}
}

func TestStop(t *testing.T) {
	w := mathWorld(t)
	begun := make(chan struct{})
	w.runner = runner(func(ctx context.Context, _ *index.Snapshot, _ agent.Task, _ agent.Sink) (*agent.Result, error) {
		close(begun)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	e := w.start(t)
	e.open("math.go")
	run := must[startedResult](e, "agentls.ask", askParams{place: e.at("math.go", "Add(a")}).Run
	<-begun
	if got := must[stopResult](e, "agentls.stop", stopParams{Run: run}); len(got.Stopped) != 1 {
		t.Errorf("stopped %v", got.Stopped)
	}
	if ev := e.eventOf(RunFailed, run); ev.Error != "stopped by the user" {
		t.Errorf("run.failed says %q", ev.Error)
	}
	if got := must[stopResult](e, "agentls.stop", stopParams{Run: run}); len(got.Stopped) != 0 {
		t.Errorf("stopped %v again", got.Stopped)
	}
}

// TestExitEndsRuns: no run outlives its client.
func TestExitEndsRuns(t *testing.T) {
	w := mathWorld(t)
	begun, ended := make(chan struct{}), make(chan struct{})
	w.runner = runner(func(ctx context.Context, _ *index.Snapshot, _ agent.Task, _ agent.Sink) (*agent.Result, error) {
		close(begun)
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	})
	e := w.start(t)
	e.open("math.go")
	must[startedResult](e, "agentls.ask", askParams{place: e.at("math.go", "Add(a")})
	<-begun
	_ = e.conn.Close() // the client vanishes
	<-ended
	if code := <-e.code; code != 1 {
		t.Errorf("exit code %d after a client that vanished, want 1", code)
	}
	e.code <- 1
}

func TestFailedRun(t *testing.T) {
	w := mathWorld(t)
	w.runner = runner(func(context.Context, *index.Snapshot, agent.Task, agent.Sink) (*agent.Result, error) {
		return nil, errors.New("the endpoint is down")
	})
	w.caps = plainCaps
	e := w.start(t)
	e.open("math.go")
	must[startedResult](e, "agentls.ask", askParams{place: e.at("math.go", "Add(a")})
	e.await("the error to be shown", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return strings.Contains(strings.Join(e.messages, "\n"), "agentls: Ask about Add: the endpoint is down")
	})
}

// TestBadCommands: what does not fit is refused with what to do, and the
// session goes on.
func TestBadCommands(t *testing.T) {
	e := mathWorld(t).start(t)
	e.open("math.go")
	for name, c := range map[string]struct{ command, args, want string }{
		"unknown command":    {"agentls.fly", `{}`, `no command "agentls.fly"`},
		"not an object":      {"agentls.ask", `[1]`, "COMMANDS.md"},
		"wrong type":         {"agentls.ask", `{"uri": 7}`, "COMMANDS.md"},
		"no file":            {"agentls.ask", `{"uri": "untitled:x", "range": {}}`, "not a file"},
		"outside":            {"agentls.ask", `{"uri": "file:///etc/passwd"}`, "outside"},
		"change, no model":   {"agentls.change", `{"instruction": "x"}`, "OPENAI_API_KEY"},
		"change, no wish":    {"agentls.change", `{}`, "instruction"},
		"no such change set": {"agentls.changes.apply", `{"changeSet": "../../x"}`, "no change set"},
		"nothing to apply":   {"agentls.changes.apply", `{}`, "no proposal"},
		"redo, no file":      {"agentls.changes.redo", `{"hunk": 1}`, "uri"},
		"nothing to undo":    {"agentls.changes.undo", `{}`, "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &protocol.ExecuteCommandParams{Command: c.command, Arguments: []protocol.LSPAny{protocol.LSPAny(c.args)}}
			_, err := e.ExecuteCommand(t.Context(), p)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an error with %q", err, c.want)
			}
		})
	}
	if !e.status().Ready {
		t.Error("the session does not go on")
	}
}
