package agent_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/openai"
	"github.com/agentls/agentls/agent/script"
)

// parts are a parent that changes a file itself and hands two others out, and
// what it hands them to.
const parts = `mode: edit
prompt: greet in three files
-- files/a.txt --
a
-- files/b.txt --
b
-- files/c.txt --
c
-- turn1.reply --
message: in the scripts of each test
`

const (
	handsOut = `-- turn1.expect --
greet in three files
-- turn1.reply --
patch:
*** Begin Patch
*** Update File: a.txt
@@
-a
+hello a
*** End Patch
call delegate {"task": "greet in b.txt"}
call delegate {"task": "%s"}
-- turn2.expect --
%s
-- turn2.reply --
message: All done.
`
	greets = `-- turn1.expect --
You do one part of a larger task
greet in %[1]s.txt
!greet in three files
-- turn1.reply --
call read_file {"path": "a.txt"}
patch:
*** Begin Patch
*** Update File: %[2]s.txt
@@
-%[2]s
+hello %[1]s
*** End Patch
-- turn2.expect --
hello a
-- turn2.reply --
message: %[1]s is greeted.
`
)

// play runs a task against scripts that are spoken at the same time.
func play(t *testing.T, f *fixture, scripts ...string) (*agent.Result, []string, error) {
	t.Helper()
	var all []*script.Script
	for i, archive := range scripts {
		one, err := script.Parse(fmt.Sprintf("script %d", i+1), []byte(archive))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	server := script.New(all...)
	server.Many = true
	url, err := server.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	model := openai.New(openai.Options{BaseURL: url, APIKey: "sk-0123456789", Model: "scripted"})
	var steps []string
	res, err := agent.New(agent.Options{Model: model}).Run(t.Context(), f.snap, f.task, func(e agent.Event) {
		if step, ok := e.(agent.StepStarted); ok {
			steps = append(steps, step.Title)
		}
	})
	if errs := server.Errs(); len(errs) > 0 {
		t.Error(errors.Join(errs...))
	}
	return res, steps, err
}

// TestDelegate: parts see the draft as it was handed out, work at the same time,
// and what they change comes back into it.
func TestDelegate(t *testing.T) {
	f := parse(t, []byte(parts))
	var kept []string
	f.task.ID = "parent"
	f.task.Keep = func(id string) (*agent.Past, agent.Transcript, func()) {
		kept = append(kept, id)
		return nil, nil, func() {}
	}
	told := "it says: b is greeted.\nchanged b.txt\nit says: c is greeted.\nchanged c.txt"
	res, steps, err := play(t, f, fmt.Sprintf(handsOut, "greet in c.txt", told), fmt.Sprintf(greets, "b", "b"), fmt.Sprintf(greets, "c", "c"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"modify a.txt", "modify b.txt", "modify c.txt"}, summary(f.dir, res.Change)); diff != "" {
		t.Error(diff)
	}
	for i, want := range []string{"hello a\n", "hello b\n", "hello c\n"} {
		if got := string(res.Change.Files[i].After()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if diff := cmp.Diff([]string{"parent.1", "parent.2"}, kept); diff != "" {
		t.Error(diff)
	}
	if res.Usage.Requests != 6 || res.Answer != "All done." {
		t.Errorf("%+v", res)
	}
	all := strings.Join(steps, "\n")
	for _, want := range []string{"delegate greet in b.txt", "part 1: read a.txt", "part 2: read a.txt"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not among\n%s", want, all)
		}
	}
}

// TestDelegateConflicts: of two parts that change the same lines, the second is
// refused as a whole, and the model is told where.
func TestDelegateConflicts(t *testing.T) {
	f := parse(t, []byte(parts))
	told := "it says: b is greeted.\n/error: what it changed does not fit .*b.txt.*It said: x is greeted./"
	res, _, err := play(t, f, fmt.Sprintf(handsOut, "greet in x.txt", told), fmt.Sprintf(greets, "b", "b"), fmt.Sprintf(greets, "x", "b"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"modify a.txt", "modify b.txt"}, summary(f.dir, res.Change)); diff != "" {
		t.Error(diff)
	}
	if got := string(res.Change.Files[1].After()); got != "hello b\n" {
		t.Errorf("%q", got)
	}
}

// TestDelegateFails: bad arguments, a part that fails, and a part that hands out
// parts are told; nothing of them is among the changes.
func TestDelegateFails(t *testing.T) {
	f := parse(t, []byte(parts))
	parent := `-- turn1.expect --
greet in three files
-- turn1.reply --
call delegate {"task": " "}
call delegate {"work": "x"}
call delegate {"task": "nobody knows this"}
call delegate {"task": "greet in b.txt"}
-- turn2.expect --
error: the task is empty: say what to do
error: there is no argument "work"; the arguments are task
error: it came to no end, and nothing of it is among your changes
it says: I cannot hand out more.
-- turn2.reply --
message: So be it.
`
	part := `-- turn1.expect --
greet in b.txt
-- turn1.reply --
call delegate {"task": "more"}
-- turn2.expect --
error: there is no tool "delegate"
-- turn2.reply --
message: I cannot hand out more.
`
	one, err := script.Parse("parent", []byte(parent))
	if err != nil {
		t.Fatal(err)
	}
	two, err := script.Parse("part", []byte(part))
	if err != nil {
		t.Fatal(err)
	}
	server := script.New(one, two)
	server.Many = true
	url, err := server.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a := agent.New(agent.Options{Model: openai.New(openai.Options{BaseURL: url, APIKey: "sk-0123456789", Model: "scripted"})})
	res, err := a.Run(t.Context(), f.snap, f.task, func(agent.Event) {})
	if err != nil || res.Change != nil || res.Answer != "So be it." {
		t.Fatalf("%+v, %v, %v", res, err, server.Errs())
	}
}

// TestDelegateWaits: no part begins before the plan is accepted.
func TestDelegateWaits(t *testing.T) {
	f := parse(t, []byte(parts))
	f.task.Mode, f.task.ReviewPlan = agent.PlanFirst, func(_ context.Context, plan agent.Plan) (agent.Plan, error) { return plan, nil }
	begun := 0
	f.task.Keep = func(string) (*agent.Past, agent.Transcript, func()) {
		begun++
		return nil, nil, func() {}
	}
	parent := `-- turn1.expect --
greet in three files
-- turn1.reply --
call delegate {"task": "too soon"}
-- turn2.expect --
error: the user wants to see a plan before anything is changed
-- turn2.reply --
call update_plan {"plan": [{"step": "greet", "status": "in_progress"}]}
-- turn3.expect --
The user accepted the plan
-- turn3.reply --
call delegate {"task": "greet in b.txt"}
-- turn4.expect --
it says: b is greeted.
-- turn4.reply --
message: Done.
`
	part := "-- turn1.expect --\nYou do one part\n!too soon\n-- turn1.reply --\nmessage: b is greeted.\n"
	if res, _, err := play(t, f, parent, part); err != nil || res.Answer != "Done." || begun != 1 {
		t.Errorf("%+v, %v: %d parts", res, err, begun)
	}
}

// TestDelegateMany: of more parts than work at a time the others come after them,
// and of more calls than a response may have the rest is not made.
func TestDelegateMany(t *testing.T) {
	f := parse(t, []byte(parts))
	var mu sync.Mutex
	working, most, begun := 0, 0, 0
	f.task.Budget = &agent.Budget{Turns: 1000}
	f.task.Keep = func(string) (*agent.Past, agent.Transcript, func()) {
		mu.Lock()
		defer mu.Unlock()
		begun++
		working++
		most = max(most, working)
		return nil, nil, func() {
			mu.Lock()
			defer mu.Unlock()
			working--
		}
	}
	parent := "-- turn1.expect --\ngreet in three files\n-- turn1.reply --\n" + strings.Repeat("call delegate {\"task\": \"look\"}\n", 70) +
		"-- turn2.expect --\nthere were too many calls in one response\n-- turn2.reply --\nmessage: So be it.\n"
	part := "-- turn1.expect --\nYou do one part\n-- turn1.reply --\nmessage: Seen.\n"
	if res, _, err := play(t, f, parent, part); err != nil || res.Answer != "So be it." {
		t.Fatal(res, err)
	}
	if begun != 64 || most > 4 {
		t.Errorf("%d parts, %d at a time", begun, most)
	}
}

// TestDelegateIsCancelled: parts end with their parent.
func TestDelegateIsCancelled(t *testing.T) {
	f := parse(t, []byte(parts))
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the user is gone")
	one, err := script.Parse("parent", []byte(fmt.Sprintf(handsOut, "greet in c.txt", "")))
	if err != nil {
		t.Fatal(err)
	}
	two, err := script.Parse("part", []byte("-- turn1.expect --\nYou do one part\n-- turn1.fault --\nstall 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	server := script.New(two, one)
	server.Many = true
	url, err := server.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a := agent.New(agent.Options{Model: openai.New(openai.Options{BaseURL: url, APIKey: "sk-0123456789", Model: "scripted"})})
	f.task.Sent = func(req *agent.Request) {
		if strings.HasSuffix(req.Session, ".2") {
			cancel(gone)
		}
	}
	if _, err := a.Run(ctx, f.snap, f.task, func(agent.Event) {}); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}

// TestDelegateGoesOn: parts whose run is cut off go on from what is kept of them,
// also one that was done; a part of which nothing is kept is told as cut off.
func TestDelegateGoesOn(t *testing.T) {
	f := parse(t, []byte(parts))
	tapes := map[string]*tape{"parent": {}}
	f.task.ID, f.task.Transcript = "parent", tapes["parent"]
	keep := func(id string) (*agent.Past, agent.Transcript, func()) {
		if kept := tapes[id]; kept != nil {
			return replayed(t, kept.Bytes()), kept, func() {}
		}
		tapes[id] = &tape{}
		return nil, tapes[id], func() {}
	}
	f.task.Keep = keep
	told := "it says: b is greeted.\nchanged b.txt\nit says: c is greeted.\nchanged c.txt"
	handing := fmt.Sprintf(handsOut, "greet in c.txt", told)
	want, _, err := play(t, f, handing, fmt.Sprintf(greets, "b", "b"), fmt.Sprintf(greets, "c", "c"))
	if err != nil {
		t.Fatal(err)
	}
	if past := replayed(t, tapes["parent"].Bytes()); past.Usage != want.Usage {
		t.Errorf("%+v is kept of %+v", past.Usage, want.Usage)
	}
	if outline, err := agent.Outline(tapes["parent"].Bytes()); err != nil || outline.Usage != want.Usage {
		t.Errorf("%v, %v", outline, err)
	}
	cutBefore(t, tapes["parent"], agent.CallAnswered, "it says: b")
	cutBefore(t, tapes["parent.2"], agent.ResponseCame, "c is greeted")
	f.task.Past, f.task.Transcript = replayed(t, tapes["parent"].Bytes()), &tape{}
	got, steps, err := play(t, f, handing, fmt.Sprintf(greets, "b", "b"), fmt.Sprintf(greets, "c", "c"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Change, got.Change); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"delegate greet in b.txt", "delegate greet in c.txt"}, steps); diff != "" {
		t.Error(diff)
	}

	f.task.Past = replayed(t, tapes["parent"].Bytes())
	f.task.Keep = nil
	lost := strings.Replace(handing, told, "error: the run was cut off while it made this call.\n!it says", 1)
	if _, _, err := play(t, f, lost); err != nil {
		t.Fatal(err)
	}
}

// replayed returns what a transcript leads to.
func replayed(t *testing.T, kept []byte) *agent.Past {
	t.Helper()
	records, _, err := agent.ReadTranscript(bytes.NewReader(kept))
	if err != nil {
		t.Fatal(err)
	}
	past, err := agent.Replay(records)
	if err != nil {
		t.Fatal(err)
	}
	return past
}

// cutBefore makes kept end before the first record of a kind that has a text.
func cutBefore(t *testing.T, kept *tape, kind agent.RecordKind, has string) {
	t.Helper()
	var before []byte
	for line := range bytes.Lines(kept.Bytes()) {
		if bytes.Contains(line, []byte(`"kind":"`+kind+`"`)) && bytes.Contains(line, []byte(has)) {
			kept.Reset()
			kept.Write(before)
			return
		}
		before = append(before, line...)
	}
	t.Fatalf("there is no %s with %q in %s", kind, has, kept)
}
