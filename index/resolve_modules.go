package index

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/agentls/agentls/index/lang"
)

// everything is what a module is called as a whole: import * as a.
const everything = "*"

func (r *resolver) relateJS(rel *relation, f, to *file, name string) {
	if f.path == to.path {
		rel.exports = exportedAs(f, name)
		return
	}
	for _, imp := range f.outline().imports {
		if imp.Path == "" || imp.Exported && imp.Name == everything && imp.Alias == "" {
			continue
		}
		at, original := r.follow(f, imp.Path, imp.Name)
		switch {
		case at == nil && imp.Name == name:
			rel.unresolved = true
		case at == nil:
		case original == everything && r.offers(at, name, to, name):
			rel.qualifiers = append(rel.qualifiers, imp.Alias)
		case at == to && original == name:
			rel.names = append(rel.names, imp.Alias, imp.Name)
		}
	}
}

// offers reports whether the module at exports as name what to declares as
// original.
func (r *resolver) offers(at *file, name string, to *file, original string) bool {
	found, is := r.exported(at, name, maxInference)
	return found == to && is == original
}

// follow returns the file that declares what f imports as name from path, and
// what it is called there: everything for a module as a whole; nil if the index
// does not see it.
func (r *resolver) follow(f *file, path, name string) (at *file, original string) {
	at = r.moduleFile(f, path)
	if at == nil || !at.isParsed() {
		return nil, name
	}
	return r.exported(at, name, maxInference)
}

// exported returns the file that declares what at exports as name, and what it
// is called there, as follow does.
func (r *resolver) exported(at *file, name string, depth int) (*file, string) {
	if name == "default" && at.outline().fallback != "" {
		name = at.outline().fallback
		if from := importOf(at, name); from != nil && depth > 0 {
			return r.reexported(at, from, name, depth)
		}
	}
	if depth == 0 || name == everything || declaresTop(at, name) {
		return at, name
	}
	for i := range at.outline().imports {
		imp := &at.outline().imports[i]
		switch {
		case !imp.Exported:
		case imp.Alias == name && imp.Path == "": // export { a as name }
			if from := importOf(at, imp.Name); from != nil {
				return r.reexported(at, from, name, depth)
			}
			return at, imp.Name
		case imp.Alias == name: // export { a as name } from, export * as name from
			if to, found := r.reexported(at, imp, name, depth); to != at {
				return to, found
			}
		case imp.Name == everything && (imp.Alias == "" || imp.Alias == "."): // export * from
			next := r.moduleFile(at, imp.Path)
			if next == nil || !next.isParsed() {
				continue
			}
			if to, found := r.exported(next, name, depth-1); found == everything || declaresTop(to, found) {
				return to, found
			}
		}
	}
	return at, name
}

// reexported returns what imp, which is of at, brings there as name; at and name
// where the index does not see its module.
func (r *resolver) reexported(at *file, imp *imported, name string, depth int) (*file, string) {
	next := r.moduleFile(at, imp.Path)
	if next == nil || !next.isParsed() {
		return at, name
	}
	return r.exported(next, imp.Name, depth-1)
}

// namespaceAt returns the module that occurrence i of f stands for, or nil.
func (r *resolver) namespaceAt(f *file, i int) *file {
	occ := f.outline().occs[i]
	if occ.has(isLocal) {
		return nil
	}
	var at *file
	name := f.name(i)
	if !occ.has(isAccess) {
		from := importOf(f, name)
		if from == nil {
			return nil
		}
		at, name = r.follow(f, from.Path, from.Name)
	} else if occ.link > 0 && occ.link <= uint32(i) { // a.b.c: what stands before comes before
		if at = r.namespaceAt(f, int(occ.link)-1); at != nil {
			at, name = r.exported(at, name, maxInference)
		}
	}
	if at == nil || name != everything {
		return nil
	}
	return at
}

