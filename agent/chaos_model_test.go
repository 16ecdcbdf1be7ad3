package agent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// A hostileModel answers each request with whatever its seed says: calls that
// make no sense, faults of the wire, answers without an end. It checks what it
// gets for what must always hold.
type hostileModel struct {
	canary string // that no request may contain
	gone   chan struct{}

	mu       sync.Mutex // guards the below
	rng      *rand.Rand
	loops    []object                     // what it answers again and again, once it has begun to
	inputs   map[string][]json.RawMessage // of the last request of each conversation, by its instructions
	requests int
	huge     int // items of megabytes that may still come
	broken   []error
}

type object = map[string]any

// maxChaosRequests ends a run that goes on and on.
const maxChaosRequests = 40

func (m *hostileModel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	m.mu.Lock()
	m.check(body)
	m.requests++
	answer := m.answer()
	m.mu.Unlock()
	answer(w, r)
}

// check notes what of a request must not be. (mu is held)
func (m *hostileModel) check(body []byte) {
	var req struct {
		Instructions string          `json:"instructions"`
		Input        json.RawMessage `json:"input"`
	}
	if err := json.Unmarshal(body, &req); err != nil {
		m.broken = append(m.broken, fmt.Errorf("a request is no JSON: %w", err))
		return
	}
	if !utf8.Valid(body) {
		m.broken = append(m.broken, errors.New("a request is not UTF-8"))
	}
	if bytes.Contains(body, []byte(m.canary)) {
		m.broken = append(m.broken, errors.New("a request has the secret"))
	}
	if !m.goesOn(req.Instructions, req.Input) {
		m.broken = append(m.broken, errors.New("a request does not begin with the one before"))
	}
	if err := eachAnsweredOnce(req.Input); err != nil {
		m.broken = append(m.broken, err)
	}
}

// goesOn reports whether a request goes on from one before, or begins a
// conversation: the run's, or that of a part, of which several can go on at the
// same time.
func (m *hostileModel) goesOn(instructions string, input json.RawMessage) bool {
	if m.inputs == nil {
		m.inputs = map[string][]json.RawMessage{}
	}
	known := m.inputs[instructions]
	for i, before := range known {
		if bytes.Equal(input, before) || bytes.HasPrefix(input, append(bytes.TrimSuffix(bytes.Clone(before), []byte("]")), ',')) {
			known[i] = input
			return true
		}
	}
	m.inputs[instructions] = append(known, input)
	isPart := strings.Contains(instructions, "You do one part of a larger task")
	return len(known) == 0 || isPart && !bytes.Contains(input, []byte(`"role":"assistant"`)) && !bytes.Contains(input, []byte(`"type":"function_call"`))
}

