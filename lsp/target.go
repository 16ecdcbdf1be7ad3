package lsp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/lsp/rpc"
)

// A target is where change sets go: open documents to the client, the rest to
// the disk. It is an edits.Editor.
type target struct {
	server *Server
	disk   *edits.Directory
	failed bool     // an edit was not made
	files  sync.Map // by the path of a document: what it is with links resolved
}

func (s *Server) target() *target {
	return &target{server: s, disk: edits.NewDirectory()}
}

func (t *target) snapshot() *index.Snapshot { return t.server.home.Workspace.Snapshot() }

// ReadFile reads the document, else the disk itself: not a snapshot, which may
// lag behind it.
func (t *target) ReadFile(ctx context.Context, path string) ([]byte, error) {
	if doc, ok := t.document(path); ok {
		return doc.Text, nil
	}
	return t.disk.ReadFile(ctx, path)
}

// IsOpen reports whether path is open in the editor.
func (t *target) IsOpen(path string) bool {
	_, ok := t.document(path)
	return ok
}

// document returns the open document that is the file at path, whatever name
// it was opened by: a link and what it leads to are one file.
func (t *target) document(path string) (index.Document, bool) {
	if doc, ok := t.snapshot().Document(path); ok {
		return doc, true
	}
	file := resolved(path)
	for _, doc := range t.snapshot().Documents() {
		known, ok := t.files.Load(doc.Path)
		if !ok {
			known = resolved(doc.Path)
			t.files.Store(doc.Path, known)
		}
		if known == file {
			return doc, true
		}
	}
	return index.Document{}, false
}

// resolved returns path with links resolved, or as it is where there is
// nothing.
func resolved(path string) string {
	if file, err := filepath.EvalSymlinks(path); err == nil {
		return file
	}
	return path
}

// Apply changes the disk first, since it can be checked at once, then the
// client's documents with one workspace/applyEdit, and waits until they show
// the planned text.
func (t *target) Apply(ctx context.Context, cs *edits.ChangeSet) error {
	closed, open := *cs, *cs
	closed.Files, open.Files = nil, nil
	for _, f := range cs.Files {
		if t.IsOpen(f.Path) {
			open.Files = append(open.Files, f)
		} else {
			closed.Files = append(closed.Files, f)
		}
	}
	if err := t.applyDisk(ctx, &closed); err != nil {
		return err
	}
	if err := t.disk.ApplyModes(&open); err != nil {
		return err
	}
	open.Files = slices.DeleteFunc(open.Files, func(f edits.FileChange) bool { return f.ChangesMode() })
	return t.applyDocuments(ctx, &open)
}

func (t *target) applyDisk(ctx context.Context, cs *edits.ChangeSet) error {
	if len(cs.Files) == 0 {
		return nil
	}
	err := t.disk.Apply(ctx, cs)
	var mods []index.Modification
	for _, f := range cs.Files {
		mods = append(mods, index.Modification{Action: index.Disk, Path: f.Path})
		if f.To != "" {
			mods = append(mods, index.Modification{Action: index.Disk, Path: f.To})
		}
	}
	return errors.Join(err, t.server.home.Workspace.Change(mods...), t.server.home.Workspace.Refresh(ctx))
}

func (t *target) applyDocuments(ctx context.Context, cs *edits.ChangeSet) error {
	if len(cs.Files) == 0 {
		return nil
	}
	edit, err := t.workspaceEdit(cs)
	if err != nil {
		return err
	}
	waits := t.expect(cs)
	// Once it is sent a cancel comes too late: the client makes it all the same.
	ctx = context.WithoutCancel(ctx)
	err = t.send(ctx, cs, edit, waits)
	if err == nil {
		err = waits.wait(ctx)
	}
	waits.forget()
	if err != nil && !t.failed { // what follows is taking back, which may come late
		t.failed = true
		t.server.awaited.watch(waits)
	}
	return err
}

// send sends an edit, and returns nil once the client said that it made it, or
// its documents show it: what it says is not what counts.
func (t *target) send(ctx context.Context, cs *edits.ChangeSet, edit *protocol.WorkspaceEdit, waits waits) error {
	ctx, cancel := context.WithTimeout(ctx, t.server.patience().Answer)
	defer cancel()
	answer := make(chan error, 1)
	t.server.spawn(func(context.Context) { answer <- t.request(ctx, cs, edit) })
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var silent <-chan time.Time // for too long, though all is shown
	for {
		select {
		case err := <-answer:
			if waits.shown() {
				return nil
			}
			return err
		case <-tick.C:
			if silent == nil && waits.shown() {
				silent = time.NewTimer(t.server.patience().Show).C
			}
		case <-silent:
			return nil
		}
	}
}

