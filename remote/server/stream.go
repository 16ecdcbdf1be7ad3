package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/agentls/agentls/remote"
)

const (
	batch     = 200              // events of one write
	breath    = 10 * time.Second // between signs of life of a stream
	writeTime = 30 * time.Second // that a client may take to read
)

// A stream is one client that follows a task. (HTML Living Standard, 9.2:
// server-sent events)
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	now     func() time.Time
}

// streamEvents sends the events of a task behind Last-Event-ID, as they come,
// and in the end the task itself as the event "end".
func (s *Server) streamEvents(w http.ResponseWriter, r *http.Request) (any, error) {
	rec, err := s.store.task(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	after, err := lastEvent(r)
	if err != nil {
		return nil, err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := &stream{w: w, control: http.NewResponseController(w), now: s.now}
	if err := s.follow(r, rec, after, out); err != nil {
		s.log.DebugContext(r.Context(), "stream ended", "task", rec.ID, "err", err)
	}
	return nil, nil
}

// lastEvent returns the number of the last event that the client has.
func lastEvent(r *http.Request) (uint64, error) {
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.FormValue("after")
	}
	if last == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(last, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%w: Last-Event-ID %q is no number", errBody, last)
	}
	return n, nil
}

func (s *Server) follow(r *http.Request, rec *taskRecord, after uint64, out *stream) error {
	tick := time.NewTicker(breath)
	defer tick.Stop()
	if err := out.comment("agentls"); err != nil {
		return err
	}
	for {
		changed := s.changed.wait()
		// The state is read before the events: those of a task that has ended are all there.
		task, err := s.describe(r.Context(), rec)
		if err != nil {
			return err
		}
		events, err := s.store.events(rec.ID, after, batch)
		if err != nil {
			return err
		}
		for i := range events {
			after = events[i].Seq
			if err := out.send(strconv.FormatUint(after, 10), string(events[i].Kind), events[i]); err != nil {
				return err
			}
		}
		if len(events) > 0 {
			if err := out.flush(); err != nil {
				return err
			}
			continue
		}
		if task.State.Ended() {
			return out.end(task)
		}
		select {
		case <-r.Context().Done():
			return r.Context().Err()
		case <-changed:
		case <-tick.C:
			if err := out.comment("alive"); err != nil {
				return err
			}
		}
	}
}

// send writes an event; one without id does not count for Last-Event-ID.
func (o *stream) send(id, name string, data any) error {
	raw, err := json.Marshal(data) // on one line
	if err != nil {
		return err
	}
	if err := o.control.SetWriteDeadline(o.now().Add(writeTime)); err != nil {
		return err
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	_, err = fmt.Fprintf(o.w, "%sevent: %s\ndata: %s\n\n", id, name, raw)
	return err
}

// end sends the task, which has ended.
func (o *stream) end(task *remote.Task) error {
	if err := o.send("", "end", task); err != nil {
		return err
	}
	return o.flush()
}

func (o *stream) comment(text string) error {
	if err := o.control.SetWriteDeadline(o.now().Add(writeTime)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(o.w, ": %s\n\n", text); err != nil {
		return err
	}
	return o.flush()
}

func (o *stream) flush() error { return o.control.Flush() }
