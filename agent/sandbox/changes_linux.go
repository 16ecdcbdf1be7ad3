package sandbox

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/agentls/agentls/edits/text"
)

// mountedChanges returns what the last command changed. The draft will show it
// from now on: settle takes it out of the upper folders. What is ignored, or
// cannot be in a draft, stays in them.
func (s *Sandbox) mountedChanges(ctx context.Context) ([]Change, error) {
	var all []foundChange
	budget := int64(maxTexts)
	for _, t := range s.scratch.trees {
		d := &diff{root: t.root, upper: t.upper, budget: &budget, hides: s.hides}
		found, err := d.changes(ctx, t.lowers(), s.opts.Ignored)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		s.unsettled = append(s.unsettled, func() error { return d.settle(found) })
	}
	return joinRenames(all)
}

// settle does what the last command left to do before the next one: nobody
// waits for it.
func (s *Sandbox) settle() error {
	for len(s.unsettled) > 0 {
		next := s.unsettled[0]
		s.unsettled = s.unsettled[1:]
		if err := next(); err != nil {
			return err
		}
	}
	return nil
}

// discardLater throws away what a command changed that was cancelled: nobody
// will be told of it.
func (s *Sandbox) discardLater(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	s.unsettled = append(s.unsettled, func() error {
		_, err := s.mountedChanges(ctx) // which leaves to settle what it found
		return err
	})
}

// A diff compares what commands left in an upper folder with the layers below.
type diff struct {
	root    string
	upper   string
	budget  *int64 // bytes that may still be loaded
	hides   func(path string) bool
	copied  bool    // upper is a copy of all there was: what it lacks is gone
	marks   []entry // of the upper: opaque folders, and whiteouts of folders
	entries []entry
	folders []entry // those that no layer below has
	ignored []entry // what of them is ignored: it stays for the later commands
}

// An entry is a path of the workspace that may have changed.
type entry struct {
	rel   string      // to the root
	upper string      // the path in the upper folder; "" if it is hidden by a folder above
	now   fs.FileInfo // nil: it is gone
	base  base
	repo  string // rel of the repository it lies in; "-" if git is not to be asked
}

// A foundChange is a change and where it was found.
type foundChange struct {
	change Change
	entry  entry
}

type ignoreFunc = func(ctx context.Context, dir string, names []string) (map[string]bool, error)

// changes walks the upper folder and returns what differs from lowers and is
// not ignored. A new folder is looked into only when it is known not to be
// ignored: it may be a node_modules.
func (d *diff) changes(ctx context.Context, lowers []string, ignored ignoreFunc) ([]foundChange, error) {
	if err := d.walk("", d.upper, lowers, below{}); err != nil {
		return nil, err
	}
	kept, err := d.offered(ctx, d.folders, ignored)
	if err != nil {
		return nil, err
	}
	for _, folder := range kept {
		if err := d.walk(folder.rel, folder.upper, nil, below{repo: folder.repo, isNew: true}); err != nil {
			return nil, err
		}
	}
	entries, err := d.offered(ctx, d.entries, ignored)
	if err != nil {
		return nil, err
	}
	if d.marks, err = d.offered(ctx, d.marks, ignored); err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.rel, b.rel) })
	var found []foundChange
	for _, e := range entries {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		change, ok, err := d.change(e)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, foundChange{change, e})
		}
	}
	return found, nil
}

// offered returns the entries that are neither hidden nor ignored, asking once
// for each repository.
func (d *diff) offered(ctx context.Context, entries []entry, ignored ignoreFunc) ([]entry, error) {
	entries = slices.DeleteFunc(entries, func(e entry) bool { return d.hides(filepath.Join(d.root, e.rel)) })
	if ignored == nil {
		return entries, nil
	}
	names := map[string][]string{}
	for _, e := range entries {
		if e.repo != notAsked {
			names[e.repo] = append(names[e.repo], e.name())
		}
	}
	answers := make(map[string]map[string]bool, len(names))
	for repo, asked := range names {
		answer, err := ignored(ctx, filepath.Join(d.root, repo), asked)
		if err != nil {
			return nil, err
		}
		answers[repo] = answer
	}
	var kept []entry
	for _, e := range entries {
		if answers[e.repo][e.name()] {
			d.ignored = append(d.ignored, e)
		} else {
			kept = append(kept, e)
		}
	}
	return kept, nil
}

