package index

// noParent is the parent of a decl at the top of its file.
const noParent = -1

// maxContainers bounds the names in Symbol.Container.
const maxContainers = 16

// declare takes in the declaration of occurrence i: as a symbol, as a name of
// its scope, or as both.
func (x *extraction) declare(i uint32, r role, owner int) {
	f, kind := &x.frames[owner], r.kind()
	f.bound = append(f.bound, i)
	if kind == 0 {
		x.bind(i, f.innerScope, x.from(i, r, owner))
		return
	}
	x.around = &x.frames[max(owner-1, 0)]
	name := x.out.names[x.out.occs[i].name]
	if name == "_" && x.lang.name == "go" {
		return
	}
	kind = inMember(x.lang.refine(x, owner, name, kind), f.member)
	local := f.scope != 0 && !f.member
	if local && kind != Field && kind != Method && kind != Member {
		x.bind(i, f.scope, x.from(i, r, owner))
		if !x.lang.nests || kind != Function && kind != Class {
			return
		}
	} else if local && !x.inType(f.container) {
		x.out.occs[i].flags |= isDefinition // of an anonymous type, or an object in a function
		return
	}
	if r&itself != 0 {
		x.append(decl{start: x.out.occs[i].start, end: x.out.occs[i].start + uint32(len(name)), occ: i, kind: kind}, f.container)
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
	d.exported = x.lang.exported(x, x.out.names[d.name])
	x.declared[inside{container, d.name}] = true
	x.out.decls = append(x.out.decls, d)
	return int32(len(x.out.decls) - 1)
}

// field returns the kind of the child at field of the node of frame owner, or
// "".
func (x *extraction) field(owner int, field string) string {
	if n := x.child(x.frames[owner].at, field); n != 0 {
		return x.kind(n)
	}
	return ""
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

func (k Kind) isType() bool {
	switch k {
	case Type, Interface, Class, Enum:
		return true
	default:
		return false
	}
}

func (k Kind) isMember() bool { return k == Method || k == Field || k == Member }

// inType reports whether container is a type.
func (x *extraction) inType(container int32) bool {
	return container >= 0 && x.out.decls[container].kind.isType()
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
func (x *extraction) from(i uint32, r role, owner int) uint32 {
	f := &x.frames[owner]
	switch {
	case x.lang.hoists:
		return 0
	case r&later != 0: // func f(url *url.URL): the second is another
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
	if x.lang.repeats && isAssigned(kind) && x.hasDecl(f.container, occ.name) {
		return
	}
	span := x.widen(owner)
	at := x.append(decl{start: span[0], end: span[1], occ: i, kind: kind}, f.container)
	for j := owner; j < len(x.frames); j++ { // the name may stand below the owner: (a), *a
		x.frames[j].innerContainer = at
	}
	if kind.isType() {
		f.innerMember = true
	}
}

// isAssigned reports whether an assignment can declare such a thing.
func isAssigned(k Kind) bool { return k == Variable || k == Constant || k == Field }

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
		if !outer.wraps || outer.declares || rest > 1 || rest == 1 && x.src[span[1]] != ';' {
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
	case x.lang.family() == "javascript" && x.out.names[object.name] == "exports" && class < 0:
		x.around = f
		name := x.out.names[occ.name]
		if x.field(owner, "right") == "identifier" { // exports.f = f
			x.out.imports = append(x.out.imports, imported{Name: name, Alias: name, Exported: true})
			return
		}
		kind = x.lang.refine(x, owner, name, Variable)
	default:
		return
	}
	if x.hasDecl(class, occ.name) {
		return
	}
	f.bound = append(f.bound, i)
	x.around = f
	x.append(decl{start: f.start, end: f.end, occ: i, kind: kind}, class)
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
