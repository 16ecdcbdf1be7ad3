package index

import (
	"path/filepath"
)

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
