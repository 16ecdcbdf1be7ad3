package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/agent/sandbox"
	"github.com/agentls/agentls/edits"
)

func (a *app) sandboxCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run commands that cannot hurt: in a copy-on-write view, without network",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.sandboxExecCommand())
	return cmd
}

// An execution is what sandbox exec was asked for.
type execution struct {
	dir     string
	diff    bool
	keep    bool
	network bool
	timeout time.Duration
}

func (a *app) sandboxExecCommand() *cobra.Command {
	var asked execution
	cmd := &cobra.Command{
		Use:   "exec [flags] -- COMMAND [ARGUMENT...]",
		Short: "Run a command in a view of the workspace and say what it would change",
		Long: `Run a command in a copy-on-write view of the workspace. It sees the files, and
your home, at their own paths; what it writes is shown, and thrown away unless
--keep makes it a proposal. Your files, your secrets, the network and other
processes are out of its reach. Where that cannot be had, nothing runs.`,
		Example: `  agentls sandbox exec -- make generate
  agentls sandbox exec --diff -- sh -c 'sed -i s/foo/bar/ *.go'
  agentls sandbox exec --keep -- some-agent "fix the tests"   then: agentls changes`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error { return a.sandboxExec(cmd, asked, given) },
	}
	flags := cmd.Flags()
	flags.StringVar(&asked.dir, "dir", ".", "the folder to run in; its workspace is the view")
	flags.BoolVar(&asked.diff, "diff", false, "print the changes as a diff")
	flags.BoolVar(&asked.keep, "keep", false, "make the changes a proposal; see agentls changes")
	flags.BoolVar(&asked.network, "network", false, "let the command use the network")
	flags.DurationVar(&asked.timeout, "timeout", 0, "end the command after this time")
	flags.SetInterspersed(false)
	return cmd
}

// A sandboxReport is what sandbox exec prints for programs.
type sandboxReport struct {
	Root     string          `json:"root"`
	Level    string          `json:"level"`
	Result   *sandbox.Result `json:"result"`
	Diff     string          `json:"diff,omitempty"`
	Proposal string          `json:"proposal,omitempty"` // its ID
	Named    []string        `json:"named,omitempty"`    // what cannot be in a proposal, and why
}

// shownOutput is what a person is shown of a command's output, in bytes: a half
// of it while it comes.
const shownOutput = 32 << 20

func (a *app) sandboxExec(cmd *cobra.Command, asked execution, argv []string) error {
	ctx := cmd.Context()
	root, err := workspaceRoot(ctx, asked.dir)
	if err != nil {
		return err
	}
	command := sandbox.Command{Argv: argv}
	if !a.json {
		command.Stream, command.Limits.Output = cmd.OutOrStdout(), shownOutput
	}
	report, cs, err := a.runSandboxed(ctx, root, asked, command)
	if err != nil {
		return err
	}
	if asked.diff {
		report.Diff = cs.Unified(relativeTo(root))
	}
	if asked.keep && len(cs.Files) > 0 {
		if err := a.home([]string{root}).Proposals.Save(cs); err != nil {
			return err
		}
		report.Proposal = cs.ID
	}
	if a.json {
		err = printJSON(cmd, report)
	} else {
		a.printSandboxed(cmd, report)
	}
	if err == nil && (report.Result.Code != 0 || report.Result.Stop != sandbox.StopNone) {
		err = exitError{exitFailed}
	}
	return err
}

// runSandboxed runs command, completed by what was asked, in a fresh view of
// root.
func (a *app) runSandboxed(ctx context.Context, root string, asked execution, command sandbox.Command) (*sandboxReport, *edits.ChangeSet, error) {
	opts, err := sandboxOptions([]string{root})
	if err != nil {
		return nil, nil, err
	}
	opts.Level = a.confined.level(ctx, opts)
	if !opts.Level.Confines() {
		return nil, nil, fmt.Errorf("nothing was run; sandbox level %s: %w", opts.Level, sandbox.ErrUnconfined)
	}
	box, err := sandbox.New(opts)
	if err != nil {
		return nil, nil, err
	}
	defer box.Close() //nolint:errcheck // what is left is removed the next time
	command.Timeout = asked.timeout
	if command.Dir, err = filepath.Abs(asked.dir); err != nil {
		return nil, nil, err
	}
	if asked.network {
		command.Network = sandbox.NetworkOpen
	}
	result, err := box.Run(ctx, sandbox.View{}, command)
	if err != nil {
		return nil, nil, err
	}
	cs, named := proposedChanges(result.Changes)
	cs.ID, cs.Title = newID(), strings.Join(command.Argv, " ")
	return &sandboxReport{Root: root, Level: opts.Level.String(), Result: result, Named: named}, cs, nil
}

