package rpc_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/textproto"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/lsp/rpc"
)

// server answers custom methods with handlers, and keeps what documents do.
type server struct {
	protocol.UnimplementedServer
	handlers    map[string]handler
	initialized func(context.Context) error

	version atomic.Int32 // of the document, as of the last didChange
	hovers  atomic.Int32

	mu      sync.Mutex
	opened  []protocol.TextDocumentItem
	changed []protocol.TextDocumentContentChangeEvent
}

type handler func(ctx context.Context, params []byte) (any, error)

func (s *server) Initialize(context.Context, *protocol.InitializeParams) (*protocol.InitializeResult, error) {
	return &protocol.InitializeResult{}, nil
}

func (s *server) Initialized(ctx context.Context, _ *protocol.InitializedParams) error {
	if s.initialized == nil {
		return nil
	}
	return s.initialized(ctx)
}

func (s *server) Shutdown(context.Context) error { return nil }

func (s *server) DidOpen(_ context.Context, p *protocol.DidOpenTextDocumentParams) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened = append(s.opened, p.TextDocument)
	return nil
}

func (s *server) DidChange(_ context.Context, p *protocol.DidChangeTextDocumentParams) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version.Store(p.TextDocument.Version)
	s.changed = append(s.changed, p.ContentChanges...)
	return nil
}

func (s *server) Hover(context.Context, *protocol.HoverParams) (*protocol.Hover, error) {
	s.hovers.Add(1)
	return &protocol.Hover{Contents: protocol.String("hi")}, nil
}

func (s *server) Request(ctx context.Context, method string, params any) (any, error) {
	h, ok := s.handlers[method]
	if !ok {
		return s.UnimplementedServer.Request(ctx, method, params)
	}
	raw, ok := params.(protocol.LSPAny)
	if !ok {
		return nil, fmt.Errorf("params are %T", params)
	}
	return h(ctx, raw)
}

// duplex is the server's end of two pipes, of which each can end alone.
type duplex struct {
	*io.PipeReader
	*io.PipeWriter
}

func (d duplex) Close() error {
	return cmpErr(d.PipeReader.Close(), d.PipeWriter.Close())
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// peer is the client's end of a session.
type peer struct {
	testing.TB
	in      *io.PipeWriter // what the server reads
	out     *bufio.Reader  // what the server writes
	unread  *io.PipeReader // out's source
	session *rpc.Session
	log     *bytes.Buffer // the server's; read it when the session is over
}

// connect starts a session without a word.
func connect(tb testing.TB, opts rpc.Options) *peer {
	tb.Helper()
	serverIn, in := io.Pipe()
	out, serverOut := io.Pipe()
	p := &peer{TB: tb, in: in, out: bufio.NewReader(out), unread: out, log: new(bytes.Buffer)}
	opts.Log = slog.New(slog.NewTextHandler(p.log, nil))
	p.session = rpc.Serve(tb.Context(), duplex{serverIn, serverOut}, opts)
	return p
}

const initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"processId":null,"rootUri":null,"capabilities":{}}}`

// talk runs a conversation with an initialized session in virtual time. No
// goroutine may be left at its end.
func talk(t *testing.T, opts rpc.Options, conversation func(p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { talkInRealTime(t, opts, conversation) })
}

// talkInRealTime is for conversations in which the server calls the client:
// jsonrpc2 pools channels, which virtual time cannot share between tests.
func talkInRealTime(t *testing.T, opts rpc.Options, conversation func(p *peer)) {
	t.Helper()
	p := connect(t, opts)
	p.send(initialize)
	p.recv()
	conversation(p)
	p.hangUp()
	<-p.session.Done()
}

// with is a server with one custom method.
func with(method string, h handler) rpc.Options {
	return rpc.Options{Server: &server{handlers: map[string]handler{method: h}}}
}

func (p *peer) raw(s string) {
	_, _ = io.WriteString(p.in, s) // fails when the session is over; the test sees that elsewhere
}

func (p *peer) send(body string) {
	p.raw(fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body))
}

// request sends a request without params.
func (p *peer) request(id any, method string) {
	raw, err := json.Marshal(id)
	if err != nil {
		p.Fatal(err)
	}
	p.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q}`, raw, method))
}

// recv returns the body of the server's next message.
func (p *peer) recv() string {
	p.Helper()
	body, err := p.tryRecv()
	if err != nil {
		p.Fatalf("receive: %v", err)
	}
	return body
}

func (p *peer) tryRecv() (string, error) {
	header, err := textproto.NewReader(p.out).ReadMIMEHeader()
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		return "", err
	}
	body := make([]byte, n)
	_, err = io.ReadFull(p.out, body)
	return string(body), err
}

// want receives one message per element of messages, which it compares.
func (p *peer) want(messages ...string) {
	p.Helper()
	var got []string
	for range messages {
		got = append(got, p.recv())
	}
	if diff := cmp.Diff(messages, got); diff != "" {
		p.Errorf("messages differ (-want +got):\n%s", diff)
	}
}

// hangUp ends both directions, as a client that dies.
func (p *peer) hangUp() {
	_ = p.in.Close()
	_ = p.unread.Close()
}

func result(id, json string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, id, json)
}

func failure(id string, code int, message string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%q}}`, id, code, message)
}
