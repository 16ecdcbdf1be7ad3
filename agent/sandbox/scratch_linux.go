package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
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
	spread(dir)
	if err := os.WriteFile(sc.empty(), nil, 0o444); err != nil { //nolint:forbidigo,gosec // everybody's to read: there is nothing in it
		return nil, errors.Join(err, sc.remove())
	}
	for i, root := range s.opts.Roots {
		base := filepath.Join(dir, strconv.Itoa(i))
		t := &tree{root: root, layer: filepath.Join(base, "layer"), upper: filepath.Join(base, "upper"), shown: map[string]File{}}
		if err := errors.Join(sc.makeLike(t.layer, root), sc.makeLike(t.upper, root)); err != nil {
			return nil, errors.Join(err, sc.remove())
		}
		spread(base)
		sc.trees = append(sc.trees, t)
	}
	return sc, nil
}

func (sc *scratch) empty() string { return filepath.Join(sc.dir, "empty") }

// spread makes ext4 put the folders that are made in dir in different parts of
// the disk. A mount makes and deletes a dozen files in its work folder, and for
// five seconds ext4 passes over what was deleted, looking at each: where the last
// commands were, that is 40% of what the next one costs. Other file systems know
// nothing of it, and need not.
func spread(dir string) {
	f, err := os.Open(dir)
	if err != nil {
		return
	}
	defer f.Close() //nolint:errcheck // only read
	flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err == nil {
		_ = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags|topDir)
	}
}

// topDir is FS_TOPDIR_FL. (linux/fs.h)
const topDir = 0x20000

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

func owner(stat fs.FileInfo) (uid, gid int) {
	sys, ok := stat.Sys().(*syscall.Stat_t)
	if !ok {
		return os.Getuid(), os.Getgid()
	}
	return int(sys.Uid), int(sys.Gid)
}
