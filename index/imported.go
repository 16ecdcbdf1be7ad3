package index

import (
	"bytes"
	"cmp"
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Modules returns the file of what an import names at offset, as a Module: where
// the cursor is on a name that stands for a module or package as a whole, or in
// the path of an import. Of a Go package it is the file that is called like it,
// or where its documentation is expected. None if there is no such thing, or the
// index does not see it.
func (s *Snapshot) Modules(ctx context.Context, path string, offset int) ([]Symbol, error) {
	f, i, ok, err := s.occurrenceAt(ctx, path, offset)
	if err != nil || f.lang == nil || !f.isParsed() {
		return nil, err
	}
	r := s.resolver()
	var at *file
	if ok {
		at = r.moduleAt(f, i)
	}
	if at == nil {
		src, err := s.ReadFile(ctx, path)
		if err != nil || offset > len(src) {
			return nil, err
		}
		at = r.moduleInText(f, src, offset)
	}
	if at == nil || at.lang == nil {
		return nil, nil
	}
	return []Symbol{target{at, -1}.orFile()}, nil
}

// moduleAt returns the file of the module that occurrence i of f stands for, or
// nil.
func (r *resolver) moduleAt(f *file, i int) *file {
	if f.outline().occs[i].has(isLocal) {
		return nil
	}
	switch f.lang.Family {
	case "go":
		return r.goPackageNamed(f, i)
	case "python":
		return r.pythonModuleAt(f, i)
	case "javascript":
		return r.namespaceAt(f, i)
	default:
		return nil
	}
}

// goPackageNamed returns a file of the package that f knows by the name of
// occurrence i, or nil.
func (r *resolver) goPackageNamed(f *file, i int) *file {
	if f.outline().occs[i].has(isAccess | isKey) {
		return nil
	}
	name := f.name(i)
	return r.goPackage(func(at *file) bool {
		return slices.ContainsFunc(f.outline().imports, func(imp imported) bool {
			return (!imp.Explicit || imp.Alias == name) && r.importsFolder(imp.Path, folderOf(at.path)) &&
				(imp.Explicit || at.outline().pkg == name) // last: it has to be unpacked
		})
	})
}

// goPackage returns the file that stands for a Go package, of those for which is
// holds, or nil.
func (r *resolver) goPackage(is func(*file) bool) *file {
	var best *file
	for f := range r.snap.parsed() {
		if f.lang.Name == "go" && !strings.HasSuffix(f.path, "_test.go") && is(f) && (best == nil || byGoRank(f, best) < 0) {
			best = f
		}
	}
	return best
}

func byGoRank(a, b *file) int {
	return cmp.Or(cmp.Compare(goRank(a), goRank(b)), strings.Compare(a.path, b.path))
}

// goRank says how far f is from the file that people look for first in its
// package.
func goRank(f *file) int {
	switch strings.TrimSuffix(filepath.Base(f.path), ".go") {
	case "doc":
		return 0
	case f.outline().pkg:
		return 1
	default:
		return 2
	}
}

// pythonModuleAt returns the module or package that occurrence i of f stands for,
// or nil.
func (r *resolver) pythonModuleAt(f *file, i int) *file {
	occ, name := f.outline().occs[i], f.name(i)
	if occ.has(isAccess) {
		if occ.link == 0 || occ.link > uint32(i) {
			return nil
		}
		around := r.pythonModuleAt(f, int(occ.link)-1)
		if around == nil || !around.isParsed() {
			return nil
		}
		if strings.HasPrefix(filepath.Base(around.path), "__init__.") {
			if at := r.pythonIn(folderOf(around.path), name); at != nil {
				return at
			}
		}
		return r.pythonImported(around, name, false)
	}
	return r.pythonImported(f, name, occ.has(isImport))
}

// pythonImported returns the module that f imports as name or, in the import
// itself, by that name.
func (r *resolver) pythonImported(f *file, name string, isHere bool) *file {
	for _, imp := range f.outline().imports {
		switch {
		case imp.Alias != name && (!isHere || imp.Name != name):
		case imp.Name == everything:
			return r.pythonFile(f, imp.Path)
		default:
			if at := r.pythonFile(f, joinPython(imp.Path, imp.Name)); at != nil {
				return at
			}
		}
	}
	return nil
}

var (
	pythonImporting = regexp.MustCompile(`^\s*(from|import)\s`)
	pythonPath      = regexp.MustCompile(`[\w.]+`)
	quotedPath      = regexp.MustCompile("\"[^\"]*\"|'[^']*'|`[^`]*`|<[^<>]*>")
)

// moduleInText returns the file that the path of an import at offset of src, the
// text of f, means, or nil.
func (r *resolver) moduleInText(f *file, src []byte, offset int) *file {
	start := bytes.LastIndexByte(src[:offset], '\n') + 1
	line := src[start : offset+lengthTo(src[offset:], "\n")]
	if f.lang.Name == "python" {
		if !pythonImporting.Match(line) {
			return nil
		}
		for _, at := range pythonPath.FindAllIndex(line, -1) {
			if at[0] <= offset-start && offset-start < at[1] {
				end := offset - start + lengthTo(line[offset-start:at[1]], ".")
				return r.pythonFile(f, string(line[at[0]:end]))
			}
		}
		return nil
	}
	for _, at := range quotedPath.FindAllIndex(line, -1) {
		if at[0] <= offset-start && offset-start < at[1] {
			return r.moduleByPath(f, string(line[at[0]+1:at[1]-1]))
		}
	}
	return nil
}

// moduleByPath returns the file that path means where f imports it, or nil.
func (r *resolver) moduleByPath(f *file, path string) *file {
	isImported := slices.ContainsFunc(f.outline().imports, func(imp imported) bool { return imp.Path == path })
	switch {
	case f.lang.Family == "javascript" && (isImported || strings.HasPrefix(path, ".")):
		return r.moduleFile(f, path)
	case !isImported:
		return nil
	}
	switch f.lang.Family {
	case "go":
		return r.goPackage(func(at *file) bool { return r.importsFolder(path, folderOf(at.path)) })
	case "c":
		return r.includedFile(f, path)
	case "zig", "shellscript":
		return r.snap.indexedFile(filepath.Join(folderOf(f.path), filepath.FromSlash(path)))
	default:
		return nil
	}
}
