package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"

	"github.com/agentls/agentls/agent"
)

// translate returns what ev means to a run: an event, nil for what is of no
// interest or not known, or an error that ends the attempt.
func (m *Model) translate(ev *responses.ResponseStreamEventUnion) (agent.ModelEvent, error) {
	switch ev.Type {
	case "response.output_text.delta", "response.refusal.delta":
		return agent.OutputDelta{Text: ev.Delta}, nil
	case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
		return agent.SummaryDelta{Text: ev.Delta}, nil
	case "response.reasoning_summary_part.added":
		if ev.SummaryIndex > 0 {
			return agent.SummaryDelta{Text: "\n\n"}, nil
		}
		return nil, nil
	case "response.output_item.done":
		return m.itemDone([]byte(ev.Item.RawJSON()))
	case "response.completed":
		return agent.Completed{Usage: usage(&ev.Response)}, nil
	case "response.incomplete":
		if ev.Response.IncompleteDetails.Reason == "max_output_tokens" {
			return agent.Completed{Usage: usage(&ev.Response), CutShort: true}, nil
		}
		return nil, m.incomplete(ev.Response.IncompleteDetails.Reason)
	case "response.failed":
		return nil, m.reported(string(ev.Response.Error.Code), ev.Response.Error.Message)
	case "error":
		return nil, m.reported(ev.Code, ev.Message)
	default:
		return nil, nil
	}
}

func usage(res *responses.Response) agent.Usage {
	return agent.Usage{
		InputTokens:  int(res.Usage.InputTokens),
		CachedTokens: int(res.Usage.InputTokensDetails.CachedTokens),
		OutputTokens: int(res.Usage.OutputTokens),
	}
}

// outputItem is the part of an output item that a run looks at.
type outputItem struct {
	Type      string          `json:"type"`
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"` // a string; from some servers the object itself
	Input     string          `json:"input"`
	Content   []struct {
		Text    string `json:"text"`
		Refusal string `json:"refusal"`
	} `json:"content"`
}

// itemDone keeps the item as it came, but for white space between its tokens,
// which the library drops when the item is sent back, and for bytes that are no
// UTF-8: a request with those is no JSON.
func (m *Model) itemDone(raw []byte) (agent.ModelEvent, error) {
	raw = bytes.ToValidUTF8(raw, []byte("\uFFFD"))
	var kept bytes.Buffer
	if err := json.Compact(&kept, raw); err != nil {
		return nil, m.malformed(err)
	}
	var item outputItem
	if err := json.Unmarshal(raw, &item); err != nil {
		return nil, m.malformed(err)
	}
	done := agent.ItemDone{Item: agent.ModelItem{Raw: kept.Bytes()}}
	switch item.Type {
	case "message":
		done.Text = item.text()
	case "compaction":
		done.Compacts = true
	case "function_call", "custom_tool_call":
		if item.CallID == "" {
			return nil, m.malformed(errors.New("a tool call without call_id"))
		}
		done.Call = item.call()
	}
	return done, nil
}

func (it *outputItem) text() string {
	var b strings.Builder
	for _, part := range it.Content {
		b.WriteString(part.Text)
		b.WriteString(part.Refusal)
	}
	return b.String()
}

func (it *outputItem) call() *agent.ToolCall {
	call := &agent.ToolCall{ID: it.CallID, Name: it.Name}
	if it.Type == "custom_tool_call" {
		call.Input, call.Freeform = it.Input, true
		return call
	}
	if json.Unmarshal(it.Arguments, &call.Input) != nil {
		call.Input = string(it.Arguments)
	}
	return call
}

// endOfStream says why a stream ended without a terminal event.
func (m *Model) endOfStream(err error, out *output) error {
	var inband *ssestream.StreamError
	switch {
	case err == nil:
		return m.broken(errors.New("the stream ended before the response did"))
	case errors.As(err, &inband):
		return m.errorKey(inband.Event.Data, out)
	default:
		return m.transportFault(err)
	}
}

// errorKey handles an event with a top-level "error", at which the library
// stops reading even where it is null.
func (m *Model) errorKey(data []byte, out *output) error {
	if reason, code := errorText(data); reason != "" {
		return m.reported(code, reason)
	}
	var ev responses.ResponseStreamEventUnion
	if err := json.Unmarshal(data, &ev); err != nil {
		return m.malformed(err)
	}
	translated, err := m.translate(&ev)
	if err != nil {
		return err
	}
	if done, ok := translated.(agent.Completed); ok {
		out.send(done)
		return nil
	}
	return m.malformed(fmt.Errorf("an empty error in %s", ev.Type))
}
