package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// below says what is known of a folder from those above it.
type below struct {
	hidden bool   // nothing of the layers below shows any more
	isNew  bool   // a folder above is new, and known not to be ignored
	repo   string // as entry.repo
}

// walk collects the entries of one folder and those beneath it.
func (d *diff) walk(rel, upper string, lowers []string, above below) error {
	names, err := readFolder(upper)
	if err != nil {
		return err
	}
	folder, err := os.Lstat(upper)
	if err != nil {
		return err
	}
	opaque := !d.copied && rel != "" && isOpaque(upper)
	if opaque {
		d.marks = append(d.marks, entry{rel: rel, upper: upper, now: folder, repo: above.repo})
	}
	if d.copied || opaque {
		above.hidden = true
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		seen[name.Name()] = true
		if name.Name() == ".git" {
			continue // never offered, at any depth: its hooks and configuration run programs
		}
		now, err := name.Info()
		if err != nil {
			return err
		}
		e := entry{rel: filepath.Join(rel, name.Name()), upper: filepath.Join(upper, name.Name()), now: now, repo: above.repo}
		if e.base, err = look(lowers, name.Name()); err != nil {
			return err
		}
		if err := d.visit(e, above); err != nil {
			return err
		}
	}
	if above.hidden {
		return d.removeUnseen(rel, lowers, seen, above)
	}
	return nil
}

// readFolder lists a folder that a command may have made.
func readFolder(path string) ([]fs.DirEntry, error) {
	dir, err := opened(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close() //nolint:errcheck // only read
	names, err := dir.ReadDir(-1)
	slices.SortFunc(names, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return names, err
}

// visit collects one entry, and what is beneath it.
func (d *diff) visit(e entry, above below) error {
	if isWhiteout(e.now) {
		if above.hidden { // what it hid is reported for the folder above
			return nil
		}
		if e.base.isDir() {
			d.marks = append(d.marks, e)
		}
		return d.remove(e)
	}
	if e.base.isDir() && !e.now.IsDir() {
		gone := e
		gone.now, gone.upper = nil, ""
		if err := d.remove(gone); err != nil {
			return err
		}
		e.base = base{}
	}
	if !e.now.IsDir() {
		if !d.copied || !isCopyOf(e.now, e.base.stat) {
			d.entries = append(d.entries, e)
		}
		return nil
	}
	switch {
	case e.base.isDir():
		return d.walk(e.rel, e.upper, e.base.merge, below{hidden: above.hidden, repo: repoOf(e)})
	case e.base.stat != nil: // it took the place of a file
		gone := e
		gone.now, gone.upper = nil, ""
		d.entries = append(d.entries, gone)
		return d.walk(e.rel, e.upper, nil, below{isNew: true, repo: notAsked})
	case above.isNew:
		return d.walk(e.rel, e.upper, nil, above)
	}
	d.folders = append(d.folders, e)
	return nil
}

// isCopyOf reports whether a file looks as copyFile made it. What forges its
// time to look so is not offered; no file of the user's gets anything from it.
func isCopyOf(now, base fs.FileInfo) bool {
	return base != nil && now.Mode() == base.Mode() && now.Mode().IsRegular() &&
		now.Size() == base.Size() && now.ModTime().Equal(base.ModTime())
}

// notAsked is the repository of what git would refuse to answer for.
const notAsked = "-"

// repoOf returns the repository of what lies in the folder e: its own, where it
// is a submodule or a nested one.
func repoOf(e entry) string {
	if e.repo == notAsked {
		return notAsked
	}
	if git, err := look(e.base.merge, ".git"); err == nil && git.stat != nil {
		return e.rel
	}
	return e.repo
}

// remove collects the files that were at e and beneath it.
func (d *diff) remove(e entry) error {
	if e.base.stat == nil {
		return nil
	}
	if !e.base.isDir() {
		e.now = nil
		d.entries = append(d.entries, e)
		return nil
	}
	e.repo = repoOf(e)
	return d.removeUnseen(e.rel, e.base.merge, nil, below{repo: e.repo})
}

// removeUnseen collects what the folders lowers show and seen does not name.
func (d *diff) removeUnseen(rel string, lowers []string, seen map[string]bool, above below) error {
	done := map[string]bool{".git": true}
	for _, dir := range lowers {
		names, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrPermission) {
			continue // nobody here can tell what was in it
		}
		if err != nil {
			return err
		}
		for _, name := range names {
			if seen[name.Name()] || done[name.Name()] {
				continue
			}
			done[name.Name()] = true
			e := entry{rel: filepath.Join(rel, name.Name()), repo: above.repo}
			if e.base, err = look(lowers, name.Name()); err != nil {
				return err
			}
			if err := d.remove(e); err != nil {
				return err
			}
		}
	}
	return nil
}
