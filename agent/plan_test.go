package agent_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
)

// stepwise is a run in two steps, and a bit more.
const stepwise = `mode: edit
prompt: Greet twice.
-- files/a.txt --
one
two
three
four
five
-- turn1.reply --
call update_plan {"plan": [{"step": "first", "status": "in_progress"}, {"step": "second", "status": "pending"}]}
call edit {"path": "a.txt", "old": "one", "new": "ONE"}
call update_plan {"plan": [{"step": "first", "status": "completed"}, {"step": "second", "status": "in_progress"}]}
-- turn2.expect --
The plan is noted.
-- turn2.reply --
call edit {"path": "a.txt", "old": "five", "new": "FIVE"}
call edit {"path": "a.txt", "old": "ONE", "new": "Eins"}
call update_plan {"plan": [{"step": "first", "status": "completed"}, {"step": "second", "status": "completed"}]}
-- turn3.reply --
patch:
*** Begin Patch
*** Add File: b.txt
+b
*** End Patch
-- turn4.reply --
message: Done.
-- want/a.txt --
Eins
two
three
four
FIVE
-- want/b.txt --
b
`

func after(cs *edits.ChangeSet) string {
	var b strings.Builder
	for i := range cs.Files {
		b.Write(cs.Files[i].After())
	}
	return b.String()
}

// TestSteps: each completed step of the plan is a change set that fits what the
// steps before lead to; together they are the change.
func TestSteps(t *testing.T) {
	f := parse(t, []byte(stepwise))
	var kept tape
	f.task.Transcript = &kept
	res, tr, err := f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err, f.server.Errs())
	}
	if err := f.script.Check(f.read(res.Change)); err != nil {
		t.Error(err)
	}
	var got []string
	for _, step := range res.Steps {
		got = append(got, step.ID, step.Title, after(step))
	}
	want := []string{
		"run-1.1", "first", "ONE\ntwo\nthree\nfour\nfive\n", "run-1.2", "second", "Eins\ntwo\nthree\nfour\nFIVE\n",
		"run-1.3", "the rest of: Greet twice.", "b\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(tr.String(), "plan:\n1. → first\n2. · second\n") || !strings.Contains(tr.String(), "proposed run-1.1: first\n") {
		t.Error(tr.String())
	}
	alone, conflicts, err := edits.Rebase(t.Context(), res.Steps[1], f.snap)
	if err != nil || len(conflicts) != 1 {
		t.Fatal(conflicts, err)
	}
	if counts := alone.Counts(); counts.Pending != 1 || counts.InConflict != 1 {
		t.Errorf("without the first step, the second has %+v", counts)
	}
	records, _, err := agent.ReadTranscript(&kept.Buffer)
	if err != nil {
		t.Fatal(err)
	}
	past, err := agent.Replay(records)
	if err != nil || past.Plan.Steps[1].Status != agent.StepCompleted {
		t.Errorf("%+v, %v", past.Plan, err)
	}
}

// TestStepsStand: a run that fails has proposed what it completed.
func TestStepsStand(t *testing.T) {
	f := parse(t, []byte(stepwise[:strings.Index(stepwise, "-- turn2.expect")]+"-- turn2.fault --\nstatus 400\n"))
	var stand []*edits.ChangeSet
	_, err := agent.New(agent.Options{Model: f.model}).Run(t.Context(), f.snap, f.task, func(ev agent.Event) {
		if ev, ok := ev.(agent.StepProposed); ok {
			stand = append(stand, ev.Change)
		}
	})
	if err == nil || len(stand) != 1 || after(stand[0]) != "ONE\ntwo\nthree\nfour\nfive\n" {
		t.Errorf("%v, %v", stand, err)
	}
}

const planned = `mode: plan
prompt: Do it.
-- files/a.txt --
a
-- turn1.reply --
call edit {"path": "a.txt", "old": "a", "new": "b"}
-- turn2.expect --
error: the user wants to see a plan before anything is changed
-- turn2.reply --
call update_plan {"plan": [{"step": "x", "status": "pending"}]}
-- turn3.expect --
error: the user did not accept the plan: smaller
-- turn3.reply --
call update_plan {"plan": [{"step": "y", "status": "pending"}, {"step": "z", "status": "pending"}]}
-- turn4.expect --
The user changed the plan. Go on with it as it is now:
1. · y
!z
-- turn4.reply --
call edit {"path": "a.txt", "old": "a", "new": "b"}
-- turn5.reply --
message: ok
-- want/a.txt --
b
`

