package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/index/git"
)

var _ agent.Runner = (*Client)(nil)

// ErrLeft is the cause to end the context of Run with so that the task goes on
// at the service. Any other cancels it there too.
var ErrLeft = errors.New("the task goes on at the service")

// goodbye is how long a cancel may take once nobody waits for it.
const goodbye = 5 * time.Second

// A Submission is what Submit hands over, beside the code.
type Submission struct {
	Key         string // the same key is the same task
	Mode        agent.Mode
	Prompt      string
	Focus       *agent.Focus
	Attempts    int    // 0 is 1
	Environment string // "" is Options.Environment

	Broken func(reason error) // is told why Submit waits; may be nil
}

// A Submitted is a task that the service has accepted, for ever.
type Submitted struct {
	Task *Task
	Left []string // files that differ and were not sent, because they may hold secrets or are too large

	Committed []Committed // secrets in the commits that were sent
}

// Warning says what of the commits should not have left; "" for nothing.
func (s *Submitted) Warning() string {
	if len(s.Committed) == 0 {
		return ""
	}
	return "the commits that were sent hold what looks like secrets: " + describe(s.Committed) + "; refuse_secrets = true under [remote] keeps such commits here"
}

// Submit hands a task over, with the code as snap has it, saved or not. While
// a service that answered at first cannot be reached, it tries again: the key
// makes sure that there is one task. Where ctx ends meanwhile, that is
// cancelled, unless the cause is ErrLeft.
func (c *Client) Submit(ctx context.Context, snap *index.Snapshot, sub Submission) (*Submitted, error) {
	if sub.Environment == "" {
		sub.Environment = c.opts.Environment
	}
	own, err := c.hasOwn(ctx)
	if err != nil {
		return nil, err
	}
	root, err := rootFor(snap, sub.Focus)
	if err != nil {
		return nil, err
	}
	tree, err := readTree(ctx, snap, root, c.opts.Gate, c.screen)
	if err != nil {
		return nil, err
	}
	spec := Spec{Key: sub.Key, Mode: sub.Mode, Prompt: c.screen.Clean(sub.Prompt), Attempts: sub.Attempts, Environment: sub.Environment}
	if spec.Focus, err = focusIn(tree.top, sub.Focus); err != nil {
		return nil, err
	}
	done := &Submitted{Left: tree.left}
	if !own {
		done.Task, err = c.submitCodex(ctx, spec, tree)
		return done, err
	}
	err = c.persist(ctx, sub.Broken, func() error {
		if spec.Base, err = c.sendTree(ctx, tree); err != nil {
			return err
		}
		done.Committed = tree.committed
		if done.Task, err = c.Create(ctx, spec); err != nil {
			c.revoke(ctx, spec)
		}
		return err
	})
	return done, err
}

// revoke cancels what a Create made of which ctx did not see the end.
func (c *Client) revoke(ctx context.Context, spec Spec) {
	if ctx.Err() == nil || errors.Is(context.Cause(ctx), ErrLeft) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if t, err := c.Create(ctx, spec); err == nil {
		c.abandon(ctx, t.ID)
	}
}

// submitCodex hands a task to an endpoint with the Codex API alone.
func (c *Client) submitCodex(ctx context.Context, spec Spec, tree *tree) (*Task, error) {
	var err error
	if spec.Base.Branch, err = git.Branch(ctx, tree.top); err != nil && !errors.Is(err, git.ErrNoGit) {
		return nil, err
	}
	if spec.Base.Diff, err = tree.diff(ctx); err != nil {
		return nil, err
	}
	t, err := c.codexCreate(ctx, spec)
	if err != nil {
		return nil, err
	}
	t.Base.Commit = tree.commit
	return t, nil
}

// rootFor returns the folder of the workspace that a task is about.
func rootFor(snap *index.Snapshot, focus *agent.Focus) (string, error) {
	for _, root := range snap.Roots() {
		if len(snap.Roots()) == 1 {
			return root, nil
		}
		if focus != nil {
			if rel, err := filepath.Rel(root, focus.Path); err == nil && filepath.IsLocal(rel) {
				return root, nil
			}
		}
	}
	return "", errors.New("the workspace has several folders, or none: give the task a place in one of them")
}

// rootOf returns the folder of the workspace that t began from.
func rootOf(ctx context.Context, snap *index.Snapshot, t *Task) (string, error) {
	roots := snap.Roots()
	if len(roots) == 1 {
		return roots[0], nil
	}
	for _, root := range roots {
		if _, err := git.Tree(ctx, root, t.Base.Commit); err == nil && t.Base.Commit != "" {
			return root, nil
		}
	}
	return "", fmt.Errorf("%s began at the commit %.10s, which no folder of the workspace has", t.ID, t.Base.Commit)
}

func focusIn(top string, focus *agent.Focus) (*Focus, error) {
	if focus == nil {
		return nil, nil
	}
	rel, err := filepath.Rel(top, focus.Path)
	if err != nil || !filepath.IsLocal(rel) {
		return nil, fmt.Errorf("focus %s: %w", focus.Path, edits.ErrOutside)
	}
	return &Focus{Path: filepath.ToSlash(rel), Span: focus.Span, Symbol: focus.Symbol}, nil
}

