package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/remote"
	"github.com/agentls/agentls/remote/server"
)

// tiredClient returns a client of the task service at url that is soon tired.
func tiredClient(t *testing.T, url string) *remote.Client {
	t.Helper()
	var ids atomic.Int64
	c, err := remote.New(remote.Options{
		URL: url, NewID: func() string { return fmt.Sprint("id", ids.Add(1)) },
		Backoff: time.Millisecond, Patience: 20 * time.Millisecond, Poll: time.Millisecond, Slow: 500 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve makes w's task service one that does its tasks with r.
func (w *world) serve(t *testing.T, r agent.Runner) {
	t.Helper()
	var ids atomic.Int64
	s, err := server.Open(t.Context(), server.Options{
		Dir: t.TempDir(), Runner: r, Now: time.Now, NewID: func() string { return fmt.Sprint("id", ids.Add(1)) },
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-served, s.Close()); err != nil {
			t.Errorf("the service ended with %v", err)
		}
	})
	w.service, w.noService = tiredClient(t, "http://"+listener.Addr().String()), nil
}

// shout is a runner that writes "sum" in capitals, where it is in math.go.
func shout(ctx context.Context, snap *index.Snapshot, task agent.Task, sink agent.Sink) (*agent.Result, error) {
	sink(agent.TextDelta{Text: "Louder."})
	result := &agent.Result{Answer: task.Prompt, Source: "test"}
	if !task.Mode.Edits() {
		return result, nil
	}
	path := filepath.Join(snap.Roots()[0], "math.go")
	before, err := snap.ReadFile(ctx, path)
	if err != nil {
		return nil, err
	}
	change, err := edits.NewModify(path, before, []byte(strings.Replace(string(before), "sum", "SUM", 1)))
	if err != nil {
		return nil, err
	}
	result.Change = &edits.ChangeSet{ID: task.ID, Title: "shout", Files: []edits.FileChange{change}}
	return result, nil
}

// waiting is a runner that says a word and then waits for its end.
type waiting struct{ begun, ended chan struct{} }

func newWaiting() waiting { return waiting{make(chan struct{}, 9), make(chan struct{}, 9)} }

func (r waiting) Run(ctx context.Context, _ *index.Snapshot, _ agent.Task, sink agent.Sink) (*agent.Result, error) {
	sink(agent.TextDelta{Text: "Hm."})
	r.begun <- struct{}{}
	<-ctx.Done()
	r.ended <- struct{}{}
	return nil, context.Cause(ctx)
}

// remotely is the argument of agentls.change for Add, at the service.
func (e *editor) remotely() changeParams {
	e.t.Helper()
	return changeParams{place: e.at("math.go", "Add(a"), where: where{Remote: true}, Instruction: "shout\nloudly"}
}

// taskOf returns the ID of the task that a run was handed over as.
func (e *editor) taskOf(run string) string {
	e.t.Helper()
	id := ""
	e.await("the task of "+run, func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		i := slices.IndexFunc(e.events, func(ev Event) bool { return ev.Run == run && ev.Step != nil && ev.Step.Tool == "remote" })
		if i >= 0 {
			id = e.events[i].Step.ID
		}
		return i >= 0
	})
	return id
}

// stateOf returns the state of the only task there is.
func (e *editor) stateOf() remote.State {
	e.t.Helper()
	tasks := must[tasksResult](e, "agentls.tasks.list", tasksParams{}).Tasks
	if len(tasks) != 1 {
		e.t.Fatalf("%d tasks are listed", len(tasks))
	}
	return tasks[0].State
}

// TestRunRemotely: a run at the service is as one here: it begins with the
// code as it is in the editor, unsaved, and ends as a proposal.
func TestRunRemotely(t *testing.T) {
	w := mathWorld(t)
	w.serve(t, runner(shout))
	e := w.start(t)
	path := e.open("math.go")
	unsaved := mathGo + "// typed, not saved\n"
	e.setText(path, unsaved)
	run := must[startedResult](e, "agentls.change", e.remotely()).Run
	done := e.eventOf(RunDone, run)
	id := e.taskOf(run)
	want := Event{
		Kind: RunDone, Run: run, Title: "Change Add", Mode: agent.Edit, Answer: "shout\nloudly",
		Source: "test on " + w.service.URL(), Usage: &agent.Usage{}, ChangeSet: id,
	}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Errorf("run.done (-want +got):\n%s", diff)
	}
	if got := e.eventOf(RunStarted, run).Remote; got != w.service.URL() || e.status().Remote != got {
		t.Errorf("run.started says that it is at %q, status %q", got, e.status().Remote)
	}
	if got := e.eventOf(RunText, run).Text; got != "Louder." {
		t.Errorf("run.text is %q", got)
	}
	e.setText(path, unsaved+"// typed later\n")
	must[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: id})
	if got, want := e.text(path), strings.Replace(unsaved, "sum", "SUM", 1)+"// typed later\n"; got != want {
		t.Errorf("math.go is %q", got)
	}
	must[applyResult](e, "agentls.changes.undo", undoParams{})
	if got := e.text(path); got != unsaved+"// typed later\n" {
		t.Errorf("math.go after undo is %q", got)
	}
	listed := must[tasksResult](e, "agentls.tasks.list", tasksParams{})
	if len(listed.Tasks) != 1 || listed.URL != w.service.URL() {
		t.Fatalf("listed: %+v", listed)
	}
	got := listed.Tasks[0]
	if got.Created.IsZero() || got.Updated.Before(got.Created) {
		t.Errorf("created %v, updated %v", got.Created, got.Updated)
	}
	got.Created, got.Updated = time.Time{}, time.Time{}
	if diff := cmp.Diff(listedTask{ID: id, Title: "shout", State: remote.Done, Mode: agent.Edit, Attempts: 1, Files: 1, Added: 1, Removed: 1}, got); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
}

