package lsp

import (
	"context"
	"fmt"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/index"
)

// Hover answers what the index knows of the identifier at the cursor.
func (s *Server) Hover(ctx context.Context, p *protocol.HoverParams) (*protocol.Hover, error) {
	if s.leaves(ctx, p.TextDocument.URI, protocol.MethodTextDocumentHover) {
		return nil, nil
	}
	conv := s.converter(snapshot(ctx))
	path, offset, err := conv.offset(ctx, p.TextDocument.URI, p.Position)
	if err != nil {
		return nil, err
	}
	_, span, ok, err := conv.snap.At(ctx, path, offset)
	if err != nil || !ok {
		return nil, err
	}
	found, err := conv.snap.Definitions(ctx, path, offset)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	card, err := card(ctx, conv, found[0], len(found)-1)
	if err != nil {
		return nil, err
	}
	at, err := conv.location(ctx, path, span)
	if err != nil {
		return nil, err
	}
	return &protocol.Hover{Contents: &protocol.MarkupContent{Kind: protocol.MarkupKindMarkdown, Value: card}, Range: &at.Range}, nil
}

// card describes sym in Markdown: signature, doc comment, container, place, and
// how many other declarations have its name.
func card(ctx context.Context, conv *converter, sym index.Symbol, others int) (string, error) {
	signature, err := conv.snap.Signature(ctx, sym)
	if err != nil {
		return "", err
	}
	doc, err := conv.snap.Doc(ctx, sym)
	if err != nil {
		return "", err
	}
	lines, err := conv.of(ctx, sym.Path)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "```%s\n%s\n```\n", sym.Language, signature)
	if doc != "" {
		fmt.Fprintf(&b, "\n%s\n", doc)
	}
	fmt.Fprintf(&b, "\n%s", sym.Kind)
	if sym.Container != "" {
		fmt.Fprintf(&b, " of `%s`", sym.Container)
	}
	fmt.Fprintf(&b, " in %s:%d", conv.snap.Rel(sym.Path), lines.LineAt(sym.NameSpan.Start)+1)
	if others > 0 {
		fmt.Fprintf(&b, ", and %d more of this name", others)
	}
	if !conv.snap.Ready() {
		b.WriteString("\n\n" + incomplete)
	}
	return b.String(), nil
}