// ChangeSet returns what attempt number of t changed, as a change set against
// the base that was sent, in the working tree around dir; nil where nothing
// was changed. Its ID is the task's, with the attempt's number behind it where
// there are several. The error says which line of the diff does not fit, names
// the path that leads outside, or the commit that the repository lacks.
func (c *Client) ChangeSet(ctx context.Context, dir string, t *Task, number int) (*edits.ChangeSet, error) {
	a, err := t.Attempt(number)
	if err != nil {
		return nil, err
	}
	if a.Result.Diff == "" {
		return nil, nil
	}
	top, ok, err := git.Root(ctx, dir)
	if err != nil && !errors.Is(err, git.ErrNoGit) {
		return nil, err
	}
	if !ok {
		top = dir
	}
	src, err := c.source(ctx, top, t, a) // first: it learns the secrets of the base
	if err != nil {
		return nil, err
	}
	parsed, err := edits.ParseGitDiff(c.screen.Restore(a.Result.Diff))
	if err != nil {
		return nil, fmt.Errorf("the result of %s: %w", t.ID, err)
	}
	cs, err := parsed.ChangeSet(ctx, src, edits.Confine([]string{top}))
	if err != nil {
		return nil, fmt.Errorf("the result of %s: %w", t.ID, err)
	}
	cs.ID, cs.Title, cs.Checks = strings.ReplaceAll(t.ID, "/", "-"), t.Title, a.Result.Verified
	if len(t.Attempts) > 1 {
		cs.ID = fmt.Sprintf("%s-%d", cs.ID, number)
	}
	return cs, nil
}

// Best returns the number of the attempt that stands for t: the first that
// succeeded, else the first.
func (t *Task) Best() int {
	for i := range t.Attempts {
		if t.Attempts[i].State == Done {
			return t.Attempts[i].Number
		}
	}
	return 1
}

// Attempt returns the attempt with this number, which has ended well. The error
// says why it has not.
func (t *Task) Attempt(number int) (*Attempt, error) {
	for i := range t.Attempts {
		a := &t.Attempts[i]
		if a.Number != number {
			continue
		}
		if a.State != Done || a.Result == nil {
			return nil, a.err(t)
		}
		return a, nil
	}
	return nil, fmt.Errorf("%s has no attempt %d; it has %d", t.ID, number, len(t.Attempts))
}

// err says why a has no result.
func (a *Attempt) err(t *Task) error {
	if a.Result != nil && a.Result.Failure != nil {
		return fmt.Errorf("%s failed at the service: %s (%s)", t.ID, a.Result.Failure.Message, a.Result.Failure.Code)
	}
	return fmt.Errorf("%s has no result: it is %s", t.ID, a.State)
}

// source returns the files that the result of a was made from. An endpoint
// that does not say what that was gets those on the disk.
func (c *Client) source(ctx context.Context, top string, t *Task, a *Attempt) (edits.Source, error) {
	overlay := &Overlay{}
	commit := t.Base.Commit
	if commit == "" && a.Result.Commit != "" {
		commit = a.Result.Commit
	}
	if commit == "" && t.Base.Overlay.IsZero() {
		return edits.NewDirectory(), nil
	}
	if commit != "" {
		if _, err := git.Tree(ctx, top, commit); err != nil {
			return nil, fmt.Errorf("%s began at the commit %.10s, which this repository does not have; fetch it and try again: %w", t.ID, commit, err)
		}
	}
	if !t.Base.Overlay.IsZero() {
		content, err := c.blob(ctx, t.Base.Overlay)
		if err != nil {
			return nil, err
		}
		if overlay, err = ParseOverlay(content); err != nil {
			return nil, err
		}
		c.restore(ctx, top, overlay)
	}
	return newBaseSource(ctx, top, commit, overlay, c.screen.Restore(t.Base.Diff))
}

// restore puts the secrets back that are placeholders in what was sent: those
// that c sent, and those that are still in the same files.
func (c *Client) restore(ctx context.Context, top string, overlay *Overlay) {
	for i := range overlay.Files {
		f := &overlay.Files[i]
		if !bytes.Contains(f.Content, []byte(agent.PlaceholderPrefix)) {
			continue
		}
		if now, err := edits.NewDirectory().ReadFile(ctx, filepath.Join(top, filepath.FromSlash(f.Path))); err == nil {
			c.screen.Learn(now)
		}
		f.Content = []byte(c.screen.Restore(string(f.Content)))
	}
}

