package script

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
	"unicode/utf8"
)

// An answer is what one request gets.
type answer struct {
	id          string // "TURN_ATTEMPT": items of a spoilt attempt have other ids
	model       string
	inputTokens int
	delta       int // bytes
	pause       time.Duration
	reply       *reply
	fault       *fault // nil: none
	style       callStyle
}

// items returns the output items, as they are on the wire.
func (a *answer) items() []json.RawMessage {
	if a.reply == nil {
		return nil
	}
	var out []json.RawMessage
	for i, b := range a.reply.blocks {
		if b.kind == "item" {
			out = append(out, json.RawMessage(b.text))
			continue
		}
		out = append(out, encode(b.item(a.itemID(i), a.style)))
	}
	return out
}

func (a *answer) itemID(i int) string { return fmt.Sprintf("%s_%d", a.id, i+1) }

// encode leaves < and > alone, as most servers do.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // all values are made here
	}
	return bytes.TrimSpace(b.Bytes())
}

// play sends the answer and reports whether the client stayed to its end.
func (a *answer) play(ctx context.Context, w http.ResponseWriter) bool {
	if f := a.fault; f != nil {
		for _, h := range f.header {
			w.Header().Set(h[0], h[1])
		}
		if f.plain {
			w.WriteHeader(max(f.status, http.StatusOK))
			io.WriteString(w, f.body) //nolint:errcheck // the client has gone
			return true
		}
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	s := &stream{ctx: ctx, w: w, control: http.NewResponseController(w), answer: a}
	s.response()
	return ctx.Err() == nil
}

// A stream sends the events of one answer.
type stream struct {
	ctx     context.Context // of this one request
	w       http.ResponseWriter
	control *http.ResponseController
	answer  *answer
	sent    int
	over    bool
}

func (s *stream) response() {
	a := s.answer
	s.event("response.created", object{"response": s.envelope("in_progress", nil)})
	s.event("response.in_progress", object{"response": s.envelope("in_progress", nil)})
	if a.reply == nil {
		return
	}
	items := a.items()
	for i, b := range a.reply.blocks {
		s.item(i, b, items[i])
	}
	s.event("response."+a.reply.final, object{"response": s.envelope(a.reply.final, items)})
}

// envelope returns the response object that comes with the first and the last
// events.
func (s *stream) envelope(status string, output []json.RawMessage) object {
	if output == nil {
		output = []json.RawMessage{}
	}
	written := 0
	for _, raw := range output {
		written += len(raw)
	}
	res := object{
		"id": "resp_" + s.answer.id, "object": "response", "created_at": 1, "status": status, "model": s.answer.model,
		"output": output, "parallel_tool_calls": true, "tool_choice": "auto", "tools": []any{}, "metadata": object{},
		"error": nil, "incomplete_details": nil,
		"usage": object{
			"input_tokens": s.answer.inputTokens, "input_tokens_details": object{"cached_tokens": 0},
			"output_tokens": written / 4, "output_tokens_details": object{"reasoning_tokens": 0},
			"total_tokens": s.answer.inputTokens + written/4,
		},
	}
	switch status {
	case "incomplete":
		res["incomplete_details"] = object{"reason": "max_output_tokens"}
	case "failed":
		res["error"] = object{"code": "server_error", "message": "the scripted model failed"}
	}
	return res
}

// deltaEvents are the types of the events that bring an item piece by piece.
var deltaEvents = map[string]string{
	"reasoning": "response.reasoning_summary_text.delta",
	"message":   "response.output_text.delta",
	"call":      "response.function_call_arguments.delta",
	"patch":     "response.function_call_arguments.delta",
}

func (s *stream) item(index int, b block, done json.RawMessage) {
	s.event("response.output_item.added", object{"output_index": index, "item": done})
	kind := deltaEvents[b.kind]
	if b.kind == "patch" && s.answer.style == freeform {
		kind = "response.custom_tool_call_input.delta"
	}
	if kind != "" {
		s.deltas(kind, index, b.text)
	}
	s.event("response.output_item.done", object{"output_index": index, "item": done})
}

func (s *stream) deltas(kind string, index int, text string) {
	id := s.answer.itemID(index)
	for text != "" && !s.over {
		n := min(s.answer.delta, len(text))
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n++
		}
		s.event(kind, object{"item_id": id, "output_index": index, "content_index": 0, "summary_index": 0, "delta": text[:n]})
		text = text[n:]
		s.rest()
	}
}

// rest waits for the pause between deltas.
func (s *stream) rest() {
	if s.answer.pause == 0 || s.over {
		return
	}
	timer := time.NewTimer(s.answer.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
		s.over = true
	}
}

func (s *stream) event(kind string, fields object) {
	if s.over {
		return
	}
	fields["type"], fields["sequence_number"] = kind, s.sent
	s.write(fmt.Sprintf("event: %s\ndata: %s\n\n", kind, encode(fields)))
	s.sent++
	if f := s.answer.fault; f != nil && s.sent == f.after {
		s.spoil(f)
	}
}

func (s *stream) write(text string) {
	_, err := io.WriteString(s.w, text)
	if err == nil {
		err = s.control.Flush()
	}
	s.over = s.over || err != nil
}

func (s *stream) spoil(f *fault) {
	s.over = f.then != "inject"
	switch f.then {
	case "raw", "inject":
		s.write(f.raw)
	case "done":
		s.write("data: [DONE]\n\n")
	case "stall":
		<-s.ctx.Done()
	case "reset":
		s.reset()
	}
}

// reset closes the connection in such a way that the client gets an error.
func (s *stream) reset() {
	conn, _, err := s.control.Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) //nolint:errcheck // closing follows
	}
	conn.Close() //nolint:errcheck // that is the point
}
