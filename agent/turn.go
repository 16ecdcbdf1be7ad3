package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// turn has the model respond, unless it has, and does what it asks for. It
// returns the answer with the last one.
func (r *run) turn(ctx context.Context) (answer *string, err error) {
	if r.pending == nil {
		if err := r.request(ctx); err != nil || r.pending == nil {
			return nil, err
		}
	}
	res := r.pending
	if len(res.calls) > 0 {
		if err := r.act(ctx, res); err != nil {
			return nil, err
		}
		r.pending = nil
		return nil, nil
	}
	return r.conclude(ctx, strings.Join(res.texts, "\n\n"))
}

// request tells the model what there is to tell, and takes in its response. A
// conversation that is too long for it is made shorter, once; after a response
// that was cut off nothing is pending.
func (r *run) request(ctx context.Context) error {
	for _, choice := range r.task.Inbox.takeChoices() {
		if err := r.rechoose(ctx, choice); err != nil {
			return err
		}
	}
	for _, text := range r.task.Inbox.take() {
		r.hear(text)
	}
	r.shorten()
	r.settle()
	res, err := r.consume(ctx)
	if window, _ := r.agent.window(); errors.Is(err, ErrTooLong) && r.compact(window) {
		res, err = r.consume(ctx)
	}
	if err != nil {
		return err
	}
	if res.cutShort {
		return r.dismiss(res)
	}
	r.received(res)
	return nil
}

const cutShortText = "Your last response was cut off at the limit of what you can write at a time, and nothing of it was done. Do less at a time: one file, one part of a file."

// dismiss tells the model that its response was cut off, and is as if it had not
// been: an item that it is part of may not be whole.
func (r *run) dismiss(res *response) error {
	left := r.void(res, "the response was cut off at the limit of what the model can write at a time, and is asked for again, in parts")
	left.usage = res.usage
	r.received(left)
	r.tell(UserMessage{Text: cutShortText})
	return r.failed("its responses are cut off at the limit of what it can write")
}

// received makes res what the run has to do.
func (r *run) received(res *response) {
	r.usage = r.usage.plus(res.usage)
	r.spent.add(res.usage)
	r.req.Items = append(r.req.Items, res.items...)
	r.sized, r.sizedAt = res.usage.InputTokens+res.usage.OutputTokens, len(r.req.Items)
	r.memory.responded(res.texts)
	r.note(&Record{Kind: ResponseCame, Items: res.items, Texts: res.texts, Calls: res.calls, Usage: &res.usage, Cost: r.cost()})
	r.pending = res
	if res.compacted >= 0 { // what came before is in that item
		r.replaceItems(slices.Clone(res.items[res.compacted:]))
		r.opened = 0
	}
	r.sink(Spent{Usage: r.usage, Cost: r.cost()})
}

// hear tells the model what its user says.
func (r *run) hear(words string) {
	r.memory.heard(words)
	message := UserMessage{Text: words}
	r.req.Items = append(r.req.Items, message)
	r.note(&Record{Kind: MessageGiven, Items: Items{message}, Said: words})
}

// tell tells the model what it did not ask for: that its checks failed, or that
// it said nothing, or too much.
func (r *run) tell(message UserMessage) {
	r.req.Items = append(r.req.Items, message)
	r.pending = nil
	r.note(&Record{Kind: MessageGiven, Items: Items{message}})
}

// conclude ends the run with text, unless there is more to do.
func (r *run) conclude(ctx context.Context, text string) (answer *string, err error) {
	switch {
	case r.task.Inbox.waits():
		r.pending = nil
		return nil, nil
	case strings.TrimSpace(text) == "" && len(r.draft.changed) == 0:
		r.tell(UserMessage{Text: nudge})
		return nil, r.failed("it answers nothing")
	}
	failures, err := r.verify(ctx)
	if err != nil || failures == "" {
		return &text, err
	}
	r.tell(UserMessage{Text: failures})
	return nil, nil
}

func (u Usage) plus(v Usage) Usage {
	return Usage{
		Requests:     u.Requests + v.Requests,
		InputTokens:  u.InputTokens + v.InputTokens,
		CachedTokens: u.CachedTokens + v.CachedTokens,
		OutputTokens: u.OutputTokens + v.OutputTokens,
	}
}

// act makes the calls of res that have no output yet, in order, and gives each
// one.
func (r *run) act(ctx context.Context, res *response) error {
	succeeded, lastFailure := false, ""
	for res.answered < len(res.calls) {
		call := res.calls[res.answered]
		if r.tools[call.Name] == (delegate{r}) && r.mayChange() {
			r.handOut(ctx, res)
		}
		out, failure, err := r.answer(ctx, call, res.answered)
		if err != nil {
			return err
		}
		res.answered++
		r.req.Items = append(r.req.Items, out)
		r.memory.answered(call, out, failure)
		r.note(&Record{Kind: CallAnswered, Call: call.ID, Items: Items{out}, Failed: failure, Files: r.changes(ctx)})
		if failure == "" {
			succeeded = true
			continue
		}
		lastFailure = failure
		r.agent.log.DebugContext(ctx, "tool failed", "tool", call.Name, "failure", failure)
	}
	if succeeded {
		r.failures = 0
		return nil
	}
	return r.failed(lastFailure)
}

const cutOffText = "error: the run was cut off while it made this call. Nothing of it is among your changes; what it did elsewhere is not known. Look, and make it again if it is still wanted."

// answer returns the output of the call with number i of its response.
func (r *run) answer(ctx context.Context, call *ToolCall, i int) (out ToolOutput, failure string, err error) {
	told := ToolOutput{CallID: call.ID, Freeform: call.Freeform}
	_, cutOff := r.began[call.ID]
	switch {
	case i >= maxCallsPerTurn:
		told.Text = tooManyCallsText
		return told, tooManyCallsText, nil
	case cutOff:
		told.Text = cutOffText
		return told, cutOffText, nil
	case slices.ContainsFunc(r.agent.extra, func(tool Tool) bool { return tool.Spec().Name == call.Name }):
		r.begins(call)
	}
	return r.call(ctx, call)
}

// begins notes that call is about to do more than read and change the draft: one
// that is cut off from then on is not made again unasked.
func (r *run) begins(call *ToolCall) { r.note(&Record{Kind: CallBegun, Call: call.ID}) }

// present returns the call that is being made.
func (r *run) present() *ToolCall { return r.pending.calls[r.pending.answered] }

// failed counts a turn that brought nothing, and is ErrStuck after too many.
func (r *run) failed(reason string) error {
	r.failures++
	if r.failures < maxFailures {
		return nil
	}
	return fmt.Errorf("%w: nothing it did in %d turns succeeded, at last: %s", ErrStuck, r.failures, abbreviate(reason, 300))
}
