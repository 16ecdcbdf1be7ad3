package lsp

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

type renameParams struct {
	URI      uri.URI           `json:"uri"`
	Position protocol.Position `json:"position"`
	NewName  string            `json:"newName"`
}

type renameResult struct {
	ChangeSet string `json:"changeSet"`
	Renamed   int    `json:"renamed"`  // places in the proposal
	Possible  int    `json:"possible"` // places of that name left alone, because the index is not certain
}

// rename proposes to rename what is at a position, wherever the index is
// certain that it is meant.
func (s *Server) rename(ctx context.Context, p *renameParams) (*renameResult, error) {
	conv := s.converter(snapshot(ctx))
	renaming, err := renamingAt(ctx, conv, p)
	if err != nil {
		return nil, err
	}
	files, err := renamed(ctx, conv.snap, renaming)
	if err != nil {
		return nil, err
	}
	title := fmt.Sprintf("Rename %s to %s (index): %d places", renaming.Old, p.NewName, renaming.Places)
	cs := &edits.ChangeSet{ID: s.NewID(), Title: title, Files: files}
	return &renameResult{ChangeSet: cs.ID, Renamed: renaming.Places, Possible: len(renaming.Possible)}, s.review.add(ctx, cs)
}

// renamingAt returns what renames the thing at a position.
func renamingAt(ctx context.Context, conv *converter, p *renameParams) (*index.Renaming, error) {
	path, offset, err := conv.offset(ctx, p.URI, p.Position)
	if err != nil {
		return nil, err
	}
	return conv.snap.Rename(ctx, path, offset, p.NewName)
}

// renamed returns the changes that renaming makes.
func renamed(ctx context.Context, snap *index.Snapshot, renaming *index.Renaming) ([]edits.FileChange, error) {
	var files []edits.FileChange
	for _, path := range slices.Sorted(maps.Keys(renaming.Edits)) {
		before, err := snap.ReadFile(ctx, path)
		if err != nil {
			return nil, err
		}
		after, err := text.Apply(before, renaming.Edits[path])
		if err != nil {
			return nil, fmt.Errorf("rename in %s: %w", path, err)
		}
		change, err := edits.NewModify(path, before, after)
		if err != nil {
			return nil, err
		}
		files = append(files, change)
	}
	return files, nil
}

// PrepareRename answers the name at the cursor, or why it cannot be renamed.
func (s *Server) PrepareRename(ctx context.Context, p *protocol.PrepareRenameParams) (protocol.PrepareRenameResult, error) {
	if s.leaves(ctx, p.TextDocument.URI, protocol.MethodTextDocumentRename) {
		return nil, nil
	}
	conv := s.converter(snapshot(ctx))
	path, offset, err := conv.offset(ctx, p.TextDocument.URI, p.Position)
	if err != nil {
		return nil, err
	}
	name, span, err := conv.snap.Renamable(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	at, err := conv.location(ctx, path, span)
	if err != nil {
		return nil, err
	}
	return &protocol.PrepareRenamePlaceholder{Range: at.Range, Placeholder: name}, nil
}

// Rename answers the edit that renames what is at the cursor. Uses that are
// possible and not certain are asked about, one by one, where the client can;
// elsewhere they are in the way.
func (s *Server) Rename(ctx context.Context, p *protocol.RenameParams) (*protocol.WorkspaceEdit, error) {
	if s.leaves(ctx, p.TextDocument.URI, protocol.MethodTextDocumentRename) {
		return nil, nil
	}
	conv := s.converter(snapshot(ctx))
	renaming, err := renamingAt(ctx, conv, &renameParams{p.TextDocument.URI, p.Position, p.NewName})
	if err != nil {
		return nil, err
	}
	if n := len(renaming.Possible); n > 0 && !s.client.annotations {
		first, err := conv.location(ctx, renaming.Possible[0].Path, renaming.Possible[0].Span)
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %d uses of the name may mean %s or something else, the first in %s:%d; the command agentls.rename leaves them alone",
			index.ErrUnsafe, n, renaming.Old, conv.snap.Rel(renaming.Possible[0].Path), first.Range.Start.Line+1)
	}
	w := &renameEdit{server: s, conv: conv, out: &protocol.WorkspaceEdit{}}
	return w.out, w.write(ctx, renaming)
}

