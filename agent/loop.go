package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

// ErrStuck is the end of a run that brings nothing any more.
var ErrStuck = errors.New("the model is stuck")

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
	Gate  *Gate // nil is the zero gate

	// What a conversation begins with, beside the code in focus: the user's own
	// guidance for agents; what version control says of a workspace, for people;
	// a map of it, which knows its history. Where there is none, it is left out.
	Guidance  string
	State     func(ctx context.Context, snap *index.Snapshot) (string, error)
	Histories *index.Histories

	Tokens *Tokens // nil: nothing is learned of the model's
	Tools  []Tool  // offered beside the agent's own in tasks that edit

	// Sandbox returns what runs the commands of one run, or one round of its
	// checks, on the workspace of these folders; it is closed at the end of
	// that. Nil, or a nil Sandbox: there are no commands. Verify returns the command lines that a
	// change is checked with before it is proposed.
	Sandbox func(roots []string) Sandbox
	Verify  func(roots []string) []string

	OnePass bool // reviews show what they found without a second pass over it

	Budget    Budget           // of a run whose task brings none
	Price     *Price           // of the model; nil: it is not known
	MaxOutput int              // bytes of a tool's output that the model gets; 0 is 33,000
	Effort    map[Mode]string  // of reasoning: "low", "medium", "high"; a mode that is not named has its default
	Now       func() time.Time // for budgets and transcripts; nil: they know no time
	Log       *slog.Logger     // nil discards
}

// usualEfforts are the defaults: a question is to be answered soon.
var usualEfforts = map[Mode]string{Ask: "low", Explain: "low", Edit: "medium", PlanFirst: "medium", Review: "high"}

// An Agent runs tasks with a model. It holds nothing of any run, and may run
// several at once.
type Agent struct {
	model     Model // a run reaches it through its gatedModel alone
	gate      *Gate
	tokens    *Tokens
	guidance  string
	state     func(ctx context.Context, snap *index.Snapshot) (string, error)
	histories *index.Histories
	extra     []Tool
	open      func(roots []string) Sandbox
	checks    func(roots []string) []string
	onePass   bool
	budget    Budget
	price     *Price
	maxOutput int
	effort    map[Mode]string
	now       func() time.Time
	log       *slog.Logger
}

var _ Runner = (*Agent)(nil)

