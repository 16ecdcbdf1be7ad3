package lsp

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/openai"
	"github.com/agentls/agentls/agent/script"
	"github.com/agentls/agentls/index"
)

// A door is a tool that waits until it is opened.
type door chan struct{}

func (door) Spec() agent.ToolSpec {
	return agent.ToolSpec{Name: "wait", Parameters: json.RawMessage(`{"type":"object"}`)}
}

func (d door) Run(ctx context.Context, _ *agent.Draft, _ json.RawMessage) (string, error) {
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case <-d:
		return "open", nil
	}
}

// play has the world's runs made by the agent with a scripted model.
func (w *world) play(t *testing.T, archive string, tools ...agent.Tool) *script.Server {
	t.Helper()
	s, err := script.Parse(t.Name(), []byte(archive))
	if err != nil {
		t.Fatal(err)
	}
	server := script.New(s)
	url, err := server.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.model = "scripted"
	w.runner = agent.New(agent.Options{
		Model: openai.New(openai.Options{BaseURL: url, Model: "scripted", Backoff: time.Millisecond}), Tools: tools, Now: time.Now,
	})
	return server
}

const steered = `
-- turn1.reply --
call wait
-- turn2.expect --
use tabs
-- turn2.reply --
message: With tabs.
`

func TestSteer(t *testing.T) {
	w := mathWorld(t)
	wait := make(door)
	server := w.play(t, steered, wait)
	e := w.start(t)
	e.open("math.go")
	run := must[startedResult](e, "agentls.change", changeParams{place: e.at("math.go", "Add(a"), Instruction: "format it"}).Run
	e.eventOf(RunStep, run)
	must[startedResult](e, "agentls.steer", steerParams{Run: run, Message: "use tabs"})
	close(wait)
	if done := e.eventOf(RunDone, run); done.Answer != "With tabs." {
		t.Errorf("%+v, %v", done, server.Errs())
	}
	if usage := e.eventOf(RunUsage, run); usage.Usage.Requests == 0 || usage.Cost != nil {
		t.Errorf("usage: %+v", usage)
	}
	if _, err := execute[startedResult](e, "agentls.steer", steerParams{Run: run, Message: "x"}); err == nil {
		t.Error("a run that is done was steered")
	}
}

// TestChooseContext: before a run and while it goes on, its user says what its
// model sees.
func TestChooseContext(t *testing.T) {
	w := mathWorld(t)
	wait := make(door)
	server := w.play(t, `
-- turn1.expect --
!Callers of
-- turn1.reply --
call wait
-- turn2.expect --
The user withdrew a part of what this conversation began with
Callers of
-- turn2.reply --
message: Seen.
`, wait)
	e := w.start(t)
	e.open("math.go")
	at := e.at("math.go", "Add(a")
	run := must[startedResult](e, "agentls.change", changeParams{place: at, Instruction: "format it", chosen: chosen{Output: "boom", Drop: []string{"callers"}}}).Run
	e.eventOf(RunStep, run)
	if _, err := execute[startedResult](e, "agentls.context.choose", choiceParams{Run: run}); err == nil {
		t.Error("a choice of nothing is taken")
	}
	must[startedResult](e, "agentls.context.choose", choiceParams{Run: run, Drop: []string{"output"}, Pin: []string{"callers"}})
	close(wait)
	if done := e.eventOf(RunDone, run); done.Answer != "Seen." {
		t.Errorf("%+v, %v", done, server.Errs())
	}
	if _, err := execute[startedResult](e, "agentls.context.choose", choiceParams{Run: run, Drop: []string{"map"}}); err == nil {
		t.Error("a run that is done takes a choice")
	}
}

// TestContinue: what was stopped goes on, also in another session, which offers
// what was cut off.
func TestContinue(t *testing.T) {
	w := mathWorld(t)
	wait := make(door)
	server := w.play(t, strings.Replace(steered, "use tabs", "error: the run was cut off while it made this call.", 1), wait)
	e := w.start(t)
	e.open("math.go")
	run := must[startedResult](e, "agentls.change", changeParams{place: e.at("math.go", "Add(a"), Instruction: "format it"}).Run
	e.eventOf(RunStep, run)
	if _, err := execute[startedResult](e, "agentls.continue", continueParams{Run: run}); err == nil || !strings.Contains(err.Error(), "under way") {
		t.Errorf("continued what runs: %v", err)
	}
	must[stopResult](e, "agentls.stop", stopParams{Run: run})
	e.eventOf(RunFailed, run)
	if kept := must[runsResult](e, "agentls.runs.list", runsParams{}).Runs; len(kept) != 1 || kept[0].ID != run || kept[0].State != agent.Stopped || kept[0].Turns != 1 {
		t.Errorf("kept: %+v", kept)
	}
	e.quit()
	w.cutOff(t, run)
	w.keepPart(t, run)

	w.caps = plainCaps
	offered := make(chan string, 1)
	e = w.startWith(t, func(e *editor) {
		e.ask = func(p *protocol.ShowMessageRequestParams) *protocol.MessageActionItem {
			offered <- p.Message
			return &protocol.MessageActionItem{Title: "Go on"}
		}
	})
	if got := <-offered; got != "agentls: a run was cut off: format it" {
		t.Errorf("offered %q", got)
	}
	e.await("the end of the run", func() bool { return server.Done() == nil })
}

