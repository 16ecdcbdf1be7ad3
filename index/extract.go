package index

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agentls/agentls/index/lang"
	"github.com/agentls/agentls/index/syntax"
)

// A frame is a node on the way from the root to where the walk is.
type frame struct {
	at         uint32 // in the nodes of the tree
	next       uint32 // the node behind what is in it
	kind       uint16
	role       lang.Role // of the node to its parent
	owner      int       // the frame whose names role is about
	start, end uint32

	scope, innerScope         int32  // around the node; around its children
	container, innerContainer int32  // decls, or -1
	holder                    uint32 // 1 + name: of the type that what is declared here belongs to
	member, innerMember       bool   // directly in the body of a type
	exported                  bool
	wraps                     bool
	declares                  bool // something below widened its span to this node
	nameless                  bool // in a class without a name

	literal        uint32   // 1 + occurrence: the type of this literal
	body           uint32   // where the body of a function begins
	typ            uint32   // 1 + occurrence: the type of what is bound with this frame as owner
	operand, value uint32   // 1 + occurrence: before the dot; what the node evaluates to
	bound          []uint32 // occurrences declared with this frame as owner
	wide           [2]uint32
}

// An extraction is one walk over one tree.
type extraction struct {
	lang     *lang.Language
	tables   *lang.Tables
	tree     *lang.Tree
	out      *outline
	facts    lang.Facts
	decl     lang.Declaration // what is being declared
	embedded []embedded

	frames                []frame // of what is above the cursor
	names                 map[string]uint32
	scopes                []scope          // the first is the file
	scopeOf               []int32          // of each occurrence
	locals                map[scoped]local // what each scope declares
	hasLocal              map[uint32]bool  // names that some scope declares
	globals               map[scoped]bool  // names that a scope takes from the file
	outers                map[scoped]bool  // names that a scope takes from the one around it
	declared              map[inside]int32 // decls
	receiver              uint32           // name: what stands before the name of the method being read
	ahead                 map[uint32]int32 // names that were declared before the walk came to their nodes: the decls
	isSelf                []bool           // of names
	selfWords, blankWords []string
	inferredWords         []string
}

// A scope is a range of local names.
type scope struct {
	parent, depth int32
	thin          bool
}

// maxScopes bounds how deep scopes nest: below that, names are seen outside
// their block. (A lookup climbs all of them.)
const maxScopes = 200

// inside is a name declared in a container, which is a decl or noParent.
type inside struct {
	container int32
	name      uint32
}

type scoped struct {
	scope int32
	name  uint32
}

// local is a name in a scope, valid from an offset.
type local struct{ from, occ uint32 }

// extract returns what nodes, which are those of src, declare and mention, and
// the texts of other languages in it.
func extract(language *lang.Language, nodes []syntax.Node, src []byte) (*outline, []embedded) {
	x := newExtraction(language, nodes, src)
	x.walk(1, nodes[0].Next)
	x.resolve()
	if language.Modules {
		x.publish()
	}
	x.finish()
	return x.out, x.embedded
}

func newExtraction(language *lang.Language, nodes []syntax.Node, src []byte) *extraction {
	tables := language.Tables()
	x := &extraction{
		lang: language, tables: tables, tree: &lang.Tree{Nodes: nodes, Src: src, Tables: tables}, out: &outline{},
		names: map[string]uint32{}, scopes: []scope{{parent: noParent}}, locals: map[scoped]local{},
		hasLocal: map[uint32]bool{}, globals: map[scoped]bool{}, outers: map[scoped]bool{}, declared: map[inside]int32{},
		selfWords: strings.Fields(language.Self), blankWords: strings.Fields(language.Blank),
		inferredWords: strings.Fields(language.Inferred),
	}
	x.intern(nil)
	root := &nodes[0]
	x.frames = append(x.frames, frame{kind: root.Kind, next: root.Next, end: root.End, container: -1, innerContainer: -1})
	return x
}

// walk visits the nodes from first to end, which are one or more at the top
// with all in them, in source order. Its stack is its own: a hostile file can
// nest as deep as it is long.
func (x *extraction) walk(first, end uint32) {
	for i := first; i < end; {
		for i >= x.frames[len(x.frames)-1].next {
			x.pop()
		}
		if len(x.frames) == 1 {
			x.receiver = 0 // of broken code: declarations at the top know nothing of each other
		}
		if x.visit(i) {
			i++
		} else {
			i = x.tree.Nodes[i].Next
		}
	}
}

