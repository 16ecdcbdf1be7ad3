package agent_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/openai"
)

// long is a run of n turns that reads on and on, with all that a summary must
// keep.
func long(n int) []byte {
	var b strings.Builder
	b.WriteString("mode: edit\nprompt: Go on, and never touch vendor/.\ncompacts: true\n-- files/a.txt --\n" + strings.Repeat("a line of a file that is read\n", 100))
	for i := range n - 1 {
		fmt.Fprintf(&b, "-- turn%d.reply --\n", i+1)
		switch i {
		case 1:
			b.WriteString("message: I keep the old parser, because tests need it.\ncall update_plan {\"plan\": [{\"step\": \"the first step\", \"status\": \"completed\"}, {\"step\": \"the second step\", \"status\": \"in_progress\"}]}\n")
		case 2:
			b.WriteString("patch:\n*** Begin Patch\n*** Add File: touched.txt\n+1\n*** End Patch\ncall read_file {\"path\": \"nowhere.txt\"}\n")
		default:
			b.WriteString("call read_file {\"path\": \"a.txt\"}\n")
		}
	}
	fmt.Fprintf(&b, "-- turn%d.reply --\nmessage: ok\n", n)
	return []byte(b.String())
}

// TestCompaction: a run of 300 turns stays within the window, and its last
// request still knows what was said in the first.
func TestCompaction(t *testing.T) {
	const turns, window = 300, 20_000
	f := parse(t, long(turns))
	f.task.Inbox, f.task.Budget = &agent.Inbox{}, &agent.Budget{Turns: turns}
	var kept tape
	f.task.Transcript = &kept
	f.model = openai.New(openai.Options{BaseURL: f.url, Model: "scripted", Window: window, Backoff: time.Millisecond})
	shorter, steps := 0, 0
	_, err := agent.New(agent.Options{Model: f.model, Guidance: "I like short names."}).Run(t.Context(), f.snap, f.task, func(ev agent.Event) {
		switch ev := ev.(type) {
		case agent.StepDone:
			if steps++; steps == 5 {
				f.task.Inbox.Put("Indent with tabs.")
				f.task.Inbox.Choose(agent.Choice{Drop: []string{"guidance"}})
			}
			if ev.Tool == "compact" {
				shorter++
			}
		default:
		}
	})
	if err != nil {
		t.Fatal(err, f.server.Errs())
	}
	if err := f.server.Done(); err != nil {
		t.Fatal(err)
	}
	if shorter < 10 {
		t.Errorf("made shorter %d times", shorter)
	}
	requests := f.server.Requests()
	for i, req := range requests {
		if len(req.Body) > 4*window {
			t.Errorf("request %d has %d bytes", i+1, len(req.Body))
		}
	}
	last := string(requests[len(requests)-1].Body)
	if first := string(requests[0].Body); !strings.Contains(first, "I like short names.") || strings.Contains(last, "I like short names.") {
		t.Error("what was withdrawn is still what the conversation begins with, or never was")
	}
	for _, want := range []string{
		"never touch vendor/", "Indent with tabs.", "1. ✓ the first step", "2. → the second step", "touched.txt",
		"I keep the old parser, because tests need it.", `read_file {\"path\": \"nowhere.txt\"}: there is no file nowhere.txt`,
	} {
		if !strings.Contains(last, strings.ReplaceAll(want, `\"`, `\\\"`)) && !strings.Contains(last, want) {
			t.Errorf("the last request knows no %q", want)
		}
	}
	records, _, err := agent.ReadTranscript(bytes.NewReader(kept.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if past, err := agent.Replay(records); err != nil || past.Turns != turns {
		t.Errorf("%d turns are kept: %v", past.Turns, err)
	}
}

// TestTooLong: a conversation that the server refuses as too long is made
// shorter, once.
func TestTooLong(t *testing.T) {
	reads := strings.Repeat("call read_file {\"path\": \"a.txt\"}\n", 3)
	f := parse(t, []byte("mode: ask\nprompt: x\ncompacts: true\n-- files/a.txt --\n"+strings.Repeat("a line of a file that is read\n", 1000)+
		"-- turn1.reply --\n"+reads+"-- turn2.reply --\ncall read_file {\"path\": \"a.txt\", \"end_line\": 3}\n"+
		"-- turn3.fault --\nstatus 400\nbody:\n{\"error\": {\"message\": \"too long\", \"code\": \"context_length_exceeded\"}}\n"+
		"-- turn4.reply --\nmessage: ok\n"))
	res, tr, err := f.run(t, agent.Options{})
	if err != nil || res.Answer != "ok" || strings.Count(tr.String(), "start make the conversation shorter") != 1 {
		t.Errorf("%+v, %v, %v\n%s", res, err, f.server.Errs(), tr)
	}
}

// TestResumeCompacted: a run whose conversation was made shorter goes on with
// the same bytes, and remembers as much.
func TestResumeCompacted(t *testing.T) {
	f := parse(t, long(40))
	p := newParrot(t, f.url)
	model := func() *openai.Model {
		return openai.New(openai.Options{BaseURL: p.url, Model: "scripted", Window: 20_000, MaxRetries: -1})
	}
	f.model = model()
	var kept tape
	f.task.Transcript = &kept
	if _, _, err := f.run(t, agent.Options{}); err != nil {
		t.Fatal(err, f.server.Errs())
	}
	sent := p.inputs()
	lines := bytes.SplitAfter(kept.Bytes(), []byte("\n"))
	for _, cut := range []int{5, 20, len(lines) / 2, len(lines) - 10} {
		records, _, err := agent.ReadTranscript(bytes.NewReader(bytes.Join(lines[:cut], nil)))
		if err != nil {
			t.Fatal(err)
		}
		past, err := agent.Replay(records)
		if err != nil {
			t.Fatal(err)
		}
		f.task.Past, f.model = past, model()
		if _, _, err := f.run(t, agent.Options{}); err != nil {
			t.Fatalf("resumed after line %d: %v", cut, err)
		}
		if diff := cmp.Diff(sent[past.Turns:], p.inputs()); diff != "" {
			t.Errorf("resumed after line %d, it sends:\n%s", cut, diff)
		}
	}
}

// TestServerCompacts: where the server makes the conversation shorter, its item
// stands for all before it.
func TestServerCompacts(t *testing.T) {
	f := parse(t, []byte(`mode: ask
prompt: x
compacts: true
-- files/a.txt --
a
-- turn1.reply --
call read_file {"path": "a.txt"}
-- turn2.reply --
item: {"type": "compaction", "id": "cmp_1", "encrypted_content": "<all of it>"}
call read_file {"path": "a.txt"}
-- turn3.reply --
message: ok
`))
	host := strings.TrimSuffix(strings.TrimPrefix(f.url, "http://"), "/v1")
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, host)
	}}}
	f.model = openai.New(openai.Options{BaseURL: "http://api.openai.com/v1", Model: "gpt-5.1", HTTPClient: client})
	if _, _, err := f.run(t, agent.Options{}); err != nil {
		t.Fatal(err, f.server.Errs())
	}
	input := f.server.Requests()[2].Input
	if len(input) != 3 || string(input[0]) != `{"type":"compaction","id":"cmp_1","encrypted_content":"<all of it>"}` {
		t.Errorf("the input is %s", input)
	}
}
