package agent

import (
	"context"
	"time"

	"github.com/agentls/agentls/index"
)

// A mapLimit is what a map may take of the first request, in tokens, and how
// long the request waits for it. The first map of a large tree takes a second:
// an answer is not to come later for it, a change is worth the wait.
type mapLimit struct {
	tokens   int
	patience time.Duration
}

// mapLimits are by mode. An explanation and a review say what they are about:
// what is in focus, and its callers, are there without a map.
var mapLimits = map[Mode]mapLimit{
	Ask:       {1000, 50 * time.Millisecond},
	Edit:      {1500, 2 * time.Second},
	PlanFirst: {1500, 2 * time.Second},
}

// overview maps the project for the task, in what is left of the budget beside
// the pieces that come first.
func (r *run) overview(ctx context.Context, first []Piece) Piece {
	p := Piece{ID: "map", Title: "Map of the project", Why: "what your words, the focus and the history point at"}
	limit, room := mapLimits[r.task.Mode], budgetOf(r.task.Mode)
	for i := range first {
		room -= r.agent.tokens.Of(len(first[i].Text))
	}
	if r.task.Prompt == "" || min(limit.tokens, room) <= 0 {
		return p
	}
	waiting, cancel := context.WithTimeout(ctx, limit.patience)
	defer cancel()
	m, err := r.draft.snap.Map(waiting, r.mapFocus(waiting, limit.patience/2), min(limit.tokens, room))
	switch {
	case err != nil:
		p.Dropped = "it is still being made; the next question has it"
	case len(m.Files) > 0:
		p.Text = "Files that may matter, each with the reason, and declarations in them:\n" + m.Text()
		for i := range m.Files {
			p.paths = append(p.paths, m.Files[i].Path)
		}
	}
	return p
}

// mapFocus says what the map is for, with the history as far as it is known
// after that patience. Files that are kept from models are not named; the file in
// focus is shown already.
func (r *run) mapFocus(ctx context.Context, patience time.Duration) index.Focus {
	focus := index.Focus{Words: r.task.Prompt}
	if f := r.task.Focus; f != nil {
		focus.Files, focus.Seen = []string{f.Path}, []string{f.Path}
		if sym, ok, err := r.draft.snap.Enclosing(ctx, f.Path, f.Span); err == nil && ok {
			focus.Symbols = []index.Symbol{sym}
		}
	}
	focus.Hidden = func(path string) bool {
		_, withheld := r.draft.Withheld(path)
		return withheld
	}
	if r.agent.histories != nil {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		focus.Histories = r.agent.histories.Of(ctx, r.draft.snap.Roots())
	}
	return focus
}
