package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/permissions"
)

// story is a run that patches, reads, and is then left without an answer once.
const story = `
-- turn1.reply --
message: I add a file.
patch:
*** Begin Patch
*** Add File: b.txt
+b <new>
*** End Patch
-- turn2.reply --
call read_file {"path": "b.txt"}
-- turn3.fault --
stall 1
-- turn3.reply --
message: Added b.txt.
`

// cutOff has a run killed in its third turn, and returns its ID.
func cutOff(t *testing.T, u *user) string {
	t.Helper()
	server := u.model(story)
	cmd := u.command(t.Context(), "run", "add b.txt")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); len(server.Requests()) < 3; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the third turn never came", server.Errs())
		}
	}
	var runs []runLine
	list := u.run("runs", "list", "--json")
	if err := json.Unmarshal([]byte(list.out), &runs); err != nil || len(runs) != 1 || runs[0].State != "running" {
		t.Fatalf("while it runs: %+v %+v %v", list, runs, err)
	}
	if again := u.run("runs", "resume", runs[0].ID); again.code != 1 || !strings.Contains(again.errOut, "under way in another process") {
		t.Errorf("a second process: %+v", again)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	t.Cleanup(func() {
		if err := server.Done(); err != nil {
			t.Error(err) // among them: an input that does not begin with the bytes of the one before
		}
	})
	return runs[0].ID
}

// TestResumeAfterKill: a run that is killed goes on in another process, with the
// bytes that it had sent, and ends as it would have.
func TestResumeAfterKill(t *testing.T) {
	u := newUser(t, map[string]string{"a.txt": "a\n"})
	id := cutOff(t, u)
	listed := u.run("runs")
	if !strings.Contains(listed.out, id+"  cut off") || !strings.Contains(listed.out, "2 turns") {
		t.Errorf("after the kill: %+v", listed)
	}
	if got := u.run("runs", "resume", id, "--yes"); got.code != 0 || !strings.Contains(got.out, "Added b.txt.") || strings.Contains(got.out, "edit b.txt") {
		t.Fatalf("resumed: %+v", got)
	}
	if got := u.read("b.txt"); got != "b <new>\n" {
		t.Errorf("b.txt is %q", got)
	}
	if got := u.run("runs", "resume", id); got.code != 1 || !strings.Contains(got.errOut, "say how it is to go on") {
		t.Errorf("resumed when done: %+v", got)
	}
	shown := u.run("runs", "show", id)
	for _, want := range []string{"done", "**Task:** add b.txt", "I add a file.", "- `apply_patch`; wrote b.txt\n", "- `read_file`", "*It went on.*", "Added b.txt.", "cost unknown"} {
		if !strings.Contains(shown.out, want) {
			t.Errorf("show has no %q:\n%s", want, shown.out)
		}
	}
	if got := u.run("runs", "export", id); got.code != 0 || !strings.HasPrefix(got.out, "# add b.txt\n\nRun "+id+", done, scripted: 3 turns, ") {
		t.Errorf("export: %+v", got)
	}
	var records []json.RawMessage
	if got := u.run("runs", "export", id, "--json"); json.Unmarshal([]byte(got.out), &records) != nil || len(records) < 8 {
		t.Errorf("export --json: %+v", got)
	}
}

// TestPause: at a budget a run pauses with its work kept, and goes on from there.
func TestPause(t *testing.T) {
	u := newUser(t, map[string]string{"a.txt": "a\n"})
	server := u.model(strings.ReplaceAll(story, "-- turn3.fault --\nstall 1\n", ""))
	got := u.run("run", "add b.txt", "--turns", "2", "--yes")
	if got.code != 1 || !strings.Contains(got.errOut, "the budget of 2 turns is used up; go on: agentls runs resume ") || !strings.Contains(got.out, "+b <new>") {
		t.Fatalf("%+v", got)
	}
	if missing := u.read("b.txt"); !strings.HasPrefix(missing, "(") {
		t.Errorf("a paused run was applied: %q", missing)
	}
	_, id, _ := strings.Cut(strings.TrimSpace(got.errOut), "agentls runs resume ")
	if got := u.run("runs", "resume", id, "--yes"); got.code != 0 || u.read("b.txt") != "b <new>\n" {
		t.Errorf("%+v", got)
	}
	if err := server.Done(); err != nil {
		t.Error(err)
	}
}

