package lsp

import (
	"os"
	"strings"
	"testing"

	"go.lsp.dev/protocol"
)

// TestGraph: who calls a function and what it calls is a page, with links that
// lead there.
func TestGraph(t *testing.T) {
	e := mathWorld(t).start(t)
	e.open("math.go")
	at := e.at("math.go", "Add(a")
	got := must[graphResult](e, "agentls.graph", graphParams{place: at})
	path, err := filePath(got.URI)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# Calls of `Add`", "```mermaid\nflowchart LR\n", "## Called by", "math.go#L"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("%q is not in\n%s", want, page)
		}
	}
	if got.Nodes < 2 || got.Edges < 1 || got.Cut {
		t.Errorf("%+v", got)
	}
}

// TestGraphRefuses: bad arguments, and places without a declaration.
func TestGraphRefuses(t *testing.T) {
	e := mathWorld(t).start(t)
	e.open("math.go")
	at := e.at("math.go", "Add(a")
	for _, depth := range []int{-1, 0, 6} {
		if _, err := execute[graphResult](e, "agentls.graph", graphParams{place: at, Depth: &depth}); err == nil || !strings.Contains(err.Error(), "1 to 5") {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
	top := place{URI: at.URI}
	if _, err := execute[graphResult](e, "agentls.graph", graphParams{place: top}); err == nil || !strings.Contains(err.Error(), "no declaration here") {
		t.Errorf("the top of the file: %v", err)
	}
}

// TestGraphOffered: on a function, and nowhere else.
func TestGraphOffered(t *testing.T) {
	e := mathWorld(t).start(t)
	e.open("math.go")
	for _, step := range []struct {
		at   place
		want int
	}{{e.at("math.go", "Add(a"), 1}, {place{URI: e.at("math.go", "Add(a").URI}, 0}} {
		p := &protocol.CodeActionParams{Range: step.at.Range}
		p.TextDocument.URI = step.at.URI
		p.Context.Only = []protocol.CodeActionKind{kindGraph}
		got, err := e.CodeAction(t.Context(), p)
		if err != nil || len(got) != step.want {
			t.Errorf("%v: %v, %v", step.at.Range, got, err)
		}
	}
}
