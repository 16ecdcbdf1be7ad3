package lsp

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/lsp/rpc"
)

// DidOpen takes the document over the disk.
func (s *Server) DidOpen(_ context.Context, p *protocol.DidOpenTextDocumentParams) error {
	path, err := rpc.FilePath(p.TextDocument.URI)
	if err != nil {
		return nil //nolint:nilerr // a document without a file, such as untitled:, is none of ours
	}
	return s.change(index.Modification{
		Action: index.Open, Path: path, File: s.behindSoon(path), Version: p.TextDocument.Version,
		Language: string(p.TextDocument.LanguageID), Text: []byte(p.TextDocument.Text),
	})
}

// linkWait bounds how long the read loop waits for the disk to say whether a
// document was opened by a link. The editor has just read the file, so that it
// takes microseconds, but where a disk hangs.
const linkWait = 250 * time.Millisecond

// behindSoon is behind, or "" where the disk does not answer.
func (s *Server) behindSoon(path string) string {
	found := make(chan string, 1)
	go func() { found <- s.behind(path) }()
	late := time.NewTimer(linkWait)
	defer late.Stop()
	select {
	case file := <-found:
		return file
	case <-late.C:
		return ""
	}
}

// behind returns the file that path leads to, where a link below its root is in
// it; else "".
func (s *Server) behind(path string) string {
	file := resolved(path)
	if file == path {
		return ""
	}
	for _, root := range s.home.Workspace.Snapshot().Roots() {
		if rel, err := filepath.Rel(resolved(root), file); err == nil && filepath.IsLocal(rel) {
			file = filepath.Join(root, rel)
			break
		}
	}
	if file == path {
		return "" // the root itself is below a link
	}
	return file
}

// DidChange applies the content changes in their order.
func (s *Server) DidChange(_ context.Context, p *protocol.DidChangeTextDocumentParams) error {
	path, err := rpc.FilePath(p.TextDocument.URI)
	if err != nil {
		return nil //nolint:nilerr // as in DidOpen
	}
	doc, ok := s.home.Workspace.Snapshot().Document(path)
	if !ok {
		return fmt.Errorf("change of %s: %w", path, index.ErrNotOpen)
	}
	mod := index.Modification{Action: index.Edit, Path: path, Version: p.TextDocument.Version}
	if err := s.contentChanges(&mod, doc.Text, p.ContentChanges); err != nil {
		return fmt.Errorf("change of %s: %w", path, err)
	}
	return s.change(mod)
}

// contentChanges turns LSP's changes into edits of bytes, once. Each change
// counts in the result of the one before. (LSP, didChange)
func (s *Server) contentChanges(mod *index.Modification, src []byte, changes []protocol.TextDocumentContentChangeEvent) error {
	for i, change := range changes {
		switch c := change.(type) {
		case *protocol.TextDocumentContentChangeWholeDocument:
			src = []byte(c.Text)
			mod.Text, mod.Edits = src, nil
		case *protocol.TextDocumentContentChangePartial:
			edit := text.Edit{Span: toSpan(text.NewLines(src), c.Range, s.client.encoding), New: c.Text}
			mod.Edits = append(mod.Edits, edit)
			if i == len(changes)-1 {
				return nil // nothing counts in the last result: the index makes it
			}
			var err error
			if src, err = text.Apply(src, []text.Edit{edit}); err != nil {
				return err
			}
		}
	}
	return nil
}

// DidSave tells the index, and the journal where it waits for the save.
func (s *Server) DidSave(_ context.Context, p *protocol.DidSaveTextDocumentParams) error {
	path, err := rpc.FilePath(p.TextDocument.URI)
	if err != nil {
		return nil //nolint:nilerr // as in DidOpen
	}
	mod := index.Modification{Action: index.Save, Path: path}
	if p.Text != nil {
		mod.Text = []byte(*p.Text)
	}
	s.notes.add(s, func(ctx context.Context) { s.saved(ctx, path) })
	return s.change(mod)
}

// DidClose gives the file back to the disk.
func (s *Server) DidClose(_ context.Context, p *protocol.DidCloseTextDocumentParams) error {
	path, err := rpc.FilePath(p.TextDocument.URI)
	if err != nil {
		return nil //nolint:nilerr // as in DidOpen
	}
	if doc, ok := s.home.Workspace.Snapshot().Document(path); ok && doc.Dirty {
		s.notes.add(s, func(ctx context.Context) { s.closedUnsaved(ctx, path) })
	}
	return s.change(index.Modification{Action: index.Close, Path: path})
}

// watchThere asks a client that can to report what changes on disk: it sees
// folders that the system here refuses to watch. What both report is read once.
func (s *Server) watchThere(ctx context.Context) {
	if !s.client.watches {
		return
	}
	err := s.client.RegisterCapability(ctx, &protocol.RegistrationParams{Registrations: []protocol.Registration{{
		ID: "agentls.files", Method: string(protocol.MethodWorkspaceDidChangeWatchedFiles),
		RegisterOptions: protocol.LSPAny(`{"watchers":[{"globPattern":"**/*"}]}`),
	}}})
	if err != nil && ctx.Err() == nil {
		s.Log.Warn("the client does not watch files, though it said that it can", "err", err)
	}
}

// DidChangeWatchedFiles is a bonus: the index watches by itself.
func (s *Server) DidChangeWatchedFiles(_ context.Context, p *protocol.DidChangeWatchedFilesParams) error {
	var mods []index.Modification
	for _, c := range p.Changes {
		if path, err := rpc.FilePath(c.URI); err == nil {
			mods = append(mods, index.Modification{Action: index.Disk, Path: path})
		}
	}
	return s.change(mods...)
}

// change is the one door to the index. It runs on the read loop.
func (s *Server) change(mods ...index.Modification) error {
	err := s.home.Workspace.Change(mods...)
	for _, m := range mods {
		s.awaited.see(s.home.Workspace.Snapshot(), m.Path)
		s.review.touched(m.Path)
	}
	if errors.Is(err, index.ErrStaleVersion) {
		s.Log.Warn("document out of step with the client", "err", err)
	}
	return err
}
