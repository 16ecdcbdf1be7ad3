package remote

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxEvent = 8 << 20          // bytes of one event of a stream
	quiet    = 45 * time.Second // that a stream may be; the service breathes every 10 s
)

// Follow calls sink with the events of a task behind number after, as they
// come, and returns the task once it has ended. A connection that breaks is
// made again, without losing or repeating an event; broken is told why, and
// may be nil. The error is ErrUnreachable once Options.Patience is spent: the
// task goes on at the service. Where there is no stream, it asks again and
// again, and makes events of what it learns.
func (c *Client) Follow(ctx context.Context, id string, after uint64, sink func(Event), broken func(reason error)) (*Task, error) {
	ok, err := c.hasOwn(ctx)
	if err != nil {
		return nil, err
	}
	if !ok {
		return c.poll(ctx, id, sink)
	}
	p := c.patience(broken)
	for {
		before := after
		t, err := c.stream(ctx, id, &after, sink)
		switch {
		case t != nil:
			return t, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		}
		if after > before {
			p = c.patience(broken)
		}
		if err := p.with(ctx, err); err != nil {
			if mayPass(err) {
				err = fmt.Errorf("follow %s, which goes on there: %w", id, err)
			}
			return nil, err
		}
	}
}

// A patience is what is left of Options.Patience with a service that does not
// answer.
type patience struct {
	client *Client
	broken func(reason error) // may be nil
	waited time.Duration
	wait   time.Duration // before the next try
}

func (c *Client) patience(broken func(reason error)) *patience {
	return &patience{client: c, broken: broken, wait: c.opts.Backoff}
}

// with waits before the next try, after one that ended with err. It returns err
// where trying again is no use, or no more, and otherwise why ctx ended.
func (p *patience) with(ctx context.Context, err error) error {
	if p.waited += p.wait; !mayPass(err) || p.waited > p.client.opts.Patience {
		return err
	}
	if p.broken != nil {
		p.broken(err)
	}
	wait := p.wait
	p.wait = min(2*wait, maxBackoff)
	return sleep(ctx, wait)
}

// persist calls try until it succeeds, or fails for good.
func (c *Client) persist(ctx context.Context, broken func(reason error), try func() error) error {
	for p := c.patience(broken); ; {
		err := try()
		if err == nil || ctx.Err() != nil {
			return err
		}
		if err := p.with(ctx, err); err != nil {
			return err
		}
	}
}

// Log calls sink with the events of a task so far.
func (c *Client) Log(ctx context.Context, id string, sink func(Event)) error {
	ok, err := c.hasOwn(ctx)
	if err != nil {
		return err
	}
	if !ok {
		t, err := c.codexTask(ctx, id)
		if err == nil {
			t.retell(sink)
		}
		return err
	}
	for after := uint64(0); ; {
		var log Log
		if err := c.call(ctx, http.MethodGet, fmt.Sprintf("%s/log?after=%d", taskPath(id), after), nil, &log); err != nil || len(log.Events) == 0 {
			return err
		}
		for _, ev := range log.Events {
			after = max(after+1, ev.Seq) // it goes on, whatever the service says
			sink(ev)
		}
	}
}

// mayPass reports whether err may be gone when the service is asked again.
func mayPass(err error) bool {
	var status *StatusError
	if !errors.As(err, &status) {
		return errors.Is(err, ErrUnreachable)
	}
	switch status.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// sleep waits, or returns why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// stream follows one connection. It returns the task with its last event;
// after counts on.
func (c *Client) stream(ctx context.Context, id string, after *uint64, sink func(Event)) (*Task, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := c.request(ctx, http.MethodGet, taskPath(id)+"/events", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Last-Event-ID", strconv.FormatUint(*after, 10))
	resp, err := c.send(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if !hasType(resp, "text/event-stream") {
		return nil, fmt.Errorf("%s answers with %q in place of a stream: %w", req.URL, resp.Header.Get("Content-Type"), ErrNotService)
	}
	alive := time.AfterFunc(quiet, cancel)
	defer alive.Stop()
	events := newEventReader(resp.Body, func() { alive.Reset(quiet) })
	for {
		name, data, err := events.next()
		if err != nil {
			return nil, fmt.Errorf("%w: %s: the stream broke off: %w", ErrUnreachable, c.url, err)
		}
		if name == "end" {
			t := &Task{}
			if err := decode(data, t); err != nil {
				return nil, err
			}
			return t, nil
		}
		var ev Event
		if err := decode(data, &ev); err != nil {
			return nil, err
		}
		if ev.Seq > *after {
			*after = ev.Seq
			sink(ev)
		}
	}
}

func decode(data string, into any) error {
	if err := json.Unmarshal([]byte(data), into); err != nil {
		return fmt.Errorf("%w: an event is broken: %w", ErrNotService, err)
	}
	return nil
}

// An eventReader reads server-sent events. (HTML Living Standard, 9.2.6) The
// number of an event is also in its data, so "id" is left aside.
type eventReader struct {
	lines *bufio.Reader
	alive func() // called at every line
}

func newEventReader(r io.Reader, alive func()) *eventReader {
	return &eventReader{lines: bufio.NewReader(r), alive: alive}
}

// next returns the next event that has data.
func (r *eventReader) next() (name, data string, err error) {
	var parts []string
	size := 0
	for {
		line, err := r.line()
		if err != nil {
			return "", "", err
		}
		if size += len(line); size > maxEvent {
			return "", "", errLongEvent
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && len(parts) > 0:
			return name, strings.Join(parts, "\n"), nil
		case line == "":
			name, size = "", 0
		case field == "event":
			name = value
		case field == "data":
			parts = append(parts, value)
		}
	}
}

var errLongEvent = fmt.Errorf("an event is longer than %d MiB", maxEvent>>20)

// line returns the next line without its end.
func (r *eventReader) line() (string, error) {
	var line []byte
	for {
		piece, err := r.lines.ReadSlice('\n')
		line = append(line, piece...)
		switch {
		case err == nil:
			r.alive()
			return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", err
		case len(line) > maxEvent:
			return "", errLongEvent
		}
	}
}