// TestFollowATask: a task of somebody else, or of before a restart, is a run
// that ends as a proposal.
func TestFollowATask(t *testing.T) {
	w := mathWorld(t)
	w.serve(t, runner(shout))
	e := w.start(t)
	first := must[startedResult](e, "agentls.change", e.remotely()).Run
	e.eventOf(RunDone, first)
	id := e.taskOf(first)
	e.quit()
	e = w.start(t)
	path := e.open("math.go")
	run := must[startedResult](e, "agentls.tasks.follow", taskParams{Task: id}).Run
	done := e.eventOf(RunDone, run)
	if done.ChangeSet != id || done.Title != "shout" || done.Mode != agent.Edit || e.eventOf(RunText, run).Text != "Louder." || e.taskOf(run) != id {
		t.Errorf("run.done: %+v", done)
	}
	must[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: id})
	if got, want := e.text(path), strings.Replace(mathGo, "sum", "SUM", 1); got != want {
		t.Errorf("math.go is %q", got)
	}
}

// TestStopCancelsTheTask: also at the service; the end of a run that follows
// leaves it.
func TestStopCancelsTheTask(t *testing.T) {
	w := mathWorld(t)
	waits := newWaiting()
	w.serve(t, waits)
	e := w.start(t)
	run := must[startedResult](e, "agentls.change", e.remotely()).Run
	<-waits.begun
	follower := must[startedResult](e, "agentls.tasks.follow", taskParams{Task: e.taskOf(run)}).Run
	if got := e.eventOf(RunText, follower).Text; got != "Hm." {
		t.Errorf("the follower hears %q", got)
	}
	must[stopResult](e, "agentls.stop", stopParams{Run: follower})
	if ev := e.eventOf(RunFailed, follower); ev.Error != "stopped by the user: the task goes on at the service" {
		t.Errorf("run.failed of the follower says %q", ev.Error)
	}
	if got := e.stateOf(); got != remote.Running {
		t.Errorf("after the follower's end the task is %s", got)
	}
	must[stopResult](e, "agentls.stop", stopParams{Run: run})
	if ev := e.eventOf(RunFailed, run); ev.Error != "stopped by the user" {
		t.Errorf("run.failed says %q", ev.Error)
	}
	<-waits.ended
	if got := e.stateOf(); got != remote.Cancelled {
		t.Errorf("after the stop the task is %s", got)
	}
}

// TestTheTaskOutlivesTheSession: however that ends.
func TestTheTaskOutlivesTheSession(t *testing.T) {
	for name, end := range map[string]func(*editor){
		"shutdown":    func(e *editor) { e.quit() },
		"lost client": func(e *editor) { _ = e.conn.Close(); e.code <- <-e.code },
	} {
		t.Run(name, func(t *testing.T) {
			w := mathWorld(t)
			waits := newWaiting()
			w.serve(t, waits)
			e := w.start(t)
			must[startedResult](e, "agentls.change", e.remotely())
			<-waits.begun
			end(e)
			e = w.start(t)
			if got := e.stateOf(); got != remote.Running {
				t.Errorf("after the session the task is %s", got)
			}
			id := must[tasksResult](e, "agentls.tasks.list", tasksParams{}).Tasks[0].ID
			if got := must[cancelResult](e, "agentls.tasks.cancel", taskParams{Task: id}).State; got != remote.Cancelled {
				t.Errorf("after the cancel the task is %s", got)
			}
		})
	}
}

