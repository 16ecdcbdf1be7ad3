package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/index"
)

func (a *app) graphCommand() *cobra.Command {
	var dir string
	var depth int
	cmd := &cobra.Command{
		Use:   "graph FILE:LINE",
		Short: "Print who calls a declaration and what it calls, as a Mermaid chart",
		Example: `  agentls graph mux.go:47
  agentls graph mux.go:47 --depth 3 > calls.mmd
  agentls graph mux.go:47 --json`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if depth < 1 || depth > index.MaxGraphDepth {
				return usageError("--depth is a number from 1 to %d", index.MaxGraphDepth)
			}
			home, at, err := a.openIn(cmd.Context(), dir, given[0])
			if err != nil {
				return err
			}
			defer home.Workspace.Close() //nolint:errcheck // only read
			if at.line < 0 {
				return usageError("%q names no line: FILE:LINE", given[0])
			}
			return a.printGraph(cmd, home.Workspace.Snapshot(), at, depth)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the workspace; the file's own where none is given")
	cmd.Flags().IntVar(&depth, "depth", index.GraphDepth, "calls to follow in each direction")
	return cmd
}

func (a *app) printGraph(cmd *cobra.Command, snap *index.Snapshot, at location, depth int) error {
	span, err := at.span(cmd.Context(), snap)
	if err != nil {
		return err
	}
	sym, ok, err := snap.Enclosing(cmd.Context(), at.path, span)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("the index knows no declaration at %s:%d; agentls outline %s lists those there are", snap.Rel(at.path), at.line+1, at.path)
	}
	graph, err := snap.CallGraph(cmd.Context(), sym, depth)
	if err != nil {
		return err
	}
	if !a.json {
		cmd.Print(graph.Mermaid(snap.Rel))
		return nil
	}
	lister, out := newLister(snap), graphOutput{Nodes: []symbolLine{}, Edges: []graphEdge{}, Cut: graph.Cut}
	for _, node := range graph.Nodes {
		out.Nodes = append(out.Nodes, lister.symbol(cmd.Context(), node))
	}
	for _, e := range graph.Edges {
		out.Edges = append(out.Edges, graphEdge{e.From, e.To, e.Calls, e.Certainty.String()})
	}
	return printJSON(cmd, out)
}

// graphOutput is a call graph for programs. The first node is what was asked
// for; edges name nodes by their place.
type graphOutput struct {
	Nodes []symbolLine `json:"nodes"`
	Edges []graphEdge  `json:"edges"`
	Cut   bool         `json:"cut"` // there is more
}

type graphEdge struct {
	From      int    `json:"from"`
	To        int    `json:"to"`
	Calls     int    `json:"calls"`
	Certainty string `json:"certainty"`
}
