//go:build peers

package accuracy_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// A peer is a language server, ours too, that a test asks one thing at a time.
type peer struct {
	t    testing.TB
	in   io.WriteCloser
	out  *bufio.Reader
	next int
}

// A place is a position in a file, as LSP counts: from 0, in UTF-16.
type place struct {
	path         string
	line, column int
}

// startPeer starts a program in dir that speaks to its standard streams.
func startPeer(t testing.TB, dir, program string, args ...string) *peer {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Stderr = dir, io.Discard
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir())
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &peer{t: t, in: in, out: bufio.NewReaderSize(out, 1<<20)}
}

// startServer starts a language server on dir.
func startServer(t testing.TB, dir, program string, args ...string) *peer {
	t.Helper()
	p := startPeer(t, dir, program, args...)
	p.must("initialize", map[string]any{
		"processId": os.Getpid(), "rootUri": "file://" + dir,
		"workspaceFolders": []any{map[string]any{"uri": "file://" + dir, "name": "w"}},
		"capabilities": map[string]any{
			"workspace":    map[string]any{"configuration": true, "workspaceEdit": map[string]any{"documentChanges": true}},
			"textDocument": map[string]any{"documentSymbol": map[string]any{"hierarchicalDocumentSymbolSupport": true}},
		},
	}, nil)
	p.send(map[string]any{"method": "initialized", "params": map[string]any{}})
	return p
}

func (p *peer) send(message map[string]any) {
	p.t.Helper()
	message["jsonrpc"] = "2.0"
	raw, err := json.Marshal(message)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(p.in, "Content-Length: %d\r\n\r\n%s", len(raw), raw); err != nil {
		p.t.Fatal(err)
	}
}

// An envelope is any message that comes in.
type envelope struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Params json.RawMessage `json:"params"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

func (p *peer) receive(message any) {
	p.t.Helper()
	header, err := textproto.NewReader(p.out).ReadMIMEHeader()
	if err != nil {
		p.t.Fatal(err)
	}
	size, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		p.t.Fatal(err)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(p.out, body); err != nil {
		p.t.Fatal(err)
	}
	if err := json.Unmarshal(body, message); err != nil {
		p.t.Fatalf("%v: %s", err, body)
	}
}

// call asks and waits; what the server asks meanwhile is answered with nothing.
func (p *peer) call(method string, params, result any) error {
	p.t.Helper()
	p.next++
	id := strconv.Itoa(p.next)
	p.send(map[string]any{"id": p.next, "method": method, "params": params})
	for {
		var m envelope
		p.receive(&m)
		switch {
		case m.Method != "" && m.ID != nil:
			p.send(map[string]any{"id": m.ID, "result": emptyAnswer(m)})
		case m.Method != "" || string(m.ID) != id:
		case m.Error != nil:
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		case result != nil:
			return json.Unmarshal(m.Result, result)
		default:
			return nil
		}
	}
}

func (p *peer) must(method string, params, result any) {
	p.t.Helper()
	if err := p.call(method, params, result); err != nil {
		p.t.Fatal(err)
	}
}

// emptyAnswer says nothing to a request of a server: that no setting is made,
// one for each that it asks for.
func emptyAnswer(m envelope) any {
	var asked struct {
		Items []any `json:"items"`
	}
	if m.Method == "workspace/configuration" && json.Unmarshal(m.Params, &asked) == nil {
		return make([]any, len(asked.Items))
	}
	return nil
}

func (at place) params() map[string]any {
	return map[string]any{
		"textDocument": map[string]any{"uri": "file://" + at.path},
		"position":     map[string]any{"line": at.line, "character": at.column},
	}
}

// references asks a language server for the uses of what is at a place,
// declarations left out.
func (p *peer) references(at place) ([]place, error) {
	params := at.params()
	params["context"] = map[string]any{"includeDeclaration": false}
	var found []location
	if err := p.call("textDocument/references", params, &found); err != nil {
		return nil, err
	}
	out := make([]place, len(found))
	for i, l := range found {
		out[i] = l.place()
	}
	return out, nil
}

// A location is one of LSP.
type location struct {
	URI   string `json:"uri"`
	Range span   `json:"range"`
}

type span struct {
	Start position `json:"start"`
	End   position `json:"end"`
}

type position struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

func (l location) place() place {
	return place{unescape(l.URI), l.Range.Start.Line, l.Range.Start.Character}
}

// A tsserver is TypeScript's own server, which has a protocol of its own.
type tsserver struct{ *peer }

func (p tsserver) request(command string, args any, answer bool) json.RawMessage {
	p.t.Helper()
	p.next++
	raw, err := json.Marshal(map[string]any{"seq": p.next, "type": "request", "command": command, "arguments": args})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(p.in, "%s\n", raw); err != nil {
		p.t.Fatal(err)
	}
	for answer {
		var m struct {
			Type string          `json:"type"`
			Of   int             `json:"request_seq"`
			OK   bool            `json:"success"`
			Body json.RawMessage `json:"body"`
			Says string          `json:"message"`
		}
		p.receive(&m)
		if m.Type == "response" && m.Of == p.next {
			if !m.OK {
				p.t.Logf("%s: %s", command, m.Says)
			}
			return m.Body
		}
	}
	return nil
}

func (p tsserver) references(at place) ([]place, error) {
	args := map[string]any{"file": at.path, "line": at.line + 1, "offset": at.column + 1}
	p.request("open", map[string]any{"file": at.path}, false)
	var body struct {
		Refs []struct {
			File  string `json:"file"`
			Start struct {
				Line   int `json:"line"`
				Offset int `json:"offset"`
			} `json:"start"`
			Definition bool `json:"isDefinition"`
		} `json:"refs"`
	}
	if raw := p.request("references", args, true); len(raw) > 0 {
		if err := json.Unmarshal(raw, &body); err != nil {
			return nil, err
		}
	}
	var out []place
	for _, r := range body.Refs {
		if !r.Definition {
			out = append(out, place{r.File, r.Start.Line - 1, r.Start.Offset - 1})
		}
	}
	return out, nil
}
