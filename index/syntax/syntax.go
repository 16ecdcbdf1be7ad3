// Package syntax parses texts with tree-sitter and lists what is in their
// trees as flat records, in one call of C for a file.
//
// Invariant: a Parser is used by one goroutine at a time, and nothing it
// returns outlives what its documentation says.
package syntax

/*
#cgo CFLAGS: -std=gnu11 -O2 -Wall
#cgo linux LDFLAGS: -Wl,--unresolved-symbols=ignore-all
#cgo darwin LDFLAGS: -Wl,-undefined,dynamic_lookup
#include "heap.h"
#include "worker.h"
*/
import "C"

import (
	"bytes"
	"errors"
	"math"
	"sync"
	"time"
	"unsafe"

	sitter "github.com/tree-sitter/go-tree-sitter" // links the core, which worker.c calls
)

// ErrTooSlow is returned by Parse and its kin when the limit is reached.
var ErrTooSlow = errors.New("parsing takes too long")

// IsError is the kind of a Node that no grammar rule fits.
const IsError = math.MaxUint16

// A Node is a named node of a syntax tree. Nodes are listed in the order of the
// text, each before those inside it: those of nodes[i] are nodes[i+1:Next].
type Node struct {
	Start, End uint32 // bytes
	Next       uint32
	Kind       uint16 // see Language.Kind
	Field      uint16 // what the node is to its parent; 0 is nothing
}

// An Action says what a walk does with the nodes of a kind.
type Action uint8

// The actions of a walk. Errors are always entered.
const (
	Enter Action = iota // list the node and those in it
	Over                // list the node only
	Hide                // neither
)

// A Language is a grammar, and what walks do with its nodes.
type Language struct {
	grammar *sitter.Language
	actions []Action
}

// NewLanguage returns the language of a grammar, as its Go binding gives it.
// Walks enter everything until Act says otherwise.
func NewLanguage(grammar unsafe.Pointer) *Language {
	l := &Language{grammar: sitter.NewLanguage(grammar)}
	l.actions = make([]Action, l.grammar.NodeKindCount())
	return l
}

// Act sets what walks do with each of the kinds. It must be called before the
// first walk.
func (l *Language) Act(actions []Action) { copy(l.actions, actions) }

// Kinds returns the number of kinds, named or not: they are numbered from 0.
func (l *Language) Kinds() int { return len(l.actions) }

// Kind returns the name of a kind below Kinds.
func (l *Language) Kind(kind uint16) string { return l.grammar.NodeKindForId(kind) }

// IsNamed reports whether a rule of the grammar stands behind kind.
func (l *Language) IsNamed(kind uint16) bool { return l.grammar.NodeKindIsNamed(kind) }

// Fields returns the number of fields: they are numbered from 1.
func (l *Language) Fields() int { return int(l.grammar.FieldCount()) }

// Field returns the number of a field, or 0.
func (l *Language) Field(name string) uint16 { return l.grammar.FieldIdForName(name) }

// FieldName returns the name of a field, or "".
func (l *Language) FieldName(field uint16) string { return l.grammar.FieldNameForId(field) }

// A Parser parses texts. It holds memory that only Close gives back.
type Parser struct{ worker *C.worker }

var install = sync.OnceFunc(func() { C.heap_install() })

// NewParser returns a parser. Close it.
func NewParser() *Parser {
	install()
	return &Parser{worker: C.worker_new()}
}

// Close ends p, whose trees must have been closed before.
func (p *Parser) Close() { C.worker_free(p.worker) }

// Trim returns memory that closed parsers leave behind to the system.
func Trim() { C.worker_trim() }

// Parse lists the nodes of text. They belong to p and are gone with its next
// call. The error is ErrTooSlow.
func (p *Parser) Parse(l *Language, text []byte, limit time.Duration) ([]Node, error) {
	var count C.uint32_t
	records := C.worker_index(p.worker, l.pointer(), head(text), C.uint32_t(len(text)),
		l.table(), C.uint32_t(len(l.actions)), C.uint64_t(limit), &count)
	if records == nil {
		return nil, ErrTooSlow
	}
	return nodes(records, count), nil
}

func (l *Language) pointer() *C.TSLanguage { return (*C.TSLanguage)(unsafe.Pointer(l.grammar.Inner)) }

func (l *Language) table() *C.uint8_t {
	return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(l.actions)))
}

func head(text []byte) *C.char { return (*C.char)(unsafe.Pointer(unsafe.SliceData(text))) }

func nodes(records *C.record, count C.uint32_t) []Node {
	return unsafe.Slice((*Node)(unsafe.Pointer(records)), int(count))
}

// A Tree is the syntax tree of one text. It belongs to its Parser, and costs
// about 17 times the text.
type Tree struct {
	parser   *Parser
	language *Language
	tree     *C.TSTree
}

// ParseTree is Parse that keeps the tree. Close it.
func (p *Parser) ParseTree(l *Language, text []byte, limit time.Duration) (*Tree, error) {
	return p.tree(l, text, nil, limit)
}

