package lsp

import (
	"context"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/index"
)

// FoldingRanges answers what can be folded in a file, by whole lines.
func (s *Server) FoldingRanges(ctx context.Context, p *protocol.FoldingRangeParams) ([]protocol.FoldingRange, error) {
	if s.leaves(ctx, p.TextDocument.URI, protocol.MethodTextDocumentFoldingRange) {
		return nil, nil
	}
	conv := s.converter(snapshot(ctx))
	path, err := filePath(p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	folds, err := conv.snap.Folds(ctx, path)
	if err != nil {
		return nil, err
	}
	lines, err := conv.of(ctx, path)
	if err != nil {
		return nil, err
	}
	out := make([]protocol.FoldingRange, len(folds))
	for i, fold := range folds {
		at := toRange(lines, fold.Span, conv.enc)
		out[i] = protocol.FoldingRange{StartLine: at.Start.Line, EndLine: at.End.Line, Kind: foldKinds[fold.Kind]}
	}
	return out, nil
}

var foldKinds = map[index.FoldKind]protocol.FoldingRangeKind{
	index.FoldComment: protocol.FoldingRangeKindComment, index.FoldImports: protocol.FoldingRangeKindImports,
}

// SelectionRange answers, for each position, the nodes around it from the
// innermost out.
func (s *Server) SelectionRange(ctx context.Context, p *protocol.SelectionRangeParams) ([]protocol.SelectionRange, error) {
	if s.leaves(ctx, p.TextDocument.URI, protocol.MethodTextDocumentSelectionRange) {
		return nil, nil
	}
	conv := s.converter(snapshot(ctx))
	out := make([]protocol.SelectionRange, len(p.Positions))
	for i, position := range p.Positions {
		path, offset, err := conv.offset(ctx, p.TextDocument.URI, position)
		if err != nil {
			return nil, err
		}
		spans, err := conv.snap.Enclosings(ctx, path, offset)
		if err != nil {
			return nil, err
		}
		lines, err := conv.of(ctx, path)
		if err != nil {
			return nil, err
		}
		out[i].Range = protocol.Range{Start: position, End: position}
		var around *protocol.SelectionRange
		for j := len(spans) - 1; j >= 0; j-- {
			around = &protocol.SelectionRange{Range: toRange(lines, spans[j], conv.enc), Parent: around}
		}
		if around != nil {
			out[i] = *around
		}
	}
	return out, nil
}