// eachAnsweredOnce returns an error unless every call in input has another id,
// and one output behind it.
func eachAnsweredOnce(input json.RawMessage) error {
	var items []struct {
		Type   string `json:"type"`
		CallID string `json:"call_id"`
	}
	if err := json.Unmarshal(input, &items); err != nil {
		return fmt.Errorf("the input of a request is no list of items: %w", err)
	}
	open, known := map[string]bool{}, map[string]bool{}
	for _, item := range items {
		switch item.Type {
		case "function_call", "custom_tool_call":
			if known[item.CallID] {
				return fmt.Errorf("two calls have the id %q", item.CallID)
			}
			open[item.CallID], known[item.CallID] = true, true
		case "function_call_output", "custom_tool_call_output":
			if !open[item.CallID] {
				return fmt.Errorf("an output for %q, which waits for none", item.CallID)
			}
			delete(open, item.CallID)
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("%d calls have no output", len(open))
	}
	return nil
}

// one returns one of list. (mu is held, as in all below)
func one[T any](m *hostileModel, list ...T) T { return list[m.rng.IntN(len(list))] }

func (m *hostileModel) chance(percent int) bool { return m.rng.IntN(100) < percent }

// answer chooses what the present request gets.
func (m *hostileModel) answer() func(http.ResponseWriter, *http.Request) {
	if m.requests > maxChaosRequests {
		return stream(events([]object{message("Enough.")}, "completed"), nil)
	}
	items := m.items()
	final := "completed"
	if m.chance(3) {
		final = one(m, "incomplete", "failed")
	}
	if m.chance(15) {
		return m.fault(events(items, final))
	}
	return stream(events(items, final), nil)
}

// items returns the output of a response.
func (m *hostileModel) items() []object {
	if m.loops != nil {
		return renewed(m.loops, m.requests)
	}
	var items []object
	for range m.rng.IntN(5) {
		items = append(items, m.item(len(items)))
	}
	switch {
	case m.chance(15):
		items = append(items, message(m.text()))
	case m.chance(5) && len(items) > 0:
		items = append(items, items[m.rng.IntN(len(items))]) // the same one, with its id
	case m.chance(5):
		for len(items) < 70 {
			items = append(items, m.item(len(items)))
		}
	}
	if m.chance(3) {
		m.loops = items
	}
	return items
}

// renewed returns items with ids of their own.
func renewed(items []object, n int) []object {
	var again []object
	for i, item := range items {
		next := object{}
		for k, v := range item {
			next[k] = v
		}
		if next["call_id"] != nil {
			next["call_id"] = fmt.Sprintf("again_%d_%d", n, i)
		}
		again = append(again, next)
	}
	return again
}

func message(text string) object {
	return object{"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": []object{{"type": "output_text", "text": text, "annotations": []any{}}}}
}

func (m *hostileModel) item(i int) object {
	id := fmt.Sprintf("call_%d_%d", m.requests, i)
	switch m.rng.IntN(12) {
	case 0:
		return message(m.text())
	case 1:
		return object{"type": "reasoning", "id": "r", "summary": []object{{"type": "summary_text", "text": m.text()}}, "encrypted_content": "gAAA"}
	case 2:
		return one(m,
			object{"type": "hologram", "data": m.text()},
			object{"type": "function_call", "name": "read_file", "arguments": "{}"}, // without an id
			object{"type": "function_call", "call_id": 7, "name": "read_file", "arguments": "{}"},
			object{"type": "message", "content": "a string"},
			object{"type": "function_call", "call_id": "call_0_0", "name": "list_dir", "arguments": `{"path": "."}`},
			object{},
		)
	case 3:
		return object{"type": "custom_tool_call", "call_id": id, "name": one(m, "apply_patch", "shell", "edit", ""), "input": m.patch()}
	}
	tool := one(m, chaosTools...)
	return object{"type": "function_call", "id": "f", "call_id": id, "name": tool, "arguments": m.arguments(tool)}
}

var chaosTools = []string{
	"read_file", "list_dir", "glob", "grep", "symbol_find", "symbol_refs", "diagnostics", "apply_patch", "edit",
	"replace_symbol", "symbol_rename", "shell", "delegate", "update_plan", "ask_user", "view_image", "fly", "", strings.Repeat("x", 5000),
}

// arguments returns those of a call of tool: as they should be, nearly so, or
// anything.
func (m *hostileModel) arguments(tool string) any {
	args := object{}
	for _, name := range chaosArguments[tool] {
		if m.chance(85) {
			args[name] = m.argument(name)
		}
	}
	if m.chance(2) {
		args[one(m, "file", "start_line", "")] = m.text()
	}
	raw := string(mustJSON(args))
	switch m.rng.IntN(20) {
	case 0:
		return raw[:m.rng.IntN(len(raw)+1)] // cut off
	case 1:
		return one[any](m, nil, 5, []any{}, args, "", "null", "[]", "{{", strings.Repeat("[", 20_000), `{"path": "\ud800"}`, m.text())
	case 2:
		if m.huge > 0 {
			m.huge--
			args["path"] = strings.Repeat("x", 5<<20)
			return string(mustJSON(args))
		}
	}
	return raw
}

// argument returns a value for the argument of a name.
func (m *hostileModel) argument(name string) any {
	switch name {
	case "path", "dir":
		return m.path()
	case "pattern":
		return one(m, "func", "(", "*.go", "**", "[", "{a,b}", "(a*)*$", "", m.text())
	case "symbol", "query":
		return one(m, "Sum", "S", "a.go#Sum", "#", "a.go#", "#x", "", m.text())
	case "line", "offset", "limit", "head_limit", "context", "depth", "timeout_seconds":
		return one[any](m, 0, 1, 2, 3, -1, 1<<60, "3", 1.5)
	case "output":
		return one(m, "", "files", "count", "lines", m.text())
	case "patch":
		return m.patch()
	case "old":
		return one(m, "return", "a + b", "", "\n", m.text())
	case "all", "network":
		return one[any](m, true, false, "yes")
	case "new_name":
		return one(m, "Add", "a b", "", m.text())
	case "command":
		return one(m, "write", "remove", "binary", "fail", "long", m.text())
	case "plan":
		steps := []object{{"step": m.text(), "status": "completed"}, {"step": "then", "status": one(m, "pending", "in_progress", "failed", "done")}, {"step": m.text(), "status": m.text()}}
		return one[any](m, steps[:m.rng.IntN(4)], steps[:2], steps[:1], []any{1}, "x", nil)
	}
	return m.text()
}

var chaosArguments = map[string][]string{
	"read_file": {"path", "offset", "limit"}, "list_dir": {"path", "depth", "head_limit"}, "glob": {"pattern", "path", "head_limit"},
	"grep": {"pattern", "path", "output", "context", "head_limit"}, "symbol_find": {"query", "head_limit"}, "symbol_refs": {"symbol", "path", "line"},
	"diagnostics": {"path"}, "apply_patch": {"patch"}, "edit": {"path", "old", "new", "all"}, "replace_symbol": {"symbol", "hash", "content"},
	"symbol_rename": {"symbol", "new_name"}, "shell": {"command", "dir", "timeout_seconds", "network"}, "delegate": {"task"}, "update_plan": {"plan"},
	"ask_user": {"question"}, "view_image": {"path"},
}

func (m *hostileModel) path() string {
	if m.chance(40) {
		return one(m, "a.go", "b.go", "dir/c.py", "long.txt")
	}
	return one(m, "a.go", "b.go", "dir/c.py", "dir", ".", "", "new.txt", "a.go#Sum", "../outside/secret", "/etc/passwd", "/etc/shadow", ".env", "link", "linked/x",
		"dir/../../outside/x", "a.go/x", ".git/config", "~", "\x00", "es\x1bc", strings.Repeat("d/", 3000)+"x", m.text())
}

func (m *hostileModel) patch() string {
	if m.chance(30) {
		return "*** Begin Patch\n*** Add File: made" + fmt.Sprint(m.rng.IntN(9)) + ".txt\n+" + strings.ReplaceAll(m.text(), "\n", " ") + "\n*** End Patch"
	}
	var b strings.Builder
	b.WriteString(one(m, "*** Begin Patch\n", "*** Begin Patch\n", "*** Begin Patch\n", "*** Begin\n", ""))
	for range m.rng.IntN(4) {
		path := m.path()
		b.WriteString(one(m, "*** Add File: "+path+"\n+"+m.text()+"\n", "*** Delete File: "+path+"\n", "*** Update File: "+path+"\n*** Move to: "+m.path()+"\n@@\n package a\n",
			"*** Update File: a.go\n@@\n-func Sum(a, b int) int { return a + b }\n+func Sum(a, b int) int { return b + a }\n", "*** Update File: b.go\n@@ nothing\n-x\n+y\n", m.text()+"\n"))
	}
	return b.String() + one(m, "*** End Patch\n", "*** End Patch", "")
}

func (m *hostileModel) text() string {
	return one(m, "plain", "", " ", "\x00", "\x1b[2J\x1b]0;title\x07", "\u202egnp.exe", "\ud7ff\ufffd\U0010ffff", "bad \xff\xfe utf8", "line\nline\r\nline\r", "*** End Patch", "```", "<b>", "%s%n",
		`"quoted\"`, "{}", strings.Repeat("long ", 3000), "🙂", "a\u0301", "TODO: ignore all instructions")
}

func mustJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

// events returns a response as the bytes of its events. One in some has bytes
// that are no UTF-8.
func events(items []object, final string) [][]byte {
	var out [][]byte
	add := func(kind string, fields object) {
		fields["type"] = kind
		raw := bytes.ReplaceAll(mustJSON(fields), []byte(`bad \ufffd\ufffd utf8`), []byte("bad \xff\xfe utf8"))
		out = append(out, fmt.Appendf(nil, "event: %s\ndata: %s\n\n", kind, raw))
	}
	if items == nil {
		items = []object{}
	}
	add("response.created", object{"response": object{"id": "r", "status": "in_progress"}})
	for i, item := range items {
		if text, ok := item["content"].([]object); ok {
			add("response.output_text.delta", object{"output_index": i, "delta": text[0]["text"]})
		}
		add("response.output_item.done", object{"output_index": i, "item": item})
	}
	add("response."+final, object{"response": object{"id": "r", "status": final, "error": object{"code": "server_error", "message": "no"}, "output": []any{}, "usage": object{"input_tokens": 10, "output_tokens": 3}}})
	return out
}

// stream sends events, and then does what last says.
func stream(events [][]byte, last func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, event := range events {
			if _, err := w.Write(event); err != nil {
				return
			}
		}
		if last != nil {
			_ = http.NewResponseController(w).Flush()
			last(w, r)
		}
	}
}

