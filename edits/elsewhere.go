package edits

import (
	"context"
	"maps"
	"slices"

	"github.com/agentls/agentls/edits/text"
)

// maxHomes is in how many files a declaration is sought: one of a name that
// more files have is not found again.
const maxHomes = 20

// An elsewhere follows declarations that left their file to other ones.
type elsewhere struct {
	ctx    context.Context //nolint:containedctx // of the one Rebase that it is part of
	src    Anchors
	origin string                 // FileChange.Proposed of the file that they left
	taken  map[string]bool        // the files that the change set changes anyway: none of them is a home
	found  map[string]*FileChange // what is to be changed where they are now, by path
}

// newElsewhere returns nil where src knows no declarations.
func newElsewhere(ctx context.Context, src Source, from *FileChange, taken map[string]bool) *elsewhere {
	anchors, ok := src.(Anchors)
	if !ok {
		return nil
	}
	return &elsewhere{ctx: ctx, src: anchors, origin: from.Proposed(), taken: taken, found: make(map[string]*FileChange)}
}

// sendFirst places the first of hunks, and the n-1 after it that are in the same
// declaration, in the one other file that this declaration moved to.
func (l *follower) sendFirst(hunks []Hunk) (n int, there FileChange, ok bool) {
	if l.elsewhere == nil {
		return 0, FileChange{}, false
	}
	for _, a := range l.was {
		n := l.within(a, hunks)
		stayed := slices.ContainsFunc(l.is, func(b Anchor) bool { return b.Name == a.Name })
		if n == 0 || stayed {
			continue
		}
		if there, ok := l.homeOf(a, hunks[:n]); ok {
			return n, there, true
		}
	}
	return 0, FileChange{}, false
}

// homeOf returns the change of the file that a moved to: the only one with a
// declaration of its name that is the same but for what the user changed in it
// beside hunks.
func (l *follower) homeOf(a Anchor, hunks []Hunk) (home FileChange, ok bool) {
	e := l.elsewhere
	paths, err := e.src.Declaring(e.ctx, a.Name)
	if err != nil || len(paths) > maxHomes {
		return FileChange{}, false
	}
	for _, path := range paths {
		if e.taken[path] {
			continue
		}
		there, fits := l.at(path, a, hunks)
		switch {
		case fits && ok:
			return FileChange{}, false // it might be either
		case fits:
			home, ok = there, true
		}
	}
	return home, ok
}

// at returns hunks, which are in a, as a change of the file at path, if a is
// there now.
func (l *follower) at(path string, a Anchor, hunks []Hunk) (there FileChange, ok bool) {
	e := l.elsewhere
	now, err := readNow(e.ctx, e.src, path)
	if err != nil || now == nil || text.Check(now) != nil {
		return FileChange{}, false
	}
	anchors, err := e.src.Anchors(e.ctx, path, now)
	if err != nil {
		return FileChange{}, false
	}
	to, ok := only(wholeLines(now, anchors), a.Name)
	if !ok || !isMostly(l.before[a.Span.Start:a.Span.End], now[to.Span.Start:to.Span.End]) {
		return FileChange{}, false
	}
	placed, ok := l.carried(a, hunks, now, to.Span)
	if !ok {
		return FileChange{}, false
	}
	return FileChange{Op: Modify, Path: path, Origin: e.origin, Base: text.HashOf(now), Before: now, Hunks: placed}, true
}

// isMostly reports whether at least half of the text of was is in now: a name
// alone makes no declaration the same.
func isMostly(was, now []byte) bool {
	kept := len(was)
	for _, d := range diffLines(was, now) {
		kept -= d.before.Len()
	}
	return 2*kept >= len(was)
}

// take adds changes to what was found, all or none, and reports whether they
// fit beside what was found before.
func (e *elsewhere) take(changes []FileChange) bool {
	if len(changes) == 0 {
		return true
	}
	found := maps.Clone(e.found)
	for _, f := range changes {
		if was, ok := found[f.Path]; ok {
			f.Hunks = append(slices.Clone(was.Hunks), f.Hunks...)
		}
		if !inOrder(f.Hunks) {
			return false
		}
		found[f.Path] = &f
	}
	e.found = found
	return true
}

// forget drops what was found.
func (e *elsewhere) forget() {
	if e != nil {
		clear(e.found)
	}
}

// changes returns what was found, by path; nothing of a nil e.
func (e *elsewhere) changes() (out []FileChange) {
	if e == nil {
		return nil
	}
	for _, path := range slices.Sorted(maps.Keys(e.found)) {
		out = append(out, *e.found[path])
	}
	return out
}
