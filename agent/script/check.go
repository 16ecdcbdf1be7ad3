package script

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// An item is what the checks look at in an input item.
type item struct {
	Type    string          `json:"type"`
	Role    string          `json:"role"`
	CallID  string          `json:"call_id"`
	Output  outputText      `json:"output"`
	Content json.RawMessage `json:"content"`
	Summary json.RawMessage `json:"summary"`
}

// An outputText is what a tool said, without the images that it showed.
type outputText string

func (o *outputText) UnmarshalJSON(raw []byte) error {
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return json.Unmarshal(raw, (*string)(o))
	}
	for _, part := range parts {
		*o += outputText(part.Text)
	}
	return nil
}

func parseItems(input []json.RawMessage) ([]item, error) {
	items := make([]item, len(input))
	for i, raw := range input {
		if err := json.Unmarshal(raw, &items[i]); err != nil {
			return nil, fmt.Errorf("input item %d: %w", i, err)
		}
		if items[i].Type == "" {
			return nil, fmt.Errorf("input item %d has no type", i)
		}
	}
	return items, nil
}

// fromModel reports whether a model wrote the item.
func (it item) fromModel() bool {
	switch it.Type {
	case "message":
		return it.Role == "assistant"
	case "function_call_output", "custom_tool_call_output":
		return false
	default:
		return true
	}
}

// check runs with mu held.
func (s *Server) check(script *Script, t *turn, req *Request, items []item) error {
	if err := checkSecrets(script, req); err != nil {
		return err
	}
	if err := checkCalls(items); err != nil {
		return err
	}
	var known int
	if s.at.last != nil {
		known = len(s.at.last.Input)
	}
	if err := checkGrowth(&s.at, req); err != nil {
		if !script.compacts || len(req.Input) >= known {
			return err
		}
		known = 0 // it begins anew
	}
	if s.at.attempt > 0 && !bytes.Equal(req.input, s.at.asked) {
		return errors.New("input is not that of the attempt before")
	}
	news := render(items[known:])
	if known == 0 {
		news = req.Instructions + "\n" + news
	}
	return t.expects(req, news)
}

// expects returns an error unless req, in which news are new, is as t expects it.
func (t *turn) expects(req *Request, news string) error {
	var body any
	if err := json.Unmarshal(req.Body, &body); err != nil {
		return err
	}
	var errs []error
	for _, e := range t.expect {
		errs = append(errs, e.check(body, news))
	}
	return errors.Join(errs...)
}

// checkSecrets never repeats what it found.
func checkSecrets(script *Script, req *Request) error {
	if req.key != "" && bytes.Contains(req.Body, []byte(req.key)) {
		return errors.New("the request's body contains the API key")
	}
	for i, canary := range script.canary {
		if bytes.Contains(req.Body, []byte(canary)) {
			return fmt.Errorf("the request's body contains canary %d", i+1)
		}
	}
	return nil
}

// checkCalls returns an error unless each call has one output, after it, and
// ids are unique.
func checkCalls(items []item) error {
	answeredBy := map[string]string{} // call id: type of the output it waits for; "" when it came
	for i, it := range items {
		want, called := answeredBy[it.CallID]
		switch it.Type {
		case "function_call", "custom_tool_call":
			if called || it.CallID == "" {
				return fmt.Errorf("input item %d: call id %q is not unique", i, it.CallID)
			}
			answeredBy[it.CallID] = it.Type + "_output"
		case "function_call_output", "custom_tool_call_output":
			if it.Type != want {
				return fmt.Errorf("input item %d: %s for call %q, which waits for %q", i, it.Type, it.CallID, want)
			}
			answeredBy[it.CallID] = ""
		}
	}
	for id, want := range answeredBy {
		if want != "" {
			return fmt.Errorf("call %q has no output", id)
		}
	}
	return nil
}

// checkGrowth returns an error unless req begins with the bytes of the request
// before, and goes on with the items that answered it.
func checkGrowth(at *position, req *Request) error {
	if at.last == nil {
		return nil
	}
	if req.Instructions != at.last.Instructions || !bytes.Equal(req.tools, at.last.tools) {
		return errors.New("instructions or tools changed within a conversation")
	}
	before := bytes.TrimSuffix(at.last.input, []byte("]"))
	if !bytes.HasPrefix(req.input, before) || len(req.Input) < len(at.last.Input) {
		return fmt.Errorf("input does not begin with the bytes of the request before:\n%s\nbut it was\n%s", req.input, at.last.input)
	}
	added := req.Input[len(at.last.Input):]
	for i, sent := range at.sent {
		if i >= len(added) || !bytes.Equal(added[i], sent) {
			return fmt.Errorf("item %d of the last response did not come back byte for byte: %s", i, sent)
		}
	}
	return nil
}

// render returns what the user and the tools say in items, as text.
func render(items []item) string {
	var b strings.Builder
	for _, it := range items {
		switch {
		case it.Output != "":
			fmt.Fprintf(&b, "output %s:\n%s\n", it.CallID, it.Output)
		case it.Type == "message" && it.Role == "user":
			var text string
			if json.Unmarshal(it.Content, &text) != nil {
				text = string(it.Content)
			}
			fmt.Fprintf(&b, "user:\n%s\n", text)
		}
	}
	return b.String()
}
