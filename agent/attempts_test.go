package agent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// A tried is what an attempt comes to.
type tried struct {
	failed, passed, size int
	paused               string
	err                  error
	nothing              bool // is changed
}

func (o tried) result() (*agent.Result, error) {
	cost := 0.5
	res := &agent.Result{Answer: "done", Usage: agent.Usage{Requests: 2, InputTokens: 10}, Cost: &cost, Paused: o.paused}
	if o.err != nil || o.nothing {
		return res, o.err
	}
	res.Change = &edits.ChangeSet{Files: []edits.FileChange{{Hunks: []edits.Hunk{{Edit: text.Edit{New: strings.Repeat("x", o.size)}}}}}}
	for i := range o.failed + o.passed {
		res.Change.Checks = append(res.Change.Checks, edits.Check{Passed: i >= o.failed})
	}
	return res, nil
}

// A trier runs tasks whose ids are numbers in outcomes.
type trier struct {
	outcomes []tried
	each     func(task agent.Task, sink agent.Sink)
}

func (r trier) Run(_ context.Context, _ *index.Snapshot, task agent.Task, sink agent.Sink) (*agent.Result, error) {
	var n int
	if _, err := fmt.Sscan(task.ID, &n); err != nil {
		return nil, err
	}
	if r.each != nil {
		r.each(task, sink)
	}
	return r.outcomes[n].result()
}

// attempt runs outcomes as attempts.
func attempt(t *testing.T, r trier, task agent.Task, sink agent.Sink) (*agent.Result, error) {
	t.Helper()
	tasks := make([]agent.Task, len(r.outcomes))
	for i := range tasks {
		tasks[i] = task
		tasks[i].ID = fmt.Sprint(i)
	}
	return agent.RunAttempts(t.Context(), r, nil, tasks, sink)
}

func ignore(agent.Event) {}

// TestBestAttempt: the one that verifies best is kept, and all are listed.
func TestBestAttempt(t *testing.T) {
	broken := errors.New("no network")
	for name, c := range map[string]struct {
		outcomes []tried
		kept     int // from 1
		says     string
	}{
		"fewest failures":     {[]tried{{failed: 2, passed: 1, size: 1}, {failed: 1, passed: 2, size: 9}}, 2, "1 of 3 checks failed"},
		"most that passed":    {[]tried{{passed: 1, size: 1}, {passed: 2, size: 9}}, 2, "all 2 checks passed"},
		"smallest":            {[]tried{{passed: 1, size: 9}, {passed: 1, size: 3}, {passed: 1, size: 5}}, 2, "all 1 checks passed"},
		"first":               {[]tried{{size: 3}, {size: 3}}, 1, "nothing checked it"},
		"a change":            {[]tried{{nothing: true}, {failed: 3, size: 9}}, 2, "3 of 3 checks failed"},
		"done before paused":  {[]tried{{paused: "time", passed: 3, size: 1}, {failed: 1, size: 1}}, 2, "1 of 1 checks failed"},
		"what has not failed": {[]tried{{err: broken}, {nothing: true}, {err: broken}}, 2, "changed nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := attempt(t, trier{outcomes: c.outcomes}, agent.Task{}, ignore)
			if err != nil {
				t.Fatal(err)
			}
			if len(res.Attempts) != len(c.outcomes) {
				t.Fatalf("%d attempts are listed", len(res.Attempts))
			}
			for i, one := range res.Attempts {
				if one.Number != i+1 || one.Run != fmt.Sprint(i) || one.Kept != (i+1 == c.kept) {
					t.Errorf("%+v", one)
				}
			}
			kept := res.Attempts[c.kept-1]
			if kept.Says != c.says || kept.Change != res.Change {
				t.Errorf("kept: %q, want %q", kept.Says, c.says)
			}
			if got := res.Usage.Requests; got == 0 || got%2 != 0 || *res.Cost != float64(got)/4 {
				t.Errorf("used in all: %+v, %v", res.Usage, *res.Cost)
			}
		})
	}
}

// TestAttemptsAllFail: each says why.
func TestAttemptsAllFail(t *testing.T) {
	one, two := errors.New("no network"), errors.New("no key")
	_, err := attempt(t, trier{outcomes: []tried{{err: one}, {err: two}}}, agent.Task{}, ignore)
	if !errors.Is(err, one) || !errors.Is(err, two) || !strings.Contains(err.Error(), "attempt 2: no key") {
		t.Errorf("%v", err)
	}
}

// TestAttemptsShare: the user hears of steps with their attempt's number, one
// event at a time, and is asked once for what they grant for the run; what they
// may cost is shared out.
func TestAttemptsShare(t *testing.T) {
	var told []string
	var asked, inside int
	sink := func(e agent.Event) {
		inside++
		if inside != 1 {
			t.Error("two events at a time")
		}
		if step, ok := e.(agent.StepStarted); ok {
			told = append(told, step.ID+" "+step.Title)
		} else if spent, ok := e.(agent.Spent); ok && spent.Usage.InputTokens%7 != 0 {
			t.Errorf("spent: %+v", spent)
		} else if !ok {
			t.Errorf("told of %T", e)
		}
		inside--
	}
	var mu sync.Mutex
	task := agent.Task{Budget: &agent.Budget{Cost: 3, Turns: 5}, Permit: func(context.Context, agent.Permission) (agent.Grant, error) {
		asked++
		return agent.ForRun, nil
	}}
	each := func(task agent.Task, sink agent.Sink) {
		sink(agent.StepStarted{ID: "s", Title: "read a.go"})
		sink(agent.TextDelta{Text: "mixed"})
		sink(agent.Spent{Usage: agent.Usage{InputTokens: 7}})
		if grant, err := task.Permit(t.Context(), agent.Permission{Kind: agent.Network}); grant != agent.ForRun || err != nil {
			t.Errorf("granted: %v, %v", grant, err)
		}
		mu.Lock()
		defer mu.Unlock()
		if *task.Budget != (agent.Budget{Cost: 1, Turns: 5}) {
			t.Errorf("budget: %+v", *task.Budget)
		}
	}
	if _, err := attempt(t, trier{outcomes: []tried{{size: 1}, {size: 1}, {size: 1}}, each: each}, task, sink); err != nil {
		t.Fatal(err)
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	seen := map[string]bool{}
	for _, line := range told {
		seen[line] = true
	}
	want := map[string]bool{"1/s attempt 1: read a.go": true, "2/s attempt 2: read a.go": true, "3/s attempt 3: read a.go": true}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAttemptsAreCancelled: all at once, with the cause.
func TestAttemptsAreCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the user is gone")
	r := trier{outcomes: []tried{{size: 1}, {size: 1}}, each: func(agent.Task, agent.Sink) { cancel(gone) }}
	if _, err := agent.RunAttempts(ctx, r, nil, []agent.Task{{ID: "0"}, {ID: "1"}}, ignore); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}
