package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

// How a run can end without a result.
var (
	ErrTurnLimit = errors.New("the model did not come to an end")
	ErrStuck     = errors.New("the model is stuck")
)

const (
	defaultTurns     = 50
	defaultOutput    = 33_000 // bytes: about 10,000 tokens
	maxFailures      = 6      // turns in a row in which nothing succeeded
	maxCallsPerTurn  = 64
	maxTitle         = 72 // bytes
	nudge            = "Your last response was empty. Call a tool, or answer the user."
	tooManyCallsText = "there were too many calls in one response; this one was not made"
)

// Options configure an Agent. Only Model is needed.
type Options struct {
	Model Model
	Gate  *Gate  // nil is the deny list alone
	Tools []Tool // offered beside the agent's own in tasks that edit

	// Sandbox returns what runs the commands of one run, or one round of its
	// checks, on the workspace of these folders; it is closed at the end of
	// that. Nil, or a nil Sandbox: there are no commands. Verify returns the command lines that a
	// change is checked with before it is proposed.
	Sandbox func(roots []string) Sandbox
	Verify  func(roots []string) []string

	MaxTurns  int          // requests of one run; 0 is 50
	MaxOutput int          // bytes of a tool's output that the model gets; 0 is 33,000
	Log       *slog.Logger // nil discards
}

// An Agent runs tasks with a model. It holds nothing of any run, and may run
// several at once.
type Agent struct {
	model     gatedModel // there is no other way to the model
	extra     []Tool
	open      func(roots []string) Sandbox
	checks    func(roots []string) []string
	maxTurns  int
	maxOutput int
	log       *slog.Logger
}

var _ Runner = (*Agent)(nil)

// New returns an agent for the model of opts.
func New(opts Options) *Agent {
	a := &Agent{
		model: gatedModel{opts.Model, opts.Gate}, extra: opts.Tools, open: opts.Sandbox, checks: opts.Verify,
		maxTurns: opts.MaxTurns, maxOutput: opts.MaxOutput, log: opts.Log,
	}
	if a.model.gate == nil {
		a.model.gate = &Gate{}
	}
	if a.maxTurns <= 0 {
		a.maxTurns = defaultTurns
	}
	if a.maxOutput <= 0 {
		a.maxOutput = defaultOutput
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	return a
}

// A run is one execution of a task.
type run struct {
	agent    *Agent
	task     Task
	draft    *Draft
	sink     Sink
	tools    map[string]Tool
	req      Request
	usage    Usage
	written  int    // bytes of TextDelta that count
	failures int    // turns in a row in which nothing succeeded
	detail   string // what the present tool call says of its outcome

	sandbox    Sandbox                 // nil: there are no commands
	allowed    map[PermissionKind]bool // by the user, for all commands
	verifyWith []string
	checks     []edits.Check // of the draft as it is
	repairs    int           // times that checks were made
}

// Run executes task. Beside the model's own errors, and those of a focus that
// cannot be read, it returns ErrTurnLimit and ErrStuck, both wrapped, for a
// model that does not come to an end, and ErrWithheld for a focus that the
// gate keeps back.
func (a *Agent) Run(ctx context.Context, snap *index.Snapshot, task Task, sink Sink) (*Result, error) {
	r, err := a.begin(ctx, snap, task, sink)
	if err != nil {
		return nil, err
	}
	defer r.end(ctx, r.sandbox)
	for range a.maxTurns {
		answer, err := r.turn(ctx)
		if err != nil {
			return nil, err
		}
		if answer != nil {
			return r.result(ctx, *answer)
		}
	}
	return nil, fmt.Errorf("%w in %d turns; ask for less at a time", ErrTurnLimit, a.maxTurns)
}

func (a *Agent) begin(ctx context.Context, snap *index.Snapshot, task Task, sink Sink) (*run, error) {
	r := &run{agent: a, task: task, draft: NewDraft(snap, a.model.gate), sink: sink, tools: map[string]Tool{}, allowed: map[PermissionKind]bool{}}
	items, err := r.draft.opening(ctx, task)
	if err != nil {
		return nil, err
	}
	r.req = Request{Session: task.ID, Instructions: instructions(task.Mode), Items: items}
	if r.sandbox = task.Sandbox; r.sandbox == nil && task.Mode.Edits() && a.open != nil {
		r.sandbox = a.open(snap.Roots())
	}
	if r.sandbox != nil && a.checks != nil {
		r.verifyWith = a.checks(snap.Roots())
	}
	for _, tool := range r.offered() {
		spec := tool.Spec()
		r.tools[spec.Name] = tool
		r.req.Tools = append(r.req.Tools, spec)
	}
	a.log.InfoContext(ctx, "run started", "id", task.ID, "mode", string(task.Mode), "model", a.model.Name())
	return r, nil
}

// end closes box, unless it belongs to whoever gave the task.
func (r *run) end(ctx context.Context, box Sandbox) {
	if box == nil || box == r.task.Sandbox {
		return
	}
	if err := box.Close(); err != nil {
		r.agent.log.WarnContext(ctx, "sandbox not closed", "id", r.task.ID, "err", err)
	}
}

func (r *run) result(ctx context.Context, answer string) (*Result, error) {
	cs, err := r.draft.ChangeSet(ctx, r.task.ID, title(r.task.Prompt))
	if err != nil {
		return nil, err
	}
	if cs != nil {
		cs.Checks = r.checks
	}
	if answer == "" && cs == nil {
		answer = "Nothing was changed."
	}
	return &Result{Answer: answer, Change: cs, Usage: r.usage, Source: r.agent.model.Name()}, nil
}

// title returns the first line of prompt, shortened.
func title(prompt string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(prompt), "\n")
	return abbreviate(line, maxTitle)
}