// visit takes in node n and reports whether those in it matter. If so, its
// frame is on the stack.
func (x *extraction) visit(n uint32) bool {
	at := &x.tree.Nodes[n]
	marks := x.tables.Marks(at.Kind)
	if marks.Has(lang.IsSkipped) {
		return false
	}
	r, owner := x.roleOf(n)
	if marks.Has(lang.IsName) {
		x.leaf(n, marks, r, owner)
		return false
	}
	exports := false
	if marks.Has(lang.IsImport) {
		if x.imports(n) {
			return false
		}
		exports = x.tree.At(n).Kind() == "export_statement"
	}
	pushed := x.push(n, marks, r, owner)
	if pushed && exports {
		x.frames[len(x.frames)-1].exported = true
	}
	if pushed && marks.Has(lang.HasEmbed) {
		x.embed(n)
	}
	if pushed && marks.Has(lang.HasAhead) {
		x.declareAhead(n)
	}
	return pushed
}

// imports takes in what node n imports and reports whether that is all there
// is in it.
func (x *extraction) imports(n uint32) bool {
	x.facts.Around = x.tree.At(x.frames[len(x.frames)-1].at)
	all := x.lang.Imports(&x.facts, x.tree.At(n))
	for _, mention := range x.facts.Mentions {
		start, end := mention.Node.Span()
		if mention.End > 0 {
			start, end = start+mention.Start, start+mention.End
		}
		i := x.occurAt(uint32(start), uint32(end))
		if mention.End > 0 && x.lang.Family == "c" { // in the text of a macro
			x.loose(i)
		}
		if mention.IsImport {
			x.out.occs[i].flags |= isImport
		}
	}
	x.facts.Mentions = x.facts.Mentions[:0]
	return all
}

// roleOf looks up the role of a node in the frame on top, and whose names it
// is about.
func (x *extraction) roleOf(n uint32) (r lang.Role, owner int) {
	top := len(x.frames) - 1
	parent, at := &x.frames[top], &x.tree.Nodes[n]
	r, passes := x.tables.Role(parent.kind, at.Field, at.Kind)
	owner = top
	if r&(lang.Leads|lang.Accesses) != 0 {
		r = atPlace(r, n == parent.at+1, at.Next == parent.next)
	}
	if r == 0 {
		r, owner = parent.role&passes, parent.owner
	}
	switch both := lang.Receives | lang.Types; {
	case r&both != both:
	case len(x.frames[top].bound) > 0: // behind the name
		r &^= lang.Receives
	default:
		r &^= lang.Types
	}
	if r&lang.Puns != 0 {
		r, owner = x.pun(n, r, owner)
	}
	if r&lang.Inherits != 0 {
		r, owner = r&^lang.Inherits|parent.role&inherited, parent.owner
	}
	if r&lang.Qualifies != 0 && parent.role&lang.Binds != 0 {
		r |= lang.Receives
	}
	if r&lang.Hints != 0 && parent.role&lang.Values != 0 {
		r, owner = r|lang.Types, parent.owner
	}
	if r&lang.Arguments != 0 {
		r = r&^lang.Arguments | lang.Plain | parent.role&lang.Receives/lang.Receives*lang.Binds
	}
	if r&lang.Plain == 0 {
		r |= parent.role & lang.Receives
	}
	return r, owner
}

// pun returns the role of node n, which is a key with that role: alone in its
// parent it is what that holds, and else no more than a key.
func (x *extraction) pun(n uint32, r lang.Role, owner int) (lang.Role, int) {
	parent := &x.frames[len(x.frames)-1]
	switch {
	case parent.role&lang.Puns != 0: // below one that was asked
		return r, owner
	case n != parent.at+1 || x.tree.Nodes[n].Next != parent.next:
		return r &^ lang.Puns, owner
	case x.tables.Marks(x.tree.Nodes[n].Kind).Has(lang.IsName): // the label of an argument
		return r, owner
	}
	r, owner = x.passed()
	return r | lang.Puns, owner
}

