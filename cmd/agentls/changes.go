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
	var part partFlags
	var sideBySide, colored bool
	var scope listScope
	cmd := &cobra.Command{
		Use:   "changes",
		Short: "List, show, apply, undo and redo change sets",
		Example: `  agentls changes                 proposals that wait, and what can be undone
  agentls changes list --all      of every workspace
  agentls changes show 5k2mz      as a diff
  agentls changes show 5k2mz --side-by-side
  agentls changes show --color | less -R
  agentls changes apply 5k2mz
  agentls changes apply 5k2mz --file math.go --hunk 2
  agentls changes undo            the last one
  agentls changes redo --file math.go`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listChanges(cmd, dir, scope) },
	}
	cmd.PersistentFlags().StringVar(&dir, "dir", ".", "the workspace")
	sub := func(use, short string, run func(*cobra.Command, string) error) *cobra.Command {
		made := &cobra.Command{
			Use: use, Short: short, Args: args(cobra.MaximumNArgs(1)),
			ValidArgsFunction: cobra.NoFileCompletions,
			RunE:              func(c *cobra.Command, given []string) error { return run(c, optional(given, "")) },
		}
		cmd.AddCommand(made)
		return made
	}
	sub("list", "List proposals and journal entries of the workspace", func(c *cobra.Command, _ string) error { return a.listChanges(c, dir, scope) }).
		Flags().BoolVar(&scope.every, "all", false, "the entries of every workspace, too")
	show := sub("show [ID]", "Print a proposal or an entry as a diff; the newest without ID", func(c *cobra.Command, id string) error {
		p := paletteFor(c.OutOrStdout())
		p.on = p.on || colored
		if sideBySide {
			return a.showChanges(c, dir, id, p, func(p palette, diff string) string { return p.sideBySide(diff, terminalWidth()) })
		}
		return a.showChanges(c, dir, id, p, palette.diff)
	})
	show.Flags().BoolVar(&colored, "color", false, "colours and marked words, for a pager too")
	show.Flags().BoolVar(&sideBySide, "side-by-side", false, "old and new in two columns")
	part.register(sub("apply [ID]", "Apply what is pending in a proposal; the newest without ID", func(c *cobra.Command, id string) error { return a.applyChanges(c, dir, id, part) }))
	part.register(sub("undo [ID]", "Take an entry back; the last one of the workspace without ID", func(c *cobra.Command, id string) error { return a.undoChanges(c, dir, id, part) }))
	part.register(sub("redo [ID]", "Make again what was undone; the last one of the workspace without ID", func(c *cobra.Command, id string) error { return a.redoChanges(c, dir, id, part) }))
	return cmd
}

// partFlags name a part of a change set.
type partFlags struct {
	file string
	hunk int
}

func (p *partFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.file, "file", "", "only the changes of this file")
	cmd.Flags().IntVar(&p.hunk, "hunk", 0, "only this hunk of the file, from 1")
	cmd.PreRunE = p.given
}

// given refuses a part that was asked for and is none, as a script's empty
// variable is: all would be meant.
func (p *partFlags) given(cmd *cobra.Command, ids []string) error {
	switch {
	case len(ids) > 0 && ids[0] == "":
		return usageError("the ID is empty; leave it out for the last one")
	case cmd.Flags().Changed("file") && p.file == "":
		return usageError("--file is empty; leave it out for all files")
	case cmd.Flags().Changed("hunk") && p.hunk < 1:
		return usageError("--hunk counts from 1")
	}
	return nil
}

// selection returns the part that is meant: a file is named from here, as the
// diff of the workspace names it, or absolutely.
func (p *partFlags) selection(root string) (edits.Selection, error) {
	if p.file == "" {
		if p.hunk != 0 {
			return edits.Selection{}, usageError("a hunk is one of a file: give --file, too")
		}
		return edits.Selection{}, nil
	}
	path, err := filepath.Abs(p.file)
	if err != nil {
		return edits.Selection{}, err
	}
	if real, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(real, filepath.Base(path))
	}
	if rel, err := filepath.Rel(root, path); err != nil || !filepath.IsLocal(rel) {
		path = filepath.Join(root, filepath.FromSlash(p.file))
	}
	return edits.Selection{Path: path, Hunk: p.hunk}, nil
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

// A listScope is which entries are listed.
type listScope struct{ every bool }

// in returns the journal with the entries that are listed.
func (s listScope) in(j *edits.Journal, home lsp.Home) *edits.Journal {
	if s.every {
		return j
	}
	return j.Within(home.Workspace.Snapshot().Roots()...)
}

// listed is how many journal entries are shown.
const listed = 20

