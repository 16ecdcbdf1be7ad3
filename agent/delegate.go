package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/agentls/agentls/edits"
)

const (
	maxTask     = 8 << 10 // bytes of the task of a part
	partsAtOnce = 4       // each has commands of its own
)

// delegate hands a part of a task to a run of its own, on a draft of its own. It
// belongs to one run, which is no part itself.
type delegate struct{ run *run }

type delegateArgs struct {
	Task string `json:"task"`
}

func (delegate) Spec() ToolSpec { return spec("delegate") }

func (delegate) Title(args json.RawMessage) string {
	a, _ := decode[delegateArgs](args)
	return about("delegate", firstLineOf(a.Task))
}

func firstLineOf(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// A part is a run that was begun for a call of delegate.
type part struct {
	number int // of those of its run, from 1
	task   Task
	forget func() // lets go of its transcript
	done   chan struct{}

	// Written before done is closed.
	change *edits.ChangeSet
	result *Result
	err    error
}

// Run waits for the part that was begun for this call, and takes over what it
// changed.
func (t delegate) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	if len(t.run.parts) == 0 { // it could not be begun: the arguments say why
		_, err := partArgs(raw)
		return "", err
	}
	p := t.run.parts[0]
	t.run.parts = t.run.parts[1:]
	t.run.await(ctx, p)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if p.result != nil {
		t.run.charge(p.result.Usage)
	}
	if p.err != nil {
		return "", Fail("it came to no end, and nothing of it is among your changes: %v", p.err)
	}
	return t.integrate(ctx, d, p)
}

// charge counts what a part used as the run's.
func (r *run) charge(u Usage) {
	r.usage = r.usage.plus(u)
	r.spent.usage = r.spent.usage.plus(u)
	r.spent.turns += u.Requests
	r.note(&Record{Kind: PartEnded, Usage: &u, Cost: r.cost()})
	r.sink(Spent{Usage: r.usage, Cost: r.cost()})
}

// integrate takes over what p changed, and returns what the model is told of it.
func (t delegate) integrate(ctx context.Context, d *Draft, p *part) (string, error) {
	before := d.Now()
	made, err := d.takeOver(ctx, p.change)
	var conflict *edits.ConflictError
	switch {
	case errors.As(err, &conflict):
		return "", Fail("what it changed does not fit what others changed meanwhile, and nothing of it is among your changes: %v. Hand the part out again, or do it yourself. It said: %s", conflict, p.result.Answer)
	case err != nil:
		return "", err
	}
	followed, err := d.aftermath(ctx, before, made)
	t.run.detail = fmt.Sprintf("files changed: %d, requests: %d", len(made), p.result.Usage.Requests)
	return p.report() + followed, err
}

// report tells the model how the part ended.
func (p *part) report() string {
	out := ""
	if p.result.Paused != "" {
		out = "it is not done: " + p.result.Paused + "; what it has is among your changes\n"
	}
	if answer := strings.TrimSpace(p.result.Answer); answer != "" {
		out += "it says: " + answer + "\n"
	}
	if p.change == nil {
		out += "it changed nothing\n"
	}
	return out
}

func partArgs(raw json.RawMessage) (delegateArgs, error) {
	args, err := decode[delegateArgs](raw)
	switch {
	case err != nil:
		return args, err
	case strings.TrimSpace(args.Task) == "":
		return args, Fail("the task is empty: say what to do, where, and how to tell that it is done")
	case len(args.Task) > maxTask:
		return args, Fail("the task has more than %d bytes: hand out less at a time", maxTask)
	}
	return args, nil
}

// handOut begins the parts that the calls of res from its next one on hand out,
// as long as these follow each other directly. All see the draft as it is now.
// Those that were cut off go on, where their transcripts are there.
func (r *run) handOut(ctx context.Context, res *response) {
	if len(r.parts) > 0 {
		return // they were begun with the first of them
	}
	most := partsAtOnce
	if r.task.Sandbox != nil {
		most = 1 // it runs one command at a time
	}
	for i := res.answered; i < min(len(res.calls), maxCallsPerTurn) && len(r.parts) < most; i++ {
		p := r.partOf(res.calls[i])
		if p == nil {
			break
		}
		r.parts = append(r.parts, p)
	}
	share := r.share(max(len(r.parts), 1))
	for _, p := range r.parts {
		p.task.Budget = share
		r.start(ctx, p)
	}
}

// partOf returns the part that a call hands out, which is noted as begun; nil if
// the call is of another tool, has bad arguments, or began a part of which
// nothing is kept.
func (r *run) partOf(call *ToolCall) *part {
	number, cutOff := r.began[call.ID]
	raw, err := arguments(call)
	if call.Name != delegateTool || err != nil {
		return nil
	}
	args, err := partArgs(r.model.screen.RestoreJSON(raw))
	if err != nil {
		return nil
	}
	if !cutOff {
		r.handed++
		number = r.handed
	}
	p := r.newPart(number, args.Task)
	if cutOff && p.task.Past == nil {
		p.forget()
		return nil
	}
	delete(r.began, call.ID)
	r.begins(call)
	return p
}

