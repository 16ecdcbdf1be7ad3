package agent

import (
	"context"
	"fmt"
	"time"
)

// A Budget is what a run may use before it pauses, counted from its beginning
// or from when it went on. A field that is 0 is no limit, but for Turns, which
// then is 50.
type Budget struct {
	Turns int           // responses of the model
	Time  time.Duration // needs Options.Now
	Cost  float64       // in the currency of Options.Price; without a price there is no such limit
}

// A Price is what a model takes for a million tokens.
type Price struct {
	Input  float64 `json:"input" toml:"input"`   // not cached
	Cached float64 `json:"cached" toml:"cached"` // input that the provider had cached
	Output float64 `json:"output" toml:"output"`
}

const perMillion = 1e6

// Of returns what u takes.
func (p Price) Of(u Usage) float64 {
	fresh := max(u.InputTokens-u.CachedTokens, 0)
	return (float64(fresh)*p.Input + float64(u.CachedTokens)*p.Cached + float64(u.OutputTokens)*p.Output) / perMillion
}

// A meter counts what a run used of its budget.
type meter struct {
	budget Budget
	turns  int
	usage  Usage
	since  time.Time
}

func (r *run) startMeter() {
	r.spent = meter{budget: r.agent.budget}
	if r.task.Budget != nil {
		r.spent.budget = *r.task.Budget
	}
	if r.spent.budget.Turns <= 0 {
		r.spent.budget.Turns = defaultTurns
	}
	if r.agent.now != nil {
		r.spent.since = r.agent.now()
	}
}

func (m *meter) add(u Usage) {
	m.turns++
	m.usage = m.usage.plus(u)
}

// untilTime returns a context that ends when the run's time is used up, with a
// pauseError for its cause.
func (r *run) untilTime(ctx context.Context) (context.Context, context.CancelFunc) {
	budget := r.spent.budget.Time
	if budget <= 0 || r.agent.now == nil {
		return context.WithCancel(ctx)
	}
	left := budget - r.agent.now().Sub(r.spent.since)
	return context.WithTimeoutCause(ctx, left, &pauseError{timeIsUp(budget)})
}

func timeIsUp(budget time.Duration) string { return fmt.Sprintf("the budget of %v is used up", budget) }

// overBudget says which limit the run is at; "" for none.
func (r *run) overBudget() string {
	m := &r.spent
	if r.pending != nil {
		return "" // what came is done first
	}
	switch {
	case m.turns >= m.budget.Turns:
		return fmt.Sprintf("the budget of %d turns is used up", m.budget.Turns)
	case m.budget.Time > 0 && r.agent.now != nil && r.agent.now().Sub(m.since) >= m.budget.Time:
		return timeIsUp(m.budget.Time)
	case m.budget.Cost > 0 && r.agent.price != nil && r.agent.price.Of(m.usage) >= m.budget.Cost:
		return fmt.Sprintf("the budget of %.2f is used up", m.budget.Cost)
	}
	return ""
}

// cost returns what the run cost so far; nil where no price is known.
func (r *run) cost() *float64 {
	if r.agent.price == nil {
		return nil
	}
	cost := r.agent.price.Of(r.usage)
	return &cost
}
