package index

import (
	"slices"

	"github.com/agentls/agentls/index/lang"
)

// classify says how surely occurrence i of f means t; 0 is not at all. It
// holds the rules for references and, read backwards, for definitions.
func (r *resolver) classify(f *file, i int, t target) Certainty {
	occ := f.outline().occs[i]
	own := int(t.decl().occ)
	switch {
	case f == t.file && i == own:
		return Certain
	case f == t.file && occ.has(isLocal) && int(occ.link)-1 == own: // a function in a function
		return Certain
	case t.outline().occs[own].has(isLocal) && !t.decl().kind.IsMember():
		return 0
	case occ.has(isBoth) && t.decl().kind.IsMember():
		return r.classifyBoth(f, i, t)
	case occ.has(isLocal):
		return 0
	case occ.has(isDefinition):
		return r.overrides(f, i, t)
	case occ.has(isSelf) && !occ.has(isAccess):
		return 0
	case (t.decl().kind.IsMember() || t.isNested()) && !t.isEnumerator():
		return r.classifyMember(f, i, t)
	default:
		return r.classifyTop(f, i, t)
	}
}

// isNested reports whether t is a class or the like in another: it is named
// like a member.
func (t target) isNested() bool {
	if t.decl().parent == noParent {
		return false
	}
	switch t.outline().decls[t.decl().parent].kind {
	case Module, Function, Heading, Key:
		return false
	default:
		return true
	}
}

// overrides reports whether a definition may be one of the same thing: an
// overload in the same container.
func (r *resolver) overrides(f *file, i int, t target) Certainty {
	at := f.declAt(i)
	switch {
	case f.isNamelessMember(i) && t.lang.Family == "javascript":
		return r.classifyBoth(f, i, t) // of an object, as a key is
	case at < 0 || f != t.file:
		return r.declares(f, at, t)
	}
	d := t.decl()
	if f.outline().decls[at].kind == d.kind && f.outline().decls[at].parent == d.parent && f.outline().decls[at].container == d.container {
		return Certain
	}
	return 0
}

// declares reports whether decl at of f is the declaration of what t defines, or
// the other way round: C, C++ and OCaml have both.
func (r *resolver) declares(f *file, at int, t target) Certainty {
	if at < 0 || f.lang == nil || f.lang.Family != t.lang.Family || t.lang.Family != "c" && t.lang.Family != "ocaml" {
		return 0
	}
	other := target{f, at}
	same := inMember(other.decl().kind, true) == inMember(t.decl().kind, true) && other.qualified() == t.qualified() // what n in void n::f is, only its declaration says
	if !same || !r.relation(f, t.file, t.name()).same && !r.relation(t.file, f, t.name()).same {
		return 0
	}
	return Certain
}

// classifyTop is classify for what is declared at the top of a file.
func (r *resolver) classifyTop(f *file, i int, t target) Certainty {
	occ, name := f.outline().occs[i], t.name()
	rel := r.relation(f, t.file, name)
	switch {
	case occ.has(isKey) && !occ.has(isBoth):
		return r.classifyKey(rel, t)
	case occ.has(isAccess):
		return r.classifyQualified(f, i, rel, t)
	case occ.has(isImport) && rel.same && t.lang.Modules: // export { a as b }
		if slices.Contains(rel.exports, f.name(i)) {
			return Certain
		}
		return 0
	case f.lang != nil && (r.isInstance(f, i) || r.isSibling(f, i)):
		return 0
	case rel.same && f.name(i) == name:
		return r.unlessImported(f, name, t)
	case slices.Contains(rel.names, f.name(i)):
		return Certain
	case f.name(i) != name || !t.decl().exported || f.lang == nil || t.lang.Name == "go":
		return 0
	case rel.unresolved:
		return Possible
	case f.lang.Name == t.lang.Name && importOf(f, name) == nil && !f.outline().module && sharesScope(t.lang) && !declaresTop(f, name):
		return Possible
	default:
		return 0
	}
}