// TestAfterRemotely: the service is told what was said before.
func TestAfterRemotely(t *testing.T) {
	w := mathWorld(t)
	w.runner = runner(func(context.Context, *index.Snapshot, agent.Task, agent.Sink) (*agent.Result, error) {
		return &agent.Result{Answer: "Because.", Source: "test"}, nil
	})
	w.serve(t, runner(shout))
	e := w.start(t)
	at := e.at("math.go", "Add(a")
	first := must[startedResult](e, "agentls.explain", explainParams{place: at}).Run
	e.eventOf(RunDone, first)
	run := must[startedResult](e, "agentls.ask", askParams{place: at, where: where{Remote: true}, Question: "Really?", After: first}).Run
	answer := e.eventOf(RunDone, run).Answer
	for _, part := range []string{"Really?\n\nWhat was said before", "The user: Explain Add.", "You: Because."} {
		if !strings.Contains(answer, part) {
			t.Errorf("the service is not told %q, but %q", part, answer)
		}
	}
	if got := must[tasksResult](e, "agentls.tasks.list", tasksParams{}).Tasks[0].Title; got != "Really?" {
		t.Errorf("the task's title is %q", got)
	}
}

// TestRemoteActions: each action of the agent has a twin, where there is a
// service; that needs no model here.
func TestRemoteActions(t *testing.T) {
	w := mathWorld(t)
	w.serve(t, runner(shout))
	e := w.start(t)
	at := e.at("math.go", "Add(a")
	p := &protocol.CodeActionParams{Range: at.Range}
	p.TextDocument.URI = at.URI
	actions, err := e.CodeAction(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, offered := range actions {
		a, _ := offered.(*protocol.CodeAction)
		title := a.Title
		if a.Disabled.Reason != "" {
			title += " (disabled)"
		}
		for _, raw := range a.Command.Arguments {
			if strings.Contains(string(raw), `"remote":true`) {
				title += " [remote]"
			}
		}
		got = append(got, title)
	}
	want := []string{
		"Ask about `Add`", "Explain `Add`", "Change `Add`… (disabled)",
		"Ask about `Add` remotely [remote]", "Explain `Add` remotely [remote]", "Change `Add`… remotely [remote]",
		"Review `Add` (disabled)", "Show call graph of `Add`", "Rename `Add` (index)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

// TestBadNoService: what needs a service says how to get one.
func TestBadNoService(t *testing.T) {
	w := mathWorld(t)
	w.noService = errors.New("no task service is configured: do this")
	e := w.start(t)
	at := fmt.Sprintf(`{"uri": %q, "range": {"start": {"line": 3, "character": 6}, "end": {"line": 3, "character": 6}}, "remote": true, "instruction": "x"}`, fileURI(w.path("math.go")))
	for _, c := range []struct{ command, args string }{
		{"agentls.ask", at},
		{"agentls.explain", at},
		{"agentls.change", at},
		{"agentls.tasks.list", `{}`},
		{"agentls.tasks.follow", `{"task": "task_1"}`},
		{"agentls.tasks.cancel", `{"task": "task_1"}`},
	} {
		e.wantRefused(c.command, c.args, "no task service is configured: do this")
	}
	if got := e.status().Remote; got != "" {
		t.Errorf("status says %q", got)
	}
}

// wantRefused runs a command that fails, and says so.
func (e *editor) wantRefused(command, args, says string) {
	e.t.Helper()
	p := &protocol.ExecuteCommandParams{Command: command, Arguments: []protocol.LSPAny{protocol.LSPAny(args)}}
	if _, err := e.ExecuteCommand(e.t.Context(), p); err == nil || !strings.Contains(err.Error(), says) {
		e.t.Errorf("%s: %v, want an error with %q", command, err, says)
	}
}

func TestBadTaskNames(t *testing.T) {
	w := mathWorld(t)
	w.serve(t, runner(shout))
	e := w.start(t)
	for _, command := range []string{"agentls.tasks.follow", "agentls.tasks.cancel"} {
		e.wantRefused(command, `{}`, "name the task")
		e.wantRefused(command, `{"task": "../../x"}`, "no such task")
	}
}

// TestBadService: what is wrong with a service is the error of the command and
// the end of the run, and nothing else happens.
func TestBadService(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := "http://" + listener.Addr().String()
	_ = listener.Close()
	for name, c := range map[string]struct {
		url, says string
		handle    http.HandlerFunc
	}{
		"down": {url: down, says: "cannot be reached"},
		"slow": {says: "does not answer within 500ms", handle: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		"HTML": {says: "web page", handle: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<html>Log in")
		}},
		"wrong token": {says: "check the token", handle: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error": {"message": "who are you?"}}`)
		}},
		"full": {says: "disk is full", handle: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInsufficientStorage)
			_, _ = io.WriteString(w, `{"error": {"message": "the service's disk is full"}}`)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.handle != nil {
				fake := httptest.NewServer(c.handle)
				t.Cleanup(fake.Close)
				c.url = fake.URL
			}
			w := mathWorld(t)
			w.service, w.noService = tiredClient(t, c.url), nil
			e := w.start(t)
			run := must[startedResult](e, "agentls.change", e.remotely()).Run
			if ev := e.eventOf(RunFailed, run); !strings.Contains(ev.Error, c.says) {
				t.Errorf("run.failed says %q, want %q", ev.Error, c.says)
			}
			e.wantRefused("agentls.tasks.list", `{}`, c.says)
			e.wantRefused("agentls.tasks.follow", `{"task": "task_1"}`, c.says)
			if got := e.status(); !got.Ready || got.Proposals != 0 {
				t.Errorf("status: %+v", got)
			}
		})
	}
}

