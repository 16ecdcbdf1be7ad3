package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

func (a *app) indexCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "index [DIR]",
		Short: "Build or refresh the index, with figures",
		Example: `  agentls index           of the workspace around the current folder
  agentls index --json ~/src/project`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			home, stats, err := a.open(cmd.Context(), optional(given, "."))
			if err != nil {
				return err
			}
			if err := home.Workspace.Close(); err != nil {
				return err
			}
			if a.json {
				return printJSON(cmd, stats)
			}
			cmd.Printf("%d files (%d parsed, %d from the cache, %d by name only), %.1f MB, %d symbols, %d references in %v\n",
				stats.Files, stats.Parsed, stats.Cached, stats.Files-stats.Parsed-stats.Cached, float64(stats.Bytes)/1e6,
				stats.Symbols, stats.References, stats.Elapsed.Round(1e6))
			return nil
		},
	}
}

// optional returns the only argument, or fallback.
func optional(given []string, fallback string) string {
	if len(given) == 0 {
		return fallback
	}
	return given[0]
}

// A symbolLine is what the commands print of a symbol.
type symbolLine struct {
	Name      string `json:"name"`
	Container string `json:"container,omitempty"`
	Kind      string `json:"kind"`
	File      string `json:"file"` // relative to the workspace
	Line      int    `json:"line"` // from 1
	Depth     int    `json:"-"`
}

func lineOf(ctx context.Context, snap *index.Snapshot, sym index.Symbol) symbolLine {
	out := symbolLine{Name: sym.Name, Container: sym.Container, Kind: sym.Kind.String(), File: snap.Rel(sym.Path), Depth: sym.Depth}
	if src, err := snap.ReadFile(ctx, sym.Path); err == nil {
		out.Line = text.NewLines(src).LineAt(sym.NameSpan.Start) + 1
	}
	return out
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
	lines := make([]symbolLine, 0, len(found))
	for _, sym := range found {
		lines = append(lines, lineOf(cmd.Context(), snap, sym))
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
	return &cobra.Command{
		Use:     "outline FILE",
		Short:   "Print the declarations of a file",
		Example: `  agentls outline mux.go`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			home, at, err := a.openAt(cmd.Context(), given[0])
			if err != nil {
				return err
			}
			defer home.Workspace.Close() //nolint:errcheck // only read
			snap := home.Workspace.Snapshot()
			syms, err := snap.Symbols(cmd.Context(), at.path)
			if err != nil {
				return err
			}
			if a.json {
				return a.printSymbols(cmd, snap, syms, "")
			}
			color := paletteFor(cmd.OutOrStdout())
			for _, sym := range syms {
				l := lineOf(cmd.Context(), snap, sym)
				cmd.Printf("%5d  %s%s %s\n", l.Line, strings.Repeat("  ", l.Depth), color.dim(l.Kind), color.bold(sym.Qualified()))
			}
			return nil
		},
	}
}

// A referenceLine is what refs prints of a reference.
type referenceLine struct {
	File       string `json:"file"`
	Line       int    `json:"line"`   // from 1
	Column     int    `json:"column"` // from 1, in bytes
	Certainty  string `json:"certainty"`
	Definition bool   `json:"definition,omitempty"`
	In         string `json:"in,omitempty"`
	Text       string `json:"text"`
}

func (a *app) refsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "refs FILE:LINE:COL",
		Short:   "Print the uses of what is at a place",
		Example: `  agentls refs mux.go:47:6`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			home, at, err := a.openAt(cmd.Context(), given[0])
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
}

func (a *app) printRefs(cmd *cobra.Command, snap *index.Snapshot, at location) error {
	ctx := cmd.Context()
	span, err := at.span(ctx, snap)
	if err != nil {
		return err
	}
	found, err := snap.References(ctx, at.path, span.Start)
	if err != nil {
		return err
	}
	lines := make([]referenceLine, 0, len(found))
	for _, ref := range found {
		line, err := referenceLineOf(ctx, snap, ref)
		if err != nil {
			return err
		}
		lines = append(lines, line)
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

func referenceLineOf(ctx context.Context, snap *index.Snapshot, ref index.Reference) (referenceLine, error) {
	src, err := snap.ReadFile(ctx, ref.Path)
	if err != nil {
		return referenceLine{}, err
	}
	lines := text.NewLines(src)
	p := lines.Point(ref.Span.Start, text.UTF8)
	return referenceLine{
		File: snap.Rel(ref.Path), Line: p.Line + 1, Column: p.Column + 1,
		Certainty: ref.Certainty.String(), Definition: ref.Definition, In: ref.In,
		Text: strings.TrimSpace(string(lines.Text(lines.Line(p.Line)))),
	}, nil
}
