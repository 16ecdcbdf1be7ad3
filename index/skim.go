package index

import "bytes"

// A skimmer finds declarations line by line, without a parser: fifty times
// faster, and right about most. What it finds answers while the index is being
// built, and for files that are too large to be parsed.
type skimmer struct {
	src   []byte
	out   *outline
	names map[string]uint32

	start  int     // of the line
	line   []byte  // without its end
	around []outer // the declarations whose bodies the line is in
	group  Kind    // Go: of the const, var or type block that the line is in
}

// An outer declaration holds the lines that are indented deeper.
type outer struct {
	decl, indent int
}

// skim returns what src seems to declare.
func skim(lang *language, src []byte) *outline {
	s := &skimmer{src: src, out: &outline{}, names: map[string]uint32{}}
	s.intern(nil)
	for s.start < len(src) {
		end := bytes.IndexByte(src[s.start:], '\n')
		if end < 0 {
			end = len(src) - s.start
		}
		s.line = src[s.start : s.start+end]
		if len(s.line) > 0 && len(s.line) < maxLine {
			lang.skim(s)
		}
		s.start += end + 1
	}
	s.out.group()
	return s.out
}

func (s *skimmer) intern(name []byte) uint32 {
	if i, ok := s.names[string(name)]; ok {
		return i
	}
	own := string(name)
	s.names[own] = uint32(len(s.out.names))
	s.out.names = append(s.out.names, own)
	return s.names[own]
}

// indent returns how many bytes of blanks s.line begins with.
func (s *skimmer) indent() int { return len(s.line) - len(bytes.TrimLeft(s.line, " \t")) }

// declare takes in the name at s.line[from:to], declared inside container,
// which may be the empty name, and by what is around.
func (s *skimmer) declare(kind Kind, from, to int, container uint32) int {
	name := s.line[from:to]
	occ := occurrence{start: uint32(s.start + from), name: s.intern(name), flags: isDefinition}
	if n := len(s.out.occs); n > 0 && s.out.occs[n-1].start >= occ.start {
		return n - 1 // a line can match twice
	}
	first := string(name[:1])
	d := decl{
		start: uint32(s.start + s.indent()), end: uint32(s.start + len(s.line)), occ: uint32(len(s.out.occs)),
		name: occ.name, at: occ.start, container: container, parent: noParent, kind: kind, exported: startsUpper(first) || first != "_",
	}
	if n := len(s.around); n > 0 {
		outer := s.around[n-1].decl
		d.parent, d.depth, d.container = int32(outer), s.out.decls[outer].depth+1, s.qualified(outer)
	}
	s.out.occs = append(s.out.occs, occ)
	s.out.decls = append(s.out.decls, d)
	return len(s.out.decls) - 1
}

// qualified returns the name of decl i behind those around it.
func (s *skimmer) qualified(i int) uint32 {
	d := s.out.decls[i]
	if d.container == 0 || d.depth >= maxContainers {
		return d.name
	}
	return s.intern([]byte(s.out.names[d.container] + "." + s.out.names[d.name]))
}

// enter makes decl i what is around the lines that are indented deeper than
// indent.
func (s *skimmer) enter(i, indent int) {
	if len(s.around) < maxContainers {
		s.around = append(s.around, outer{i, indent})
	}
}

// leave forgets the declarations whose bodies ended before a line of that
// indent.
func (s *skimmer) leave(indent int) {
	for n := len(s.around); n > 0 && s.around[n-1].indent >= indent; n-- {
		s.around = s.around[:n-1]
	}
}

