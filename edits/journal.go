package edits

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Errors that callers of the Journal decide on.
var (
	ErrNoEntry    = errors.New("no such entry in the journal")
	ErrOpenIntent = errors.New("an interrupted change of the same file must be recovered first")
	ErrHeld       = errors.New("holds the change unsaved in an editor")
)

// A Journal is the record by which applied change sets are taken back. There
// is one per user; its processes share it by a lock that is held as long as
// one operation runs. All methods may be called from any goroutine.
//
// Invariant: a file is changed only while a record on the disk says what it
// was and what it is to become.
type Journal struct {
	dir   string
	now   func() time.Time
	newID func() string
	keep  Limits
	roots []string // of the entries that "" can mean; none: of all
}

// Limits bound what a journal keeps. Beyond any of them the oldest entries go;
// the newest one, and those that are interrupted or unsaved somewhere, stay.
type Limits struct {
	Entries int           // how many
	Bytes   int64         // of contents on the disk
	Age     time.Duration // since they were applied; of damaged journals, since they were set aside
}

// DefaultLimits are those of a journal that was told no others.
func DefaultLimits() Limits {
	return Limits{Entries: 1000, Bytes: 1 << 30, Age: 90 * 24 * time.Hour}
}

// OpenJournal returns the journal in dir, which is made when first needed. Now
// tells the time and newID gives an ID that no other entry has.
func OpenJournal(dir string, now func() time.Time, newID func() string) *Journal {
	return &Journal{dir: dir, now: now, newID: newID, keep: DefaultLimits()}
}

// An EntryState says how much of an entry's change is made.
type EntryState string

// The states of an entry.
const (
	EntryOpen          EntryState = "open" // cut off in the middle; see Recover
	EntryApplied       EntryState = "applied"
	EntryPartlyApplied EntryState = "partly applied" // some hunks are undone, or were lost unsaved
	EntryUndone        EntryState = "undone"
)

// An Entry is one applied change set in the journal.
type Entry struct {
	ID        string      `json:"id"`
	ChangeSet string      `json:"changeSet"` // ID of the proposal
	Title     string      `json:"title"`
	Time      time.Time   `json:"time"` // when it was applied
	State     EntryState  `json:"state"`
	Files     []EntryFile `json:"files"`
	Documents []string    `json:"documents,omitempty"` // paths that were open in the editor at the last change
	Unsaved   []string    `json:"unsaved,omitempty"`   // documents that hold the change and are not saved yet

	// Change is what was applied, with the states its hunks have now. Entries
	// and Open leave it out.
	Change *ChangeSet `json:"change,omitempty"`
}

// An EntryFile says what an entry does to one file.
type EntryFile struct {
	Op      Op     `json:"op"`
	Path    string `json:"path"`
	To      string `json:"to,omitempty"`
	Added   int    `json:"added"`   // lines
	Removed int    `json:"removed"` // lines
}

// An Editor is a Target some of whose files are open documents, which hold
// what Apply makes before the disk does.
type Editor interface {
	Target
	IsOpen(path string) bool
}

// A Selection says which hunks of a change are meant: all of them, those of the
// file at Path, or one of those.
type Selection struct {
	Path string // "" for all files
	Hunk int    // Hunk.ID; 0 for all hunks of the file
}

// Picks reports whether s names h, a hunk of f.
func (s Selection) Picks(f *FileChange, h *Hunk) bool {
	return (s.Path == "" || s.Path == f.Path || s.Path == f.To) && (s.Hunk == 0 || s.Hunk == h.ID)
}

// A ConflictError says that nothing was changed, since these hunks do not fit
// what is there now.
type ConflictError struct {
	Conflicts []Conflict
}

// Error names the files.
func (e *ConflictError) Error() string {
	var at []string
	for _, c := range e.Conflicts {
		at = append(at, fmt.Sprintf("%s: %s", c.Path, c.Reason))
	}
	return "conflict: " + strings.Join(slices.Compact(at), "; ")
}

// A PartialError says that a change was not made, that what could be taken
// back was, and that some files are as they are: they changed at the same
// time, or could not be written.
type PartialError struct {
	Files []Leftover
	Err   error // why it was not made
}

// Error names the files.
func (e *PartialError) Error() string {
	var paths []string
	for _, f := range e.Files {
		paths = append(paths, f.Path)
	}
	return fmt.Sprintf("%v; all was taken back but %s", e.Err, strings.Join(paths, ", "))
}

// Unwrap returns why the change was not made.
func (e *PartialError) Unwrap() error { return e.Err }

// Within returns the same journal, in which the entries are those with a file
// below one of roots: undo without an ID must not reach into another project.
// An ID names an entry of any.
func (j *Journal) Within(roots ...string) *Journal {
	scoped := *j
	scoped.roots = roots
	return &scoped
}

// Keeping returns the same journal with other limits; what is 0 of them is as
// in DefaultLimits. They count when the next change is on record.
func (j *Journal) Keeping(limits Limits) *Journal {
	limited, usual := *j, DefaultLimits()
	limited.keep = Limits{
		Entries: cmp.Or(limits.Entries, usual.Entries),
		Bytes:   cmp.Or(limits.Bytes, usual.Bytes),
		Age:     cmp.Or(limits.Age, usual.Age),
	}
	return &limited
}

