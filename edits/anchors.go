package edits

import (
	"bytes"
	"context"
	"slices"

	"github.com/agentls/agentls/edits/text"
)

// Anchors is a Source that knows where declarations are. Rebase then follows a
// hunk into a declaration that moved within its file, or to another one.
type Anchors interface {
	Source

	// Anchors returns the declarations in content, which is or was that of the
	// file at path, in any order. What cannot be parsed has none.
	Anchors(ctx context.Context, path string, content []byte) ([]Anchor, error)

	// Declaring returns the files in which a declaration may have this name, in
	// any order. It need not know the newest: what it says is looked at.
	Declaring(ctx context.Context, name string) ([]string, error)
}

// An Anchor is a declaration: what is in it may change, its name not.
type Anchor struct {
	Name string    // with what it is declared in: "T.Method"
	Span text.Span // of all of it, with its comment
}

// A follower finds the declarations of one file again.
type follower struct {
	before, now []byte
	find        func(content []byte) ([]Anchor, error)
	was, is     []Anchor // nil until they are needed

	elsewhere *elsewhere // nil: they are followed within the file only
}

// newFollower returns nil where src knows no declarations.
func newFollower(ctx context.Context, src Source, f *FileChange, now []byte) *follower {
	anchors, ok := src.(Anchors)
	if !ok {
		return nil
	}
	return &follower{before: f.Before, now: now, find: func(content []byte) ([]Anchor, error) {
		return anchors.Anchors(ctx, f.Path, content)
	}}
}

// place returns hunks, which collide where they are, as they stand in the
// declarations that they were in, if all of them do.
func (l *follower) place(hunks []Hunk) (placed []Hunk, ok bool) {
	if l == nil || !l.look() {
		return nil, false
	}
	var gone []FileChange
	for len(hunks) > 0 {
		n, in, ok := l.placeFirst(hunks)
		if !ok {
			var there FileChange
			if n, there, ok = l.sendFirst(hunks); !ok {
				return nil, false
			}
			gone = append(gone, there)
		}
		placed, hunks = append(placed, in...), hunks[n:]
	}
	return placed, l.elsewhere.take(gone)
}

// look finds the declarations, once.
func (l *follower) look() bool {
	if l.was == nil {
		var err error
		if l.was, err = l.find(l.before); err == nil {
			l.is, err = l.find(l.now)
		}
		if err != nil {
			l.is = nil // as if there were none: the hunks stay in conflict
		}
		l.was = wholeLines(l.before, l.was)
		l.is = wholeLines(l.now, l.is)
	}
	return len(l.was) > 0
}

// wholeLines returns the anchors, innermost first, with their first and last
// lines; never nil.
func wholeLines(content []byte, anchors []Anchor) []Anchor {
	out := make([]Anchor, 0, len(anchors))
	for _, a := range anchors {
		if a.Span.Start < 0 || a.Span.End > len(content) || a.Span.Start >= a.Span.End {
			continue
		}
		a.Span.Start = bytes.LastIndexByte(content[:a.Span.Start], '\n') + 1
		if content[a.Span.End-1] != '\n' {
			if n := bytes.IndexByte(content[a.Span.End:], '\n'); n >= 0 {
				a.Span.End += n + 1
			} else {
				a.Span.End = len(content)
			}
		}
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(a, b Anchor) int { return a.Span.Len() - b.Span.Len() })
	return out
}

// placeFirst places the first of hunks, and the n-1 after it that are in the
// same declaration.
func (l *follower) placeFirst(hunks []Hunk) (n int, placed []Hunk, ok bool) {
	for _, a := range l.was {
		n := l.within(a, hunks)
		to, ok := only(l.is, a.Name)
		if n == 0 || !ok {
			continue
		}
		if placed, ok := l.carried(a, hunks[:n], l.now, to.Span); ok {
			return n, placed, true
		}
	}
	return 0, nil, false
}

// within returns how many of hunks, the first ones, are in a, if that is the
// only declaration of its name.
func (l *follower) within(a Anchor, hunks []Hunk) (n int) {
	if _, unique := only(l.was, a.Name); !unique {
		return 0
	}
	for n < len(hunks) && a.Span.Encloses(hunks[n].Edit.Span) {
		n++
	}
	return n
}

// carried returns hunks, which are in a, as they stand in the declaration that
// is now at span in content, if they fit there.
func (l *follower) carried(a Anchor, hunks []Hunk, content []byte, span text.Span) ([]Hunk, bool) {
	part := FileChange{Op: Modify, Before: l.before[a.Span.Start:a.Span.End], Hunks: shifted(hunks, -a.Span.Start)}
	conflicts := part.merge(content[span.Start:span.End], nil)
	return shifted(part.Hunks, span.Start), len(conflicts) == 0
}

// only returns the anchor of a name, if there is one and no other.
func only(anchors []Anchor, name string) (found Anchor, ok bool) {
	for _, a := range anchors {
		if a.Name != name {
			continue
		}
		if ok {
			return Anchor{}, false
		}
		found, ok = a, true
	}
	return found, ok
}

// inOrder sorts hunks and reports whether they overlap nowhere.
func inOrder(hunks []Hunk) bool {
	slices.SortStableFunc(hunks, func(a, b Hunk) int { return a.Edit.Span.Start - b.Edit.Span.Start })
	for i := 1; i < len(hunks); i++ {
		if hunks[i].Edit.Span.Start < hunks[i-1].Edit.Span.End {
			return false
		}
	}
	return true
}