// turn sends one request and does what its response asks for. It returns the
// answer with the last one.
func (r *run) turn(ctx context.Context) (answer *string, err error) {
	res, err := r.consume(ctx)
	if err != nil {
		return nil, err
	}
	r.usage = r.usage.plus(res.usage)
	r.req.Items = append(r.req.Items, res.items...)
	text := strings.Join(res.texts, "\n\n")
	switch {
	case len(res.calls) > 0:
		return nil, r.act(ctx, res.calls)
	case text == "" && len(r.draft.changed) == 0:
		r.req.Items = append(r.req.Items, UserMessage{Text: nudge})
		return nil, r.failed("it answers nothing")
	}
	failures, err := r.verify(ctx)
	if err != nil || failures == "" {
		return &text, err
	}
	r.req.Items = append(r.req.Items, UserMessage{Text: failures})
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

// act runs calls in order, and gives each one output.
func (r *run) act(ctx context.Context, calls []*ToolCall) error {
	succeeded, lastFailure := false, ""
	for i, call := range calls {
		if i >= maxCallsPerTurn {
			r.req.Items = append(r.req.Items, ToolOutput{CallID: call.ID, Freeform: call.Freeform, Text: tooManyCallsText})
			continue
		}
		out, failure, err := r.call(ctx, call)
		if err != nil {
			return err
		}
		r.req.Items = append(r.req.Items, out)
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

// failed counts a turn that brought nothing, and is ErrStuck after too many.
func (r *run) failed(reason string) error {
	r.failures++
	if r.failures < maxFailures {
		return nil
	}
	return fmt.Errorf("%w: nothing it did in %d turns succeeded, at last: %s", ErrStuck, r.failures, abbreviate(reason, 300))
}

// A response is what counts of one answer of the model.
type response struct {
	items     []Item
	texts     []string // of its messages
	calls     []*ToolCall
	usage     Usage
	complete  bool
	inMessage bool // deltas of a message came, but not yet the message
	from      int  // run.written when it began
}

// consume sends the request and takes in the stream that answers it. Text is
// shown at once; nothing is acted on before the response is complete, because
// until then it may break off and come again.
func (r *run) consume(ctx context.Context) (*response, error) {
	res := &response{from: r.written}
	for ev, err := range r.agent.model.Respond(ctx, &r.req) {
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
			r.take(res, ev)
		case Retrying:
			r.sink(Waiting{Reason: ev.Reason, Void: r.written - res.from})
			r.written = res.from
			res = &response{from: r.written}
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

func (r *run) take(res *response, done ItemDone) {
	res.items = append(res.items, done.Item)
	if done.Call != nil {
		res.calls = append(res.calls, done.Call)
	}
	if done.Text != "" {
		if !res.inMessage { // from a server that sends no deltas
			r.write(res, done.Text)
		}
		res.texts = append(res.texts, done.Text)
		res.inMessage = false
	}
}
