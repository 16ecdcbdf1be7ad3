package index

import (
	"cmp"
	"slices"

	"github.com/agentls/agentls/index/syntax"
)

// A frame is a node on the way from the root to where the walk is.
type frame struct {
	at         node
	next       uint32 // the node behind what is in it
	kind       uint16
	role       role // of the node to its parent
	owner      int  // the frame whose names role is about
	start, end uint32

	scope, innerScope         int32 // around the node; around its children
	container, innerContainer int32 // decls, or -1
	member, innerMember       bool  // directly in the body of a type
	exported                  bool
	wraps                     bool
	declares                  bool // something below widened its span to this node

	literal        uint32   // 1 + occurrence: the type of this literal
	body           uint32   // where the body of a function begins
	operand, value uint32   // 1 + occurrence: before the dot; what the node evaluates to
	bound          []uint32 // occurrences declared with this frame as owner
	wide           [2]uint32
}

// An extraction is one walk over one tree.
type extraction struct {
	lang   *language
	tables *tables
	src    []byte
	out    *outline
	around *frame // of the parent of the declaration that refine and exported are asked about

	nodes         []syntax.Node
	frames        []frame // of what is above the cursor
	names         map[string]uint32
	scopes        []scope          // the first is the file
	scopeOf       []int32          // of each occurrence
	locals        map[scoped]local // what each scope declares
	hasLocal      map[uint32]bool  // names that some scope declares
	globals       map[scoped]bool  // names that a scope takes from outside
	declared      map[inside]bool
	receiver      uint32 // 1 + name: of the Go method being read
	exportedNames []string
}

// A scope is a range of local names.
type scope struct{ parent, depth int32 }

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

// A node is a place in the nodes of an extraction. The zero node, which is the
// root, stands for none where a node is looked for.
type node uint32

// extract returns what nodes, which are those of src, declare and mention.
func extract(lang *language, nodes []syntax.Node, src []byte) *outline {
	x := newExtraction(lang, nodes, src)
	x.walk(1, nodes[0].Next)
	x.resolve()
	if lang.finish != nil {
		lang.finish(x)
	}
	x.sort()
	return x.out
}

func newExtraction(lang *language, nodes []syntax.Node, src []byte) *extraction {
	x := &extraction{
		lang: lang, tables: lang.tables(), src: src, nodes: nodes, out: &outline{},
		names: map[string]uint32{}, scopes: []scope{{parent: noParent}}, locals: map[scoped]local{},
		hasLocal: map[uint32]bool{}, globals: map[scoped]bool{}, declared: map[inside]bool{},
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
		if x.visit(node(i)) {
			i++
		} else {
			i = x.nodes[i].Next
		}
	}
}

// visit takes in one node and reports whether those in it matter. If so, its
// frame is on the stack.
func (x *extraction) visit(n node) bool {
	kind := x.nodes[n].Kind
	if int(kind) >= len(x.tables.skip) { // an ERROR node
		return x.push(n, kind, 0, 0)
	}
	if x.tables.skip[kind] {
		return false
	}
	r, owner := x.roleOf(x.nodes[n].Field)
	if x.tables.leaf[kind] {
		x.leaf(n, r, owner)
		return false
	}
	exports := false
	if x.tables.imports[kind] {
		if x.lang.imports(x, n, x.kind(n)) {
			return false
		}
		exports = x.kind(n) == "export_statement"
	}
	pushed := x.push(n, kind, r, owner)
	if pushed && exports {
		x.frames[len(x.frames)-1].exported = true
	}
	return pushed
}

// roleOf looks up the role of a node in the frame on top, and whose names it
// is about.
func (x *extraction) roleOf(field uint16) (r role, owner int) {
	top := len(x.frames) - 1
	parent := &x.frames[top]
	if int(parent.kind) >= len(x.tables.passes) {
		return 0, top
	}
	r, owner = x.tables.role(parent.kind, field), top
	if r == 0 {
		r, owner = parent.role&x.tables.passes[parent.kind], parent.owner
	}
	if r&inherits != 0 {
		r, owner = r&^inherits|parent.role&(calls|types|assigns|literal|defined), parent.owner
	}
	if r&hints != 0 && parent.role&values != 0 {
		r, owner = r|types, parent.owner
	}
	return r | parent.role&receives, owner
}

// push puts n on the stack if there is something in it.
func (x *extraction) push(n node, kind uint16, r role, owner int) bool {
	if x.isEmpty(n) {
		return false
	}
	parent := &x.frames[len(x.frames)-1]
	f := frame{
		at: n, next: x.nodes[n].Next, kind: kind, role: r, owner: owner, start: x.nodes[n].Start, end: x.nodes[n].End,
		scope: parent.innerScope, innerScope: parent.innerScope,
		container: parent.innerContainer, innerContainer: parent.innerContainer,
		member: parent.innerMember, innerMember: parent.innerMember, exported: parent.exported,
	}
	if int(kind) < len(x.tables.scope) {
		f.wraps = x.tables.wrap[kind]
		if x.tables.scope[kind] && !x.opens(parent.kind) && x.scopes[f.scope].depth < maxScopes {
			x.scopes = append(x.scopes, scope{parent: f.scope, depth: x.scopes[f.scope].depth + 1})
			if body := x.child(n, "body"); body != 0 && !x.lang.hoists {
				f.body = x.nodes[body].Start
			}
			f.innerScope, f.innerMember, f.exported = int32(len(x.scopes)-1), false, false
		}
	}
	if r&receives != 0 && parent.role&receives == 0 {
		x.receiver = 0
	}
	x.frames = append(x.frames, f)
	return true
}

