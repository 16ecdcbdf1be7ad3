package rpc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// dispatcher schedules messages. Notifications, initialize and shutdown change
// state and run on the read loop in wire order; every other request runs
// concurrently on the snapshot that was pinned when it was read.
type dispatcher struct {
	session *Session
	server  protocol.Server
	next    jsonrpc2.Handler // decodes and calls server
	pin     func() any
	log     *slog.Logger
	flight  flight
	gate    *gate
	phase   phase // owned by the read loop
}

// phase is where a session stands in its life. (LSP: Lifecycle Messages.)
type phase int

const (
	starting phase = iota
	running
	shutDown
)

func newDispatcher(s *Session, opts Options) *dispatcher {
	return &dispatcher{
		session: s,
		server:  opts.Server,
		next:    protocol.ServerHandler(opts.Server, nil),
		pin:     opts.Pin,
		log:     s.log,
		flight:  flight{cancels: make(map[jsonrpc2.ID]context.CancelCauseFunc)},
		gate:    newGate(cmp.Or(max(opts.Concurrency, 0), defaultConcurrency)),
	}
}

// handle is the outermost handler. Nothing it returns, and no panic below it,
// ends the connection.
func (d *dispatcher) handle(wire context.Context, req *jsonrpc2.Request) (any, error) {
	// wire is recycled together with req as soon as we return, and whatever is
	// derived from it panics then in a goroutine that nobody can recover.
	ctx := jsonrpc2.DetachContext(wire)
	method := strings.Clone(req.Method()) // borrowed from the frame
	if !req.IsCall() {
		if err := d.notification(ctx, method, req); err != nil {
			d.log.Warn("notification dropped", "method", method, "err", err)
		}
		return nil, nil // an error would close the connection
	}
	d.session.unanswered.add() // the stream takes it off with the answer
	release := func() { jsonrpc2.Async(wire) }
	return d.call(ctx, method, req, release)
}

// notification handles a notification on the read loop.
func (d *dispatcher) notification(ctx context.Context, method string, req *jsonrpc2.Request) (err error) {
	defer d.recovered(method, &err)
	if method == protocol.MethodCancelRequest {
		return d.flight.cancel(req.Params())
	}
	kind := kinds[method]
	if kind == "" && strings.HasPrefix(method, "$/") {
		return nil // (LSP: a server may ignore notifications that start with $/)
	}
	if kind == kindRequest {
		return errors.New("a request needs an id")
	}
	if err := d.admit(method); err != nil {
		return err
	}
	if method == protocol.MethodExit {
		defer d.session.exit(d.exitCode())
	}
	ctx, cancel := context.WithCancel(context.WithValue(ctx, requestKey{}, &request{readLoop: true}))
	defer cancel()
	_, err = d.route(ctx, method, req)
	return err
}

// exitCode is the code of the exit notification. (LSP: 0 after shutdown, else 1.)
func (d *dispatcher) exitCode() int {
	if d.phase == shutDown {
		return 0
	}
	return 1
}

// call answers a request: initialize and shutdown on the read loop, the others
// after release has freed it.
func (d *dispatcher) call(ctx context.Context, method string, req *jsonrpc2.Request, release func()) (result any, err error) {
	defer d.recovered(method, &err)
	if err := d.acceptable(method); err != nil {
		return nil, err
	}
	id := req.ID()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := d.flight.add(id, cancel); err != nil {
		return nil, err
	}
	defer d.flight.remove(id)
	if method == protocol.MethodInitialize || method == protocol.MethodShutdown {
		return d.lifecycle(ctx, method, req)
	}
	if err := d.gate.enter(); err != nil {
		return nil, err
	}
	defer d.gate.leave()
	ctx = d.pinned(ctx)
	release()
	return d.run(ctx, method, req)
}

// acceptable reports the error for a request that may not run now, or at all.
func (d *dispatcher) acceptable(method string) error {
	kind := kinds[method]
	switch {
	case kind == kindNotification: // run concurrently, it would lose its place in the order
		return jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "%s is a notification: send it without an id", method)
	case kind == "" && strings.HasPrefix(method, "$/"):
		return jsonrpc2.Errorf(jsonrpc2.MethodNotFound, "%s: unknown method", method)
	}
	return d.admit(method)
}

// admit enforces initialize, …, shutdown, exit.
func (d *dispatcher) admit(method string) error {
	switch {
	case method == protocol.MethodExit:
		return nil
	case d.phase == starting && method != protocol.MethodInitialize:
		return jsonrpc2.Errorf(jsonrpc2.ServerNotInitialized, "%s before initialize", method)
	case d.phase == running && method == protocol.MethodInitialize:
		return jsonrpc2.NewError(jsonrpc2.InvalidRequest, "initialize was sent already")
	case d.phase == shutDown:
		return jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "%s after shutdown: only exit is served", method)
	}
	return nil
}

