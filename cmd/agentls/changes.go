package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/lsp"
)

func (a *app) changesCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "changes",
		Short: "List, show, apply, undo and redo change sets",
		Example: `  agentls changes                 proposals that wait, and what can be undone
  agentls changes show 5k2mz      as a diff
  agentls changes apply 5k2mz
  agentls changes undo            the last one
  agentls changes redo`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listChanges(cmd, dir) },
	}
	cmd.PersistentFlags().StringVar(&dir, "dir", ".", "the workspace")
	sub := func(use, short string, run func(*cobra.Command, string) error) {
		cmd.AddCommand(&cobra.Command{
			Use: use, Short: short, Args: args(cobra.MaximumNArgs(1)),
			ValidArgsFunction: cobra.NoFileCompletions,
			RunE:              func(c *cobra.Command, given []string) error { return run(c, optional(given, "")) },
		})
	}
	sub("list", "List proposals and journal entries", func(c *cobra.Command, _ string) error { return a.listChanges(c, dir) })
	sub("show [ID]", "Print a proposal or an entry as a diff; the newest without ID", func(c *cobra.Command, id string) error { return a.showChanges(c, dir, id) })
	sub("apply [ID]", "Apply what is pending in a proposal; the newest without ID", func(c *cobra.Command, id string) error { return a.applyChanges(c, dir, id) })
	sub("undo [ID]", "Take an entry back; the last one of the workspace without ID", func(c *cobra.Command, id string) error { return a.undoChanges(c, dir, id) })
	sub("redo [ID]", "Make again what was undone; the last one of the workspace without ID", func(c *cobra.Command, id string) error { return a.redoChanges(c, dir, id) })
	return cmd
}

// proposals returns the workspace of dir, not indexed, and its proposals that
// wait, oldest first.
func (a *app) proposals(ctx context.Context, dir string) (lsp.Home, []*edits.ChangeSet, error) {
	root, err := workspaceRoot(ctx, dir)
	if err != nil {
		return lsp.Home{}, nil, err
	}
	home := a.home([]string{root})
	all, err := home.Proposals.List()
	if err != nil {
		a.log().Warn("some proposals could not be read", "err", err)
	}
	var waiting []*edits.ChangeSet
	for _, cs := range all {
		if cs.Pending() > 0 {
			waiting = append(waiting, cs)
		}
	}
	return home, waiting, nil
}

// A changesReport is what list prints for programs.
type changesReport struct {
	Proposals []*edits.ChangeSet `json:"proposals"`
	Entries   []*edits.Entry     `json:"entries"`
}

// listed is how many journal entries are shown.
const listed = 20

func (a *app) listChanges(cmd *cobra.Command, dir string) error {
	_, waiting, err := a.proposals(cmd.Context(), dir)
	if err != nil {
		return err
	}
	entries, err := a.journal().Entries(cmd.Context(), listed)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(cmd, changesReport{Proposals: append([]*edits.ChangeSet{}, waiting...), Entries: append([]*edits.Entry{}, entries...)})
	}
	color := paletteFor(cmd.OutOrStdout())
	for _, cs := range waiting {
		cmd.Printf("%s  %s  %s (%s in %s)\n", color.bold(cs.ID), color.cyan("proposal"), cs.Title, count(cs.Pending(), "hunk"), count(len(cs.Files), "file"))
	}
	for _, e := range entries {
		cmd.Printf("%s  %s  %s  %s\n", color.bold(e.ID), e.Time.Format(time.DateTime), color.dim(string(e.State)), e.Title)
	}
	if len(waiting)+len(entries) == 0 {
		cmd.Println("no changes yet")
	}
	return nil
}

func (a *app) showChanges(cmd *cobra.Command, dir, id string) error {
	cs, err := a.findChanges(cmd.Context(), dir, id)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(cmd, cs)
	}
	root, err := workspaceRoot(cmd.Context(), dir)
	if err != nil {
		return err
	}
	color := paletteFor(cmd.OutOrStdout())
	for i := range cs.Checks {
		cmd.Println(color.check(&cs.Checks[i]))
	}
	cmd.Print(color.diff(cs.Unified(relativeTo(root))))
	return nil
}

// relativeTo returns paths below root relative to it, others as they are.
func relativeTo(root string) func(string) string {
	return func(path string) string {
		rel, err := filepath.Rel(root, path)
		if err != nil || strings.HasPrefix(rel, "..") {
			return path
		}
		return filepath.ToSlash(rel)
	}
}

// findChanges returns the proposal or the journal entry with id, or the newest
// proposal.
func (a *app) findChanges(ctx context.Context, dir, id string) (*edits.ChangeSet, error) {
	home, waiting, err := a.proposals(ctx, dir)
	if err != nil {
		return nil, err
	}
	if id == "" {
		if len(waiting) == 0 {
			return nil, fmt.Errorf("no proposal waits; see agentls changes list")
		}
		return waiting[len(waiting)-1], nil
	}
	if cs, err := home.Proposals.Load(id); err == nil {
		return cs, nil
	}
	entry, err := a.journal().Entry(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("%s is no proposal of this workspace and no entry: %w; see agentls changes list", id, err)
	}
	return entry.Change, nil
}

func (a *app) applyChanges(cmd *cobra.Command, dir, id string) error {
	home, waiting, err := a.proposals(cmd.Context(), dir)
	if err != nil {
		return err
	}
	for i := len(waiting) - 1; i >= 0; i-- {
		if cs := waiting[i]; id == "" || cs.ID == id {
			_, err := a.apply(cmd, home, cs.Select(func(*edits.FileChange, *edits.Hunk) bool { return true }))
			return err
		}
	}
	return fmt.Errorf("no such proposal waits; see agentls changes list")
}

func (a *app) undoChanges(cmd *cobra.Command, dir, id string) error {
	root, err := workspaceRoot(cmd.Context(), dir)
	if err != nil {
		return err
	}
	j, err := a.settled(cmd)
	if err != nil {
		return err
	}
	entry, err := j.Within(root).Undo(cmd.Context(), edits.NewDirectory(), id, edits.Selection{})
	return a.report(cmd, "undone", entry, err)
}

func (a *app) redoChanges(cmd *cobra.Command, dir, id string) error {
	root, err := workspaceRoot(cmd.Context(), dir)
	if err != nil {
		return err
	}
	j, err := a.settled(cmd)
	if err != nil {
		return err
	}
	entry, err := j.Within(root).Redo(cmd.Context(), edits.NewDirectory(), id)
	return a.report(cmd, "made again", entry, err)
}

func (a *app) report(cmd *cobra.Command, done string, entry *edits.Entry, err error) error {
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(cmd, entry)
	}
	cmd.Printf("%s: %s (%s)\n", done, entry.Title, entry.ID)
	return nil
}
