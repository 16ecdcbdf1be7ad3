package lsp

import (
	"context"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// maxSymbols bounds the answer to workspace/symbol: what nobody scrolls to
// need not be sent.
const maxSymbols = 200

// DocumentSymbol answers the outline of a file.
func (s *Server) DocumentSymbol(ctx context.Context, p *protocol.DocumentSymbolParams) (protocol.DocumentSymbolResult, error) {
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

// Symbols answers workspace/symbol by fuzzy search.
func (s *Server) Symbols(ctx context.Context, p *protocol.WorkspaceSymbolParams) (protocol.WorkspaceSymbolResult, error) {
	snap := snapshot(ctx)
	found, err := snap.Search(ctx, p.Query, maxSymbols)
	if err != nil {
		return nil, err
	}
	conv := s.converter(snap)
	out := make(protocol.SymbolInformationSlice, 0, len(found))
	for _, sym := range found {
		at, err := conv.location(ctx, sym.Path, sym.NameSpan)
		if err != nil {
			continue // the file went since it was indexed
		}
		info := protocol.SymbolInformation{Location: at}
		info.Name, info.Kind = sym.Name, symbolKind(sym.Kind)
		if sym.Container != "" {
			info.ContainerName = ptr(sym.Container)
		}
		out = append(out, info)
	}
	return out, nil
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
}

func symbolKind(k index.Kind) protocol.SymbolKind {
	if kind, ok := symbolKinds[k]; ok {
		return kind
	}
	return protocol.SymbolKindVariable
}
