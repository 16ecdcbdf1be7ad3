package edits

import (
	"bytes"
	"context"
	"slices"

	"github.com/agentls/agentls/edits/text"
)

// Anchors is a Source that knows where declarations are. Rebase then follows a
// hunk into a declaration that moved within its file.
type Anchors interface {
	Source

	// Anchors returns the declarations in content, which is or was that of the
	// file at path, in any order. What cannot be parsed has none.
	Anchors(ctx context.Context, path string, content []byte) ([]Anchor, error)
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
	for len(hunks) > 0 {
		n, in, ok := l.placeFirst(hunks)
		if !ok {
			return nil, false
		}
		placed, hunks = append(placed, in...), hunks[n:]
	}
	return placed, true
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
	return len(l.was) > 0 && len(l.is) > 0
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
		if !a.Span.Encloses(hunks[0].Edit.Span) {
			continue
		}
		to, ok := only(l.is, a.Name)
		if _, unique := only(l.was, a.Name); !ok || !unique {
			continue
		}
		n = 1
		for n < len(hunks) && a.Span.Encloses(hunks[n].Edit.Span) {
			n++
		}
		part := FileChange{Op: Modify, Before: l.before[a.Span.Start:a.Span.End], Hunks: shifted(hunks[:n], -a.Span.Start)}
		if conflicts := part.merge(l.now[to.Span.Start:to.Span.End], nil); len(conflicts) == 0 {
			return n, shifted(part.Hunks, to.Span.Start), true
		}
	}
	return 0, nil, false
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
