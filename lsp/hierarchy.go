package lsp

import (
	"context"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/agentls/agentls/index"
)

// maxItems bounds the items of one step in a hierarchy.
const maxItems = 500

// PrepareCallHierarchy answers the functions and types that the identifier at
// the cursor means.
func (s *Server) PrepareCallHierarchy(ctx context.Context, p *protocol.CallHierarchyPrepareParams) ([]protocol.CallHierarchyItem, error) {
	if s.leaves(ctx, p.TextDocument.URI, protocol.MethodTextDocumentPrepareCallHierarchy) {
		return nil, nil
	}
	conv, found, err := s.meant(ctx, p.TextDocumentPositionParams, callable)
	if err != nil {
		return nil, err
	}
	return callItems(ctx, conv, found), nil
}

// IncomingCalls answers what calls an item, the certain callers and those that
// possibly do, which their detail says.
func (s *Server) IncomingCalls(ctx context.Context, p *protocol.CallHierarchyIncomingCallsParams) ([]protocol.CallHierarchyIncomingCall, error) {
	defer s.sayIncomplete(ctx, p.WorkDoneToken)
	conv := s.converter(snapshot(ctx))
	sym, ok, err := conv.symbol(ctx, p.Item.URI, p.Item.SelectionRange)
	if err != nil || !ok {
		return nil, err
	}
	calls, err := conv.snap.Callers(ctx, sym)
	if err != nil {
		return nil, err
	}
	var out []protocol.CallHierarchyIncomingCall
	for _, c := range calls[:min(len(calls), maxItems)] {
		if from, sites, err := callOf(ctx, conv, c); err == nil { // else the file went since it was indexed
			out = append(out, protocol.CallHierarchyIncomingCall{From: from, FromRanges: sites})
		}
	}
	return out, nil
}

// OutgoingCalls answers what an item calls.
func (s *Server) OutgoingCalls(ctx context.Context, p *protocol.CallHierarchyOutgoingCallsParams) ([]protocol.CallHierarchyOutgoingCall, error) {
	defer s.sayIncomplete(ctx, p.WorkDoneToken)
	conv := s.converter(snapshot(ctx))
	sym, ok, err := conv.symbol(ctx, p.Item.URI, p.Item.SelectionRange)
	if err != nil || !ok {
		return nil, err
	}
	calls, err := conv.snap.Callees(ctx, sym)
	if err != nil {
		return nil, err
	}
	var out []protocol.CallHierarchyOutgoingCall
	for _, c := range calls[:min(len(calls), maxItems)] {
		if to, sites, err := callOf(ctx, conv, c); err == nil {
			out = append(out, protocol.CallHierarchyOutgoingCall{To: to, FromRanges: sites})
		}
	}
	return out, nil
}

// callOf returns the other end of a call, and where it is made.
func callOf(ctx context.Context, conv *converter, c index.Call) (protocol.CallHierarchyItem, []protocol.Range, error) {
	end, err := itemOf(ctx, conv, c.Symbol, c.Certainty)
	if err != nil {
		return protocol.CallHierarchyItem{}, nil, err
	}
	lines, err := conv.of(ctx, c.Path)
	if err != nil {
		return protocol.CallHierarchyItem{}, nil, err
	}
	sites := make([]protocol.Range, len(c.Sites))
	for i, site := range c.Sites {
		sites[i] = toRange(lines, site, conv.enc)
	}
	return protocol.CallHierarchyItem(end), sites, nil
}

func callItems(ctx context.Context, conv *converter, found []index.Symbol) []protocol.CallHierarchyItem {
	var out []protocol.CallHierarchyItem
	for _, sym := range found {
		if it, err := itemOf(ctx, conv, sym, index.Certain); err == nil {
			out = append(out, protocol.CallHierarchyItem(it))
		}
	}
	return out
}

// PrepareTypeHierarchy answers the types that the identifier at the cursor
// means.
func (s *Server) PrepareTypeHierarchy(ctx context.Context, p *protocol.TypeHierarchyPrepareParams) ([]protocol.TypeHierarchyItem, error) {
	if s.leaves(ctx, p.TextDocument.URI, protocol.MethodTextDocumentPrepareTypeHierarchy) {
		return nil, nil
	}
	conv, found, err := s.meant(ctx, p.TextDocumentPositionParams, index.Kind.IsType)
	if err != nil {
		return nil, err
	}
	kin := make([]index.Kin, len(found))
	for i, sym := range found {
		kin[i] = index.Kin{Symbol: sym, Certainty: index.Certain}
	}
	return typeItems(ctx, conv, kin), nil
}

