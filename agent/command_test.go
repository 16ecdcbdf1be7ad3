package agent_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
)

// A fakeSandbox has an answer for each command line, and notes what it is asked.
type fakeSandbox struct {
	confined bool
	answers  map[string]func(d *agent.Draft) (*agent.CommandResult, error)
	ran      []agent.Command
	closed   int
}

func (s *fakeSandbox) Confinement(context.Context) agent.Confinement {
	return agent.Confinement{Says: "a fake", Holds: s.confined}
}

func (s *fakeSandbox) Run(_ context.Context, d *agent.Draft, cmd agent.Command) (*agent.CommandResult, error) {
	s.ran = append(s.ran, cmd)
	if answer := s.answers[cmd.Line]; answer != nil {
		return answer(d)
	}
	return &agent.CommandResult{Output: "ran " + cmd.Line, Elapsed: 1500 * time.Millisecond}, nil
}

func (s *fakeSandbox) Close() error { s.closed++; return nil }

func (s *fakeSandbox) lines() (lines []string) {
	for _, cmd := range s.ran {
		lines = append(lines, cmd.Line)
	}
	return lines
}

func (s *fakeSandbox) options(verify ...string) agent.Options {
	return agent.Options{
		Sandbox: func([]string) agent.Sandbox { return s },
		Verify:  func([]string) []string { return verify },
	}
}

// TestShell: what a command is given, what its model is told, and what its
// user sees.
func TestShell(t *testing.T) {
	f := parse(t, []byte(`mode: edit
prompt: x
-- files/dir/a.txt --
a
-- turn1.expect --
{"tools": [{"name": "apply_patch"}, {"name": "shell", "parameters": {"required": ["command"]}}]}
-- turn1.reply --
call shell {"command": "make", "dir": "dir", "timeout_seconds": 7}
call shell {"command": "gone"}
call shell {"command": " "}
call shell {"command": "true", "dir": "../.."}
call shell {"command": "true", "timeout_seconds": 999999}
-- turn2.expect --
/output call_1_1_1:\nstopped by its limit of time\nran make\n\[changed dir/a.txt\]\n\[not among your changes: b.bin: a binary file\]\n$/
error: the command could not be run: no such stage
error: the command is empty
outside the workspace
/output call_1_1_5:\nexit code 0\nran true\n$/
-- turn2.reply --
message: ok
`))
	box := &fakeSandbox{confined: true, answers: map[string]func(*agent.Draft) (*agent.CommandResult, error){
		"make": func(d *agent.Draft) (*agent.CommandResult, error) {
			d.Write(filepath.Join(f.dir, "dir", "a.txt"), []byte("b\n"), 0)
			return &agent.CommandResult{
				Exit: 137, Stopped: "time", Output: "ran make\n", Elapsed: 7 * time.Second,
				Changes: []string{"changed dir/a.txt"}, Left: []string{"b.bin: a binary file"},
			}, nil
		},
		"gone": func(*agent.Draft) (*agent.CommandResult, error) { return nil, errors.New("no such stage") },
	}}
	var details []string
	opts := box.options()
	opts.Model = f.model
	res, err := agent.New(opts).Run(t.Context(), f.snap, f.task, func(ev agent.Event) {
		if done, ok := ev.(agent.StepDone); ok {
			details = append(details, fmt.Sprintf("%s|%s|%s", done.Title, done.Detail, strings.SplitN(done.Failed, ":", 2)[0]))
		}
	})
	if err != nil || f.server.Done() != nil {
		t.Fatal(err, f.server.Done())
	}
	want := []agent.Command{
		{Line: "make", Dir: filepath.Join(f.dir, "dir"), Timeout: 7 * time.Second},
		{Line: "gone", Timeout: 2 * time.Minute},
		{Line: "true", Timeout: 30 * time.Minute},
	}
	if diff := cmp.Diff(want, box.ran); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"run make|stopped by its limit of time after 7s, sandbox: a fake|", "run gone||the command could not be run",
		"shell||the command is empty", "run true||../..", "run true|exit code 0 after 1.5s, sandbox: a fake|",
	}, details); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"modify dir/a.txt"}, summary(f.dir, res.Change)); diff != "" || box.closed != 1 {
		t.Error(diff, box.closed)
	}
}

