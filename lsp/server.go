// Package lsp speaks the Language Server Protocol 3.18: it turns what a
// client asks for into questions to the index, runs of the agent and change
// sets, one feature a file.
//
// Invariant: state changes in wire order, on the read loop, and nothing there
// waits for the client, the disk or a model.
package lsp

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/permissions"
	"github.com/agentls/agentls/agent/transcripts"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/lsp/rpc"
	"github.com/agentls/agentls/remote"
)

// A Patience is how long a client may take over an edit.
type Patience struct {
	Answer time.Duration // to answer it: it may ask its user
	Show   time.Duration // to show the planned text after it answered; Neovim reports changes 150 ms late
}

// Options are what a server is made of. All fields are needed but Patience.
type Options struct {
	Version string
	Log     *slog.Logger
	Now     func() time.Time
	NewID   func() string // unique, fit for a file name
	Journal *edits.Journal

	// Open returns what belongs to the workspace of these folders. It is
	// called once, on initialize, and must not read the folders.
	Open func(roots []string) Home

	// Configure chooses the runner. It is given the client's settings, or nil,
	// and called again when they change.
	Configure func(settings json.RawMessage) Setup

	Patience Patience // 0: 30 s for the answer, then 2 s
}

// A Home is what belongs to one workspace.
type Home struct {
	Workspace *index.Workspace
	Proposals *edits.Proposals
	Runs      *transcripts.Store // nil: no run is kept

	// Permissions are those granted for this workspace; nil: none is kept.
	Permissions *permissions.Store

	State string // a folder for the answers and diffs that clients open

	// Confinement says how the agent's commands are confined here, for people.
	// It may try them first. Nil: nothing is said.
	Confinement func(ctx context.Context) string
}

// A Setup is the runner that a configuration chose.
type Setup struct {
	Runner agent.Runner
	Model  string                // its name; "" for the index alone
	Models map[agent.Mode]string // those that are not Model, by what is done
	Source string                // which configuration won, for people
	Err    error                 // why the configuration cannot be used; Runner is then the index

	Keep edits.Limits // what the journal keeps; see Journal.Keeping

	// Context says what a run would begin with. It asks no model.
	Context func(ctx context.Context, snap *index.Snapshot, task agent.Task) (*agent.Manifest, error)

	Untrusted bool // the workspace is not trusted: its runs answer, and change nothing

	Remote    *remote.Client // of the task service; nil where RemoteErr is not
	RemoteErr error          // why there is none, and what to do
}

// A Server is one session with one client.
type Server struct {
	protocol.UnimplementedServer
	Options

	session   *rpc.Session
	stop      context.CancelCauseFunc
	ctx       context.Context //nolint:containedctx // the session's; ends when the client is gone
	client    client          // written by initialize, before anything else is admitted
	home      Home
	review    *review
	awaited   awaited
	runs      runs
	questions replies[string]
	plans     replies[planReply]
	said      conversations
	sent      requests
	findings  findings
	notes     notes
	offer     offer
	setup     atomic.Pointer[Setup]
	indexed   atomic.Pointer[index.Stats]
	editor    atomic.Pointer[agent.EditorView] // nil until the client tells of it
	fence     atomic.Pointer[string]           // how commands are confined; nil until that was tried

	background sync.WaitGroup
}

// Serve runs one session on rwc and returns the exit code for the process once
// the client is gone: 0 after an orderly shutdown, else 1. (LSP, "Exit")
func Serve(ctx context.Context, rwc io.ReadWriteCloser, opts Options) int {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s := &Server{Options: opts, stop: stop}
	s.review, s.findings.server = newReview(s), s
	session := rpc.Serve(ctx, rwc, rpc.Options{Server: s, Bind: s.bind, Log: opts.Log, Pin: s.pin})
	<-session.Done()
	s.close()
	if code, exited := session.Exited(); exited {
		return code
	}
	return 1
}

// bind is given the session before its first message.
func (s *Server) bind(session *rpc.Session) {
	s.session, s.ctx = session, session.Context()
}

// close ends what the session began. Runs have three seconds to end.
func (s *Server) close() {
	s.review.close()
	ended := make(chan struct{})
	go func() { s.background.Wait(); close(ended) }()
	late := time.NewTimer(3 * time.Second)
	defer late.Stop()
	select {
	case <-ended:
	case <-late.C:
		s.Log.Warn("background work did not end in time")
	}
	if s.home.Workspace != nil {
		if err := s.home.Workspace.Close(); err != nil {
			s.Log.Warn("index cache not closed", "err", err)
		}
	}
}

// pin runs on the read loop: what it returns is what a request may read.
func (s *Server) pin() any {
	if s.home.Workspace == nil {
		return (*index.Snapshot)(nil)
	}
	return s.home.Workspace.Snapshot()
}

// snapshot returns the snapshot of the request that ctx belongs to.
func snapshot(ctx context.Context) *index.Snapshot {
	snap, _ := rpc.Pinned(ctx).(*index.Snapshot)
	return snap
}

// spawn runs fn beside the read loop, until the session ends.
func (s *Server) spawn(fn func(ctx context.Context)) {
	s.background.Go(func() { fn(s.ctx) })
}
