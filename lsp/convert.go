package lsp

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/lsp/rpc"
)

// A converter translates between the client's positions and the bytes of one
// snapshot. It is made for one request and used by one goroutine.
//
// Invariant: code units other than bytes exist here alone.
type converter struct {
	snap  *index.Snapshot
	enc   text.Encoding
	lines map[string]*text.Lines
}

func (s *Server) converter(snap *index.Snapshot) *converter {
	return &converter{snap: snap, enc: s.client.encoding, lines: make(map[string]*text.Lines)}
}

// of returns the lines of the file at path.
func (c *converter) of(ctx context.Context, path string) (*text.Lines, error) {
	if l, ok := c.lines[path]; ok {
		return l, nil
	}
	src, err := c.snap.ReadFile(ctx, path)
	if err != nil {
		return nil, err
	}
	c.lines[path] = text.NewLines(src)
	return c.lines[path], nil
}

// span returns the file and the bytes of a range.
func (c *converter) span(ctx context.Context, u uri.URI, r protocol.Range) (string, text.Span, error) {
	path, err := filePath(u)
	if err != nil {
		return "", text.Span{}, err
	}
	lines, err := c.of(ctx, path)
	if err != nil {
		return path, text.Span{}, err
	}
	return path, toSpan(lines, r, c.enc), nil
}

// offset is span for one position.
func (c *converter) offset(ctx context.Context, u uri.URI, p protocol.Position) (string, int, error) {
	path, span, err := c.span(ctx, u, protocol.Range{Start: p, End: p})
	return path, span.Start, err
}

// location returns the place of span for the client.
func (c *converter) location(ctx context.Context, path string, span text.Span) (protocol.Location, error) {
	lines, err := c.of(ctx, path)
	if err != nil {
		return protocol.Location{}, err
	}
	return protocol.Location{URI: fileURI(path), Range: toRange(lines, span, c.enc)}, nil
}

// name returns the place of sym's name. Where the index knows its line, the file
// is not read. A name that is not ASCII has another length in other units.
func (c *converter) name(ctx context.Context, sym *index.Symbol) (protocol.Location, error) {
	if sym.Line == 0 || !isASCII(sym.Name) {
		return c.location(ctx, sym.Path, sym.NameSpan)
	}
	start := text.Point{Line: sym.Line - 1, Column: sym.Column}
	end := text.Point{Line: start.Line, Column: start.Column + len(sym.Name)}
	return protocol.Location{URI: fileURI(sym.Path), Range: protocol.Range{Start: toPosition(start), End: toPosition(end)}}, nil
}

// link returns the URI of a symbol, with its line as editors understand it.
func (c *converter) link(ctx context.Context, sym index.Symbol) string {
	to := string(fileURI(sym.Path))
	lines, err := c.of(ctx, sym.Path)
	if err != nil {
		return to
	}
	return lineURI(to, lines, sym.NameSpan.Start)
}

// lineURI returns the URI of the line that offset is on.
func lineURI(file string, lines *text.Lines, offset int) string {
	return fmt.Sprintf("%s#L%d", file, lines.LineAt(offset)+1)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// toSpan converts a range. What lies outside the text means its end; a
// reversed range is empty.
func toSpan(lines *text.Lines, r protocol.Range, enc text.Encoding) text.Span {
	start, _ := lines.Offset(toPoint(r.Start), enc)
	end, _ := lines.Offset(toPoint(r.End), enc)
	return text.Span{Start: start, End: max(start, end)}
}

func toRange(lines *text.Lines, s text.Span, enc text.Encoding) protocol.Range {
	return protocol.Range{Start: toPosition(lines.Point(s.Start, enc)), End: toPosition(lines.Point(s.End, enc))}
}

func toPoint(p protocol.Position) text.Point {
	return text.Point{Line: int(p.Line), Column: int(p.Character)}
}

func toPosition(p text.Point) protocol.Position {
	return protocol.Position{Line: uint32(p.Line), Character: uint32(p.Column)} //nolint:gosec // a text is far shorter than 4 GiB
}

// filePath returns the path of u, or an error that says what is wrong with
// the parameters.
func filePath(u uri.URI) (string, error) {
	path, err := rpc.FilePath(u)
	if err != nil {
		return "", badParams("%v", err)
	}
	return path, nil
}

// fileURI returns the URI of an absolute path, or an empty one for a path that
// the platform cannot have given us.
func fileURI(path string) uri.URI {
	u, err := rpc.FileURI(path)
	if err != nil {
		return ""
	}
	return u
}

func badParams(format string, args ...any) error {
	return jsonrpc2.NewError(jsonrpc2.InvalidParams, fmt.Sprintf(format, args...))
}
