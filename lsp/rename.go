package lsp

import (
	"context"
	"fmt"
	"regexp"
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

// identifier is a name in the languages of the index.
var identifier = regexp.MustCompile(`^[\p{L}_$][\p{L}\p{N}_$]*$`)

// rename proposes to rename what is at a position, wherever the index is
// certain that it is meant.
func (s *Server) rename(ctx context.Context, p *renameParams) (*renameResult, error) {
	if !identifier.MatchString(p.NewName) {
		return nil, badParams("agentls.rename: %q is not a name", p.NewName)
	}
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
	files, result, err := renamed(ctx, snap, refs, p.NewName)
	if err != nil {
		return nil, err
	}
	if result.Renamed == 0 {
		return nil, badParams("agentls.rename: the index is certain of no use of %s (%d possible)", old, result.Possible)
	}
	title := fmt.Sprintf("Rename %s to %s (index): %d places", old, p.NewName, result.Renamed)
	cs := &edits.ChangeSet{ID: s.NewID(), Title: title, Files: files}
	result.ChangeSet = cs.ID
	return result, s.review.add(ctx, cs)
}

// renamed returns the changes that rename the certain ones of refs.
func renamed(ctx context.Context, snap *index.Snapshot, refs []index.Reference, name string) ([]edits.FileChange, *renameResult, error) {
	byFile, result := make(map[string][]text.Edit), new(renameResult)
	var order []string
	for _, r := range refs {
		if r.Certainty != index.Certain {
			result.Possible++
			continue
		}
		if byFile[r.Path] == nil {
			order = append(order, r.Path)
		}
		byFile[r.Path] = append(byFile[r.Path], text.Edit{Span: r.Span, New: name})
		result.Renamed++
	}
	slices.Sort(order)
	var files []edits.FileChange
	for _, path := range order {
		before, err := snap.ReadFile(ctx, path)
		if err != nil {
			return nil, nil, err
		}
		after, err := text.Apply(before, byFile[path])
		if err != nil {
			return nil, nil, fmt.Errorf("rename in %s: %w", path, err)
		}
		change, err := edits.NewModify(path, before, after)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, change)
	}
	return files, result, nil
}