// TestBadResult: a service that answers with a diff that does not fit is not
// believed.
func TestBadResult(t *testing.T) {
	for name, c := range map[string]struct{ diff, says string }{
		"outside":  {"diff --git a/../evil b/../evil\nnew file mode 100644\n--- /dev/null\n+++ b/../evil\n@@ -0,0 +1 @@\n+x\n", "evil"},
		"into git": {"diff --git a/.git/hooks/x b/.git/hooks/x\nnew file mode 100755\n--- /dev/null\n+++ b/.git/hooks/x\n@@ -0,0 +1 @@\n+x\n", ".git/hooks/x"},
		"damaged":  {"diff --git a/math.go b/math.go\n--- a/math.go\n+++ b/math.go\n@@ -1,3 +1", "task_1"},
		"no diff":  {"<html>", "task_1"},
		"misfit":   {"diff --git a/math.go b/math.go\n--- a/math.go\n+++ b/math.go\n@@ -1,1 +1,1 @@\n-package nothing\n+package math\n", "math.go"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := httptest.NewServer(claiming(t, c.diff))
			t.Cleanup(fake.Close)
			w := mathWorld(t)
			w.service, w.noService = tiredClient(t, fake.URL), nil
			e := w.start(t)
			before := w.disk(t)
			run := must[startedResult](e, "agentls.tasks.follow", taskParams{Task: "task_1"}).Run
			if ev := e.eventOf(RunFailed, run); !strings.Contains(ev.Error, c.says) {
				t.Errorf("run.failed says %q, want %q", ev.Error, c.says)
			}
			if diff := cmp.Diff(before, w.disk(t)); diff != "" || e.status().Proposals != 0 {
				t.Errorf("%d proposals, disk:\n%s", e.status().Proposals, diff)
			}
		})
	}
}

// claiming is a service whose only task has ended with diff.
func claiming(t *testing.T, diff string) http.Handler {
	t.Helper()
	task := remote.Task{ID: "task_1", Title: "evil", State: remote.Done, Mode: agent.Edit, Attempts: []remote.Attempt{
		{ID: "task_1-1", Number: 1, State: remote.Done, Result: &remote.Result{Diff: diff}},
	}}
	mux := http.NewServeMux()
	answer := func(pattern, kind, format string, args ...any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = fmt.Fprintf(w, format, args...)
		})
	}
	raw := mustJSON(t, task)
	answer("GET /v1/{$}", "application/json", `{"name":"agentls"}`)
	answer("GET /v1/tasks/task_1", "application/json", "%s", raw)
	answer("GET /v1/tasks/task_1/events", "text/event-stream", "event: end\ndata: %s\n\n", raw)
	return mux
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
