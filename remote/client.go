package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits/text"
)

// Options configure a Client. URL and NewID are needed.
type Options struct {
	URL         string        // of the service, without the API's prefix
	Token       string        // sent as a bearer token; "" sends none
	Environment string        // that tasks run in, where they do not say; "" is none
	NewID       func() string // makes short random names
	Log         *slog.Logger  // nil discards
	Gate        *agent.Gate   // what uploads and prompts pass; nil is the zero gate

	RefuseSecrets bool // commits that the service lacks are not sent where they hold secrets

	Backoff  time.Duration // before the first retry of a broken stream, doubled each time; 0 is 250 ms
	Patience time.Duration // with a service that does not answer, summed over retries; 0 is 2 minutes
	Poll     time.Duration // between looks at a task where there is no stream; 0 is 2 s
	Slow     time.Duration // that an answer may take to begin; 0 is 30 s
}

// A Client talks to one task service. It may be used by several goroutines.
type Client struct {
	opts Options
	url  string
	http *http.Client

	screen *agent.Screen // of all that leaves through this client

	mu      sync.Mutex
	service *Service // what the service said about itself; nil: not asked yet
}

// Default waits of a Client.
const (
	defaultBackoff  = 250 * time.Millisecond
	defaultPatience = 2 * time.Minute
	defaultPoll     = 2 * time.Second
	defaultSlow     = 30 * time.Second
	maxBackoff      = 5 * time.Second
)

// New returns a client of the service at opts.URL. The error is about the
// address; the service is not asked anything yet.
func New(opts Options) (*Client, error) {
	u, err := url.Parse(opts.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("%q is no http(s) address of a task service", opts.URL)
	}
	setDefault(&opts.Backoff, defaultBackoff)
	setDefault(&opts.Patience, defaultPatience)
	setDefault(&opts.Poll, defaultPoll)
	setDefault(&opts.Slow, defaultSlow)
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Gate == nil {
		opts.Gate = &agent.Gate{}
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: opts.Slow, TLSHandshakeTimeout: opts.Slow, IdleConnTimeout: time.Minute}
	return &Client{opts: opts, screen: opts.Gate.Screen(nil), url: strings.TrimRight(opts.URL, "/"), http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a token goes where it was meant to
	}}, nil
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// URL returns the address of the service.
func (c *Client) URL() string { return c.url }

// Service returns what the service says about itself. Its Name is "" where it
// has the Codex tasks API only.
func (c *Client) Service(ctx context.Context) (*Service, error) {
	c.mu.Lock()
	known := c.service
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	s := &Service{}
	err := c.call(ctx, http.MethodGet, Prefix+"/", nil, s)
	var status *StatusError
	switch {
	case err == nil && s.Name == ServiceName:
	case err == nil, errors.Is(err, ErrNotService), errors.As(err, &status) && (status.Status == http.StatusNotFound || status.Status == http.StatusMethodNotAllowed):
		s = &Service{}
		if err := c.call(ctx, http.MethodGet, c.codexPath("/tasks/list?limit=1&task_filter=current"), nil, &CodexList{}); err != nil {
			return nil, err
		}
	default:
		return nil, err
	}
	c.mu.Lock()
	c.service = s
	c.mu.Unlock()
	return s, nil
}

// hasOwn reports whether the service speaks the API of this package.
func (c *Client) hasOwn(ctx context.Context) (bool, error) {
	s, err := c.Service(ctx)
	return err == nil && s.Name != "", err
}

// own is hasOwn for what only that API can: its error says so.
func (c *Client) own(ctx context.Context, what string) error {
	ok, err := c.hasOwn(ctx)
	if err == nil && !ok {
		err = fmt.Errorf("%s: %w: %s", what, ErrUnsupported, c.url)
	}
	return err
}

// codexPath returns a path of the Codex tasks API.
func (c *Client) codexPath(path string) string {
	return strings.TrimPrefix(CodexPrefix(c.url), c.url) + path
}

// Create hands spec to the service. It may be called again with the same key:
// there will be one task.
func (c *Client) Create(ctx context.Context, spec Spec) (*Task, error) {
	if err := spec.Check(); err != nil {
		return nil, err
	}
	t := &Task{}
	return t, c.call(ctx, http.MethodPost, Prefix+"/tasks", spec, t)
}