// sharesScope reports whether a name of l at the top of a file can be seen from
// others that do not say so: scripts share one scope, and what a build brings
// together the index does not know.
func sharesScope(l *lang.Language) bool {
	switch l.Family {
	case "python", "jvm", "csharp", "php", "haskell":
		return false
	default:
		return true
	}
}

// unlessImported is Certain, but for a file that imports another thing of that
// name.
func (r *resolver) unlessImported(f *file, name string, t target) Certainty {
	if f != t.file && t.lang.Name == "go" {
		for _, imp := range f.outline().imports {
			if imp.Alias == name {
				return 0
			}
		}
	}
	return Certain
}

// classifyKey: a key can be a constant or a variable in the literal of a map,
// as well as the name of a field.
func (r *resolver) classifyKey(rel *relation, t target) Certainty {
	if k := t.decl().kind; rel.same && t.lang.Name == "go" && (k == Constant || k == Variable) {
		return Possible
	}
	return 0
}

// classifyQualified is for names behind a dot: pkg.Name.
func (r *resolver) classifyQualified(f *file, i int, rel *relation, t target) Certainty {
	q := int(f.outline().occs[i].link) - 1
	if at, original := r.member(f, i); at != nil {
		if at == t.file && original == t.name() {
			return Certain
		}
		return 0
	}
	if q < 0 || f.name(i) != t.name() {
		return 0
	}
	before := f.outline().occs[q]
	if before.has(isLocal) {
		return 0
	}
	if f.lang.Family == "rust" && t.decl().parent == noParent {
		if offers, rooted := r.qualifiesRust(f, q, t); offers {
			return Certain
		} else if rooted {
			return 0
		}
	}
	if slices.Contains(rel.qualifiers, f.name(q)) || r.isSpelledOut(f, q, t) {
		return Certain
	}
	if parent := t.decl().parent; parent != noParent { // in a namespace
		return r.classify(f, q, target{t.file, int(parent)})
	}
	return 0
}

// classifyMember is classify for methods, fields and the like.
func (r *resolver) classifyMember(f *file, i int, t target) Certainty {
	occ := f.outline().occs[i]
	if f.lang == nil || f.lang.Family != t.lang.Family || f.name(i) != t.name() || r.isApart(occ, t) {
		return 0
	}
	switch {
	case occ.has(isImport):
		if r.importsFrom(f, t, t.name()) {
			return Certain
		}
		return 0
	case occ.has(isKey):
		return r.classifyFieldKey(f, i, t)
	case !occ.has(isAccess):
		return r.classifyAlone(f, i, t)
	}
	q := int(occ.link) - 1
	switch {
	case q < 0:
		return r.bySole(f, t)
	case t.isNested() && r.isSpelledOut(f, q, t):
		return Certain
	case r.isOfModule(f, i, q):
		if t.lang.Family == "lua" && slices.Contains(r.relation(f, t.file, t.name()).qualifiers, f.name(q)) {
			return Certain // a module is a table
		}
		return 0
	}
	return r.classifyBehind(f, q, t)
}

// classifyAlone is classifyMember where nothing stands before the name.
func (r *resolver) classifyAlone(f *file, i int, t target) Certainty {
	switch {
	case f.lang.Bare:
		return r.classifyBare(f, i, t)
	case f.lang.Family == "ocaml":
		return r.classifyInstance(f, i, t)
	case r.isSibling(f, i):
		return r.memberOf(target{f, enumAround(f, i)}, t)
	default:
		return 0
	}
}

// isOfModule reports whether occurrence i, behind occurrence q, is of a module or
// package, and so of no type.
func (r *resolver) isOfModule(f *file, i, q int) bool {
	before := f.outline().occs[q]
	if at, _ := r.member(f, i); at != nil {
		return true
	}
	return !before.has(isLocal|isAccess) && r.isPackage(f, f.name(q)) ||
		f.lang.Family == "rust" && isRustRoot(f.name(q)) && !before.has(isSelf)
}

