package lsp

import (
	"context"
	"path/filepath"
	"regexp"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// A place is where a command applies: a selection, or a cursor as an empty
// range.
type place struct {
	URI   uri.URI        `json:"uri"`
	Range protocol.Range `json:"range"`
}

// A focus is what a place means: a declaration, a selection or a whole file.
type focus struct {
	agent.Focus
	name   string // for titles
	symbol *index.Symbol
}

// focusOf returns the declaration around the cursor, or the selection with the
// declaration it lies in, or the file.
func (s *Server) focusOf(ctx context.Context, snap *index.Snapshot, at place) (*focus, error) {
	conv := s.converter(snap)
	path, span, err := conv.span(ctx, at.URI, at.Range)
	if err != nil {
		return nil, err
	}
	sym, ok, err := snap.Enclosing(ctx, path, span)
	if err != nil {
		return nil, err
	}
	f := &focus{Focus: agent.Focus{Path: path, Span: span}, name: "selection"}
	switch {
	case ok && (span.Len() == 0 || span.Encloses(sym.NameSpan) || sym.NameSpan.Encloses(span)):
		f.Span, f.Symbol, f.name, f.symbol = sym.Span, sym.Qualified(), sym.Name, &sym
	case ok:
		f.Symbol, f.symbol = sym.Qualified(), &sym
	case span.Len() == 0:
		f.name = filepath.Base(path)
		f.Span = text.Span{}
	}
	return f, nil
}

// marker is a wish written into a comment of the code, for clients that have
// no prompt: "// edit: return an error instead".
var marker = regexp.MustCompile(`(?m)(?://|#|--|/\*)[ \t]*(ask|edit|rename):[ \t]*(\S.*?)[ \t]*(?:\*/)?\r?$`)

// comment is a line that holds nothing but a comment.
var comment = regexp.MustCompile(`^[ \t]*(//|#|--|/\*|\*)`)

// marked returns the last wish of the given kind in the focus or in the
// comment above it, or "".
func (f *focus) marked(ctx context.Context, snap *index.Snapshot, kind string) string {
	src, err := snap.ReadFile(ctx, f.Path)
	if err != nil {
		return ""
	}
	lines := text.NewLines(src)
	first := lines.LineAt(f.Span.Start)
	end := max(f.Span.End, lines.Line(first).End)
	for first > 0 && comment.Match(lines.Text(lines.Line(first-1))) {
		first--
	}
	wish := ""
	for _, m := range marker.FindAllSubmatch(src[lines.Start(first):end], -1) {
		if string(m[1]) == kind {
			wish = string(m[2])
		}
	}
	return wish
}
