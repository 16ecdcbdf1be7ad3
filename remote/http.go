package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const maxAnswer = 64 << 20 // bytes of an answer in JSON

// What a service can be that is no use.
var (
	// ErrUnreachable is in errors of a service that does not answer.
	ErrUnreachable = errors.New("the task service cannot be reached")
	// ErrNotService is in errors of an address that answers, but not as a
	// task service does.
	ErrNotService = errors.New("this is no task service")
	// ErrUnsupported is in errors of what the Codex tasks API does not have.
	ErrUnsupported = errors.New("the endpoint has the Codex tasks API only")
)

// A StatusError is an answer that says no.
type StatusError struct {
	URL     string
	Status  int
	Message string // the service's own
}

// Error says what the service said, and what to do about it where we know.
func (e *StatusError) Error() string {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Sprintf("%s refuses the token (%d): %s; check the token that is configured for this address", e.URL, e.Status, e.Message)
	default:
		return fmt.Sprintf("%s answers %d: %s", e.URL, e.Status, e.Message)
	}
}

func (c *Client) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return nil, err
	}
	if c.opts.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.opts.Token)
	}
	return req, nil
}

// call sends body as JSON, nil for none, and reads the answer into out.
func (c *Client) call(ctx context.Context, method, path string, body, out any) error {
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(raw)
	}
	req, err := c.request(ctx, method, path, reader)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.do(req, out)
}

// do sends req and reads the answer: as it is into a *[]byte, else as JSON; not
// at all into nil. Where nothing moves for Options.Slow, it gives up.
func (c *Client) do(req *http.Request, out any) error {
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	stalled := time.AfterFunc(c.opts.Slow, func() { cancel(c.silent()) })
	defer stalled.Stop()
	moved := func() { stalled.Reset(c.opts.Slow) }
	req = req.WithContext(ctx)
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = &watched{ReadCloser: req.Body, moved: moved}
	}
	resp, err := c.send(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	if out == nil {
		return nil
	}
	if _, raw := out.(*[]byte); !raw && !hasType(resp, "application/json") {
		return fmt.Errorf("%s answers with %q: %w; is the address right?", req.URL, resp.Header.Get("Content-Type"), ErrNotService)
	}
	limit := int64(maxAnswer)
	raw, isRaw := out.(*[]byte)
	if isRaw {
		limit = MaxOverlay // nothing else is fetched as it is
	}
	content, err := io.ReadAll(io.LimitReader(&watched{ReadCloser: resp.Body, moved: moved}, limit+1))
	switch {
	case err != nil:
		return c.unreachable(req, err)
	case int64(len(content)) > limit:
		return fmt.Errorf("%s answers with more than %d MiB", req.URL, limit>>20)
	case isRaw:
		*raw = content
		return nil
	}
	if err := json.Unmarshal(content, out); err != nil {
		return fmt.Errorf("%s answers with broken JSON: %w: %w", req.URL, ErrNotService, err)
	}
	return nil
}

// silent is the error of a service that does not go on.
func (c *Client) silent() error {
	return fmt.Errorf("%w: %s does not answer within %v", ErrUnreachable, c.url, c.opts.Slow)
}

// A watched body says when it moves.
type watched struct {
	io.ReadCloser
	moved func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.moved()
	return n, err
}

// send sends req. The answer says yes; its body is the caller's to close.
func (c *Client) send(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(req, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close() //nolint:errcheck // it says no
	const beginning = 4 << 10
	content, _ := io.ReadAll(io.LimitReader(resp.Body, beginning)) // an error is told by the status
	if hasType(resp, "text/html") {
		return nil, fmt.Errorf("%s answers %d with a web page: %w; is the address right?", req.URL, resp.StatusCode, ErrNotService)
	}
	e := &StatusError{URL: c.url, Status: resp.StatusCode, Message: strings.TrimSpace(string(content))}
	var p Problem
	if json.Unmarshal(content, &p) == nil && p.Error.Message != "" {
		e.Message = p.Error.Message
	}
	return nil, e
}

// unreachable returns the error of a request that got no answer.
func (c *Client) unreachable(req *http.Request, err error) error {
	if cause := context.Cause(req.Context()); cause != nil {
		return cause
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		if wrapped.Timeout() {
			return c.silent()
		}
		err = wrapped.Err
	}
	return fmt.Errorf("%w: %s: %w", ErrUnreachable, c.url, err)
}

func hasType(resp *http.Response, want string) bool {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && kind == want
}
