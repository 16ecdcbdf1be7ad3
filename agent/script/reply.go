package script

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// A reply is the output items of a response, and how it ends.
type reply struct {
	blocks []block
	final  string // "completed", "incomplete" or "failed"
}

// A block is one output item as the script writes it.
type block struct {
	kind string // "reasoning", "message", "call", "patch" or "item"
	name string // of the tool; of a call
	text string // what it says; the arguments; the patch; the JSON
}

// parseReply reads blocks. A line that begins one of them ends the block
// before; a leading backslash keeps a line from being taken for one.
func parseReply(data string) (*reply, error) {
	r := &reply{final: "completed"}
	for line := range strings.Lines(data) {
		line = strings.TrimSuffix(line, "\n")
		b, starts, err := r.start(line)
		switch {
		case err != nil:
			return nil, err
		case starts && b != nil:
			r.blocks = append(r.blocks, *b)
		case starts:
		case len(r.blocks) == 0 && strings.TrimSpace(line) == "":
		case len(r.blocks) == 0:
			return nil, fmt.Errorf("line %q belongs to no block", line)
		default:
			last := &r.blocks[len(r.blocks)-1]
			last.text += "\n" + strings.TrimPrefix(line, `\`)
		}
	}
	for i := range r.blocks {
		if err := r.blocks[i].finish(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// start returns the block that line begins; nil for a line that says how the
// response ends.
func (r *reply) start(line string) (b *block, starts bool, err error) {
	keyword, rest, _ := strings.Cut(line, " ")
	switch keyword {
	case "reasoning:", "message:", "item:":
		return &block{kind: strings.TrimSuffix(keyword, ":"), text: rest}, true, nil
	case "patch:":
		return &block{kind: "patch", text: rest}, true, nil
	case "call":
		name, args, _ := strings.Cut(rest, " ")
		if name == "" {
			return nil, true, fmt.Errorf("line %q names no tool", line)
		}
		return &block{kind: "call", name: name, text: args}, true, nil
	case "final:":
		switch rest {
		case "completed", "incomplete", "failed":
			r.final = rest
			return nil, true, nil
		}
		return nil, true, fmt.Errorf("a response is not %q but completed, incomplete or failed", rest)
	}
	return nil, false, nil
}

func (b *block) finish() error {
	b.text = strings.TrimRight(b.text, "\n")
	switch b.kind {
	case "patch":
		b.text = strings.TrimPrefix(b.text, "\n") + "\n"
	case "item":
		var compact bytes.Buffer // an event is one line
		if err := json.Compact(&compact, []byte(b.text)); err != nil {
			return fmt.Errorf("item %s: %w", b.text, err)
		}
		b.text = compact.String()
	}
	return nil
}

// item returns the finished output item, with ids made from id.
func (b *block) item(id string, style callStyle) object {
	switch b.kind {
	case "reasoning":
		item := object{"type": "reasoning", "id": "rs_" + id, "summary": []object{{"type": "summary_text", "text": b.text}}}
		item["encrypted_content"] = "gAAAAB-" + id
		return item
	case "message":
		part := object{"type": "output_text", "text": b.text, "annotations": []any{}, "logprobs": []any{}}
		return object{"type": "message", "id": "msg_" + id, "status": "completed", "role": "assistant", "content": []object{part}}
	case "patch":
		if style == freeform {
			return object{"type": "custom_tool_call", "id": "ctc_" + id, "status": "completed", "call_id": "call_" + id, "name": "apply_patch", "input": b.text}
		}
		args, _ := json.Marshal(object{"patch": b.text})
		return functionCall(id, "apply_patch", string(args))
	default:
		return functionCall(id, b.name, b.text)
	}
}

func functionCall(id, name, arguments string) object {
	return object{"type": "function_call", "id": "fc_" + id, "status": "completed", "call_id": "call_" + id, "name": name, "arguments": arguments}
}

// A callStyle is how the client wants patches, by the tools it declared.
type callStyle int

const (
	function callStyle = iota
	freeform
)

type object = map[string]any
