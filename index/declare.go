package index

import (
	"slices"
	"strings"

	"github.com/agentls/agentls/index/lang"
)

// noParent is the parent of a decl at the top of its file.
const noParent = -1

// maxContainers bounds the names in Symbol.Container.
const maxContainers = 16

// declare takes in the declaration of occurrence i: as a symbol, as a name of
// its scope, or as both.
func (x *extraction) declare(i uint32, r lang.Role, owner int) {
	f, kind := &x.frames[owner], r.Kind()
	f.bound = append(f.bound, i)
	if typ := x.typeAbove(owner); typ != 0 {
		x.out.hints = append(x.out.hints, hint{i, typ - 1})
	}
	if kind == 0 {
		if !x.isBlank(x.out.name(int(i))) {
			x.bind(i, f.innerScope, x.from(i, r, owner))
		}
		return
	}
	x.describe(x.out.name(int(i)), int(x.out.occs[i].start), kind, owner)
	kind = inMember(x.refined(r), f.member)
	if kind == lang.Local {
		x.bind(i, x.scopeFor(i, r, owner), x.from(i, r, owner))
		return
	}
	if kind == lang.Nothing || x.isBlank(x.decl.Name) {
		return
	}
	if r&lang.Top != 0 {
		x.lift(f)
	}
	scope := x.scopeFor(i, r, owner)
	local := scope != 0 && !f.member && r&lang.Top == 0
	if local && kind != Field && kind != Method && kind != Member {
		x.bind(i, scope, x.from(i, r, owner))
		if !x.lang.Nests || kind != Function && !kind.IsType() {
			return
		}
	} else if local && !x.inType(f.container) || f.nameless && x.inType(f.container) {
		if kind == Field && x.promote(i, r, owner) {
			return
		}
		x.out.occs[i].flags |= isDefinition // of an anonymous type, or an object in a function
		return
	}
	if r&lang.Itself != 0 {
		start := x.out.occs[i].start
		x.define(i, start, start+uint32(len(x.decl.Name)), kind, f.container)
		return
	}
	x.symbol(i, kind, f, owner)
}

// isBlank reports whether name is one that declares nothing.
func (x *extraction) isBlank(name string) bool { return slices.Contains(x.blankWords, name) }

// scopeFor returns the scope that frame owner declares occurrence i in.
func (x *extraction) scopeFor(i uint32, r lang.Role, owner int) int32 {
	scope := x.frames[owner].scope
	for j := owner - 1; r&lang.Floats != 0 && j > 0; j-- {
		if _, known := x.locals[scoped{scope, x.out.occs[i].name}]; known {
			break
		}
		f := &x.frames[j]
		if f.innerScope == f.scope {
			continue
		}
		if !x.tables.Marks(f.kind).Has(lang.IsBlock) {
			break
		}
		scope = f.scope
	}
	for x.scopes[scope].thin {
		scope = x.scopes[scope].parent
	}
	return scope
}

// promote declares what is a parameter of a constructor and a field of its
// class at once.
func (x *extraction) promote(i uint32, r lang.Role, owner int) bool {
	f, occ := &x.frames[owner], &x.out.occs[i]
	if f.container < 0 || x.tree.At(f.at).Kind() == "property_signature" || !isConstructorName(x.out.names[x.out.decls[f.container].name]) || !x.inType(x.out.decls[f.container].parent) {
		return false
	}
	class := x.out.decls[f.container].parent
	if x.hasDecl(class, occ.name) {
		return false
	}
	x.bindAs(i, x.variable(i), f.scope, x.from(i, r, owner))
	x.define(i, f.start, f.end, Field, class)
	return true
}

// isConstructorName reports whether a method of that name can make its
// parameters fields.
func isConstructorName(name string) bool { return name == "constructor" || name == "__construct" }

// variable returns the name by which the function knows its parameter i: with
// the sign that a field's has not.
func (x *extraction) variable(i uint32) uint32 {
	occ := x.out.occs[i]
	if occ.start == 0 || !x.tables.HasSigils() || x.tree.Src[occ.start-1] != '$' {
		return occ.name
	}
	return x.intern([]byte("$" + x.out.names[occ.name]))
}

