package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/lsp/rpc"
)

// work takes its time, or ends with its context.
func work(d time.Duration) handler {
	return func(ctx context.Context, _ []byte) (any, error) {
		select {
		case <-time.After(d):
			return "done", nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// `printf … | agentls serve` gets its answers; go.lsp.dev drops those that come
// after the end of input.
func TestAnswersAfterEndOfInput(t *testing.T) {
	tests := map[string]struct {
		handler handler
		want    string
		took    time.Duration
	}{
		"done within the grace": {work(time.Second), result("1", `"done"`), time.Second},
		"cancelled after it":    {work(time.Hour), failure("1", -32800, "cancelled JSON-RPC"), 2 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			talk(t, with("test/work", test.handler), func(p *peer) {
				began := time.Now()
				p.request(1, "test/work")
				_ = p.in.Close()
				p.want(test.want)
				if _, err := p.tryRecv(); !errors.Is(err, io.EOF) {
					p.Errorf("after the answer: %v, want the end", err)
				}
				<-p.session.Done()
				if took := time.Since(began); took != test.took || p.session.Err() != nil {
					p.Errorf("took %v, err %v; want %v, nil", took, p.session.Err(), test.took)
				}
				if _, ok := p.session.Exited(); ok {
					p.Error("the end of input counts as exit")
				}
			})
		})
	}
}

// A message cut short is no end: its peer died. Handlers stop at once and know why.
func TestBrokenInputCancels(t *testing.T) {
	causes := make(chan error, 1)
	opts := with("test/block", func(ctx context.Context, _ []byte) (any, error) {
		<-ctx.Done()
		causes <- context.Cause(ctx)
		return nil, ctx.Err()
	})
	talk(t, opts, func(p *peer) {
		p.request(1, "test/block")
		p.raw("Content-Length: 100\r\n\r\n{")
		began := time.Now()
		_ = p.in.Close()
		p.want(failure("1", -32800, "cancelled JSON-RPC"))
		<-p.session.Done()
		for _, err := range []error{<-causes, p.session.Err(), context.Cause(p.session.Context())} {
			if !errors.Is(err, rpc.ErrPeerGone) || !errors.Is(err, io.ErrUnexpectedEOF) {
				p.Errorf("cause %v", err)
			}
		}
		if took := time.Since(began); took != 0 {
			p.Errorf("took %v", took)
		}
	})
}

// A write error stops the work in flight, though the input is still open.
func TestBrokenOutputCancels(t *testing.T) {
	talk(t, with("test/block", work(time.Hour)), func(p *peer) {
		p.request(1, "test/block")
		_ = p.unread.Close()
		if err := p.session.Notify(p.Context(), "agentls/event", nil); err != nil {
			p.Errorf("queue: %v", err)
		}
		<-p.session.Done()
		if err := p.session.Err(); !errors.Is(err, rpc.ErrPeerGone) {
			p.Errorf("err %v", err)
		}
		if err := p.session.Notify(p.Context(), "agentls/event", nil); err == nil {
			p.Error("a session that is over takes notifications")
		}
	})
}

func TestContextEndsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		in, held := io.Pipe()
		s := rpc.Serve(ctx, duplex{in, discard()}, rpc.Options{Server: &server{}})
		cancel()
		<-s.Done()
		if err := s.Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("err %v", err)
		}
		_ = held.Close()
	})
}

// discard is a pipe that somebody reads until it is closed.
func discard() *io.PipeWriter {
	r, w := io.Pipe()
	go func() { _, _ = io.Copy(io.Discard, r) }()
	return w
}

