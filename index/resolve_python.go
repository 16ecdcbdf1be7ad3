package index

import (
	"path/filepath"
	"strings"
)

func (r *resolver) relatePython(rel *relation, f, to *file, name string) {
	if f.path == to.path {
		return
	}
	for _, imp := range f.outline().imports {
		if imp.Name == "*" && imp.Alias != "." { // import a.b
			if r.pythonOffers(r.pythonFile(f, imp.Path), to, name) {
				rel.qualifiers = append(rel.qualifiers, imp.Alias)
			}
			continue
		}
		at := r.pythonFile(f, imp.Path)
		if imp.Name == "*" {
			if at != nil && at.isParsed() {
				if from, original := r.exported(at, name, maxInference); from == to && original == name {
					rel.same = true
				}
			}
			continue
		}
		if r.pythonOffers(r.pythonFile(f, joinPython(imp.Path, imp.Name)), to, name) { // from pkg import module
			rel.qualifiers = append(rel.qualifiers, imp.Alias)
		}
		if at == nil || !at.isParsed() {
			continue // another's library
		}
		if from, original := r.exported(at, imp.Name, maxInference); from == to && original == name {
			rel.names = append(rel.names, imp.Alias, imp.Name)
		}
	}
}

// pythonOffers reports whether the module at declares name as to does, or
// imports it from there.
func (r *resolver) pythonOffers(at, to *file, name string) bool {
	return at == to || at != nil && at.isParsed() && r.offers(at, name, to, name)
}

func joinPython(module, name string) string {
	if strings.HasSuffix(module, ".") {
		return module + name
	}
	return module + "." + name
}

// pythonFile resolves a module name: relative ones from the folder of f,
// others from the folders around f and from the roots.
func (r *resolver) pythonFile(f *file, module string) *file {
	dir := filepath.Dir(f.path)
	rest := strings.TrimLeft(module, ".")
	rel := filepath.FromSlash(strings.ReplaceAll(rest, ".", "/"))
	if dots := len(module) - len(rest); dots > 0 {
		for range dots - 1 {
			dir = filepath.Dir(dir)
		}
		return r.pythonIn(dir, rel)
	}
	root, ok := r.snap.root(f.path)
	for ; ok && below(dir, root); dir = filepath.Dir(dir) {
		if r.snap.indexedFile(filepath.Join(dir, "__init__.py")) != nil && dir != root {
			continue // a folder of a package is not where imports begin
		}
		for _, sub := range [...]string{"", "src", "lib", "python"} {
			if at := r.pythonIn(filepath.Join(dir, sub), rel); at != nil {
				return at
			}
		}
		if filepath.Dir(dir) == dir {
			break
		}
	}
	return nil
}

func (r *resolver) pythonIn(dir, rel string) *file {
	base := filepath.Join(dir, rel)
	for _, ending := range [...]string{".py", ".pyi", "/__init__.py", "/__init__.pyi"} {
		if at := r.snap.indexedFile(base + filepath.FromSlash(ending)); at != nil {
			return at
		}
	}
	return nil
}
