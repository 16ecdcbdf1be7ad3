package lsp

import (
	"context"
	"encoding/json"
	"math"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// maxSymbols bounds the answer to workspace/symbol: what nobody scrolls to
// need not be sent.
const maxSymbols = 200

// DocumentSymbol answers the outline of a file.
func (s *Server) DocumentSymbol(ctx context.Context, p *protocol.DocumentSymbolParams) (protocol.DocumentSymbolResult, error) {
	if s.leaves(ctx, p.TextDocument.URI, protocol.MethodTextDocumentDocumentSymbol) {
		return nil, nil
	}
	snap := snapshot(ctx)
	path, err := filePath(p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	syms, err := snap.Symbols(ctx, path)
	if err != nil {
		return nil, err
	}
	lines, err := s.converter(snap).of(ctx, path)
	if err != nil {
		return nil, err
	}
	tree, _ := outline(syms, 0, lines, s.client.encoding)
	return protocol.DocumentSymbolSlice(tree), nil
}

// outline returns the symbols from the first on that are at least depth deep,
// as a tree, and those behind them.
func outline(syms []index.Symbol, depth int, lines *text.Lines, enc text.Encoding) (tree []protocol.DocumentSymbol, rest []index.Symbol) {
	for len(syms) > 0 && syms[0].Depth >= depth {
		sym := syms[0]
		node := protocol.DocumentSymbol{
			Name: sym.Name, Kind: symbolKind(sym.Kind),
			Range: toRange(lines, sym.Span, enc), SelectionRange: toRange(lines, sym.NameSpan, enc),
		}
		if sym.Depth == 0 && sym.Container != "" {
			node.Detail = ptr(sym.Container)
		}
		node.Children, syms = outline(syms[1:], sym.Depth+1, lines, enc)
		tree = append(tree, node)
	}
	return tree, syms
}

// Symbols answers workspace/symbol by fuzzy search. A client that asks for the
// range of what it shows, by workspaceSymbol/resolve, spares the reading of the
// other files.
func (s *Server) Symbols(ctx context.Context, p *protocol.WorkspaceSymbolParams) (protocol.WorkspaceSymbolResult, error) {
	defer s.sayIncomplete(ctx, p.WorkDoneToken)
	snap := snapshot(ctx)
	found, err := snap.Search(ctx, p.Query, maxSymbols)
	if err != nil {
		return nil, err
	}
	if s.client.lazySymbols {
		return withoutPlaces(found), nil
	}
	return withPlaces(ctx, s.converter(snap), found), nil
}

func withPlaces(ctx context.Context, conv *converter, found []index.Symbol) protocol.SymbolInformationSlice {
	out := make(protocol.SymbolInformationSlice, 0, len(found))
	for _, sym := range found {
		at, err := conv.name(ctx, &sym)
		if err != nil {
			continue // the file went since it was indexed
		}
		out = append(out, protocol.SymbolInformation{BaseSymbolInformation: named(sym), Location: at})
	}
	return out
}

func named(sym index.Symbol) protocol.BaseSymbolInformation {
	out := protocol.BaseSymbolInformation{Name: sym.Name, Kind: symbolKind(sym.Kind)}
	if sym.Container != "" {
		out.ContainerName = ptr(sym.Container)
	}
	return out
}

// unresolved is what a symbol without a range carries: where its name began.
type unresolved struct {
	At int `json:"at"` // bytes
}

func withoutPlaces(found []index.Symbol) protocol.WorkspaceSymbolSlice {
	out := make(protocol.WorkspaceSymbolSlice, len(found))
	for i, sym := range found {
		data, _ := json.Marshal(unresolved{sym.NameSpan.Start}) // a number
		out[i] = protocol.WorkspaceSymbol{
			BaseSymbolInformation: named(sym), Data: data,
			Location: &protocol.LocationUriOnly{URI: fileURI(sym.Path)},
		}
	}
	return out
}

// WorkspaceSymbolResolve answers where a symbol without a range is now: the one
// of its name that is nearest to where it was.
func (s *Server) WorkspaceSymbolResolve(ctx context.Context, p *protocol.WorkspaceSymbol) (*protocol.WorkspaceSymbol, error) {
	place, ok := p.Location.(*protocol.LocationUriOnly)
	if !ok { // it has one
		return p, nil
	}
	var was unresolved
	if err := json.Unmarshal(p.Data, &was); err != nil {
		return nil, badParams("workspaceSymbol/resolve: the data is not what workspace/symbol answered: %v", err)
	}
	path, err := filePath(place.URI)
	if err != nil {
		return nil, err
	}
	conv := s.converter(snapshot(ctx))
	sym, err := nearest(ctx, conv.snap, path, p.Name, was.At)
	if err != nil {
		return nil, err
	}
	at, err := conv.location(ctx, path, sym)
	if err != nil {
		return nil, err
	}
	p.Location = &at
	return p, nil
}

// nearest returns the name of the symbol of a file that is nearest to an
// offset.
func nearest(ctx context.Context, snap *index.Snapshot, path, name string, at int) (best text.Span, err error) {
	syms, err := snap.Symbols(ctx, path)
	if err != nil {
		return best, err
	}
	away := math.MaxInt
	for _, sym := range syms {
		if d := max(sym.NameSpan.Start-at, at-sym.NameSpan.Start); sym.Name == name && d < away {
			best, away = sym.NameSpan, d
		}
	}
	return best, nil
}

var symbolKinds = map[index.Kind]protocol.SymbolKind{
	index.Function:  protocol.SymbolKindFunction,
	index.Method:    protocol.SymbolKindMethod,
	index.Type:      protocol.SymbolKindStruct,
	index.Interface: protocol.SymbolKindInterface,
	index.Class:     protocol.SymbolKindClass,
	index.Enum:      protocol.SymbolKindEnum,
	index.Member:    protocol.SymbolKindEnumMember,
	index.Constant:  protocol.SymbolKindConstant,
	index.Variable:  protocol.SymbolKindVariable,
	index.Field:     protocol.SymbolKindField,
	index.Module:    protocol.SymbolKindModule,
	index.Heading:   protocol.SymbolKindString,
	index.Key:       protocol.SymbolKindKey,
}

func symbolKind(k index.Kind) protocol.SymbolKind {
	if kind, ok := symbolKinds[k]; ok {
		return kind
	}
	return protocol.SymbolKindVariable
}
