package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/lsp/rpc"
)

// With protocol.NewServer 42 of 20,000 edits run out of order.
func TestEditsKeepTheirOrder(t *testing.T) {
	const edits = 20_000
	srv := &server{}
	srv.handlers = map[string]handler{"test/version": func(ctx context.Context, sent []byte) (any, error) {
		if pinned := fmt.Sprint(rpc.Pinned(ctx)); `{"sent":`+pinned+`}` != string(sent) {
			return nil, fmt.Errorf("pinned %s, want %s", pinned, sent)
		}
		return nil, nil
	}}
	opts := rpc.Options{Server: srv, Pin: func() any { return srv.version.Load() }}
	talk(t, opts, func(p *peer) {
		go func() {
			for i := 1; i <= edits; i++ {
				p.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":{"uri":"file:///a","version":%d},"contentChanges":[{"text":"%d"}]}}`, i, i))
				p.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"test/version","params":{"sent":%d}}`, i, i))
			}
		}()
		for range edits {
			if m := p.recv(); !strings.HasSuffix(m, `"result":null}`) {
				p.Fatalf("stale read: %s", m)
			}
		}
		for i, c := range srv.changed {
			if whole, ok := c.(*protocol.TextDocumentContentChangeWholeDocument); !ok || whole.Text != fmt.Sprint(i+1) {
				p.Fatalf("edit %d is %v", i+1, c)
			}
		}
		if len(srv.changed) != edits {
			p.Errorf("%d edits arrived, want %d", len(srv.changed), edits)
		}
	})
}

const hover = `{"jsonrpc":"2.0","id":1,"method":"textDocument/hover","params":{"textDocument":{"uri":"file:///a"},"position":{"line":0,"character":0}}}`

var hovered = result("1", `{"contents":"hi"}`)

// Each message here closes the connection of protocol.NewServer.
func TestSessionSurvives(t *testing.T) {
	notification := func(method, params string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","method":%q,"params":%s}`, method, params)
	}
	invalid := failure("null", -32600, "JSON-RPC invalid request")
	broken := failure("null", -32700, "JSON-RPC parse error")
	tests := map[string]struct {
		send string
		want []string
	}{
		"broken JSON":               {`{"a"`, []string{broken}},
		"trailing bytes":            {`{}{}`, []string{broken}},
		"a number":                  {`42`, []string{broken}},
		"nothing":                   {``, []string{broken}},
		"no version":                {`{"id":1,"method":"x"}`, []string{invalid}},
		"fractional id":             {strings.Replace(hover, `"id":1`, `"id":1.5`, 1), []string{invalid}},
		"id over 64 bits":           {strings.Replace(hover, `"id":1`, `"id":9223372036854775808`, 1), []string{invalid}},
		"batch":                     {`[` + hover + `]`, []string{failure("null", -32600, "LSP has no batches: send every message in a frame of its own")}},
		"answer to nothing":         {`{"jsonrpc":"2.0","id":77,"result":null}`, nil},
		"unknown $/ notification":   {notification("$/foo", `{}`), nil},
		"unknown notification":      {notification("test/foo", `{}`), nil},
		"initialized, no params":    {`{"jsonrpc":"2.0","method":"initialized"}`, nil},
		"bad params":                {notification("textDocument/didOpen", `{"textDocument":7}`), nil},
		"failing notification":      {notification("test/fail", `{}`), nil},
		"panicking notification":    {notification("test/panic", `{}`), nil},
		"request without an id":     {notification("textDocument/hover", `{}`), nil},
		"cancel 2^40":               {notification("$/cancelRequest", `{"id":1099511627776}`), nil},
		"cancel null":               {notification("$/cancelRequest", `{"id":null}`), nil},
		"cancel nothing":            {`{"jsonrpc":"2.0","method":"$/cancelRequest"}`, nil},
		"notification with an id":   {`{"jsonrpc":"2.0","id":5,"method":"textDocument/didSave","params":{}}`, []string{failure("5", -32600, "textDocument/didSave is a notification: send it without an id")}},
		"unknown $/ request":        {`{"jsonrpc":"2.0","id":5,"method":"$/foo"}`, []string{failure("5", -32601, "$/foo: unknown method")}},
		"unknown request":           {`{"jsonrpc":"2.0","id":5,"method":"test/foo"}`, []string{failure("5", -32601, "test/foo: not implemented")}},
		"answer of a wrong version": {`{"jsonrpc":"1.0","id":1,"result":3}`, []string{invalid}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			opts := rpc.Options{Server: &server{handlers: map[string]handler{
				"test/fail":  func(context.Context, []byte) (any, error) { return nil, errors.New("boom") },
				"test/panic": func(context.Context, []byte) (any, error) { panic("boom") },
			}}}
			talk(t, opts, func(p *peer) {
				p.send(test.send)
				p.send(hover)
				p.want(append(test.want, hovered)...)
			})
		})
	}
}

