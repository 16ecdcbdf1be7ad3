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
	if kind == 0 {
		x.bind(i, f.innerScope, x.from(i, r, owner))
		return
	}
	x.decl = lang.Declaration{Name: x.out.name(int(i)), Kind: kind, Node: x.tree.At(f.at), Around: x.tree.At(x.frames[max(owner-1, 0)].at), IsExported: x.frames[max(owner-1, 0)].exported}
	if x.decl.Name == x.lang.Blank {
		return
	}
	kind = inMember(x.refined(), f.member)
	local := f.scope != 0 && !f.member
	if local && kind != Field && kind != Method && kind != Member {
		x.bind(i, f.scope, x.from(i, r, owner))
		if !x.lang.Nests || kind != Function && kind != Class {
			return
		}
	} else if local && !x.inType(f.container) {
		x.out.occs[i].flags |= isDefinition // of an anonymous type, or an object in a function
		return
	}
	if r&lang.Itself != 0 {
		x.append(decl{start: x.out.occs[i].start, end: x.out.occs[i].start + uint32(len(x.decl.Name)), occ: i, kind: kind}, f.container)
		return
	}
	x.symbol(i, kind, f, owner)
}

// append adds a decl inside container, and returns its number.
func (x *extraction) append(d decl, container int32) int32 {
	occ := &x.out.occs[d.occ]
	occ.flags |= isDefinition
	d.name, d.at, d.parent = occ.name, occ.start, noParent
	x.contain(&d, container)
	if x.receiver != 0 && d.kind == Method {
		d.container, x.receiver = x.receiver-1, 0
	}
	d.exported = x.lang.Exported(&x.decl)
	x.declared[inside{container, d.name}] = true
	x.out.decls = append(x.out.decls, d)
	return int32(len(x.out.decls) - 1)
}

// refined returns the kind of x.decl.
func (x *extraction) refined() Kind {
	if x.lang.Refine == nil {
		return x.decl.Kind
	}
	return x.lang.Refine(&x.decl)
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
	occ := &x.out.occs[i]
	key := scoped{scope, occ.name}
	occ.flags |= isLocal
	if was, ok := x.locals[key]; ok {
		occ.link = was.occ + 1
		return
	}
	occ.flags |= isDefinition
	occ.link = i + 1
	x.locals[key] = local{from: from, occ: i}
	x.hasLocal[occ.name] = true
}

// from returns the offset from which on a local name counts.
func (x *extraction) from(i uint32, r lang.Role, owner int) uint32 {
	f := &x.frames[owner]
	switch {
	case x.lang.Hoists:
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
	at := x.append(decl{start: span[0], end: span[1], occ: i, kind: kind}, f.container)
	for j := owner; j < len(x.frames); j++ { // the name may stand below the owner: (a), *a
		x.frames[j].innerContainer = at
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
	d.parent, d.depth, d.container = at, outer.depth+1, x.intern([]byte(name))
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
		kind = x.refined()
	default:
		return
	}
	if x.hasDecl(class, occ.name) {
		return
	}
	f.bound = append(f.bound, i)
	x.decl = x.assignment(i, f, kind)
	x.append(decl{start: f.start, end: f.end, occ: i, kind: kind}, class)
}

// assignment describes what the assignment of frame f declares by occurrence i.
func (x *extraction) assignment(i uint32, f *frame, kind Kind) lang.Declaration {
	node := x.tree.At(f.at)
	return lang.Declaration{Name: x.out.name(int(i)), Kind: kind, Node: node, Around: node, IsExported: f.exported}
}

// hasDecl reports whether container declares name already.
func (x *extraction) hasDecl(container int32, name uint32) bool {
	return x.declared[inside{container, name}]
}

// resolve links what mentions a local name to its declaration.
func (x *extraction) resolve() {
	for key := range x.globals {
		if l, ok := x.locals[key]; ok {
			x.out.occs[l.occ].flags &^= isLocal | isDefinition
			x.out.occs[l.occ].link = 0
		}
	}
	for i := range x.out.occs {
		occ := &x.out.occs[i]
		if !x.hasLocal[occ.name] || occ.has(isDefinition|isAccess|isImport|isKey) {
			continue
		}
		occ.flags &^= isLocal
		if l, ok := x.lookup(x.scopeOf[i], occ.name, occ.start); ok {
			occ.flags |= isLocal
			occ.link = l.occ + 1
		}
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