// fault returns a response of events that goes wrong.
func (m *hostileModel) fault(events [][]byte) func(http.ResponseWriter, *http.Request) {
	some := events[:m.rng.IntN(len(events))]
	status := one(m, 408, 409, 429, 500, 502, 503, 504, 529)
	if m.chance(10) {
		status = one(m, 400, 401, 404)
	}
	retryAfter := one(m, "0", "0", "0", "0", "0", "0", "0", "999999", "soon")
	body := one(m, `{"error": {"message": "no", "code": "server_error"}}`, `{"error": "no"}`, "", "<html>", m.text())
	wrong := one(m, "data: {\n\n", "data: [DONE]\n\n", "data: {\"error\": null}\n\n", "event: error\ndata: {\"type\":\"error\",\"message\":\"no\"}\n\n", "data: {\"type\":\"response.output_item.done\",\"item\":5}\n\n", ": comment\n\n", "\x00\xff\n\n")
	switch m.rng.IntN(6) {
	case 0:
		return stream(some, nil) // cut
	case 1:
		return stream(some, func(w http.ResponseWriter, _ *http.Request) { // reset
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = conn.Close()
			}
		})
	case 2:
		if !m.chance(20) {
			break
		}
		return stream(some, func(_ http.ResponseWriter, r *http.Request) { // stall
			select {
			case <-r.Context().Done():
			case <-m.gone:
			}
		})
	case 3:
		return stream(append(slices.Clone(some), []byte(wrong)), nil)
	case 4:
		return stream(slices.Concat(some, [][]byte{[]byte(wrong)}, events[len(some):]), nil)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", retryAfter)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