// LSP: exit ends the process with 0 after shutdown, else with 1.
func TestExit(t *testing.T) {
	exit := `{"jsonrpc":"2.0","method":"exit"}`
	for name, test := range map[string]struct {
		send []string
		code int
	}{
		"after shutdown":    {[]string{initialize, `{"jsonrpc":"2.0","id":1,"method":"shutdown"}`, exit}, 0},
		"without shutdown":  {[]string{initialize, exit}, 1},
		"before initialize": {[]string{exit}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := connect(t, rpc.Options{Server: &server{}})
				for _, m := range test.send[:len(test.send)-1] {
					p.send(m)
					p.recv()
				}
				p.send(exit)
				<-p.session.Done() // though the input is open
				if code, ok := p.session.Exited(); code != test.code || !ok || p.session.Err() != nil {
					t.Errorf("exited %d, %t, err %v; want %d", code, ok, p.session.Err(), test.code)
				}
				p.hangUp()
			})
		})
	}
}

// stuck is an input that a parent holds open: no Close interrupts its Read.
type stuck struct {
	io.Reader
	io.Writer
	release chan struct{}
}

func (s stuck) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	if errors.Is(err, io.EOF) {
		<-s.release
	}
	return n, err
}

func (stuck) Close() error { return nil }

// jsonrpc2's Close would wait for ever for such an input, and for a handler
// that ignores its context.
func TestEndDoesNotWaitForEver(t *testing.T) {
	t.Run("input", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			rwc := stuck{strings.NewReader(""), io.Discard, make(chan struct{})}
			s := rpc.Serve(ctx, rwc, rpc.Options{Server: &server{}})
			synctest.Wait()
			cancel()
			<-s.Done()
			close(rwc.release)
		})
	})
	t.Run("exit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			exit := `{"jsonrpc":"2.0","method":"exit"}`
			in := strings.NewReader(fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(exit), exit))
			rwc := stuck{in, io.Discard, make(chan struct{})}
			began := time.Now()
			s := rpc.Serve(t.Context(), rwc, rpc.Options{Server: &server{}})
			<-s.Done()
			if took := time.Since(began); took != 0 { // nothing is read after exit
				t.Errorf("took %v", took)
			}
			close(rwc.release)
		})
	})
	t.Run("handler", func(t *testing.T) {
		var release chan struct{}
		opts := with("test/ignore", func(context.Context, []byte) (any, error) { <-release; return nil, nil })
		talk(t, opts, func(p *peer) {
			release = make(chan struct{})
			began := time.Now()
			p.request(1, "test/ignore")
			synctest.Wait()
			p.hangUp()
			<-p.session.Done()
			if took := time.Since(began); took != 4*time.Second { // grace, settle, close
				p.Errorf("took %v", took)
			}
			close(release)
		})
	})
}

// With go.lsp.dev a write to a client that does not read ignores its context,
// and so does everything behind it.
var big = strings.Repeat("x", 1<<20)