// word returns where the identifier at s.line[from:] ends; from if there is
// none.
func (s *skimmer) word(from int) int {
	for from < len(s.line) && isWord(s.line[from]) {
		from++
	}
	return from
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

// after returns the offset behind word and the blanks that follow, if
// s.line[from:] begins with them.
func (s *skimmer) after(from int, word string) (int, bool) {
	rest, ok := bytes.CutPrefix(s.line[from:], []byte(word))
	if !ok || len(rest) == 0 || rest[0] != ' ' && rest[0] != '\t' {
		return from, false
	}
	return len(s.line) - len(bytes.TrimLeft(rest, " \t")), true
}

var goBlocks = []struct {
	word string
	kind Kind
}{{"type", Type}, {"const", Constant}, {"var", Variable}}

// skimGo relies on the layout of gofmt: declarations begin their line, and
// members stand one tab deeper.
func skimGo(s *skimmer) {
	switch c := s.line[0]; {
	case c == ')' || c == '}':
		s.group, s.around = 0, s.around[:0]
	case c == '\t':
		s.goMember()
	case c == 'f':
		if at, ok := s.after(0, "func"); ok {
			s.goFunction(at)
		}
	case c == 'p' && s.out.pkg == "":
		if at, ok := s.after(0, "package"); ok {
			s.out.pkg = string(s.line[at:s.word(at)])
		}
	case c == 't' || c == 'c' || c == 'v':
		for _, block := range goBlocks {
			at, ok := s.after(0, block.word)
			if ok && s.line[at] == '(' {
				s.group = block.kind
			} else if ok {
				s.goSpec(block.kind, at)
			}
		}
	}
}

// goFunction takes in what follows func. The container of a method is the last
// word in its receiver.
func (s *skimmer) goFunction(at int) {
	kind, container := Function, uint32(0)
	if at < len(s.line) && s.line[at] == '(' {
		end := bytes.IndexByte(s.line, ')')
		if end < 0 {
			return
		}
		receiver, _, _ := bytes.Cut(s.line[at+1:end], []byte("["))
		receiver = receiver[bytes.LastIndexAny(receiver, " *")+1:]
		kind, container = Method, s.intern(receiver)
		at = end + 1 + len(s.line[end+1:]) - len(bytes.TrimLeft(s.line[end+1:], " "))
	}
	if to := s.word(at); to > at {
		s.declare(kind, at, to, container)
	}
}

// goSpec takes in what follows type, const or var.
func (s *skimmer) goSpec(kind Kind, at int) {
	to := s.word(at)
	if to == at {
		return
	}
	rest := s.line[to:]
	if kind == Type && bytes.HasPrefix(rest, []byte(" interface")) {
		kind = Interface
	}
	i := s.declare(kind, at, to, 0)
	if kind.isType() && bytes.HasSuffix(rest, []byte("{")) {
		s.enter(i, 0)
	}
}

// goMember takes in a line inside a block or type.
func (s *skimmer) goMember() {
	if s.group == 0 && len(s.around) == 0 {
		return
	}
	to := s.word(1)
	switch {
	case to == 1:
		return
	case len(s.around) == 0:
		s.goSpec(s.group, 1)
		return
	case to == len(s.line):
		return
	}
	switch s.line[to] {
	case '(':
		s.declare(Method, 1, to, 0)
	case ' ', ',':
		s.declare(Field, 1, to, 0)
	}
}

func skimPython(s *skimmer) {
	indent := s.indent()
	if indent == len(s.line) || s.line[indent] == '#' {
		return
	}
	s.leave(indent)
	at, _ := s.after(indent, "async")
	if from, ok := s.after(at, "def"); ok {
		kind := Function
		if n := len(s.around); n > 0 && s.out.decls[s.around[n-1].decl].kind == Class {
			kind = Method
		}
		s.body(kind, from, indent)
	} else if from, ok := s.after(at, "class"); ok {
		s.body(Class, from, indent)
	} else if to := s.word(indent); indent == 0 && to > 0 && bytes.HasPrefix(s.line[to:], []byte(" = ")) {
		s.declare(refinePython(nil, 0, string(s.line[:to]), Variable), 0, to, 0)
	}
}

// body declares the name at from, which holds what is indented deeper.
func (s *skimmer) body(kind Kind, from, indent int) {
	if to := s.word(from); to > from {
		s.enter(s.declare(kind, from, to, 0), indent)
	}
}

// What may stand before a declaration of JavaScript or TypeScript.
var jsModifiers = []string{
	"export", "default", "declare", "abstract", "async", "public", "private", "protected", "static", "readonly", "override", "get", "set",
}

var jsWords = []struct {
	word string
	kind Kind
}{
	{"function", Function},
	{"function*", Function},
	{"class", Class},
	{"interface", Interface},
	{"enum", Enum},
	{"const enum", Enum},
	{"namespace", Module},
	{"type", Type},
	{"const", Constant},
	{"let", Variable},
	{"var", Variable},
}

// jsControl are words that stand before a bracket and are no methods.
var jsControl = map[string]bool{"if": true, "for": true, "while": true, "switch": true, "catch": true, "function": true, "return": true, "with": true}

func skimJS(s *skimmer) {
	indent := s.indent()
	if indent == len(s.line) {
		return
	}
	s.leave(indent)
	at := indent
	for again := true; again; {
		again = false
		for _, modifier := range jsModifiers {
			if next, ok := s.after(at, modifier); ok {
				at, again = next, true
			}
		}
	}
	for _, w := range jsWords {
		from, ok := s.after(at, w.word)
		if !ok {
			continue
		}
		if w.kind == Constant || w.kind == Variable {
			if indent == 0 {
				s.jsVariable(w.kind, from)
			}
			return
		}
		s.body(w.kind, from, indent)
		return
	}
	if to := s.word(at); len(s.around) > 0 && to > at && to < len(s.line) && s.line[to] == '(' &&
		s.line[len(s.line)-1] == '{' && !jsControl[string(s.line[at:to])] {
		s.declare(Method, at, to, 0)
	}
}

func (s *skimmer) jsVariable(kind Kind, from int) {
	to := s.word(from)
	if to == from {
		return
	}
	if rest := s.line[to:]; bytes.Contains(rest, []byte("=>")) || bytes.Contains(rest, []byte("= function")) {
		kind = Function
	}
	s.declare(kind, from, to, 0)
}
