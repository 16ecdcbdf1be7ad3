package lsp

import (
	"context"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/lsp/rpc"
)

// maxPlaces bounds the places of one answer: nobody looks at more.
const maxPlaces = 5000

// Definition answers where the identifier at the cursor is declared.
func (s *Server) Definition(ctx context.Context, p *protocol.DefinitionParams) (protocol.DefinitionResult, error) {
	return s.placesOf(ctx, protocol.MethodTextDocumentDefinition, p.TextDocumentPositionParams, definitions)
}

// definitions returns where the identifier at offset is declared or, of a module
// and of the path of an import, its file.
func definitions(snap *index.Snapshot, ctx context.Context, path string, offset int) ([]index.Symbol, error) { //nolint:revive // like a method of Snapshot
	found, err := snap.Definitions(ctx, path, offset)
	if err != nil || len(found) > 0 {
		return found, err
	}
	return snap.Modules(ctx, path, offset)
}

// Declaration is Definition: the index does not tell them apart.
func (s *Server) Declaration(ctx context.Context, p *protocol.DeclarationParams) (protocol.DeclarationResult, error) {
	return s.placesOf(ctx, protocol.MethodTextDocumentDeclaration, p.TextDocumentPositionParams, definitions)
}

// TypeDefinition answers where the type of the identifier at the cursor is
// declared.
func (s *Server) TypeDefinition(ctx context.Context, p *protocol.TypeDefinitionParams) (protocol.DefinitionResult, error) {
	return s.placesOf(ctx, protocol.MethodTextDocumentTypeDefinition, p.TextDocumentPositionParams, (*index.Snapshot).TypesAt)
}

// Implementation answers the types and methods that implement the one at the
// cursor.
func (s *Server) Implementation(ctx context.Context, p *protocol.ImplementationParams) (protocol.DefinitionResult, error) {
	defer s.sayIncomplete(ctx, p.WorkDoneToken)
	return s.placesOf(ctx, protocol.MethodTextDocumentImplementation, p.TextDocumentPositionParams, func(snap *index.Snapshot, ctx context.Context, path string, offset int) ([]index.Symbol, error) {
		found, err := snap.Implementations(ctx, path, offset)
		syms := make([]index.Symbol, len(found))
		for i, k := range found {
			syms[i] = k.Symbol
		}
		return syms, err
	})
}

// placesOf answers the names of the symbols that a question about a position
// has.
func (s *Server) placesOf(ctx context.Context, method string, at protocol.TextDocumentPositionParams, question func(*index.Snapshot, context.Context, string, int) ([]index.Symbol, error)) (protocol.LocationSlice, error) {
	if s.leaves(ctx, at.TextDocument.URI, method) {
		return nil, nil
	}
	conv := s.converter(snapshot(ctx))
	path, offset, err := conv.offset(ctx, at.TextDocument.URI, at.Position)
	if err != nil {
		return nil, err
	}
	found, err := question(conv.snap, ctx, path, offset)
	if err != nil {
		return nil, err
	}
	linked, err := conv.snap.LinkedFrom(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	out := make(protocol.LocationSlice, 0, len(found))
	if len(linked) > 0 && linked[0].Definition {
		if at, err := conv.location(ctx, linked[0].Path, linked[0].Span); err == nil {
			return append(out, at), nil
		}
	}
	for _, sym := range found {
		if at, err := conv.location(ctx, sym.Path, sym.NameSpan); err == nil { // else the file went since it was indexed
			out = append(out, at)
		}
	}
	return out, nil
}

// References answers the uses of what is at the cursor: the certain ones, then
// the possible ones.
func (s *Server) References(ctx context.Context, p *protocol.ReferenceParams) ([]protocol.Location, error) {
	if s.leaves(ctx, p.TextDocument.URI, protocol.MethodTextDocumentReferences) {
		return nil, nil
	}
	defer s.sayIncomplete(ctx, p.WorkDoneToken)
	conv := s.converter(snapshot(ctx))
	path, offset, err := conv.offset(ctx, p.TextDocument.URI, p.Position)
	if err != nil {
		return nil, err
	}
	found, err := conv.snap.References(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	linked, err := conv.snap.LinkedFrom(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	if len(linked) > 0 { // in Markdown, where names say nothing
		found = linked
	}
	out := make([]protocol.Location, 0, min(len(found), maxPlaces))
	for _, ref := range found {
		if ref.Definition && !p.Context.IncludeDeclaration {
			continue
		}
		if len(out) == maxPlaces {
			break
		}
		if at, err := conv.location(ctx, ref.Path, ref.Span); err == nil {
			out = append(out, at)
		}
	}
	return out, nil
}

// DocumentHighlight answers the uses of what is at the cursor in its file.
func (s *Server) DocumentHighlight(ctx context.Context, p *protocol.DocumentHighlightParams) ([]protocol.DocumentHighlight, error) {
	if s.leaves(ctx, p.TextDocument.URI, protocol.MethodTextDocumentDocumentHighlight) {
		return nil, nil
	}
	conv := s.converter(snapshot(ctx))
	path, offset, err := conv.offset(ctx, p.TextDocument.URI, p.Position)
	if err != nil {
		return nil, err
	}
	lines, err := conv.of(ctx, path)
	if err != nil {
		return nil, err
	}
	found, err := conv.snap.Highlights(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	out := make([]protocol.DocumentHighlight, len(found))
	for i, ref := range found {
		out[i] = protocol.DocumentHighlight{Range: toRange(lines, ref.Span, conv.enc), Kind: highlightKind(ref)}
	}
	return out, nil
}

func highlightKind(ref index.Reference) protocol.DocumentHighlightKind {
	switch {
	case ref.Certainty == index.Possible:
		return protocol.DocumentHighlightKindText
	case ref.Definition || ref.Write:
		return protocol.DocumentHighlightKindWrite
	default:
		return protocol.DocumentHighlightKindRead
	}
}

// sayIncomplete tells who waits for an answer of an index that is still being
// built, by the progress that the request brought along.
func (s *Server) sayIncomplete(ctx context.Context, token protocol.ProgressToken) {
	if token == nil || snapshot(ctx).Ready() {
		return
	}
	for _, value := range []protocol.LSPAny{
		rpc.WorkDoneProgressBegin(protocol.WorkDoneProgressBegin{Title: "agentls"}),
		rpc.WorkDoneProgressEnd(protocol.WorkDoneProgressEnd{Message: ptr(incomplete)}),
	} {
		_ = s.client.Progress(ctx, &protocol.ProgressParams{Token: token, Value: value}) // for show only
	}
}

// incomplete is said where an answer may lack something.
const incomplete = "The index is still being built: there may be more."