// TestPlanFirst: nothing is changed before the user accepted a plan, which they
// can refuse and change.
func TestPlanFirst(t *testing.T) {
	f := parse(t, []byte(planned))
	asked := 0
	f.task.ReviewPlan = func(_ context.Context, plan agent.Plan) (agent.Plan, error) {
		if asked++; asked == 1 {
			return plan, errors.New("smaller")
		}
		plan.Steps = plan.Steps[:1]
		return plan, nil
	}
	res, _, err := f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err, f.server.Errs())
	}
	if err := f.script.Check(f.read(res.Change)); err != nil {
		t.Error(err)
	}
	if err := f.server.Done(); err != nil {
		t.Error(err)
	}
}

// TestPlanWaits: where nobody is there to look at a plan, the run pauses until
// somebody is, and asks again.
func TestPlanWaits(t *testing.T) {
	f := parse(t, []byte(strings.NewReplacer("error: the user did not accept the plan: smaller", "The user accepted the plan", "turn3.reply --\ncall update_plan", "turn3.reply --\ncall update_plan").Replace(planned[:strings.Index(planned, "-- turn3.reply")])+"-- turn3.reply --\nmessage: ok\n"))
	var kept tape
	f.task.Transcript = &kept
	res, _, err := f.run(t, agent.Options{})
	if err != nil || res.Paused != "the plan waits for its user" {
		t.Fatalf("%+v, %v", res, err)
	}
	records, _, err := agent.ReadTranscript(bytes.NewReader(kept.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	past, err := agent.Replay(records)
	if err != nil || past.State != agent.Paused {
		t.Fatal(past.State, err)
	}
	f.task.Past = past
	f.task.ReviewPlan = func(_ context.Context, plan agent.Plan) (agent.Plan, error) { return plan, nil }
	if res, _, err := f.run(t, agent.Options{}); err != nil || res.Answer != "ok" {
		t.Errorf("%+v, %v, %v", res, err, f.server.Errs())
	}
}

func TestAskUser(t *testing.T) {
	const archive = "mode: edit\nprompt: x\n-- files/a.txt --\na\n-- turn1.reply --\ncall ask_user {\"question\": \"Which?\", \"options\": [\"a\", \"b\"]}\n-- turn2.expect --\n%s\n-- turn2.reply --\nmessage: ok\n"
	cases := map[string]agent.Asker{
		"error: nobody is there to answer: decide yourself": nil,
		"/output call_1_1_1:\\nb$/":                         func(_ context.Context, q agent.Question) (string, error) { return q.Options[1], nil },
		"error: the user gave no answer: decide yourself":   func(context.Context, agent.Question) (string, error) { return " ", nil },
		"error: the user could not be asked (gone)":         func(context.Context, agent.Question) (string, error) { return "", errors.New("gone") },
	}
	for want, asker := range cases {
		f := parse(t, []byte(strings.Replace(archive, "%s", want, 1)))
		f.task.Question = asker
		if _, _, err := f.run(t, agent.Options{}); err != nil {
			t.Errorf("%s: %v, %v", want, err, f.server.Errs())
		}
	}
}

// TestReadAhead: reading is done while the response comes, as often as it is
// asked for; what came before a stream broke off counts for nothing.
func TestReadAhead(t *testing.T) {
	f := parse(t, []byte(`mode: edit
prompt: x
-- files/a.txt --
a
-- turn1.fault --
cut 8
-- turn1.reply --
call read_file {"path": "a.txt"}
call grep {"pattern": "a"}
call edit {"path": "a.txt", "old": "a", "new": "b"}
call read_file {"path": "a.txt"}
-- turn2.expect --
/output call_1_2_1:\na.txt(.*\n)* +1\ta/
/output call_1_2_4:\na.txt(.*\n)* +1\tb/
-- turn2.reply --
message: ok
`))
	_, tr, err := f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err, f.server.Errs())
	}
	if n := strings.Count(tr.String(), "start read a.txt"); n != 2 {
		t.Errorf("%d reads are told of:\n%s", n, tr)
	}
}