// typeAbove returns 1 + the occurrence of the type that stands before a name
// which frame owner declares, or 0.
func (x *extraction) typeAbove(owner int) uint32 {
	for j := len(x.frames) - 1; j >= owner; j-- {
		if x.frames[j].typ != 0 {
			return x.frames[j].typ
		}
	}
	return 0
}

// lift takes f out of the function that it cannot be in.
func (x *extraction) lift(f *frame) {
	for f.container >= 0 && x.out.decls[f.container].kind == Function {
		f.container = x.out.decls[f.container].parent
	}
}

// declareAhead declares what stands behind the content of node n, whose frame
// is on top, so that the content is in it.
func (x *extraction) declareAhead(n uint32) {
	name := x.lang.Ahead(x.tree.At(n))
	f := &x.frames[len(x.frames)-1]
	if name.None() || f.scope != 0 && !f.member {
		return
	}
	at, _ := name.Span()
	x.decl = lang.Declaration{Name: name.Text(), Kind: Type, Node: x.tree.At(n), Around: x.tree.At(n), IsExported: f.exported}
	d := decl{start: f.start, end: f.end, name: x.intern([]byte(x.decl.Name)), at: uint32(at), kind: Type}
	f.innerContainer, f.innerMember = x.append(d, f.container), true
	if x.ahead == nil {
		x.ahead = map[uint32]int32{}
	}
	x.ahead[name.Index()] = f.innerContainer
}

// reached reports whether node n, which is occurrence i, was declared ahead.
func (x *extraction) reached(n, i uint32) bool {
	at, ok := x.ahead[n]
	if !ok {
		return false
	}
	x.out.occs[i].flags |= isDefinition
	x.out.decls[at].occ = i
	return true
}

// define makes occurrence i a decl inside container, and returns its number.
func (x *extraction) define(i uint32, start, end uint32, kind Kind, container int32) int32 {
	occ := &x.out.occs[i]
	occ.flags |= isDefinition
	return x.append(decl{start: start, end: end, occ: i, name: occ.name, at: occ.start, kind: kind}, container)
}

// describe sets x.decl to what frame owner declares as name, at that offset.
func (x *extraction) describe(name string, at int, kind Kind, owner int) {
	around := &x.frames[max(owner-1, 0)]
	x.decl = lang.Declaration{
		Name: name, At: at, Kind: kind, Node: x.tree.At(x.frames[owner].at), Around: x.tree.At(around.at), IsExported: around.exported,
	}
}

// append adds a decl inside container, and returns its number.
func (x *extraction) append(d decl, container int32) int32 {
	d.parent = noParent
	x.contain(&d, container)
	x.hold(&d)
	d.exported = x.lang.Exported(&x.decl)
	x.declared[inside{container, d.name}] = int32(len(x.out.decls))
	x.out.decls = append(x.out.decls, d)
	return int32(len(x.out.decls) - 1)
}

// refined returns the kind of x.decl.
func (x *extraction) refined(r lang.Role) Kind {
	if r&lang.Callable != 0 {
		x.decl.Kind = callable(x.decl.Kind)
	}
	if x.lang.Refine == nil {
		return x.decl.Kind
	}
	return x.lang.Refine(&x.decl)
}

// callable returns the kind of a declared name that can be called.
func callable(kind Kind) Kind {
	switch kind {
	case Variable:
		return Function
	case Field:
		return Method
	default:
		return kind
	}
}

// inMember returns the kind of what is declared in the body of a type.
func inMember(kind Kind, member bool) Kind {
	switch {
	case member && kind == Function:
		return Method
	case member && (kind == Variable || kind == Constant):
		return Field
	default:
		return kind
	}
}

// inType reports whether container is a type.
func (x *extraction) inType(container int32) bool {
	return container >= 0 && x.out.decls[container].kind.IsType()
}