// TestCommandBreaksCode: what a command does to files is held against the index,
// as an edit is.
func TestCommandBreaksCode(t *testing.T) {
	f := parse(t, []byte(`mode: edit
prompt: x
-- files/go.mod --
module m
-- files/a.go --
package m

func Gone() {}
-- files/b.go --
package m

func use() { Gone() }
-- turn1.reply --
call shell {"command": "sed"}
call shell {"command": "true"}
-- turn2.expect --
/output call_1_1_1:\nexit code 0\n\[changed a.go\]\n  it does not parse: a.go:3: .*\n  Gone is gone, but used: b.go:3.*/
/output call_1_1_2:\nexit code 0\nran true\n$/
-- turn2.reply --
message: ok
-- turn3.reply --
message: ok
-- turn4.reply --
message: ok
`))
	box := &fakeSandbox{confined: true, answers: map[string]func(*agent.Draft) (*agent.CommandResult, error){
		"sed": func(d *agent.Draft) (*agent.CommandResult, error) {
			d.Write(filepath.Join(f.dir, "a.go"), []byte("package m\n\nfunc Broken( {}\n"), 0)
			return &agent.CommandResult{Changes: []string{"changed a.go"}}, nil
		},
	}}
	if _, _, err := f.run(t, box.options()); err != nil || f.server.Done() != nil {
		t.Fatal(err, f.server.Done())
	}
}

// TestPermissionOutside: a command that writes outside the workspace needs the
// user's word on the folder; a word for the run is for that folder alone.
func TestPermissionOutside(t *testing.T) {
	f := parse(t, []byte(`mode: edit
prompt: x
-- files/a.txt --
a
-- turn1.reply --
call shell {"command": "one", "writes": "/data/out", "reason": "to install"}
call shell {"command": "two", "writes": "/data/out", "network": true}
call shell {"command": "three", "writes": "/data/other"}
call shell {"command": "four", "writes": "../up"}
-- turn2.expect --
ran one
ran two
error: writing outside the workspace needs the user's word
error: "../up" is no absolute path
-- turn2.reply --
message: ok
`))
	var asked []agent.Permission
	f.task.Permit = func(_ context.Context, p agent.Permission) (agent.Grant, error) {
		asked = append(asked, p)
		if p.Path == "/data/other" {
			return agent.Refused, nil
		}
		return agent.ForRun, nil
	}
	box := &fakeSandbox{confined: true}
	if _, _, err := f.run(t, box.options()); err != nil || f.server.Done() != nil {
		t.Fatal(err, f.server.Done())
	}
	want := []agent.Permission{
		{Kind: agent.Outside, Command: "one", Path: "/data/out", Reason: "to install"},
		{Kind: agent.Network, Command: "two"},
		{Kind: agent.Outside, Command: "three", Path: "/data/other"},
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
	if got := asked[0].Question(); !strings.Contains(got, "change what is in /data/out?") || !strings.Contains(got, "cannot be taken back") {
		t.Errorf("the question is %q", got)
	}
	if len(box.ran) != 2 || box.ran[0].Writes != "/data/out" {
		t.Errorf("%+v", box.ran)
	}
}

// TestNoCommandsWhereNothingIsEdited: a task that only asks has no shell, and
// opens no sandbox.
func TestNoCommandsWhereNothingIsEdited(t *testing.T) {
	f := parse(t, []byte("mode: ask\nprompt: x\n-- files/a.txt --\na\n-- turn1.reply --\ncall shell {\"command\": \"true\"}\n"+
		"-- turn2.expect --\nthere is no tool \"shell\"\n-- turn2.reply --\nmessage: ok\n"))
	box := &fakeSandbox{confined: true}
	if _, _, err := f.run(t, box.options("make")); err != nil || box.closed != 0 || len(box.ran) != 0 {
		t.Error(err, box.closed, box.ran)
	}
}

const patchA = `patch:
*** Begin Patch
*** Update File: a.txt
@@
-a
+%s
*** End Patch
`

// TestVerify: checks run on the change, a model is shown what fails, and what
// it ends with is in the proposal. What a check writes is no change.
func TestVerify(t *testing.T) {
	f := parse(t, []byte("mode: edit\nprompt: x\n-- files/a.txt --\na\n-- turn1.reply --\n"+fmt.Sprintf(patchA, "bad")+
		"-- turn2.reply --\nmessage: done\n"+
		"-- turn3.expect --\nnot all checks passed\n$ grep good\nbad is not good\n[exit code 1]\n!make\n"+
		"-- turn3.reply --\n"+strings.Replace(fmt.Sprintf(patchA, "good"), "-a\n", "-bad\n", 1)+
		"-- turn4.reply --\nmessage: now it is good\n"))
	path := filepath.Join(f.dir, "a.txt")
	box := &fakeSandbox{confined: true, answers: map[string]func(*agent.Draft) (*agent.CommandResult, error){
		"grep good": func(d *agent.Draft) (*agent.CommandResult, error) {
			content, err := d.ReadFile(context.Background(), path)
			d.Write(filepath.Join(f.dir, "coverage.out"), []byte("1\n"), 0)
			if string(content) != "good\n" {
				return &agent.CommandResult{Exit: 1, Output: strings.TrimSpace(string(content)) + " is not good\n", Elapsed: time.Second}, err
			}
			return &agent.CommandResult{Elapsed: time.Second}, err
		},
	}}
	res, _, err := f.run(t, box.options("make", "grep good"))
	if err != nil || f.server.Done() != nil {
		t.Fatal(err, f.server.Done())
	}
	if diff := cmp.Diff([]string{"make", "grep good", "make", "grep good"}, box.lines()); diff != "" {
		t.Error(diff)
	}
	want := []edits.Check{
		{Command: "make", Passed: true, Output: "ran make", Seconds: 1.5, Confinement: "a fake"},
		{Command: "grep good", Passed: true, Seconds: 1, Confinement: "a fake"},
	}
	if diff := cmp.Diff(want, res.Change.Checks); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"modify a.txt"}, summary(f.dir, res.Change)); diff != "" {
		t.Error(diff)
	}
}