// The annotations of a renaming.
const (
	isCertain  protocol.ChangeAnnotationIdentifier = "certain"
	isPossible protocol.ChangeAnnotationIdentifier = "possible"
)

// A renameEdit makes the edit of one renaming.
type renameEdit struct {
	server *Server
	conv   *converter
	out    *protocol.WorkspaceEdit
}

// write makes the edit: versioned and annotated as far as the client
// understands that.
func (w *renameEdit) write(ctx context.Context, renaming *index.Renaming) error {
	possible := map[string][]text.Edit{}
	for _, ref := range renaming.Possible {
		possible[ref.Path] = append(possible[ref.Path], text.Edit{Span: ref.Span, New: ref.New})
	}
	paths := slices.Sorted(maps.Keys(renaming.Edits))
	for path := range possible {
		if i, known := slices.BinarySearch(paths, path); !known {
			paths = slices.Insert(paths, i, path)
		}
	}
	for _, path := range paths {
		lines, err := w.conv.of(ctx, path)
		if err != nil {
			return err
		}
		w.add(path, lines, renaming.Edits[path], possible[path])
	}
	if w.server.client.annotations {
		w.annotate(renaming)
	}
	return nil
}

func (w *renameEdit) add(path string, lines *text.Lines, certain, possible []text.Edit) {
	if !w.server.client.versions {
		if w.out.Changes == nil {
			w.out.Changes = map[uri.URI][]protocol.TextEdit{}
		}
		for _, e := range certain {
			w.out.Changes[fileURI(path)] = append(w.out.Changes[fileURI(path)], w.textEdit(lines, e))
		}
		return
	}
	change := &protocol.TextDocumentEdit{}
	change.TextDocument.URI = fileURI(path)
	if doc, open := w.conv.snap.Document(path); open {
		change.TextDocument.Version = ptr(doc.Version)
	}
	for _, e := range certain {
		change.Edits = append(change.Edits, w.element(lines, e, isCertain))
	}
	for _, e := range possible {
		change.Edits = append(change.Edits, w.element(lines, e, isPossible))
	}
	w.out.DocumentChanges = append(w.out.DocumentChanges, change)
}

func (w *renameEdit) element(lines *text.Lines, e text.Edit, why protocol.ChangeAnnotationIdentifier) protocol.TextDocumentEditElement {
	edit := w.textEdit(lines, e)
	if !w.server.client.annotations {
		return &edit
	}
	return &protocol.AnnotatedTextEdit{TextEdit: edit, AnnotationID: why}
}

func (w *renameEdit) textEdit(lines *text.Lines, e text.Edit) protocol.TextEdit {
	return protocol.TextEdit{Range: toRange(lines, e.Span, w.conv.enc), NewText: e.New}
}

// annotate says what the annotations mean: Neovim fails without.
func (w *renameEdit) annotate(renaming *index.Renaming) {
	certain := protocol.ChangeAnnotation{Label: "Uses of " + renaming.Old}
	if renaming.Outside {
		certain.Description = ptr("Code outside of this workspace that uses it is not changed.")
	}
	w.out.ChangeAnnotations = map[protocol.ChangeAnnotationIdentifier]protocol.ChangeAnnotation{isCertain: certain}
	if len(renaming.Possible) > 0 {
		w.out.ChangeAnnotations[isPossible] = protocol.ChangeAnnotation{
			Label: "Possible uses of " + renaming.Old, NeedsConfirmation: ptr(true),
			Description: ptr("The index is not certain that the name means this here."),
		}
	}
}
