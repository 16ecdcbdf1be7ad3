package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// keep moves what no draft can hold from the copy to the upper folder, where
// the copy for the next command has it from.
func (c *treeCopy) keep(t *tree, d *diff, found []foundChange) error {
	stay := d.ignored
	for _, f := range found {
		if f.change.Named() {
			stay = append(stay, f.entry)
		}
	}
	next := t.upper + "-next"
	if err := c.sc.makeLike(next, t.root); err != nil {
		return err
	}
	for _, e := range stay {
		if e.now == nil {
			continue
		}
		to := filepath.Join(next, e.rel)
		if err := c.makeParents(filepath.Dir(to), filepath.Dir(e.upper), next); err != nil {
			return err
		}
		if err := os.Rename(e.upper, to); err != nil { //nolint:forbidigo // the scratch folder of this package
			return err
		}
	}
	for _, e := range stay {
		if e.now != nil {
			continue
		}
		if err := c.keepDeleted(t, next, e.rel); err != nil {
			return err
		}
	}
	if err := removeTree(t.upper); err != nil {
		return err
	}
	return os.Rename(next, t.upper) //nolint:forbidigo // the scratch folder of this package
}

// keepDeleted hides what is ignored and was deleted, unless something else is
// in its place.
func (c *treeCopy) keepDeleted(t *tree, next, rel string) error {
	to := filepath.Join(next, rel)
	if isThere(to) {
		return nil
	}
	err := c.makeParents(filepath.Dir(to), filepath.Join(c.root(t), filepath.Dir(rel)), next)
	if err == nil {
		err = unix.Mknod(to, unix.S_IFCHR, 0)
	}
	if errors.Is(err, errNotDir) {
		return nil
	}
	return err
}

// makeParents makes dir, like the folder of the copy that it stands for, and
// those above it up to top.
func (c *treeCopy) makeParents(dir, like, top string) error {
	if dir == top {
		return nil
	}
	if stat, err := os.Lstat(dir); err == nil && !stat.IsDir() {
		return errNotDir
	} else if err == nil {
		return nil
	}
	if err := c.makeParents(filepath.Dir(dir), filepath.Dir(like), top); err != nil {
		return err
	}
	mode := fs.FileMode(0o755) // of one that is gone: what was in it stays hidden
	if stat, err := os.Lstat(like); err == nil && stat.IsDir() {
		mode = stat.Mode() | 0o700
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	return c.sc.give(dir, mode)
}