// TestVerifyGivesUp: a change that goes on failing is offered, with its
// failure; a check that cannot be run is not the model's to mend.
func TestVerifyGivesUp(t *testing.T) {
	f := parse(t, []byte("mode: edit\nprompt: x\n-- files/a.txt --\na\n-- turn1.reply --\n"+fmt.Sprintf(patchA, "bad")+
		"-- turn2.reply --\nmessage: one\n-- turn3.expect --\n!could not\n-- turn3.reply --\nmessage: two\n-- turn4.reply --\nmessage: three\n"))
	box := &fakeSandbox{confined: true, answers: map[string]func(*agent.Draft) (*agent.CommandResult, error){
		"fails":  func(*agent.Draft) (*agent.CommandResult, error) { return &agent.CommandResult{Exit: 2}, nil },
		"cannot": func(*agent.Draft) (*agent.CommandResult, error) { return nil, errors.New("could not") },
	}}
	res, _, err := f.run(t, box.options("fails", "cannot"))
	if err != nil || f.server.Done() != nil {
		t.Fatal(err, f.server.Done())
	}
	want := []edits.Check{
		{Command: "fails", Exit: 2, Confinement: "a fake"},
		{Command: "cannot", Exit: edits.NotRun, Output: "could not", Confinement: "a fake"},
	}
	if diff := cmp.Diff(want, res.Change.Checks); diff != "" || res.Answer != "three" {
		t.Error(diff, res.Answer)
	}
}

// TestVerifyTouchedFirst: what fails on what the change touches saves the check
// of all.
func TestVerifyTouchedFirst(t *testing.T) {
	patch := "patch:\n*** Begin Patch\n*** Update File: a/a.go\n@@\n-package a\n+package a // %s\n*** End Patch\n"
	f := parse(t, []byte("mode: edit\nprompt: x\n-- files/a/a.go --\npackage a\n-- turn1.reply --\n"+fmt.Sprintf(patch, "bad")+
		"-- turn2.reply --\nmessage: one\n-- turn3.expect --\n$ go test ./a\n!go test ./...\n-- turn3.reply --\n"+
		strings.Replace(fmt.Sprintf(patch, "good"), "-package a\n", "-package a // bad\n", 1)+"-- turn4.reply --\nmessage: two\n"))
	tries := 0
	box := &fakeSandbox{confined: true, answers: map[string]func(*agent.Draft) (*agent.CommandResult, error){
		"go test ./a": func(*agent.Draft) (*agent.CommandResult, error) {
			tries++
			return &agent.CommandResult{Exit: 2 - tries}, nil
		},
	}}
	res, _, err := f.run(t, box.options("go test ./...", "make lint"))
	if err != nil || f.server.Done() != nil {
		t.Fatal(err, f.server.Done())
	}
	if diff := cmp.Diff([]string{"go test ./a", "go test ./a", "go test ./...", "make lint"}, box.lines()); diff != "" {
		t.Error(diff)
	}
	if len(res.Change.Checks) != 3 {
		t.Errorf("%+v", res.Change.Checks)
	}
}

// TestNothingToVerify: a run that changes nothing starts nothing.
func TestNothingToVerify(t *testing.T) {
	f := parse(t, []byte("mode: edit\nprompt: x\n-- files/a.txt --\na\n-- turn1.reply --\nmessage: it is fine\n"))
	box := &fakeSandbox{confined: true}
	if _, _, err := f.run(t, box.options("make")); err != nil || len(box.ran) != 0 {
		t.Error(err, box.ran)
	}
}

