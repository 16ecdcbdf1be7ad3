package index

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/agentls/agentls/index/lang"
)

// relatePackages is relation for languages whose files say which package they
// are of: the JVM's, PHP and Haskell.
func (r *resolver) relatePackages(rel *relation, f, to *file, name string) {
	own, other := f.outline().pkg, to.outline().pkg
	nested := f.lang.Name == "scala" && strings.HasPrefix(own, other+".") // it sees the packages around its own
	if f.lang.Family != "haskell" && (own == other || nested) {
		rel.same = true
	}
	for _, imp := range f.outline().imports {
		switch {
		case imp.Path != other:
		case imp.Name == "*" && imp.Alias == ".":
			rel.same = true
		case imp.Name == "*":
			rel.qualifiers = append(rel.qualifiers, imp.Alias)
		case imp.Name == name:
			rel.names = append(rel.names, imp.Alias, imp.Name)
		}
	}
}

// relateNamespaces is relation for C#: a file sees the namespaces that it uses,
// and those around its own.
func (r *resolver) relateNamespaces(rel *relation, f, to *file, name string) {
	theirs := namespaces(to)
	if len(theirs) == 0 {
		rel.same = true
		return
	}
	sees := func(space string) bool {
		return slices.ContainsFunc(f.outline().imports, func(imp imported) bool { return imp.Path == space && imp.Alias == "." }) ||
			slices.ContainsFunc(namespaces(f), func(own string) bool { return own == space || strings.HasPrefix(own, space+".") })
	}
	rel.same = rel.same || slices.ContainsFunc(theirs, sees)
	for _, imp := range f.outline().imports {
		if imp.Name == name && slices.Contains(theirs, imp.Path) { // using N = A.B
			rel.names = append(rel.names, imp.Alias, imp.Name)
		}
	}
}

// namespaces returns the qualified names of the modules that f declares.
func namespaces(f *file) []string {
	var names []string
	for i := range f.outline().decls {
		if f.outline().decls[i].kind == Module {
			names = append(names, target{f, i}.qualified())
		}
	}
	return names
}

// relateByPath is relation for languages that import files by a path, whose
// end the file must have: what is imported as a whole is seen by its name, what
// has a name stands behind it.
func (r *resolver) relateByPath(rel *relation, f, to *file) {
	stem := strings.TrimSuffix(filepath.ToSlash(to.path), filepath.Ext(to.path))
	for _, imp := range f.outline().imports {
		path := strings.TrimLeft(strings.TrimSuffix(imp.Path, filepath.Ext(to.path)), "./")
		if f.lang.Name == "lua" {
			path = strings.ReplaceAll(path, ".", "/")
		}
		if path == "" || !strings.HasSuffix(stem, "/"+path) && !strings.HasSuffix(stem, "/"+path+"/init") {
			continue
		}
		if imp.Alias == "." {
			rel.same = true
		} else {
			rel.qualifiers = append(rel.qualifiers, imp.Alias)
		}
	}
}

// relateOCaml is relation for OCaml: a file is a module, which all know by its
// name, and its interface is the same module. A module of that name beside f is
// meant before one elsewhere.
func (r *resolver) relateOCaml(rel *relation, f, to *file) {
	module := ocamlModule(to.path)
	switch own := folderOf(f.path); {
	case strings.TrimSuffix(f.path, filepath.Ext(f.path)) == strings.TrimSuffix(to.path, filepath.Ext(to.path)):
		rel.same = true
		return
	case own != folderOf(to.path):
		for _, ending := range [...]string{".ml", ".mli"} {
			stem := filepath.Join(own, strings.TrimSuffix(filepath.Base(to.path), filepath.Ext(to.path)))
			if r.snap.indexedFile(stem+ending) != nil {
				return
			}
		}
	}
	rel.qualifiers = append(rel.qualifiers, module)
	rel.same = rel.same || slices.ContainsFunc(f.outline().imports, func(imp imported) bool { return imp.Path == module })
}

// ocamlModule returns the name of the module that the file at path is.
func ocamlModule(path string) string {
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	return strings.ToUpper(stem[:min(1, len(stem))]) + stem[min(1, len(stem)):]
}

// classifyBare is classifyMember for a name without a dot, where methods name
// the members of their class so: those of the classes around, from the inside
// out, and else perhaps what one inherits.
func (r *resolver) classifyBare(f *file, i int, t target) Certainty {
	owner, known := r.classAround(f, i)
	if !known {
		if t.isExtension() && isInExtension(f, i, t) {
			return Certain
		}
		return 0
	}
	if !f.outline().occs[i].has(isCall) && r.constructs(t) {
		return 0 // the type of that name
	}
	if f.outline().occs[i].has(isNameless) && definesNameless(f, t.name()) {
		return Possible // or what the class around has
	}
	for at := owner.at; at >= 0; at = int(f.outline().decls[at].parent) {
		around := target{owner.file, at}
		if !around.decl().kind.IsType() || owner.file != f {
			break
		}
		if around == t || r.owns(around, t) {
			return Certain
		}
		if r.hasMember(around, t.name()) {
			return 0
		}
	}
	if r.owns(owner, t) {
		return Certain
	}
	if r.hasMember(owner, t.name()) {
		return 0
	}
	if r.importsMember(f, t) {
		return Certain
	}
	return min(r.bySole(f, t), Possible)
}

