package lsp

import (
	"context"
	"sync/atomic"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/lsp/rpc"
)

// A progress is a server-created work done progress. A nil one is silent, so
// that callers need not ask whether the client shows any.
type progress struct {
	client  *client
	token   string
	percent atomic.Int32
}

// beginProgress shows title to the client, or returns nil if that shows none.
// stop, if not nil, runs when the user presses cancel.
func (s *Server) beginProgress(ctx context.Context, title string, stop func()) *progress {
	if !s.client.progress {
		return nil
	}
	p := &progress{client: &s.client, token: "agentls-" + s.NewID()}
	err := s.client.WorkDoneProgressCreate(ctx, &protocol.WorkDoneProgressCreateParams{Token: protocol.String(p.token)})
	if err != nil {
		return nil
	}
	if stop != nil {
		s.runs.cancellable(p.token, stop)
	}
	p.send(ctx, rpc.WorkDoneProgressBegin(protocol.WorkDoneProgressBegin{Title: title, Cancellable: ptr(stop != nil)}))
	return p
}

// report says how far the work is; percent below zero leaves that open.
func (p *progress) report(ctx context.Context, message string, percent int) {
	if p == nil || percent >= 0 && p.percent.Swap(int32(percent)) == int32(percent) { //nolint:gosec // at most 100
		return
	}
	report := protocol.WorkDoneProgressReport{Message: &message}
	if percent >= 0 {
		report.Percentage = ptr(uint32(percent)) //nolint:gosec // at most 100
	}
	p.send(ctx, rpc.WorkDoneProgressReport(report))
}

// end takes the progress away.
func (p *progress) end(ctx context.Context, message string) {
	if p != nil {
		p.send(ctx, rpc.WorkDoneProgressEnd(protocol.WorkDoneProgressEnd{Message: &message}))
	}
}

func (p *progress) send(ctx context.Context, value protocol.LSPAny) {
	_ = p.client.Progress(ctx, &protocol.ProgressParams{Token: protocol.String(p.token), Value: value}) // for show only
}

// WorkDoneProgressCancel stops the run behind a progress.
func (s *Server) WorkDoneProgressCancel(_ context.Context, p *protocol.WorkDoneProgressCancelParams) error {
	if token, ok := p.Token.(protocol.String); ok {
		s.runs.cancelled(string(token))
	}
	return nil
}
