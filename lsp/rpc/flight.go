package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// flight is the set of requests in flight, by which they are cancelled.
type flight struct {
	mu      sync.Mutex
	cancels map[jsonrpc2.ID]context.CancelCauseFunc // guarded by mu
}

// add registers a request. Two with one id could not be told apart, so the
// second is refused.
func (f *flight) add(id jsonrpc2.ID, cancel context.CancelCauseFunc) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.cancels[id]; ok {
		return jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "id %q is in flight already", id)
	}
	f.cancels[id] = cancel
	return nil
}

func (f *flight) remove(id jsonrpc2.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.cancels, id)
}

// cancel acts on the params of $/cancelRequest. An unknown id is no error: the
// answer may be on its way.
func (f *flight) cancel(params []byte) error {
	var p struct{ ID json.RawMessage }
	if err := json.Unmarshal(params, &p); err != nil {
		return fmt.Errorf("params: %w", err)
	}
	id, err := parseID(p.ID)
	if err != nil {
		return err
	}
	f.mu.Lock()
	cancel := f.cancels[id]
	f.mu.Unlock()
	if cancel != nil {
		cancel(protocol.ErrRequestCancelled)
	}
	return nil
}

// parseID parses a request id. protocol.CancelParams knows 32 bits only, but
// requests come with 64.
func parseID(raw []byte) (jsonrpc2.ID, error) {
	var text string
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return jsonrpc2.NewNumberID(n), nil
	}
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &text) == nil {
		return jsonrpc2.NewStringID(text), nil
	}
	return jsonrpc2.ID{}, fmt.Errorf("request id %.40q is neither a 64-bit integer nor a string", raw)
}

// tally counts the requests that were read and not yet answered.
type tally struct {
	mu    sync.Mutex
	open  int           // guarded by mu
	empty chan struct{} // guarded by mu; closed while open is 0
}

func newTally() *tally {
	t := &tally{empty: make(chan struct{})}
	close(t.empty)
	return t
}

func (t *tally) add() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == 0 {
		t.empty = make(chan struct{})
	}
	t.open++
}

func (t *tally) remove() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open--
	if t.open == 0 {
		close(t.empty)
	}
}

// none is closed as soon as every request read so far is answered.
func (t *tally) none() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.empty
}

const (
	waitersPerSlot = 16
	// enterLimit is how long the read loop waits for one request to finish
	// when the queue is full: a burst is slowed down, not refused. When none
	// finishes, it does not wait again, so that cancellation gets through.
	enterLimit = 50 * time.Millisecond
)

// gate bounds the requests that run and those that wait to run.
type gate struct {
	places chan struct{} // one element per request that runs or waits
	slots  chan struct{} // one element per request that runs
	stuck  bool          // owned by the read loop; no request finished within enterLimit
}

func newGate(concurrency int) *gate {
	return &gate{
		places: make(chan struct{}, concurrency*(1+waitersPerSlot)),
		slots:  make(chan struct{}, concurrency),
	}
}

// enter takes a place, on the read loop.
func (g *gate) enter() error {
	select {
	case g.places <- struct{}{}:
		g.stuck = false
		return nil
	default:
	}
	if !g.stuck {
		select {
		case g.places <- struct{}{}:
			return nil
		case <-after(enterLimit):
			g.stuck = true
		}
	}
	return jsonrpc2.Errorf(requestFailed, "busy: %d requests are in flight; cancel some or ask again later", cap(g.places))
}

// start waits for a slot, off the read loop.
func (g *gate) start(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (g *gate) finish() { <-g.slots }

func (g *gate) leave() { <-g.places }
