package lsp

import (
	"context"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/agentls/agentls/index"
)

// DocumentLink answers the links of a Markdown file, to pages, to files that
// are there, and to headlines in them.
func (s *Server) DocumentLink(ctx context.Context, p *protocol.DocumentLinkParams) ([]protocol.DocumentLink, error) {
	if s.leaves(ctx, p.TextDocument.URI, protocol.MethodTextDocumentDocumentLink) {
		return nil, nil
	}
	conv := s.converter(snapshot(ctx))
	path, err := filePath(p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	links, err := conv.snap.Links(ctx, path)
	if err != nil || len(links) == 0 {
		return nil, err
	}
	lines, err := conv.of(ctx, path)
	if err != nil {
		return nil, err
	}
	out := make([]protocol.DocumentLink, 0, len(links))
	for _, l := range links {
		if to, ok := linkURI(ctx, conv, l); ok {
			out = append(out, protocol.DocumentLink{Range: toRange(lines, l.Span, conv.enc), Target: &to})
		}
	}
	return out, nil
}

// linkURI returns where a link leads, with the line as editors understand it.
// Links to what is not there are none.
func linkURI(ctx context.Context, conv *converter, l index.Link) (uri.URI, bool) {
	if l.URL != "" {
		return uri.URI(l.URL), true
	}
	if !conv.snap.Has(l.Path) {
		return "", false
	}
	span, err := conv.snap.Target(ctx, l)
	if err != nil {
		return "", false
	}
	to := string(fileURI(l.Path))
	if span.Len() > 0 {
		lines, err := conv.of(ctx, l.Path)
		if err != nil {
			return "", false
		}
		to = lineURI(to, lines, span.Start)
	}
	return uri.URI(to), true
}