// LSP keeps $/ for itself: a custom method of that name is not the server's.
func TestReservedNamesAreNotCustom(t *testing.T) {
	ran := false
	talk(t, with("$/foo", func(context.Context, []byte) (any, error) { ran = true; return nil, nil }), func(p *peer) {
		p.send(`{"jsonrpc":"2.0","method":"$/foo","params":{}}`)
		p.send(`{"jsonrpc":"2.0","id":1,"method":"$/foo","params":{}}`)
		p.want(failure("1", -32601, "$/foo: unknown method"))
	})
	if ran {
		t.Error("ran")
	}
}

// Without an id nobody gets the answer, and the read loop would wait for it.
func TestRequestWithoutIDIsNotRun(t *testing.T) {
	srv := &server{}
	talk(t, rpc.Options{Server: srv}, func(p *peer) {
		p.send(strings.Replace(hover, `"id":1,`, ``, 1))
	})
	if n := srv.hovers.Load(); n != 0 {
		t.Errorf("ran %d times", n)
	}
}

func TestInitializedWithoutParams(t *testing.T) {
	var called bool
	srv := &server{initialized: func(context.Context) error { called = true; return nil }}
	talk(t, rpc.Options{Server: srv}, func(p *peer) {
		p.send(`{"jsonrpc":"2.0","method":"initialized"}`)
		synctest.Wait()
		if !called {
			p.Error("initialized was dropped")
		}
	})
}

type explosive struct{}

func (explosive) MarshalJSON() ([]byte, error) { panic("boom") }

func TestPanicIsAnsweredAndKeepsItsStack(t *testing.T) {
	tests := map[string]handler{
		"handler":    func(context.Context, []byte) (any, error) { panic("boom") },
		"marshaller": func(context.Context, []byte) (any, error) { return explosive{}, nil },
	}
	for name, h := range tests {
		t.Run(name, func(t *testing.T) {
			var log fmt.Stringer
			talk(t, with("test/panic", h), func(p *peer) {
				log = p.log
				p.request(7, "test/panic")
				p.want(failure("7", -32603, "test/panic: internal error; the server's log has the stack"))
				p.send(hover)
				p.want(hovered)
			})
			if !strings.Contains(log.String(), "rpc_test.") || !strings.Contains(log.String(), "boom") {
				t.Errorf("the log has no stack:\n%s", log)
			}
		})
	}
}

func TestErrorCodes(t *testing.T) {
	tests := map[string]struct {
		err  error
		want string
	}{
		"plain":             {errors.New("no such change set"), failure("1", -32803, "no such change set")},
		"coded":             {protocol.ErrContentModified, failure("1", -32801, "content modified")},
		"wrapped code":      {fmt.Errorf("apply: %w", jsonrpc2.NewError(-32602, "stale")), failure("1", -32602, "apply: stale")},
		"somebody else's":   {fmt.Errorf("model: %w", context.Canceled), failure("1", -32803, "model: context canceled")},
		"handler's timeout": {context.DeadlineExceeded, failure("1", -32803, "context deadline exceeded")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			opts := with("test/err", func(context.Context, []byte) (any, error) { return nil, test.err })
			talk(t, opts, func(p *peer) {
				p.request(1, "test/err")
				p.want(test.want)
			})
		})
	}
	t.Run("params", func(t *testing.T) {
		talk(t, rpc.Options{Server: &server{}}, func(p *peer) {
			p.send(`{"jsonrpc":"2.0","id":1,"method":"workspace/symbol","params":{"query":3}}`)
			if m := p.recv(); !strings.HasPrefix(m, `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"workspace/symbol: `) {
				p.Error(m)
			}
		})
	})
}