// atPlace returns what is left of a role that asks whether it is the first
// child's, and the last's.
func atPlace(r lang.Role, first, last bool) lang.Role {
	switch {
	case first && last: // a alone, where a.b could be
		return r &^ (lang.Accesses | r&lang.Accesses/lang.Accesses*lang.Operand)
	case first && r&lang.Accesses != 0 && r&lang.Operand != 0: // a of a.b
		return lang.Operand
	case first:
		return r &^ lang.Accesses
	case r&lang.Leads != 0:
		return 0
	default:
		return r &^ (r & lang.Accesses / lang.Accesses * lang.Operand)
	}
}

// inherited is what Inherits carries on.
const inherited = lang.Operand | lang.Calls | lang.Types | lang.Assigns | lang.Literal | lang.Defined | lang.Callable | lang.Top | lang.Bodied | lang.Extends | lang.Bases | lang.Writes | lang.Keys | lang.Mutes

// push puts node n on the stack if there is something in it.
func (x *extraction) push(n uint32, marks lang.Mark, r lang.Role, owner int) bool {
	at := &x.tree.Nodes[n]
	parent := &x.frames[len(x.frames)-1]
	if at.Next == n+1 || x.isTooDeep(parent.innerContainer) {
		return false
	}
	f := frame{
		at: n, next: at.Next, kind: at.Kind, role: r, owner: owner, start: at.Start, end: at.End, wraps: marks.Has(lang.IsWrap),
		scope: parent.innerScope, innerScope: parent.innerScope,
		container: parent.innerContainer, innerContainer: parent.innerContainer,
		holder: parent.holder, member: parent.innerMember, innerMember: parent.innerMember, exported: parent.exported,
		nameless: parent.nameless || r&lang.Nameless != 0 && x.isNameless(r, parent),
	}
	if r&lang.Owns != 0 || r == 0 {
		f.owner = len(x.frames)
	}
	if (marks.Has(lang.IsScope|lang.IsThin) && !x.opens(parent.kind) || r&lang.Encloses != 0) && x.scopes[f.scope].depth < maxScopes {
		x.scope(&f, marks)
	}
	f.innerMember = f.innerMember || r&lang.Members != 0
	x.frames = append(x.frames, f)
	return true
}

// isNameless reports whether what is in a node with role r, which may be Nameless,
// is of something without a name; parent is the frame around.
func (x *extraction) isNameless(r lang.Role, parent *frame) bool {
	switch {
	case r&lang.Values != 0 && parent.role&lang.Values != 0:
		return false
	case r&lang.Members != 0 && x.inType(parent.innerContainer):
		return false
	default:
		return r&lang.Bases == 0 || parent.role&lang.Bases != 0
	}
}

// isTooDeep reports whether what is in container is declared no more.
func (x *extraction) isTooDeep(container int32) bool {
	if x.lang.Limit > 0 && len(x.out.decls) >= x.lang.Limit {
		return true
	}
	return x.lang.Depth > 0 && container >= 0 && int(x.out.decls[container].depth)+1 >= x.lang.Depth
}

// scope gives what is in f a scope of its own. What is declared in a thin one
// belongs to the scope around.
func (x *extraction) scope(f *frame, marks lang.Mark) {
	thin := marks.Has(lang.IsThin)
	x.scopes = append(x.scopes, scope{parent: f.scope, depth: x.scopes[f.scope].depth + 1, thin: thin})
	if body := x.tree.At(f.at).ChildAt(x.tables.Body); !body.None() && !x.lang.Hoists {
		f.body = x.tree.Nodes[body.Index()].Start
	}
	f.innerScope = int32(len(x.scopes) - 1)
	if !thin {
		f.innerMember, f.exported = false, false
	}
}

// opens reports whether a scope directly below a node of that kind is none: a
// namespace is seen from outside, a function's body shares its parameters'.
func (x *extraction) opens(kind uint16) bool { return x.tables.Marks(kind).Has(lang.IsSpace) }

// pop leaves a node, and tells its parent what it evaluates to.
func (x *extraction) pop() {
	last := x.frames[len(x.frames)-1]
	x.frames = x.frames[:len(x.frames)-1]
	parent := &x.frames[len(x.frames)-1]
	switch {
	case last.role&lang.Operand != 0:
		parent.operand = cmp.Or(last.value, last.operand, last.literal)
	case last.role&lang.Calls != 0:
		parent.value = last.value
	case last.role&lang.Literal != 0:
		parent.literal = last.literal
	}
}