// isExtension reports whether t is a function of Kotlin that stands outside of the
// class it is called on.
func (t target) isExtension() bool {
	return t.lang.Name == "kotlin" && t.decl().kind == Method && t.decl().parent == noParent
}

// hintedAs reports whether occurrence i of f, a local name, is declared with a type
// of that name.
func hintedAs(f *file, i int, name string) bool {
	occ := f.outline().occs[i]
	if !occ.has(isLocal) {
		return false
	}
	typ, ok := f.hint(int(occ.link) - 1)
	return ok && f.name(typ) == name
}

// isInExtension reports whether occurrence i of f stands in a function that is
// called on what t is called on.
func isInExtension(f *file, i int, t target) bool {
	o := f.outline()
	for at := f.enclosing(f.span(i)); at >= 0; at = int(o.decls[at].parent) {
		if d := o.decls[at]; d.kind == Method && o.names[d.container] == t.outline().names[t.decl().container] {
			return true
		}
	}
	return false
}

// classifyInstance is classifyMember for a name without a dot in OCaml, where
// methods name the instance variables of their class so, and no other member.
func (r *resolver) classifyInstance(f *file, i int, t target) Certainty {
	owner, known := r.classAround(f, i)
	switch {
	case !known || owner.decl().kind != Class || t.decl().kind != Field:
		return 0
	case r.owns(owner, t):
		return Certain
	case r.hasMember(owner, t.name()):
		return 0
	}
	if of, ok := r.owner(t); ok && of.decl().kind == Class && len(owner.baseNames()) > 0 {
		return Possible
	}
	return 0
}

// isSibling reports whether occurrence i of f, of TypeScript, names a member of the
// enum in which it stands.
func (r *resolver) isSibling(f *file, i int) bool {
	if f.lang.Family != "javascript" {
		return false
	}
	at := enumAround(f, i)
	return at >= 0 && r.hasMember(target{f, at}, f.name(i))
}

// enumAround returns the decl of the enum in a member of which occurrence i of f
// stands, or -1.
func enumAround(f *file, i int) int {
	at := f.enclosing(f.span(i))
	if at >= 0 && f.outline().decls[at].kind == lang.Member {
		at = int(f.outline().decls[at].parent)
	}
	if at < 0 || f.outline().decls[at].kind != lang.Enum {
		return -1
	}
	return at
}

// isInstance reports whether occurrence i of f, of OCaml, names a variable of the
// object it stands in.
func (r *resolver) isInstance(f *file, i int) bool {
	if f.lang.Family != "ocaml" {
		return false
	}
	owner, known := r.classAround(f, i)
	return known && owner.decl().kind == Class &&
		slices.ContainsFunc(r.membersOf(owner, f.name(i)), func(t target) bool { return t.decl().kind == Field })
}

// constructs reports whether t is a method that is called like its class.
func (r *resolver) constructs(t target) bool {
	d := t.decl()
	return d.kind == Method && d.parent != noParent && t.outline().decls[d.parent].name == d.name
}

// classAround returns the class whose method holds occurrence i: the type that
// it stands in, or that the name of the method's container means.
func (r *resolver) classAround(f *file, i int) (target, bool) {
	for at := f.enclosing(f.span(i)); at >= 0; at = int(f.outline().decls[at].parent) {
		d := &f.outline().decls[at]
		if d.kind.IsType() {
			return target{f, at}, true
		}
		if d.kind.IsMember() && d.parent == noParent && d.container != 0 {
			return r.typeNamed(holder{r.packageOf(f), f.outline().names[d.container]})
		}
	}
	return target{}, false
}

// scopeOf is packageOf for languages other than Go: what types are known by.
func scopeOf(f *file) string {
	switch f.lang.Family {
	case "javascript", "python":
		return f.path
	case "jvm", "php", "haskell":
		return f.lang.Family + ":" + f.outline().pkg
	default:
		return f.lang.Family + ":" // a type and its methods can be in different files
	}
}

// isEnumerator reports whether t is a name that its type does not keep to
// itself: C's enumerators, OCaml's and Haskell's constructors, Haskell's fields,
// CSS's variables.
func (t target) isEnumerator() bool {
	switch t.lang.Family {
	case "c", "ocaml":
		return t.decl().kind == lang.Member
	case "haskell":
		return t.decl().kind == lang.Member || t.decl().kind == lang.Field
	case "css":
		return t.decl().kind == lang.Field
	default:
		return false
	}
}