// classifyBehind is classifyMember by the type of what stands before the name,
// occurrence q.
func (r *resolver) classifyBehind(f *file, q int, t target) Certainty {
	owner, known := r.typeOf(f, q)
	switch {
	case r.isSuper(f, q):
		return r.classifyInherited(f, q, t)
	case isNamelessSelf(f.outline().occs[q]):
		return r.inherits(f, t)
	case known:
		return r.memberOf(owner, t)
	case r.isForeignType(f, q):
		return 0
	case t.isExtension() && hintedAs(f, q, t.outline().names[t.decl().container]):
		return r.bySole(f, t)
	case r.isForeign(f, q):
		return min(r.bySole(f, t), Possible)
	default:
		return r.bySole(f, t)
	}
}

// isNamelessSelf reports whether occ is a word for an object whose class has no
// name.
func isNamelessSelf(occ occurrence) bool {
	return occ.has(isNameless) && occ.has(isSelf) && !occ.has(isAccess|isLocal)
}

// inherits is for a member of a class without a name in f: what the class does
// not have itself may be t, of one of its bases. What an object of JavaScript
// has may be t itself, as keys may.
func (r *resolver) inherits(f *file, t target) Certainty {
	if f.lang.Family != "javascript" && definesNameless(f, t.name()) {
		return 0
	}
	return Possible
}

// definesNameless reports whether a class without a name in f has a member of
// that name.
func definesNameless(f *file, name string) bool {
	return slices.ContainsFunc(f.named(name), func(i uint32) bool { return f.isNamelessMember(int(i)) })
}

// isNamelessMember reports whether occurrence i defines a member of a class
// without a name.
func (f *file) isNamelessMember(i int) bool {
	occ := f.outline().occs[i]
	return occ.has(isNameless) && occ.has(isDefinition) && (!occ.has(isLocal) || f.declAt(i) >= 0)
}

// isApart reports whether a use cannot be of t, a field or method, because it
// is one of a method or field: a call, or none. What is called can be a field
// where no method has its name: a component of a record.
func (r *resolver) isApart(occ occurrence, t target) bool {
	switch {
	case t.lang.Family == "rust":
		return occ.has(isCall) && t.decl().kind == Field
	case !t.lang.Apart || occ.has(isDefinition|isKey|isImport):
		return false
	case t.decl().kind == Method:
		return !occ.has(isCall)
	case !t.decl().kind.IsMember() || !occ.has(isCall):
		return false
	default:
		return r.hasMethod(t)
	}
}

// hasMethod reports whether a method beside t, a field, has its name.
func (r *resolver) hasMethod(t target) bool {
	return slices.ContainsFunc(r.declared(t.name()), func(other target) bool {
		return other.decl().kind == Method && r.isBeside(other, t)
	})
}

// isBeside reports whether a and b are members of one type.
func (r *resolver) isBeside(a, b target) bool {
	return a.outline().names[a.decl().container] == b.outline().names[b.decl().container] && r.packageOf(a.file) == r.packageOf(b.file)
}

// isForeignType reports whether occurrence q of f, which stands before a dot, is
// called like a type, and is none of the workspace's: Console.WriteLine.
func (r *resolver) isForeignType(f *file, q int) bool {
	switch f.lang.Family {
	case "rust", "jvm", "csharp", "php", "ruby":
		return !f.outline().occs[q].has(isLocal|isSelf) && startsUpper(f.name(q)) && len(r.meanings(f, q)) == 0
	default:
		return false
	}
}

// classifyFieldKey is for the keys of literals: by the type of the literal,
// where it is written there.
func (r *resolver) classifyFieldKey(f *file, i int, t target) Certainty {
	typ := int(f.outline().occs[i].link) - 1
	switch {
	case t.decl().kind != Field && !isKeyed(t):
		return 0
	case typ < 0 && (f.lang.Name == "go" || f.lang.Family == "ocaml"):
		return r.bySole(f, t)
	case typ < 0: // of any object, or an argument's name
		return Possible
	}
	if f.outline().occs[typ].has(isSelf) { // Self
		owner, known := r.classAround(f, typ)
		if !known {
			return 0
		}
		return r.memberOf(owner, t)
	}
	found := r.meanings(f, typ)
	if len(found) == 0 { // another library's
		return 0
	}
	return r.memberOf(found[0], t)
}

