package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/openai"
)

// TestFixedOverhead: what every request carries, whatever the task, in bytes.
// All of it is paid for in each request of a run, and read by the model before
// the first word of the task: 12 KB are a third of what Codex CLI 0.169.0 has.
func TestFixedOverhead(t *testing.T) {
	const most = 12_000
	for _, base := range []string{"http://localhost/v1", "http://api.openai.com/v1"} {
		f := parse(t, []byte("mode: edit\nprompt: x\n-- files/a.txt --\na\n-- turn1.reply --\nmessage: Nothing to do.\n"))
		f.model = openai.New(openai.Options{BaseURL: base, APIKey: "sk-0123456789", Model: "gpt-5.1", HTTPClient: dialing(f.url)})
		if _, _, err := f.run(t, (&fakeSandbox{confined: true}).options()); err != nil {
			t.Fatal(err)
		}
		n := len(f.server.Requests()[0].Body)
		t.Logf("%s: %d bytes", base, n)
		if n > most {
			t.Errorf("the first request to %s has %d bytes, more than %d", base, n, most)
		}
	}
}

// dialing is a client that reaches the scripted model at url by any name.
func dialing(url string) *http.Client {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, host)
	}}}
}

// TestRepeatedCall: of calls with one id, the first counts, in a response and
// in the whole run.
func TestRepeatedCall(t *testing.T) {
	call := func(id string) agent.ItemDone {
		return agent.ItemDone{Item: agent.ModelItem{Raw: json.RawMessage(`"` + id + `"`)}, Call: &agent.ToolCall{ID: id, Name: "list_dir", Input: `{"path": "."}`}}
	}
	model := &turnsModel{turns: [][]agent.ItemDone{{call("1"), call("1"), call("2")}, {call("1"), call("3")}, {{Item: agent.ModelItem{Raw: json.RawMessage(`"end"`)}, Text: "end"}}}}
	dir := workspace(t, map[string]string{"a": "a\n"})
	if _, err := agent.New(agent.Options{Model: model}).Run(t.Context(), scan(t, dir), agent.Task{Mode: agent.Ask, Prompt: "x"}, func(agent.Event) {}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range model.last.Items {
		switch it := item.(type) {
		case agent.ModelItem:
			got = append(got, string(it.Raw))
		case agent.ToolOutput:
			got = append(got, it.CallID+" answered")
		case agent.UserMessage:
		}
	}
	if diff := cmp.Diff([]string{`"1"`, `"2"`, "1 answered", "2 answered", `"3"`, "3 answered"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestCutShort: a response that its server cuts off counts as used, is not acted
// on, and its model is told to do less; after too many the run ends.
func TestCutShort(t *testing.T) {
	long := "message: I begin.\npatch:\n*** Begin Patch\n*** Add File: b.txt\n+b\n*** End Patch\nfinal: incomplete\n"
	f := parse(t, []byte("mode: edit\nprompt: x\n-- files/a.txt --\na\n-- turn1.reply --\n"+long+
		"-- turn2.expect --\nYour last response was cut off\n!I begin.\n-- turn2.reply --\nmessage: Done.\n"))
	var kept tape
	f.task.Transcript = &kept
	res, tr, err := f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err, f.server.Errs())
	}
	if res.Change != nil || res.Answer != "Done." || res.Usage.Requests != 2 || res.Usage.OutputTokens < 10 {
		t.Errorf("%+v", res)
	}
	if shown := tr.shown.String(); shown != "Done." {
		t.Errorf("it shows %q", shown)
	}
	if past := replayed(t, kept.Bytes()); past.State != agent.Done || past.Turns != 2 {
		t.Errorf("%+v", past)
	}
	var all strings.Builder
	for i := range 6 {
		fmt.Fprintf(&all, "-- turn%d.reply --\n%s", i+1, long)
	}
	f = parse(t, []byte("mode: edit\nprompt: x\n-- files/a.txt --\na\n"+all.String()))
	if _, _, err := f.run(t, agent.Options{}); !errors.Is(err, agent.ErrStuck) {
		t.Errorf("%v", err)
	}
}

// An endlessModel says one thing again and again, until nobody listens.
type endlessModel struct{ event agent.ModelEvent }

func (endlessModel) Name() string { return "endless" }

func (m endlessModel) Respond(ctx context.Context, _ *agent.Request) iter.Seq2[agent.ModelEvent, error] {
	return func(yield func(agent.ModelEvent, error) bool) {
		for ctx.Err() == nil && yield(m.event, nil) {
		}
	}
}

// TestEndless: a response without an end is one that is cut off; at the end of its
// time a run pauses in the middle of it.
func TestEndless(t *testing.T) {
	snap := scan(t, workspace(t, map[string]string{"a": "a\n"}))
	item := agent.ModelItem{Raw: json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`)}
	for name, event := range map[string]agent.ModelEvent{
		"deltas":    agent.OutputDelta{Text: strings.Repeat("x", 1<<20)},
		"summaries": agent.SummaryDelta{Text: strings.Repeat("x", 1<<20)},
		"items":     agent.ItemDone{Item: item},
	} {
		a := agent.New(agent.Options{Model: endlessModel{event}})
		if _, err := a.Run(t.Context(), snap, agent.Task{Mode: agent.Edit, Prompt: "x"}, func(agent.Event) {}); !errors.Is(err, agent.ErrStuck) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a := agent.New(agent.Options{Model: endlessModel{agent.OutputDelta{Text: "x"}}, Now: func() time.Time { return time.Unix(1e9, 0) }})
	var tr transcript
	res, err := a.Run(t.Context(), snap, agent.Task{Mode: agent.Edit, Prompt: "x", Budget: &agent.Budget{Time: time.Millisecond}}, tr.sink)
	if err != nil || res.Paused != "the budget of 1ms is used up" || tr.shown.String() != "" {
		t.Errorf("%+v, %v, and it shows %.20q", res, err, tr.shown.String())
	}
}

// TestRepeatedItem: an item that comes twice in a response is one.
func TestRepeatedItem(t *testing.T) {
	item := `item: {"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"Hello."}]}` + "\n"
	f := parse(t, []byte("mode: ask\nprompt: x\n-- files/a.txt --\na\n-- turn1.reply --\n"+item+item))
	res, tr, err := f.run(t, agent.Options{})
	if err != nil || res.Answer != "Hello." || tr.shown.String() != "Hello." {
		t.Errorf("%+v %q %v", res, tr.shown.String(), err)
	}
}

// TestFreeform: free text is a patch, and for any other tool an error that says
// what it takes.
func TestFreeform(t *testing.T) {
	call := agent.ItemDone{Call: &agent.ToolCall{ID: "1", Name: "shell", Input: "ls", Freeform: true}, Item: agent.ModelItem{Raw: json.RawMessage(`{}`)}}
	model := &turnsModel{turns: [][]agent.ItemDone{{call}, {{Text: "end"}}}}
	opts := (&fakeSandbox{confined: true}).options()
	opts.Model = model
	if _, err := agent.New(opts).Run(t.Context(), scan(t, workspace(t, map[string]string{"a": "a\n"})), agent.Task{Mode: agent.Edit, Prompt: "x"}, func(agent.Event) {}); err != nil {
		t.Fatal(err)
	}
	want := agent.ToolOutput{CallID: "1", Freeform: true, Text: "error: shell takes its arguments as a JSON object, and not as free text"}
	if diff := cmp.Diff(want, model.last.Items[len(model.last.Items)-1]); diff != "" {
		t.Error(diff)
	}
}

// A turnsModel answers with a list of items after the other.
type turnsModel struct {
	turns [][]agent.ItemDone
	next  func(*agent.Request) // is told of each request, if it is there
	last  *agent.Request
}

func (*turnsModel) Name() string { return "turns" }

func (m *turnsModel) Respond(_ context.Context, req *agent.Request) iter.Seq2[agent.ModelEvent, error] {
	if m.next != nil {
		m.next(req)
	}
	items := m.turns[0]
	m.turns, m.last = m.turns[1:], req
	return func(yield func(agent.ModelEvent, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
		yield(agent.Completed{}, nil)
	}
}
