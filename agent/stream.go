package agent

import (
	"context"
	"fmt"
)

// A response is what counts of one answer of the model.
type response struct {
	items     []Item
	texts     []string // of its messages
	calls     []*ToolCall
	usage     Usage
	complete  bool
	inMessage bool // deltas of a message came, but not yet the message
	from      int  // run.written when it began
	answered  int  // calls that have an output
	compacted int  // the number in items of the one that stands for all before; -1: none
	ahead     readings
}

// consume sends the request and takes in the stream that answers it. Text is
// shown at once, and calls that only read are made at once; nothing else is
// acted on before the response is complete, because until then it may break off
// and come again.
func (r *run) consume(ctx context.Context) (*response, error) {
	res := &response{from: r.written, compacted: -1}
	for ev, err := range r.model.Respond(ctx, &r.req) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			return nil, err
		}
		switch ev := ev.(type) {
		case OutputDelta:
			r.write(res, ev.Text)
			res.inMessage = true
		case SummaryDelta:
			r.sink(ReasoningDelta(ev))
		case ItemDone:
			r.take(ctx, res, ev)
		case Retrying:
			r.sink(Waiting{Reason: ev.Reason, Void: r.written - res.from})
			r.written = res.from
			res = &response{from: r.written, compacted: -1}
		case Completed:
			res.usage, res.complete = ev.Usage, true
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if !res.complete {
		return nil, fmt.Errorf("the response of %s ended early", r.agent.model.Name())
	}
	return res, nil
}

// write shows a piece of a message, with an empty line between messages.
func (r *run) write(res *response, piece string) {
	if !res.inMessage && r.written > 0 {
		piece = "\n\n" + piece
	}
	r.written += len(piece)
	r.sink(TextDelta{Text: piece})
}

func (r *run) take(ctx context.Context, res *response, done ItemDone) {
	if done.Call != nil && r.isRepeated(res, done.Call.ID) {
		return
	}
	if done.Compacts {
		res.compacted = len(res.items)
	}
	res.items = append(res.items, done.Item)
	if done.Call != nil {
		res.calls = append(res.calls, done.Call)
		r.readAhead(ctx, res, done.Call)
	}
	if done.Text != "" {
		if !res.inMessage { // from a server that sends no deltas
			r.write(res, done.Text)
		}
		res.texts = append(res.texts, done.Text)
		res.inMessage = false
	}
}