func (a *app) listChanges(cmd *cobra.Command, dir string, scope listScope) error {
	home, waiting, err := a.proposals(cmd.Context(), dir)
	if err != nil {
		return err
	}
	j, err := a.settled(cmd)
	if err != nil {
		return err
	}
	entries, err := scope.in(j, home).Entries(cmd.Context(), listed)
	if err != nil {
		return err
	}
	if err := j.Damaged(); err != nil {
		cmd.PrintErrln("agentls:", err)
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

// showChanges prints a change set, its diff as show makes it.
func (a *app) showChanges(cmd *cobra.Command, dir, id string, color palette, show func(p palette, diff string) string) error {
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
	for i := range cs.Checks {
		cmd.Println(color.check(&cs.Checks[i]))
	}
	if len(cs.Files) > 1 {
		cmd.Println(color.stats(cs, relativeTo(root)))
	}
	cmd.Print(show(color, cs.Unified(relativeTo(root))))
	printLeftOut(cmd, cs, relativeTo(root))
	return nil
}

// printLeftOut lists what was to change and is left as it is.
func printLeftOut(cmd *cobra.Command, cs *edits.ChangeSet, rel func(string) string) {
	for _, left := range cs.LeftOut {
		cmd.Printf("left out: %s: %s\n", plain(rel(left.Path)), plain(left.Why))
	}
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
	return asProposed(entry.Change), nil
}

// asProposed returns an entry's change as it was before it was applied, which
// is what a diff shows.
func asProposed(cs *edits.ChangeSet) *edits.ChangeSet {
	out := cs.Clone()
	for _, f := range out.Files {
		for i := range f.Hunks {
			f.Hunks[i].State = edits.Pending
		}
	}
	return out
}

func (a *app) applyChanges(cmd *cobra.Command, dir, id string, part partFlags) error {
	home, waiting, err := a.proposals(cmd.Context(), dir)
	if err != nil {
		return err
	}
	which, err := a.partOf(cmd, dir, part)
	if err != nil {
		return err
	}
	for i := len(waiting) - 1; i >= 0; i-- {
		if cs := waiting[i]; id == "" || cs.ID == id {
			return a.applyPart(cmd, home, cs, which)
		}
	}
	return fmt.Errorf("no such proposal waits; see agentls changes list")
}

func (a *app) partOf(cmd *cobra.Command, dir string, part partFlags) (edits.Selection, error) {
	root, err := workspaceRoot(cmd.Context(), dir)
	if err != nil {
		return edits.Selection{}, err
	}
	return part.selection(root)
}

// applyPart applies what which picks of a proposal; the rest goes on waiting.
func (a *app) applyPart(cmd *cobra.Command, home lsp.Home, cs *edits.ChangeSet, which edits.Selection) error {
	selected := cs.Select(which.Picks)
	if len(selected.Files) == 0 {
		return fmt.Errorf("nothing is pending there in %q; see agentls changes show %s", cs.Title, cs.ID)
	}
	j, err := a.settled(cmd)
	if err != nil {
		return err
	}
	done, err := j.Apply(cmd.Context(), edits.NewDirectory(), selected)
	if err != nil {
		return err
	}
	marked := cs.Clone()
	marked.Mark(selected, edits.Applied) // what was there already is done, too
	if err := home.Proposals.Save(marked); err != nil {
		return fmt.Errorf("applied as %s, but the proposal's state was not kept: %w", done.ID, err)
	}
	if a.json {
		return printJSON(cmd, done)
	}
	cmd.Printf("applied to %s; take it back with: agentls changes undo %s\n", count(len(done.Files), "file"), done.ID)
	return nil
}

func (a *app) undoChanges(cmd *cobra.Command, dir, id string, part partFlags) error {
	return a.turnChanges(cmd, dir, id, part, "undone", (*edits.Journal).Undo)
}

func (a *app) redoChanges(cmd *cobra.Command, dir, id string, part partFlags) error {
	return a.turnChanges(cmd, dir, id, part, "made again", (*edits.Journal).Redo)
}

// A turn is Journal.Undo or Journal.Redo.
type turn func(j *edits.Journal, ctx context.Context, to edits.Target, id string, which edits.Selection) (*edits.Entry, error)

// turnChanges undoes or redoes a part of an entry, and prints done.
func (a *app) turnChanges(cmd *cobra.Command, dir, id string, part partFlags, done string, turn turn) error {
	root, err := workspaceRoot(cmd.Context(), dir)
	if err != nil {
		return err
	}
	which, err := part.selection(root)
	if err != nil {
		return err
	}
	j, err := a.settled(cmd)
	if err != nil {
		return err
	}
	entry, err := turn(j.Within(root), cmd.Context(), edits.NewDirectory(), id, which)
	return a.report(cmd, done, entry, err)
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
