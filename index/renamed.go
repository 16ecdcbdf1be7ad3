package index

import (
	"context"
	"slices"
	"strings"

	"github.com/agentls/agentls/edits/text"
)

// sameMeaning reads each file as it would be and refuses a new name by which
// some name in it would mean another thing, or that is no name of the language.
func (r *renamer) sameMeaning(ctx context.Context) error {
	slices.SortFunc(r.changes, func(a, b Change) int { return a.order(b) })
	for first := 0; first < len(r.changes); {
		last := first
		for last < len(r.changes) && r.changes[last].Path == r.changes[first].Path {
			last++
		}
		if err := r.keepsMeaning(ctx, r.changes[first].Path, r.changes[first:last]); err != nil {
			return err
		}
		first = last
	}
	return nil
}

func (c Change) order(d Change) int {
	if n := strings.Compare(c.Path, d.Path); n != 0 {
		return n
	}
	return c.Span.Start - d.Span.Start
}

// keepsMeaning is sameMeaning for one file. The changes are in order.
func (r *renamer) keepsMeaning(ctx context.Context, path string, changes []Change) error {
	f, err := r.snap.file(ctx, path)
	if err != nil {
		return err
	}
	src, err := r.snap.ReadFile(ctx, path)
	if err != nil {
		return err
	}
	if !f.isParsed() || f.hash != text.HashOf(src) {
		return r.stale(path)
	}
	if err := r.expand(ctx, f, src, changes); err != nil {
		return err
	}
	edits := make([]text.Edit, len(changes))
	for i, c := range changes {
		edits[i] = text.Edit{Span: c.Span, New: c.New}
	}
	after, err := text.Apply(src, edits)
	if err != nil {
		return err
	}
	c := comparison{before: f.outline(), after: newFile(path, f.lang, after).outline(), changes: changes}
	if c.after == nil {
		return refused("%s could not be read with the name %s", r.snap.Rel(path), r.new)
	}
	switch at, why := c.compare(); why {
	case isSame:
		return nil
	case isNoName:
		return refused("%s is no name in %s", r.new, f.lang.Name)
	default:
		return refused("in %s another %s would be meant", r.where(ctx, f, at), r.new)
	}
}

// expand keeps the key where a name stands for a key and its value: {a} becomes
// {a: b}.
func (r *renamer) expand(ctx context.Context, f *file, src []byte, changes []Change) error {
	if r.renamesMember() {
		return nil // see changed
	}
	for i, c := range changes {
		at, ok := f.covering(c.Span.Start)
		if !ok || !f.outline().occs[at].has(isBoth) || f.outline().occs[at].has(isImport) {
			continue
		}
		if r.local < 0 && !f.outline().occs[at].has(isLocal) && r.isUsedElsewhere(f) {
			return refused("in %s the name is a key too, by which other files may know it", r.where(ctx, f, c.Span.Start))
		}
		changes[i].split(f, src, r.old, r.new)
	}
	return ctx.Err()
}

func (r *renamer) isUsedElsewhere(f *file) bool {
	return slices.ContainsFunc(r.changes, func(c Change) bool { return c.Path != f.path })
}

// A comparison holds a file as it is and as it would be.
type comparison struct {
	before, after *outline
	changes       []Change // in order
}

// A difference is what a comparison finds.
type difference int

const (
	isSame   difference = iota
	isNoName            // names are missing, or there are new ones
	isOther             // a name means another thing
)

// compare returns the first difference in meaning, and where in the file as it
// is.
func (c *comparison) compare() (at int, why difference) {
	counterpart, ok := c.pair()
	if !ok || len(c.before.decls) != len(c.after.decls) {
		return 0, isNoName
	}
	for i, was := range c.before.occs {
		is := c.after.occs[counterpart[i]]
		link := uint32(0)
		if was.link > 0 {
			link = uint32(counterpart[was.link-1]) + 1
		}
		split := isBoth
		if was.has(isBoth) {
			split |= isKey
		}
		if (was.flags^is.flags)&^split != 0 || link != is.link {
			return int(was.start), isOther
		}
	}
	return 0, isSame
}

// pair finds for each name of the file its counterpart. A key that is new in
// {a: b} has none.
func (c *comparison) pair() (counterpart []int, ok bool) {
	next, change, grown := 0, 0, 0
	for i, was := range c.before.occs {
		for change < len(c.changes) && c.changes[change].Span.Start < int(was.start) {
			grown += len(c.changes[change].New) - c.changes[change].Span.Len()
			change++
		}
		start, name := int(was.start)+grown, c.before.name(i)
		if change < len(c.changes) && c.changes[change].Span.Start == int(was.start) {
			name = c.changes[change].New
			if value := c.changes[change].value; value > 0 {
				if next < len(c.after.occs) && int(c.after.occs[next].start) == start {
					next++
				}
				start, name = start+value, name[value:]
			}
		}
		if next >= len(c.after.occs) || int(c.after.occs[next].start) != start || c.after.name(next) != name {
			return nil, false
		}
		counterpart = append(counterpart, next)
		next++
	}
	return counterpart, next == len(c.after.occs)
}