// TestRounds: a run that is done answers to a message, on top of what it proposed
// before; what of that is not decided is said.
func TestRounds(t *testing.T) {
	u := newUser(t, map[string]string{"a.txt": "a\n"})
	server := u.model(`
-- turn1.reply --
patch:
*** Begin Patch
*** Add File: b.txt
+b
*** End Patch
-- turn2.reply --
message: Added.
-- turn3.expect --
louder
b.txt, line 1: not decided
-- turn3.reply --
call edit {"path": "b.txt", "old": "b", "new": "B"}
-- turn4.reply --
message: Louder.
`)
	first := u.run("run", "add b.txt")
	_, id, _ := strings.Cut(first.errOut, "agentls changes apply ")
	id, _, _ = strings.Cut(id, "\n")
	if got := u.run("runs", "resume", id, "louder"); got.code != 0 || !strings.Contains(got.errOut, "not decided yet, and what comes now builds on it: agentls changes apply "+id+"\n") || !strings.Contains(got.out, "-b\n+B\n") {
		t.Errorf("%+v", got)
	}
	for _, change := range []string{id, id + "-2"} {
		u.run("changes", "apply", change).want(t, 0, "")
	}
	if got := u.read("b.txt"); got != "B\n" {
		t.Errorf("b.txt is %q", got)
	}
	if err := server.Done(); err != nil {
		t.Error(err)
	}
}

// TestAlreadySo: what the user did by hand meanwhile is not applied again.
func TestAlreadySo(t *testing.T) {
	u := newUser(t, map[string]string{"a.txt": "a\n"})
	u.model(strings.ReplaceAll(story, "-- turn3.fault --\nstall 1\n", ""))
	paused := u.run("run", "add b.txt", "--turns", "2")
	_, id, _ := strings.Cut(strings.TrimSpace(paused.errOut), "agentls runs resume ")
	u.write("b.txt", "b <new>\n")
	if got := u.run("runs", "resume", id, "--yes"); got.code != 0 || !strings.Contains(got.errOut, "nothing was applied: the files are so already") {
		t.Errorf("%+v", got)
	}
}

// TestPermissions: what is granted for the workspace is listed and revoked, and
// lies outside it.
func TestPermissions(t *testing.T) {
	u := newUser(t, map[string]string{".agentls/permissions.jsonl": `{"kind":"network","command":"curl evil"}` + "\n"})
	if got := u.run("permissions"); got.out != "nothing is granted: every command that needs it asks\n" {
		t.Errorf("%+v", got)
	}
	dir := filepath.Join(u.variable("XDG_STATE_HOME"), "agentls", "workspaces", workspaceKey([]string{u.dir}))
	store := permissions.Open(permissionsFile(dir), time.Now)
	for _, command := range []string{"npm ci", "go mod download"} {
		if err := store.Keep(agent.Permission{Kind: agent.Network, Command: command}); err != nil {
			t.Fatal(err)
		}
	}
	if got := u.run("permissions", "list"); !strings.Contains(got.out, "reaches the network: npm ci\n") {
		t.Errorf("%+v", got)
	}
	if got := u.run("permissions", "revoke", "1"); got.out != "asks again: npm ci\n" {
		t.Errorf("%+v", got)
	}
	if got := u.run("permissions", "revoke", "2"); got.code != 1 || !strings.Contains(got.errOut, "no such permission") {
		t.Errorf("%+v", got)
	}
	if got := u.run("permissions", "revoke", "x"); got.code != exitUsage {
		t.Errorf("%+v", got)
	}
	if got := u.run("permissions", "revoke", "all"); got.out != "asks again: go mod download\n" {
		t.Errorf("%+v", got)
	}
}
