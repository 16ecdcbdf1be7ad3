package index

import (
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// A resolver answers for one snapshot what names mean. It keeps what it found
// out for the length of one request and belongs to one goroutine.
type resolver struct {
	snap      *Snapshot
	relations map[relationKey]*relation
	modules   map[string]string // folder → import path of the Go package in it
	names     map[string][]target
	includes  map[*file]map[string]bool
	holders   map[string]map[holder]bool // name → what has a member of that name
	scopes    map[*file]string
	sole      map[target]bool
	types     map[place]inferred
	depth     int // of inference that calls itself
}

// A place is an occurrence of a file.
type place struct {
	file *file
	occ  int
}

type inferred struct {
	target
	known bool
}

type relationKey struct {
	from *file
	to   *file
	name string
}

// maxInference bounds chains like a.b.c.d and exports of exports.
const maxInference = 6

func (s *Snapshot) resolver() *resolver {
	return &resolver{
		snap: s, relations: map[relationKey]*relation{}, modules: map[string]string{},
		names: map[string][]target{}, includes: map[*file]map[string]bool{}, holders: map[string]map[holder]bool{}, scopes: map[*file]string{}, sole: map[target]bool{}, types: map[place]inferred{},
	}
}

// declared returns where name is declared.
func (r *resolver) declared(name string) []target {
	found, known := r.names[name]
	if !known {
		found = r.snap.declared(name)
		r.names[name] = found
	}
	return found
}

// A relation says how one file can mention a name that another declares at its
// top.
type relation struct {
	same       bool     // the same file, or Go package: by its name
	names      []string // imported under these names
	qualifiers []string // behind one of these and a dot
	unresolved bool     // the name is imported from where the index cannot see
}

// relation of f to name as declared at the top of to.
func (r *resolver) relation(f, to *file, name string) *relation {
	key := relationKey{f, to, name}
	if rel := r.relations[key]; rel != nil {
		return rel
	}
	rel := &relation{}
	r.relations[key] = rel
	if f == to || f.path == to.path {
		rel.same = true
	}
	switch {
	case to.lang == nil || f.lang == nil || f.lang.Family != to.lang.Family:
	default:
		r.relate(rel, f, to, name)
	}
	return rel
}

// relate fills rel for two files of one family.
func (r *resolver) relate(rel *relation, f, to *file, name string) {
	switch to.lang.Family {
	case "go":
		r.relateGo(rel, f, to, name)
	case "python":
		r.relatePython(rel, f, to, name)
	case "javascript":
		r.relateJS(rel, f, to, name)
	case "jvm", "php", "haskell":
		r.relatePackages(rel, f, to, name)
	case "csharp":
		r.relateNamespaces(rel, f, to)
	case "c":
		r.relateC(rel, f, to, name)
	case "rust":
		r.relateRust(rel, f, to, name)
	case "ruby": // constants and what stands at the top are everybody's
		rel.same = true
	case "lua", "shellscript", "zig":
		r.relateByPath(rel, f, to)
	}
}

func (r *resolver) relateGo(rel *relation, f, to *file, name string) {
	dir := filepath.Dir(to.path)
	if filepath.Dir(f.path) == dir && f.outline().pkg == to.outline().pkg {
		rel.same = true
		return
	}
	if !token.IsExported(name) || strings.HasSuffix(to.path, "_test.go") && filepath.Dir(f.path) != dir {
		return
	}
	for _, imp := range f.outline().imports {
		if !r.importsFolder(imp.Path, dir) {
			continue
		}
		switch {
		case !imp.Explicit:
			rel.qualifiers = append(rel.qualifiers, to.outline().pkg)
		case imp.Alias == ".":
			rel.same = true
		case imp.Alias != "_":
			rel.qualifiers = append(rel.qualifiers, imp.Alias)
		}
	}
}

// importsFolder reports whether a Go import path means the package in dir.
func (r *resolver) importsFolder(path, dir string) bool {
	own := r.goImportPath(dir)
	if own != "" {
		return path == own
	}
	return strings.HasSuffix(filepath.ToSlash(dir), "/"+path) // no go.mod: GOPATH
}

// goImportPath returns the import path of dir, or "" if no go.mod tells.
func (r *resolver) goImportPath(dir string) string {
	if path, ok := r.modules[dir]; ok {
		return path
	}
	path := ""
	if i := strings.LastIndex(filepath.ToSlash(dir), "/vendor/"); i >= 0 {
		path = filepath.ToSlash(dir)[i+len("/vendor/"):]
	} else if mod := r.snap.indexedFile(filepath.Join(dir, "go.mod")); mod != nil && mod.isParsed() {
		path = mod.outline().pkg
	} else if up := filepath.Dir(dir); up != dir {
		if outer := r.goImportPath(up); outer != "" {
			path = outer + "/" + filepath.Base(dir)
		}
	}
	r.modules[dir] = strings.TrimPrefix(path, "std/") // GOROOT/src/go.mod says "module std"
	return r.modules[dir]
}

// folderOf is filepath.Dir for a clean path, without making a string.
func folderOf(path string) string {
	return path[:max(strings.LastIndexByte(path, filepath.Separator), 0)]
}

// indexedFile returns what the snapshot knows of path, or nil. It reads
// nothing.
func (s *Snapshot) indexedFile(path string) *file {
	if d := s.docs[path]; d != nil {
		return d.file()
	}
	return s.disk.file(path)
}

func (r *resolver) relateJS(rel *relation, f, to *file, name string) {
	if f.path == to.path {
		return
	}
	for _, imp := range f.outline().imports {
		switch {
		case imp.Path == "" || imp.Exported && imp.Name == "*" && imp.Alias == "":
		case imp.Name == "*":
			if at, _ := r.follow(f, imp.Path, name); at == to {
				rel.qualifiers = append(rel.qualifiers, imp.Alias)
			}
		default:
			at, original := r.follow(f, imp.Path, imp.Name)
			switch {
			case at == to && original == name:
				rel.names = append(rel.names, imp.Alias, imp.Name)
			case at == nil && imp.Name == name:
				rel.unresolved = true
			}
		}
	}
}

// follow returns the file that declares what f imports as name from path, and
// what it is called there; nil if the index does not see it.
func (r *resolver) follow(f *file, path, name string) (at *file, original string) {
	at = r.moduleFile(f, path)
	if at == nil || !at.isParsed() {
		return nil, name
	}
	return r.exported(at, name, maxInference)
}

// exported returns the file that declares what at exports as name.
func (r *resolver) exported(at *file, name string, depth int) (*file, string) {
	if name == "default" && at.outline().fallback != "" {
		return at, at.outline().fallback
	}
	if depth == 0 || declaresTop(at, name) {
		return at, name
	}
	for _, imp := range at.outline().imports {
		switch {
		case imp.Exported && imp.Alias == name && imp.Path == "": // export { a as name }
			if from := importOf(at, imp.Name); from != nil {
				if next := r.moduleFile(at, from.Path); next != nil && next.isParsed() {
					return r.exported(next, from.Name, depth-1)
				}
			}
			return at, imp.Name
		case imp.Exported && imp.Alias == name && imp.Name != "*", imp.Exported && imp.Name == "*" && (imp.Alias == "" || imp.Alias == "."):
			original := imp.Name
			if original == "*" {
				original = name
			}
			next := r.moduleFile(at, imp.Path)
			if next == nil || !next.isParsed() {
				continue
			}
			if to, found := r.exported(next, original, depth-1); to != nil && declaresTop(to, found) {
				return to, found
			}
		}
	}
	return at, name
}

// importOf returns the import that brings alias into f, or nil.
func importOf(f *file, alias string) *imported {
	i := slices.IndexFunc(f.outline().imports, func(imp imported) bool { return imp.Alias == alias && imp.Path != "" })
	if i < 0 {
		return nil
	}
	return &f.outline().imports[i]
}

// declaresTop reports whether f declares name outside all containers.
func declaresTop(f *file, name string) bool {
	for _, i := range f.named(name) {
		if f.outline().occs[i].has(isDefinition) && !f.outline().occs[i].has(isAccess|isLocal) {
			if at := f.declAt(int(i)); at >= 0 && f.outline().decls[at].parent == noParent {
				return true
			}
		}
	}
	return false
}

// moduleFile returns the indexed file that an import path in f means.
func (r *resolver) moduleFile(f *file, path string) *file {
	if f.lang != nil && f.lang.Name == "python" {
		return r.pythonFile(f, path)
	}
	return r.jsFile(f, path)
}

var jsEndings = []string{
	"", ".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts",
	"/index.ts", "/index.tsx", "/index.d.ts", "/index.js", "/index.jsx", "/index.mjs", "/index.cjs",
}

// jsFile resolves "./x", "../x" and, against each root, "@/x" and "~/x".
func (r *resolver) jsFile(f *file, path string) *file {
	var bases []string
	switch {
	case strings.HasPrefix(path, "."):
		bases = []string{filepath.Join(filepath.Dir(f.path), filepath.FromSlash(path))}
	case strings.HasPrefix(path, "@/"), strings.HasPrefix(path, "~/"):
		for _, root := range r.snap.roots {
			bases = append(bases, filepath.Join(root, "src", path[2:]), filepath.Join(root, path[2:]))
		}
	}
	for _, base := range bases {
		// TypeScript names what it compiles to: "./x.js" is x.ts
		for _, stem := range [...]string{base, strings.TrimSuffix(strings.TrimSuffix(base, ".js"), ".jsx")} {
			for _, ending := range jsEndings {
				if at := r.snap.indexedFile(stem + filepath.FromSlash(ending)); at != nil && at.lang != nil {
					return at
				}
			}
		}
	}
	return nil
}

func (r *resolver) relatePython(rel *relation, f, to *file, name string) {
	if f.path == to.path {
		return
	}
	for _, imp := range f.outline().imports {
		if imp.Name == "*" && imp.Alias != "." { // import a.b
			if r.pythonFile(f, imp.Path) == to {
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
		if r.pythonFile(f, joinPython(imp.Path, imp.Name)) == to { // from pkg import module
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
