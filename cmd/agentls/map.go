package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/lsp"
)

// mapBudget is how many tokens a map has where nobody says.
const mapBudget = 4000

// mapFlags are what a map is asked for.
type mapFlags struct {
	dir    string // that the files are looked for in, too
	words  string
	files  []string
	budget int
}

func (a *app) mapCommand() *cobra.Command {
	var flags mapFlags
	cmd := &cobra.Command{
		Use:   "map [DIR]",
		Short: "Print what a task needs to know of the code: files, declarations, and why",
		Example: `  agentls map --focus "close idle connections when the server stops"
  agentls map ~/src/project --focus "fix(parser): empty ranges" --budget 2000
  agentls map --file index/grep.go    what belongs to a file
  agentls map --focus "parse" --json  with ranks, tokens, and what was left out`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if strings.TrimSpace(flags.words) == "" && len(flags.files) == 0 {
				return usageError("say what the task is about: --focus \"words\" or --file FILE")
			}
			if flags.budget < 1 {
				return usageError("--budget %d is no number of tokens", flags.budget)
			}
			flags.dir = optional(given, ".")
			home, _, err := a.open(cmd.Context(), flags.dir)
			if err != nil {
				return err
			}
			defer home.Workspace.Close() //nolint:errcheck // only read
			return a.printMap(cmd, home, flags)
		},
	}
	cmd.Flags().StringVar(&flags.words, "focus", "", "the words of the task")
	cmd.Flags().StringArrayVar(&flags.files, "file", nil, "a file that the task is about; may be repeated")
	cmd.Flags().IntVar(&flags.budget, "budget", mapBudget, "tokens to spend at most")
	return cmd
}

func (a *app) printMap(cmd *cobra.Command, home lsp.Home, flags mapFlags) error {
	snap := home.Workspace.Snapshot()
	focus, err := focusOf(cmd.Context(), snap, flags)
	if err != nil {
		return err
	}
	m, err := snap.Map(cmd.Context(), focus, flags.budget)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(cmd, mapOutput(cmd.Context(), snap, m))
	}
	if len(m.Files) == 0 {
		return errors.New("nothing in this workspace fits; try other words, or a larger --budget")
	}
	cmd.Print(plain(m.Text()))
	return nil
}

// focusOf makes a focus of what was asked for, with the history of the tree.
func focusOf(ctx context.Context, snap *index.Snapshot, flags mapFlags) (index.Focus, error) {
	focus := index.Focus{Words: flags.words}
	for _, file := range flags.files {
		at, err := parseLocationIn(flags.dir, file)
		if err != nil {
			return focus, err
		}
		if stat, err := os.Stat(at.path); err == nil && stat.IsDir() {
			return focus, usageError("%s is a folder: name a file in it", file)
		}
		if !snap.Has(at.path) {
			return focus, fmt.Errorf("%s is not in the workspace %s", file, strings.Join(snap.Roots(), ", "))
		}
		focus.Files = append(focus.Files, at.path)
	}
	focus.Histories = new(index.Histories).Of(ctx, snap.Roots())
	return focus, nil
}

// mapLines are a map for programs.
type mapLines struct {
	Budget  int          `json:"budget"`
	Tokens  int          `json:"tokens"`
	Files   []mapFile    `json:"files"`   // by path
	Dropped []mapDropped `json:"dropped"` // best first
}

type mapFile struct {
	File    string       `json:"file"`
	Rank    int          `json:"rank"`
	Score   int          `json:"score"`
	Tokens  int          `json:"tokens"`
	Reasons []string     `json:"reasons"`
	Symbols []symbolLine `json:"symbols"`
	Hidden  int          `json:"hidden"` // declarations that are not shown
	Text    string       `json:"text"`
}

type mapDropped struct {
	File    string   `json:"file"`
	Score   int      `json:"score"`
	Reasons []string `json:"reasons"`
}

func mapOutput(ctx context.Context, snap *index.Snapshot, m *index.Map) mapLines {
	out := mapLines{Budget: m.Budget, Tokens: m.Tokens, Files: []mapFile{}, Dropped: []mapDropped{}}
	lister := newLister(snap)
	for i := range m.Files {
		f := &m.Files[i]
		line := mapFile{
			File: snap.Rel(f.Path), Rank: f.Rank, Score: f.Score, Tokens: f.Tokens, Reasons: f.Reasons,
			Symbols: []symbolLine{}, Hidden: f.Hidden, Text: f.Text,
		}
		for _, sym := range f.Symbols {
			line.Symbols = append(line.Symbols, lister.symbol(ctx, sym))
		}
		out.Files = append(out.Files, line)
	}
	for _, d := range m.Dropped {
		out.Dropped = append(out.Dropped, mapDropped{snap.Rel(d.Path), d.Score, d.Reasons})
	}
	return out
}
