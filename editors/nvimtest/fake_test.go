package nvimtest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// fakeMode, when set, makes the test binary a language server instead.
const fakeMode = "NVIMTEST_FAKE"

const (
	wellBehaved = "well-behaved"
	stubborn    = "stubborn"    // ends for nothing but SIGKILL, and writes its process id to server.pid
	refusing    = "refusing"    // answers initialize with an error
	shortLived  = "short-lived" // ends instead of answering initialize
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(fakeMode); mode != "" {
		runFake(mode)
	}
	os.Exit(m.Run())
}

// message is one JSON-RPC message of any kind.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"` // null is a result too
	Error   json.RawMessage `json:"error,omitempty"`
}

// fake is a language server that shows what the editor told it.
type fake struct {
	mode      string
	in        *textproto.Reader
	raw       *bufio.Reader
	texts     map[string]string // by uri
	saved     []string          // uris
	init      json.RawMessage   // params of initialize
	cancelled int
	pending   map[string]json.RawMessage // request of ours -> command that waits for its answer
}

func runFake(mode string) {
	if mode == stubborn {
		signal.Ignore()
		pid := strconv.Itoa(os.Getpid())
		if err := os.WriteFile("server.pid", []byte(pid), 0o600); err != nil {
			panic(err)
		}
	}
	raw := bufio.NewReader(os.Stdin)
	f := &fake{
		mode:    mode,
		raw:     raw,
		in:      textproto.NewReader(raw),
		texts:   make(map[string]string),
		pending: make(map[string]json.RawMessage),
	}
	for {
		f.handle(f.read())
	}
}

func (f *fake) read() message {
	header, err := f.in.ReadMIMEHeader()
	if err != nil {
		f.exit()
	}
	size, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		panic(err)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(f.raw, body); err != nil {
		f.exit()
	}
	var m message
	must(json.Unmarshal(body, &m))
	return m
}

func (f *fake) exit() {
	if f.mode == stubborn {
		select {}
	}
	os.Exit(0)
}

