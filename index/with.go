package index

import "maps"

// A Replacement is what the file at a path is to be in place of what it is.
type Replacement struct {
	Path    string // absolute
	Content []byte // belongs to the snapshot from then on
	Gone    bool   // there is to be no file
}

// With returns s with files replaced, as if an editor had them open or had
// deleted them. What s has read of the disk is read no second time, and what
// it has parsed is parsed no second time. It does no I/O and costs
// O(documents of s).
func (s *Snapshot) With(replaced ...Replacement) *Snapshot {
	next := *s
	next.memo = &memo{pins: s.memo.pins}
	next.docs, next.gone = map[string]*document{}, map[string]bool{}
	maps.Copy(next.docs, s.docs)
	maps.Copy(next.gone, s.gone)
	removed := map[string]*file{}
	for _, r := range replaced {
		delete(next.docs, r.Path)
		if d := s.led[r.Path]; d != nil {
			delete(next.docs, d.Path)
		}
		delete(next.gone, r.Path)
		if r.Gone {
			next.gone[r.Path], removed[r.Path] = true, nil
			continue
		}
		next.docs[r.Path] = s.opened(&Modification{Path: r.Path, File: s.docs[r.Path].leadsTo(), Language: s.docs[r.Path].languageName(), Text: r.Content})
	}
	next.led = ledTo(next.docs)
	next.disk = next.disk.with(removed)
	return &next
}
