package lsp

import (
	"context"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/agentls/agentls/index"
)

type graphParams struct {
	place
	Depth *int `json:"depth,omitempty"` // calls to follow; absent: index.GraphDepth
}

type graphResult struct {
	URI   uri.URI `json:"uri"`   // of the document that shows it
	Nodes int     `json:"nodes"` // declarations in it
	Edges int     `json:"edges"`
	Cut   bool    `json:"cut"` // there is more
}

// showGraph writes who calls the declaration at a place and what it calls as a
// Markdown document, and opens it.
func (s *Server) showGraph(ctx context.Context, p *graphParams) (*graphResult, error) {
	depth := index.GraphDepth
	if p.Depth != nil {
		depth = *p.Depth
	}
	if depth < 1 || depth > index.MaxGraphDepth {
		return nil, badParams("agentls.graph: depth is a number from 1 to %d", index.MaxGraphDepth)
	}
	snap := snapshot(ctx)
	f, err := s.focusOf(ctx, snap, p.place)
	if err != nil {
		return nil, err
	}
	if f.symbol == nil {
		return nil, badParams("agentls.graph: the index knows no declaration here: go to a function")
	}
	graph, err := snap.CallGraph(ctx, *f.symbol, depth)
	if err != nil {
		return nil, err
	}
	conv := s.converter(snap)
	page := graph.Markdown(snap.Rel, func(sym index.Symbol) string { return conv.link(ctx, sym) })
	path, err := s.keep("graphs", "calls.md", []byte(page))
	if err != nil {
		return nil, err
	}
	if !s.client.events {
		s.spawn(func(ctx context.Context) { s.client.show(ctx, path, "The call graph") })
	}
	return &graphResult{fileURI(path), len(graph.Nodes), len(graph.Edges), graph.Cut}, nil
}

// offerGraph offers the call graph of what can be called; nil elsewhere.
func offerGraph(f *focus, at place) []*protocol.CodeAction {
	if f.symbol == nil || !callable(f.symbol.Kind) {
		return nil
	}
	return []*protocol.CodeAction{action("Show call graph of `"+f.symbol.Name+"`", kindGraph, "agentls.graph", graphParams{place: at})}
}

// callable reports whether what is of this kind has callers.
func callable(k index.Kind) bool {
	return k == index.Function || k == index.Method || k == index.Class
}
