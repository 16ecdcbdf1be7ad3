package lang

import (
	"iter"
	"strings"

	"github.com/agentls/agentls/index/syntax"
)

// A Tree is the listed nodes of one text, of which the first is the root.
type Tree struct {
	Nodes  []syntax.Node
	Src    []byte
	Tables *Tables
}

// At returns node i of t.
func (t *Tree) At(i uint32) Node { return Node{t, i} }

// A Node is a place in a Tree. The zero Node is none: it has no kind, no text
// and no children.
type Node struct {
	tree *Tree
	at   uint32
}

// None reports whether n is no node.
func (n Node) None() bool { return n.tree == nil }

// Kind returns the name of n's kind.
func (n Node) Kind() string {
	if n.None() {
		return ""
	}
	if kind := int(n.tree.Nodes[n.at].Kind); kind < len(n.tree.Tables.kinds) {
		return n.tree.Tables.kinds[kind]
	}
	return "ERROR"
}

// Span returns where n begins and ends in the text, in bytes.
func (n Node) Span() (start, end int) {
	if n.None() {
		return 0, 0
	}
	return int(n.tree.Nodes[n.at].Start), int(n.tree.Nodes[n.at].End)
}

// Index returns the number of n in its tree.
func (n Node) Index() uint32 { return n.at }

// Text returns the text of n.
func (n Node) Text() string { return string(n.bytes()) }

// Unquoted returns the text of n without quotes.
func (n Node) Unquoted() string { return strings.Trim(n.Text(), "\"'`") }

func (n Node) bytes() []byte {
	if n.None() {
		return nil
	}
	return n.tree.Src[n.tree.Nodes[n.at].Start:n.tree.Nodes[n.at].End]
}

// IsEmpty reports whether n holds no node that is listed.
func (n Node) IsEmpty() bool { return n.None() || n.tree.Nodes[n.at].Next == n.at+1 }

// isName reports whether n stands for one name.
func (n Node) isName() bool {
	kind := n.Kind()
	return n.IsEmpty() && kind != "string" && kind != "dot" && len(n.bytes()) > 0
}

// Children yields the nodes directly in n.
func (n Node) Children() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.None() {
			return
		}
		nodes := n.tree.Nodes
		for i := n.at + 1; i < nodes[n.at].Next; i = nodes[i].Next {
			if !yield(Node{n.tree, i}) {
				return
			}
		}
	}
}

// First returns the first node in n, or none.
func (n Node) First() Node {
	if n.IsEmpty() {
		return Node{}
	}
	return Node{n.tree, n.at + 1}
}

// Child returns the first node in n that is its field, or none.
func (n Node) Child(field string) Node {
	if n.None() {
		return Node{}
	}
	return n.ChildAt(n.tree.Tables.numbers[field])
}

// ChildAt is Child by the number of the field; none for 0.
func (n Node) ChildAt(field uint16) Node {
	if field == 0 {
		return Node{}
	}
	for c := range n.Children() {
		if n.tree.Nodes[c.at].Field == field {
			return c
		}
	}
	return Node{}
}

// ChildOf returns the first node in n of that kind, or none.
func (n Node) ChildOf(kind string) Node {
	for c := range n.Children() {
		if c.Kind() == kind {
			return c
		}
	}
	return Node{}
}

// IsLast reports whether n, which is in parent, is the last node there.
func (n Node) IsLast(parent Node) bool {
	return !n.None() && n.tree.Nodes[n.at].Next == parent.tree.Nodes[parent.at].Next
}
