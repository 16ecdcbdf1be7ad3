package edits

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A record is an entry as the journal keeps it. Contents are not in it: they
// are files of their own.
type record struct {
	Entry
	Made    uint64       `json:"made"`  // orders entries by when they were applied
	Moved   uint64       `json:"moved"` // orders entries by their last change
	Hunks   int          `json:"hunks"` // how many there are
	Undone  []hunkRef    `json:"undone,omitempty"`
	Folders []string     `json:"folders,omitempty"` // made for it, sorted
	Waiting []unsavedRef `json:"waiting,omitempty"`
	Intent  *intent      `json:"intent,omitempty"` // what is under way
}

// A hunkRef names a hunk of the entry's change.
type hunkRef struct {
	Path string `json:"path"` // FileChange.Path
	Hunk int    `json:"hunk"` // Hunk.ID
}

// An unsavedRef is a hunk that an open document shows in another state than
// the disk.
type unsavedRef struct {
	hunkRef
	Document string `json:"document"` // its path
	Undone   bool   `json:"undone"`   // on the disk
}

// An intent says which hunks a transaction turns.
type intent struct {
	Kind  stepKind      `json:"kind"`
	Hunks []hunkRef     `json:"hunks"`
	Modes []fs.FileMode `json:"modes,omitempty"` // of a step that is the plan, not rebased, and so not on the disk: FileChange.Was of its files
	Paths []string      `json:"paths,omitempty"` // that it changes beside those of Entry.Files: declarations moved there
}

func newRecord(id string, now time.Time, cs *ChangeSet) *record {
	rec := &record{Entry: Entry{ID: id, ChangeSet: cs.ID, Title: cs.Title, Time: now, State: EntryOpen}}
	for i := range cs.Files {
		f := &cs.Files[i]
		added, removed := f.Lines()
		rec.Files = append(rec.Files, EntryFile{Op: f.Op, Path: f.Path, To: f.To, Added: added, Removed: removed})
		rec.Hunks += len(f.Hunks)
	}
	return rec
}

// paths returns those that an open entry may have changed.
func (rec *record) paths() (paths []string) {
	for _, f := range rec.Files {
		paths = append(paths, f.Path)
		if f.To != "" {
			paths = append(paths, f.To)
		}
	}
	return append(paths, rec.Intent.Paths...)
}

// refs returns all hunks of cs.
func refs(cs *ChangeSet) []hunkRef {
	return picked(cs, func(*FileChange, *Hunk) bool { return true })
}

// picked returns the hunks of cs that pick says yes to.
func picked(cs *ChangeSet, pick func(*FileChange, *Hunk) bool) []hunkRef {
	var out []hunkRef
	for i := range cs.Files {
		f := &cs.Files[i]
		for k := range f.Hunks {
			if pick(f, &f.Hunks[k]) {
				out = append(out, hunkRef{Path: f.Path, Hunk: f.Hunks[k].ID})
			}
		}
	}
	return out
}

// mark gives the hunks of cs, the entry's change, their states.
func (rec *record) mark(cs *ChangeSet) {
	undone := make(map[hunkRef]bool, len(rec.Undone))
	for _, ref := range rec.Undone {
		undone[ref] = true
	}
	for i := range cs.Files {
		f := &cs.Files[i]
		for k := range f.Hunks {
			f.Hunks[k].State = Applied
			if undone[hunkRef{f.Path, f.Hunks[k].ID}] {
				f.Hunks[k].State = Undone
			}
		}
	}
}

// turned notes that t is made.
func (rec *record) turned(t *transaction) {
	rec.Intent = nil
	for _, ref := range t.hunks {
		if len(rec.Documents) == 0 {
			break // nothing is open: no need to look at each hunk
		}
		if doc, ok := rec.document(t, ref); ok {
			rec.wait(unsavedRef{hunkRef: ref, Document: doc, Undone: t.kind != undoing})
		}
	}
	switch t.kind {
	case undoing:
		rec.Undone = append(rec.Undone, t.hunks...)
	case applying, redoing:
		rec.Undone = without(rec.Undone, t.hunks)
	}
	rec.setState()
}

// document returns the open document that shows a hunk t turned, if any: not of
// a file that is deleted or renamed, which happens on the disk too.
func (rec *record) document(t *transaction, ref hunkRef) (path string, ok bool) {
	for i := range t.change.Files {
		f := &t.change.Files[i]
		if f.Path != ref.Path || f.Op == Rename && f.Hunks[0].ID == ref.Hunk {
			continue
		}
		for k := range t.step.Files {
			g := &t.step.Files[k]
			own := g.Proposed() == f.Path || g.Proposed() == f.To
			if own && g.Op != Delete && slices.Contains(rec.Documents, g.Target()) {
				return g.Target(), true
			}
		}
	}
	return "", false
}

// wait notes how the disk has a hunk until its document is saved. What was
// noted before stays: the disk is still the same.
func (rec *record) wait(ref unsavedRef) {
	for i := range rec.Waiting {
		if rec.Waiting[i].hunkRef == ref.hunkRef {
			rec.Waiting[i].Document = ref.Document
			return
		}
	}
	rec.Waiting = append(rec.Waiting, ref)
}

// saved notes that a document reached the disk.
func (rec *record) saved(path string) {
	rec.Waiting = slices.DeleteFunc(rec.Waiting, func(ref unsavedRef) bool { return ref.Document == path })
	rec.setState()
}

// lost notes that a document was closed unsaved: its hunks are as the disk has
// them.
func (rec *record) lost(path string) {
	for _, ref := range rec.Waiting {
		if ref.Document != path {
			continue
		}
		rec.Undone = without(rec.Undone, []hunkRef{ref.hunkRef})
		if ref.Undone {
			rec.Undone = append(rec.Undone, ref.hunkRef)
		}
	}
	rec.saved(path)
}

func without(refs, drop []hunkRef) []hunkRef {
	dropped := make(map[hunkRef]bool, len(drop))
	for _, ref := range drop {
		dropped[ref] = true
	}
	var out []hunkRef
	for _, ref := range refs {
		if !dropped[ref] {
			out = append(out, ref)
		}
	}
	return out
}

// setState derives what an entry shows.
func (rec *record) setState() {
	switch len(rec.Undone) {
	case 0:
		rec.State = EntryApplied
	case rec.Hunks:
		rec.State = EntryUndone
	default:
		rec.State = EntryPartlyApplied
	}
	rec.Unsaved = nil
	for _, ref := range rec.Waiting {
		rec.Unsaved = append(rec.Unsaved, ref.Document)
	}
	slices.Sort(rec.Unsaved)
	rec.Unsaved = slices.Compact(rec.Unsaved)
}

// heldElsewhere returns a document that holds one of hunks unsaved and that is
// not open in to; "" if there is none.
func (rec *record) heldElsewhere(hunks []hunkRef, to Target) string {
	editor, _ := to.(Editor)
	for _, ref := range rec.Waiting {
		open := editor != nil && editor.IsOpen(ref.Document)
		if !open && slices.Contains(hunks, ref.hunkRef) {
			return ref.Document
		}
	}
	return ""
}

// isBelow reports whether a file of the entry lies below one of roots, or there
// are no roots.
func (rec *record) isBelow(roots []string) bool {
	if len(roots) == 0 {
		return true
	}
	return slices.ContainsFunc(rec.Files, func(f EntryFile) bool {
		return slices.ContainsFunc(roots, func(root string) bool {
			return strings.HasPrefix(f.Path, root+string(filepath.Separator))
		})
	})
}
