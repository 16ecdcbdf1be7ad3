package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agentls/agentls/index"
)

// A Manifest lists what a conversation begins with: everything that is sent
// with the first request, and what was left out.
type Manifest struct {
	Pieces []Piece `json:"pieces"` // in the order in which they are sent
	Tokens int     `json:"tokens"` // of what is sent, estimated
	Budget int     `json:"budget"` // tokens that the pieces about the workspace may have together
}

// A Piece is a part of what is sent.
type Piece struct {
	ID      string `json:"id"`    // names it in Choice: "callers"
	Title   string `json:"title"` // for people
	Why     string `json:"why"`   // it was chosen
	Tokens  int    `json:"tokens"`
	Fixed   bool   `json:"fixed,omitempty"`   // it cannot be removed
	Pinned  bool   `json:"pinned,omitempty"`  // the user wants it, whatever the budget
	Dropped string `json:"dropped,omitempty"` // why it is not sent; "": it is
	Text    string `json:"text"`

	paths []string // the files whose content is in it
}

// A Choice is what the user wants of the pieces, by their IDs.
type Choice struct {
	Drop []string `json:"drop,omitempty"` // not sent
	Pin  []string `json:"pin,omitempty"`  // sent, whatever the budget
}

// budgets are the tokens that the pieces about the workspace may have together:
// what is asked needs less than what is changed.
var budgets = map[Mode]int{Ask: 12_000, Explain: 12_000, Review: 24_000}

const editBudget = 16_000

func budgetOf(mode Mode) int {
	if n, ok := budgets[mode]; ok {
		return n
	}
	return editBudget
}

// Context returns what a run of task would begin with, as it would leave. It
// asks no model. The errors are those of Run about the focus.
func (a *Agent) Context(ctx context.Context, snap *index.Snapshot, task Task) (*Manifest, error) {
	r := &run{agent: a, task: task, draft: NewDraft(snap, a.gate)} //nolint:contextcheck // NewDraft reads a small file, at once
	screen := r.draft.Screen(ctx)
	m, err := r.manifest(ctx)
	if err != nil {
		return nil, err
	}
	for i := range m.Pieces {
		m.Pieces[i].Text = screen.Clean(m.Pieces[i].Text, m.Pieces[i].paths...)
	}
	var tools strings.Builder
	for _, tool := range r.offered() {
		spec := tool.Spec()
		fmt.Fprintf(&tools, "%s: %s\n%s\n", spec.Name, spec.Description, spec.Parameters)
	}
	fixed := []Piece{
		{ID: "instructions", Title: "Instructions", Why: "what every task of this kind begins with", Text: instructions(task.Mode), Fixed: true},
		{ID: "tools", Title: "Tools", Why: "what the model can call", Text: tools.String(), Fixed: true},
	}
	for i := range fixed {
		fixed[i].Tokens = a.tokens.Of(len(fixed[i].Text))
		m.Tokens += fixed[i].Tokens
	}
	m.Pieces = append(fixed, m.Pieces...)
	return m, nil
}

// manifest gathers the pieces and chooses among them.
func (r *run) manifest(ctx context.Context) (*Manifest, error) {
	pieces, err := r.gather(ctx)
	if err != nil {
		return nil, err
	}
	m := &Manifest{Pieces: pieces, Budget: budgetOf(r.task.Mode)}
	m.choose(r.task.Choice, r.agent.tokens)
	return m, nil
}

// removed is why a piece is not sent that the user does not want.
const removed = "you removed it"

// choose decides which pieces are sent: the fixed and the pinned ones, then the
// others in their order as long as they fit.
func (m *Manifest) choose(choice Choice, tokens *Tokens) {
	left := m.Budget
	for i := range m.Pieces {
		p := &m.Pieces[i]
		p.Tokens = tokens.Of(len(p.Text))
		p.Pinned = !p.Fixed && slices.Contains(choice.Pin, p.ID)
		switch {
		case p.Fixed || p.Pinned:
			left -= p.Tokens
		case slices.Contains(choice.Drop, p.ID):
			p.Dropped = removed
		}
	}
	for i := range m.Pieces {
		p := &m.Pieces[i]
		if p.Dropped == "" && !p.Fixed && !p.Pinned {
			if p.Tokens > left {
				p.Dropped = fmt.Sprintf("it does not fit into the budget of %d tokens", m.Budget)
			} else {
				left -= p.Tokens
			}
		}
		if p.Dropped == "" {
			m.Tokens += p.Tokens
		}
	}
}

// leftOut tells the model what was left out for space, so that it can look for
// itself; "" is nothing. What the user removed is not named.
func (m *Manifest) leftOut() string {
	var names []string
	for i := range m.Pieces {
		if p := &m.Pieces[i]; strings.HasPrefix(p.Dropped, "it does not fit") {
			names = append(names, fmt.Sprintf("%s (about %d tokens)", p.Title, p.Tokens))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "\nLeft out here for space: " + strings.Join(names, ", ") + ". Look with your tools where you need it.\n"
}

// items returns what is sent: the pieces about the workspace as one message of
// data, then what was said before and what the user wants.
func (m *Manifest) items() []Item {
	var data UserMessage
	var said []Item
	for i := range m.Pieces {
		p := &m.Pieces[i]
		switch {
		case p.Dropped != "":
		case p.ID == "earlier" || p.ID == "wish":
			said = append(said, UserMessage{Text: p.Text})
		default:
			if data.Text != "" {
				data.Text += "\n"
			}
			data.Text += p.Text
			data.Paths = append(data.Paths, p.paths...)
		}
	}
	data.Text += m.leftOut()
	return append([]Item{data}, said...)
}