// cutOff takes the end of a run's transcript away, as if its process had been
// killed.
func (w *world) cutOff(t *testing.T, run string) {
	t.Helper()
	path := filepath.Join(w.state, "runs", run+".jsonl")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cut := strings.LastIndex(strings.TrimSpace(string(content)), "\n")
	if err := os.WriteFile(path, content[:cut+1], 0o600); err != nil {
		t.Fatal(err)
	}
}

// keepPart leaves the transcript of a part of run, which was cut off with it.
func (w *world) keepPart(t *testing.T, run string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(w.state, "runs", run+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	part := strings.NewReplacer(`"id":"`+run+`"`, `"id":"`+run+`.1","parent":"`+run+`"`, "format it", "a part of it").Replace(string(content))
	path := filepath.Join(w.state, "runs", run+".1.jsonl")
	if err := os.WriteFile(path, []byte(part), 0o600); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Minute) // it would be the first to be offered
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
}

// TestReply: the model's question reaches the client, and the answer the model.
func TestReply(t *testing.T) {
	w := mathWorld(t)
	w.model = "some-model"
	answers := make(chan string, 1)
	w.runner = runner(func(ctx context.Context, _ *index.Snapshot, task agent.Task, _ agent.Sink) (*agent.Result, error) {
		answer, err := task.Question(ctx, agent.Question{Text: "Which?", Options: []string{"this", "that"}})
		answers <- answer
		return &agent.Result{Source: "test"}, err
	})
	e := w.start(t)
	e.open("math.go")
	run := must[startedResult](e, "agentls.change", changeParams{place: e.at("math.go", "Add(a"), Instruction: "do it"}).Run
	if asked := e.eventOf(RunQuestion, run); asked.Text != "Which?" || len(asked.Options) != 2 {
		t.Errorf("asked: %+v", asked)
	}
	must[startedResult](e, "agentls.reply", replyParams{Run: run, Answer: "neither"})
	if got := <-answers; got != "neither" {
		t.Errorf("answered %q", got)
	}
	e.eventOf(RunDone, run)
	if _, err := execute[startedResult](e, "agentls.reply", replyParams{Run: run, Answer: "x"}); err == nil {
		t.Error("a question was answered twice")
	}
}

// TestPlanAccept: a plan waits for its user, who changes it; what its steps
// changed is proposed step by step.
func TestPlanAccept(t *testing.T) {
	w := mathWorld(t)
	server := w.play(t, `
-- turn1.reply --
call update_plan {"plan": [{"step": "one", "status": "pending"}]}
-- turn2.expect --
1. · uno
-- turn2.reply --
patch:
*** Begin Patch
*** Add File: one.txt
+1
*** End Patch
call update_plan {"plan": [{"step": "uno", "status": "completed"}]}
patch:
*** Begin Patch
*** Add File: two.txt
+2
*** End Patch
-- turn3.reply --
message: Done.
`)
	e := w.start(t)
	e.open("math.go")
	run := must[startedResult](e, "agentls.change", changeParams{place: e.at("math.go", "Add(a"), Instruction: "count", Plan: true}).Run
	shown := e.eventOf(RunPlan, run)
	if !shown.Waits && len(shown.Plan.Steps) != 1 {
		t.Errorf("shown: %+v", shown)
	}
	e.await("the plan to wait", func() bool {
		_, err := execute[startedResult](e, "agentls.plan.accept", planParams{Run: run, Plan: []agent.PlanStep{{Text: "uno", Status: agent.StepPending}}})
		return err == nil
	})
	done := e.eventOf(RunDone, run)
	if len(done.Steps) != 2 || done.Steps[0] != run+".1" || done.ChangeSet != run+".2" {
		t.Errorf("done: %+v, %v", done, server.Errs())
	}
	must[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: run + ".1"})
	if got := w.disk(t); got["one.txt"] != "1\n" || got["two.txt"] != "" {
		t.Errorf("after the first step there are %v", got)
	}
}