func (f *fake) send(m message) {
	m.Version = "2.0"
	body, err := json.Marshal(m)
	must(err)
	fmt.Printf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

func (f *fake) answer(m message, result any) {
	f.send(message{ID: m.ID, Result: encode(result)})
}

func (f *fake) refuse(m message, reason string) {
	f.send(message{ID: m.ID, Error: encode(map[string]any{"code": -32803, "message": reason, "data": []int{7}})})
}

func (f *fake) notify(method string, params any) {
	f.send(message{Method: method, Params: encode(params)})
}

// ask sends a request; its answer becomes the answer to the command.
func (f *fake) ask(command json.RawMessage, method string, params any) {
	id := fmt.Sprintf("%q", "ask"+string(command))
	f.pending[id] = command
	f.send(message{ID: json.RawMessage(id), Method: method, Params: encode(params)})
}

func (f *fake) handle(m message) {
	switch m.Method {
	case "":
		f.send(message{ID: f.pending[string(m.ID)], Result: m.Result})
	case "initialize":
		f.initialize(m)
	case "shutdown":
		if f.mode != stubborn {
			f.answer(m, nil)
		}
	case "exit":
		f.exit()
	case "textDocument/didOpen", "textDocument/didChange", "textDocument/didSave":
		f.track(m)
	case "$/cancelRequest":
		f.cancelled++
	case "textDocument/codeAction":
		f.codeActions(m)
	case "workspace/executeCommand":
		f.execute(m)
	}
}

func (f *fake) initialize(m message) {
	f.init = m.Params
	switch f.mode {
	case shortLived:
		os.Exit(3)
	case refusing:
		f.refuse(m, "not today")
		return
	}
	f.answer(m, map[string]any{"capabilities": map[string]any{
		"textDocumentSync":       map[string]any{"openClose": true, "change": 1, "save": true},
		"codeActionProvider":     true,
		"executeCommandProvider": map[string]any{"commands": fakeCommands},
	}})
}

// track follows the documents, and complains of each "bad".
func (f *fake) track(m message) {
	var params struct {
		TextDocument   struct{ URI, Text string }
		ContentChanges []struct{ Text string }
	}
	must(json.Unmarshal(m.Params, &params))
	uri := params.TextDocument.URI
	switch m.Method {
	case "textDocument/didOpen":
		f.texts[uri] = params.TextDocument.Text
	case "textDocument/didChange":
		f.texts[uri] = params.ContentChanges[len(params.ContentChanges)-1].Text
	case "textDocument/didSave":
		f.saved = append(f.saved, uri)
	}
	diagnostics := []any{}
	for i, line := range strings.Split(f.texts[uri], "\n") {
		if at := strings.Index(line, "bad"); at >= 0 {
			start := len([]rune(line[:at])) // the fixtures hold no surrogate pairs
			diagnostics = append(diagnostics, map[string]any{
				"range":    between(i, start, i, start+len("bad")),
				"severity": 2, "source": "fake", "code": "bad-word", "message": "bad is bad",
			})
		}
	}
	f.notify("textDocument/publishDiagnostics", map[string]any{"uri": uri, "diagnostics": diagnostics})
}

func (f *fake) codeActions(m message) {
	var params struct {
		TextDocument struct{ URI string }
		Range        json.RawMessage
		Context      struct{ Diagnostics []struct{ Code string } }
	}
	must(json.Unmarshal(m.Params, &params))
	actions := []any{}
	for _, d := range params.Context.Diagnostics {
		actions = append(actions, map[string]any{
			"title": "Fix " + d.Code, "kind": "quickfix", "data": params.Range,
			"command": map[string]any{"title": "Fix", "command": "fake.apply", "arguments": []any{
				map[string]any{"uri": params.TextDocument.URI, "text": "fixed\n"},
			}},
		})
	}
	f.answer(m, actions)
}

// fakeCommands are declared: later Neovims refuse any other in a code action.
var fakeCommands = []string{"fake.state", "fake.emit", "fake.apply", "fake.question", "fake.fail", "fake.hang"}

// execute runs the commands; fake.hang is never answered.
func (f *fake) execute(m message) {
	type argument struct {
		URI, Text string
		Event     json.RawMessage
	}
	var params struct {
		Command   string
		Arguments []argument
	}
	must(json.Unmarshal(m.Params, &params))
	arg := append(params.Arguments, argument{})[0]
	switch params.Command {
	case "fake.state":
		f.answer(m, f.state())
	case "fake.emit":
		f.notify("agentls/event", arg.Event)
		f.notify("window/showMessage", map[string]any{"type": 3, "message": "hello"})
		f.ask(m.ID, "window/workDoneProgress/create", map[string]any{"token": "t"})
		f.notify("$/progress", map[string]any{"token": "t", "value": map[string]any{"kind": "begin", "title": "Working", "percentage": 0}})
		f.notify("$/progress", map[string]any{"token": "t", "value": map[string]any{"kind": "end"}})
	case "fake.apply":
		f.ask(m.ID, "workspace/applyEdit", map[string]any{"edit": map[string]any{"changes": map[string]any{
			arg.URI: []any{map[string]any{"range": between(0, 0, 1000, 0), "newText": arg.Text}},
		}}})
	case "fake.question":
		f.ask(m.ID, "window/showMessageRequest", map[string]any{
			"type": 1, "message": "sure?", "actions": []any{map[string]any{"title": "Yes"}, map[string]any{"title": "No"}},
		})
	case "fake.fail":
		f.refuse(m, "no")
	}
}

// state is what the tests look at.
type state struct {
	Texts       map[string]string // by base name
	Saved       []string          // base names
	WantsEvents bool
	InitOptions map[string]any
	Cancelled   int // requests
	Environment []string
}

func (f *fake) state() state {
	var init struct {
		InitializationOptions map[string]any
		Capabilities          struct {
			Experimental struct{ Agentls struct{ Events bool } }
		}
	}
	must(json.Unmarshal(f.init, &init))
	s := state{
		Texts:       make(map[string]string),
		WantsEvents: init.Capabilities.Experimental.Agentls.Events,
		InitOptions: init.InitializationOptions,
		Cancelled:   f.cancelled,
	}
	for uri, text := range f.texts {
		s.Texts[filepath.Base(uri)] = text
	}
	for _, uri := range f.saved {
		s.Saved = append(s.Saved, filepath.Base(uri))
	}
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); name == "HOME" || strings.HasPrefix(name, "XDG_") || name == "TMPDIR" {
			s.Environment = append(s.Environment, pair)
		}
	}
	slices.Sort(s.Environment)
	return s
}

func between(line, char, endLine, endChar int) map[string]any {
	return map[string]any{
		"start": map[string]any{"line": line, "character": char},
		"end":   map[string]any{"line": endLine, "character": endChar},
	}
}

func encode(v any) json.RawMessage {
	encoded, err := json.Marshal(v)
	must(err)
	return encoded
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