func (p *Parser) tree(l *Language, text []byte, old *C.TSTree, limit time.Duration) (*Tree, error) {
	tree := C.worker_parse(p.worker, l.pointer(), head(text), C.uint32_t(len(text)), old, C.uint64_t(limit))
	if tree == nil {
		return nil, ErrTooSlow
	}
	return &Tree{parser: p, language: l, tree: tree}, nil
}

// Close frees t.
func (t *Tree) Close() { C.worker_delete(t.parser.worker, t.tree) }

// Nodes lists the nodes of t: of the root's children, those that end behind
// from and start before to. They belong to the parser and are gone with its
// next call.
func (t *Tree) Nodes(from, to int) []Node {
	var count C.uint32_t
	l := t.language
	records := C.worker_walk(t.parser.worker, t.tree, l.table(), C.uint32_t(len(l.actions)), C.uint32_t(from), C.uint32_t(to), &count)
	if records == nil {
		return nil
	}
	return nodes(records, count)
}

// A Fault is a place that the grammar has no rule for.
type Fault struct {
	Start, End int    // bytes
	Missing    string // the kind of what is missing there; "" where there is too much
}

// Faults returns the places that t could not make sense of, at most limit.
func (t *Tree) Faults(limit int) []Fault {
	var count C.uint32_t
	records := C.worker_errors(t.parser.worker, t.tree, C.uint32_t(limit), &count)
	if records == nil {
		return nil
	}
	faults := make([]Fault, 0, int(count))
	for _, n := range nodes(records, count) {
		fault := Fault{Start: int(n.Start), End: int(n.End)}
		if n.Field != 0 {
			fault.Missing = t.language.Kind(n.Kind)
		}
		faults = append(faults, fault)
	}
	return faults
}

// An Edit replaces the bytes of an old text from Start to End by those of a
// new one from Start to NewEnd.
type Edit struct{ Start, End, NewEnd int }

// EditBetween returns an edit that makes now of old: what is between their
// common beginning and end, widened to whole characters.
func EditBetween(old, now []byte) Edit {
	start := commonPrefix(old, now)
	for start > 0 && (start < len(old) && continues(old[start]) || start < len(now) && continues(now[start])) {
		start--
	}
	tail := commonSuffix(old[start:], now[start:])
	for tail > 0 && continues(old[len(old)-tail]) {
		tail--
	}
	return Edit{Start: start, End: len(old) - tail, NewEnd: len(now) - tail}
}

// continues reports whether c lies inside a character of UTF-8.
func continues(c byte) bool { return c&0xc0 == 0x80 }

// stride is how many bytes are compared at once before the exact place is
// looked for.
const stride = 256

func commonPrefix(a, b []byte) int {
	n, limit := 0, min(len(a), len(b))
	for n+stride <= limit && bytes.Equal(a[n:n+stride], b[n:n+stride]) {
		n += stride
	}
	for n < limit && a[n] == b[n] {
		n++
	}
	return n
}

func commonSuffix(a, b []byte) int {
	n, limit := 0, min(len(a), len(b))
	for n+stride <= limit && bytes.Equal(a[len(a)-n-stride:len(a)-n], b[len(b)-n-stride:len(b)-n]) {
		n += stride
	}
	for n < limit && a[len(a)-n-1] == b[len(b)-n-1] {
		n++
	}
	return n
}

// Reparse returns the tree of now, of which t, the tree of old, is used up: it
// must not be used again, whatever the outcome, and is closed. Outside
// the edit, and changed, the new tree is built as the old one was.
func (t *Tree) Reparse(old, now []byte, edit Edit, limit time.Duration) (fresh *Tree, changed Edit, err error) {
	defer t.Close()
	at, oldEnd, newEnd := pointAt(old, edit.Start), pointAt(old, edit.End), pointAt(now, edit.NewEnd)
	C.worker_edit(t.parser.worker, t.tree, C.TSInputEdit{
		start_byte: C.uint32_t(edit.Start), old_end_byte: C.uint32_t(edit.End), new_end_byte: C.uint32_t(edit.NewEnd),
		start_point: at, old_end_point: oldEnd, new_end_point: newEnd,
	})
	fresh, err = t.parser.tree(t.language, now, t.tree, limit)
	if err != nil {
		return nil, Edit{}, err
	}
	var from, to C.uint32_t
	C.worker_changed(t.parser.worker, t.tree, fresh.tree, &from, &to)
	changed = edit
	if to > from {
		grown := edit.NewEnd - edit.End
		changed.Start = min(edit.Start, int(from))
		changed.NewEnd = max(edit.NewEnd, int(to))
		changed.End = changed.NewEnd - grown
	}
	return fresh, changed, nil
}

func pointAt(text []byte, offset int) C.TSPoint {
	before := text[:offset]
	return C.TSPoint{
		row:    C.uint32_t(bytes.Count(before, []byte("\n"))),
		column: C.uint32_t(offset - 1 - bytes.LastIndexByte(before, '\n')),
	}
}
