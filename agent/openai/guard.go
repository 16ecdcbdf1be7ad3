package openai

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/openai/openai-go/v3/option"
)

var errStalled = errors.New("the stream stalled")

const maxErrorBody = 64 << 10 // bytes read of an answer that is no stream

// guard is around each HTTP request: it ends one whose server falls silent,
// and turns an answer that is no event stream into a fault while its status,
// headers and text are still at hand.
func (m *Model) guard(req *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(m.idle, func() { cancel(errStalled) })
	stop := func() {
		timer.Stop()
		cancel(nil)
	}
	res, err := next(req.WithContext(ctx))
	if err != nil {
		stop()
		return nil, m.transportFault(because(ctx, err))
	}
	res.Body = &watchedBody{ReadCloser: res.Body, ctx: ctx, timer: timer, idle: m.idle, stop: stop}
	if f := m.answerFault(res); f != nil {
		res.Body.Close() //nolint:errcheck // it was read as far as wanted
		return nil, f
	}
	return res, nil
}

// because returns errStalled for an error that the watchdog brought about.
func because(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}

// answerFault returns nil for an event stream. (Servers that send one as
// text/plain exist: only what cannot be a stream is refused.)
func (m *Model) answerFault(res *http.Response) *fault {
	media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if to, err := res.Location(); err == nil && res.StatusCode >= 300 && res.StatusCode < 400 {
		return m.final(nil, " is redirected to %s; set the base URL that is meant (OPENAI_BASE_URL)", to.Redacted())
	}
	switch {
	case res.StatusCode >= 400, media == "text/html":
	case media != "application/json", streams(res):
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	if err != nil && len(body) == 0 {
		return m.broken(err)
	}
	switch {
	case res.StatusCode >= 400:
		return m.statusFault(res, body)
	case isHTML(res, body):
		return m.final(nil, " answered with an HTML page, not an event stream; check the base URL (OPENAI_BASE_URL)")
	default:
		return m.jsonFault(body)
	}
}

// streams reports whether an answer of another type is an event stream all the
// same, by how it begins.
func streams(res *http.Response) bool {
	body := bufio.NewReader(res.Body)
	start, _ := body.Peek(len("event:")) // a shorter one is no stream
	res.Body = &peekedBody{body, res.Body}
	return bytes.HasPrefix(start, []byte("event:")) || bytes.HasPrefix(start, []byte("data:"))
}

// A peekedBody is a body that was begun to be read.
type peekedBody struct {
	io.Reader
	io.Closer
}

// jsonFault is for a JSON document in place of a stream: an error with the
// wrong status, or a proxy that swallowed the stream.
func (m *Model) jsonFault(body []byte) *fault {
	if message, code := errorText(body); message != "" {
		return m.reported(code, message)
	}
	return m.passing(nil, " answered with a JSON document, not an event stream; a server or proxy in between does not stream")
}

func isHTML(res *http.Response, body []byte) bool {
	media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	start := strings.ToLower(string(bytes.TrimSpace(body[:min(len(body), 64)])))
	return media == "text/html" || strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
}

// watchedBody puts off the end of its request by each byte that comes.
type watchedBody struct {
	io.ReadCloser
	ctx   context.Context // of this one request
	timer *time.Timer
	idle  time.Duration
	stop  func()
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.idle)
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = because(b.ctx, err)
	}
	return n, err
}

func (b *watchedBody) Close() error {
	b.stop()
	return b.ReadCloser.Close()
}
