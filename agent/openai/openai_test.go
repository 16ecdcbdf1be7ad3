package openai_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/openai"
	"github.com/agentls/agentls/agent/script"
)

const key = "sk-test-1234567890"

// options are those of a test: no waiting worth the name.
func options(baseURL string) openai.Options {
	return openai.Options{BaseURL: baseURL, APIKey: key, Model: "test-model", Backoff: time.Millisecond, MaxRetries: 2}
}

func serve(t *testing.T, archive string) (*script.Server, string) {
	t.Helper()
	s, err := script.Parse(t.Name(), []byte(archive))
	if err != nil {
		t.Fatal(err)
	}
	server := script.New(s)
	baseURL, err := server.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return server, baseURL
}

var question = &agent.Request{
	Session:      "run-1",
	Instructions: "Be brief.",
	Tools: []agent.ToolSpec{
		{Name: "read_file", Description: "reads", Parameters: json.RawMessage(`{"type":"object","properties":{"path":{"type":"string"}}}`)},
		{
			Name: "apply_patch", Description: "patches", Grammar: "start: /.+/",
			Parameters: json.RawMessage(`{"type":"object","properties":{"patch":{"type":"string"}}}`),
		},
	},
	Items: []agent.Item{agent.UserMessage{Text: "hello <world>"}},
}

// respond renders the events of one response, deltas joined, and its error.
func respond(ctx context.Context, opts openai.Options, req *agent.Request) ([]string, error) {
	var out []string
	for ev, err := range openai.New(opts).Respond(ctx, req) {
		if err != nil {
			return out, err
		}
		out = append(out, render(ev))
	}
	return joinDeltas(out), nil
}

func render(ev agent.ModelEvent) string {
	switch ev := ev.(type) {
	case agent.OutputDelta:
		return "text " + ev.Text
	case agent.SummaryDelta:
		return "summary " + ev.Text
	case agent.ItemDone:
		if ev.Call != nil {
			return fmt.Sprintf("call %s %s %s freeform=%t", ev.Call.ID, ev.Call.Name, ev.Call.Input, ev.Call.Freeform)
		}
		return strings.TrimSpace("item " + ev.Text)
	case agent.Retrying:
		return "retrying " + ev.Reason
	case agent.Completed:
		return fmt.Sprintf("completed after %d", ev.Usage.Requests)
	}
	return fmt.Sprintf("%T", ev)
}

func joinDeltas(in []string) []string {
	var out []string
	for _, line := range in {
		kind, text, _ := strings.Cut(line, " ")
		if n := len(out); n > 0 && (kind == "text" || kind == "summary") && strings.HasPrefix(out[n-1], kind+" ") {
			out[n-1] += text
			continue
		}
		out = append(out, line)
	}
	return out
}

const plainReply = `
-- turn1.reply --
message: Hello, world.
`

// answered is what every fault that passes ends with.
var answered = []string{"text Hello, world.", "item Hello, world.", "completed after 2"}

func TestRespond(t *testing.T) {
	server, url := serve(t, `
-- turn1.expect --
Be brief.
hello <world>
{"model": "test-model", "store": false, "tools": [{"type": "function", "name": "read_file"}, {"type": "function", "name": "apply_patch"}]}
{"input": [{"type": "message", "role": "user", "content": "hello <world>"}]}
!{"include": ["reasoning.encrypted_content"]}
-- turn1.reply --
reasoning: First I read <it>.
message: Reading.
call read_file {"path": "a.go"}
patch:
*** Begin Patch
*** Delete File: a.go
*** End Patch
`)
	got, err := respond(t.Context(), options(url), question)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"summary First I read <it>.", "item",
		"text Reading.", "item Reading.",
		`call call_1_1_3 read_file {"path": "a.go"} freeform=false`,
		`call call_1_1_4 apply_patch {"patch":"*** Begin Patch\n*** Delete File: a.go\n*** End Patch\n"} freeform=false`,
		"completed after 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := server.Done(); err != nil {
		t.Error(err)
	}
	for _, field := range []string{"prompt_cache_key", "include", "stream_options", "reasoning", "parallel_tool_calls"} {
		if bytes.Contains(server.Requests()[0].Body, []byte(strconv.Quote(field))) {
			t.Errorf("%s was sent to a server that may not know it", field)
		}
	}
}

