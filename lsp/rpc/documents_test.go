package rpc_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/lsp/rpc"
)

const (
	versioned = `"textDocument":{"uri":"file:///a","version":2}`
	someRange = `{"start":{"line":1,"character":2},"end":{"line":3,"character":4}}`
)

// protocol decodes a null range as an insertion at 0:0, and half a range as
// another one.
func TestDidChange(t *testing.T) {
	whole := func(text string) protocol.TextDocumentContentChangeEvent {
		return &protocol.TextDocumentContentChangeWholeDocument{Text: text}
	}
	ranged := &protocol.TextDocumentContentChangePartial{
		Range: protocol.Range{Start: protocol.Position{Line: 1, Character: 2}, End: protocol.Position{Line: 3, Character: 4}},
		Text:  "a",
	}
	type events = []protocol.TextDocumentContentChangeEvent
	for name, test := range map[string]struct {
		params string
		want   events
	}{
		"ranged":            {versioned + `,"contentChanges":[{"range":` + someRange + `,"rangeLength":3,"text":"a"}]`, events{ranged}},
		"whole":             {versioned + `,"contentChanges":[{"text":"a"}]`, events{whole("a")}},
		"null range":        {versioned + `,"contentChanges":[{"range":null,"text":"a"}]`, events{whole("a")}},
		"null range length": {versioned + `,"contentChanges":[{"range":` + someRange + `,"rangeLength":null,"text":"a"}]`, events{ranged}},
		"both":              {versioned + `,"contentChanges":[{"text":"x"},{"range":` + someRange + `,"text":"a"}]`, events{whole("x"), ranged}},
		"none":              {versioned + `,"contentChanges":[]`, nil},
		"lone surrogate":    {versioned + `,"contentChanges":[{"text":"\ud800"}]`, events{whole("\uFFFD")}},

		"no text":       {versioned + `,"contentChanges":[{"range":` + someRange + `}]`, nil},
		"null text":     {versioned + `,"contentChanges":[{"text":"x"},{"text":null}]`, nil},
		"null change":   {versioned + `,"contentChanges":[null]`, nil},
		"empty range":   {versioned + `,"contentChanges":[{"range":{},"text":"a"}]`, nil},
		"half a range":  {versioned + `,"contentChanges":[{"range":{"start":{"line":1,"character":2}},"text":"a"}]`, nil},
		"no column":     {versioned + `,"contentChanges":[{"range":{"start":{"line":1},"end":{"line":1}},"text":"a"}]`, nil},
		"negative line": {versioned + `,"contentChanges":[{"range":{"start":{"line":-1,"character":2},"end":{"line":3,"character":4}},"text":"a"}]`, nil},
		"no changes":    {versioned, nil},
		"no version":    {`"textDocument":{"uri":"file:///a"},"contentChanges":[{"text":"a"}]`, nil},
		"no uri":        {`"textDocument":{"version":2},"contentChanges":[{"text":"a"}]`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			srv := &server{}
			talk(t, rpc.Options{Server: srv}, func(p *peer) {
				p.send(`{"jsonrpc":"2.0","method":"textDocument/didChange","params":{` + test.params + `}}`)
			})
			if diff := cmp.Diff(test.want, srv.changed, cmp.AllowUnexported(protocol.Optional[uint32]{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDidOpen(t *testing.T) {
	whole := []protocol.TextDocumentItem{{URI: "file:///a", LanguageID: "go", Version: 1, Text: "x"}}
	for name, test := range map[string]struct {
		document string
		want     []protocol.TextDocumentItem
	}{
		"whole":      {`{"uri":"file:///a","languageId":"go","version":1,"text":"x"}`, whole},
		"empty text": {`{"uri":"file:///a","languageId":"go","version":0,"text":""}`, []protocol.TextDocumentItem{{URI: "file:///a", LanguageID: "go"}}},
		"no text":    {`{"uri":"file:///a","languageId":"go","version":1}`, nil},
		"null text":  {`{"uri":"file:///a","languageId":"go","version":1,"text":null}`, nil},
		"no version": {`{"uri":"file:///a","languageId":"go","text":"x"}`, nil},
		"no uri":     {`{"languageId":"go","version":1,"text":"x"}`, nil},
		"nothing":    {`null`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			srv := &server{}
			talk(t, rpc.Options{Server: srv}, func(p *peer) {
				p.send(`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":` + test.document + `}}`)
			})
			if diff := cmp.Diff(test.want, srv.opened); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A request about nowhere is refused, not answered about the first byte.
func TestMissingMembers(t *testing.T) {
	document := `"textDocument":{"uri":"file:///a"}`
	for _, test := range []struct{ method, params, missing string }{
		{"textDocument/hover", `"position":{"line":0,"character":0}`, "textDocument.uri"},
		{"textDocument/hover", `"textDocument":{"uri":null},"position":{"line":0,"character":0}`, "textDocument.uri"},
		{"textDocument/hover", document, "position.line or position.character"},
		{"textDocument/rename", document + `,"position":{"line":1}`, "position.line or position.character"},
		{"textDocument/definition", document + `,"position":null`, "position.line or position.character"},
		{"textDocument/codeAction", document, "range.start or range.end"},
		{"textDocument/codeAction", document + `,"range":{"start":{"line":1,"character":2}}`, "range.start or range.end"},
		{"textDocument/documentSymbol", ``, "textDocument.uri"},
	} {
		talk(t, rpc.Options{Server: &server{}}, func(p *peer) {
			p.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{%s}}`, test.method, test.params))
			p.want(failure("1", -32602, "params: "+test.missing+" is missing"))
		})
	}
}

// protocol's strings pin the message they came with. A server that keeps the
// names of eight documents must not keep their texts.
func TestStringsOwnTheirMemory(t *testing.T) {
	const size = 4 << 20
	srv := &server{}
	talk(t, rpc.Options{Server: srv}, func(p *peer) {
		before := heap()
		for range 8 {
			p.send(`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file:///a","languageId":"go","version":1,"text":"` + strings.Repeat("x", size) + `"}}}`)
		}
		p.send(hover) // and let go of the last message
		p.want(hovered)
		synctest.Wait()
		for i := range srv.opened {
			srv.opened[i].Text = ""
		}
		if kept := heap() - before; kept > size {
			p.Errorf("8 names keep %d bytes", kept)
		}
		runtime.KeepAlive(srv)
	})
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
