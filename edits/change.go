package edits

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agentls/agentls/edits/text"
)

// ErrNoChange is returned for a change that changes nothing.
var ErrNoChange = errors.New("no change")

// renaming is the ID of the first hunk of a Rename: the renaming itself.
const renaming = 1

// NewModify returns the change of the file at path, absolute and clean, from
// before to after. Its hunks are the differing lines. It borrows before. The
// error names path and is text.ErrBinary or text.ErrNotUTF8 for what is not
// text, and ErrNoChange where nothing differs.
func NewModify(path string, before, after []byte) (FileChange, error) {
	f := FileChange{Op: Modify, Path: path, Base: text.HashOf(before), Before: before}
	f.Hunks = newHunks(before, after, 1)
	if len(f.Hunks) == 0 {
		return FileChange{}, fmt.Errorf("modify %s: %w", path, ErrNoChange)
	}
	return checked(f, before, after)
}

// NewModeChange returns the change of the permission bits alone of the file at
// path, which holds content and is to keep it: from was to mode. It has one
// hunk, which is empty. It borrows content. The error names path, and is
// ErrNoChange where both are the same.
func NewModeChange(path string, content []byte, was, mode fs.FileMode) (FileChange, error) {
	if was == mode || mode == 0 {
		return FileChange{}, fmt.Errorf("change the mode of %s: %w", path, ErrNoChange)
	}
	f := FileChange{Op: Modify, Path: path, Base: text.HashOf(content), Before: content, Mode: mode, Was: was}
	f.Hunks = []Hunk{{ID: 1, State: Pending}}
	return checked(f, content, content)
}

// NewCreate returns the change that makes a file of content at path. Mode 0
// means what the system gives new files. The error names path.
func NewCreate(path string, content []byte, mode fs.FileMode) (FileChange, error) {
	f := FileChange{Op: Create, Path: path, Mode: mode}
	f.Hunks = []Hunk{{ID: 1, Edit: text.Edit{New: string(content)}, State: Pending}}
	return checked(f, nil, content)
}

// NewDelete returns the change that removes the file at path, which holds
// before. It borrows before. The error names path.
func NewDelete(path string, before []byte) (FileChange, error) {
	f := FileChange{Op: Delete, Path: path, Base: text.HashOf(before), Before: before}
	f.Hunks = []Hunk{{ID: 1, Edit: text.Edit{Span: text.Span{End: len(before)}}, State: Pending}}
	return checked(f, before, nil)
}

// NewRename returns the change that moves the file at path to another one,
// where none is, and turns its content from before into after, which may be
// the same. It borrows before. The error names path.
func NewRename(path, to string, before, after []byte) (FileChange, error) {
	f := FileChange{Op: Rename, Path: path, To: to, Base: text.HashOf(before), Before: before}
	f.Hunks = append([]Hunk{{ID: renaming, State: Pending}}, newHunks(before, after, renaming+1)...)
	return checked(f, before, after)
}

func checked(f FileChange, before, after []byte) (FileChange, error) {
	for _, content := range [][]byte{before, after} {
		if err := text.Check(content); err != nil {
			return FileChange{}, fmt.Errorf("%s %s: %w", f.Op, f.Path, err)
		}
	}
	if err := f.check(); err != nil {
		return FileChange{}, err
	}
	return f, nil
}

// Target returns the path that the content lies at once all of f is made.
func (f *FileChange) Target() string {
	if f.Op == Rename {
		return f.To
	}
	return f.Path
}

// Proposed returns the path that the hunks of f have in the change set that it
// was rebased from.
func (f *FileChange) Proposed() string { return cmp.Or(f.Origin, f.Path) }

// After returns Before with every hunk made that is pending or applied. Of a
// Delete it is empty.
func (f *FileChange) After() []byte {
	return apply(f.Before, f.edits(Pending, Applied))
}

// edits returns the edits of the hunks in one of the states.
func (f *FileChange) edits(states ...State) []text.Edit {
	var edits []text.Edit
	for _, h := range f.Hunks {
		if slices.Contains(states, h.State) {
			edits = append(edits, h.Edit)
		}
	}
	return edits
}

