package index

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
)

// A CallGraph is what calls a declaration and what it calls, as far as a number
// of steps in each direction.
type CallGraph struct {
	Nodes []Symbol // the first is what was asked for
	Edges []CallEdge
	Cut   bool // there is more than maxNodes
}

// A CallEdge says that one node calls another.
type CallEdge struct {
	From, To  int // in Nodes
	Calls     int // how many sites
	Certainty Certainty
}

// How many calls a graph follows in each direction, and at most: what lies
// further is not read.
const (
	GraphDepth    = 2
	MaxGraphDepth = 5
)

// maxNodes is how many declarations a graph shows: more are unreadable.
const maxNodes = 60

// CallGraph returns the callers and the callees of sym over at most depth
// calls. The errors are those of Callers.
func (s *Snapshot) CallGraph(ctx context.Context, sym Symbol, depth int) (*CallGraph, error) {
	b := &graphBuilder{at: map[graphNode]int{}, edges: map[[2]int]int{}}
	b.node(sym)
	for _, d := range []direction{toCallers, toCallees} {
		if err := b.grow(ctx, s, sym, d, depth); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(b.graph.Edges, func(a, b CallEdge) int { return cmp.Or(a.From-b.From, a.To-b.To) })
	return &b.graph, nil
}

// A graphNode names a declaration by where it is: a Symbol may know more or less.
type graphNode struct {
	path string
	name text.Span
}

func nodeOf(sym Symbol) graphNode { return graphNode{sym.Path, sym.NameSpan} }

// A direction is the end of a call that a graph grows to.
type direction uint8

const (
	toCallers direction = iota
	toCallees
)

// A graphBuilder is a graph in the making.
type graphBuilder struct {
	graph CallGraph
	at    map[graphNode]int
	edges map[[2]int]int // from, to → in graph.Edges
}

// node returns the number of sym, which it adds; ok is false where there is no
// room.
func (b *graphBuilder) node(sym Symbol) (number int, ok bool) {
	number, known := b.at[nodeOf(sym)]
	if known {
		return number, true
	}
	if len(b.graph.Nodes) == maxNodes {
		b.graph.Cut = true
		return 0, false
	}
	b.at[nodeOf(sym)] = len(b.graph.Nodes)
	b.graph.Nodes = append(b.graph.Nodes, sym)
	return b.at[nodeOf(sym)], true
}

// grow adds what is reached from sym, level by level.
func (b *graphBuilder) grow(ctx context.Context, s *Snapshot, sym Symbol, d direction, depth int) error {
	seen := map[graphNode]bool{nodeOf(sym): true}
	for level := []Symbol{sym}; depth > 0 && len(level) > 0; depth-- {
		var next []Symbol
		for _, from := range level {
			calls, err := s.calls(ctx, from, d)
			if err != nil {
				return err
			}
			for i := range calls {
				if b.edge(from, &calls[i], d) && !seen[nodeOf(calls[i].Symbol)] {
					seen[nodeOf(calls[i].Symbol)] = true
					next = append(next, calls[i].Symbol)
				}
			}
		}
		level = next
	}
	return nil
}

// calls returns the calls at one end of sym. The top of a file is called by
// nobody.
func (s *Snapshot) calls(ctx context.Context, sym Symbol, d direction) ([]Call, error) {
	switch {
	case sym.Kind == lang.Module:
		return nil, nil
	case d == toCallers:
		return s.Callers(ctx, sym)
	default:
		return s.Callees(ctx, sym)
	}
}

// edge adds one call of sym's, and reports whether there was room.
func (b *graphBuilder) edge(sym Symbol, call *Call, d direction) bool {
	from, ok := b.node(sym)
	to, more := b.node(call.Symbol)
	if !ok || !more {
		return false
	}
	if d == toCallers {
		from, to = to, from
	}
	if _, known := b.edges[[2]int{from, to}]; known {
		return true
	}
	b.edges[[2]int{from, to}] = len(b.graph.Edges)
	b.graph.Edges = append(b.graph.Edges, CallEdge{From: from, To: to, Calls: len(call.Sites), Certainty: call.Certainty})
	return true
}

// Mermaid returns g as a flowchart. A dashed arrow is a call by name only.
// (mermaid.js.org/syntax/flowchart)
func (g *CallGraph) Mermaid(rel func(path string) string) string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for i, sym := range g.Nodes {
		fmt.Fprintf(&b, "  n%d[\"%s<br/>%s\"]\n", i, mermaidText(sym.Qualified()), mermaidText(rel(sym.Path)))
	}
	for _, e := range g.Edges {
		arrow := "-->"
		if e.Certainty == Possible {
			arrow = "-.->"
		}
		label := ""
		if e.Calls > 1 {
			label = fmt.Sprintf("|%d×|", e.Calls)
		}
		fmt.Fprintf(&b, "  n%d %s%s n%d\n", e.From, arrow, label, e.To)
	}
	b.WriteString("  style n0 stroke-width:3px\n")
	return b.String()
}

// mermaidText returns s as it can stand in a quoted label: names and paths are
// a stranger's.
func mermaidText(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("\"<>&#;\\\n\r`", r) {
			return '_'
		}
		return r
	}, s)
}

// Markdown returns g as a page: what was asked for, the chart, how to read it,
// and what calls it and what it calls as links, which to makes.
func (g *CallGraph) Markdown(rel func(path string) string, to func(Symbol) string) string {
	root := g.Nodes[0]
	page := fmt.Sprintf("# Calls of `%s`\n\n%s in %s.\n\n```mermaid\n%s```\n", root.Qualified(), root.Kind, markdownLink(rel(root.Path), to(root)), g.Mermaid(rel))
	if slices.ContainsFunc(g.Edges, func(e CallEdge) bool { return e.Certainty == Possible }) {
		page += "\nA dashed arrow is a call by its name only: the index does not know the type.\n"
	}
	if len(g.Edges) == 0 {
		page += "\nThe index knows no call of it and none in it.\n"
	}
	if g.Cut {
		page += fmt.Sprintf("\nThere is more than these %d.\n", len(g.Nodes))
	}
	var callers, callees []string
	for _, e := range g.Edges {
		if e.To == 0 {
			callers = append(callers, g.line(e, e.From, rel, to))
		}
		if e.From == 0 {
			callees = append(callees, g.line(e, e.To, rel, to))
		}
	}
	return page + section("Called by", callers) + section("Calls", callees)
}

// line says one call in a list: what is at its other end, and where.
func (g *CallGraph) line(e CallEdge, end int, rel func(path string) string, to func(Symbol) string) string {
	sym, more := g.Nodes[end], ""
	if e.Calls > 1 {
		more = fmt.Sprintf(", %d times", e.Calls)
	}
	if e.Certainty == Possible {
		more += ", by its name only"
	}
	return fmt.Sprintf("- `%s` in %s%s\n", sym.Qualified(), markdownLink(rel(sym.Path), to(sym)), more)
}

// section returns a headline and its list; "" for an empty one.
func section(title string, list []string) string {
	if len(list) == 0 {
		return ""
	}
	return "\n## " + title + "\n\n" + strings.Join(list, "")
}

// markup is what means something in the text of a link.
var markup = regexp.MustCompile("[][\\\\`*_<>]")

// markdownLink returns a link whose text is a stranger's.
func markdownLink(name, target string) string {
	return fmt.Sprintf("[%s](<%s>)", markup.ReplaceAllString(name, `\$0`), target)
}
