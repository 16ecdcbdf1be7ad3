package lsp

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// TestSeveralAttempts: the best is proposed last, the others before it, and the
// end of the run says how each went; all hear what the user says meanwhile.
func TestSeveralAttempts(t *testing.T) {
	w := mathWorld(t)
	w.model = "some-model"
	var mu sync.Mutex
	tries := 0
	ready := make(chan bool)
	w.runner = runner(func(ctx context.Context, snap *index.Snapshot, task agent.Task, sink agent.Sink) (*agent.Result, error) {
		mu.Lock()
		tries++
		passed := tries == 2
		mu.Unlock()
		sink(agent.StepStarted{ID: "s", Title: "think"})
		<-ready
		path := w.path("math.go")
		content, err := snap.ReadFile(ctx, path)
		if err != nil {
			return nil, err
		}
		hunk := edits.Hunk{ID: 1, State: edits.Pending, Edit: text.Edit{New: "// " + task.ID + "\n"}}
		cs := &edits.ChangeSet{ID: "cs-" + task.ID, Title: task.Title(), Checks: []edits.Check{{Command: "go test", Passed: passed}}}
		cs.Files = []edits.FileChange{{Path: path, Op: edits.Modify, Before: content, Base: text.HashOf(content), Hunks: []edits.Hunk{hunk}}}
		return &agent.Result{Answer: "done", Change: cs, Source: "test"}, nil
	})
	e := w.start(t)
	e.open("math.go")
	run := must[startedResult](e, "agentls.change", changeParams{place: e.at("math.go", "Add(a"), Instruction: "comment it", Attempts: 2}).Run
	step := e.eventOf(RunStep, run)
	if !strings.HasPrefix(step.Step.Title, "attempt ") {
		t.Errorf("step: %+v", step.Step)
	}
	must[startedResult](e, "agentls.steer", steerParams{Run: run, Message: "shorter"})
	close(ready)
	done := e.eventOf(RunDone, run)
	if len(done.Attempts) != 2 {
		t.Fatalf("%+v", done)
	}
	for _, one := range done.Attempts {
		want := "1 of 1 checks failed"
		if one.Kept {
			want = "all 1 checks passed"
		}
		if one.Says != want || one.Kept != (one.ChangeSet == done.ChangeSet) {
			t.Errorf("%+v of %s", one, done.ChangeSet)
		}
	}
	list := must[listResult](e, "agentls.changes.list", listParams{})
	if len(list.Proposals) != 2 || list.Proposals[1].ID != done.ChangeSet || !strings.HasSuffix(list.Proposals[0].Title, ")") {
		t.Errorf("%+v", list.Proposals)
	}
	for _, wrong := range []changeParams{{Attempts: -1}, {Attempts: 9}, {Attempts: 2, Plan: true}} {
		wrong.place, wrong.Instruction = e.at("math.go", "Add(a"), "x"
		if _, err := execute[startedResult](e, "agentls.change", wrong); err == nil || !strings.Contains(err.Error(), "attempts") {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}