// Run implements agent.Runner: it hands task over with its ID as the key,
// follows it, and returns its result against the code in snap. While the
// service cannot be reached, it waits and says so. Cancelling ctx cancels the
// task, unless the cause is ErrLeft.
func (c *Client) Run(ctx context.Context, snap *index.Snapshot, task agent.Task, sink agent.Sink) (*agent.Result, error) {
	broken := func(reason error) { sink(agent.Waiting{Reason: reason.Error()}) }
	sent, err := c.Submit(ctx, snap, Submission{Key: task.ID, Mode: task.Mode, Prompt: prompt(task), Focus: task.Focus, Broken: broken})
	if err != nil {
		return nil, err
	}
	announce(sink, sent.Task.ID, c.url)
	if len(sent.Left) > 0 {
		sink(agent.Waiting{Reason: "not sent, because they may hold secrets or are too large: " + strings.Join(sent.Left, ", ")})
	}
	if len(sent.Committed) > 0 {
		sink(agent.Waiting{Reason: sent.Warning()})
	}
	t, err := c.replay(ctx, sent.Task.ID, sink)
	if err != nil {
		if ctx.Err() != nil && !errors.Is(context.Cause(ctx), ErrLeft) {
			c.abandon(ctx, sent.Task.ID)
		}
		return nil, err
	}
	t.Base.Commit, t.Base.Diff = sent.Task.Base.Commit, sent.Task.Base.Diff
	root, err := rootFor(snap, task.Focus)
	if err != nil {
		return nil, err
	}
	return c.result(ctx, root, t)
}

// Rejoin follows a task that was handed over before, by whomever, from its
// beginning, and returns its result as Run does: against the code that was
// sent, in the folder of snap whose repository has it. The change set keeps
// the ID that ChangeSet gives it. Cancelling ctx leaves the task as it is.
func (c *Client) Rejoin(ctx context.Context, snap *index.Snapshot, id string, sink agent.Sink) (*agent.Result, error) {
	announce(sink, id, c.url)
	t, err := c.replay(ctx, id, sink)
	if err != nil {
		return nil, err
	}
	root, err := rootOf(ctx, snap, t)
	if err != nil {
		return nil, err
	}
	return c.result(ctx, root, t)
}

// prompt returns the wish of task, which names it at the service by its first
// line, and behind it what was said before and what the user points at.
func prompt(task agent.Task) string {
	parts := []string{task.Wish()}
	if len(task.Earlier) > 0 {
		parts = append(parts, agent.Recount(task.Earlier))
	}
	if task.Output != "" {
		parts = append(parts, "Output of a terminal that the user points at:\n"+task.Output)
	}
	return strings.Join(parts, "\n\n")
}

// replay tells sink the events of a task, as those of a run, until it has
// ended.
func (c *Client) replay(ctx context.Context, id string, sink agent.Sink) (*Task, error) {
	broken := func(reason error) { sink(agent.Waiting{Reason: reason.Error()}) }
	return c.Follow(ctx, id, 0, func(ev Event) { ev.Replay(sink) }, broken)
}

// announce says where the task is.
func announce(sink agent.Sink, id, address string) {
	step := agent.StepStarted{ID: id, Tool: "remote", Title: id + " on " + address}
	sink(step)
	sink(agent.StepDone{ID: step.ID, Tool: step.Tool, Title: step.Title})
}

// abandon cancels a task for which nobody waits any more.
func (c *Client) abandon(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if _, err := c.Cancel(ctx, id); err != nil {
		c.opts.Log.WarnContext(ctx, "cannot cancel a task", "task", id, "err", err)
	}
}

// Replay tells sink an event of the service as one of a run here. What
// commands print is left out.
func (ev Event) Replay(sink agent.Sink) {
	switch ev.Kind {
	case Text:
		sink(agent.TextDelta{Text: ev.Text})
	case Reasoning:
		sink(agent.ReasoningDelta{Text: ev.Text})
	case Step:
		sink(agent.StepStarted{ID: ev.Step, Tool: ev.Tool, Title: ev.Title})
	case StepDone:
		sink(agent.StepDone{ID: ev.Step, Tool: ev.Tool, Title: ev.Title, Failed: ev.Failed, Detail: ev.Detail})
	case Stage, Waiting:
		sink(agent.Waiting{Reason: ev.Text, Void: ev.Void})
	case Verified:
		if ev.Check != nil {
			replayCheck(ev.Check, sink)
		}
	case Output:
	}
}

// replayCheck tells sink of a verify command as a run here does.
func replayCheck(check *edits.Check, sink agent.Sink) {
	done := agent.StepDone{ID: "verify: " + check.Command, Tool: "verify", Title: "verify: " + check.Command, Detail: check.Outcome()}
	if !check.Passed {
		done.Failed = check.Outcome()
	}
	sink(agent.StepStarted{ID: done.ID, Tool: done.Tool, Title: done.Title})
	sink(done)
}

// result returns what became of t, as a change in the folder root.
func (c *Client) result(ctx context.Context, root string, t *Task) (*agent.Result, error) {
	number := t.Best()
	a, err := t.Attempt(number)
	if err != nil {
		return nil, err
	}
	cs, err := c.ChangeSet(ctx, root, t, number)
	if err != nil {
		return nil, err
	}
	return &agent.Result{Answer: a.Result.Answer, Change: cs, Usage: a.Result.Usage, Source: a.Result.Source + " on " + c.url}, nil
}