// member returns what occurrence i of f, which stands behind a module and a dot,
// is called where it is declared; nil where there is no module.
func (r *resolver) member(f *file, i int) (at *file, original string) {
	link := f.outline().occs[i].link
	if f.lang == nil || !hasNamespaces(f.lang) || link == 0 {
		return nil, ""
	}
	at = r.namespaceAt(f, int(link)-1)
	if at == nil {
		return nil, ""
	}
	return r.exported(at, f.name(i), maxInference)
}

// hasNamespaces reports whether modules of l are values with members, which they
// can import under other names.
func hasNamespaces(l *lang.Language) bool { return l.Family == "javascript" || l.Family == "python" }

// exportedAs returns the other names under which f exports what is declared
// there, or what it imports, as name.
func exportedAs(f *file, name string) []string {
	var names []string
	for _, imp := range f.outline().imports {
		if imp.Exported && imp.Name == name && imp.Alias != name && imp.Alias != "" && imp.Alias != "default" && !slices.Contains(names, imp.Alias) {
			names = append(names, imp.Alias)
		}
	}
	return names
}

// moduleFile returns the indexed file that an import path in f means.
func (r *resolver) moduleFile(f *file, path string) *file {
	if f.lang != nil && f.lang.Name == "python" {
		return r.pythonFile(f, path)
	}
	key := importKey{folderOf(f.path), path}
	at, known := r.imports[key]
	if !known {
		at = r.jsFile(f, path)
		r.imports[key] = at
	}
	return at
}

// An importKey is an import path and the folder of the file that has it.
type importKey struct{ dir, path string }

var jsEndings = []string{
	"", ".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".d.mts", ".d.cts",
	"/index.ts", "/index.tsx", "/index.d.ts", "/index.js", "/index.jsx", "/index.mjs", "/index.cjs", "/index.mts", "/index.cts",
}

// jsFile resolves an import path of JavaScript and TypeScript: a relative one;
// one of the package's own ("#x"); by the paths of the nearest tsconfig.json;
// one that names a package of the workspace; and, as many bundlers do, "@/x" and
// "~/x" from the root.
func (r *resolver) jsFile(f *file, path string) *file {
	dir := folderOf(f.path)
	switch {
	case path == "":
		return nil
	case strings.HasPrefix(path, "."):
		if at := r.jsAt(filepath.Join(dir, filepath.FromSlash(path))); at != nil {
			return at
		}
		return r.byRootDirs(dir, path)
	case strings.HasPrefix(path, "#"):
		return r.byOwnPackage(dir, path)
	}
	if at := r.byTSConfig(dir, path); at != nil {
		return at
	}
	if at := r.byPackage(path); at != nil {
		return at
	}
	if strings.HasPrefix(path, "@/") || strings.HasPrefix(path, "~/") {
		for _, root := range r.snap.roots {
			for _, base := range [...]string{filepath.Join(root, "src", path[2:]), filepath.Join(root, path[2:])} {
				if at := r.jsAt(base); at != nil {
					return at
				}
			}
		}
	}
	return nil
}

// byOwnPackage resolves a path that begins with #, by the package around dir: to a
// file of it, or to another package.
func (r *resolver) byOwnPackage(dir, path string) *file {
	own := r.nearest(dir, npmPackage)
	if own == nil {
		return nil
	}
	targets := own.outline().targets(asImport, path)
	if at := r.jsTarget(own, targets); at != nil {
		return at
	}
	for _, target := range targets {
		if at := r.byPackage(target); at != nil {
			return at
		}
	}
	return nil
}

// byRootDirs resolves a relative path from dir in the folders that the nearest
// configuration says are one with that around dir.
func (r *resolver) byRootDirs(dir, path string) *file {
	config := r.nearest(dir, "tsconfig.json", "jsconfig.json")
	if config == nil {
		return nil
	}
	roots := r.rootDirs(config)
	for _, root := range roots {
		rest, err := filepath.Rel(root, dir)
		if err != nil || !below(dir, root) {
			continue
		}
		for _, other := range roots {
			if at := r.jsAt(filepath.Join(other, rest, filepath.FromSlash(path))); at != nil {
				return at
			}
		}
	}
	return nil
}

