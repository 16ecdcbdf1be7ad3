package lsp

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/agentls/agentls/edits"
)

type hunkParams struct {
	ChangeSet string  `json:"changeSet"`
	URI       uri.URI `json:"uri,omitempty"`  // absent: all files
	Hunk      int     `json:"hunk,omitempty"` // absent: all hunks of the file
}

// A pick says which hunks of a change set are meant.
type pick func(*edits.FileChange, *edits.Hunk) bool

// selects returns the proposal that p names, and which of its hunks it means: a
// hunk in a declaration that moved is one of the file where it is now, too.
func (s *Server) selects(ctx context.Context, p *hunkParams) (*edits.ChangeSet, pick, error) {
	part, err := partOf(p.URI, p.Hunk)
	if err != nil {
		return nil, nil, err
	}
	cs, err := s.review.find(p.ChangeSet)
	if err != nil {
		return nil, nil, err
	}
	hunks, err := placeOf(ctx, cs, s.home.Workspace.Snapshot())
	if err != nil {
		return nil, nil, err
	}
	return cs, func(f *edits.FileChange, h *edits.Hunk) bool {
		return part.Picks(f, h) || slices.ContainsFunc(hunks, func(now placed) bool {
			return now.file.Origin == f.Path && now.hunk.ID == h.ID && part.Picks(now.file, now.hunk)
		})
	}, nil
}

// An applyResult says what an apply, undo or redo did. Conflicts mean that
// nothing was changed.
type applyResult struct {
	Entry     string         `json:"entry,omitempty"` // of the journal, for undo and redo
	Title     string         `json:"title,omitempty"`
	Files     []uri.URI      `json:"files"`
	Unsaved   []uri.URI      `json:"unsaved"` // changed in the editor, not yet written
	Conflicts []conflictView `json:"conflicts"`
}

type conflictView struct {
	URI    uri.URI `json:"uri"`
	Hunk   int     `json:"hunk,omitempty"`
	Reason string  `json:"reason"`
	Ours   string  `json:"ours"`   // what the change set wants there
	Theirs string  `json:"theirs"` // what is there now
}

// acceptHunks applies some hunks, as a journal entry of their own.
func (s *Server) acceptHunks(ctx context.Context, p *hunkParams) (*applyResult, error) {
	cs, which, err := s.selects(ctx, p)
	if err != nil {
		return nil, err
	}
	return s.apply(ctx, cs.ID, which)
}

// applyChanges applies all that is pending in a proposal.
func (s *Server) applyChanges(ctx context.Context, p *changeSetParams) (*applyResult, error) {
	return s.apply(ctx, p.ChangeSet, func(*edits.FileChange, *edits.Hunk) bool { return true })
}

func (s *Server) apply(ctx context.Context, id string, which pick) (*applyResult, error) {
	cs, err := s.review.find(id)
	if err != nil {
		return nil, err
	}
	selected := cs.Select(which)
	if len(selected.Files) == 0 {
		return nil, badParams("nothing is pending there in %q", cs.Title)
	}
	result, err := s.settle(ctx, func() (*edits.Entry, error) { return s.journal().Apply(ctx, s.target(), selected) })
	if errors.Is(err, edits.ErrNoChange) { // somebody made the same change
		result, err = &applyResult{Title: cs.Title, Files: []uri.URI{}, Unsaved: []uri.URI{}, Conflicts: []conflictView{}}, nil
	}
	if err != nil || len(result.Conflicts) > 0 {
		return result, err
	}
	return result, s.alreadyThere(ctx, cs.ID, which)
}

// alreadyThere notes the hunks that an apply left out because their change was
// there already: they are done, too.
func (s *Server) alreadyThere(ctx context.Context, id string, which pick) error {
	cs, err := s.review.find(id)
	if err != nil || cs.Pending() == 0 {
		return nil //nolint:nilerr // decided, every hunk of it
	}
	_, err = s.review.mark(context.WithoutCancel(ctx), cs, edits.Applied, func(f *edits.FileChange, h *edits.Hunk) bool {
		return h.State == edits.Pending && which(f, h)
	})
	return err
}

// crossings is how often an apply is tried again because the user's typing
// crossed it on the way.
const crossings = 3

// settle runs do, an apply, undo or redo, and tells how it went. Where typing
// crossed it, it is taken back and done again on what is there now.
func (s *Server) settle(ctx context.Context, do func() (*edits.Entry, error)) (*applyResult, error) {
	entry, err := do()
	for range crossings {
		var partial *edits.PartialError // what is left is to be told, not built upon
		if !errors.Is(err, edits.ErrStale) || errors.As(err, &partial) || ctx.Err() != nil {
			break
		}
		entry, err = do()
	}
	if err != nil {
		return s.unapplied(ctx, err)
	}
	return s.applied(ctx, entry)
}

