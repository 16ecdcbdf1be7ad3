package agent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/openai"
)

// A tape is a transcript in memory.
type tape struct {
	bytes.Buffer
	syncs int
}

func (t *tape) Sync() error { t.syncs++; return nil }

// A parrot stands before a scripted model, and gives the answer it once gave to
// the same input again. To any other input it has none.
type parrot struct {
	url    string
	mu     sync.Mutex
	taught map[string][]byte // by input; guarded by mu
	asked  []string          // inputs; guarded by mu
}

func newParrot(t *testing.T, model string) *parrot {
	t.Helper()
	p := &parrot{taught: map[string][]byte{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		var parsed struct{ Input json.RawMessage }
		if err := json.Unmarshal(body, &parsed); err != nil {
			t.Error(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked = append(p.asked, string(parsed.Input))
		answer, known := p.taught[string(parsed.Input)]
		if !known && model != "" {
			res, err := http.Post(model+"/responses", "application/json", bytes.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			answer, _ = io.ReadAll(res.Body)
			_ = res.Body.Close()
			p.taught[string(parsed.Input)] = answer
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write(answer)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL + "/v1"
	return p
}

func (p *parrot) inputs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	return asked
}

func (p *parrot) model() *openai.Model {
	return openai.New(openai.Options{BaseURL: p.url, Model: "scripted", Backoff: time.Millisecond, MaxRetries: -1})
}

// TestResume: from each place at which a run can be cut off it goes on with the
// bytes it would have sent, makes no call again whose output is kept, and ends
// the same.
func TestResume(t *testing.T) {
	for _, name := range []string{"edit", "ask", "nonsense"} {
		t.Run(name, func(t *testing.T) {
			f := load(t, name)
			p := newParrot(t, f.url)
			var kept tape
			f.task.Transcript = &kept
			f.model = p.model()
			want, _, err := f.run(t, agent.Options{})
			if err != nil {
				t.Fatal(err, f.server.Errs())
			}
			sent := p.inputs()
			if kept.syncs < len(sent) {
				t.Errorf("%d syncs in %d turns", kept.syncs, len(sent))
			}
			lines := slices.Collect(bytes.Lines(kept.Bytes()))
			for cut := 1; cut < len(lines)-1; cut++ {
				f.resume(t, p, bytes.Join(lines[:cut], nil), lines[:cut], sent, want)
			}
		})
	}
}

func (f *fixture) resume(t *testing.T, p *parrot, kept []byte, lines [][]byte, sent []string, want *agent.Result) {
	t.Helper()
	torn := append(slices.Clone(kept), `{"kind":"output","items":[{"output":{"Ca`...)
	records, size, err := agent.ReadTranscript(bytes.NewReader(torn))
	if err != nil || size != int64(len(kept)) {
		t.Fatalf("%d bytes count, not %d: %v", size, len(kept), err)
	}
	past, err := agent.Replay(records)
	if err != nil {
		t.Fatal(err)
	}
	task := past.Task
	var more tape
	task.Past, task.Transcript = past, &more
	var tr transcript
	got, err := agent.New(agent.Options{Model: p.model()}).Run(t.Context(), f.snap, task, tr.sink)
	if err != nil {
		t.Fatalf("resumed after %s: %v", lines[len(lines)-1], err)
	}
	if diff := cmp.Diff(sent[past.Turns:], p.inputs()); diff != "" {
		t.Errorf("resumed after %s, it sends:\n%s", lines[len(lines)-1], diff)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resumed after %s, it ends with:\n%s", lines[len(lines)-1], diff)
	}
	answered := 0
	for _, rec := range records {
		if rec.Kind == agent.CallAnswered {
			answered++
		}
	}
	calls := 0
	all, _, err := agent.ReadTranscript(bytes.NewReader(slices.Concat(kept, more.Bytes())))
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range all {
		calls += len(rec.Calls)
	}
	if steps := strings.Count(tr.String(), "start "); steps != calls-answered {
		t.Errorf("%d calls were made after %d of %d had an output", steps, answered, calls)
	}
	if end, err := agent.Replay(all); err != nil || end.State != agent.Done || end.Answer != want.Answer {
		t.Errorf("the transcript ends as %s with %q: %v", end.State, end.Answer, err)
	}
}

// noting is a tool that does something outside the draft.
type noting func() error

func (noting) Spec() agent.ToolSpec {
	return agent.ToolSpec{Name: "note", Parameters: json.RawMessage(`{"type":"object"}`)}
}

func (n noting) Run(context.Context, *agent.Draft, json.RawMessage) (string, error) {
	return "noted", n()
}

// TestResumeAfterCommand: a command that was cut off is not run again unasked.
func TestResumeAfterCommand(t *testing.T) {
	f := parse(t, []byte(`mode: edit
prompt: x
-- files/a.txt --
a
-- turn1.reply --
call note {"text": "sent"}
-- turn2.expect --
error: the run was cut off while it made this call.
-- turn2.reply --
message: I see.
`))
	var kept tape
	f.task.Transcript = &kept
	dies := errors.New("killed")
	made := 0
	opts := agent.Options{Tools: []agent.Tool{noting(func() error { made++; return dies })}}
	if _, _, err := f.run(t, opts); !errors.Is(err, dies) {
		t.Fatal(err)
	}
	records, _, err := agent.ReadTranscript(&kept.Buffer)
	if err != nil {
		t.Fatal(err)
	}
	past, err := agent.Replay(records[:len(records)-1])
	if err != nil {
		t.Fatal(err)
	}
	f.task.Past = past
	res, _, err := f.run(t, opts)
	if err != nil || res.Answer != "I see." || made != 1 {
		t.Errorf("%+v after %d calls: %v, %v", res, made, err, f.server.Errs())
	}
}

// TestCommandBegins: a command has begun once its user let it, not before: one
// that nobody was asked about yet is asked about again.
func TestCommandBegins(t *testing.T) {
	f := parse(t, []byte(`mode: edit
prompt: x
-- files/a.txt --
a
-- turn1.reply --
call shell {"command": "make", "network": true}
-- turn2.reply --
message: Made.
`))
	var kept tape
	begun := func() bool { return bytes.Contains(kept.Bytes(), []byte(`"kind":"call"`)) }
	f.task.Transcript = &kept
	f.task.Permit = func(context.Context, agent.Permission) (agent.Grant, error) {
		if begun() {
			t.Error("it has begun before its user was asked")
		}
		return agent.Once, nil
	}
	box := &fakeSandbox{confined: true, answers: map[string]func(*agent.Draft) (*agent.CommandResult, error){
		"make": func(*agent.Draft) (*agent.CommandResult, error) {
			if !begun() {
				t.Error("it runs, and has not begun")
			}
			return &agent.CommandResult{}, nil
		},
	}}
	if _, _, err := f.run(t, box.options()); err != nil || len(box.ran) != 1 {
		t.Error(err, box.ran)
	}
}

// TestResumeOverEdits: what the user did to a file meanwhile is not lost, and
// not taken for the agent's.
func TestResumeOverEdits(t *testing.T) {
	f := load(t, "edit")
	p := newParrot(t, f.url)
	f.model = p.model()
	var kept tape
	f.task.Transcript = &kept
	want, _, err := f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(bytes.Lines(kept.Bytes()))
	records, _, err := agent.ReadTranscript(bytes.NewReader(bytes.Join(lines[:len(lines)-1], nil)))
	if err != nil {
		t.Fatal(err)
	}
	past, err := agent.Replay(records)
	if err != nil {
		t.Fatal(err)
	}
	f.write(t, "sum.go", "package user\n")
	f.snap = scan(t, f.dir)
	f.task.Past = past
	got, _, err := f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Change, got.Change); diff != "" {
		t.Error(diff)
	}
}

// TestOutline: a list says of a transcript what its replay does.
func TestOutline(t *testing.T) {
	f := load(t, "edit")
	var kept tape
	f.task.Transcript = &kept
	price := &agent.Price{Input: 1, Output: 2}
	if _, _, err := f.run(t, agent.Options{Price: price, Now: func() time.Time { return time.Unix(1e9, 0) }}); err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(bytes.Lines(kept.Bytes()))
	for n := 1; n <= len(lines); n++ {
		content := append(bytes.Join(lines[:n], nil), `{"kind":"output","ti`...)
		got, err := agent.Outline(content)
		if err != nil {
			t.Fatal(err)
		}
		want := replayed(t, content)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(agent.Past{}), cmpopts.IgnoreUnexported(agent.Task{})); diff != "" {
			t.Errorf("after %d records: %s", n, diff)
		}
	}
	for _, bad := range []string{"", "\n", "no\n", `{"kind":"task"}` + "\n", `{"kind":"ended"}` + "\n"} {
		if _, err := agent.Outline([]byte(bad)); !errors.Is(err, agent.ErrNoTranscript) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzReplay: whatever a file says, it is a run's past or an error.
func FuzzReplay(f *testing.F) {
	f.Add([]byte("{\"kind\":\"task\",\"task\":{\"id\":\"a\"},\"items\":[{\"user\":{\"Text\":\"x\"}}]}\n"))
	f.Add([]byte("{\"kind\":\"task\",\"task\":{}}\n{\"kind\":\"response\",\"calls\":[{\"ID\":\"c\"}]}\n{\"kind\":\"output\",\"items\":[{}]}\n{\"kind\":\"ended\",\"state\":\"done\"}\n"))
	f.Add([]byte("{\"kind\":\"task\",\"task\":{}}\n{\"kind\":\"response\",\"calls\":[null]}\n{\"kind\":\"output\",\"files\":[{\"path\":\"/a\",\"base\":{}}]}\n{\"kind\":\"compacted\"}\n"))
	f.Add([]byte("{\"kind\":\"task\",\"task\":{}}\n{\"kind\":\"plan\"}\n{\"kind\":\"later\"}\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		records, size, err := agent.ReadTranscript(bytes.NewReader(content))
		if err != nil {
			return
		}
		if size > int64(len(content)) {
			t.Errorf("%d bytes of %d", size, len(content))
		}
		past, err := agent.Replay(records)
		if (past == nil) == (err == nil) {
			t.Errorf("%v, %v", past, err)
		}
		if outline, err := agent.Outline(content); (outline == nil) == (err == nil) {
			t.Errorf("%v, %v", outline, err)
		}
		for _, rec := range records {
			if err == nil && rec.Kind == agent.PlanMoved && rec.Plan == nil {
				t.Error("a plan that is none")
			}
		}
	})
}
