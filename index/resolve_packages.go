package index

import (
	"cmp"
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

// maxIncluded bounds the files that one file includes, over others too.
const maxIncluded = 500

// relateC is relation for C and C++: a file sees what it includes, and through
// a declaration there what another file defines.
func (r *resolver) relateC(rel *relation, f, to *file, name string) {
	if rel.same {
		return
	}
	included := r.included(f)
	if included[to.path] {
		rel.same = true
		return
	}
	for path := range included { // the header that declares what to defines
		if at := r.snap.indexedFile(path); at != nil && declaresTop(at, name) && r.included(to)[path] {
			rel.same = true
			return
		}
	}
}

// included returns the paths of what f includes, over others too.
func (r *resolver) included(f *file) map[string]bool {
	if found, known := r.includes[f]; known {
		return found
	}
	found := map[string]bool{}
	r.includes[f] = found
	for queue := []*file{f}; len(queue) > 0 && len(found) < maxIncluded; queue = queue[1:] {
		for _, imp := range queue[0].outline().imports {
			at := r.includedFile(queue[0], imp.Path)
			if at != nil && at.isParsed() && !found[at.path] {
				found[at.path] = true
				queue = append(queue, at)
			}
		}
	}
	return found
}

// includedFile resolves #include: beside the file, and against the folders
// around it, with and without include and src.
func (r *resolver) includedFile(f *file, path string) *file {
	root, ok := r.snap.root(f.path)
	for dir := filepath.Dir(f.path); ok && below(dir, root); dir = filepath.Dir(dir) {
		for _, sub := range [...]string{"", "include", "src"} {
			if at := r.snap.indexedFile(filepath.Join(dir, sub, filepath.FromSlash(path))); at != nil {
				return at
			}
		}
		if filepath.Dir(dir) == dir {
			break
		}
	}
	return nil
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

// relateRust is relation for Rust: by the path of the module that to is, in its
// crate.
func (r *resolver) relateRust(rel *relation, f, to *file, name string) {
	own, module := r.rustModule(f), r.rustModule(to)
	for _, imp := range f.outline().imports {
		path := r.rustPath(own, imp.Path)
		switch {
		case imp.Name == "*" && imp.Alias == "." && r.rustExports(path, module, name, maxInference):
			rel.same = true
		case path+"::"+imp.Name == module, imp.Name == "*" && path == module:
			rel.qualifiers = append(rel.qualifiers, imp.Alias)
		case imp.Name == name && r.rustExports(path, module, name, maxInference):
			rel.names = append(rel.names, imp.Alias, imp.Name)
		}
	}
	if crate, _, _ := strings.Cut(own, "::"); strings.HasPrefix(module, crate+"::") {
		_, last, _ := strings.Cut(module, "::")
		rel.qualifiers = append(rel.qualifiers, last[strings.LastIndexByte(last, ':')+1:])
	}
}

// rustExports reports whether the module at path offers name as module declares
// it: it is that one, or uses it in public.
func (r *resolver) rustExports(path, module, name string, depth int) bool {
	if path == module {
		return true
	}
	at := r.rustFile(path)
	if depth == 0 || at == nil || !at.isParsed() {
		return false
	}
	return slices.ContainsFunc(at.outline().imports, func(imp imported) bool {
		offers := imp.Exported && (imp.Alias == name && imp.Name == name || imp.Name == "*" && imp.Alias == ".")
		return offers && r.rustExports(r.rustPath(path, imp.Path), module, name, depth-1)
	})
}

// rustModule returns the path of the module that f is, which begins with the
// folder of its crate: "/work/shape::a::b".
func (r *resolver) rustModule(f *file) string {
	dir := filepath.Dir(f.path)
	for r.snap.indexedFile(filepath.Join(dir, "Cargo.toml")) == nil {
		up := filepath.Dir(dir)
		if up == dir {
			return f.path
		}
		dir = up
	}
	rel := strings.TrimPrefix(filepath.ToSlash(f.path), filepath.ToSlash(dir)+"/")
	rel = strings.TrimSuffix(strings.TrimPrefix(rel, "src/"), ".rs")
	for _, last := range [...]string{"mod", "lib", "main"} {
		rel = strings.TrimSuffix(strings.TrimSuffix(rel, last), "/")
	}
	if rel == "" {
		return dir
	}
	return dir + "::" + strings.ReplaceAll(rel, "/", "::")
}

// rustPath returns what path means in the module own, as rustModule does.
func (r *resolver) rustPath(own, path string) string {
	crate, _, _ := strings.Cut(own, "::")
	first, rest, _ := strings.Cut(path, "::")
	if dir := r.rustCrate(own, first); dir != "" {
		own, first = dir, "self"
	}
	switch first {
	case "crate":
		own = crate
	case "self":
	case "super":
		for own = upRust(own); strings.HasPrefix(rest, "super"); own = upRust(own) {
			_, rest, _ = strings.Cut(rest, "::")
		}
	default:
		rest = path
	}
	if rest == "" {
		return own
	}
	return own + "::" + rest
}

// rustCrate returns the folder of the crate that name means in the module own,
// or "": one of the workspace, or, where no manifest names it, the own by its
// folder; a module of that name goes first.
func (r *resolver) rustCrate(own, name string) string {
	crate, _, _ := strings.Cut(own, "::")
	if name == "" || name == "crate" || name == "self" || name == "super" || r.rustFile(own+"::"+name) != nil {
		return ""
	}
	if at := r.snap.packageNamed(packageName{rustPackage, name}); at != nil {
		return folderOf(at.path)
	}
	if name == strings.ReplaceAll(filepath.Base(crate), "-", "_") {
		return crate
	}
	return ""
}

// qualifiesRust reports whether the path that ends at occurrence q of f, before
// ::, names a module that offers t, and whether it is a path from a known place,
// which means nothing else.
func (r *resolver) qualifiesRust(f *file, q int, t target) (offers, rooted bool) {
	path := strings.ReplaceAll(spelled(f, q), ".", "::")
	first, _, _ := strings.Cut(path, "::")
	own := r.rustModule(f)
	if first == "self" { // also what a method belongs to
		return false, false
	}
	if !isRustRoot(first) && r.rustCrate(own, first) == "" {
		return false, false
	}
	inner := r.modulesAround(f, q) // mod tests { … }: super is the file
	for ; inner > 0 && strings.HasPrefix(path, "super"); inner-- {
		path = cmp.Or(strings.TrimPrefix(strings.TrimPrefix(path, "super"), "::"), "self")
	}
	if first == "super" && inner > 0 {
		return false, true // in a module of the same file
	}
	return r.rustExports(r.rustPath(own, path), r.rustModule(t.file), t.name(), maxInference), true
}

// isRustRoot reports whether word begins a path from a known module.
func isRustRoot(word string) bool { return word == "crate" || word == "self" || word == "super" }

// modulesAround returns how many modules of f are around its occurrence i.
func (r *resolver) modulesAround(f *file, i int) int {
	n := 0
	for at := f.enclosing(f.span(i)); at >= 0; at = int(f.outline().decls[at].parent) {
		if f.outline().decls[at].kind == Module {
			n++
		}
	}
	return n
}

func upRust(module string) string { return module[:max(strings.LastIndex(module, "::"), 0)] }

// rustFile returns the file of a module, as rustModule names it, or nil.
func (r *resolver) rustFile(module string) *file {
	dir, rest, _ := strings.Cut(module, "::")
	base := filepath.Join(dir, "src", filepath.FromSlash(strings.ReplaceAll(rest, "::", "/")))
	for _, path := range [...]string{base + ".rs", filepath.Join(base, "mod.rs"), filepath.Join(base, "lib.rs"), filepath.Join(base, "main.rs")} {
		if at := r.snap.indexedFile(path); at != nil {
			return at
		}
	}
	return nil
}

// classifyBare is classifyMember for a name without a dot, where methods name
// the members of their class so: those of the classes around, from the inside
// out, and else perhaps what one inherits.
func (r *resolver) classifyBare(f *file, i int, t target) Certainty {
	owner, known := r.classAround(f, i)
	if !known {
		return 0
	}
	if !f.outline().occs[i].has(isCall) && r.constructs(t) {
		return 0 // the type of that name
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
