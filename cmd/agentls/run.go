package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/lsp"
)

func (a *app) runCommand() *cobra.Command {
	var dir string
	var yes bool
	cmd := &cobra.Command{
		Use:   "run TASK",
		Short: "Run one task without an editor: plan, steps, diff; applied once you say so",
		Example: `  agentls run "return an error instead of panicking in Route"
  agentls run "add a test for parseHeader" --dir ~/src/project --yes`,
		Args:              args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.run(cmd, dir, strings.Join(given, " "), yes)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "the workspace")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "apply without asking")
	return cmd
}

// A runReport is what run prints for programs.
type runReport struct {
	*agent.Result
	Entry string `json:"entry,omitempty"` // of the journal; absent where nothing was applied
}

func (a *app) run(cmd *cobra.Command, dir, prompt string, yes bool) error {
	setup := a.configure(cmd.Context(), nil)
	if setup.Err != nil {
		return setup.Err
	}
	home, _, err := a.open(cmd.Context(), dir)
	if err != nil {
		return err
	}
	defer home.Workspace.Close() //nolint:errcheck // only read
	snap := home.Workspace.Snapshot()
	show := &transcript{cmd: cmd, color: paletteFor(cmd.OutOrStdout()), quiet: a.json}
	task := agent.Task{ID: newID(), Mode: agent.Edit, Prompt: prompt}
	result, err := setup.Runner.Run(cmd.Context(), snap, task, show.event)
	show.end()
	if err != nil {
		return err
	}
	report := runReport{Result: result}
	if result.Change != nil {
		if !a.json {
			cmd.Print("\n", show.color.diff(result.Change.Unified(snap.Rel)))
		}
		report.Entry, err = a.offer(cmd, home, result.Change, a.decider(cmd, yes))
	} else if !a.json {
		cmd.Println("nothing to change")
	}
	if a.json {
		_ = printJSON(cmd, report)
	}
	return err
}

// offer keeps cs as a proposal and applies it if the user says so.
func (a *app) offer(cmd *cobra.Command, home lsp.Home, cs *edits.ChangeSet, wanted func(*edits.ChangeSet) bool) (entry string, err error) {
	if err := home.Proposals.Save(cs); err != nil {
		return "", err
	}
	if !wanted(cs) {
		cmd.PrintErrf("kept as a proposal: agentls changes apply %s\n", cs.ID)
		return "", nil
	}
	return a.apply(cmd, home, cs)
}

// decider returns who says whether a change set is applied: the flag, or the
// user on a terminal; elsewhere nobody does.
func (a *app) decider(cmd *cobra.Command, yes bool) func(*edits.ChangeSet) bool {
	switch {
	case yes:
		return func(*edits.ChangeSet) bool { return true }
	case a.json || !term.IsTerminal(int(os.Stdin.Fd())):
		return func(*edits.ChangeSet) bool { return false }
	}
	return func(cs *edits.ChangeSet) bool {
		cmd.PrintErrf("apply %s in %s? [y/N] ", count(cs.Pending(), "hunk"), count(len(cs.Files), "file"))
		answer, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		return strings.EqualFold(strings.TrimSpace(answer), "y")
	}
}

// apply applies what is pending in cs to the disk, and notes it in the
// proposal.
func (a *app) apply(cmd *cobra.Command, home lsp.Home, cs *edits.ChangeSet) (entry string, err error) {
	j, err := a.settled(cmd)
	if err != nil {
		return "", err
	}
	done, err := j.Apply(cmd.Context(), edits.NewDirectory(), cs)
	if err != nil {
		return "", err
	}
	marked := cs.Clone()
	marked.Mark(done.Change, edits.Applied)
	if err := home.Proposals.Save(marked); err != nil {
		return "", fmt.Errorf("applied as %s, but the proposal's state was not kept: %w", done.ID, err)
	}
	if !a.json {
		cmd.Printf("applied to %s; take it back with: agentls changes undo %s\n", count(len(done.Files), "file"), done.ID)
	}
	return done.ID, nil
}
