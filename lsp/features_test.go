package lsp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"
)

const mathGo = `package math

// Add returns the sum of a and b.
func Add(a, b int) int { return a + b }

const clef = "𝄞"; var three = Add(1, 2)

type Adder struct{ by int }

// Sum adds to the Adder.
func (x *Adder) Sum(n int) int { return Add(n, x.by) }
`

const useGo = `package math

var four = Add(2, 2)
`

func mathWorld(t *testing.T) *world {
	t.Helper()
	return newWorld(t, map[string]string{
		"go.mod": "module example.com/math\n\ngo 1.26\n", "math.go": mathGo, "use.go": useGo,
	})
}

func names(tree []protocol.DocumentSymbol) []string {
	var out []string
	for _, s := range tree {
		name := s.Name
		if len(s.Children) > 0 {
			name += "(" + strings.Join(names(s.Children), " ") + ")"
		}
		out = append(out, name)
	}
	return out
}

// TestIncrementalChanges: the changes of one didChange are sequential, and the
// index follows each keystroke.
func TestIncrementalChanges(t *testing.T) {
	e := mathWorld(t).start(t)
	path := e.open("use.go")
	p := &protocol.DidChangeTextDocumentParams{}
	p.TextDocument.URI, p.TextDocument.Version = fileURI(path), 7
	at := func(line, from, to uint32) protocol.Range {
		return protocol.Range{Start: protocol.Position{Line: line, Character: from}, End: protocol.Position{Line: line, Character: to}}
	}
	p.ContentChanges = []protocol.TextDocumentContentChangeEvent{
		&protocol.TextDocumentContentChangePartial{Range: at(2, 0, 0), Text: "func New() {}\n"},
		&protocol.TextDocumentContentChangePartial{Range: at(2, 5, 8), Text: "Newer"},
		&protocol.TextDocumentContentChangePartial{Range: at(3, 4, 8), Text: "vier"},
	}
	if err := e.DidChange(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	symbols := &protocol.DocumentSymbolParams{}
	symbols.TextDocument.URI = fileURI(path)
	got, err := e.DocumentSymbol(t.Context(), symbols)
	if err != nil {
		t.Fatal(err)
	}
	tree, _ := got.(protocol.DocumentSymbolSlice)
	if diff := cmp.Diff([]string{"Newer", "vier"}, names(tree)); diff != "" {
		t.Errorf("outline (-want +got):\n%s", diff)
	}
}

// offered returns the code actions at a place, as "title [kind] (disabled)".
func offered(t *testing.T, e *editor, at place) []string {
	t.Helper()
	var out []string
	for _, a := range actionsAt(t, e, at) {
		line := a.Title + " [" + string(*a.Kind) + "]"
		if len(a.Tags) > 0 {
			line += " generated"
		}
		if a.Disabled.Reason != "" {
			line += " (" + a.Disabled.Reason + ")"
		}
		out = append(out, line)
	}
	return out
}

func actionsAt(t *testing.T, e *editor, at place) []*protocol.CodeAction {
	t.Helper()
	p := &protocol.CodeActionParams{Range: at.Range}
	p.TextDocument.URI = at.URI
	got, err := e.CodeAction(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	var out []*protocol.CodeAction
	for _, a := range got {
		action, ok := a.(*protocol.CodeAction)
		if !ok {
			t.Fatalf("a code action is %T", a)
		}
		out = append(out, action)
	}
	return out
}

func TestCodeActions(t *testing.T) {
	w := mathWorld(t)
	w.model = "some-model"
	e := w.start(t)
	e.open("math.go")
	want := []string{
		"Ask about `Sum` [agentls.ask] generated",
		"Explain `Sum` [agentls.explain] generated",
		"Change `Sum`… [refactor.rewrite.agentls.change] generated",
		"Review `Sum` [agentls.review] generated",
		"Show call graph of `Sum` [agentls.graph]",
		"Rename `Sum` (index) [refactor.rewrite.agentls.rename]",
	}
	if diff := cmp.Diff(want, offered(t, e, e.at("math.go", "Sum(n"))); diff != "" {
		t.Errorf("on a method (-want +got):\n%s", diff)
	}
}

func TestCodeActionsSayWhyNot(t *testing.T) {
	w := mathWorld(t)
	e := w.start(t)
	e.open("math.go")
	got := offered(t, e, e.at("math.go", "package"))
	if len(got) != 5 || !strings.Contains(got[0], "Ask about `math.go`") || strings.Contains(got[0], "generated") {
		t.Fatalf("outside of declarations: %q", got)
	}
	if !strings.Contains(got[2], "OPENAI_API_KEY") {
		t.Errorf("Change does not say how to configure a model: %s", got[2])
	}
	if !strings.Contains(got[4], "(the index knows no declaration here)") {
		t.Errorf("Rename does not say why: %s", got[4])
	}
}

// TestMarkers: clients without a prompt wish in a comment.
func TestMarkers(t *testing.T) {
	w := newWorld(t, map[string]string{"a.go": "package a\n\n// edit: return an error\n// rename: Second\nfunc First() {}\n"})
	w.caps, w.model = plainCaps, "some-model"
	e := w.start(t)
	e.open("a.go")
	got := offered(t, e, e.at("a.go", "First"))
	want := []string{
		"Ask about `First` [agentls.ask]",
		"Explain `First` [agentls.explain]",
		"Change `First`: return an error [refactor.rewrite.agentls.change]",
		"Review `First` [agentls.review]",
		"Show call graph of `First` [agentls.graph]",
		"Rename `First` to `Second` (index) [refactor.rewrite.agentls.rename]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