// Cancellation reaches a request by any id that LSP allows, also where
// protocol's own parser knows 32 bits only.
func TestCancel(t *testing.T) {
	for _, id := range []string{`1`, `0`, `-3`, `1099511627776`, `"a\u0062c"`, `"1"`} {
		t.Run(id, func(t *testing.T) {
			causes := make(chan error, 1)
			opts := with("test/block", func(ctx context.Context, _ []byte) (any, error) {
				<-ctx.Done()
				causes <- context.Cause(ctx)
				return nil, ctx.Err()
			})
			talk(t, opts, func(p *peer) {
				p.send(`{"jsonrpc":"2.0","id":` + id + `,"method":"test/block"}`)
				p.send(`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":` + id + `}}`)
				p.want(failure(strings.Replace(id, `\u0062`, "b", 1), -32800, "cancelled JSON-RPC"))
				if cause := <-causes; !errors.Is(cause, protocol.ErrRequestCancelled) {
					p.Errorf("cause = %v", cause)
				}
			})
		})
	}
}

func TestDuplicateID(t *testing.T) {
	var finish chan struct{}
	opts := with("test/wait", func(context.Context, []byte) (any, error) { <-finish; return 1, nil })
	talk(t, opts, func(p *peer) {
		finish = make(chan struct{})
		p.request("a", "test/wait")
		p.request("a", "test/wait")
		p.want(failure(`"a"`, -32600, `id "a" is in flight already`))
		close(finish)
		p.want(result(`"a"`, "1"))
		p.request("a", "test/wait") // free again
		p.want(result(`"a"`, "1"))
	})
}

func TestLifecycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := connect(t, rpc.Options{Server: &server{}})
		p.send(hover)
		p.request(2, "shutdown")
		p.send(`{"jsonrpc":"2.0","method":"textDocument/didSave","params":{}}`)
		p.send(`{"jsonrpc":"2.0","id":3,"method":"initialize","params":3}`)
		p.send(initialize)
		p.send(initialize)
		p.send(hover)
		got := make([]string, 0, 9)
		for range 6 {
			got = append(got, p.recv())
		}
		p.request(5, "shutdown")
		got = append(got, p.recv())
		p.send(hover)
		p.request(6, "shutdown")
		got = append(got, p.recv(), p.recv())
		got[2] = got[2][:60] // the rest is encoding/json's
		want := []string{
			failure("1", -32002, "textDocument/hover before initialize"),
			failure("2", -32002, "shutdown before initialize"),
			failure("3", -32602, "initialize: JSON-RPC parse error")[:60],
			result("0", `{"capabilities":{}}`),
			failure("0", -32600, "initialize was sent already"),
			hovered,
			result("5", "null"),
			failure("1", -32600, "textDocument/hover after shutdown: only exit is served"),
			failure("6", -32600, "shutdown after shutdown: only exit is served"),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		p.hangUp()
		<-p.session.Done()
	})
}

// A context derived from jsonrpc2's own panics, after the handler, in a
// goroutine that nobody can recover.
func TestHandlersMayDeriveContexts(t *testing.T) {
	var ended atomic.Int32
	derive := func(ctx context.Context, _ []byte) (any, error) {
		for _, f := range []func() (context.Context, context.CancelFunc){
			func() (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
			func() (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, time.Hour) },
		} {
			derived, cancel := f()
			context.AfterFunc(derived, func() { cancel(); ended.Add(1) })
		}
		return nil, nil
	}
	talk(t, with("test/derive", derive), func(p *peer) {
		for i := range 100 {
			p.request(i, "test/derive")
			p.recv()
			p.send(`{"jsonrpc":"2.0","method":"test/derive"}`)
		}
		synctest.Wait()
		if n := ended.Load(); n != 400 {
			p.Errorf("%d of 400 contexts ended with their handlers", n)
		}
	})
}

