package edits

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A stepKind is what a transaction does to the hunks of its entry.
type stepKind string

const (
	applying stepKind = "apply"
	undoing  stepKind = "undo"
	redoing  stepKind = "redo"
)

// A transaction is one change of an entry under way.
type transaction struct {
	kind   stepKind
	change *ChangeSet // the entry's, in the states before
	step   *ChangeSet // what is to be made now, rebased
	hunks  []hunkRef  // the hunks of change whose state it turns

	planned bool // step is the plan: nothing of it had to be rebased
	crossed bool // the target said that a file had changed before it could be
}

// plan returns what undoes or redoes the hunks of t, not rebased yet.
func (t *transaction) plan() *ChangeSet {
	turned := make(map[hunkRef]bool, len(t.hunks))
	for _, ref := range t.hunks {
		turned[ref] = true
	}
	pick := func(f *FileChange, h *Hunk) bool { return turned[hunkRef{f.Path, h.ID}] }
	if t.kind == undoing {
		return t.change.inverse(pick)
	}
	again := t.change.Clone()
	for i := range again.Files {
		f := &again.Files[i]
		for k := range f.Hunks {
			if h := &f.Hunks[k]; pick(f, h) {
				h.State = Pending
			}
		}
	}
	return again
}

// isPlan reports whether nothing of plan had to be rebased to become the step:
// the change of the entry then says all of it.
func (t *transaction) isPlan(plan *ChangeSet) bool {
	return slices.EqualFunc(plan.settled().Files, t.step.Files, func(f, g FileChange) bool {
		return f.Op == g.Op && f.Path == g.Path && f.To == g.To && g.Origin == "" && slices.Equal(f.Hunks, g.Hunks) && bytes.Equal(f.Before, g.Before)
	})
}

// run makes a transaction: the intent goes to the disk, then the files are
// changed, then the entry says so. On an error it takes all back.
func (j *Journal) run(ctx context.Context, db *database, to Target, rec *record, t *transaction) (*Entry, error) {
	if err := db.checkFree(t.step); err != nil {
		return nil, fmt.Errorf("%s %q: %w", t.kind, rec.Title, err)
	}
	rec.begin(to, t)
	if err := db.begin(rec, t); err != nil {
		return nil, fmt.Errorf("%s %q: record the intent: %w", t.kind, rec.Title, err)
	}
	err := to.Apply(ctx, t.step)
	ctx = context.WithoutCancel(ctx) // from here on all or nothing
	if err == nil {
		if err = db.commit(rec, t); errors.Is(err, errUnrecorded) {
			return nil, fmt.Errorf("%s %q: %w", t.kind, rec.Title, err)
		}
	}
	if err != nil {
		t.crossed = errors.Is(err, ErrStale)
		left, backErr := db.rollback(ctx, to, rec, t)
		return nil, fmt.Errorf("%s %q: %w", t.kind, rec.Title, undone(err, left, backErr))
	}
	entry := rec.Entry
	entry.Change = t.change
	rec.mark(entry.Change)
	return &entry, nil
}

// undone returns the error of a transaction that was taken back because of
// cause: but for left, or not at all because of backErr.
func undone(cause error, left []Leftover, backErr error) error {
	if backErr != nil {
		return errors.Join(cause, fmt.Errorf("take it back: %w", backErr))
	}
	if len(left) > 0 {
		return &PartialError{Files: left, Err: cause}
	}
	return cause
}

// begin fills in what a recovery and an undo will need.
func (rec *record) begin(to Target, t *transaction) {
	rec.Intent = &intent{Kind: t.kind, Hunks: t.hunks}
	if t.planned {
		rec.Intent.Modes = make([]fs.FileMode, len(t.step.Files))
	}
	rec.State = EntryOpen
	rec.Documents = nil
	for i := range t.step.Files {
		f := &t.step.Files[i]
		if f.Origin != "" {
			rec.Intent.Paths = append(rec.Intent.Paths, f.Path)
		}
		if stat, err := os.Stat(f.Path); err == nil {
			f.Was = keptMode(stat)
		}
		if t.planned {
			rec.Intent.Modes[i] = f.Was
		}
		if isOpen(to, f.Path) {
			rec.Documents = append(rec.Documents, f.Target())
		}
		rec.Folders = append(rec.Folders, missingFolders(f)...)
	}
	slices.Sort(rec.Folders)
	rec.Folders = slices.Compact(rec.Folders)
}