// opens reports whether a scope directly below a node of that kind is none: a
// namespace is seen from outside, a function's body shares its parameters'.
func (x *extraction) opens(kind uint16) bool {
	return int(kind) < len(x.tables.space) && x.tables.space[kind]
}

// pop leaves a node, and tells its parent what it evaluates to.
func (x *extraction) pop() {
	last := x.frames[len(x.frames)-1]
	x.frames = x.frames[:len(x.frames)-1]
	parent := &x.frames[len(x.frames)-1]
	switch {
	case last.role&operand != 0:
		parent.operand = last.value
	case last.role&calls != 0:
		parent.value = last.value
	case last.role&literal != 0:
		parent.literal = last.literal
	}
}

// leaf takes in an identifier.
func (x *extraction) leaf(n node, r role, owner int) {
	parent := &x.frames[len(x.frames)-1]
	i := x.occur(n)
	occ := &x.out.occs[i]
	if r&calls != 0 {
		occ.flags |= isCall
		parent.value = i + 1
	}
	if r&literal != 0 {
		parent.literal = i + 1
	}
	switch {
	case r&accesses != 0:
		occ.flags |= isAccess
		occ.link = parent.operand
		parent.value = i + 1
		if r&assigns != 0 {
			x.attribute(i, owner)
		} else if r&binds != 0 { // namespace A.B
			occ.flags, occ.link = 0, 0
			x.declare(i, r, owner)
			return
		}
	case r&keys != 0:
		occ.flags |= isKey
		occ.link = x.literal()
	case r&binds != 0:
		x.declare(i, r, owner)
		return
	case r&global != 0:
		x.globals[scoped{x.scopeOf[i], occ.name}] = true
	case r&operand != 0:
		parent.operand = i + 1
	}
	if r&receives != 0 && x.receiver == 0 {
		x.receiver = occ.name + 1
	}
	if r&types != 0 {
		x.hint(i, owner)
	}
}

// keyDepth is how far below a Go literal the name of its key stands: in a
// literal_element, keyed_element and literal_value.
const keyDepth = 4

// literal returns 1 + the occurrence that names the type of the literal whose
// key is being read, or 0.
func (x *extraction) literal() uint32 {
	if len(x.frames) < keyDepth {
		return 0
	}
	return x.frames[len(x.frames)-keyDepth].literal
}

// hint notes that i names the type of what owner binds, and of what owner is
// itself the type of: (t *T) in a result is the type of t and of the function.
func (x *extraction) hint(i uint32, owner int) {
	for {
		f := &x.frames[owner]
		for _, bound := range f.bound {
			x.out.hints = append(x.out.hints, hint{bound, i})
		}
		if f.role&types == 0 || f.owner == owner {
			return
		}
		owner = f.owner
	}
}

// occur appends an occurrence for n.
func (x *extraction) occur(n node) uint32 {
	at := x.nodes[n]
	o := occurrence{start: at.Start, name: x.intern(x.src[at.Start:at.End])}
	if x.lang.self != "" && x.out.names[o.name] == x.lang.self {
		o.flags = isSelf
	}
	x.out.occs = append(x.out.occs, o)
	x.scopeOf = append(x.scopeOf, x.frames[len(x.frames)-1].innerScope)
	return uint32(len(x.out.occs) - 1)
}

// use appends an occurrence for a node that the walk does not visit, if it is
// a name.
func (x *extraction) use(n node, f flags) {
	kind := x.kind(n)
	if !x.isEmpty(n) || kind == "string" || kind == "dot" || x.nodes[n].Start == x.nodes[n].End {
		return
	}
	x.out.occs[x.occur(n)].flags |= f
}

// intern returns the number of a name.
func (x *extraction) intern(name []byte) uint32 {
	if i, ok := x.names[string(name)]; ok {
		return i
	}
	s := string(name)
	x.names[s] = uint32(len(x.out.names))
	x.out.names = append(x.out.names, s)
	return x.names[s]
}

// sort puts the records in source order. The walk found them nearly so.
func (x *extraction) sort() {
	o := x.out
	slices.SortStableFunc(o.hints, func(a, b hint) int { return cmp.Compare(a.decl, b.decl) })
	o.hints = slices.CompactFunc(o.hints, func(a, b hint) bool { return a.decl == b.decl })
	o.names, o.occs = slices.Clip(o.names), slices.Clip(o.occs)
	o.group()
}