// TestRevise: a proposal goes back to its run with what was decided and said,
// and the answer is a proposal of its own.
func TestRevise(t *testing.T) {
	w := newWorld(t, map[string]string{"math.go": mathGo, "a.txt": "a\nb\nc\nd\ne\n"})
	server := w.play(t, `
-- turn1.reply --
call edit {"path": "a.txt", "old": "a", "new": "A"}
call edit {"path": "a.txt", "old": "e", "new": "E"}
-- turn2.reply --
message: Done.
-- turn3.expect --
a.txt, line 1: rejected
The user says: no
a.txt, line 5: not decided
-- turn3.reply --
call edit {"path": "a.txt", "old": "c", "new": "C"}
-- turn4.reply --
message: Better.
`)
	e := w.start(t)
	e.open("math.go")
	run := must[startedResult](e, "agentls.change", changeParams{place: e.at("math.go", "Add(a"), Instruction: "shout"}).Run
	e.eventOf(RunDone, run)
	at := fileURI(w.path("a.txt"))
	must[rejectResult](e, "agentls.changes.reject", hunkParams{ChangeSet: run, URI: at, Hunk: 1})
	if _, err := execute[startedResult](e, "agentls.revise", reviseParams{}); err == nil {
		t.Error("nothing was said, and it goes on")
	}
	must[startedResult](e, "agentls.revise", reviseParams{Comments: []reviseComment{{URI: at, Hunk: 1, Text: "no"}}})
	e.await("the answer", func() bool { return server.Done() == nil })
	e.await("its proposal", func() bool {
		list := must[listResult](e, "agentls.changes.list", listParams{})
		return len(list.Proposals) == 2 && list.Proposals[1].ID == run+"-2"
	})
	must[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: run + "-2"})
	if got := w.disk(t)["a.txt"]; got != "a\nb\nC\nd\ne\n" {
		t.Errorf("a.txt is %q", got)
	}
}

// TestUntrusted: in a workspace that is not trusted, questions are all there is.
func TestUntrusted(t *testing.T) {
	w := mathWorld(t)
	w.model, w.untrusted = "some-model", true
	e := w.start(t)
	e.open("math.go")
	at := e.at("math.go", "Add(a")
	if _, err := execute[startedResult](e, "agentls.change", changeParams{place: at, Instruction: "do it"}); err == nil || !strings.Contains(err.Error(), "not trusted") {
		t.Errorf("changed: %v", err)
	}
	must[startedResult](e, "agentls.ask", askParams{place: at})
}

// TestPaused: a run that pauses says so, and goes on.
func TestPaused(t *testing.T) {
	w := mathWorld(t)
	server := w.play(t, "-- turn1.reply --\ncall list_dir {\"path\": \".\"}\n-- turn2.reply --\nmessage: Done.\n")
	w.runner = paused{w.runner}
	e := w.start(t)
	e.open("math.go")
	run := must[startedResult](e, "agentls.change", changeParams{place: e.at("math.go", "Add(a"), Instruction: "do it"}).Run
	if done := e.eventOf(RunDone, run); done.Paused != "the budget of 1 turns is used up" {
		t.Errorf("%+v, %v", done, server.Errs())
	}
	must[startedResult](e, "agentls.continue", continueParams{Run: run})
	e.await("the end", func() bool { return server.Done() == nil })
}

// paused gives each run a budget of one turn.
type paused struct{ agent.Runner }

func (p paused) Run(ctx context.Context, snap *index.Snapshot, task agent.Task, sink agent.Sink) (*agent.Result, error) {
	task.Budget = &agent.Budget{Turns: 1}
	return p.Runner.Run(ctx, snap, task, sink)
}

// TestPlainClientIsAsked: a client that knows nothing of ours is asked by
// messages: questions with answers to choose from, and plans. One without is
// left to the model.
func TestPlainClientIsAsked(t *testing.T) {
	w := mathWorld(t)
	w.caps, w.model = plainCaps, "some-model"
	type told struct {
		answer, free string
		plan         error
	}
	came := make(chan told, 1)
	w.runner = runner(func(ctx context.Context, _ *index.Snapshot, task agent.Task, _ agent.Sink) (*agent.Result, error) {
		var got told
		var err error
		got.answer, err = task.Question(ctx, agent.Question{Text: "Which?", Options: []string{"this", "that"}})
		if err == nil {
			got.free, err = task.Question(ctx, agent.Question{Text: "What?"})
		}
		_, got.plan = task.ReviewPlan(ctx, agent.Plan{Steps: []agent.PlanStep{{Text: "one", Status: agent.StepPending}}})
		came <- got
		return &agent.Result{Source: "test"}, err
	})
	e := w.start(t)
	var mu sync.Mutex
	var seen []string
	e.ask = func(p *protocol.ShowMessageRequestParams) *protocol.MessageActionItem {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, p.Message)
		return &p.Actions[len(p.Actions)-1] // the last: that, and Refuse
	}
	e.open("math.go")
	must[startedResult](e, "agentls.change", changeParams{place: e.at("math.go", "Add(a"), Instruction: "do it"})
	got := <-came
	if got.answer != "that" || got.free != "" || got.plan == nil || !strings.Contains(got.plan.Error(), "refused") {
		t.Errorf("%+v", got)
	}
	mu.Lock()
	defer mu.Unlock()
	all := strings.Join(seen, "\n")
	if len(seen) != 2 || !strings.Contains(all, "Which?") || !strings.Contains(all, "the plan:") || !strings.Contains(all, "one") {
		t.Errorf("asked: %q", seen)
	}
}