// request has the client make an edit, and returns what it answers.
func (t *target) request(ctx context.Context, cs *edits.ChangeSet, edit *protocol.WorkspaceEdit) error {
	result, err := t.server.client.ApplyEdit(ctx, &protocol.ApplyWorkspaceEditParams{Label: ptr(cs.Title), Edit: *edit})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the editor did not answer the edit within %v: %w", t.server.patience().Answer, err)
	case err != nil:
		return fmt.Errorf("send the edit to the editor: %w", err)
	case !result.Applied && t.moved(cs):
		return fmt.Errorf("the editor has a newer text: %w", edits.ErrStale)
	case !result.Applied && result.FailureReason != nil:
		return fmt.Errorf("the editor refused the edit: %s", *result.FailureReason)
	case !result.Applied:
		return errors.New("the editor refused the edit and gave no reason")
	}
	return nil
}

// moved reports whether a document got another text since cs was rebased on it.
func (t *target) moved(cs *edits.ChangeSet) bool {
	return slices.ContainsFunc(cs.Files, func(f edits.FileChange) bool {
		doc, open := t.document(f.Path)
		return !open || text.HashOf(doc.Text) != f.Base
	})
}

// workspaceEdit says cs in LSP, with the client's own versions.
func (t *target) workspaceEdit(cs *edits.ChangeSet) (*protocol.WorkspaceEdit, error) {
	if !t.server.client.applyEdit {
		return nil, errors.New("the editor takes no edits from a server: close the files of this change, then apply again")
	}
	var out protocol.WorkspaceEdit
	for _, f := range cs.Files {
		doc, ok := t.document(f.Path)
		if !ok || text.HashOf(doc.Text) != f.Base {
			return nil, fmt.Errorf("%s: %w", f.Path, edits.ErrStale)
		}
		changes, err := t.documentChanges(f, doc)
		if err != nil {
			return nil, err
		}
		out.DocumentChanges = append(out.DocumentChanges, changes...)
	}
	return &out, nil
}

func (t *target) documentChanges(f edits.FileChange, doc index.Document) ([]protocol.DocumentChange, error) {
	switch f.Op {
	case edits.Delete:
		if !t.server.client.deletes {
			return nil, fmt.Errorf("%s is open and the editor cannot delete files: close it, then apply again", f.Path)
		}
		return []protocol.DocumentChange{rpc.DeleteFile(protocol.DeleteFile{URI: fileURI(f.Path)})}, nil
	case edits.Rename:
		if !t.server.client.renames {
			return nil, fmt.Errorf("%s is open and the editor cannot rename files: close it, then apply again", f.Path)
		}
		return append(t.textEdits(f, doc), rpc.RenameFile(protocol.RenameFile{OldURI: fileURI(f.Path), NewURI: fileURI(f.To)})), nil
	case edits.Modify:
		return t.textEdits(f, doc), nil
	case edits.Create:
		return nil, fmt.Errorf("%s: %w: it is open in the editor", f.Path, edits.ErrStale)
	default:
		return nil, fmt.Errorf("%s: unknown operation %q", f.Path, f.Op)
	}
}

// textEdits returns the pending hunks of f, or nothing if they change no text.
func (t *target) textEdits(f edits.FileChange, doc index.Document) []protocol.DocumentChange {
	lines := text.NewLines(doc.Text)
	var out []protocol.TextDocumentEditElement
	for _, h := range f.Hunks {
		if h.State == edits.Pending && (h.Edit.Span.Len() > 0 || h.Edit.New != "") {
			edit := awayFromEnd(doc.Text, h.Edit)
			out = append(out, &protocol.TextEdit{Range: toRange(lines, edit.Span, t.server.client.encoding), NewText: edit.New})
		}
	}
	if len(out) == 0 {
		return nil
	}
	change := &protocol.TextDocumentEdit{Edits: out}
	change.TextDocument.URI = fileURI(doc.Path)
	change.TextDocument.Version = ptr(doc.Version)
	return []protocol.DocumentChange{change}
}

// awayFromEnd returns an edit with the same result as e that does not reach the
// end of src, where that can be had: the line ending before e moves into it, and
// its own out of it. (Neovim 0.10 leaves an empty line after an edit that ends
// behind the last line.)
func awayFromEnd(src []byte, e text.Edit) text.Edit {
	ending := "\n"
	if bytes.HasSuffix(src, []byte("\r\n")) {
		ending = "\r\n"
	}
	n := len(ending)
	before := string(src[max(0, e.Span.Start-n):e.Span.Start])
	if e.Span.End != len(src) || !bytes.HasSuffix(src, []byte(ending)) || before != ending || e.New != "" && !strings.HasSuffix(e.New, ending) {
		return e
	}
	if e.New != "" {
		e.New = ending + strings.TrimSuffix(e.New, ending)
	}
	e.Span = e.Span.Shift(-n)
	return e
}
