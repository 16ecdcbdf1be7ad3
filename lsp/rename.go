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
	snap := snapshot(ctx)
	path, offset, err := s.converter(snap).offset(ctx, p.URI, p.Position)
	if err != nil {
		return nil, err
	}
	old, _, ok, err := snap.At(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	if !ok || old == p.NewName {
		return nil, badParams("agentls.rename: there is nothing to rename at that position")
	}
	refs, err := snap.References(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	renaming, err := index.Rename(refs, p.NewName)
	if err != nil {
		return nil, badParams("agentls.rename: %v", err)
	}
	if renaming.Places == 0 {
		return nil, badParams("agentls.rename: the index is certain of no use of %s (%d possible)", old, len(renaming.Possible))
	}
	files, err := renamed(ctx, snap, renaming)
	if err != nil {
		return nil, err
	}
	title := fmt.Sprintf("Rename %s to %s (index): %d places", old, p.NewName, renaming.Places)
	cs := &edits.ChangeSet{ID: s.NewID(), Title: title, Files: files}
	return &renameResult{ChangeSet: cs.ID, Renamed: renaming.Places, Possible: len(renaming.Possible)}, s.review.add(ctx, cs)
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
