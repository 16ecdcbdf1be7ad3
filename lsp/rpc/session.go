// Package rpc carries one LSP session over a byte stream: framing, order,
// cancellation, back-pressure and error codes.
//
// It is built on the types and the connection of go.lsp.dev, but not on
// protocol.NewServer, whose scheduling loses the order of edits and whose
// connection dies of one bad message. What a peer sends is never trusted here:
// no input ends the process, and only nonsense in a header ends the session.
package rpc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// Why a session ended, as the cause of its context (see [context.Cause]).
var (
	// ErrPeerGone: the input ended or broke, or a write failed.
	ErrPeerGone = errors.New("peer gone")
	// ErrExit: the peer sent the exit notification.
	ErrExit = errors.New("exit notification")
	// ErrUnread: the peer stopped reading what it is sent.
	ErrUnread = errors.New("peer does not read")
)

const (
	defaultConcurrency = 64

	// graceLimit is what requests in flight get after a clean end of input
	// (`printf … | agentls serve`) before they are cancelled.
	graceLimit = 2 * time.Second
	// settleLimit is what cancelled requests get to answer, and then the
	// answers to reach the peer.
	settleLimit = time.Second
	// closeLimit is what the connection gets to let go of its goroutines. A
	// read of a stdin that the parent holds open may never return.
	closeLimit = time.Second
)

// Options say what a session serves.
type Options struct {
	// Server answers. Its notification methods, Initialize and Shutdown run on
	// the read loop in wire order: they must be quick and cannot wait for the
	// client. All other requests run concurrently.
	Server protocol.Server

	// Bind, when set, is called with the session before its first message is
	// read: the server's chance to keep it for [Session.Client].
	Bind func(*Session)

	// Pin returns what a concurrent request may read, a snapshot. It runs on
	// the read loop, so that the request sees exactly the edits before it on
	// the wire; [Pinned] hands it out. Nil pins nothing.
	Pin func() any

	// Log receives what the peer cannot be told. Nil discards it.
	Log *slog.Logger

	// Concurrency bounds the requests that run at the same time; 0 means 64.
	// Up to 16 times as many wait; a request beyond those is answered with
	// RequestFailed. Cancellation reaches those that wait.
	Concurrency int
}

// Session is one conversation with one client.
type Session struct {
	log        *slog.Logger
	conn       jsonrpc2.Conn
	client     protocol.Client
	out        *outbox
	unanswered *tally
	closeInput func() error

	ctx    context.Context // the one context that a struct keeps: the session's own
	cancel context.CancelCauseFunc

	inputEnded chan error    // capacity 1; the read loop found no further frame
	released   chan struct{} // closed when the read loop may tell conn so
	done       chan struct{}

	mu       sync.Mutex
	exitCode int  // guarded by mu
	exited   bool // guarded by mu
}

// Serve starts a session over rwc, which it owns from now on, and returns at
// once. The session ends when its input ends, at the exit notification, when
// the peer stops reading, or with ctx.
func Serve(ctx context.Context, rwc io.ReadWriteCloser, opts Options) *Session {
	s := newSession(ctx, rwc, opts.Log)
	if opts.Bind != nil {
		opts.Bind(s)
	}
	go s.out.run()
	go s.supervise()                                //nolint:contextcheck // the session carries its own
	s.conn.Go(s.ctx, newDispatcher(s, opts).handle) //nolint:contextcheck // derived from ctx in newSession
	return s
}

func newSession(ctx context.Context, rwc io.ReadWriteCloser, log *slog.Logger) *Session {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &Session{
		log:        cmp.Or(log, slog.New(slog.DiscardHandler)),
		unanswered: newTally(),
		closeInput: rwc.Close,
		ctx:        ctx,
		cancel:     cancel,
		inputEnded: make(chan error, 1),
		released:   make(chan struct{}),
		done:       make(chan struct{}),
	}
	s.out = newOutbox(rwc, cancel)
	s.conn = jsonrpc2.NewConn(newStream(rwc, s), jsonrpc2.WithCodec(codec{}))
	s.client = protocol.ClientDispatcher(awayFromReadLoop{s.conn})
	return s
}

// Context ends with the session; [context.Cause] then says why. Work that
// outlives a handler runs on it, never on the handler's own context.
func (s *Session) Context() context.Context { return s.ctx }

