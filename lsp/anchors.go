package lsp

import (
	"context"
	"slices"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

// An anchored is a source whose declarations the index finds, so that a rebase
// can follow them.
type anchored struct {
	edits.Source
	index *index.Snapshot
}

// Anchors parses content by itself: it may be none that a snapshot has.
func (anchored) Anchors(ctx context.Context, path string, content []byte) ([]edits.Anchor, error) {
	return anchors(ctx, path, content)
}

// Declaring asks the index.
func (a anchored) Declaring(ctx context.Context, name string) ([]string, error) {
	return declaring(ctx, a.index, name)
}

// Anchors is that of anchored.
func (t *target) Anchors(ctx context.Context, path string, content []byte) ([]edits.Anchor, error) {
	return anchors(ctx, path, content)
}

// Declaring is that of anchored.
func (t *target) Declaring(ctx context.Context, name string) ([]string, error) {
	return declaring(ctx, t.snapshot(), name)
}

func anchors(ctx context.Context, path string, content []byte) ([]edits.Anchor, error) {
	alone := index.New(index.Options{Workers: 1})
	defer alone.Close() //nolint:errcheck // it has nothing on the disk
	text := append([]byte{}, content...)
	if err := alone.Change(index.Modification{Action: index.Open, Path: path, Version: 1, Text: text}); err != nil {
		return nil, err
	}
	symbols, err := alone.Snapshot().Symbols(ctx, path)
	if err != nil {
		return nil, err
	}
	out := make([]edits.Anchor, len(symbols))
	for i := range symbols {
		out[i] = edits.Anchor{Name: symbols[i].Qualified(), Span: symbols[i].Span}
	}
	return out, nil
}

// maxDeclaring is how many symbols are looked at: those of just the name come
// first.
const maxDeclaring = 200

// declaring returns the files of snap with a symbol whose qualified name is
// name.
func declaring(ctx context.Context, snap *index.Snapshot, name string) ([]string, error) {
	symbols, err := snap.Search(ctx, name, maxDeclaring)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, sym := range symbols {
		if sym.Qualified() == name && !slices.Contains(paths, sym.Path) {
			paths = append(paths, sym.Path)
		}
	}
	return paths, nil
}