// proposedChanges makes a change set of what a command changed on the disk.
// Named says what cannot be in one, and why.
func proposedChanges(changes []sandbox.Change) (cs *edits.ChangeSet, named []string) {
	cs = &edits.ChangeSet{}
	for i := range changes {
		c := &changes[i]
		if c.Named() {
			named = append(named, fmt.Sprintf("%s: %s", c.Path, namedOnly(c)))
			continue
		}
		change, err := proposedChange(c)
		switch {
		case err != nil:
			named = append(named, fmt.Sprintf("%s: %v", c.Path, err))
		default:
			cs.Files = append(cs.Files, change)
		}
	}
	return cs, named
}

func namedOnly(c *sandbox.Change) string {
	switch {
	case c.Huge:
		return fmt.Sprintf("%d bytes are too many to show", c.Size)
	case c.Binary:
		return fmt.Sprintf("a binary file of %d bytes", c.Size)
	case c.Mode&fs.ModeSymlink != 0:
		return "a symbolic link to " + c.Link
	default:
		return "a pipe or a socket"
	}
}

func proposedChange(c *sandbox.Change) (edits.FileChange, error) {
	if c.Op == sandbox.Create {
		return edits.NewCreate(c.Path, c.Content, c.Mode)
	}
	before, err := os.ReadFile(c.Path)
	if err != nil {
		return edits.FileChange{}, err
	}
	var change edits.FileChange
	switch c.Op {
	case sandbox.Delete:
		return edits.NewDelete(c.Path, before)
	case sandbox.Rename:
		change, err = edits.NewRename(c.Path, c.To, before, c.Content)
	default:
		change, err = edits.NewModify(c.Path, before, c.Content)
		if errors.Is(err, edits.ErrNoChange) {
			return edits.NewModeChange(c.Path, before, c.Was, c.Mode)
		}
	}
	if c.Mode != c.Was {
		change.Mode, change.Was = c.Mode, c.Was
	}
	return change, err
}

// printSandboxed prints, below the output, what the command would change.
func (a *app) printSandboxed(cmd *cobra.Command, report *sandboxReport) {
	color := paletteFor(cmd.OutOrStdout())
	res := report.Result
	if res.Output != "" && !strings.HasSuffix(res.Output, "\n") {
		cmd.Println()
	}
	cmd.Println(color.dim(sandboxSummary(res)))
	cmd.Println(color.dim("sandbox: " + report.Level))
	if report.Diff != "" {
		cmd.Print(color.diff(report.Diff))
	} else {
		for i := range res.Changes {
			cmd.Println(oneLine(changeLine(&res.Changes[i], relativeTo(report.Root))))
		}
	}
	for _, line := range report.Named {
		cmd.Println(color.dim(oneLine("not in the " + proposalOrDiff(report) + ": " + line)))
	}
	if report.Proposal != "" {
		cmd.Printf("kept as proposal %s; see agentls changes show %s\n", color.bold(report.Proposal), report.Proposal)
	}
}

// oneLine shows a line about a file whose name is a stranger's.
func oneLine(s string) string { return strings.ReplaceAll(plain(s), "\n", "\uFFFD") }

func proposalOrDiff(report *sandboxReport) string {
	if report.Proposal != "" {
		return "proposal"
	}
	return "diff"
}

func sandboxSummary(res *sandbox.Result) string {
	how := fmt.Sprintf("exit code %d", res.Code)
	switch {
	case res.Stop != sandbox.StopNone:
		how = fmt.Sprintf("stopped: its limit of %s was reached", res.Stop)
	case res.Signal != 0:
		how = fmt.Sprintf("ended by signal %d", res.Signal)
	}
	return fmt.Sprintf("%s after %v; %s would change, none has", how, res.Elapsed.Round(time.Millisecond), count(len(res.Changes), "file"))
}

func changeLine(c *sandbox.Change, relative func(string) string) string {
	line := fmt.Sprintf("%-7s %s", c.Op, relative(c.Path))
	if c.To != "" {
		line += " to " + relative(c.To)
	}
	return line
}

// checkSandbox says how commands are confined here.
func (a *app) checkSandbox(cmd *cobra.Command, dir string) finding {
	root, err := workspaceRoot(cmd.Context(), dir)
	if err != nil {
		return finding{"sandbox", false, err.Error()}
	}
	opts, err := sandboxOptions([]string{root})
	if err != nil {
		return finding{"sandbox", false, err.Error()}
	}
	level := a.confined.level(cmd.Context(), opts)
	return finding{"sandbox", level.Confines(), level.String()}
}
