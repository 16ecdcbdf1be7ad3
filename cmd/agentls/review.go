package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/index/git"
)

// A reviewRequest is what review was asked for.
type reviewRequest struct {
	dir             string
	since           git.Range
	staged, working bool
	focus           string
	format          string
	verbose         bool
	failOn          int // findings of this priority or a more urgent one fail
}

// A reviewed change is what a review found in it.
type reviewed struct {
	snap   *index.Snapshot
	result *agent.Result
	hunks  map[string][]git.Lines // what a code host shows of the change, by the names of files

	verbose bool // what was dropped is shown, too
}

// formats print a review. JSON is the flag of all commands.
var formats = map[string]func(cmd *cobra.Command, done *reviewed) error{
	"text": printFindings, "sarif": printSARIF, "github": printPullReview,
}

func (a *app) reviewCommand() *cobra.Command {
	var asked reviewRequest
	cmd := &cobra.Command{
		Use:   "review [REV]",
		Short: "Review what is not committed, what is staged, or what changed since a revision",
		Long: `Review what differs from the last commit, or since REV, in the working tree. Each
finding is held against the code before it is shown, and confirmed or dropped by
a second request (second_pass = false in the configuration: by none). A model is
needed.

It exits with 1 where there are findings as urgent as --fail-on, or more: 0 must
not ship, 1 is urgent, 2 should be fixed, 3 is a nicety.`,
		Example: `  agentls review
  agentls review main --focus security
  agentls review --staged --fail-on 1
  agentls review HEAD~3 --format sarif > review.sarif`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			asked.since = git.Range(optional(given, ""))
			if err := asked.check(); err != nil {
				return err
			}
			return a.review(cmd, asked)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&asked.dir, "dir", ".", "the workspace")
	flags.BoolVar(&asked.staged, "staged", false, "review what is in git's index")
	flags.BoolVar(&asked.working, "working", false, "review what differs from the last commit (the default)")
	flags.StringVar(&asked.focus, "focus", "", "what to look for: security, concurrency, ...")
	flags.StringVar(&asked.format, "format", "text", "text, sarif (2.1.0), or github: the body of a pull request's review")
	flags.BoolVar(&asked.verbose, "verbose", false, "show what the second pass dropped, and why")
	flags.IntVar(&asked.failOn, "fail-on", -1, "exit with 1 at a finding of this priority (0 to 3) or a more urgent one; -1 never")
	return cmd
}

func (r *reviewRequest) check() error {
	given := 0
	for _, is := range []bool{r.since != "", r.staged, r.working} {
		if is {
			given++
		}
	}
	switch {
	case given > 1:
		return usageError("review one of a revision, --staged and --working")
	case strings.HasPrefix(string(r.since), "-"):
		return usageError("%q is no revision", string(r.since))
	case formats[r.format] == nil:
		return usageError("--format is text, sarif or github, not %q", r.format)
	case r.failOn < -1 || r.failOn > agent.MaxPriority:
		return usageError("--fail-on is 0 to %d", agent.MaxPriority)
	}
	if r.staged {
		r.since = git.Staged
	}
	return nil
}

func (a *app) review(cmd *cobra.Command, asked reviewRequest) error {
	setup, home, err := a.openConfigured(cmd.Context(), asked.dir)
	if err != nil {
		return err
	}
	defer home.Workspace.Close() //nolint:errcheck // only read
	snap := home.Workspace.Snapshot()
	task := agent.Task{ID: newID(), Mode: agent.Review}
	if task.Diff, err = git.UnifiedDiff(cmd.Context(), snap.Roots()[0], asked.since); err != nil {
		return fmt.Errorf("find what changed: %w%s", err, adviceOn(err))
	}
	if task.Diff == "" {
		cmd.PrintErrln("nothing changed: there is nothing to review")
		return nil
	}
	hunks, err := git.Hunks(cmd.Context(), snap.Roots()[0], asked.since)
	if err != nil {
		return fmt.Errorf("find what changed: %w", err)
	}
	if asked.focus != "" {
		task.Prompt = "Review the change. Look for this above all: " + asked.focus
	}
	show := &transcript{cmd: cmd, color: paletteFor(cmd.OutOrStdout()), quiet: a.json || asked.format != "text"}
	result, err := setup.Runner.Run(cmd.Context(), snap, task, show.event)
	show.end()
	if err != nil {
		return err
	}
	if a.json {
		err = printJSON(cmd, result)
	} else {
		err = formats[asked.format](cmd, &reviewed{snap, result, hunks, asked.verbose})
	}
	if err == nil && slices.ContainsFunc(result.Findings, func(f agent.Finding) bool { return f.Priority <= asked.failOn }) {
		return exitError{exitFailed}
	}
	return err
}

// adviceOn says what to do about a change that cannot be found.
func adviceOn(err error) string {
	switch {
	case errors.Is(err, git.ErrNoRepository):
		return "; review compares with a commit: give a folder of a repository by --dir, or make one (git init)"
	case errors.Is(err, git.ErrNoCommit):
		return "; commit first, or review what you git add by --staged"
	case errors.Is(err, git.ErrNoRevision):
		return "; give a branch, a tag or a commit that git log knows here"
	}
	return ""
}

// sureness says how sure the model is of f.
func sureness(f *agent.Finding) string {
	out := fmt.Sprintf("confidence %.0f %%", 100*f.Confidence)
	if f.Verdict != "" {
		out += ", " + string(f.Verdict)
	}
	return out
}

// droppedIn says how many findings the second pass dropped; "" for none.
func droppedIn(result *agent.Result) string {
	if len(result.Dropped) == 0 {
		return ""
	}
	return fmt.Sprintf("; the second pass dropped %d (--verbose and --json say which)", len(result.Dropped))
}

func printFindings(cmd *cobra.Command, done *reviewed) error {
	for i := range done.result.Findings {
		f := &done.result.Findings[i]
		cmd.Printf("\n%s:%d: P%d %s (%s)\n", plain(done.snap.Rel(f.Path)), f.Line+1, f.Priority, plain(f.Title), sureness(f))
		for line := range strings.Lines(f.Body) {
			cmd.Print("  " + plain(line))
		}
		cmd.Println()
		if cs, err := f.ChangeSet("", f.Base); err == nil && cs != nil {
			cmd.Print(plain(cs.Unified(done.snap.Rel)))
		}
	}
	for i := range done.result.Dropped {
		f := &done.result.Dropped[i]
		if done.verbose {
			cmd.Printf("\ndropped: %s:%d: %s (%s)\n", plain(done.snap.Rel(f.Path)), f.Line+1, plain(f.Title), plain(f.Reason))
		}
	}
	cmd.Printf("\n%s%s\n", count(len(done.result.Findings), "finding"), droppedIn(done.result))
	return nil
}