// leaf takes in an identifier.
func (x *extraction) leaf(n uint32, marks lang.Mark, r lang.Role, owner int) {
	r, owner, ok := x.leafRole(n, marks, r, owner)
	if !ok {
		return
	}
	start, end := x.tree.Nodes[n].Start, x.tree.Nodes[n].End
	if marks.Has(lang.IsSigil) && end > start+1 && (r.Kind() == Field || r&lang.Accesses != 0) {
		start++
	}
	i := x.occurAt(start, end)
	if r&lang.Matches != 0 && (r.Kind() == 0 || x.lang.Family == "haskell") && startsUpper(x.out.names[x.out.occs[i].name]) {
		r &^= lang.Defined
	}
	x.flag(i, marks, r, owner)
	if x.ahead != nil && x.reached(n, i) || x.binds(i, r, owner) {
		return
	}
	x.belong(x.out.occs[i].name, r, owner)
	if r&lang.Types != 0 {
		x.hint(i, owner)
	}
}

// leafRole returns the role of a name and what owns it, and whether it is a name
// of anything.
func (x *extraction) leafRole(n uint32, marks lang.Mark, r lang.Role, owner int) (lang.Role, int, bool) {
	switch {
	case r&lang.Mutes != 0:
		return 0, 0, false
	case marks.Has(lang.IsShort):
		r, owner = x.passed()
	case marks.Has(lang.IsLabel) && !x.isNamed(n, r, owner):
		return 0, 0, false
	case r&lang.Bodied != 0 && x.tree.At(x.frames[owner].at).ChildAt(x.tables.Body).None():
		r, owner = x.passed()
	}
	return r, owner, true
}

// flag gives occurrence i the flags that its role says, and tells the frame
// around of it.
func (x *extraction) flag(i uint32, marks lang.Mark, r lang.Role, owner int) {
	occ, parent := &x.out.occs[i], &x.frames[len(x.frames)-1]
	if (marks | x.tables.Marks(parent.kind)).Has(lang.IsShorthand) || r&lang.Puns != 0 {
		occ.flags |= isBoth
	}
	if r&lang.Calls != 0 {
		occ.flags |= isCall
		parent.value = i + 1
	}
	if r&lang.Literal != 0 {
		parent.literal = i + 1
	}
	if r&lang.Writes != 0 {
		occ.flags |= isWrite
	}
	if r&lang.Extends != 0 {
		occ.flags |= isOwner
	}
	if f := &x.frames[owner]; r&lang.Bases != 0 && (len(f.bound) == 0 || x.inType(f.innerContainer)) {
		occ.flags |= isBase
	}
}

// binds takes in what occurrence i is by its role, and reports whether it
// declares something.
func (x *extraction) binds(i uint32, r lang.Role, owner int) bool {
	occ, parent := &x.out.occs[i], &x.frames[len(x.frames)-1]
	switch {
	case r&lang.Accesses != 0:
		occ.flags |= isAccess
		occ.link = parent.operand
		parent.value = i + 1
		if r&lang.Assigns != 0 {
			x.attribute(i, owner)
		} else if r&lang.Binds != 0 { // namespace A.B
			occ.flags, occ.link = occ.flags&isWrite, 0
			x.declare(i, r, owner)
			return true
		}
	case r&lang.Keys != 0:
		occ.flags |= isKey
		occ.link = x.literal()
	case r&lang.Binds != 0:
		x.declare(i, r, owner)
		return true
	case r&lang.Global != 0:
		x.globals[scoped{x.scopeOf[i], occ.name}] = true
	case r&lang.Outer != 0:
		x.outers[scoped{x.scopeOf[i], occ.name}] = true
	case r&lang.Operand != 0:
		parent.operand = i + 1
	case x.tables.Marks(parent.kind).Has(lang.IsLoose):
		x.loose(i)
	}
	return false
}

// loose takes in occurrence i where no nodes say what it is, by the text around.
func (x *extraction) loose(i uint32) {
	occ, src := &x.out.occs[i], x.tree.Src
	if end := int(occ.start) + len(x.out.names[occ.name]); end < len(src) && src[end] == '(' {
		occ.flags |= isCall
	}
	before, isAccessed := src[:occ.start], false
	for _, sign := range []string{".", "::", "->"} {
		if before, isAccessed = bytes.CutSuffix(before, []byte(sign)); isAccessed {
			break
		}
	}
	if !isAccessed {
		return
	}
	occ.flags |= isAccess
	if q := &x.out.occs[max(i, 1)-1]; i > 0 && int(q.start)+len(x.out.names[q.name]) == len(before) {
		occ.link = i
	}
}

