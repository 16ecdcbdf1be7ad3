package index_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentls/agentls/index"
)

func TestCallGraph(t *testing.T) {
	f := load(t, `
-- go.mod --
module m
-- a.go --
package m

type I interface{ Do() }
type A struct{}
type B struct{}

func (A) Do() { leaf() }
func (B) Do() { leaf(); leaf() }

func top() { middle(A{}) }

func middle(i I) {
	i.Do()
	leaf()
	middle(i)
}

func leaf() { deep() }
func deep() {}
-- "a<b>;.go --
package m

func odd() { middle(A{}) }
`)
	snap := f.ws.Snapshot()
	found, err := snap.Search(t.Context(), "middle", 1)
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	graph, err := snap.CallGraph(t.Context(), found[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	checkGolden(t, filepath.Join("testdata", "callgraph.golden"), graph.Markdown(snap.Rel, func(sym index.Symbol) string { return snap.Rel(sym.Path) }))
	deeper, err := snap.CallGraph(t.Context(), found[0], 2)
	if err != nil || len(deeper.Nodes) != len(graph.Nodes)+1 || deeper.Cut {
		t.Errorf("two calls deep: %d nodes for %d, %v", len(deeper.Nodes), len(graph.Nodes), err)
	}
}

// TestCallGraphIsCut: what is called everywhere does not fill the page.
func TestCallGraphIsCut(t *testing.T) {
	f := load(t, large(200)+"-- hub/hub.go --\npackage hub\n\nfunc hub() {"+many("call%d(); ")+"}\n"+many("func call%d() {}\n"))
	found, err := f.ws.Snapshot().Search(t.Context(), "hub", 1)
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	graph, err := f.ws.Snapshot().CallGraph(t.Context(), found[0], 2)
	if err != nil || !graph.Cut || len(graph.Nodes) != 60 {
		t.Errorf("%d nodes, cut: %v, %v", len(graph.Nodes), graph.Cut, err)
	}
	for _, e := range graph.Edges {
		if e.From >= len(graph.Nodes) || e.To >= len(graph.Nodes) || e.Certainty != index.Certain {
			t.Errorf("edge %+v of %d nodes", e, len(graph.Nodes))
		}
	}
}

// many repeats a format for the numbers below 100.
func many(format string) string {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