// lifecycle runs initialize or shutdown, on the read loop. A client may try
// again after a failed initialize.
func (d *dispatcher) lifecycle(ctx context.Context, method string, req *jsonrpc2.Request) (any, error) {
	if method == protocol.MethodShutdown {
		d.phase = shutDown
	}
	ctx = context.WithValue(ctx, requestKey{}, &request{readLoop: true})
	result, err := d.answer(ctx, method, req)
	if method == protocol.MethodInitialize && err == nil {
		d.phase = running
	}
	return result, err
}

// run answers a request off the read loop, in its turn. It keeps its slot
// until the peer has read enough of the earlier answers: that is what slows
// down a peer that asks and does not read.
func (d *dispatcher) run(ctx context.Context, method string, req *jsonrpc2.Request) (any, error) {
	if err := d.gate.start(ctx); err != nil {
		return nil, wireError(ctx, method, err)
	}
	defer d.gate.finish()
	result, err := d.answer(ctx, method, req)
	if err := d.session.out.awaitRoom(ctx); err != nil {
		d.log.Debug("answer did not wait for room", "method", method, "err", err)
	}
	return result, err
}

// answer calls the server and marshals its result, here, where a panic of the
// marshaller is recovered.
func (d *dispatcher) answer(ctx context.Context, method string, req *jsonrpc2.Request) (any, error) {
	result, err := d.route(ctx, method, req)
	if err != nil {
		return nil, wireError(ctx, method, err)
	}
	if result == nil {
		return nil, nil
	}
	raw, err := protocol.Marshal(result)
	if err != nil {
		return nil, jsonrpc2.Errorf(jsonrpc2.InternalError, "%s: marshal result: %v", method, err)
	}
	return jsonrpc2.RawMessage(raw), nil
}

// route calls the server's method for req. What protocol decodes wrongly is
// decoded here.
func (d *dispatcher) route(ctx context.Context, method string, req *jsonrpc2.Request) (any, error) {
	switch {
	case method == protocol.MethodTextDocumentDidOpen:
		return nil, d.didOpen(ctx, req.Params())
	case method == protocol.MethodTextDocumentDidChange:
		return nil, d.didChange(ctx, req.Params())
	case method == protocol.MethodInitialized && req.Params() == nil: // protocol wants {}
		return nil, d.server.Initialized(ctx, &protocol.InitializedParams{})
	case kinds[method] == "" && req.Params() == nil: // protocol wants params
		return d.server.Request(ctx, method, protocol.LSPAny(nil))
	}
	if err := complete(method, req.Params()); err != nil {
		return nil, err
	}
	return d.next(ctx, req)
}

// recovered turns a panic below into an error and keeps its stack.
func (d *dispatcher) recovered(method string, err *error) {
	if p := recover(); p != nil {
		d.log.Error("handler panicked", "method", method, "panic", p, "stack", string(debug.Stack()))
		*err = jsonrpc2.Errorf(jsonrpc2.InternalError, "%s: internal error; the server's log has the stack", method)
	}
}

// kind is what LSP says that a method is; empty for methods LSP does not know.
type kind string

const (
	kindRequest      kind = "request"
	kindNotification kind = "notification"
)

// kinds are the methods that a client sends to a server.
var kinds = func() map[string]kind {
	m := make(map[string]kind)
	for _, info := range protocol.Methods {
		if info.Direction != protocol.DirectionServerToClient {
			m[info.Method] = kind(info.Kind)
		}
	}
	return m
}()

// requestKey is the context key of a *request.
type requestKey struct{}

// request is what a handler's context knows about its message.
type request struct {
	pinned   any
	readLoop bool // it runs on the read loop
}

func (d *dispatcher) pinned(ctx context.Context) context.Context {
	r := &request{}
	if d.pin != nil {
		r.pinned = d.pin()
	}
	return context.WithValue(ctx, requestKey{}, r)
}

// Pinned returns what [Options].Pin returned when the request of ctx was read,
// or nil for initialize, shutdown and notifications, which run on the read loop.
func Pinned(ctx context.Context) any {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r.pinned
	}
	return nil
}

func onReadLoop(ctx context.Context) bool {
	r, ok := ctx.Value(requestKey{}).(*request)
	return ok && r.readLoop
}

// requestFailed says that a well-formed request could not be fulfilled.
const requestFailed = jsonrpc2.Code(protocol.LSPErrorCodesRequestFailed)

// wireError gives an error the code it leaves the server with: without it
// jsonrpc2 sends code 0, and protocol sends ParseError for bad params. Errors
// that carry a code keep it.
func wireError(ctx context.Context, method string, err error) error {
	cancelled := ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx)))
	coded, ok := errors.AsType[*jsonrpc2.Error](err)
	switch {
	case cancelled:
		return protocol.ErrRequestCancelled
	case !ok:
		return jsonrpc2.NewError(requestFailed, err.Error())
	case coded.Code == jsonrpc2.ParseError:
		return jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%s: %v", method, err)
	case coded.Code == jsonrpc2.MethodNotFound:
		return fmt.Errorf("%s: %w", method, err)
	}
	return err
}
