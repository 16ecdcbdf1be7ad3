package index

import "io/fs"

// OutlineOf returns the outline of an open document by the road that
// references take: from the whole tree.
func (s *Snapshot) OutlineOf(path string) ([]Symbol, error) {
	d := s.docs[path]
	if d == nil {
		return nil, fs.ErrNotExist
	}
	return d.file().symbols(), nil
}