// bind makes i a name of scope. A second declaration in one scope is a use of
// the first, as in Go's a, err := f() and all of Python.
func (x *extraction) bind(i uint32, scope int32, from uint32) {
	x.bindAs(i, x.out.occs[i].name, scope, from)
}

// bindAs is bind by another name than the one that is written.
func (x *extraction) bindAs(i, name uint32, scope int32, from uint32) {
	occ := &x.out.occs[i]
	key := scoped{scope, name}
	occ.flags |= isLocal
	if was, ok := x.locals[key]; ok {
		occ.flags |= isWrite
		occ.link = was.occ + 1
		return
	}
	occ.flags |= isDefinition
	occ.link = i + 1
	x.locals[key] = local{from: from, occ: i}
	x.hasLocal[name] = true
}

// from returns the offset from which on a local name counts.
func (x *extraction) from(i uint32, r lang.Role, owner int) uint32 {
	f := &x.frames[owner]
	switch {
	case x.lang.Hoists, r&lang.Early != 0:
		return 0
	case r&lang.Later != 0: // func f(url *url.URL): the second is another
		for j := owner; j > 0; j-- {
			if x.frames[j].body != 0 {
				return x.frames[j].body
			}
		}
		return f.end
	case f.innerScope != f.scope:
		return x.out.occs[i].start // a local type may mention itself
	default:
		return f.end // x := x: the second is another
	}
}

// symbol appends a decl, and makes it the container of what follows below its
// owner.
func (x *extraction) symbol(i uint32, kind Kind, f *frame, owner int) {
	occ := &x.out.occs[i]
	if x.lang.Repeats && kind.IsAssigned() && x.hasDecl(f.container, occ.name) {
		return
	}
	span := x.widen(owner)
	if at, ok := x.declared[inside{f.container, occ.name}]; ok && x.lang.Clauses {
		d := &x.out.decls[at]
		d.end = max(d.end, span[1])
		f.innerContainer = at
		return
	}
	at := x.define(i, span[0], span[1], kind, f.container)
	if x.tables.Marks(f.kind).Has(lang.IsRest) {
		around := &x.frames[owner-1]
		x.out.decls[at].end, around.innerContainer = around.end, at
	}
	for j := owner; j < len(x.frames); j++ { // the name may stand below the owner: (a), *a
		x.frames[j].innerContainer, x.frames[j].holder = at, 0
		x.frames[j].nameless = x.frames[j].nameless && !kind.IsType()
	}
	if kind.IsType() {
		f.innerMember = true
	}
}

// contain puts d into the decl at, if that is one.
func (x *extraction) contain(d *decl, at int32) {
	if at < 0 {
		return
	}
	outer := x.out.decls[at]
	name := x.out.names[outer.name]
	if outer.container != 0 && outer.depth < maxContainers { // a hostile file would square its size
		name = x.out.names[outer.container] + "." + name
	}
	if strings.Contains(name, "::") { // namespace a::b
		name = strings.ReplaceAll(name, "::", ".")
	}
	d.parent, d.depth, d.container = at, outer.depth+1, x.intern([]byte(name))
}

// hold gives d the container that stands before its name, or that the text
// around it extends.
func (x *extraction) hold(d *decl) {
	name, holder := x.receiver, x.frames[len(x.frames)-1].holder
	x.receiver = 0
	switch {
	case name != 0:
		d.kind = inMember(d.kind, true)
	case holder != 0:
		name = holder - 1
	default:
		return
	}
	if d.container != 0 {
		name = x.intern([]byte(x.out.names[d.container] + "." + x.out.names[name]))
	}
	d.container = name
}

// widen returns the span of a declaration: of the frame owner, or of the nodes
// around it that hold nothing else, like "export const … ;".
func (x *extraction) widen(owner int) [2]uint32 {
	f := &x.frames[owner]
	if f.wide != [2]uint32{} {
		return f.wide
	}
	span := [2]uint32{f.start, f.end}
	for j := owner - 1; j > 0; j-- {
		outer := &x.frames[j]
		rest := outer.end - span[1]
		if !outer.wraps || outer.declares || rest > 1 || rest == 1 && x.tree.Src[span[1]] != ';' {
			break
		}
		outer.declares = true
		span = [2]uint32{outer.start, outer.end}
	}
	f.wide = span
	return span
}