// TestPermission: what nothing confines, and what wants the network, needs the
// user's word; a word for the run is asked for once.
func TestPermission(t *testing.T) {
	const calls = `call shell {"command": "one", "network": true, "reason": "to fetch"}` + "\n" + `call shell {"command": "two", "network": true}` + "\n"
	tests := []struct {
		name     string
		confined bool
		word     agent.Grant
		asked    []agent.Permission
		ran      []agent.Command
		told     string
	}{
		{
			"network refused", true, agent.Refused,
			[]agent.Permission{{Kind: agent.Network, Command: "one", Reason: "to fetch"}, {Kind: agent.Network, Command: "two"}},
			nil, "error: the network needs the user's word",
		},
		{
			"network once", true, agent.Once,
			[]agent.Permission{{Kind: agent.Network, Command: "one", Reason: "to fetch"}, {Kind: agent.Network, Command: "two"}},
			[]agent.Command{{Line: "one", Timeout: 2 * time.Minute, Network: true}, {Line: "two", Timeout: 2 * time.Minute, Network: true}},
			"ran two",
		},
		{
			"unconfined for the run", false, agent.ForRun,
			[]agent.Permission{{Kind: agent.Unconfined, Command: "one", Reason: "to fetch"}},
			[]agent.Command{
				{Line: "one", Timeout: 2 * time.Minute, Network: true, Unconfined: true},
				{Line: "two", Timeout: 2 * time.Minute, Network: true, Unconfined: true},
			},
			"ran two",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := parse(t, []byte("mode: edit\nprompt: x\n-- files/a.txt --\na\n-- turn1.reply --\n"+calls+"-- turn2.expect --\n"+test.told+"\n-- turn2.reply --\nmessage: ok\n"))
			var asked []agent.Permission
			f.task.Permit = func(_ context.Context, p agent.Permission) (agent.Grant, error) {
				asked = append(asked, p)
				return test.word, nil
			}
			box := &fakeSandbox{confined: test.confined}
			if _, _, err := f.run(t, box.options()); err != nil || f.server.Done() != nil {
				t.Fatal(err, f.server.Done())
			}
			if diff := cmp.Diff(test.asked, asked); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.ran, box.ran); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNobodyToAsk: what would have to be asked is refused, also for checks.
func TestNobodyToAsk(t *testing.T) {
	long := strings.Repeat("x", 2000)
	f := parse(t, []byte("mode: edit\nprompt: x\n-- files/a.txt --\na\n-- turn1.reply --\n"+`call shell {"command": "one"}`+"\n"+
		`call shell {"command": "`+long+`"}`+"\n"+fmt.Sprintf(patchA, "b")+
		"-- turn2.expect --\nerror: nothing confines commands on this machine\nmore than 1024 bytes: make it shorter\n-- turn2.reply --\nmessage: ok\n"))
	box := &fakeSandbox{}
	res, _, err := f.run(t, box.options("make"))
	if err != nil || f.server.Done() != nil || len(box.ran) != 0 {
		t.Fatal(err, f.server.Done(), box.ran)
	}
	if c := res.Change.Checks; len(c) != 1 || c[0].Exit != edits.NotRun || !strings.Contains(c[0].Output, "nothing confines") {
		t.Errorf("%+v", c)
	}
}

// TestQuestion: whatever a command holds, no other one has the same question,
// and nothing in it is out of sight.
func TestQuestion(t *testing.T) {
	const quoted = "\n" + `(quoted, because not all of it can be seen: \n begins a new line, \\ is a backslash)`
	tests := []struct{ command, want string }{
		{`printf '%s\n' "a"`, `printf '%s\n' "a"`},
		{"echo ö # \\n\nrm -rf ~", `"echo ö # \\n\nrm -rf ~"` + quoted},
		{"ls \u202e\u2800\u3164\ufe0f\x1b[8m'\"", `"ls \u202e\u2800\u3164\ufe0f\x1b[8m'\""` + quoted},
		{"ls \xff", `"ls \xff"` + quoted},
	}
	for _, test := range tests {
		p := agent.Permission{Kind: agent.Network, Command: test.command, Dir: "/ws/a\nb", Reason: "so\nthat"}
		want := "let this command of the agent reach the network?\n  " + test.want + "\nin \"/ws/a\\nb\"\nits reason: so that"
		if diff := cmp.Diff(want, p.Question()); diff != "" {
			t.Error(diff)
		}
	}
}
