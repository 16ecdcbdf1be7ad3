package index

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
)

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
// folder of its crate: "/src/shape::a::b".
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