// attribute declares a field by an assignment to it in a method of its class,
// self.x = 1, or what a module exports by exports.x = 1.
func (x *extraction) attribute(i uint32, owner int) {
	occ := &x.out.occs[i]
	f := &x.frames[owner]
	if occ.link == 0 {
		return
	}
	object := x.out.occs[occ.link-1]
	class, kind := f.innerContainer, Field
	switch {
	case object.has(isNameless) && object.has(isSelf):
		return
	case object.has(isSelf):
		for class >= 0 && x.out.decls[class].kind != Class {
			class = x.out.decls[class].parent
		}
		if class < 0 {
			return
		}
	case x.lang.Family == "javascript" && x.out.names[object.name] == "exports" && class < 0:
		x.decl = x.assignment(i, f, Variable)
		if x.decl.Node.Child("right").Kind() == "identifier" { // exports.f = f
			x.facts.Imports = append(x.facts.Imports, imported{Name: x.decl.Name, Alias: x.decl.Name, Exported: true})
			return
		}
		kind = x.refined(0)
	default:
		return
	}
	if x.hasDecl(class, occ.name) {
		return
	}
	f.bound = append(f.bound, i)
	x.decl = x.assignment(i, f, kind)
	x.define(i, f.start, f.end, kind, class)
}

// assignment describes what the assignment of frame f declares by occurrence i.
func (x *extraction) assignment(i uint32, f *frame, kind Kind) lang.Declaration {
	node := x.tree.At(f.at)
	return lang.Declaration{Name: x.out.name(int(i)), Kind: kind, Node: node, Around: node, IsExported: f.exported}
}

// hasDecl reports whether container declares name already.
func (x *extraction) hasDecl(container int32, name uint32) bool {
	_, ok := x.declared[inside{container, name}]
	return ok
}

// resolve links what mentions a local name to its declaration.
func (x *extraction) resolve() {
	for key := range x.globals {
		x.unbind(key)
	}
	for key := range x.outers {
		x.unbind(key)
		delete(x.locals, key)
	}
	for i := range x.out.occs {
		occ := &x.out.occs[i]
		if !x.hasLocal[occ.name] || occ.has(isDefinition|isAccess|isImport) || occ.has(isKey) && !occ.has(isBoth) {
			continue
		}
		occ.flags &^= isLocal
		if l, ok := x.lookup(x.scopeOf[i], occ.name, occ.start); ok {
			occ.flags |= isLocal
			occ.link = l.occ + 1
		}
	}
}

// unbind takes back that key is declared in its scope.
func (x *extraction) unbind(key scoped) {
	if l, ok := x.locals[key]; ok {
		x.out.occs[l.occ].flags &^= isLocal | isDefinition
		x.out.occs[l.occ].link = 0
	}
}

// lookup finds name from scope outwards.
func (x *extraction) lookup(scope int32, name, at uint32) (local, bool) {
	for ; scope >= 0; scope = x.scopes[scope].parent {
		key := scoped{scope, name}
		if x.globals[key] {
			return local{}, false
		}
		if l, ok := x.locals[key]; ok && l.from <= at {
			return l, true
		}
	}
	return local{}, false
}

// publish exports what is exported apart from its declaration, everything of a
// file that is no module, and the members of what is exported.
func (x *extraction) publish() {
	outside := exports{module: x.facts.IsModule, names: x.facts.Exports}
	for i := range x.out.decls {
		d := &x.out.decls[i]
		name := x.out.names[d.name]
		switch {
		case d.parent >= 0:
			d.exported = x.out.decls[d.parent].exported && !strings.HasPrefix(name, "#")
		case outside.top(name):
			d.exported = true
		}
	}
}

// exports say what of a file can be seen outside, apart from declarations that
// say so themselves.
type exports struct {
	module bool
	names  []string
}

// top reports whether name, declared at the top, is exported.
func (e *exports) top(name string) bool { return !e.module || slices.Contains(e.names, name) }
