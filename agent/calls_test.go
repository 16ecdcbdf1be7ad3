package agent_test

import (
	"context"
	"encoding/json"
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
)

// TestFixedOverhead: what every request carries, whatever the task, in bytes.
// All of it is paid for in each request of a run, and read by the model before
// the first word of the task: 12 KB are a third of what Codex CLI 0.169.0 has.
func TestFixedOverhead(t *testing.T) {
	const most = 12 << 10
	f := parse(t, []byte("mode: edit\nprompt: x\n-- files/a.txt --\na\n-- turn1.reply --\nmessage: Nothing to do.\n"))
	if _, _, err := f.run(t, (&fakeSandbox{confined: true}).options()); err != nil {
		t.Fatal(err)
	}
	if n := len(f.server.Requests()[0].Body); n > most {
		t.Errorf("the first request has %d bytes, more than %d", n, most)
	} else {
		t.Logf("%d bytes", n)
	}
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
