package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A tree is one root of the workspace, and what lies over it.
type tree struct {
	root  string
	layer string
	upper string
	shown map[string]File // what the layer holds, by absolute path
}

// show brings the layers up to view. What a layer holds already is left as it
// is: a build compares times.
func (sc *scratch) show(view View) error {
	for path := range view.Files {
		if sc.treeOf(path) == nil {
			return fmt.Errorf("%s is in no folder of the workspace", path)
		}
	}
	for _, t := range sc.trees {
		for path := range t.shown {
			if file, ok := view.Files[path]; ok && !view.isNothing(path, file) {
				continue
			}
			if err := t.clear(path); err != nil {
				return err
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(view.Files)) { // a folder comes before what it holds
		file, t := view.Files[path], sc.treeOf(path)
		if view.isNothing(path, file) || t.shows(path, file) {
			continue
		}
		if err := t.uncover(path, file); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := sc.lay(t, path, file); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		t.shown[path] = file
		if !file.Deleted {
			continue
		}
		if err := t.hideEmpty(filepath.Dir(t.rel(path))); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// hideEmpty hides a folder whose last file the view deleted, and those above
// it that held nothing else: a draft, like git, has no empty folders.
func (t *tree) hideEmpty(rel string) error {
	for ; rel != "."; rel = filepath.Dir(rel) {
		folder, err := lookUp([]string{t.layer, t.root}, rel)
		if err != nil {
			return err
		}
		names, err := mergedNames(folder.merge)
		if err != nil {
			return err
		}
		for _, name := range names {
			if at, err := look(folder.merge, name); err != nil || at.stat != nil {
				return err
			}
		}
		in := filepath.Join(t.layer, rel)
		if err := errors.Join(removeTree(in), unix.Mknod(in, unix.S_IFCHR, 0)); err != nil {
			return err
		}
	}
	return nil
}

// isNothing reports whether a deleted file needs nothing to hide it: none is on
// the disk, or a file of the view has taken the place of its folder. (A
// listing would show the whiteout of nothing.)
func (v View) isNothing(path string, file File) bool {
	if !file.Deleted {
		return false
	}
	for dir := filepath.Dir(path); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if above, ok := v.Files[dir]; ok && !above.Deleted {
			return true
		}
	}
	return !isThere(path)
}

// shows reports whether the layer has file at path already.
func (t *tree) shows(path string, file File) bool {
	old, ok := t.shown[path]
	if !ok || !old.equal(file) {
		return false
	}
	in := filepath.Join(t.layer, t.rel(path))
	stat, err := os.Lstat(in)
	if file.Deleted {
		return err == nil && (stat.IsDir() || isWhiteout(stat)) || t.hides(filepath.Dir(in))
	}
	return err == nil && stat.Mode().IsRegular()
}

// hides reports whether a folder of the layer, or one above it, shows nothing
// of the disk.
func (t *tree) hides(dir string) bool {
	for ; within(dir, t.layer) && dir != t.layer; dir = filepath.Dir(dir) {
		if stat, err := os.Lstat(dir); err == nil && (isWhiteout(stat) || isOpaque(dir)) {
			return true
		}
	}
	return false
}

// uncover removes from the upper folder what earlier commands left there and
// would hide file. Nothing is mounted over it now.
func (t *tree) uncover(path string, file File) error {
	rel := t.rel(path)
	for i := range len(rel) {
		if rel[i] != '/' {
			continue
		}
		above := filepath.Join(t.upper, rel[:i])
		stat, err := os.Lstat(above)
		if isMissing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if !stat.IsDir() {
			return removeTree(above)
		}
	}
	in := filepath.Join(t.upper, rel)
	if stat, err := os.Lstat(in); file.Deleted && err == nil && stat.IsDir() {
		return nil
	}
	return removeTree(in)
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (f File) equal(g File) bool {
	return f.Deleted == g.Deleted && f.Mode == g.Mode && bytes.Equal(f.Content, g.Content)
}

// treeOf returns the innermost root that path lies in.
func (sc *scratch) treeOf(path string) *tree {
	var found *tree
	for _, t := range sc.trees {
		clean := filepath.Clean(path) == path && path != t.root
		if clean && within(path, t.root) && (found == nil || len(t.root) > len(found.root)) {
			found = t
		}
	}
	return found
}

// clear takes path out of the layer, with the folders that are empty then, and
// with all that hides the disk above it: what else that held is laid again.
func (t *tree) clear(path string) error {
	delete(t.shown, path)
	in := filepath.Join(t.layer, t.rel(path))
	for dir := filepath.Dir(in); within(dir, t.layer) && dir != t.layer; dir = filepath.Dir(dir) {
		if stat, err := os.Lstat(dir); err == nil && (isWhiteout(stat) || isOpaque(dir)) {
			in = dir
		}
	}
	if err := removeTree(in); err != nil {
		return err
	}
	for dir := filepath.Dir(in); dir != t.layer; dir = filepath.Dir(dir) {
		if err := unix.Rmdir(dir); err != nil && !isMissing(err) {
			return nil //nolint:nilerr // it holds something else
		}
	}
	return nil
}

func (t *tree) rel(path string) string { return strings.TrimPrefix(path[len(t.root):], "/") }

// lay puts file at its place in the layer. A deleted one is a whiteout, which
// anybody may make. (Linux 5.8)
func (sc *scratch) lay(t *tree, path string, file File) error {
	rel := t.rel(path)
	in := filepath.Join(t.layer, rel)
	if err := t.freeForLayer(in); err != nil {
		return err
	}
	if err := sc.layFolders(t, filepath.Dir(rel)); err != nil {
		return err
	}
	if !file.Deleted {
		return sc.layFile(in, path, file)
	}
	if stat, err := os.Lstat(in); err == nil && stat.IsDir() {
		return nil // files lie beneath it now: it hides the one that was deleted
	}
	return unix.Mknod(in, unix.S_IFCHR, 0)
}

// freeForLayer removes what the layer had at a path, unless it is a folder
// that holds other files of the view.
func (t *tree) freeForLayer(in string) error {
	stat, err := os.Lstat(in)
	if isMissing(err) || err == nil && stat.IsDir() {
		return nil
	}
	return removeTree(in)
}

// layFolders makes the folders that rel names, with the modes of those in the
// root. A file or a whiteout in the way was replaced by a folder in the draft.
func (sc *scratch) layFolders(t *tree, rel string) error {
	if rel == "." {
		return nil
	}
	if err := sc.layFolders(t, filepath.Dir(rel)); err != nil {
		return err
	}
	in := filepath.Join(t.layer, rel)
	if stat, err := os.Lstat(in); err == nil && stat.IsDir() {
		return nil
	}
	hidden := t.hides(in)
	if err := removeTree(in); err != nil {
		return err
	}
	mode := fs.FileMode(0o755)
	if stat, err := os.Stat(filepath.Join(t.root, rel)); err == nil && stat.IsDir() {
		mode = stat.Mode()
	}
	if err := os.Mkdir(in, 0o700); err != nil {
		return err
	}
	if hidden { // all that the disk has there was deleted
		if err := unix.Lsetxattr(in, xattrOpaque, []byte("y"), 0); err != nil {
			return err
		}
	}
	return sc.give(in, mode)
}

func (sc *scratch) layFile(in, path string, file File) error {
	mode := file.Mode
	if mode == 0 {
		mode = 0o644
		if stat, err := os.Stat(path); err == nil && stat.Mode().IsRegular() {
			mode = stat.Mode()
		}
	}
	if stat, err := os.Lstat(in); err == nil && stat.IsDir() {
		if err := removeTree(in); err != nil {
			return err
		}
	}
	if err := os.WriteFile(in, file.Content, 0o600); err != nil { //nolint:forbidigo // the scratch folder of this package
		return err
	}
	return sc.give(in, mode)
}