// isKeyed reports whether a key can mean t, which is no field: JavaScript's
// methods, and Zig's .name of an enum.
func isKeyed(t target) bool {
	return t.lang.Family == "javascript" && t.decl().kind == Method || t.lang.Family == "zig" && t.decl().kind == Member
}

// classifyBoth is for a name that is a key and its value: by the name alone, as
// what it is the value of is not kept.
func (r *resolver) classifyBoth(f *file, i int, t target) Certainty {
	switch {
	case f.name(i) != t.name() || f.lang.Family != t.lang.Family || t.decl().kind == Method && t.lang.Family != "javascript":
		return 0
	case f.outline().occs[i].has(isKey): // a label
		return r.classifyInstance(f, i, t)
	case t.lang.Family == "rust" || t.lang.Family == "ocaml":
		return r.bySole(f, t)
	default:
		return Possible
	}
}

// isPackage reports whether name stands for an imported package or module.
func (r *resolver) isPackage(f *file, name string) bool {
	return slices.ContainsFunc(f.outline().imports, func(imp imported) bool {
		return imp.Alias == name && imp.Name == "*"
	})
}

// bySole is for a receiver of unknown type: certain if no other type has a
// member of that name.
func (r *resolver) bySole(f *file, t target) Certainty {
	if t.lang.Name == "go" && !t.decl().exported && r.packageOf(f) != r.packageOf(t.file) {
		return 0
	}
	if !r.isSole(t) {
		return Possible
	}
	return Certain
}

// isSole reports whether no other type of the workspace has a member that is
// named like t.
func (r *resolver) isSole(t target) bool {
	if sole, known := r.sole[t]; known {
		return sole
	}
	r.sole[t] = !slices.ContainsFunc(r.declared(t.name()), func(other target) bool {
		overload := other.file == t.file && other.decl().container == t.decl().container
		return other != t && !overload && (other.decl().kind.IsMember() || other.isNested()) && other.lang.Family == t.lang.Family
	})
	return r.sole[t]
}

// memberOf says whether t is what owner has by its name.
func (r *resolver) memberOf(owner, t target) Certainty {
	if r.owns(owner, t) {
		return Certain
	}
	if owner.decl().kind != Interface && r.hasMember(owner, t.name()) {
		return 0 // it has one of its own
	}
	if r.packageOf(owner.file) != r.packageOf(t.file) && !t.decl().exported && t.lang.Name == "go" {
		return 0
	}
	return Possible // embedded, inherited, or behind an interface
}

// A holder is a type by its scope and qualified name: what members are
// declared in.
type holder struct{ scope, name string }

// owns reports whether t is declared in owner.
func (r *resolver) owns(owner, t target) bool {
	return t.outline().names[t.decl().container] == owner.qualified() && r.packageOf(owner.file) == r.packageOf(t.file)
}

// hasMember reports whether a member of that name is declared in owner.
func (r *resolver) hasMember(owner target, name string) bool {
	return r.holdersOf(name)[holder{r.packageOf(owner.file), owner.qualified()}]
}

// holdersOf returns the types that declare a member of that name.
func (r *resolver) holdersOf(name string) map[holder]bool {
	holders, known := r.holders[name]
	if !known {
		holders = map[holder]bool{}
		for _, t := range r.declared(name) {
			if t.decl().kind.IsMember() {
				holders[holder{r.packageOf(t.file), t.outline().names[t.decl().container]}] = true
			}
		}
		r.holders[name] = holders
	}
	return holders
}

// packageOf names the scope that f's unexported names are seen in: a Go
// package, elsewhere a file.
func (r *resolver) packageOf(f *file) string {
	scope, known := r.scopes[f]
	if !known {
		scope = f.path
		if f.lang != nil && f.lang.Name != "go" {
			scope = scopeOf(f)
		} else if f.lang != nil {
			dir := folderOf(f.path)
			scope = dir + ":" + f.outline().pkg
		}
		r.scopes[f] = scope
	}
	return scope
}
