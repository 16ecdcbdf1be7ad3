package lsp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/edits/text"
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

// underline shows locations as the text they span, one a line.
func underline(t *testing.T, e *editor, enc text.Encoding, at ...protocol.Location) string {
	t.Helper()
	var out []string
	for _, loc := range at {
		path, err := filePath(loc.URI)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(path, e.dir+"/")
		src := []byte(map[string]string{"math.go": mathGo, "use.go": useGo}[name])
		lines := text.NewLines(src)
		span := toSpan(lines, loc.Range, enc)
		line := lines.Line(int(loc.Range.Start.Line))
		out = append(out, name+": "+string(src[line.Start:span.Start])+"«"+string(src[span.Start:span.End])+"»"+string(src[span.End:line.End]))
	}
	return strings.Join(out, "\n")
}

func TestNavigationInBothEncodings(t *testing.T) {
	for name, c := range map[string]struct {
		caps string
		enc  text.Encoding
	}{
		"utf-16": {pluginCaps, text.UTF16},
		"utf-8":  {strings.Replace(pluginCaps, "{", `{"general": {"positionEncodings": ["utf-16", "utf-8"]},`, 1), text.UTF8},
	} {
		t.Run(name, func(t *testing.T) {
			w := mathWorld(t)
			w.caps = c.caps
			e := w.start(t)
			path := e.open("math.go")
			lines := text.NewLines([]byte(mathGo))
			position := toPosition(lines.Point(strings.Index(mathGo, "Add(1"), c.enc))
			at := protocol.TextDocumentPositionParams{Position: position}
			at.TextDocument.URI = fileURI(path)

			found, err := e.Definition(t.Context(), &protocol.DefinitionParams{TextDocumentPositionParams: at})
			if err != nil {
				t.Fatal(err)
			}
			want := "math.go: func «Add»(a, b int) int { return a + b }"
			places, _ := found.(protocol.LocationSlice)
			if got := underline(t, e, c.enc, places...); got != want {
				t.Errorf("definition:\n%s\nwant\n%s", got, want)
			}

			p := &protocol.ReferenceParams{TextDocumentPositionParams: at}
			p.Context.IncludeDeclaration = true
			refs, err := e.References(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			want = strings.Join([]string{
				"math.go: func «Add»(a, b int) int { return a + b }",
				`math.go: const clef = "𝄞"; var three = «Add»(1, 2)`,
				"math.go: func (x *Adder) Sum(n int) int { return «Add»(n, x.by) }",
				"use.go: var four = «Add»(2, 2)",
			}, "\n")
			if diff := cmp.Diff(want, underline(t, e, c.enc, refs...)); diff != "" {
				t.Errorf("references (-want +got):\n%s", diff)
			}

			hover, err := e.Hover(t.Context(), &protocol.HoverParams{TextDocumentPositionParams: at})
			if err != nil {
				t.Fatal(err)
			}
			contents, ok := hover.Contents.(*protocol.MarkupContent)
			if !ok {
				t.Fatalf("hover is %T", hover.Contents)
			}
			card := contents.Value
			for _, part := range []string{"func Add(a, b int) int", "Add returns the sum of a and b.", "function in math.go:4"} {
				if !strings.Contains(card, part) {
					t.Errorf("hover lacks %q:\n%s", part, card)
				}
			}
		})
	}
}

func TestSymbols(t *testing.T) {
	e := mathWorld(t).start(t)
	path := e.open("math.go")
	p := &protocol.DocumentSymbolParams{}
	p.TextDocument.URI = fileURI(path)
	got, err := e.DocumentSymbol(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Add", "clef", "three", "Adder(by)", "Sum"}
	tree, _ := got.(protocol.DocumentSymbolSlice)
	if diff := cmp.Diff(want, names(tree)); diff != "" {
		t.Errorf("outline (-want +got):\n%s", diff)
	}
	found, err := e.Symbols(t.Context(), &protocol.WorkspaceSymbolParams{Query: "addr"})
	if err != nil {
		t.Fatal(err)
	}
	if list, _ := found.(protocol.SymbolInformationSlice); len(list) == 0 || list[0].Name != "Adder" {
		t.Errorf("workspace/symbol addr: %v, want Adder first", list)
	}
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
	if len(got) != 4 || !strings.Contains(got[0], "Ask about `math.go`") || strings.Contains(got[0], "generated") {
		t.Fatalf("outside of declarations: %q", got)
	}
	if !strings.Contains(got[2], "OPENAI_API_KEY") {
		t.Errorf("Change does not say how to configure a model: %s", got[2])
	}
	if !strings.Contains(got[3], "(the index knows no declaration here)") {
		t.Errorf("Rename does not say why: %s", got[3])
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
		"Rename `First` to `Second` (index) [refactor.rewrite.agentls.rename]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