// applied brings the proposals in step with what the journal did.
func (s *Server) applied(ctx context.Context, entry *edits.Entry) (*applyResult, error) {
	ctx = context.WithoutCancel(ctx) // it is done: a cancel comes too late
	if cs, err := s.review.find(entry.ChangeSet); err == nil {
		if err := s.review.add(ctx, adopt(cs, entry)); err != nil {
			return nil, fmt.Errorf("applied, but the proposal's state was not kept: %w", err)
		}
	}
	return &applyResult{
		Entry: entry.ID, Title: entry.Title, Files: uris(pathsOf(entry)), Unsaved: uris(entry.Unsaved), Conflicts: []conflictView{},
	}, nil
}

// adopt returns cs with the states that its hunks have in entry.
func adopt(cs *edits.ChangeSet, entry *edits.Entry) *edits.ChangeSet {
	out := cs.Clone()
	for _, f := range entry.Change.Files {
		for _, h := range f.Hunks {
			if own, ok := out.Hunk(f.Proposed(), h.ID); ok {
				own.State = h.State
			}
		}
	}
	return out
}

func pathsOf(entry *edits.Entry) []string {
	var paths []string
	for _, f := range entry.Change.Files {
		paths = append(paths, f.Target())
	}
	return paths
}

// unapplied turns a conflict into a result, which names both texts.
func (s *Server) unapplied(ctx context.Context, err error) (*applyResult, error) {
	var conflict *edits.ConflictError
	if !errors.As(err, &conflict) {
		return nil, err
	}
	out := &applyResult{Files: []uri.URI{}, Unsaved: []uri.URI{}}
	for _, c := range conflict.Conflicts {
		out.Conflicts = append(out.Conflicts, conflictView{
			URI: fileURI(c.Path), Hunk: c.Hunk, Reason: c.Reason, Ours: c.Ours, Theirs: c.Theirs,
		})
	}
	if !s.client.events {
		s.spawn(func(ctx context.Context) {
			s.client.say(ctx, protocol.MessageTypeWarning, "agentls: nothing was changed: "+err.Error())
		})
	}
	s.review.draw(context.WithoutCancel(ctx))
	return out, nil
}

type rejectResult struct {
	Counts edits.Counts `json:"counts"`
}

// rejectHunks takes hunks out of a proposal. Nothing else changes.
func (s *Server) rejectHunks(ctx context.Context, p *hunkParams) (*rejectResult, error) {
	cs, which, err := s.selects(ctx, p)
	if err != nil {
		return nil, err
	}
	undecided := func(f *edits.FileChange, h *edits.Hunk) bool {
		return which(f, h) && (h.State == edits.Pending || h.State == edits.InConflict)
	}
	marked, err := s.review.mark(context.WithoutCancel(ctx), cs, edits.Rejected, undecided)
	if err != nil {
		return nil, err
	}
	return &rejectResult{Counts: marked.Counts()}, nil
}

type undoParams struct {
	Entry string  `json:"entry,omitempty"` // absent: the last one applied
	URI   uri.URI `json:"uri,omitempty"`   // absent: all its files
	Hunk  int     `json:"hunk,omitempty"`  // absent: all hunks of the file
}

type redoParams struct {
	Entry string  `json:"entry,omitempty"` // absent: the last one undone
	URI   uri.URI `json:"uri,omitempty"`   // absent: all its files
	Hunk  int     `json:"hunk,omitempty"`  // absent: all hunks of the file
}

// partOf returns the part of an entry that parameters name.
func partOf(file uri.URI, hunk int) (edits.Selection, error) {
	if file == "" && hunk != 0 {
		return edits.Selection{}, badParams("a hunk is one of a file: name its %q, too", "uri")
	}
	if file == "" {
		return edits.Selection{}, nil
	}
	path, err := filePath(file)
	return edits.Selection{Path: path, Hunk: hunk}, err
}

// undoChanges takes an entry back, or a part of it. Later edits of the user
// stay.
func (s *Server) undoChanges(ctx context.Context, p *undoParams) (*applyResult, error) {
	part, err := partOf(p.URI, p.Hunk)
	if err != nil {
		return nil, err
	}
	return s.settle(ctx, func() (*edits.Entry, error) { return s.journal().Undo(ctx, s.target(), p.Entry, part) })
}

// redoChanges makes what was undone again, or a part of it.
func (s *Server) redoChanges(ctx context.Context, p *redoParams) (*applyResult, error) {
	part, err := partOf(p.URI, p.Hunk)
	if err != nil {
		return nil, err
	}
	return s.settle(ctx, func() (*edits.Entry, error) { return s.journal().Redo(ctx, s.target(), p.Entry, part) })
}

// journal returns the journal for this workspace: the last entry is the last
// one here.
func (s *Server) journal() *edits.Journal {
	return s.Journal.Keeping(s.setup.Load().Keep).Within(s.home.Workspace.Snapshot().Roots()...)
}