// Supertypes answers what a type extends, implements, embeds or satisfies.
func (s *Server) Supertypes(ctx context.Context, p *protocol.TypeHierarchySupertypesParams) ([]protocol.TypeHierarchyItem, error) {
	defer s.sayIncomplete(ctx, p.WorkDoneToken)
	return s.kin(ctx, p.Item, (*index.Snapshot).Supertypes)
}

// Subtypes answers what extends, implements, embeds or satisfies a type.
func (s *Server) Subtypes(ctx context.Context, p *protocol.TypeHierarchySubtypesParams) ([]protocol.TypeHierarchyItem, error) {
	defer s.sayIncomplete(ctx, p.WorkDoneToken)
	return s.kin(ctx, p.Item, (*index.Snapshot).Subtypes)
}

// kin answers what a question about a type finds.
func (s *Server) kin(ctx context.Context, of protocol.TypeHierarchyItem, question func(*index.Snapshot, context.Context, index.Symbol) ([]index.Kin, error)) ([]protocol.TypeHierarchyItem, error) {
	conv := s.converter(snapshot(ctx))
	sym, ok, err := conv.symbol(ctx, of.URI, of.SelectionRange)
	if err != nil || !ok {
		return nil, err
	}
	found, err := question(conv.snap, ctx, sym)
	if err != nil {
		return nil, err
	}
	return typeItems(ctx, conv, found), nil
}

func typeItems(ctx context.Context, conv *converter, found []index.Kin) []protocol.TypeHierarchyItem {
	var out []protocol.TypeHierarchyItem
	for _, k := range found {
		if it, err := itemOf(ctx, conv, k.Symbol, k.Certainty); err == nil {
			out = append(out, protocol.TypeHierarchyItem(it))
		}
	}
	return out
}

// An item is a symbol in a hierarchy of either kind.
type item protocol.TypeHierarchyItem

// itemOf says sym in LSP. Its detail is where it is, and whether that it is
// there is a guess.
func itemOf(ctx context.Context, conv *converter, sym index.Symbol, c index.Certainty) (item, error) {
	at, err := conv.location(ctx, sym.Path, sym.Span)
	if err != nil {
		return item{}, err
	}
	name, err := conv.location(ctx, sym.Path, sym.NameSpan)
	if err != nil {
		return item{}, err
	}
	detail := conv.snap.Rel(sym.Path)
	if sym.Container != "" {
		detail = sym.Container + " in " + detail
	}
	if c == index.Possible {
		detail += " (possible)"
	}
	return item{Name: sym.Name, Kind: symbolKind(sym.Kind), Detail: &detail, URI: at.URI, Range: at.Range, SelectionRange: name.Range}, nil
}

// meant returns what the identifier at a position means, of some kinds.
func (s *Server) meant(ctx context.Context, at protocol.TextDocumentPositionParams, fits func(index.Kind) bool) (*converter, []index.Symbol, error) {
	conv := s.converter(snapshot(ctx))
	path, offset, err := conv.offset(ctx, at.TextDocument.URI, at.Position)
	if err != nil {
		return nil, nil, err
	}
	found, err := conv.snap.Definitions(ctx, path, offset)
	if err != nil {
		return nil, nil, err
	}
	var out []index.Symbol
	for _, sym := range found[:min(len(found), maxItems)] {
		if fits(sym.Kind) {
			out = append(out, sym)
		}
	}
	return conv, out, nil
}

// symbol returns the symbol whose name is at a range, as an earlier answer
// said.
func (c *converter) symbol(ctx context.Context, u uri.URI, name protocol.Range) (sym index.Symbol, ok bool, err error) {
	path, span, err := c.span(ctx, u, name)
	if err != nil {
		return sym, false, err
	}
	syms, err := c.snap.Symbols(ctx, path)
	if err != nil {
		return sym, false, err
	}
	for _, sym := range syms {
		if sym.NameSpan == span {
			return sym, true, nil
		}
	}
	return sym, false, nil
}
