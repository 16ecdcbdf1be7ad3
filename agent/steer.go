package agent

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// An Inbox takes what the user says to a run under way. The model hears it with
// the next turn. Its zero value is empty; a nil one stays so.
type Inbox struct {
	mu       sync.Mutex
	messages []string // guarded by mu
	choices  []Choice // guarded by mu
}

// Put leaves a message, which may come from any goroutine. Blank ones are
// dropped.
func (b *Inbox) Put(message string) {
	if strings.TrimSpace(message) == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = append(b.messages, message)
}

// take returns the messages, the oldest first, and leaves none.
func (b *Inbox) take() []string {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	messages := b.messages
	b.messages = nil
	return messages
}

// waits reports whether there are messages.
func (b *Inbox) waits() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.messages) > 0
}

// A Question is what the model asks its user.
type Question struct {
	Text    string   `json:"text"`
	Options []string `json:"options,omitempty"` // answers to choose from; others are good too
}

// Bounds of a question: a user is to read it.
const (
	maxQuestion = 4 << 10 // bytes
	maxOptions  = 20
	maxOption   = 300 // bytes
)

// check returns a Failure for a question that nobody can be asked.
func (q *Question) check() error {
	tooLong := func(option string) bool { return len(option) > maxOption }
	switch {
	case strings.TrimSpace(q.Text) == "":
		return Fail("the question is empty")
	case len(q.Text) > maxQuestion:
		return Fail("the question has %d bytes; the user reads %d at most", len(q.Text), maxQuestion)
	case len(q.Options) > maxOptions || slices.ContainsFunc(q.Options, tooLong):
		return Fail("a question has %d options at most, of %d bytes each", maxOptions, maxOption)
	}
	return nil
}

// An Asker puts a question to the user, and waits for the answer. The error says
// why they could not be asked.
type Asker func(ctx context.Context, q Question) (answer string, err error)

// question asks the user for the model. The error is a Failure where nobody is
// there to answer.
func (r *run) question(ctx context.Context, q Question) (string, error) {
	if err := q.check(); err != nil {
		return "", err
	}
	if r.task.Question == nil {
		return "", Fail("nobody is there to answer: decide yourself, and say in the end what you assumed")
	}
	r.sink(Waiting{Reason: "waiting for your answer"})
	answer, err := r.task.Question(ctx, q)
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", Fail("the user could not be asked (%v): decide yourself, and say in the end what you assumed", err)
	case strings.TrimSpace(answer) == "":
		return "", Fail("the user gave no answer: decide yourself, and say in the end what you assumed")
	}
	return answer, nil
}
