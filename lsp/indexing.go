package lsp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/index"
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
	scan, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	stats, err := s.home.Workspace.Scan(scan, func(p index.Progress) {
		if p.Phase != index.Parsing { // the other takes no time worth a bar
			return
		}
		if bar == nil && s.Now().After(shown) {
			bar = s.beginProgress(ctx, "agentls: indexing", func() { stop(errIndexingStopped) })
		}
		bar.report(ctx, indexing(p), p.Done*100/max(p.Total, 1))
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

var errIndexingStopped = errors.New("you stopped it; what is not read yet is known by its names, and is read when a file changes or the server starts again")

// indexing says how far the index is.
func indexing(p index.Progress) string {
	says := fmt.Sprintf("%d of %d files", p.Done, p.Total)
	if p.Rate > 0 {
		says += fmt.Sprintf(", %.1f MB/s", p.Rate/1e6)
	}
	if left := p.Remaining.Round(time.Second); left > 0 {
		says += fmt.Sprintf(", %v left", left)
	}
	return says
}