// TestOpenAI: what api.openai.com gets, over a connection that ends elsewhere.
func TestOpenAI(t *testing.T) {
	tests := []struct {
		model string
		want  string
		call  string
	}{
		{"gpt-5.1", `{"context_management": [{"type": "compaction", "compact_threshold": 217600}], "include": ["reasoning.encrypted_content"], "reasoning": {"summary": "auto"}, "tools": [{"type": "function"}, {"type": "custom", "format": {"type": "grammar", "syntax": "lark"}}]}`, "freeform=true"},
		{"o3", `{"context_management": null, "include": ["reasoning.encrypted_content"], "tools": [{"type": "function"}, {"type": "function", "name": "apply_patch"}]}`, "freeform=false"},
		{"gpt-4.1", `{"include": null, "tools": [{"type": "function"}, {"type": "function", "name": "apply_patch"}]}`, "freeform=false"},
	}
	for _, test := range tests {
		t.Run(test.model, func(t *testing.T) {
			server, url := serve(t, `
-- turn1.expect --
{"store": false, "prompt_cache_key": "run-1", "stream_options": {"include_obfuscation": false}, "parallel_tool_calls": true}
`+test.want+`
-- turn1.reply --
patch:
*** Begin Patch
*** End Patch
`)
			opts := options("http://api.openai.com/v1")
			opts.Model, opts.HTTPClient = test.model, dialing(url)
			got, err := respond(t.Context(), opts, question)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(got[0], test.call) {
				t.Errorf("got %q, want it to end in %q", got[0], test.call)
			}
			if err := server.Done(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestImages: a server that takes them gets them behind the text; to another
// one none is offered.
func TestImages(t *testing.T) {
	server, url := serve(t, `
-- turn1.expect --
output c1:
a.png, image/png
{"input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Look."}, {"type": "input_image", "detail": "auto", "image_url": "data:image/gif;base64,Z2lm"}]}, {"type": "function_call", "call_id": "c1"}, {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "a.png, image/png"}, {"type": "input_image", "image_url": "data:image/png;base64,cG5n"}]}]}
-- turn1.reply --
message: I see.
`)
	opts := options("http://api.openai.com/v1")
	opts.Model, opts.HTTPClient = "gpt-5.1", dialing(url)
	req := &agent.Request{Items: []agent.Item{
		agent.UserMessage{Text: "Look.", Images: []agent.Image{{Type: "image/gif", Data: []byte("gif")}}},
		agent.ModelItem{Raw: json.RawMessage(`{"type":"function_call","call_id":"c1","name":"view_image","arguments":"{}"}`)},
		agent.ToolOutput{CallID: "c1", Text: "a.png, image/png", Images: []agent.Image{{Type: "image/png", Data: []byte("png")}}},
	}}
	if _, err := respond(t.Context(), opts, req); err != nil {
		t.Error(err, server.Errs())
	}
	for name, sees := range map[string]bool{"gpt-5.1": true, "gpt-4o": true, "gpt-4": false, "o3": true, "o3-mini": false} {
		opts.Model = name
		if openai.New(opts).SeesImages() != sees {
			t.Errorf("%s sees images: %t", name, !sees)
		}
	}
	if openai.New(options(url)).SeesImages() {
		t.Error("a server of which nothing is known sees images")
	}
}

// dialing returns a client whose every connection goes to the host of url.
func dialing(url string) *http.Client {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, host)
		},
	}}
}

// TestItemsComeBackUnchanged: white space between tokens is all that may go.
func TestItemsComeBackUnchanged(t *testing.T) {
	const item = `{"type": "reasoning", "b": "<é\u003c\u2028 \/>", "a": [1.0, 1e3, null], "z": {"y": 1, "x": 2}}`
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies = append(bodies, string(body))
		w.Header().Set("Content-Type", "text/event-stream")
		_, err = fmt.Fprintf(w, "data: {\"type\": \"response.output_item.done\", \"item\": %s}\n\n"+
			"data: {\"type\": \"response.completed\", \"response\": {}}\n\n", item)
		if err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	model := openai.New(options(server.URL + "/v1"))
	req := *question
	for range 2 {
		for ev, err := range model.Respond(t.Context(), &req) {
			if err != nil {
				t.Fatal(err)
			}
			if done, ok := ev.(agent.ItemDone); ok {
				req.Items = append(req.Items[:len(req.Items):len(req.Items)], done.Item)
			}
		}
	}
	const want = `{"type":"reasoning","b":"<é\u003c\u2028 \/>","a":[1.0,1e3,null],"z":{"y":1,"x":2}}`
	if !strings.Contains(bodies[1], want) {
		t.Errorf("body\n%s\nlacks\n%s", bodies[1], want)
	}
	var first, second struct{ Input json.RawMessage }
	if json.Unmarshal([]byte(bodies[0]), &first) != nil || json.Unmarshal([]byte(bodies[1]), &second) != nil {
		t.Fatal("no JSON")
	}
	if !bytes.HasPrefix(second.Input, bytes.TrimSuffix(first.Input, []byte("]"))) {
		t.Errorf("%s is no prefix of %s", first.Input, second.Input)
	}
}

// TestArgumentsAsObject: some servers do not quote them.
// TestItemsAreUTF8: what a server sends and is none, is none of a request.
func TestItemsAreUTF8(t *testing.T) {
	_, url := serve(t, "-- turn1.reply --\n-- turn1.fault --\nraw 2:\ndata: {\"type\":\"response.output_item.done\",\"item\":{\"type\":\"reasoning\",\"summary\":\"\xff\"}}\n\ndata: {\"type\":\"response.completed\",\"response\":{}}\n\n")
	for ev, err := range openai.New(options(url)).Respond(t.Context(), question) {
		if err != nil {
			t.Fatal(err)
		}
		if done, ok := ev.(agent.ItemDone); ok && string(done.Item.Raw) != `{"type":"reasoning","summary":"`+"\uFFFD"+`"}` {
			t.Errorf("got %q", done.Item.Raw)
		}
	}
}

func TestArgumentsAsObject(t *testing.T) {
	_, url := serve(t, `
-- turn1.reply --
item: {"type": "function_call", "call_id": "c1", "name": "read_file", "arguments": {"path": "a.go"}}
`)
	got, err := respond(t.Context(), options(url), question)
	if err != nil {
		t.Fatal(err)
	}
	if want := `call c1 read_file {"path":"a.go"} freeform=false`; got[0] != want {
		t.Errorf("got %q, want %q", got[0], want)
	}
}

// TestImports: the library's root package doubles the binary.
func TestImports(t *testing.T) {
	allowed := map[string]bool{}
	for _, pkg := range []string{"responses", "option", "packages/param", "packages/ssestream", "shared"} {
		allowed["github.com/openai/openai-go/v3/"+pkg] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if strings.Contains(path, "openai-go") && !allowed[path] {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}
