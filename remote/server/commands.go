package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/remote"
)

// Commands runs the commands of environments, confined: they write nothing
// that is outside of their sandbox, and reach nothing else of this machine.
type Commands interface {
	// Confinement says how, in a few words, for people.
	Confinement() string
	// Open returns the sandbox of an attempt in env, whose checkout is dir.
	Open(ctx context.Context, dir string, env remote.Environment) (Sandbox, error)
}

// A Sandbox is where the commands of one attempt run, one at a time, each a
// line for the shell that begins in the checkout. They see it and change
// nothing of it. What they print, both streams, goes to output while it comes.
// An error means that the command could not be run, or is that of ctx.
type Sandbox interface {
	// SetUp runs a line. Files that it makes beside those of the checkout are
	// there for all later lines; what it does to those of the checkout is void.
	SetUp(ctx context.Context, line string, output io.Writer) (*Ended, error)
	// Verify runs a line on the checkout with change made.
	Verify(ctx context.Context, change *edits.ChangeSet, line string, output io.Writer) (*Ended, error)
	// Agent returns what the agent's own commands run in, not nil. It ends with
	// the Sandbox.
	Agent() agent.Sandbox
	// Close forgets what was written.
	Close() error
}

// An Ended is how a command ended.
type Ended struct {
	Exit    int
	Stopped string // the limit that ended it, such as "time"; "" for none
	Elapsed time.Duration
}

// errRefused is the end of an attempt whose environment has commands where
// nothing can confine them.
var errRefused = errors.New("this service refuses to run commands, because it has no sandbox to confine them in; it runs environments without set-up and verify commands")

const (
	maxVerified = 16 << 10 // bytes of a command's output that a Check keeps
	maxReason   = 400      // bytes of it that are in a Failure
)

// openSandbox gives the attempt its sandbox, if commands can be run here.
func (a *attempt) openSandbox(ctx context.Context) (err error) {
	has := len(a.env.Setup)+len(a.env.Verify) > 0
	switch {
	case a.commands == nil && has:
		return failed(remote.SetupFailed, errRefused)
	case a.commands == nil:
		return nil
	}
	a.sandbox, err = a.commands.Open(ctx, a.dir, a.env)
	switch {
	case err == nil:
		return nil
	case has:
		return a.hindered(ctx, remote.SetupFailed, fmt.Errorf("open the sandbox: %w", err))
	}
	a.log.WarnContext(ctx, "an attempt has no sandbox", "attempt", a.try.ID, "err", err)
	return nil
}

// closeSandbox ends what openSandbox began.
func (a *attempt) closeSandbox(ctx context.Context) {
	if a.sandbox == nil {
		return
	}
	if err := a.sandbox.Close(); err != nil {
		a.log.WarnContext(ctx, "cannot clear a sandbox", "attempt", a.try.ID, "err", err)
	}
	a.sandbox, a.agent = nil, nil
}

// A usedSandbox is what the agent's commands run in, and whether one did.
type usedSandbox struct {
	agent.Sandbox
	used bool // of the goroutine of the try
}

// Run implements agent.Sandbox.
func (u *usedSandbox) Run(ctx context.Context, draft *agent.Draft, cmd agent.Command) (*agent.CommandResult, error) {
	u.used = true
	return u.Sandbox.Run(ctx, draft, cmd)
}

// forChecks gives the verify commands a sandbox that has seen no command of the
// model: one leaves more behind than its changes, such as ignored files and
// links, and a check that passes with these says nothing.
func (a *attempt) forChecks(ctx context.Context) error {
	if a.agent == nil || !a.agent.used {
		return nil
	}
	a.closeSandbox(ctx)
	if err := a.openSandbox(ctx); err != nil {
		return err
	}
	return a.setUp(ctx)
}

// setUp runs the environment's set-up.
func (a *attempt) setUp(ctx context.Context) error {
	for _, line := range a.env.Setup {
		done, err := a.command(ctx, "setting up: ", line, a.sandbox.SetUp)
		if err != nil {
			return err
		}
		if !done.Passed {
			return failed(remote.SetupFailed, fmt.Errorf("%s: %s: %s", line, done.Outcome(), lastLines(done.Output, maxReason)))
		}
	}
	return nil
}

// verify runs the verify commands on the checkout with the change made.
func (a *attempt) verify(ctx context.Context) error {
	if a.result.Diff == "" || len(a.env.Verify) == 0 {
		return nil
	}
	change, err := changeOf(ctx, a.dir, a.result.Diff)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if err := a.forChecks(ctx); err != nil {
		return err
	}
	run := func(ctx context.Context, line string, output io.Writer) (*Ended, error) {
		return a.sandbox.Verify(ctx, change, line, output)
	}
	for _, line := range a.env.Verify {
		done, err := a.command(ctx, "verifying: ", line, run)
		if err != nil {
			return err
		}
		a.result.Verified = append(a.result.Verified, *done)
		a.events.add(remote.Event{Kind: remote.Verified, Check: done})
	}
	return nil
}

// command runs one command and shows what it prints. One that cannot be run has
// the exit code edits.NotRun. The error is that of ctx.
func (a *attempt) command(ctx context.Context, doing, line string, run func(context.Context, string, io.Writer) (*Ended, error)) (*edits.Check, error) {
	a.events.stage(doing + line)
	end := &tail{max: maxVerified}
	done, err := run(ctx, line, io.MultiWriter(a.events, end))
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	check := &edits.Check{Command: line, Confinement: a.commands.Confinement()}
	if err != nil {
		check.Exit = edits.NotRun
		end.kept = fmt.Append(end.kept, err)
	} else {
		check.Exit, check.Stopped, check.Seconds = done.Exit, done.Stopped, done.Elapsed.Seconds()
		check.Passed = done.Exit == 0 && done.Stopped == ""
	}
	check.Output = strings.ToValidUTF8(string(end.kept), "\uFFFD")
	return check, nil
}

// A tail keeps the last max bytes that are written to it.
type tail struct {
	max  int
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.max; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// lastLines returns the end of s, at most about n bytes, from a line's
// beginning.
func lastLines(s string, n int) string {
	s = strings.TrimSpace(s)
	if len(s) <= n {
		return s
	}
	s = s[len(s)-n:]
	if _, rest, ok := strings.Cut(s, "\n"); ok {
		return rest
	}
	return strings.ToValidUTF8(s, "")
}