// isRenaming reports whether h is the renaming itself.
func (f *FileChange) isRenaming(h *Hunk) bool { return f.Op == Rename && h.ID == renaming }

// ChangesMode reports whether f is a change of the permission bits alone.
func (f *FileChange) ChangesMode() bool {
	return f.Op == Modify && f.Mode != 0 && len(f.Hunks) == 1 && f.Hunks[0].Edit == text.Edit{} && f.Hunks[0].Old == ""
}

// leads reports whether the first hunk of f changes no text, and so fits any.
func (f *FileChange) leads() bool { return f.Op == Rename || f.ChangesMode() }

// Counts says how many files a change set touches, how many of its hunks are
// in which state, and how many lines all of them add and remove.
type Counts struct {
	Files      int `json:"files"`
	Pending    int `json:"pending"`
	Applied    int `json:"applied"`
	Rejected   int `json:"rejected"`
	InConflict int `json:"inConflict"`
	Undone     int `json:"undone"`
	Added      int `json:"added"`   // lines
	Removed    int `json:"removed"` // lines
}

// Counts counts the files, hunks and lines of cs.
func (cs *ChangeSet) Counts() Counts {
	n := Counts{Files: len(cs.Files)}
	for i := range cs.Files {
		f := &cs.Files[i]
		for _, h := range f.Hunks {
			n.count(h.State)
		}
		added, removed := f.Lines()
		n.Added, n.Removed = n.Added+added, n.Removed+removed
	}
	return n
}

func (n *Counts) count(s State) {
	switch s {
	case Pending:
		n.Pending++
	case Applied:
		n.Applied++
	case Rejected:
		n.Rejected++
	case InConflict:
		n.InConflict++
	case Undone:
		n.Undone++
	}
}

// Lines returns how many lines the hunks of f, in all states, add and remove.
func (f *FileChange) Lines() (added, removed int) {
	for _, h := range f.Hunks {
		added += len(splitLines([]byte(h.Edit.New)))
		removed += len(splitLines(f.Before[h.Edit.Span.Start:h.Edit.Span.End]))
	}
	return added, removed
}

// Pending returns the number of hunks that wait for the user.
func (cs *ChangeSet) Pending() int { return cs.Counts().Pending }

// Hunk returns the hunk id of the file that is, or was before a renaming, at
// path. Its State may be set; all else is shared and must not change.
func (cs *ChangeSet) Hunk(path string, id int) (*Hunk, bool) {
	for i := range cs.Files {
		f := &cs.Files[i]
		if f.Path != path && f.To != path {
			continue
		}
		for k := range f.Hunks {
			if f.Hunks[k].ID == id {
				return &f.Hunks[k], true
			}
		}
	}
	return nil, false
}

// Mark gives state to every hunk of cs that is also in done: what Select took
// out of cs, or what Rebase made of it.
func (cs *ChangeSet) Mark(done *ChangeSet, state State) {
	marked := make(map[hunkRef]bool)
	for i := range done.Files {
		f := &done.Files[i]
		for _, h := range f.Hunks {
			marked[hunkRef{f.Proposed(), h.ID}] = true
		}
	}
	for i := range cs.Files {
		f := &cs.Files[i]
		for k := range f.Hunks {
			h := &f.Hunks[k]
			if marked[hunkRef{f.Path, h.ID}] || f.To != "" && marked[hunkRef{f.To, h.ID}] {
				h.State = state
			}
		}
	}
}

// Check returns an error that names the file whose change breaks an invariant
// of FileChange, or that is changed twice. What constructors made is right;
// Check is for what came over a wire or from a disk.
func (cs *ChangeSet) Check() error {
	if err := together(cs.Files, func(f FileChange, _ int) error { return f.check() }); err != nil {
		return err
	}
	seen := make(map[string]bool, len(cs.Files))
	for i := range cs.Files {
		f := &cs.Files[i]
		if f.Op == Rename {
			if seen[f.To] {
				return fmt.Errorf("%s is changed twice", f.To)
			}
			seen[f.To] = true
		}
		if seen[f.Path] {
			return fmt.Errorf("%s is changed twice", f.Path)
		}
		seen[f.Path] = true
	}
	return nil
}