// missingFolders returns the folders that have to be made for f.
func missingFolders(f *FileChange) []string {
	if f.Op != Create && f.Op != Rename {
		return nil
	}
	return missingAbove(f.Target())
}

// missingAbove returns the folders that lead to path and are not there, the
// innermost first.
func missingAbove(path string) (missing []string) {
	for dir := filepath.Dir(path); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		missing = append(missing, dir)
	}
	return missing
}

// removeFolders removes those of the folders that are empty. They are sorted,
// so that a folder comes before what is in it.
func removeFolders(folders []string) {
	for _, dir := range slices.Backward(folders) {
		_ = remove(dir) // not if somebody put something there
	}
}

// errUnrecorded says that a change is made and that the disk did not let the
// journal say so. Recover finds it made.
var errUnrecorded = errors.New("the change is made, but the journal could not be written; the next start settles that")

// commit notes that t is made. A write that failed may have reached the disk
// all the same: unless the intent stands there again, nothing may be taken
// back, and the error is errUnrecorded.
func (d *database) commit(rec *record, t *transaction) error {
	before := *rec
	rec.turned(t)
	if t.kind == undoing {
		removeFolders(rec.Folders)
	}
	if err := d.finish(rec); err != nil {
		*rec = before
		if again := d.put(rec); again != nil {
			return fmt.Errorf("%w: %w", errUnrecorded, err)
		}
		return err
	}
	return nil
}

// rollback takes back what of t was made, notes that, and returns the paths it
// could not bring back. On an error the intent stays, for Recover.
func (d *database) rollback(ctx context.Context, to Target, rec *record, t *transaction) ([]Leftover, error) {
	left, err := rollback(ctx, to, images(t.step))
	if err != nil {
		return nil, err
	}
	if t.crossed {
		left = slices.DeleteFunc(left, t.step.isUntouched)
	}
	if t.kind != undoing {
		removeFolders(rec.Folders)
	}
	rec.Intent = nil
	if t.kind == applying {
		rec.Undone = refsBeside(t.change, left)
	}
	rec.setState()
	if t.kind == applying && len(left) == 0 {
		return nil, d.remove(rec)
	}
	return left, d.finish(rec)
}

// isUntouched reports whether a file that changed meanwhile holds nothing of
// cs: the change never came to it, so that there is nothing to take back.
func (cs *ChangeSet) isUntouched(l Leftover) bool {
	at := slices.IndexFunc(cs.Files, func(f FileChange) bool { return f.Path == l.Path })
	if at < 0 || cs.Files[at].Op != Modify || l.Now == nil {
		return false
	}
	f := cs.Clone().Files[at]
	if f.bringsLineOf([]byte(*l.Now)) {
		return false
	}
	f.rebaseContent([]byte(*l.Now), nil)
	return len(f.Hunks) == len(cs.Files[at].Hunks)
}

// bringsLineOf reports whether now has a line that a hunk of f brings and that
// was not there before.
func (f *FileChange) bringsLineOf(now []byte) bool {
	before, is := splitLines(f.Before), splitLines(now)
	return slices.ContainsFunc(f.Hunks, func(h Hunk) bool {
		return slices.ContainsFunc(splitLines([]byte(h.Edit.New)), func(line string) bool {
			return strings.TrimSpace(line) != "" && slices.Contains(is, line) && !slices.Contains(before, line)
		})
	})
}

// refsBeside returns the hunks of the files of cs that are not among left.
func refsBeside(cs *ChangeSet, left []Leftover) []hunkRef {
	return picked(cs, func(f *FileChange, _ *Hunk) bool {
		return !slices.ContainsFunc(left, func(l Leftover) bool { return l.Path == f.Path || l.Path == f.To })
	})
}
