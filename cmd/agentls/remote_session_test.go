package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// execute runs a command and returns its result.
func (w *wire) execute(id int, command string, argument any) json.RawMessage {
	w.t.Helper()
	m := w.call(id, "workspace/executeCommand", map[string]any{"command": command, "arguments": []any{argument}})
	if m.Error != nil {
		w.t.Fatalf("%s: %s", command, m.Error.Message)
	}
	return m.Result
}

// A told event is an agentls/event, as far as tests look at it.
type told struct {
	Kind, Run, Remote, ChangeSet, Error string

	Step struct{ ID, Tool string }
}

// event returns the next event that is of one of these kinds. Those of a run may
// come before the answer that names it.
func (w *wire) event(kinds ...string) told {
	w.t.Helper()
	for {
		m := w.notification()
		if m.Method != "agentls/event" {
			continue
		}
		var ev told
		if err := json.Unmarshal(m.Params, &ev); err != nil {
			w.t.Fatal(err)
		}
		if ev.Kind == "run.failed" {
			w.t.Fatalf("a run failed: %s", ev.Error)
		}
		if slices.Contains(kinds, ev.Kind) {
			return ev
		}
	}
}

// notification returns the next message, of those that came before an answer was
// there first.
func (w *wire) notification() message {
	w.t.Helper()
	if len(w.passed) > 0 {
		m := w.passed[0]
		w.passed = w.passed[1:]
		return m
	}
	return w.next()
}

// session begins a session whose editor takes events and names the service.
func (u *user) session(service string) *wire {
	u.t.Helper()
	w := u.serve()
	w.initializeWith(u, fmt.Sprintf(`"capabilities":{"experimental":{"agentls":{"events":true}}},"initializationOptions":{"remote":{"url":%q}}`, service))
	w.ready()
	return w
}

// TestRemoteSession: a task that an editor handed over goes on when its server
// is killed, is found again, and ends as a proposal. The editor's settings name
// the service.
func TestRemoteSession(t *testing.T) {
	u, s := remoteUser(t, "-- turn1.reply --\nmessage: Never to be seen again.\ncall list_dir {\"path\":\".\"}\n-- turn2.fault --\nstall 1\n")
	u.env = slices.DeleteFunc(u.env, func(v string) bool { return strings.HasPrefix(v, "AGENTLS_REMOTE_URL=") })
	at := map[string]any{"line": 3, "character": 5}
	change := map[string]any{
		"uri": "file://" + u.path("math.go"), "range": map[string]any{"start": at, "end": at}, "instruction": "do it", "remote": true,
	}
	w := u.session(s.url)
	if got := string(w.execute(1, "agentls.status", nil)); !strings.Contains(got, `"remote":"`+s.url+`"`) {
		t.Errorf("status: %s", got)
	}
	w.execute(2, "agentls.change", change)
	step := w.event("run.step")
	w.event("run.text")
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()

	u.model(shout) // which the service started anew is configured with
	s.restart()
	w = u.session(s.url)
	if got := string(w.execute(1, "agentls.tasks.list", nil)); !strings.Contains(got, step.Step.ID) || strings.Contains(got, "cancelled") {
		t.Errorf("tasks: %s", got)
	}
	w.execute(2, "agentls.tasks.follow", map[string]string{"task": step.Step.ID})
	started := w.event("run.started")
	done := w.event("run.done")
	if started.Remote != s.url || done.ChangeSet != step.Step.ID {
		t.Errorf("started %+v, done %+v", started, done)
	}
	w.execute(3, "agentls.changes.apply", map[string]string{"changeSet": done.ChangeSet})
	if got, want := u.read("math.go"), strings.Replace(mathGo, "the sum", "the SUM", 1); got != want {
		t.Errorf("math.go is %q", got)
	}
}

// TestBadNoRemote: without a service the commands say how to get one, and a
// token that cannot be had is said, not sent.
func TestBadNoRemote(t *testing.T) {
	u, w := openedServer(t)
	m := w.call(1, "workspace/executeCommand", map[string]any{"command": "agentls.tasks.list"})
	if m.Error == nil || !strings.Contains(m.Error.Message, "no task service is configured") || !strings.Contains(m.Error.Message, "AGENTLS_REMOTE_URL") {
		t.Errorf("answered %+v", m)
	}
	wantAlive(t, u, w)
	u.configure("[remote]\nurl = \"http://127.0.0.1:1\"\ntoken_env = \"NOT_SET\"\n")
	w = u.serve()
	w.initialize(u)
	w.ready()
	m = w.call(1, "workspace/executeCommand", map[string]any{"command": "agentls.tasks.list"})
	if m.Error == nil || !strings.Contains(m.Error.Message, "NOT_SET is not set") {
		t.Errorf("answered %+v", m)
	}
	wantAlive(t, u, w)
}
