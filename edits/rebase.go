package edits

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/agentls/agentls/edits/text"
)

// Rebase carries what is left of cs over to what the files hold now, by a
// three-way merge per file. What is left are its pending hunks and those in
// conflict, which are tried again; applied ones are part of the content they
// count in.
//
// In the result each hunk has its ID and is pending or in conflict, and
// contents and spans are those of now. A hunk whose change is already there is
// dropped, and a file with nothing left too. Hunks conflict where the user
// changed the same or touching lines in another way; where now is an Anchors,
// only if that is so in the declaration they are in, too, wherever that is now:
// what is in another file than before is a FileChange with an Origin. Where a file conflicts
// as a whole, because it is gone, say, it keeps the content it was made from.
//
// An error means that a file could not be read or that cs breaks an invariant.
func Rebase(ctx context.Context, cs *ChangeSet, now Source) (*ChangeSet, []Conflict, error) {
	if err := cs.Check(); err != nil {
		return nil, nil, err
	}
	return rebaseSound(ctx, cs, now)
}

// rebaseSound is Rebase of a change set that breaks no invariant.
func rebaseSound(ctx context.Context, cs *ChangeSet, now Source) (*ChangeSet, []Conflict, error) {
	taken := make(map[string]bool, len(cs.Files))
	for i := range cs.Files {
		taken[cs.Files[i].Path], taken[cs.Files[i].Target()] = true, true
	}
	files := make([]rebased, len(cs.Files))
	err := together(cs.Files, func(f FileChange, n int) (err error) {
		files[n], err = rebaseFile(ctx, f, now, newElsewhere(ctx, now, &f, taken))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	out := &ChangeSet{ID: cs.ID, Title: cs.Title}
	var conflicts []Conflict
	for i, r := range files {
		if slices.ContainsFunc(r.moved, func(f FileChange) bool { return taken[f.Path] }) { // another one moved there, too
			if r, err = rebaseFile(ctx, cs.Files[i], now, nil); err != nil {
				return nil, nil, err
			}
		}
		for _, f := range append([]FileChange{r.file}, r.moved...) {
			if len(f.Hunks) > 0 {
				out.Files = append(out.Files, f)
				taken[f.Path] = true
			}
		}
		conflicts = append(conflicts, r.conflicts...)
	}
	return out, conflicts, nil
}

// A rebased is what became of the change of one file: what is left in it, and
// what followed declarations to other files.
type rebased struct {
	file      FileChange
	moved     []FileChange
	conflicts []Conflict
}

// rebaseFile carries what is left of f over to now. A nil elsewhere follows
// nothing to other files.
func rebaseFile(ctx context.Context, f FileChange, now Source, elsewhere *elsewhere) (r rebased, err error) {
	left, ok := f.settled()
	if !ok {
		return rebased{}, nil
	}
	r.file = left
	if r.conflicts, err = r.file.rebase(ctx, now, elsewhere); err != nil {
		return rebased{}, fmt.Errorf("rebase %s: %w", f.Path, err)
	}
	r.moved = elsewhere.changes()
	return r, nil
}

// rebase carries f over to now, in place. A change that is already there ends
// without hunks.
func (f *FileChange) rebase(ctx context.Context, now Source, elsewhere *elsewhere) ([]Conflict, error) {
	content, err := readNow(ctx, now, f.Path)
	if err != nil {
		return nil, err
	}
	switch f.Op {
	case Create:
		return f.rebaseCreate(content), nil
	case Delete:
		return f.rebaseDelete(content), nil
	case Rename:
		return f.rebaseRename(ctx, now, content)
	case Modify:
	}
	follow := newFollower(ctx, now, f, content)
	if follow != nil && !f.ChangesMode() && f.Mode == 0 {
		follow.elsewhere = elsewhere
	}
	return f.rebaseContent(content, follow), nil
}

// readNow returns the content of the file at path, nil if there is none.
func readNow(ctx context.Context, now Source, path string) ([]byte, error) {
	content, err := now.ReadFile(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case content == nil:
		return []byte{}, nil
	}
	return content, nil
}

func (f *FileChange) rebaseCreate(now []byte) []Conflict {
	if now == nil {
		return nil
	}
	if bytes.Equal(now, f.After()) {
		f.Hunks = nil
		return nil
	}
	return f.refuse("a file of another content is there now", now)
}

func (f *FileChange) rebaseDelete(now []byte) []Conflict {
	if now == nil {
		f.Hunks = nil
		return nil
	}
	if bytes.Equal(now, f.Before) {
		return nil
	}
	return f.refuse("the file to delete was changed meanwhile", now)
}

func (f *FileChange) rebaseRename(ctx context.Context, now Source, content []byte) ([]Conflict, error) {
	there, err := readNow(ctx, now, f.To)
	if err != nil {
		return nil, err
	}
	if content == nil && there != nil && bytes.Equal(there, f.After()) {
		f.Hunks = nil
		return nil, nil
	}
	if there != nil {
		return f.refuse(fmt.Sprintf("the file cannot move: %s exists now", f.To), there), nil
	}
	return f.rebaseContent(content, newFollower(ctx, now, f, content)), nil
}

// rebaseContent carries the text of f over to now; a nil follow follows nothing.
func (f *FileChange) rebaseContent(now []byte, follow *follower) []Conflict {
	if now == nil {
		if _, ok := follow.place(f.Hunks); ok { // each of them elsewhere
			f.Hunks = nil
			return nil
		}
		return f.refuse("the file is no longer there", nil)
	}
	if err := text.Check(now); err != nil {
		return f.refuse(fmt.Sprintf("the file is no text any more: %v", err), nil)
	}
	if bytes.Equal(now, f.Before) {
		return nil
	}
	return f.merge(now, follow)
}

// refuse puts all hunks of f in conflict.
func (f *FileChange) refuse(reason string, now []byte) []Conflict {
	ours := f.After()
	for i := range f.Hunks {
		h := &f.Hunks[i]
		h.State = InConflict
		h.Old = string(f.Before[h.Edit.Span.Start:h.Edit.Span.End])
	}
	c := Conflict{Path: f.Path, Span: text.Span{End: len(now)}, Reason: reason, Ours: string(ours)}
	if text.Check(now) == nil {
		c.Theirs = string(now)
	}
	return []Conflict{c}
}

// merge makes f a change of now instead of Before. Hunks that collide are put
// where follow finds them again.
func (f *FileChange) merge(now []byte, follow *follower) []Conflict {
	was := *f
	ours, theirs := f.Hunks, diffLines(f.Before, now)
	var hunks []Hunk
	if f.leads() {
		hunks, ours = ours[:1:1], ours[1:]
	}
	var conflicts []Conflict
	delta := 0 // how much longer now is than Before, up to here
	for len(ours) > 0 {
		for len(theirs) > 0 && theirs[0].before.End < ours[0].Edit.Span.Start {
			delta = theirs[0].after.End - theirs[0].before.End
			theirs = theirs[1:]
		}
		r := nextRegion(ours, theirs)
		ours, theirs = ours[len(r.ours):], theirs[len(r.theirs):]
		moved, collided := r.merge(f, now, delta)
		if len(collided) > 0 {
			if placed, ok := follow.place(r.ours); ok {
				moved, collided = placed, nil
			}
		}
		hunks, conflicts = append(hunks, moved...), append(conflicts, collided...)
		if n := len(r.theirs); n > 0 {
			delta = r.theirs[n-1].after.End - r.theirs[n-1].before.End
		}
	}
	if follow != nil && !inOrder(hunks) {
		*f = was
		follow.elsewhere.forget()
		return f.merge(now, nil)
	}
	f.Hunks, f.Before, f.Base = hunks, now, text.HashOf(now)
	return conflicts
}

// A region is a run of hunks of both sides that overlap or touch.
type region struct {
	ours   []Hunk
	theirs []lineDiff
	base   text.Span // what all of them cover
}

// nextRegion returns the region that begins with ours[0].
func nextRegion(ours []Hunk, theirs []lineDiff) region {
	base := ours[0].Edit.Span
	i, j := 1, 0
	for {
		switch {
		case i < len(ours) && ours[i].Edit.Span.Start <= base.End:
			base.End = max(base.End, ours[i].Edit.Span.End)
			i++
		case j < len(theirs) && theirs[j].before.Start <= base.End:
			base.Start = min(base.Start, theirs[j].before.Start)
			base.End = max(base.End, theirs[j].before.End)
			j++
		default:
			return region{ours: ours[:i], theirs: theirs[:j], base: base}
		}
	}
}

// merge returns the hunks of r as they stand in now, which is delta bytes
// longer before r than f.Before.
func (r region) merge(f *FileChange, now []byte, delta int) ([]Hunk, []Conflict) {
	n := len(r.theirs)
	if n == 0 {
		return shifted(r.ours, delta), nil
	}
	last := r.theirs[n-1]
	there := text.Span{Start: r.base.Start + delta, End: r.base.End + last.after.End - last.before.End}
	theirs := string(now[there.Start:there.End])
	var edits []text.Edit
	for _, h := range shifted(r.ours, -r.base.Start) {
		edits = append(edits, h.Edit)
	}
	ours := string(apply(f.Before[r.base.Start:r.base.End], edits))
	if ours == theirs {
		return nil, nil
	}
	var conflicts []Conflict
	for _, h := range r.ours {
		conflicts = append(conflicts, Conflict{
			Path: f.Path, Hunk: h.ID, Span: there, Ours: ours, Theirs: theirs,
			Reason: "the same lines were changed meanwhile",
		})
	}
	return r.colliding(f.Before, there), conflicts
}

func shifted(hunks []Hunk, delta int) []Hunk {
	out := append([]Hunk(nil), hunks...)
	for i := range out {
		out[i].Edit.Span = out[i].Edit.Span.Shift(delta)
	}
	return out
}

// colliding returns the hunks of r in conflict with what stands at there. They
// share out the region, so that all their Olds are the old text and all their
// News the new one; the last one has all of there.
func (r region) colliding(before []byte, there text.Span) []Hunk {
	out := append([]Hunk(nil), r.ours...)
	from := r.base.Start
	for i := range out {
		to, span := r.base.End, there
		if i+1 < len(out) {
			to, span = r.ours[i+1].Edit.Span.Start, text.Span{Start: there.Start, End: there.Start}
		}
		e := r.ours[i].Edit
		out[i].Old = string(before[from:to])
		out[i].Edit.New = string(before[from:e.Span.Start]) + e.New + string(before[e.Span.End:to])
		out[i].Edit.Span = span
		out[i].State = InConflict
		from = to
	}
	return out
}
