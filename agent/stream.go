package agent

import (
	"bytes"
	"context"
	"fmt"
	"slices"
)

// A response is what counts of one answer of the model.
type response struct {
	items     []Item
	texts     []string // of its messages
	calls     []*ToolCall
	usage     Usage
	complete  bool
	cutShort  bool // at the limit of what the model may write
	inMessage bool // deltas of a message came, but not yet the message
	size      int  // bytes that came
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
	timed, stop := r.untilTime(ctx)
	defer stop()
	res := &response{from: r.written, compacted: -1}
	for ev, err := range r.model.Respond(timed, &r.req) {
		if timed.Err() != nil {
			break
		}
		if err != nil {
			return nil, err
		}
		if res = r.event(ctx, res, ev); res.isEndless() {
			res.complete, res.cutShort = true, true
			break
		}
	}
	switch why := context.Cause(timed); {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case why != nil && !res.complete:
		r.void(res, why.Error())
		return nil, why
	case !res.complete:
		return nil, fmt.Errorf("the response of %s ended early", r.agent.model.Name())
	}
	return res, nil
}

// event takes in what came next of res.
func (r *run) event(ctx context.Context, res *response, ev ModelEvent) *response {
	switch ev := ev.(type) {
	case OutputDelta:
		r.write(res, ev.Text)
		res.inMessage = true
		res.size += len(ev.Text)
	case SummaryDelta:
		r.sink(ReasoningDelta(ev))
		res.size += len(ev.Text)
	case ItemDone:
		r.take(ctx, res, ev)
		res.size += len(ev.Item.Raw)
	case Retrying:
		return r.void(res, ev.Reason)
	case Completed:
		res.usage, res.complete, res.cutShort = ev.Usage, true, ev.CutShort
	}
	return res
}

// Bounds of a response, far above what any model writes: its server may have lost
// the end.
const (
	maxResponse = 32 << 20 // bytes
	maxItems    = 1000
)

// isEndless reports whether the response is more than a model says at a time.
func (res *response) isEndless() bool { return res.size > maxResponse || len(res.items) > maxItems }

// void takes back what was shown of res, and returns an empty one in its place.
func (r *run) void(res *response, reason string) *response {
	r.sink(Waiting{Reason: reason, Void: r.written - res.from})
	r.written = res.from
	return &response{from: r.written, compacted: -1}
}

// write shows a piece of a message, with an empty line between messages.
func (r *run) write(res *response, piece string) {
	if !res.inMessage && r.written > 0 {
		piece = "\n\n" + piece
	}
	r.written += len(piece)
	r.sink(TextDelta{Text: piece})
}

// has reports whether item came before in the response: servers refuse requests
// with two of one id.
func (res *response) has(item ModelItem) bool {
	return slices.ContainsFunc(res.items, func(other Item) bool {
		o, ok := other.(ModelItem)
		return ok && bytes.Equal(o.Raw, item.Raw)
	})
}

func (r *run) take(ctx context.Context, res *response, done ItemDone) {
	if done.Call != nil && r.isRepeated(res, done.Call.ID) || done.Call == nil && res.has(done.Item) {
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