// isNamed reports whether the label n is a name in that role.
func (x *extraction) isNamed(n uint32, r lang.Role, owner int) bool {
	if r.Kind() == 0 || x.lang.Refine == nil {
		return r != 0
	}
	at := x.tree.Nodes[n]
	x.describe(string(x.tree.Src[at.Start:at.End]), int(at.Start), r.Kind(), owner)
	return x.refined(r) != lang.Nothing
}

// passed returns the role that a name has which the frame on top holds without
// a field.
func (x *extraction) passed() (r lang.Role, owner int) {
	parent := &x.frames[len(x.frames)-1]
	_, passes := x.tables.Role(parent.kind, 0, 0)
	return parent.role & passes, parent.owner
}

// belong notes that name is what declarations belong to.
func (x *extraction) belong(name uint32, r lang.Role, owner int) {
	if r&lang.Receives != 0 && !x.isSelf[name] {
		if x.receiver != 0 {
			name = x.intern([]byte(x.out.names[x.receiver] + "." + x.out.names[name]))
		}
		x.receiver = name
	}
	if r&lang.Extends != 0 {
		for j := owner; j < len(x.frames); j++ {
			x.frames[j].holder, x.frames[j].innerMember = name+1, true
		}
	}
}

func startsUpper(name string) bool {
	first, _ := utf8.DecodeRuneInString(name)
	return unicode.IsUpper(first)
}

// keyDepth bounds how far below a literal the name of its key stands: in Go in a
// literal_element, keyed_element and literal_value.
const keyDepth = 4

// literal returns 1 + the occurrence that names the type of the literal whose
// key is being read, or 0.
func (x *extraction) literal() uint32 {
	for n := len(x.frames) - 1; n > max(len(x.frames)-1-keyDepth, 0); n-- {
		if x.frames[n].literal != 0 {
			return x.frames[n].literal
		}
	}
	return 0
}

// hint notes that i names the type of what owner binds, and of what owner is
// itself the type of: (t *T) in a result is the type of t and of the function.
func (x *extraction) hint(i uint32, owner int) {
	if slices.Contains(x.inferredWords, x.out.name(int(i))) {
		return
	}
	for {
		f := &x.frames[owner]
		if f.typ == 0 {
			f.typ = i + 1 // of names that stand behind it, as in C
		}
		for _, bound := range f.bound {
			x.out.hints = append(x.out.hints, hint{bound, i})
		}
		declarator := len(f.bound) == 0 && f.role&lang.Binds != 0 // a = b in T a = b
		if f.role&lang.Types == 0 && !declarator || f.owner == owner {
			return
		}
		owner = f.owner
	}
}

// occurAt appends an occurrence of the name that stands there.
func (x *extraction) occurAt(start, end uint32) uint32 {
	o := occurrence{start: start, name: x.intern(x.tree.Src[start:end])}
	if x.isSelf[o.name] {
		o.flags = isSelf
	}
	if x.frames[len(x.frames)-1].nameless {
		o.flags |= isNameless
	}
	x.out.occs = append(x.out.occs, o)
	x.scopeOf = append(x.scopeOf, x.frames[len(x.frames)-1].innerScope)
	return uint32(len(x.out.occs) - 1)
}

// intern returns the number of a name.
func (x *extraction) intern(name []byte) uint32 {
	if i, ok := x.names[string(name)]; ok {
		return i
	}
	s := string(name)
	x.names[s] = uint32(len(x.out.names))
	x.out.names = append(x.out.names, s)
	x.isSelf = append(x.isSelf, slices.Contains(x.selfWords, s))
	return x.names[s]
}

// finish puts the records in source order, in which the walk found them but for
// the hints, and the facts beside them.
func (x *extraction) finish() {
	o := x.out
	slices.SortStableFunc(o.hints, func(a, b hint) int { return cmp.Compare(a.decl, b.decl) })
	o.hints = slices.CompactFunc(o.hints, func(a, b hint) bool { return a.decl == b.decl })
	o.names, o.occs = slices.Clip(o.names), slices.Clip(o.occs)
	o.pkg, o.module, o.fallback, o.imports = x.facts.Package, x.facts.IsModule, x.facts.Default, x.facts.Imports
	o.group()
}