// fill writes to a peer that does not read until a write fails.
func fill(p *peer) error {
	p.Helper()
	for range 100 {
		ctx, cancel := context.WithTimeout(p.Context(), 200*time.Millisecond)
		err := p.session.Notify(ctx, "agentls/event", big)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

func TestClientThatDoesNotRead(t *testing.T) {
	t.Run("a write keeps its deadline", func(t *testing.T) {
		talk(t, rpc.Options{Server: &server{}}, func(p *peer) {
			if err := fill(p); !errors.Is(err, context.DeadlineExceeded) {
				p.Fatalf("err %v", err)
			}
			p.send(hover) // the read loop is free, and the answer is not lost
			synctest.Wait()
			for {
				if m := p.recv(); m == hovered {
					return
				}
			}
		})
	})
	t.Run("a stalled peer loses its session", func(t *testing.T) {
		talk(t, rpc.Options{Server: &server{}}, func(p *peer) {
			_ = fill(p)
			began := time.Now()
			err := p.session.Notify(p.session.Context(), "agentls/event", big)
			if took := time.Since(began); !errors.Is(err, rpc.ErrUnread) || took != time.Minute {
				p.Errorf("err %v after %v", err, took)
			}
			<-p.session.Done()
			if err := p.session.Err(); !errors.Is(err, rpc.ErrUnread) {
				p.Errorf("session: %v", err)
			}
		})
	})
	t.Run("a greedy peer loses its session", func(t *testing.T) {
		talk(t, rpc.Options{Server: &server{}}, func(p *peer) {
			began := time.Now()
			for range 100 { // without a deadline a write does not wait
				_ = p.session.Notify(context.Background(), "agentls/event", big)
			}
			if took := time.Since(began); took != 0 {
				p.Errorf("took %v", took)
			}
			<-p.session.Done()
			if err := p.session.Err(); !errors.Is(err, rpc.ErrUnread) {
				p.Errorf("session: %v", err)
			}
		})
	})
}

func TestClientThatReadsSlowly(t *testing.T) {
	t.Run("a slow peer keeps its session", func(t *testing.T) {
		talk(t, rpc.Options{Server: &server{}}, func(p *peer) {
			for range 32 {
				_ = p.session.Notify(context.Background(), "agentls/event", big)
			}
			go func() {
				for range 32 {
					p.recv()
					time.Sleep(50 * time.Second)
				}
			}()
			if err := p.session.Notify(p.session.Context(), "agentls/event", nil); err != nil {
				p.Error(err)
			}
			synctest.Wait()
			time.Sleep(time.Hour)
		})
	})
	t.Run("the read loop does not wait", func(t *testing.T) {
		var session *rpc.Session
		took := make(chan time.Duration, 1)
		opts := with("test/notify", func(ctx context.Context, _ []byte) (any, error) {
			began := time.Now()
			err := session.Notify(ctx, "agentls/event", nil)
			took <- time.Since(began)
			return nil, err
		})
		opts.Bind = func(s *rpc.Session) { session = s }
		talk(t, opts, func(p *peer) {
			_ = fill(p)
			p.send(`{"jsonrpc":"2.0","method":"test/notify"}`)
			if d := <-took; d != 0 {
				p.Errorf("waited %v", d)
			}
		})
	})
	t.Run("requests wait for the peer to read", func(t *testing.T) {
		answered := 0
		opts := with("test/big", func(context.Context, []byte) (any, error) { answered++; return big, nil })
		opts.Concurrency = 1
		talk(t, opts, func(p *peer) {
			for i := range 40 {
				p.request(i, "test/big") // the first 17 fill the queue, the 18th waits
			}
			synctest.Wait()
			if answered > 18 {
				p.Errorf("%d answers of 1 MiB are computed and unread", answered)
			}
			for range 18 { // the read loop may be waiting for a place
				p.recv()
			}
			p.send(`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":39}}`)
		})
	})
}

// A message over the limit costs itself, not the session.
func TestLargeMessages(t *testing.T) {
	const limit = 32 << 20
	document := func(size int) string {
		m := `{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file:///a","languageId":"go","version":1,"text":"%s"}}}`
		return fmt.Sprintf(m, strings.Repeat("x", size-len(m)+len("%s")))
	}
	srv := &server{}
	talk(t, rpc.Options{Server: srv}, func(p *peer) {
		p.send(document(limit))
		p.send(hover)
		p.want(hovered)
		p.send(document(2 * limit))
		p.send(hover)
		p.want(failure("null", -32600, "message of 67108864 bytes ignored: the limit is 33554432 bytes"), hovered)
		if len(srv.opened) != 1 {
			p.Errorf("%d documents are open, want 1", len(srv.opened))
		}
	})
}

func TestNonsenseEndsTheSession(t *testing.T) {
	for name, test := range map[string]struct{ send, want string }{
		"no header":        {strings.Repeat("A", 64<<10), "over 8192 bytes"},
		"endless header":   {strings.Repeat("A: b\r\n", 64<<10), "over 8192 bytes"},
		"no length":        {"Content-Type: x\r\n\r\n{}", "no Content-Length"},
		"no colon":         {"GET / HTTP/1.1\r\n\r\n", `"GET / HTTP/1.1" has no colon`},
		"negative length":  {"Content-Length: -1\r\n\r\n", `content length " -1"`},
		"no number":        {"Content-Length: +2\r\n\r\n{}", `content length " +2"`},
		"two lengths":      {"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "content length 2, then 3"},
		"absurd length":    {"Content-Length: 1073741825\r\n\r\n", "content length 1073741825 is over 1073741824"},
		"length overflows": {"Content-Length: 99999999999999999999\r\n\r\n", `content length " 99999999999999999999"`},
	} {
		t.Run(name, func(t *testing.T) {
			talk(t, rpc.Options{Server: &server{}}, func(p *peer) {
				p.raw(test.send)
				<-p.session.Done()
				want := "peer gone: jsonrpc2: invalid message header: " + test.want
				if diff := cmp.Diff(want, fmt.Sprint(p.session.Err())); diff != "" {
					p.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A length is a claim: memory comes with the bytes.
func TestClaimedLengthCostsNothing(t *testing.T) {
	talk(t, rpc.Options{Server: &server{}}, func(p *peer) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p.raw("Content-Length: 33554432\r\n\r\n{")
		synctest.Wait()
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			p.Errorf("a header allocates %d bytes", grown)
		}
	})
}

func TestHeaderVariants(t *testing.T) {
	talk(t, rpc.Options{Server: &server{}}, func(p *peer) {
		p.raw(fmt.Sprintf("content-length:%d\nContent-Type: application/vscode-jsonrpc; charset=utf-8\n\n%s", len(hover), hover))
		p.want(hovered)
	})
}

// What the client must know can be said before its first message is read.
func TestBindComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bound *rpc.Session
		p := connect(t, rpc.Options{Server: &server{}, Bind: func(s *rpc.Session) { bound = s }})
		if bound != p.session {
			t.Error("bound to another session")
		}
		if err := bound.Notify(t.Context(), "agentls/event", map[string]int{"a": 1}); err != nil {
			t.Error(err)
		}
		p.want(`{"jsonrpc":"2.0","method":"agentls/event","params":{"a":1}}`)
		p.hangUp()
		<-p.session.Done()
	})
}

// A session's end leaves nothing behind, also outside of virtual time.
func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		talkInRealTime(t, with("test/work", work(time.Hour)), func(p *peer) {
			for i := range 10 {
				p.request(i, "test/work")
			}
			p.send(`{"jsonrpc":"2.0","method":"exit"}`)
		})
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// FuzzServe feeds raw bytes, and the same bytes as the body of a frame, to a
// whole session that also waits for an answer to a call of its own.
func FuzzServe(f *testing.F) {
	for _, seed := range []string{
		initialize,
		hover,
		`{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":{"uri":"file:///a","version":2},"contentChanges":[{"range":{"start":{"line":0,"character":0},"end":{"line":0,"character":1}},"text":"x"},{"range":null,"text":""}]}}`,
		`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"untitled:a","languageId":"","version":1,"text":"\ud800"}}}`,
		`{"jsonrpc":"2.0","id":1,"result":[{"uri":"file:///a","name":"a"}]}`,
		`{"jsonrpc":"2.0","id":1,"error":{"code":1e9,"message":7}}`,
		`{"jsonrpc":"2.0","id":1,"result":null,"error":{}}`,
		`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}`,
		`{"jsonrpc":"2.0","id":"\u0061","method":"\u0061"}`,
		`[{"jsonrpc":"2.0","id":1,"method":"a"},1,{}]`, `[`, `[[]]`, "Content-Length: 3\r\n\r\n{}\n",
		"Content-Length: 0\r\n\r\n", `{"jsonrpc":"2.0","method":"exit"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		framed := func(body string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body) }
		in := strings.NewReader(framed(initialize) + framed(string(b)) + string(b))
		released := make(chan struct{})
		close(released)
		s := rpc.Serve(t.Context(), stuck{in, io.Discard, released}, rpc.Options{
			Server: &server{},
			Log:    slog.New(slog.DiscardHandler),
			Bind: func(s *rpc.Session) {
				go func() { _, _ = s.Client().WorkspaceFolders(s.Context()) }()
			},
		})
		select {
		case <-s.Done():
		case <-time.After(10 * time.Second):
			t.Fatal("the session did not end with its input")
		}
	})
}
