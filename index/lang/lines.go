package lang

import (
	"bytes"
	"strings"
)

// Lines say how declarations begin, for languages whose first words tell.
type Lines struct {
	Before string          // words that may stand before a declaration
	Words  map[string]Kind // words that a declared name follows
	Bare   bool            // T name(…) { declares a function, without a word for it

	before map[string]bool
}

// notCalled are words that stand before a bracket and are no functions.
var notCalled = map[string]bool{
	"if": true, "for": true, "while": true, "switch": true, "catch": true, "return": true, "with": true, "synchronized": true,
	"using": true, "lock": true, "foreach": true, "else": true, "do": true, "try": true, "new": true, "function": true, "elif": true,
}

// skim is the Skim of a language.
func (l *Lines) skim(s *Skimmer) {
	indent := s.indent()
	if indent == len(s.line) {
		return
	}
	s.leave(indent)
	at := indent
	for {
		to := s.token(at)
		word := s.line[at:to]
		next := s.blanks(to)
		if kind, ok := l.Words[string(word)]; ok && next > to {
			s.named(kind, next, indent)
			return
		}
		if !l.before[string(word)] || next == to {
			break
		}
		at = next
	}
	if l.Bare {
		s.bareFunction(at, indent)
	}
}

// compiled returns l, ready for use.
func (l *Lines) compiled() *Lines {
	l.before = map[string]bool{}
	for word := range strings.FieldsSeq(l.Before) {
		l.before[word] = true
	}
	return l
}

// token returns the end of what stands at s.line[from:] before a blank.
func (s *Skimmer) token(from int) int {
	if n := bytes.IndexAny(s.line[from:], " \t"); n >= 0 {
		return from + n
	}
	return len(s.line)
}

// blanks returns the offset behind the blanks at from.
func (s *Skimmer) blanks(from int) int {
	return len(s.line) - len(bytes.TrimLeft(s.line[from:], " \t"))
}

// named declares the name at from; a function in a type is its method.
func (s *Skimmer) named(kind Kind, from, indent int) {
	if n := len(s.around); n > 0 && kind == Function && s.found[s.around[n-1].found].Kind.IsType() {
		kind = Method
	}
	s.body(kind, from, indent)
}

// bareFunction takes in T name(…) {, and without the brace what begins its
// line.
func (s *Skimmer) bareFunction(from, indent int) {
	open := bytes.IndexByte(s.line[from:], '(')
	last := s.line[len(s.line)-1]
	if open <= 0 || last != '{' && (indent > 0 || last != ')') || bytes.IndexByte(s.line[from:from+open], '=') >= 0 {
		return
	}
	start := from + open
	for start > from && isWord(s.line[start-1]) {
		start--
	}
	if name := s.line[start : from+open]; len(name) > 0 && !notCalled[string(name)] && (start > from || indent > 0) {
		s.named(Function, start, indent)
	}
}