// Task returns a task as it stands.
func (c *Client) Task(ctx context.Context, id string) (*Task, error) {
	ok, err := c.hasOwn(ctx)
	if err != nil {
		return nil, err
	}
	if !ok {
		return c.codexTask(ctx, id)
	}
	t := &Task{}
	return t, c.call(ctx, http.MethodGet, taskPath(id), nil, t)
}

func taskPath(id string) string { return Prefix + "/tasks/" + url.PathEscape(id) }

// Tasks returns a part of the list of tasks: the newest for an empty cursor.
func (c *Client) Tasks(ctx context.Context, cursor string) (*Page, error) {
	ok, err := c.hasOwn(ctx)
	if err != nil {
		return nil, err
	}
	if !ok {
		return c.codexTasks(ctx, cursor)
	}
	page := &Page{}
	return page, c.call(ctx, http.MethodGet, Prefix+"/tasks?cursor="+url.QueryEscape(cursor), nil, page)
}

// Cancel ends a task, if it has not ended, and returns it.
func (c *Client) Cancel(ctx context.Context, id string) (*Task, error) {
	if err := c.own(ctx, "cancel "+id); err != nil {
		return nil, err
	}
	t := &Task{}
	return t, c.call(ctx, http.MethodPost, taskPath(id)+"/cancel", struct{}{}, t)
}

// Environments returns those that the service knows.
func (c *Client) Environments(ctx context.Context) ([]Environment, error) {
	ok, err := c.hasOwn(ctx)
	if err != nil {
		return nil, err
	}
	if !ok {
		return c.codexEnvironments(ctx)
	}
	var all []Environment
	return all, c.call(ctx, http.MethodGet, Prefix+"/environments", nil, &all)
}

// Declare makes the service know an environment, or know it anew.
func (c *Client) Declare(ctx context.Context, env Environment) error {
	if err := env.Check(); err != nil {
		return err
	}
	if err := c.own(ctx, "declare an environment"); err != nil {
		return err
	}
	return c.call(ctx, http.MethodPut, Prefix+"/environments/"+env.Name, env, &env)
}

// Forget makes the service forget an environment.
func (c *Client) Forget(ctx context.Context, name string) error {
	if err := c.own(ctx, "remove an environment"); err != nil {
		return err
	}
	return c.call(ctx, http.MethodDelete, Prefix+"/environments/"+name, nil, &Environment{})
}

// upload sends a file as a blob, unless the service has it.
func (c *Client) upload(ctx context.Context, hash text.Hash, file *os.File) error {
	req, err := c.request(ctx, http.MethodHead, blobPath(hash), nil)
	if err != nil {
		return err
	}
	if resp, err := c.http.Do(req); err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	stat, err := file.Stat()
	if err != nil {
		return err
	}
	req, err = c.request(ctx, http.MethodPut, blobPath(hash), io.NopCloser(file))
	if err != nil {
		return err
	}
	req.ContentLength = stat.Size()
	if stat.Size() == 0 {
		req.Body = http.NoBody
	}
	return c.do(req, nil)
}

// uploadBytes is upload for what is in memory.
func (c *Client) uploadBytes(ctx context.Context, content []byte) (text.Hash, error) {
	hash := text.HashOf(content)
	req, err := c.request(ctx, http.MethodPut, blobPath(hash), bytes.NewReader(content))
	if err != nil {
		return hash, err
	}
	return hash, c.do(req, nil)
}

func blobPath(hash text.Hash) string { return Prefix + "/blobs/" + hash.String() }

// blob returns the content of a blob, which is checked against its hash.
func (c *Client) blob(ctx context.Context, hash text.Hash) ([]byte, error) {
	req, err := c.request(ctx, http.MethodGet, blobPath(hash), nil)
	if err != nil {
		return nil, err
	}
	var content []byte
	if err := c.do(req, &content); err != nil {
		return nil, err
	}
	if text.HashOf(content) != hash {
		return nil, fmt.Errorf("%s: the content of blob %.10v was damaged on the way", c.url, hash)
	}
	return content, nil
}
