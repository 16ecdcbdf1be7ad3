package agent

import (
	"context"
	"encoding/json"
)

// maxAhead is how many calls run at a time.
const maxAhead = 4

// readings are the calls of a response that were made ahead.
type readings struct {
	by     map[*ToolCall]*reading
	slots  chan struct{}
	barred bool // a call came that may change something
}

// A reading is the outcome of one call, once done is closed.
type reading struct {
	done  chan struct{}
	text  string
	shown []string
	err   error
}

// readAhead begins call beside the stream, if its tool only reads and no call
// before it in the response may have changed anything.
func (r *run) readAhead(ctx context.Context, res *response, call *ToolCall) {
	tool := r.tools[call.Name]
	_, reads := tool.(ReadOnly)
	if !reads || res.ahead.barred {
		res.ahead.barred = true
		return
	}
	args, err := arguments(call)
	if err != nil || len(res.calls) > maxCallsPerTurn {
		return // it will be said in its place
	}
	if res.ahead.by == nil {
		res.ahead.by, res.ahead.slots = map[*ToolCall]*reading{}, make(chan struct{}, maxAhead)
	}
	out := &reading{done: make(chan struct{})}
	res.ahead.by[call] = out
	go out.make(ctx, res.ahead.slots, tool, r.draft.clone(), r.model.screen.RestoreJSON(args))
}

func (out *reading) make(ctx context.Context, slots chan struct{}, tool Tool, draft *Draft, args json.RawMessage) {
	defer close(out.done)
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		out.err = context.Cause(ctx)
		return
	}
	out.text, out.err = tool.Run(ctx, draft, args)
	out.shown = draft.takeShown()
}

// runTool runs call, or waits for it where that was done ahead.
func (r *run) runTool(ctx context.Context, tool Tool, call *ToolCall, args json.RawMessage) (string, error) {
	out := r.pending.ahead.by[call]
	if out == nil {
		if !r.mayChange() && !isHarmless(tool) {
			return "", Fail(notAccepted)
		}
		return tool.Run(ctx, r.draft, args)
	}
	select {
	case <-out.done:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	for _, path := range out.shown {
		r.draft.Show(path)
	}
	return out.text, out.err
}

// isHarmless reports whether tool changes no more than the plan.
func isHarmless(tool Tool) bool {
	switch tool.(type) {
	case ReadOnly, viewImage, updatePlan, askUser, reportFinding:
		return true
	}
	return false
}