// name is how version control is asked about e.
func (e *entry) name() string {
	name := e.rel
	if e.repo != "" && e.repo != notAsked {
		name = strings.TrimPrefix(e.rel, e.repo+"/")
	}
	if e.now != nil && e.now.IsDir() || e.base.isDir() {
		name += "/"
	}
	return name
}

// change compares an entry with its base; ok is whether it differs.
func (d *diff) change(e entry) (c Change, ok bool, err error) {
	c = Change{Path: filepath.Join(d.root, e.rel)}
	if e.base.stat != nil {
		c.Was = modeOf(e.base.stat)
	}
	if e.now == nil {
		c.Op, c.Size = Delete, e.base.stat.Size()
		return c, true, nil
	}
	c.Op, c.Mode, c.Size = Create, modeOf(e.now), e.now.Size()
	if e.base.stat != nil {
		c.Op = Modify
	}
	switch {
	case c.Mode&fs.ModeSymlink != 0:
		return d.linkChange(c, e)
	case !e.now.Mode().IsRegular(): // a socket or a pipe is nothing to propose
		c.Mode |= fs.ModeIrregular
		return c, e.base.stat != nil, nil
	}
	return d.fileChange(c, e)
}

func (d *diff) linkChange(c Change, e entry) (Change, bool, error) {
	target, err := os.Readlink(e.upper)
	if err != nil {
		return c, false, err
	}
	c.Link = target
	if c.Was&fs.ModeSymlink == 0 {
		return c, true, nil
	}
	before, err := os.Readlink(e.base.path)
	return c, before != target, err
}

func (d *diff) fileChange(c Change, e entry) (Change, bool, error) {
	compare := e.base.stat != nil && e.base.stat.Mode().IsRegular() && e.base.stat.Size() == c.Size
	if c.Size > maxText || c.Size > *d.budget {
		same := false
		var err error
		if compare {
			same, err = sameFiles(e.upper, e.base.path)
		}
		c.Huge = true
		return c, !same || c.Mode != c.Was, err
	}
	content, err := readWritten(e.upper)
	if err != nil {
		return c, false, err
	}
	if compare {
		before, err := readRegular(e.base.path)
		if err != nil && !errors.Is(err, fs.ErrPermission) {
			return c, false, err
		}
		if err == nil && bytes.Equal(before, content) && c.Mode == c.Was {
			return c, false, nil // touched, or written with what was there
		}
	}
	if text.Check(content) != nil {
		c.Binary = true
		return c, true, nil
	}
	*d.budget -= c.Size
	c.Content = content
	return c, true, nil
}

// modeOf returns the permission bits, and whether it is a symbolic link.
func modeOf(stat fs.FileInfo) fs.FileMode {
	if stat.Mode()&fs.ModeSymlink != 0 {
		return fs.ModeSymlink | 0o777
	}
	return stat.Mode().Perm()
}

// settle takes what a draft can hold out of the upper folder. Nothing is
// mounted over it now.
func (d *diff) settle(found []foundChange) error {
	for _, f := range found {
		if f.entry.upper == "" || f.change.Named() {
			continue
		}
		if err := os.Remove(f.entry.upper); err != nil && !isMissing(err) { //nolint:forbidigo // the scratch folder of this package
			return err
		}
	}
	for _, mark := range d.marks { // what the draft now says of them must show
		if err := unmark(mark); err != nil {
			return err
		}
	}
	return nil
}

func unmark(mark entry) error {
	if isWhiteout(mark.now) {
		return os.Remove(mark.upper) //nolint:forbidigo // the scratch folder of this package
	}
	err := unix.Lremovexattr(mark.upper, xattrOpaque)
	if errors.Is(err, unix.ENODATA) {
		return nil
	}
	return err
}
