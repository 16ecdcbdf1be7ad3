package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// protocol decodes a member that is missing or null as zero, and zero means
// something here: an empty text, version 0, an insertion at the first byte.
// This file refuses such params before they can damage a document.

// given reports whether a member is present and not null.
type given bool

func (g *given) UnmarshalJSON(raw []byte) error {
	*g = string(raw) != "null"
	return nil
}

type givenPosition struct{ Line, Character given }

// outline says which of the members that matter are given.
type outline struct {
	TextDocument struct{ URI, Version, Text given }
	Position     givenPosition
	Range        struct{ Start, End givenPosition }
}

// atPosition are the requests about one position.
var atPosition = map[string]bool{
	protocol.MethodTextDocumentDeclaration:          true,
	protocol.MethodTextDocumentDefinition:           true,
	protocol.MethodTextDocumentTypeDefinition:       true,
	protocol.MethodTextDocumentImplementation:       true,
	protocol.MethodTextDocumentReferences:           true,
	protocol.MethodTextDocumentPrepareCallHierarchy: true,
	protocol.MethodTextDocumentPrepareTypeHierarchy: true,
	protocol.MethodTextDocumentDocumentHighlight:    true,
	protocol.MethodTextDocumentHover:                true,
	protocol.MethodTextDocumentMoniker:              true,
	protocol.MethodTextDocumentCompletion:           true,
	protocol.MethodTextDocumentSignatureHelp:        true,
	protocol.MethodTextDocumentOnTypeFormatting:     true,
	protocol.MethodTextDocumentRename:               true,
	protocol.MethodTextDocumentPrepareRename:        true,
	protocol.MethodTextDocumentLinkedEditingRange:   true,
	protocol.MethodTextDocumentInlineCompletion:     true,
}

// inRange are the requests about one range.
var inRange = map[string]bool{
	protocol.MethodTextDocumentCodeAction:          true,
	protocol.MethodTextDocumentRangeFormatting:     true,
	protocol.MethodTextDocumentInlayHint:           true,
	protocol.MethodTextDocumentInlineValue:         true,
	protocol.MethodTextDocumentSemanticTokensRange: true,
	protocol.MethodTextDocumentColorPresentation:   true,
}

// complete reports the first member that a method about a document cannot do
// without and that params lack.
func complete(method string, params []byte) error {
	if !strings.HasPrefix(method, "textDocument/") || kinds[method] == "" {
		return nil
	}
	var has outline
	if err := json.Unmarshal(params, &has); err != nil {
		return fmt.Errorf("%w: %w", jsonrpc2.ErrInvalidParams, err)
	}
	opens := method == protocol.MethodTextDocumentDidOpen
	switch {
	case !bool(has.TextDocument.URI):
		return missing("textDocument.uri")
	case opens && !bool(has.TextDocument.Version):
		return missing("textDocument.version")
	case opens && !bool(has.TextDocument.Text):
		return missing("textDocument.text")
	case atPosition[method] && !has.Position.whole():
		return missing("position.line or position.character")
	case inRange[method] && (!has.Range.Start.whole() || !has.Range.End.whole()):
		return missing("range.start or range.end")
	}
	return nil
}

func (p givenPosition) whole() bool { return bool(p.Line && p.Character) }

func missing(member string) error {
	return jsonrpc2.Errorf(jsonrpc2.InvalidParams, "params: %s is missing", member)
}

// didOpen hands on an open document whose strings own their memory: protocol's
// would pin the whole message for as long as the server keeps the URI.
func (d *dispatcher) didOpen(ctx context.Context, params []byte) error {
	if err := complete(protocol.MethodTextDocumentDidOpen, params); err != nil {
		return err
	}
	var p protocol.DidOpenTextDocumentParams
	if err := protocol.Unmarshal(params, &p); err != nil {
		return fmt.Errorf("params: %w", err)
	}
	doc := &p.TextDocument
	doc.URI = uri.URI(strings.Clone(string(doc.URI)))
	doc.LanguageID = protocol.LanguageKind(strings.Clone(string(doc.LanguageID)))
	doc.Text = strings.Clone(doc.Text)
	return d.server.DidOpen(ctx, &p)
}

// didChange hands on changes that are what the client meant: a range that is
// missing or null means the whole document (protocol would insert at 0:0), and
// anything half given drops the notification.
func (d *dispatcher) didChange(ctx context.Context, params []byte) error {
	var p changeParams
	if err := json.Unmarshal(params, &p); err != nil {
		return fmt.Errorf("params: %w", err)
	}
	switch {
	case p.TextDocument.URI == nil:
		return missing("textDocument.uri")
	case p.TextDocument.Version == nil:
		return missing("textDocument.version")
	case p.ContentChanges == nil:
		return missing("contentChanges")
	}
	changes, err := events(p.ContentChanges)
	if err != nil {
		return err
	}
	return d.server.DidChange(ctx, &protocol.DidChangeTextDocumentParams{
		TextDocument: protocol.VersionedTextDocumentIdentifier{
			TextDocumentIdentifier: protocol.TextDocumentIdentifier{URI: *p.TextDocument.URI},
			Version:                *p.TextDocument.Version,
		},
		ContentChanges: changes,
	})
}

// changeParams are the params of didChange, nil where a member is not given.
type changeParams struct {
	TextDocument struct {
		URI     *uri.URI
		Version *int32
	}
	ContentChanges []change
}

type change struct {
	Range *struct{ Start, End point }
	Text  *string
}

type point struct{ Line, Character *uint32 }

func (p point) position() protocol.Position {
	return protocol.Position{Line: *p.Line, Character: *p.Character}
}

func (p point) whole() bool { return p.Line != nil && p.Character != nil }

// events converts changes to protocol's union: *TextDocumentContentChangePartial
// with a range, *TextDocumentContentChangeWholeDocument without.
func events(changes []change) ([]protocol.TextDocumentContentChangeEvent, error) {
	out := make([]protocol.TextDocumentContentChangeEvent, 0, len(changes))
	for i, c := range changes {
		switch {
		case c.Text == nil:
			return nil, missing(fmt.Sprintf("contentChanges[%d].text", i))
		case c.Range == nil:
			out = append(out, &protocol.TextDocumentContentChangeWholeDocument{Text: *c.Text})
		case !c.Range.Start.whole() || !c.Range.End.whole():
			return nil, missing(fmt.Sprintf("contentChanges[%d].range.start or .end", i))
		default:
			span := protocol.Range{Start: c.Range.Start.position(), End: c.Range.End.position()}
			out = append(out, &protocol.TextDocumentContentChangePartial{Range: span, Text: *c.Text})
		}
	}
	return out, nil
}