const delegateTool = "delegate"

// partly is what the instructions of a part end with.
const partly = "\n\nYou do one part of a larger task, which another agent does and answers for. Do this part alone. End with a few sentences that say what you changed and what is left open."

// newPart returns the part with a number, from 1, with what is kept of it.
func (r *run) newPart(number int, words string) *part {
	p := &part{number: number, done: make(chan struct{}), forget: func() {}}
	p.task = Task{
		ID: fmt.Sprintf("%s.%d", r.task.ID, number), Mode: Edit, Prompt: words, Parent: r.task.ID,
		Editor: r.task.Editor, Sandbox: r.task.Sandbox, Sent: r.task.Sent, within: r.draft.handed(),
	}
	p.task.Permit, p.task.Question = r.asking.of(r.task)
	if r.task.Keep != nil {
		p.task.Past, p.task.Transcript, p.forget = r.task.Keep(p.task.ID)
	}
	return p
}

// start has p work beside the run.
func (r *run) start(ctx context.Context, p *part) {
	events, id, title := r.told, p.task.ID+"/", fmt.Sprintf("part %d: ", p.number)
	go func() {
		defer close(p.done)
		defer p.forget()
		p.do(ctx, r.agent, func(e Event) {
			if e := renamed(e, id, title); e != nil {
				select {
				case events <- e:
				case <-ctx.Done():
				}
			}
		})
	}()
}

// do runs the part to its end, or to what it had come to where that was its end.
func (p *part) do(ctx context.Context, a *Agent, sink Sink) {
	r, err := a.begin(ctx, p.task.within.snap, p.task, sink)
	if err != nil {
		p.err = err
		return
	}
	defer r.end(ctx, r.sandbox)
	working, stop := context.WithCancel(ctx)
	defer stop()
	if past := p.task.Past; past != nil && past.State == Done {
		p.result, p.err = r.result(working, past.Answer)
	} else {
		p.result, p.err = r.turns(working)
	}
	r.ended(ctx, p.result, p.err)
	if p.result == nil {
		p.result = &Result{Usage: r.usage}
		return
	}
	p.change = p.result.Change
}

// await waits for p, and tells of the parts' events meanwhile.
func (r *run) await(ctx context.Context, p *part) {
	for {
		select {
		case e := <-r.told:
			r.sink(e)
		case <-p.done:
			return
		case <-ctx.Done():
			<-p.done // it ends with ctx, and holds the draft until then
			return
		}
	}
}

// abandon waits for the parts that nobody waits for any more: they end with the
// run's context.
func (r *run) abandon() {
	for _, p := range r.parts {
		<-p.done
	}
}

// share returns what each of several parts may use of what is left.
func (r *run) share(several int) *Budget {
	left := r.spent.budget
	left.Turns = max((left.Turns-r.spent.turns)/several, 1)
	if left.Time > 0 && r.agent.now != nil {
		left.Time = max(left.Time-r.agent.now().Sub(r.spent.since), 1)
	}
	if left.Cost > 0 && r.agent.price != nil {
		left.Cost = max(left.Cost-r.agent.price.Of(r.spent.usage), 0.0001) / float64(several)
	}
	return &left
}

// handed returns a draft with the changes of d, for a run that is a part of d's:
// its change set holds what it changes itself.
func (d *Draft) handed() *Draft {
	base := d.Now()
	out := d.clone()
	out.base = base
	out.leftOut = map[string]string{}
	return out
}

// takeOver makes the changes of cs in d, all or none, on what d has by now, and
// returns what they were. The error is an *edits.ConflictError where they do not
// fit; cs may be nil.
func (d *Draft) takeOver(ctx context.Context, cs *edits.ChangeSet) ([]edits.FileEdit, error) {
	if cs == nil {
		return nil, nil
	}
	fit, conflicts, err := edits.Rebase(ctx, cs, d)
	if err != nil {
		return nil, err
	}
	if len(conflicts) > 0 {
		return nil, &edits.ConflictError{Conflicts: conflicts}
	}
	var made []edits.FileEdit
	for i := range fit.Files {
		f := &fit.Files[i]
		d.record(edits.FileEdit{Op: f.Op, Path: f.Path, To: f.To, Content: f.After(), Overwrote: f.Overwrites})
		if f.Mode != 0 && f.Op != edits.Delete {
			d.SetMode(f.Target(), f.Was, f.Mode)
		}
		made = append(made, edits.FileEdit{Op: f.Op, Path: f.Path, To: f.To, Content: f.After(), Overwrote: f.Overwrites})
	}
	for _, left := range cs.LeftOut {
		d.LeaveOut(left.Path, left.Why)
	}
	return made, nil
}
