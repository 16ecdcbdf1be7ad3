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
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/agentls/agentls/agent/sandbox/stage"
)

const (
	errNotDir = syscall.ENOTDIR

	// xattrOpaque is "y" on a folder that hides what lies below it.
	// (Documentation/filesystems/overlayfs.rst, with the option userxattr)
	xattrOpaque = "user.overlay.opaque"
)

// A scratch is the folder of one run:
//
//	lock            held while the run lives
//	empty           an empty file, in place of each that is hidden
//	N/layer         what the view shows over the root N, below the command's writes
//	N/upper         what commands wrote there
//	home, …         what they wrote to the home, and to caches elsewhere
//	*-work-N        for the kernel
type scratch struct {
	dir      string
	lock     *os.File
	trees    []*tree
	uid, gid int // who the layers belong to
	works    int // work folders made so far
}

// A tree is one root of the workspace, and what lies over it.
type tree struct {
	root  string
	layer string
	upper string
	shown map[string]File // what the layer holds, by absolute path
}

// newScratch makes the folders of a run in the state folder, and removes
// those of runs that died.
func newScratch(s *Sandbox) (*scratch, error) {
	runs := filepath.Join(s.opts.State, "runs")
	if err := os.MkdirAll(runs, 0o700); err != nil {
		return nil, err
	}
	dir, lock, err := newRun(runs)
	if err != nil {
		return nil, err
	}
	sc := &scratch{dir: dir, lock: lock, uid: s.uid, gid: s.gid}
	if err := os.WriteFile(sc.empty(), nil, 0o444); err != nil { //nolint:forbidigo,gosec // everybody's to read: there is nothing in it
		return nil, errors.Join(err, sc.remove())
	}
	for i, root := range s.opts.Roots {
		base := filepath.Join(dir, strconv.Itoa(i))
		t := &tree{root: root, layer: filepath.Join(base, "layer"), upper: filepath.Join(base, "upper"), shown: map[string]File{}}
		if err := errors.Join(sc.makeLike(t.layer, root), sc.makeLike(t.upper, root)); err != nil {
			return nil, errors.Join(err, sc.remove())
		}
		sc.trees = append(sc.trees, t)
	}
	return sc, nil
}

func (sc *scratch) empty() string { return filepath.Join(sc.dir, "empty") }

// newRun makes a folder in runs and takes its lock. Meanwhile nobody sweeps: one
// that is not locked yet would be taken for that of a process that died.
func newRun(runs string) (dir string, lock *os.File, err error) {
	all, err := lockFile(runs+".lock", unix.LOCK_EX)
	if err != nil {
		return "", nil, err
	}
	dead := unheld(runs)
	if dir, err = os.MkdirTemp(runs, ""); err == nil {
		lock, err = tryLock(filepath.Join(dir, "lock"))
	}
	_ = all.Close()
	for path, held := range dead {
		_ = removeTree(path) // what cannot be removed now is tried the next time
		_ = held.Close()
	}
	return dir, lock, err
}

// unheld returns the scratch folders that nobody holds, with their locks.
func unheld(runs string) map[string]*os.File {
	dirs, err := os.ReadDir(runs)
	if err != nil {
		return nil
	}
	dead := map[string]*os.File{}
	for _, dir := range dirs {
		path := filepath.Join(runs, dir.Name())
		if lock, err := tryLock(filepath.Join(path, "lock")); err == nil {
			dead[path] = lock
		}
	}
	return dead
}

var errLocked = errors.New("somebody holds it")

// tryLock takes the lock of a file, which it makes. Closing the file, also by
// dying, gives it back.
func tryLock(path string) (*os.File, error) {
	f, err := lockFile(path, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s: %w", path, errLocked)
	}
	return f, err
}

// lockShared takes the lock of a file together with others. It waits for
// tryLock's, who are quick.
func lockShared(path string) (*os.File, error) { return lockFile(path, unix.LOCK_SH) }

func lockFile(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), how); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}

// makeLike makes a folder with the mode of another, which it will show in its
// place.
func (sc *scratch) makeLike(dir, like string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	stat, err := os.Stat(like)
	if err != nil {
		return err
	}
	return sc.give(dir, stat.Mode())
}

// give sets the permission bits of path, and its owner where the command has
// another than we.
func (sc *scratch) give(path string, mode fs.FileMode) error {
	if sc.uid != os.Getuid() {
		if err := os.Lchown(path, sc.uid, sc.gid); err != nil {
			return err
		}
	}
	return os.Chmod(path, mode.Perm())
}

// remove removes the folder of the run and gives up its lock.
func (sc *scratch) remove() error {
	err := removeTree(sc.dir)
	return errors.Join(err, sc.lock.Close())
}

// removeTree removes dir with all it holds, also folders that nobody may
// enter: the kernel makes such ones, and so do tools.
func removeTree(dir string) error {
	if os.RemoveAll(dir) == nil { //nolint:forbidigo // the scratch folder of this package
		return nil
	}
	walk := func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return os.Chmod(path, 0o700) //nolint:gosec // ours alone
		}
		return nil
	}
	_ = filepath.WalkDir(dir, walk)
	return os.RemoveAll(dir) //nolint:forbidigo // the scratch folder of this package
}

// work returns a new folder for the kernel beside an upper folder. The mark
// of a volatile mount keeps one from being used twice.
func (sc *scratch) work(upper string) (string, error) {
	sc.works++
	dir := upper + "-work-" + strconv.Itoa(sc.works)
	return dir, os.Mkdir(dir, 0o700)
}

// overlay returns a mount at a path, and makes its upper folder.
func (sc *scratch) overlay(at, upper string, lowers ...string) (stage.Overlay, error) {
	if err := sc.makeLike(upper, lowers[len(lowers)-1]); err != nil {
		return stage.Overlay{}, err
	}
	work, err := sc.work(upper)
	return stage.Overlay{At: at, Lowers: lowers, Upper: upper, Work: work}, err
}

func (sc *scratch) rootOverlays() ([]stage.Overlay, error) {
	var overlays []stage.Overlay
	for _, t := range sc.trees {
		work, err := sc.work(t.upper)
		if err != nil {
			return nil, err
		}
		overlays = append(overlays, stage.Overlay{At: t.root, Lowers: t.lowers(), Upper: t.upper, Work: work})
	}
	return overlays, nil
}

// lowers returns what the command's writes are compared with, the highest
// first.
func (t *tree) lowers() []string {
	if len(t.shown) == 0 {
		return []string{t.root}
	}
	return []string{t.layer, t.root}
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

func owner(stat fs.FileInfo) (uid, gid int) {
	sys, ok := stat.Sys().(*syscall.Stat_t)
	if !ok {
		return os.Getuid(), os.Getgid()
	}
	return int(sys.Uid), int(sys.Gid)
}
