package script

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const maxBody = 64 << 20 // bytes of a request

// A Server answers POST …/responses as its scripts say, one conversation after
// the other: a request that goes on from no answer begins the next. Pause and
// Delta, where set before the first request, count in place of the scripts'.
// With Peer, the client is another program: what must hold of our requests need
// not of its, and whatever it asks for is the next turn. With Many, conversations
// go on at the same time: each is that of the first script whose first turn
// expects what it begins with, however many are, and a request is answered by
// the turn behind those that it holds.
type Server struct {
	Delta int           // bytes of a delta
	Pause time.Duration // between deltas
	Peer  bool
	Many  bool

	serving sync.WaitGroup

	mu       sync.Mutex
	scripts  []*Script // those not yet done; the first is spoken now
	at       position
	errs     []error
	requests []Request
	aborted  int
}

// A position is how far the present conversation is.
type position struct {
	turn    int               // answered so far
	attempt int               // requests for the next turn so far
	last    *Request          // answered; nil before the first
	sent    []json.RawMessage // the items that answered it
	asked   json.RawMessage   // the input of the request before, in the next turn
}

// A Request is one that the server got.
type Request struct {
	Header       http.Header // without Authorization
	Body         json.RawMessage
	Model        string
	Instructions string
	Input        []json.RawMessage

	input, tools json.RawMessage
	key          string
	style        callStyle
}

// New returns a server for the conversations of scripts, in this order.
func New(scripts ...*Script) *Server { return &Server{scripts: slices.Clone(scripts)} }

// Start serves on a free port of 127.0.0.1 until ctx ends, and returns the
// base URL to configure a client with.
func (s *Server) Start(ctx context.Context) (baseURL string, err error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("start scripted model: %w", err)
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	s.serving.Go(func() {
		stop := context.AfterFunc(ctx, func() { server.Close() }) //nolint:errcheck // everything is over
		defer stop()
		server.Serve(listener) //nolint:errcheck // it ends with ctx
	})
	return "http://" + listener.Addr().String() + "/v1", nil
}

// Wait returns when the context of Start has ended and nothing is served any more.
func (s *Server) Wait() { s.serving.Wait() }

// Requests returns the requests so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Errs returns the checks that failed so far.
func (s *Server) Errs() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.errs)
}

// Aborted returns how many responses the client left before their end.
func (s *Server) Aborted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.aborted
}

// Done returns the checks that failed, and an error for each script whose
// turns were not all asked for.
func (s *Server) Done() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := slices.Clone(s.errs)
	for i, script := range s.scripts {
		var answered int
		if i == 0 {
			answered = s.at.turn
		}
		if answered < len(script.turns) {
			errs = append(errs, fmt.Errorf("script %s: %d of %d turns were asked for", script.Name, answered, len(script.turns)))
		}
	}
	return errors.Join(errs...)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/responses") {
		refuse(w, http.StatusNotFound, fmt.Errorf("no %s %s here, only POST …/responses", r.Method, r.URL.Path))
		return
	}
	req, err := readRequest(r)
	if err != nil {
		s.fail(err)
		refuse(w, http.StatusBadRequest, err)
		return
	}
	a, err := s.accept(req)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if !a.play(r.Context(), w) {
		s.mu.Lock()
		s.aborted++
		s.mu.Unlock()
	}
}

func (s *Server) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
}

// refuse answers with an error in the API's shape.
func refuse(w http.ResponseWriter, status int, err error) {
	body, _ := json.Marshal(object{"error": object{"message": "script: " + err.Error(), "type": "invalid_request_error", "code": "script", "param": nil}})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Should-Retry", "false")
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the client has gone
}

