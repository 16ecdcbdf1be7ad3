package index

import (
	"cmp"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Layers are the files on disk: a large base that is replaced seldom, and a
// small delta over it. Both never change.
type layers struct {
	base  *base
	delta map[string]*file // nil: gone
}

// maxDelta is how many files may lie over the base before both are merged: a
// query looks at each of them.
const maxDelta = 256

// with returns l with changes made; a nil file is gone.
func (l layers) with(changes map[string]*file) layers {
	if len(changes) == 0 {
		return l
	}
	delta := maps.Clone(l.delta)
	if delta == nil {
		delta = make(map[string]*file, len(changes))
	}
	maps.Copy(delta, changes)
	if len(delta) <= maxDelta {
		return layers{base: l.base, delta: delta}
	}
	return layers{base: newBase(layers{base: l.base, delta: delta}.all())}
}

// all returns all files by path, in a map of the caller's own.
func (l layers) all() map[string]*file {
	files := make(map[string]*file, len(l.base.files)+len(l.delta))
	for _, f := range l.base.files {
		files[f.path] = f
	}
	for path, f := range l.delta {
		if f == nil {
			delete(files, path)
			continue
		}
		files[path] = f
	}
	return files
}

// paths yields the paths of all files.
func (l layers) paths() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range l.base.files {
			if _, changed := l.delta[f.path]; !changed && !yield(f.path) {
				return
			}
		}
		for path, f := range l.delta {
			if f != nil && !yield(path) {
				return
			}
		}
	}
}

// file returns the file at path, or nil.
func (l layers) file(path string) *file {
	if f, ok := l.delta[path]; ok {
		return f
	}
	return l.base.file(path)
}

// A base holds files by path and, made when first asked for, where each name
// is declared and mentioned, and which words stand where.
type base struct {
	files  []*file // by path
	once   sync.Once
	lookup *directory
	words  wordsCell

	packagesOnce sync.Once
	packages     map[packageName]*file // package.json by the name of the package
}

func newBase(files map[string]*file) *base {
	b := &base{files: make([]*file, 0, len(files))}
	for _, f := range files {
		b.files = append(b.files, f)
	}
	slices.SortFunc(b.files, func(a, b *file) int { return strings.Compare(a.path, b.path) })
	return b
}

func (b *base) file(path string) *file {
	i, ok := b.search(path)
	if !ok {
		return nil
	}
	return b.files[i]
}

func (b *base) search(path string) (int, bool) {
	return slices.BinarySearchFunc(b.files, path, func(f *file, path string) int { return strings.Compare(f.path, path) })
}

// directory returns the names of b. The first call takes a while.
func (b *base) directory() *directory {
	b.once.Do(func() { b.lookup = newDirectory(b.files) })
	return b.lookup
}

// packageNames returns the packages of b by name; of those that share one, the
// first by path.
func (b *base) packageNames() map[packageName]*file {
	b.packagesOnce.Do(func() { b.packages = packageNames(b.files) })
	return b.packages
}

// A packageName is the name of a package by the kind of its manifest, which is
// the name of the file: npmPackage or rustPackage.
type packageName struct{ manifest, name string }

const (
	npmPackage  = "package.json"
	rustPackage = "Cargo.toml"
)

func packageNames(files []*file) map[packageName]*file {
	named := map[packageName]*file{}
	for _, f := range files {
		key := packageName{manifest: filepath.Base(f.path)}
		if key.manifest != npmPackage && key.manifest != rustPackage || !f.isParsed() {
			continue
		}
		if key.name = f.head().pkg; key.name != "" && named[key] == nil {
			named[key] = f
		}
	}
	return named
}

// packageNamed returns the manifest of the package of that name, or nil.
func (s *Snapshot) packageNamed(name packageName) *file {
	for _, f := range s.overlay() {
		if filepath.Base(f.path) == name.manifest && f.isParsed() && f.outline().pkg == name.name {
			return f
		}
	}
	if f := s.disk.base.packageNames()[name]; f != nil && !s.covered(f.path) {
		return f
	}
	return nil
}

// overlay returns the files that lie over the base: open documents, and what
// changed on disk and is not open. Documents are parsed where needed.
func (s *Snapshot) overlay() []*file {
	s.memo.overlay.Do(func() { s.memo.over = s.layOver() })
	return s.memo.over
}

func (s *Snapshot) layOver() []*file {
	files := make([]*file, 0, len(s.docs)+len(s.disk.delta))
	for _, d := range s.docs {
		files = append(files, d.file())
	}
	for path, f := range s.disk.delta {
		if f != nil && !s.isOpen(path) {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b *file) int { return strings.Compare(a.path, b.path) })
	return files
}

// covered reports whether something lies over the file at path of the base.
func (s *Snapshot) covered(path string) bool {
	_, changed := s.disk.delta[path]
	return changed || s.isOpen(path)
}

// isOpen reports whether the file at path is open, by whatever name: a link and
// what it leads to are one file.
func (s *Snapshot) isOpen(path string) bool { return s.docs[path] != nil || s.led[path] != nil }

// mentions returns the files that mention name.
func (s *Snapshot) mentions(name string) []*file {
	var files []*file
	for _, i := range s.disk.base.directory().mentions(name) {
		if f := s.disk.base.files[i]; !s.covered(f.path) {
			files = append(files, f)
		}
	}
	for _, f := range s.overlay() {
		if f.isParsed() && len(f.named(name)) > 0 {
			files = append(files, f)
		}
	}
	return files
}

// A target is a declaration with its file.
type target struct {
	*file
	at int // in decls
}

func (t target) decl() *decl    { return &t.outline().decls[t.at] }
func (t target) Symbol() Symbol { return t.symbol(t.at) }
func (t target) order(u target) int {
	return cmp.Or(strings.Compare(t.path, u.path), cmp.Compare(t.at, u.at))
}
func (t target) name() string { return t.outline().names[t.decl().name] }

// qualified returns the name of t behind its container.
func (t target) qualified() string { return t.outline().qualified(t.at) }

// qualified returns the name of decl i behind its container.
func (o *outline) qualified(i int) string {
	d := &o.decls[i]
	if d.container == 0 {
		return o.names[d.name]
	}
	return o.names[d.container] + "." + o.names[d.name]
}

// declared returns where name is declared.
func (s *Snapshot) declared(name string) []target {
	var found []target
	for _, ref := range s.disk.base.directory().declarations(name) {
		if f := s.disk.base.files[ref.file]; !s.covered(f.path) {
			found = append(found, target{f, int(ref.decl)})
		}
	}
	for _, f := range s.overlay() {
		if !f.isParsed() {
			continue
		}
		for i := range f.outline().decls {
			if f.outline().names[f.outline().decls[i].name] == name {
				found = append(found, target{f, i})
			}
		}
	}
	return found
}

// parsed yields all files of known languages.
func (s *Snapshot) parsed() iter.Seq[*file] {
	return func(yield func(*file) bool) {
		for _, f := range s.disk.base.files {
			if f.isParsed() && f.lang != nil && !s.covered(f.path) && !yield(f) {
				return
			}
		}
		for _, f := range s.overlay() {
			if f.isParsed() && f.lang != nil && !yield(f) {
				return
			}
		}
	}
}