// Client calls and notifies the client. A call made from a handler that runs
// on the read loop fails at once, since only that loop could read its answer.
// Calls and notifications wait while 16 MiB are unread, until their context
// ends; 60 s without the peer reading anything end the session.
func (s *Session) Client() protocol.Client { return s.client }

// Notify sends a notification that protocol.Client does not know, such as
// agentls/event. params is marshalled as LSP; nil sends none. It waits like
// [Session.Client] and fails when the session is over.
func (s *Session) Notify(ctx context.Context, method string, params any) error {
	if err := s.conn.Notify(ctx, method, params); err != nil {
		return fmt.Errorf("notify %s: %w", method, err)
	}
	return nil
}

// Done is closed when the session is over: nothing more is read or written.
// It does not wait for ever for a handler that ignores its context, nor for a
// read that cannot be interrupted.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err says why the session ended: nil while it lasts, after the end of input
// between two messages and after exit; else the cause.
func (s *Session) Err() error {
	select {
	case <-s.done:
	default:
		return nil
	}
	cause := context.Cause(s.ctx)
	if errors.Is(cause, ErrExit) || errors.Is(cause, io.EOF) {
		return nil
	}
	return cause
}

// Exited returns the code that the process must exit with according to LSP (0
// after shutdown, else 1), and whether the exit notification came at all. rpc
// never ends the process itself.
func (s *Session) Exited() (code int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exitCode, s.exited
}

// exit ends the session as the exit notification demands. (LSP: 0 after
// shutdown, else 1.)
func (s *Session) exit(code int) {
	s.mu.Lock()
	s.exitCode, s.exited = code, true
	s.mu.Unlock()
	s.cancel(ErrExit)
}

// endInput is called on the read loop with the error that ended the input. It
// holds the loop until everything in flight was answered, because conn drops
// answers once it knows of the end.
func (s *Session) endInput(err error) error {
	s.inputEnded <- err // read loops end once, so there is room
	<-s.released
	return err
}

// supervise ends the session in order: let requests finish, cancel the rest,
// write the answers, close.
func (s *Session) supervise() {
	defer close(s.done)
	s.awaitEnd()
	s.settle()
	close(s.released)
	select {
	case <-s.closed():
	case <-after(closeLimit):
		s.log.Warn("session abandoned with its input or handlers blocked")
	}
}

// awaitEnd returns when the session's context has ended.
func (s *Session) awaitEnd() {
	select {
	case <-s.ctx.Done():
	case <-s.conn.Done():
		s.cancel(fmt.Errorf("%w: %w", ErrPeerGone, cmp.Or(s.conn.Err(), io.ErrUnexpectedEOF)))
	case err := <-s.inputEnded:
		if errors.Is(err, io.EOF) {
			s.awaitAnswers(graceLimit)
		}
		s.cancel(fmt.Errorf("%w: %w", ErrPeerGone, err))
	}
}

func (s *Session) awaitAnswers(limit time.Duration) {
	select {
	case <-s.unanswered.none():
	case <-s.ctx.Done():
	case <-after(limit):
	}
}

// settle lets cancelled requests say so, writes what is queued and stops writing.
func (s *Session) settle() {
	select {
	case <-s.unanswered.none():
	case <-after(settleLimit):
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), settleLimit)
	defer cancel()
	if err := s.out.flush(ctx); err != nil {
		s.log.Warn("answers lost", "err", err)
	}
	_ = s.out.stop(context.Cause(s.ctx)) // the cause is kept in the context
}

// closed closes the byte stream; its channel is closed when every goroutine of
// the session has ended. Closing happens aside, since it may block as well.
func (s *Session) closed() <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if err := s.closeInput(); err != nil {
			s.log.Debug("close", "err", err)
		}
		<-s.conn.Done()
		<-s.out.stopped
	}()
	return gone
}

// after is a timer's channel; unlike a ticker it needs no stopping.
func after(d time.Duration) <-chan time.Time { return time.NewTimer(d).C }

// awayFromReadLoop refuses calls that would wait for the loop they block.
type awayFromReadLoop struct{ jsonrpc2.Conn }

func (c awayFromReadLoop) Call(ctx context.Context, method string, params, result any) (jsonrpc2.ID, error) {
	if onReadLoop(ctx) {
		return jsonrpc2.ID{}, fmt.Errorf("call %s: from the read loop it would wait for ever: spawn it on the session's context", method)
	}
	return c.Conn.Call(ctx, method, params, result)
}
