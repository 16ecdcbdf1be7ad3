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
	imports   map[importKey]*file // of JavaScript
	extends   map[*file][]*file   // of tsconfig.json: itself and what it extends
	aliased   map[target][]string // names under which modules export it, as far as they were met
	depth     int                 // of inference that calls itself
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
		imports: map[importKey]*file{}, extends: map[*file][]*file{}, aliased: map[target][]string{},
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
	exports    []string // JavaScript: it is exported there under these names, too
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
		r.relateNamespaces(rel, f, to, name)
	case "c":
		r.relateC(rel, f, to, name)
	case "rust":
		r.relateRust(rel, f, to, name)
	case "ocaml":
		r.relateOCaml(rel, f, to)
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
