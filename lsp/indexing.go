package lsp

import (
	"context"
	"fmt"
	"time"

	"go.lsp.dev/protocol"
)

// scan builds the index and follows the disk until the session ends.
func (s *Server) scan(ctx context.Context) {
	s.scanOnce(ctx)
	if err := s.home.Workspace.Watch(ctx); err != nil && ctx.Err() == nil {
		s.Log.Warn("files are not watched: changes outside the editor are seen when the client reports them", "err", err)
	}
}

// scanOnce builds the index, with a sign of life. It shows progress only when
// it takes long: most scans end before a person could read it.
func (s *Server) scanOnce(ctx context.Context) {
	s.emit(ctx, Event{Kind: IndexStarted})
	var bar *progress
	shown := s.Now().Add(500 * time.Millisecond)
	stats, err := s.home.Workspace.Scan(ctx, func(done, total int) {
		if bar == nil && s.Now().After(shown) {
			bar = s.beginProgress(ctx, "agentls: indexing", nil)
		}
		bar.report(ctx, fmt.Sprintf("%d of %d files", done, total), done*100/max(total, 1))
	})
	bar.end(ctx, fmt.Sprintf("%d files", stats.Files))
	if err != nil {
		if ctx.Err() == nil {
			s.Log.Error("index incomplete", "err", err)
			s.client.say(ctx, protocol.MessageTypeWarning, "agentls: the index is incomplete: "+err.Error())
		}
		return
	}
	s.indexed.Store(&stats)
	s.Log.Info("indexed", "files", stats.Files, "parsed", stats.Parsed, "symbols", stats.Symbols, "elapsed", stats.Elapsed)
	s.emit(ctx, Event{Kind: IndexDone, Files: stats.Files, Parsed: stats.Parsed, Symbols: stats.Symbols})
}