// A call from the read loop can never be answered: it fails instead of
// hanging. Spawned on the session's context it works.
func TestCallFromReadLoop(t *testing.T) {
	var session *rpc.Session
	errs := make(chan error, 2)
	srv := &server{initialized: func(ctx context.Context) error {
		_, err := session.Client().WorkspaceFolders(ctx)
		errs <- err
		go func() {
			_, err := session.Client().WorkspaceFolders(session.Context())
			errs <- err
		}()
		return nil
	}}
	opts := rpc.Options{Server: srv, Bind: func(s *rpc.Session) { session = s }}
	talkInRealTime(t, opts, func(p *peer) {
		p.send(`{"jsonrpc":"2.0","method":"initialized","params":{}}`)
		if err := <-errs; err == nil || !strings.Contains(err.Error(), "read loop") {
			p.Errorf("call on the read loop: %v", err)
		}
		p.want(`{"jsonrpc":"2.0","method":"workspace/workspaceFolders","id":1}`)
		p.send(`{"jsonrpc":"2.0","id":1,"result":[]}`)
		if err := <-errs; err != nil {
			p.Errorf("spawned call: %v", err)
		}
	})
}

// Clients whose language drops null members answer without a result, or with
// both members.
func TestAnswersAreMended(t *testing.T) {
	for _, test := range []struct{ answer, want string }{
		{`{"jsonrpc":"2.0","id":1}`, "<nil>"},
		{`{"jsonrpc":"2.0","id":1,"result":null,"error":null}`, "<nil>"},
		{`{"jsonrpc":"2.0","id":1,"result":null,"error":{"code":-32601,"message":"no"}}`, "no"},
		{`{"jsonrpc":"2.0","id":1,"result":[],"error":null}`, "<nil>"},
	} {
		talkInRealTime(t, rpc.Options{Server: &server{}}, func(p *peer) {
			errs := make(chan error)
			go func() { errs <- p.session.Client().CodeLensRefresh(p.Context()) }()
			p.recv()
			p.send(test.answer)
			if got := fmt.Sprint(<-errs); got != test.want {
				p.Errorf("%s: error %s, want %s", test.answer, got, test.want)
			}
		})
	}
}

// 10,000 blocked requests use 20,003 goroutines in go.lsp.dev.
func TestBlockedRequestsAreBounded(t *testing.T) {
	const requests, places = 10_000, 4 * 17
	var running atomic.Int32
	opts := with("test/block", func(ctx context.Context, _ []byte) (any, error) {
		running.Add(1)
		<-ctx.Done()
		return nil, context.Cause(ctx)
	})
	opts.Concurrency = 4
	talk(t, opts, func(p *peer) {
		began := time.Now()
		go func() {
			for i := range requests {
				p.request(i, "test/block")
			}
		}()
		for i := places; i < requests; i++ {
			p.want(failure(fmt.Sprint(i), -32803, "busy: 68 requests are in flight; cancel some or ask again later"))
		}
		synctest.Wait()
		if took := time.Since(began); took > 50*time.Millisecond {
			p.Errorf("the read loop waited %v for requests that do not finish", took)
		}
		if n := running.Load(); n != 4 {
			p.Errorf("%d requests run, want 4", n)
		}
		if n := runtime.NumGoroutine(); n > 2*places {
			p.Errorf("%d goroutines for %d places", n, places)
		}
		p.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":%d}}`, places-1)) // it waits
		p.want(failure(fmt.Sprint(places-1), -32800, "cancelled JSON-RPC"))
	})
}

// A burst of requests that are answered is slowed down, not refused.
func TestBurstIsServed(t *testing.T) {
	opts := with("test/work", func(context.Context, []byte) (any, error) { time.Sleep(time.Millisecond); return nil, nil })
	opts.Concurrency = 1
	talk(t, opts, func(p *peer) {
		go func() {
			for i := range 200 {
				p.request(i, "test/work")
			}
		}()
		for i := range 200 {
			p.want(result(fmt.Sprint(i), "null"))
		}
	})
}
