package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Choose leaves what the user wants of the pieces that the run began with, from
// its next turn on. It may be called from any goroutine.
func (b *Inbox) Choose(c Choice) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.choices = append(b.choices, c)
}

func (b *Inbox) takeChoices() []Choice {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	choices := b.choices
	b.choices = nil
	return choices
}

// with returns c after a later choice.
func (c Choice) with(later Choice) Choice {
	without := func(list, gone []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(id string) bool { return slices.Contains(gone, id) })
	}
	return Choice{Drop: append(without(c.Drop, later.Pin), later.Drop...), Pin: append(without(c.Pin, later.Drop), later.Pin...)}
}

// rechoose takes in what the user wants of the pieces by now. What was sent has
// been sent: the model is told that a piece is withdrawn, and it is not among
// what the conversation begins with once that is made shorter. A pinned piece
// that was not sent is the next message.
func (r *run) rechoose(ctx context.Context, c Choice) error {
	if r.shown == nil {
		var err error
		if r.shown, err = r.manifest(ctx); err != nil {
			return err
		}
	}
	r.task.Choice = r.task.Choice.with(c)
	var done, failed []string
	say := func(id, what string) { done = append(done, what+" "+id) }
	for _, id := range c.Drop {
		switch p := r.shown.find(id); {
		case p == nil || p.Fixed:
			failed = append(failed, id)
		case p.Dropped == "":
			p.Dropped, p.Pinned = removed, false
			r.tellChoice(UserMessage{Text: fmt.Sprintf("The user withdrew a part of what this conversation began with: %s. Do not rely on it any more.", p.Title)})
			say(id, "removed")
		}
	}
	for _, id := range c.Pin {
		switch p := r.shown.find(id); {
		case p == nil || p.Fixed:
			failed = append(failed, id)
		case p.Dropped != "":
			p.Dropped = ""
			r.tellChoice(UserMessage{Text: "Data that the user adds, " + p.Title + ":\n" + p.Text, Paths: p.paths})
			say(id, "added")
			fallthrough
		default:
			p.Pinned = true
		}
	}
	r.sayChoice(done, failed)
	return nil
}

func (m *Manifest) find(id string) *Piece {
	i := slices.IndexFunc(m.Pieces, func(p Piece) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return &m.Pieces[i]
}

// tellChoice is tell, with the choice that it comes of.
func (r *run) tellChoice(message UserMessage) {
	r.req.Items = append(r.req.Items, message)
	choice := r.task.Choice
	r.note(&Record{Kind: MessageGiven, Items: Items{message}, Choice: &choice})
}

// sayChoice tells the user what became of a choice.
func (r *run) sayChoice(done, failed []string) {
	step := StepStarted{ID: fmt.Sprintf("context %d", r.spent.turns), Tool: "context", Title: "change the context"}
	end := StepDone{ID: step.ID, Tool: step.Tool, Title: step.Title, Detail: strings.Join(done, ", ")}
	if len(failed) > 0 {
		end.Failed = "not among the pieces that can be removed or pinned: " + strings.Join(failed, ", ")
	}
	r.sink(step)
	r.sink(end)
}

// beginning returns the items that the conversation begins with by now.
func (r *run) beginning() []Item {
	if r.shown == nil || r.opened == 0 {
		return r.req.Items[:r.opened]
	}
	return r.shown.items()
}
