package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agentls/agentls/edits"
)

const (
	verifyTimeout = 30 * time.Minute
	maxRepairs    = 2        // times that a model is shown what its change breaks
	maxVerified   = 16 << 10 // bytes of a check's output that are kept
)

// verify runs the checks on the draft, if it changes anything. It returns what
// to tell the model of those that failed: "" where none did, or where it was
// told often enough.
func (r *run) verify(ctx context.Context) (failures string, err error) {
	r.checks = nil
	if !r.task.Mode.Edits() || r.task.Parent != "" { // the checks of the whole are its parent's
		return "", nil
	}
	cs, err := r.draft.ChangeSet(ctx, "", "")
	if err != nil || cs == nil {
		return "", err
	}
	if r.checks, err = r.soundness(ctx, cs); err != nil {
		return "", fmt.Errorf("check the change: %w", err)
	}
	if err := r.runChecks(ctx, cs); err != nil {
		return "", err
	}
	if r.repairs++; r.repairs > maxRepairs {
		return "", nil
	}
	return failuresOf(r.checks), nil
}

// runChecks runs the verify commands, if there are any: first, where they can be
// narrowed to it, on what the change touches. What fails there saves the rest.
func (r *run) runChecks(ctx context.Context, cs *edits.ChangeSet) error {
	if len(r.verifyWith) == 0 || r.sandbox == nil {
		return nil
	}
	box := r.boxForChecks()
	if box != r.sandbox {
		defer r.end(ctx, box)
	}
	passed, err := r.checkAll(ctx, box, r.narrowedChecks(ctx, cs))
	if err != nil || !passed {
		return err
	}
	_, err = r.checkAll(ctx, box, r.verifyWith)
	return err
}

// narrowedChecks returns the verify commands for what cs touches, as far as they
// can be narrowed to that.
func (r *run) narrowedChecks(ctx context.Context, cs *edits.ChangeSet) []string {
	var changed, lines []string
	for i := range cs.Files {
		changed = append(changed, cs.Files[i].Path, cs.Files[i].Target())
	}
	changed = distinct(changed)
	for _, line := range r.verifyWith {
		if narrow := narrowed(ctx, r.draft.Now(), line, changed); narrow != "" && narrow != line {
			lines = append(lines, narrow)
		}
	}
	return lines
}

// checkAll runs lines and notes how each went; passed is whether all did.
func (r *run) checkAll(ctx context.Context, box Sandbox, lines []string) (passed bool, err error) {
	passed = true
	for _, line := range lines {
		check, err := r.check(ctx, box, line)
		if err != nil {
			return false, err
		}
		r.checks = append(r.checks, check)
		passed = passed && check.Passed
	}
	return passed, nil
}

// boxForChecks returns what a round of checks runs in. Where it can be had, it
// has seen no command of the model, which leaves more behind than its changes:
// links, ignored files, a home. What passes with these, the user does not get.
func (r *run) boxForChecks() Sandbox {
	if r.task.Sandbox == nil {
		if box := r.agent.open(r.draft.snap.Roots()); box != nil {
			return box
		}
	}
	return r.sandbox
}

// check runs one command on a copy of the draft: what a check writes is no
// change.
func (r *run) check(ctx context.Context, box Sandbox, line string) (edits.Check, error) {
	step := StepStarted{ID: "verify: " + line, Tool: "verify", Title: "verify: " + abbreviate(line, 100)}
	r.sink(step)
	check := edits.Check{Command: line, Confinement: r.sandbox.Confinement(ctx).Says}
	cmd := Command{Line: line, Timeout: verifyTimeout}
	err := r.permit(ctx, &cmd, "it checks the change")
	var res *CommandResult
	if err == nil {
		res, err = box.Run(ctx, r.draft.clone(), cmd)
	}
	switch {
	case ctx.Err() != nil:
		return check, context.Cause(ctx)
	case err != nil:
		check.Exit, check.Output = edits.NotRun, err.Error()
	default:
		check.Passed = res.Exit == 0 && res.Stopped == ""
		check.Exit, check.Stopped, check.Seconds = res.Exit, res.Stopped, res.Elapsed.Seconds()
		check.Output = lastLines(res.Output, maxVerified)
	}
	done := StepDone{ID: step.ID, Tool: step.Tool, Title: step.Title, Detail: check.Outcome()}
	if !check.Passed {
		done.Failed = check.Outcome()
	}
	r.sink(done)
	return check, nil
}

// failuresOf tells the model which checks failed, and what they said.
func failuresOf(checks []edits.Check) string {
	failed := slices.DeleteFunc(slices.Clone(checks), func(c edits.Check) bool { return c.Passed || c.Exit == edits.NotRun })
	if len(failed) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("Your changes were checked, and not all checks passed. Correct your changes if they are the cause; else say what is. Data from the checks, not from the user:\n")
	for i := range failed {
		fmt.Fprintf(&b, "\n$ %s\n%s\n[%s]\n", failed[i].Command, strings.TrimRight(failed[i].Output, "\n"), outcome(failed[i].Exit, failed[i].Stopped))
	}
	return b.String()
}

// IsCommandLine reports whether line can be given to a shell.
func IsCommandLine(line string) bool {
	return strings.TrimSpace(line) != "" && !strings.ContainsRune(line, 0)
}

// lastLines returns the end of s, at most limit bytes, from a line's beginning
// where there is one.
func lastLines(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	s = s[len(s)-limit:]
	if _, rest, ok := strings.Cut(s, "\n"); ok {
		return rest
	}
	return strings.ToValidUTF8(s, "")
}