// rootDirs returns the folders that are as one by config or by the first of what
// it extends that says so.
func (r *resolver) rootDirs(config *file) []string {
	var roots []string
	for _, config := range r.configs(config) {
		for _, imp := range config.outline().imports {
			if imp.Alias == asRoot {
				roots = append(roots, filepath.Join(folderOf(config.path), filepath.FromSlash(imp.Path)))
			}
		}
		if len(roots) > 0 {
			break
		}
	}
	return roots
}

// jsAt returns the module at base, which may be its name without an ending, its
// folder, or what TypeScript compiles it to: "x.js" is x.ts.
func (r *resolver) jsAt(base string) *file {
	stems := []string{base}
	for _, ending := range [...]string{".js", ".jsx", ".mjs", ".cjs"} {
		if stem, ok := strings.CutSuffix(base, ending); ok {
			stems = append(stems, stem)
		}
	}
	for _, stem := range stems {
		for _, ending := range jsEndings {
			if at := r.snap.indexedFile(stem + filepath.FromSlash(ending)); at != nil && at.lang != nil {
				return at
			}
		}
	}
	return nil
}

// nearest returns the manifest of that name in dir or the nearest folder around
// it, or nil.
func (r *resolver) nearest(dir string, names ...string) *file {
	for root, ok := r.snap.root(dir); ok && below(dir, root); dir = filepath.Dir(dir) {
		for _, name := range names {
			if at := r.manifest(filepath.Join(dir, name)); at != nil {
				return at
			}
		}
		if filepath.Dir(dir) == dir {
			break
		}
	}
	return nil
}

// manifest returns the manifest at path, or nil.
func (r *resolver) manifest(path string) *file {
	if at := r.snap.indexedFile(path); at != nil && at.isParsed() {
		return at
	}
	return nil
}

// byTSConfig resolves path by the configuration nearest to dir.
func (r *resolver) byTSConfig(dir, path string) *file {
	config := r.nearest(dir, "tsconfig.json", "jsconfig.json")
	if config == nil {
		return nil
	}
	configs := r.configs(config)
	base, hasBase := baseURL(configs)
	if owner, targets := pathTargets(configs, path); len(targets) > 0 {
		from := folderOf(owner.path)
		if hasBase {
			from = base
		}
		for _, target := range targets {
			if at := r.jsAt(filepath.Join(from, filepath.FromSlash(target))); at != nil {
				return at
			}
		}
	}
	if hasBase {
		return r.jsAt(filepath.Join(base, filepath.FromSlash(path)))
	}
	return nil
}

// baseURL returns the folder that the first of configs which says so resolves
// names from.
func baseURL(configs []*file) (string, bool) {
	for _, config := range configs {
		for _, imp := range config.outline().imports {
			if imp.Alias == asBaseURL {
				return filepath.Join(folderOf(config.path), filepath.FromSlash(imp.Path)), true
			}
		}
	}
	return "", false
}

// pathTargets returns where paths lead path, and which configuration has them:
// the first of configs that has any paths.
func pathTargets(configs []*file, path string) (owner *file, targets []string) {
	for _, config := range configs {
		if slices.ContainsFunc(config.outline().imports, func(imp imported) bool { return imp.Alias == asPath }) {
			return config, config.outline().targets(asPath, path)
		}
	}
	return nil, nil
}

// maxConfigs bounds the configurations that one extends, over others too.
const maxConfigs = 50

// configs returns config and what it extends, over others too, the strongest
// first and each once, then those of its parts that lie beside it.
func (r *resolver) configs(config *file) []*file {
	out, known := r.extends[config]
	if known {
		return out
	}
	var add func(config *file)
	add = func(config *file) {
		if len(out) == maxConfigs || slices.Contains(out, config) {
			return
		}
		out = append(out, config)
		for _, outer := range r.extended(config) {
			add(outer)
		}
	}
	add(config)
	for _, part := range r.named(config, asPart) { // that of a bundler's template says nothing itself
		if folderOf(part.path) == folderOf(config.path) {
			add(part)
		}
	}
	r.extends[config] = out
	return out
}