func readRequest(r *http.Request) (*Request, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	var body struct {
		Model        string          `json:"model"`
		Instructions string          `json:"instructions"`
		Store        *bool           `json:"store"`
		Stream       bool            `json:"stream"`
		Tools        json.RawMessage `json:"tools"`
		Input        json.RawMessage `json:"input"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	req := &Request{Header: r.Header.Clone(), Body: raw, Model: body.Model, Instructions: body.Instructions, input: body.Input, tools: body.Tools}
	_, req.key, _ = strings.Cut(r.Header.Get("Authorization"), "Bearer ")
	req.Header.Del("Authorization")
	if bytes.Contains(body.Tools, []byte(`"type":"custom"`)) {
		req.style = freeform
	}
	switch {
	case body.Store == nil || *body.Store:
		return nil, errors.New("store is not false")
	case !body.Stream:
		return nil, errors.New("stream is not true")
	case json.Unmarshal(body.Input, &req.Input) != nil:
		return nil, errors.New("input is not an array")
	}
	return req, nil
}

// accept checks req and returns what to answer. A failed check is kept.
func (s *Server) accept(req *Request) (*answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, *req)
	a, err := s.next(req)
	if err != nil {
		s.errs = append(s.errs, err)
	}
	return a, err
}

// next runs with mu held.
func (s *Server) next(req *Request) (*answer, error) {
	if s.Peer && len(s.scripts) > 0 && s.at.turn < len(s.scripts[0].turns) {
		return s.advance(s.scripts[0], &s.scripts[0].turns[s.at.turn], req), nil
	}
	parsed, err := parseItems(req.Input)
	if err != nil {
		return nil, err
	}
	if s.Many {
		return s.nextOfMany(req, parsed)
	}
	if s.at.turn > 0 && !s.scripts[0].compacts && !slices.ContainsFunc(parsed, item.fromModel) && !s.at.continuedBy(req) {
		if err := s.nextScript(); err != nil {
			return nil, err
		}
	}
	if len(s.scripts) == 0 {
		return nil, errors.New("no script is left for this request")
	}
	script := s.scripts[0]
	if s.at.turn >= len(script.turns) {
		return nil, fmt.Errorf("script %s has no turn %d", script.Name, s.at.turn+1)
	}
	t := script.turns[s.at.turn]
	if err := s.check(script, &t, req, parsed); err != nil {
		return nil, fmt.Errorf("script %s, turn %d: %w", script.Name, s.at.turn+1, err)
	}
	return s.advance(script, &t, req), nil
}

// nextOfMany is next with Many.
func (s *Server) nextOfMany(req *Request, items []item) (*answer, error) {
	turn, begun, news := 0, len(items), 0
	for i := range items {
		if items[i].fromModel() {
			if news != i || i == 0 {
				turn++
			}
			begun, news = min(begun, i), i+1
		}
	}
	script := s.beginningWith(req, req.Instructions+"\n"+render(items[:begun]))
	if script == nil || turn >= len(script.turns) {
		return nil, fmt.Errorf("no script begins so, or it has no turn %d", turn+1)
	}
	t := &script.turns[turn]
	if turn > 0 {
		if err := t.expects(req, render(items[news:])); err != nil {
			return nil, fmt.Errorf("script %s, turn %d: %w", script.Name, turn+1, err)
		}
	}
	s.at = position{turn: turn}
	return s.advance(script, t, req), nil
}

// beginningWith returns the first script whose first turn expects that.
func (s *Server) beginningWith(req *Request, beginning string) *Script {
	for _, script := range s.scripts {
		if len(script.turns) > 0 && script.turns[0].expects(req, beginning) == nil {
			return script
		}
	}
	return nil
}

// continuedBy reports whether req asks on after an answer without items.
func (at *position) continuedBy(req *Request) bool {
	return len(at.sent) == 0 && len(req.Input) > len(at.last.Input) && checkGrowth(at, req) == nil
}

func (s *Server) nextScript() error {
	if script := s.scripts[0]; s.at.turn < len(script.turns) {
		return fmt.Errorf("script %s: a new conversation begins after turn %d of %d", script.Name, s.at.turn, len(script.turns))
	}
	s.scripts = s.scripts[1:]
	s.at = position{}
	return nil
}

func (s *Server) advance(script *Script, t *turn, req *Request) *answer {
	s.at.attempt++
	s.at.asked = req.input
	a := &answer{
		id:    fmt.Sprintf("%d_%d", s.at.turn+1, s.at.attempt),
		model: req.Model, inputTokens: len(req.Body) / 4,
		delta: script.delta, pause: script.pause,
		reply: t.reply, fault: t.fault, style: req.style,
	}
	if s.Delta > 0 {
		a.delta = s.Delta
	}
	if s.Pause > 0 {
		a.pause = s.Pause
	}
	spoilt := t.fault.spoils(s.at.attempt)
	if !spoilt && t.fault != nil && t.fault.then != "inject" {
		a.fault = nil
	}
	last := spoilt && t.reply == nil && s.at.attempt == t.fault.times
	if !spoilt || last {
		s.at = position{turn: s.at.turn + 1, last: req}
		if !spoilt && t.reply.final == "completed" { // nobody has to keep what is not whole
			s.at.sent = a.items()
		}
	}
	return a
}