// Apply rebases the pending hunks of cs onto to, makes them, and returns the
// new entry once every file was seen as planned and that is on record.
//
// On an error nothing is changed: it is a *ConflictError, ErrNoChange where
// all is there already, ErrOpenIntent, or what to says. Only a *PartialError
// means that some files could not be brought back. A cancel counts until to
// has begun.
func (j *Journal) Apply(ctx context.Context, to Target, cs *ChangeSet) (*Entry, error) {
	db, err := j.open(ctx)
	if err != nil {
		return nil, err
	}
	defer db.close()
	if err := cs.Check(); err != nil {
		return nil, fmt.Errorf("apply %q: %w", cs.Title, err)
	}
	step, err := rebase(ctx, cs, to)
	if err != nil {
		return nil, fmt.Errorf("apply %q: %w", cs.Title, err)
	}
	if len(step.Files) == 0 {
		return nil, fmt.Errorf("apply %q: %w", cs.Title, ErrNoChange)
	}
	rec := newRecord(j.newID(), j.now(), step)
	return j.run(ctx, db, to, rec, &transaction{kind: applying, change: step, step: step, hunks: refs(step)})
}

// rebase is rebaseSound with its conflicts as an error.
func rebase(ctx context.Context, cs *ChangeSet, to Source) (*ChangeSet, error) {
	step, conflicts, err := rebaseSound(ctx, cs, to)
	if err != nil {
		return nil, err
	}
	if len(conflicts) > 0 {
		return nil, &ConflictError{Conflicts: conflicts}
	}
	return step, nil
}

// Undo takes back what which picks of the entry id, or of the one that was
// applied last for "". Later changes of the same files are kept; only a true
// overlap is a conflict. Errors are those of Apply, ErrNoEntry, and ErrHeld
// where the change is in a document that is unsaved and not open in to: the
// disk does not show it.
func (j *Journal) Undo(ctx context.Context, to Target, id string, which Selection) (*Entry, error) {
	return j.turn(ctx, to, id, undoing, func(f *FileChange, h *Hunk) bool {
		return h.State == Applied && which.Picks(f, h)
	})
}

// Redo makes again what which picks of what is undone of the entry id, or of
// the one that was undone last for "". Errors are those of Undo.
func (j *Journal) Redo(ctx context.Context, to Target, id string, which Selection) (*Entry, error) {
	return j.turn(ctx, to, id, redoing, func(f *FileChange, h *Hunk) bool {
		return h.State == Undone && which.Picks(f, h)
	})
}

// turn undoes or redoes the hunks that pick says yes to.
func (j *Journal) turn(ctx context.Context, to Target, id string, kind stepKind, pick func(*FileChange, *Hunk) bool) (*Entry, error) {
	db, err := j.open(ctx)
	if err != nil {
		return nil, err
	}
	defer db.close()
	rec, err := db.find(id, kind, j.roots)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	change, err := db.change(rec)
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w", kind, rec.Title, err)
	}
	t := &transaction{kind: kind, change: change, hunks: picked(change, pick)}
	if len(t.hunks) == 0 {
		return nil, fmt.Errorf("%s %q: %w", kind, rec.Title, ErrNoChange)
	}
	if doc := rec.heldElsewhere(t.hunks, to); doc != "" {
		return nil, fmt.Errorf("%s %q: %s %w: undo it there, or save or close the document first", kind, rec.Title, doc, ErrHeld)
	}
	plan := t.plan()
	if t.step, err = rebase(ctx, plan, to); err != nil {
		return nil, fmt.Errorf("%s %q: %w", kind, rec.Title, err)
	}
	t.planned = t.isPlan(plan)
	return j.run(ctx, db, to, rec, t)
}

// Entries returns the newest entries (see Within), limit at most, newest first.
func (j *Journal) Entries(ctx context.Context, limit int) ([]*Entry, error) {
	var out []*Entry
	err := j.read(ctx, func(db *database) error {
		recs, err := db.newest(limit, j.roots)
		for _, rec := range recs {
			out = append(out, &rec.Entry)
		}
		return err
	})
	return out, err
}

// Open returns the entries that a crash cut off, for Recover.
func (j *Journal) Open(ctx context.Context) ([]*Entry, error) {
	var out []*Entry
	err := j.read(ctx, func(db *database) error {
		recs, err := db.unfinished()
		for _, rec := range recs {
			out = append(out, &rec.Entry)
		}
		return err
	})
	return out, err
}

// Entry returns the entry id, with its Change. The error is ErrNoEntry if
// there is none.
func (j *Journal) Entry(ctx context.Context, id string) (*Entry, error) {
	entry := &Entry{}
	found := false
	err := j.read(ctx, func(db *database) error {
		rec, err := db.record(id)
		if err != nil {
			return err
		}
		found = true
		*entry = rec.Entry
		entry.Change, err = db.change(rec)
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("%s: %w", id, ErrNoEntry)
	}
	if err != nil {
		return nil, err
	}
	return entry, nil
}

// Saved notes that the document at path reached the disk.
func (j *Journal) Saved(ctx context.Context, path string) error {
	return j.settleDocument(ctx, path, (*record).saved)
}

// Lost notes that the document at path was closed without being saved: what
// was applied to it is no longer there, and what was undone in it is back.
func (j *Journal) Lost(ctx context.Context, path string) error {
	return j.settleDocument(ctx, path, (*record).lost)
}

// settleDocument notes what became of an unsaved document, in every entry
// that waits for it. (Most saves are of documents that none waits for: those
// only read.)
func (j *Journal) settleDocument(ctx context.Context, path string, note func(rec *record, path string)) error {
	waits := false
	err := j.read(ctx, func(db *database) error {
		recs, err := db.unsaved(path)
		waits = len(recs) > 0
		return err
	})
	if err != nil || !waits {
		return err
	}
	db, err := j.open(ctx)
	if err != nil {
		return err
	}
	defer db.close()
	recs, err := db.unsaved(path)
	if err != nil {
		return err
	}
	for _, rec := range recs {
		note(rec, path)
		if err := db.put(rec); err != nil {
			return err
		}
	}
	return nil
}
