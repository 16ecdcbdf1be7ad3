package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/lsp"
)

// optional returns the only argument, or fallback.
func optional(given []string, fallback string) string {
	if len(given) == 0 {
		return fallback
	}
	return given[0]
}

// A symbolLine is what the commands print of a declaration, and of its uses.
// Lines and columns count from 1, columns in bytes.
type symbolLine struct {
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	Container string `json:"container"`
	File      string `json:"file"` // relative to the workspace
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"endLine"`
	Certainty string `json:"certainty,omitempty"` // of a use

	Definition bool   `json:"definition,omitempty"`
	Text       string `json:"text,omitempty"` // the line of a use
	depth      int
}

// A lister makes lines of symbols. It reads each file once.
type lister struct {
	snap  *index.Snapshot
	lines map[string]*text.Lines
}

func newLister(snap *index.Snapshot) *lister {
	return &lister{snap: snap, lines: map[string]*text.Lines{}}
}

// of returns the lines of a file; of one that is gone, none.
func (l *lister) of(ctx context.Context, path string) *text.Lines {
	if l.lines[path] == nil {
		src, err := l.snap.ReadFile(ctx, path)
		if err != nil {
			src = nil
		}
		l.lines[path] = text.NewLines(src)
	}
	return l.lines[path]
}

func (l *lister) symbol(ctx context.Context, sym index.Symbol) symbolLine {
	lines := l.of(ctx, sym.Path)
	at := lines.Point(sym.NameSpan.Start, text.UTF8)
	return symbolLine{
		Name: sym.Name, Kind: sym.Kind.String(), Container: sym.Container, File: l.snap.Rel(sym.Path),
		Line: at.Line + 1, Column: at.Column + 1, EndLine: lines.LineAt(max(sym.Span.End-1, sym.NameSpan.Start)) + 1,
		depth: sym.Depth,
	}
}

// use returns the line of a use of what is of that kind.
func (l *lister) use(ctx context.Context, ref index.Reference, kind string) symbolLine {
	lines := l.of(ctx, ref.Path)
	at := lines.Point(ref.Span.Start, text.UTF8)
	name := string(lines.Text(ref.Span))
	return symbolLine{
		Name: name, Kind: kind, Container: ref.In, File: l.snap.Rel(ref.Path),
		Line: at.Line + 1, Column: at.Column + 1, EndLine: lines.LineAt(ref.Span.End) + 1,
		Certainty: ref.Certainty.String(), Definition: ref.Definition,
		Text: strings.TrimSpace(string(lines.Text(lines.Line(at.Line)))),
	}
}

func (a *app) symbolsCommand() *cobra.Command {
	var dir string
	var limit int
	cmd := &cobra.Command{
		Use:   "symbols QUERY",
		Short: "Find declarations by a fuzzy name",
		Example: `  agentls symbols servehttp
  agentls symbols Mux.Route --limit 5
  agentls symbols --dir ~/src/project parse`,
		Args:              args(cobra.ExactArgs(1)),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, given []string) error {
			home, _, err := a.open(cmd.Context(), dir)
			if err != nil {
				return err
			}
			defer home.Workspace.Close() //nolint:errcheck // only read
			snap := home.Workspace.Snapshot()
			found, err := snap.Search(cmd.Context(), given[0], limit)
			if err != nil {
				return err
			}
			return a.printSymbols(cmd, snap, found, "no symbol matches "+given[0])
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "the workspace")
	cmd.Flags().IntVar(&limit, "limit", 20, "how many to print at most")
	return cmd
}

// printSymbols prints a table, or fails with none where there is nothing.
func (a *app) printSymbols(cmd *cobra.Command, snap *index.Snapshot, found []index.Symbol, none string) error {
	lister := newLister(snap)
	lines := make([]symbolLine, 0, len(found))
	for _, sym := range found {
		lines = append(lines, lister.symbol(cmd.Context(), sym))
	}
	if a.json {
		return printJSON(cmd, lines)
	}
	if len(lines) == 0 {
		return fmt.Errorf("%s", none)
	}
	color := paletteFor(cmd.OutOrStdout())
	for _, l := range lines {
		name := l.Name
		if l.Container != "" {
			name = l.Container + "." + l.Name
		}
		cmd.Printf("%s:%d: %s %s\n", l.File, l.Line, color.dim(l.Kind), color.bold(name))
	}
	return nil
}

func (a *app) outlineCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "outline FILE",
		Short:   "Print the declarations of a file",
		Example: `  agentls outline mux.go`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			home, at, err := a.openIn(cmd.Context(), dir, given[0])
			if err != nil {
				return err
			}
			defer home.Workspace.Close() //nolint:errcheck // only read
			return a.printOutline(cmd, home.Workspace.Snapshot(), at.path)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the workspace; the file's own where none is given")
	return cmd
}

func (a *app) printOutline(cmd *cobra.Command, snap *index.Snapshot, path string) error {
	syms, err := snap.Symbols(cmd.Context(), path)
	if err != nil {
		return err
	}
	if a.json {
		return a.printSymbols(cmd, snap, syms, "")
	}
	color, lister := paletteFor(cmd.OutOrStdout()), newLister(snap)
	for _, sym := range syms {
		l := lister.symbol(cmd.Context(), sym)
		cmd.Printf("%5d  %s%s %s\n", l.Line, strings.Repeat("  ", l.depth), color.dim(l.Kind), color.bold(sym.Qualified()))
	}
	return nil
}

// openIn is openAt in the workspace dir; "" is the one that the file is in.
func (a *app) openIn(ctx context.Context, dir, arg string) (lsp.Home, location, error) {
	if dir == "" {
		return a.openAt(ctx, arg)
	}
	at, err := parseLocationIn(dir, arg)
	if err != nil {
		return lsp.Home{}, at, err
	}
	home, _, err := a.open(ctx, dir)
	return home, at, err
}

func (a *app) refsCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "refs FILE:LINE:COL",
		Short: "Print the uses of what is at a place",
		Example: `  agentls refs mux.go:47:6
  agentls refs mux.go:47:6 --dir ~/src/project --json`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			home, at, err := a.openIn(cmd.Context(), dir, given[0])
			if err != nil {
				return err
			}
			defer home.Workspace.Close() //nolint:errcheck // only read
			if at.line < 0 {
				return usageError("%q names no line: FILE:LINE:COL", given[0])
			}
			return a.printRefs(cmd, home.Workspace.Snapshot(), at)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the workspace; the file's own where none is given")
	return cmd
}

func (a *app) printRefs(cmd *cobra.Command, snap *index.Snapshot, at location) error {
	lines, err := usesAt(cmd.Context(), snap, at)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(cmd, lines)
	}
	if len(lines) == 0 {
		return fmt.Errorf("there is no name the index knows at %s:%d:%d", at.path, at.line+1, at.column+1)
	}
	color := paletteFor(cmd.OutOrStdout())
	for _, l := range lines {
		cmd.Printf("%s:%d:%d: %s %s\n", l.File, l.Line, l.Column, color.dim(l.Certainty), l.Text)
	}
	return nil
}

// usesAt returns the uses of what is at a place.
func usesAt(ctx context.Context, snap *index.Snapshot, at location) ([]symbolLine, error) {
	span, err := at.span(ctx, snap)
	if err != nil {
		return nil, err
	}
	found, err := snap.References(ctx, at.path, span.Start)
	if err != nil {
		return nil, err
	}
	meant, err := snap.Definitions(ctx, at.path, span.Start)
	if err != nil {
		return nil, err
	}
	kind := index.Variable.String()
	if len(meant) > 0 {
		kind = meant[0].Kind.String()
	}
	lister := newLister(snap)
	lines := make([]symbolLine, 0, len(found))
	for _, ref := range found {
		lines = append(lines, lister.use(ctx, ref, kind))
	}
	return lines, nil
}