// New returns an agent for the model of opts.
func New(opts Options) *Agent {
	a := &Agent{
		model: opts.Model, gate: opts.Gate, tokens: opts.Tokens, guidance: opts.Guidance, state: opts.State, histories: opts.Histories, extra: opts.Tools, open: opts.Sandbox, checks: opts.Verify,
		onePass: opts.OnePass,
		budget:  opts.Budget, price: opts.Price, maxOutput: opts.MaxOutput, effort: opts.Effort, now: opts.Now, log: opts.Log,
	}
	if a.gate == nil {
		a.gate = &Gate{}
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
	agent      *Agent
	task       Task
	draft      *Draft
	model      gatedModel // there is no other way to the model
	sink       Sink
	tools      map[string]Tool
	req        Request
	pending    *response // came, and was not done; nil: the model's turn
	usage      Usage
	opened     int       // items that the conversation begins with
	sized      int       // tokens of the last request and its response; 0: not known
	sizedAt    int       // items they were
	shown      *Manifest // what the conversation begins with, as the user has it by now; nil: as it began
	memory     memory
	plan       Plan
	findings   []Finding // of a review
	dropped    []Finding // by its second pass
	accepted   bool      // the plan, by the user
	steps      []checkpoint
	round      int // of review; 0 is the first
	spent      meter
	transcript Transcript           // nil: the run is not kept
	kept       map[string]draftFile // what the transcript says of the draft
	contents   contents             // that the transcript tells
	began      map[string]int       // calls that were cut off; the number of the part that one began, 0: none
	written    int                  // bytes of TextDelta that count
	failures   int                  // turns in a row in which nothing succeeded
	detail     string               // what the present tool call says of its outcome

	parts  []*part    // that were handed out and not taken over
	handed int        // parts in all
	told   chan Event // of parts
	asking *asking    // the user, for parts

	sandbox    Sandbox         // nil: there are no commands
	allowed    map[string]bool // by the user, for all commands: kinds, and paths
	verifyWith []string
	checks     []edits.Check // of the draft as it is
	repairs    int           // times that checks were made
}

// Run executes task, or goes on with it. It pauses at its budget, with what it
// has: the Result says so. Beside the model's own errors, and those of a focus
// that cannot be read, it returns ErrStuck, wrapped, for a model that comes to
// nothing, ErrWithheld for a focus that the gate keeps back, and ErrDone for a
// run that has nothing to go on with.
func (a *Agent) Run(ctx context.Context, snap *index.Snapshot, task Task, sink Sink) (*Result, error) {
	r, err := a.begin(ctx, snap, task, sink)
	if err != nil {
		return nil, err
	}
	defer r.end(ctx, r.sandbox)
	working, stop := context.WithCancel(ctx)
	defer r.abandon()
	defer stop() // what was begun and is not wanted any more
	res, err := r.turns(working)
	r.ended(ctx, res, err)
	return res, err
}

// turns takes turns until the run has an answer, or has to pause.
func (r *run) turns(ctx context.Context) (*Result, error) {
	for {
		if why := r.overBudget(); why != "" {
			return r.pause(ctx, why)
		}
		answer, err := r.turn(ctx)
		var paused *pauseError
		switch {
		case errors.As(err, &paused):
			return r.pause(ctx, paused.reason)
		case err != nil:
			return nil, err
		case answer != nil:
			if err := r.confirm(ctx); err != nil {
				return nil, err
			}
			return r.result(ctx, *answer)
		}
	}
}

func (a *Agent) begin(ctx context.Context, snap *index.Snapshot, task Task, sink Sink) (*run, error) {
	r := &run{
		agent: a, task: task, sink: sink, transcript: task.Transcript,
		draft: NewDraft(snap, a.gate), //nolint:contextcheck // it reads a small file, at once
		tools: map[string]Tool{}, allowed: map[string]bool{}, kept: map[string]draftFile{}, contents: contents{},
		told: make(chan Event), asking: &asking{},
	}
	if task.within != nil {
		r.draft = task.within
	}
	r.model = gatedModel{a.model, r.draft.Screen(ctx), task.Sent, a.tokens}
	r.req = Request{Session: task.ID, Effort: a.effort[task.Mode], UsualEffort: usualEfforts[task.Mode], Instructions: instructions(task.Mode)}
	if task.Parent != "" {
		r.req.Instructions += partly
	}
	if err := r.open(ctx); err != nil {
		return nil, err
	}
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
	r.startMeter()
	a.log.InfoContext(ctx, "run started", "id", task.ID, "mode", string(task.Mode), "model", a.model.Name())
	return r, nil
}

// open begins the conversation, or takes up the one there was.
func (r *run) open(ctx context.Context) error {
	if past := r.task.Past; past != nil {
		if past.State == Done && r.task.Parent == "" && !r.task.Inbox.waits() && !r.task.Round.says() {
			return ErrDone
		}
		r.takeUp(past)
		if past.choice != nil {
			r.task.Choice = *past.choice
			var err error
			if r.shown, err = r.manifest(ctx); err != nil {
				return err
			}
		}
		if r.task.Round != nil {
			return r.beginRound(ctx, r.task.Round)
		}
		return nil
	}
	items, err := r.opening(ctx)
	if err != nil {
		return err
	}
	r.req.Items, r.opened = items, len(items)
	r.note(&Record{Kind: TaskGiven, Format: transcriptFormat, Task: &r.task, Model: r.agent.model.Name(), Items: items})
	return nil
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

// ended notes how the run ended.
func (r *run) ended(ctx context.Context, res *Result, err error) {
	rec := &Record{Kind: RunEnded, State: Done, Cost: r.cost()}
	switch {
	case ctx.Err() != nil && err != nil:
		rec.State, rec.Reason = Stopped, context.Cause(ctx).Error()
	case err != nil:
		rec.State, rec.Reason = Failed, err.Error()
	case res.Paused != "":
		rec.State, rec.Reason = Paused, res.Paused
	default:
		rec.Answer = res.Answer
	}
	r.note(rec)
	r.settle()
}

func (r *run) result(ctx context.Context, answer string) (*Result, error) {
	cs, err := r.draft.ChangeSet(ctx, r.id(), r.task.Title())
	if err != nil {
		return nil, err
	}
	steps, err := r.stepChanges(ctx)
	if err != nil {
		return nil, err
	}
	if cs != nil {
		cs.Checks = r.checks
	}
	if answer == "" && cs == nil {
		answer = "Nothing was changed."
	}
	return &Result{Answer: answer, Change: cs, Findings: urgentFirst(r.findings), Dropped: r.dropped, Steps: steps, Usage: r.usage, Cost: r.cost(), Source: r.agent.model.Name()}, nil
}

// A pauseError has the run pause, with its work kept.
type pauseError struct{ reason string }

func (e *pauseError) Error() string { return e.reason }

// pause ends the run for now, with what it has.
func (r *run) pause(ctx context.Context, why string) (*Result, error) {
	res, err := r.result(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("%s; and what it has cannot be proposed: %w", why, err)
	}
	res.Paused, res.Answer = why, ""
	return res, nil
}