func (f *FileChange) check() error {
	if err := f.checkPaths(); err != nil {
		return err
	}
	if f.Op != Create && f.Base != text.HashOf(f.Before) {
		return fmt.Errorf("%s %s: the content is not the one its hash says", f.Op, f.Path)
	}
	if err := f.checkShape(); err != nil {
		return err
	}
	ids := make(map[int]bool, len(f.Hunks))
	end := 0
	for i := range f.Hunks {
		h := &f.Hunks[i]
		if err := f.checkHunk(h, end); err != nil {
			return fmt.Errorf("%s %s: hunk %d: %w", f.Op, f.Path, h.ID, err)
		}
		if ids[h.ID] {
			return fmt.Errorf("%s %s: hunk %d is there twice", f.Op, f.Path, h.ID)
		}
		ids[h.ID] = true
		end = h.Edit.Span.End
	}
	return nil
}

func (f *FileChange) checkPaths() error {
	paths := []string{f.Path}
	if f.Op == Rename {
		paths = append(paths, f.To)
	}
	for _, path := range paths {
		if !filepath.IsAbs(path) || filepath.Clean(path) != path || strings.ContainsRune(path, 0) || !utf8.ValidString(path) {
			return fmt.Errorf("%s: the path %q is not absolute, clean and UTF-8", f.Op, path)
		}
	}
	if f.To != "" && (f.Op != Rename || f.To == f.Path) {
		return fmt.Errorf("%s %s: cannot go to %s", f.Op, f.Path, f.To)
	}
	return nil
}

// checkShape looks at what the operation asks for.
func (f *FileChange) checkShape() error {
	wrong := fmt.Errorf("%s %s: not the hunks of this operation", f.Op, f.Path)
	switch f.Op {
	case Modify:
		empty := slices.ContainsFunc(f.Hunks, func(h Hunk) bool { return h.Edit == text.Edit{} && h.State != InConflict })
		if len(f.Hunks) == 0 || empty && !f.ChangesMode() {
			return wrong
		}
	case Rename:
		if len(f.Hunks) == 0 || f.Hunks[0].ID != renaming || f.Hunks[0].Edit != (text.Edit{}) {
			return wrong
		}
	case Create:
		if len(f.Hunks) != 1 || len(f.Before) > 0 || !f.Base.IsZero() {
			return wrong
		}
	case Delete:
		if len(f.Hunks) != 1 || f.Hunks[0].Edit != (text.Edit{Span: text.Span{End: len(f.Before)}}) {
			return wrong
		}
	default:
		return fmt.Errorf("%s: unknown operation %q", f.Path, f.Op)
	}
	return nil
}

// checkHunk looks at one hunk; end is where the one before it ends.
func (f *FileChange) checkHunk(h *Hunk, end int) error {
	span := h.Edit.Span
	if h.ID < 1 {
		return errors.New("IDs count from 1")
	}
	if span.Start < end || span.End < span.Start || span.End > len(f.Before) {
		return text.ErrOverlap
	}
	if err := text.Check([]byte(h.Edit.New)); err != nil {
		return err
	}
	if !f.startsLine(span.Start) || !f.endsLine(h.Edit) {
		return errors.New("not whole lines")
	}
	return nil
}

func (f *FileChange) startsLine(offset int) bool {
	return offset == 0 || f.Before[offset-1] == '\n'
}

// endsLine reports whether what follows e begins a line, before and after.
func (f *FileChange) endsLine(e text.Edit) bool {
	if e.Span.End == len(f.Before) {
		return true
	}
	return f.startsLine(e.Span.End) && (e.New == "" || strings.HasSuffix(e.New, "\n"))
}
