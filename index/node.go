package index

import (
	"iter"
	"strings"
)

// kind returns the name of n's kind.
func (x *extraction) kind(n node) string {
	if kind := int(x.nodes[n].Kind); kind < len(x.tables.kinds) {
		return x.tables.kinds[kind]
	}
	return "ERROR"
}

// isEmpty reports whether n holds no node that is listed.
func (x *extraction) isEmpty(n node) bool { return x.nodes[n].Next == uint32(n)+1 }

// children yields the nodes directly in n.
func (x *extraction) children(n node) iter.Seq[node] {
	return func(yield func(node) bool) {
		for i := uint32(n) + 1; i < x.nodes[n].Next; i = x.nodes[i].Next {
			if !yield(node(i)) {
				return
			}
		}
	}
}

// first returns the first node in n, or none.
func (x *extraction) first(n node) node {
	if x.isEmpty(n) {
		return 0
	}
	return n + 1
}

// child returns the first node in n that is its field, or none.
func (x *extraction) child(n node, field string) node {
	number := x.tables.numbers[field]
	for c := range x.children(n) {
		if x.nodes[c].Field == number && number != 0 {
			return c
		}
	}
	return 0
}

// childOf returns the first node in n of that kind, or none.
func (x *extraction) childOf(n node, kind string) node {
	for c := range x.children(n) {
		if x.kind(c) == kind {
			return c
		}
	}
	return 0
}

func (x *extraction) text(n node) string { return string(x.src[x.nodes[n].Start:x.nodes[n].End]) }

// unquoted returns the text of n without quotes, or "" for none.
func (x *extraction) unquoted(n node) string {
	if n == 0 {
		return ""
	}
	return strings.Trim(x.text(n), "\"'`")
}
