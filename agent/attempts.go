package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

// MaxAttempts is how often a task can be tried: more cost more than they bring.
const MaxAttempts = 8

// attemptsAtOnce is how many of them run at a time: each has commands of its own.
const attemptsAtOnce = 3

// An Attempt is one of several tries of a task.
type Attempt struct {
	Number int              `json:"number"` // from 1
	Run    string           `json:"run"`    // its id
	Kept   bool             `json:"kept"`   // it verifies best
	Says   string           `json:"says"`   // how it went, in a line
	Change *edits.ChangeSet `json:"change,omitempty"`
	Failed string           `json:"failed,omitempty"` // why it has no result
}

// An attempt is one as it is compared.
type attempt struct {
	Attempt
	result *Result
	err    error
}

// RunAttempts runs tasks, which are one task with ids of their own, each on its
// own draft, and returns the result of the one that verifies best, with all of
// them in Attempts: the one with the fewest failed checks, then the most that
// passed, then the smallest change, then the first. One that fails does not
// matter to the others; where all do, the errors are joined.
//
// A budget of turns or time is each attempt's; one of cost is of all together.
// What the user grants for the run, they grant for all. Events tell of an
// attempt's steps, with its number; sink gets them one at a time.
func RunAttempts(ctx context.Context, runner Runner, snap *index.Snapshot, tasks []Task, sink Sink) (*Result, error) {
	tries := make([]attempt, len(tasks))
	shared := &sharing{asking: &asking{}, sink: sink, spent: make([]Spent, len(tasks))}
	var group sync.WaitGroup
	turns := make(chan struct{}, attemptsAtOnce)
	for i := range tasks {
		tries[i].Number, tries[i].Run = i+1, tasks[i].ID
		group.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			tries[i].result, tries[i].err = runner.Run(ctx, snap, shared.task(tasks[i], len(tasks)), shared.of(i))
			tries[i].judge()
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return best(tries)
}

// judge says how the attempt went.
func (a *attempt) judge() {
	if a.err != nil {
		a.Failed, a.Says = a.err.Error(), "failed: "+a.err.Error()
		return
	}
	a.Change = a.result.Change
	switch failed, passed := a.checks(); {
	case a.result.Paused != "":
		a.Says = "paused: " + a.result.Paused
	case a.Change == nil:
		a.Says = "changed nothing"
	case failed > 0:
		a.Says = fmt.Sprintf("%d of %d checks failed", failed, failed+passed)
	case passed > 0:
		a.Says = fmt.Sprintf("all %d checks passed", passed)
	default:
		a.Says = "nothing checked it"
	}
}

// checks counts those that failed, or could not be run, and those that passed.
func (a *attempt) checks() (failed, passed int) {
	if a.Change == nil {
		return 0, 0
	}
	for i := range a.Change.Checks {
		if a.Change.Checks[i].Passed {
			passed++
		} else {
			failed++
		}
	}
	return failed, passed
}

// worth is what attempts are compared by: the lower, the better, from the first
// number on.
func (a *attempt) worth() [5]int {
	failed, passed := a.checks()
	w := [5]int{0, failed, -passed, a.size(), a.Number}
	switch {
	case a.err != nil:
		w[0] = 3
	case a.Change == nil:
		w[0] = 2
	case a.result.Paused != "":
		w[0] = 1
	}
	return w
}

// size counts the bytes that the attempt takes out and puts in.
func (a *attempt) size() (n int) {
	if a.Change == nil {
		return 0
	}
	for i := range a.Change.Files {
		for j := range a.Change.Files[i].Hunks {
			edit := &a.Change.Files[i].Hunks[j].Edit
			n += edit.Span.Len() + len(edit.New)
		}
	}
	return n
}

// best returns the result of the best attempt, with all of them.
func best(tries []attempt) (*Result, error) {
	first := slices.MinFunc(tries, func(a, b attempt) int {
		x, y := a.worth(), b.worth()
		return slices.Compare(x[:], y[:])
	})
	if first.err != nil {
		var errs []error
		for i := range tries {
			errs = append(errs, fmt.Errorf("attempt %d: %w", tries[i].Number, tries[i].err))
		}
		return nil, errors.Join(errs...)
	}
	out := *first.result
	out.Usage, out.Cost = Usage{}, nil
	for i := range tries {
		t := &tries[i]
		if t.Kept = t.Number == first.Number; !t.Kept && t.Change != nil {
			t.Change.Title += fmt.Sprintf(" (attempt %d)", t.Number)
		}
		out.Attempts = append(out.Attempts, t.Attempt)
		if t.result != nil {
			out.Usage, out.Cost = out.Usage.plus(t.result.Usage), plusCost(out.Cost, t.result.Cost)
		}
	}
	return &out, nil
}

// plusCost adds costs; what is not known adds nothing.
func plusCost(a, b *float64) *float64 {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	sum := *a + *b
	return &sum
}

// Sharing is what attempts have in common: who hears of them, and whom they ask.
type sharing struct {
	asking *asking
	mu     sync.Mutex // one event at a time
	sink   Sink
	spent  []Spent // by attempt
}

// task is t as one of several.
func (s *sharing) task(t Task, several int) Task {
	if t.Budget != nil {
		budget := *t.Budget
		budget.Cost /= float64(several)
		t.Budget = &budget
	}
	t.Permit, t.Question = s.asking.of(t)
	return t
}

// of returns the sink of attempt i, from 0. Its text is not told: several would
// be mixed.
func (s *sharing) of(i int) Sink {
	id, title := strconv.Itoa(i+1)+"/", fmt.Sprintf("attempt %d: ", i+1)
	return func(e Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if spent, ok := e.(Spent); ok {
			s.spent[i] = spent
			s.sink(s.total())
		} else if e := renamed(e, id, title); e != nil {
			s.sink(e)
		}
	}
}

// total returns what all attempts used so far.
func (s *sharing) total() (all Spent) {
	for _, one := range s.spent {
		all.Usage, all.Cost = all.Usage.plus(one.Usage), plusCost(all.Cost, one.Cost)
	}
	return all
}
