package lsp

import (
	"context"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

// An anchored is a source whose declarations the index finds, so that a rebase
// can follow them.
type anchored struct{ edits.Source }

// Anchors parses content by itself: it may be none that a snapshot has.
func (anchored) Anchors(ctx context.Context, path string, content []byte) ([]edits.Anchor, error) {
	return anchors(ctx, path, content)
}

// Anchors is that of anchored.
func (t *target) Anchors(ctx context.Context, path string, content []byte) ([]edits.Anchor, error) {
	return anchors(ctx, path, content)
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