// extended returns the configurations that config extends, the strongest first.
func (r *resolver) extended(config *file) []*file {
	out := r.named(config, asExtends)
	slices.Reverse(out)
	return out
}

// named returns the configurations that config names as kind.
func (r *resolver) named(config *file, kind string) []*file {
	var out []*file
	for _, imp := range config.outline().imports {
		if imp.Alias != kind {
			continue
		}
		if at := r.extendedAt(config, imp.Path); at != nil {
			out = append(out, at)
		}
	}
	return out
}

// extendedAt returns the configuration that config calls path, or nil.
func (r *resolver) extendedAt(config *file, path string) *file {
	base := filepath.Join(folderOf(config.path), filepath.FromSlash(path))
	if !strings.HasPrefix(path, ".") && !filepath.IsAbs(path) {
		pack, rest := r.packageOfPath(path)
		if pack == nil {
			return nil
		}
		base = filepath.Join(folderOf(pack.path), filepath.FromSlash(rest))
	}
	for _, ending := range [...]string{"", ".json", "/tsconfig.json"} {
		if at := r.manifest(base + filepath.FromSlash(ending)); at != nil {
			return at
		}
	}
	return nil
}

// byPackage resolves a path that begins with the name of a package of the
// workspace.
func (r *resolver) byPackage(path string) *file {
	pack, rest := r.packageOfPath(path)
	if pack == nil {
		return nil
	}
	if at := r.jsTarget(pack, pack.outline().targets(asExport, rest)); at != nil {
		return at
	}
	dir := folderOf(pack.path)
	if at := r.jsAt(filepath.Join(dir, filepath.FromSlash(rest))); at != nil {
		return at
	}
	return r.jsAt(filepath.Join(dir, "src", filepath.FromSlash(rest)))
}

// packageOfPath returns the package.json of the package that path names, or nil,
// and what follows the name: "." or "./sub".
func (r *resolver) packageOfPath(path string) (pack *file, rest string) {
	parts := strings.SplitN(path, "/", 3)
	name := parts[0]
	if strings.HasPrefix(path, "@") && len(parts) > 1 {
		name += "/" + parts[1]
	}
	if pack = r.snap.packageNamed(packageName{npmPackage, name}); pack == nil {
		return nil, ""
	}
	return pack, "." + strings.TrimPrefix(path, name)
}

// jsTarget returns the first of targets of a package.json that the index has: as
// it is, or the source that it is built from.
func (r *resolver) jsTarget(pack *file, targets []string) *file {
	dir := folderOf(pack.path)
	for _, target := range targets {
		if at := r.jsAt(filepath.Join(dir, filepath.FromSlash(target))); at != nil {
			return at
		}
	}
	for _, target := range targets {
		if at := r.sourceOf(dir, target); at != nil {
			return at
		}
	}
	return nil
}

// built are the folders that builds write to.
var built = strings.Fields("dist lib build out output esm cjs es umd types typings dts module commonjs es2015 es2020 esm5")

// sourceOf returns what the file target of the package in dir is built from,
// where it lies as usual: below src or the package itself, under the same name.
func (r *resolver) sourceOf(dir, target string) *file {
	for _, ending := range [...]string{".d.ts", ".d.mts", ".d.cts", ".js", ".mjs", ".cjs"} {
		target = strings.TrimSuffix(target, ending)
	}
	for first, rest, more := strings.Cut(target, "/"); more && slices.Contains(built, first); first, rest, more = strings.Cut(rest, "/") {
		for _, base := range [...]string{filepath.Join(dir, "src", filepath.FromSlash(rest)), filepath.Join(dir, filepath.FromSlash(rest))} {
			if at := r.jsAt(base); at != nil {
				return at
			}
		}
	}
	return nil
}
