package edits

import (
	"slices"

	"github.com/agentls/agentls/edits/text"
)

// Select returns the pending hunks of cs that keep says yes to, as a change
// set of its own: what was applied before is in its contents, and all other
// hunks are gone. A hunk of a file that is to be renamed brings the renaming
// along.
func (cs *ChangeSet) Select(keep func(*FileChange, *Hunk) bool) *ChangeSet {
	out := &ChangeSet{ID: cs.ID, Title: cs.Title}
	for i := range cs.Files {
		if f, ok := cs.Files[i].only(keep).settled(); ok {
			out.Files = append(out.Files, f)
		}
	}
	return out
}

// settled returns what is left of cs to do, its files settled.
func (cs *ChangeSet) settled() *ChangeSet {
	out := &ChangeSet{ID: cs.ID, Title: cs.Title}
	for i := range cs.Files {
		if f, ok := cs.Files[i].settled(); ok {
			out.Files = append(out.Files, f)
		}
	}
	return out
}

// only returns f with the hunks rejected that wait and that keep says no to.
func (f *FileChange) only(keep func(*FileChange, *Hunk) bool) *FileChange {
	g := *f
	g.Hunks = append([]Hunk(nil), f.Hunks...)
	kept := false
	for i := range g.Hunks {
		h := &g.Hunks[i]
		switch {
		case h.State == Pending && keep(f, &f.Hunks[i]):
			kept = true
		case h.State == Pending || h.State == InConflict:
			h.State = Rejected
		}
	}
	if kept && f.Op == Rename && f.Hunks[0].State == Pending {
		g.Hunks[0].State = Pending
	}
	return &g
}

// settled returns what is left of f to do, and whether anything is: Before is
// the content with the applied hunks made, hunks that wait or were in conflict
// are pending, all others are gone.
func (f *FileChange) settled() (FileChange, bool) {
	g := *f
	g.Hunks = nil
	var made []text.Edit // what leads from Before to the content they are counted in
	delta := 0
	for _, h := range f.Hunks {
		switch h.State {
		case Applied:
			made = append(made, h.Edit)
			delta += h.Edit.Delta()
		case Pending:
			h.Edit.Span = h.Edit.Span.Shift(delta)
			g.Hunks = append(g.Hunks, h)
		case InConflict:
			back := text.Edit{Span: h.Edit.Span, New: h.Old}
			made = append(made, back)
			g.Hunks = append(g.Hunks, h.retried(delta))
			delta += back.Delta()
		case Rejected, Undone:
		}
	}
	if f.Op == Rename && !g.renames() {
		g.Op, g.Path, g.To = Modify, f.present(), ""
	}
	if len(made) > 0 && (f.Op == Modify || f.Op == Rename) {
		g.Before = apply(f.Before, made)
		g.Base = text.HashOf(g.Before)
	}
	return g, len(g.Hunks) > 0
}

// retried returns h as it was before it came into conflict, delta bytes on.
func (h Hunk) retried(delta int) Hunk {
	start := h.Edit.Span.Start + delta
	h.Edit.Span = text.Span{Start: start, End: start + len(h.Old)}
	h.Edit = trim(h.Edit, h.Old)
	h.State, h.Old = Pending, ""
	return h
}

// renames reports whether the renaming is among the hunks of f.
func (f *FileChange) renames() bool { return len(f.Hunks) > 0 && f.Hunks[0].ID == renaming }

// present returns the path at which the content lies as long as the pending
// hunks of f are not made.
func (f *FileChange) present() string {
	if f.Op == Rename && f.Hunks[0].State == Applied {
		return f.To
	}
	return f.Path
}

// Inverse returns the change set that takes cs back once its pending and
// applied hunks were made: spans count in what cs led to, IDs stay.
func (cs *ChangeSet) Inverse() *ChangeSet {
	return cs.inverse(func(*FileChange, *Hunk) bool { return true })
}

// inverse is Inverse for the hunks that undo says yes to.
func (cs *ChangeSet) inverse(undo func(*FileChange, *Hunk) bool) *ChangeSet {
	files := make([]FileChange, len(cs.Files))
	_ = together(cs.Files, func(f FileChange, n int) error {
		files[n] = f.inverse(func(h *Hunk) bool { return undo(&f, h) })
		return nil
	})
	files = slices.DeleteFunc(files, func(f FileChange) bool { return len(f.Hunks) == 0 })
	return &ChangeSet{ID: cs.ID, Title: cs.Title, Files: files}
}

func (f *FileChange) inverse(undo func(*Hunk) bool) FileChange {
	g := FileChange{Op: Modify, Path: f.Path}
	if f.Mode != 0 || f.Op == Delete {
		g.Mode, g.Was = f.Was, f.Mode
	}
	delta := 0
	for i := range f.Hunks {
		h := &f.Hunks[i]
		if h.State != Pending && h.State != Applied {
			continue
		}
		switch {
		case f.isRenaming(h) && undo(h):
			g.Op, g.Path, g.To = Rename, f.To, f.Path
			g.Hunks = append(g.Hunks, Hunk{ID: h.ID, State: Pending})
		case f.isRenaming(h):
			g.Path = f.To
		case undo(h):
			g.Hunks = append(g.Hunks, Hunk{ID: h.ID, Edit: f.back(h, delta), State: Pending})
		}
		delta += h.Edit.Delta()
	}
	g.Before = f.After()
	switch f.Op {
	case Create:
		g.Op = Delete
	case Delete:
		g.Op, g.Before = Create, nil
		return g
	case Modify, Rename:
	}
	g.Base = text.HashOf(g.Before)
	return g
}

// back returns the edit that takes h back, delta bytes on.
func (f *FileChange) back(h *Hunk, delta int) text.Edit {
	span := h.Edit.Span
	start := span.Start + delta
	return text.Edit{
		Span: text.Span{Start: start, End: start + len(h.Edit.New)},
		New:  string(f.Before[span.Start:span.End]),
	}
}

// Clone returns a copy of cs whose states can be set without setting those of
// cs. Contents are shared.
func (cs *ChangeSet) Clone() *ChangeSet {
	out := *cs
	out.Files = slices.Clone(cs.Files)
	for i := range out.Files {
		out.Files[i].Hunks = slices.Clone(out.Files[i].Hunks)
	}
	return &out
}
