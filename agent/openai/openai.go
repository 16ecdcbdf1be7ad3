// Package openai is the client for models: it speaks the Responses API, to
// OpenAI and to every other server that has it.
//
// Invariant: a response counts only when its terminal event came. Whatever
// ends before is asked for again, or is an error that says what to do.
package openai

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"

	"github.com/agentls/agentls/agent"
)

// DefaultBaseURL is where requests go unless told otherwise.
const DefaultBaseURL = "https://api.openai.com/v1"

const (
	defaultIdle    = 5 * time.Minute // models that think say nothing for minutes
	defaultRetries = 4
	defaultBackoff = 500 * time.Millisecond
	maxBackoff     = 30 * time.Second
	maxRetryAfter  = 2 * time.Minute // a longer wait is the user's to decide on
)

// Options configure a Model. Only Model is needed.
type Options struct {
	BaseURL     string        // up to and with "/v1"; empty is DefaultBaseURL
	APIKey      string        // sent to BaseURL and nowhere else; may be empty
	Model       string        // as the server calls it
	Effort      string        // of reasoning: "low", "medium", "high"; empty leaves it to the server
	Window      int           // tokens of input that the model takes; 0: what is known of it
	HTTPClient  *http.Client  // nil makes one; it must have no timeout, streams are long
	IdleTimeout time.Duration // without a byte from the server; 0 is five minutes
	MaxRetries  int           // after the first attempt; 0 is four, negative none
	Backoff     time.Duration // before the first retry, then doubled; 0 is half a second
	Log         *slog.Logger  // nil discards
}

// A Model answers requests over HTTP. It may be used by several runs at once.
type Model struct {
	name     string
	endpoint string // for messages, without credentials
	badURL   error  // from New, told with the first request
	key      string
	effort   string
	profile  profile
	idle     time.Duration
	retries  int
	backoff  time.Duration
	log      *slog.Logger
	service  responses.ResponseService
	answered atomic.Bool // once: from then on a server that is not there is one that was lost
}

var (
	_ agent.Model  = (*Model)(nil)
	_ agent.Viewer = (*Model)(nil)
)

// New returns the model of opts. It sends nothing; a base URL that is none is
// an error of the first request.
func New(opts Options) *Model {
	if opts.BaseURL == "" {
		opts.BaseURL = DefaultBaseURL
	}
	base, err := parseBase(opts.BaseURL)
	m := &Model{
		name:     opts.Model,
		endpoint: strings.TrimSuffix(base.Redacted(), "/") + "/responses",
		badURL:   err,
		key:      opts.APIKey,
		effort:   opts.Effort,
		profile:  profileFor(base.Hostname(), opts.Model),
		idle:     positiveOr(opts.IdleTimeout, defaultIdle),
		retries:  opts.MaxRetries,
		backoff:  positiveOr(opts.Backoff, defaultBackoff),
		log:      opts.Log,
	}
	if opts.Window > 0 {
		m.profile.window = opts.Window
	}
	if m.retries == 0 {
		m.retries = defaultRetries
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	m.service = responses.NewResponseService(m.serviceOptions(base, opts.HTTPClient)...)
	return m
}

func positiveOr(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// serviceOptions leaves retries to Respond, which can show them and knows
// which failures are worth one.
func (m *Model) serviceOptions(base *url.URL, client *http.Client) []option.RequestOption {
	if client == nil {
		client = &http.Client{}
	}
	here := *client
	here.CheckRedirect = stayHere
	opts := []option.RequestOption{
		option.WithBaseURL(base.String()),
		option.WithHTTPClient(&here),
		option.WithMaxRetries(0),
		option.WithMiddleware(m.guard),
	}
	if m.key != "" {
		opts = append(opts, option.WithAPIKey(m.key))
	}
	return opts
}

const maxRedirects = 5

// stayHere follows a redirection that asks for the same request again at the same
// server, such as one to a path with a slash at its end. What it does not follow
// ends the request, with an error that says where to.
func stayHere(req *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) > maxRedirects || req.Method != first.Method || req.URL.Scheme != first.URL.Scheme || req.URL.Host != first.URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// Name returns the model's name, as the server calls it.
func (m *Model) Name() string { return m.name }

// SeesImages implements agent.Viewer.
func (m *Model) SeesImages() bool { return m.profile.images }

// Window returns how many tokens of input the model takes, 0 where that is not
// known, and whether the server makes conversations shorter before they fill it.
func (m *Model) Window() (tokens int, compacts bool) {
	return m.profile.window, m.profile.compaction
}

var _ agent.Windowed = (*Model)(nil)

// Respond sends req and yields the answer as it comes. A failed attempt is
// made again where that can help; a Retrying event tells, before the wait,
// that all events of this response so far are void. The last error says what
// failed where, and what to do; a cancelled ctx gives context.Cause(ctx).
func (m *Model) Respond(ctx context.Context, req *agent.Request) iter.Seq2[agent.ModelEvent, error] {
	return func(yield func(agent.ModelEvent, error) bool) {
		if m.badURL != nil {
			yield(nil, m.badURL)
			return
		}
		params, err := m.params(req)
		if err != nil {
			yield(nil, err)
			return
		}
		for retry := 0; ; retry++ {
			out := &output{yield: yield, requests: retry + 1}
			err := m.attempt(ctx, params, out)
			switch {
			case err == nil || out.stopped:
				return
			case ctx.Err() != nil:
				yield(nil, context.Cause(ctx))
				return
			}
			wait, ok := m.retryAfter(err, retry)
			if !ok {
				yield(nil, err)
				return
			}
			m.log.InfoContext(ctx, "model request failed", "reason", err.Error(), "wait", wait, "retry", retry+1)
			if !yield(agent.Retrying{Reason: err.Error() + "; trying again in " + wait.String()}, nil) {
				return
			}
			if sleep(ctx, wait) != nil {
				yield(nil, context.Cause(ctx))
				return
			}
		}
	}
}

// output hands events to the consumer of one attempt.
type output struct {
	yield    func(agent.ModelEvent, error) bool
	requests int  // HTTP requests for this response
	stopped  bool // the consumer wants no more
}

func (o *output) send(ev agent.ModelEvent) {
	if done, ok := ev.(agent.Completed); ok {
		done.Usage.Requests = o.requests
		ev = done
	}
	o.stopped = !o.yield(ev, nil)
}

// attempt makes one HTTP request and returns nil after the terminal event, or
// when the consumer stopped.
func (m *Model) attempt(ctx context.Context, params responses.ResponseNewParams, out *output) error {
	stream := m.service.NewStreaming(ctx, params)
	defer stream.Close() //nolint:errcheck // nothing is left to do with the body
	for stream.Next() {
		received := stream.Current() // 10 KB by value: translated at once
		ev, err := m.translate(&received)
		if err != nil {
			return err
		}
		if ev == nil {
			continue
		}
		_, done := ev.(agent.Completed)
		if done {
			m.answered.Store(true)
		}
		out.send(ev)
		if done || out.stopped {
			return nil
		}
	}
	return m.endOfStream(stream.Err(), out)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
