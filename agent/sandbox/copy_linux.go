package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A treeCopy is a copy of the workspace's folders, and a home and a folder
// for temporary files beside it.
type treeCopy struct {
	dir   string
	home  string
	tmp   string
	trees []*tree
	sc    *scratch
	made  []fs.FileInfo // of the copies of the roots, in the order of trees
	git   gitStyle
	masks func(path string) bool

	// unreadable are paths of the workspace that are not ours to read, nor the
	// command's.
	unreadable []string
}

// hides reports whether path is not copied, and so not looked at afterwards.
func (c *treeCopy) hides(path string) bool {
	return c.masks(path) || slices.ContainsFunc(c.unreadable, func(dir string) bool { return within(path, dir) })
}

// A gitStyle says how git finds the repository, which is not copied: it is
// read-only.
type gitStyle int

const (
	gitPointer gitStyle = iota // by a file that names it
	gitMount                   // it will be mounted in its place
)

func (s *Sandbox) newCopy() *treeCopy {
	s.scratch.works++
	dir := filepath.Join(s.scratch.dir, fmt.Sprintf("copy-%d", s.scratch.works))
	return &treeCopy{dir: dir, home: s.homeUpper(), tmp: filepath.Join(dir, "tmp"), trees: s.scratch.trees, sc: s.scratch, masks: s.hides}
}

func (c *treeCopy) remove() error { return removeTree(c.dir) }

// root returns where the copy of t is.
func (c *treeCopy) root(t *tree) string {
	return filepath.Join(c.dir, filepath.Base(filepath.Dir(t.upper)), filepath.Base(t.root))
}

// of returns the path in the copy for one in the workspace.
func (c *treeCopy) of(path string) string {
	for _, t := range c.trees {
		if within(path, t.root) {
			return filepath.Join(c.root(t), t.rel(path))
		}
	}
	return path
}

// names are those that a command's output gives to the folders of the copy.
func (c *treeCopy) names() renaming {
	var names renaming
	for _, t := range c.trees {
		names = append(names, renamed{from: c.root(t), to: t.root})
	}
	return names
}

func (c *treeCopy) fill(ctx context.Context) error {
	for _, dir := range []string{c.dir, c.home, c.tmp} {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) { // the home is that of the run
			return err
		}
		if err := c.sc.give(dir, 0o700); err != nil {
			return err
		}
	}
	for _, t := range c.trees {
		if err := os.MkdirAll(filepath.Dir(c.root(t)), 0o755); err != nil {
			return err
		}
		if err := c.copyFolder(ctx, append([]string{t.upper}, t.lowers()...), t.root, c.root(t)); err != nil {
			return err
		}
		made, err := os.Lstat(c.root(t))
		if err != nil {
			return err
		}
		c.made = append(c.made, made)
	}
	return nil
}

// copyFolder copies what the folders lowers, merged, show at a path.
func (c *treeCopy) copyFolder(ctx context.Context, lowers []string, at, to string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	stat, err := os.Stat(lowers[0])
	if err != nil {
		return err
	}
	names, err := mergedNames(lowers)
	if errors.Is(err, fs.ErrPermission) {
		c.unreadable = append(c.unreadable, at)
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	for _, name := range names {
		from, err := look(lowers, name)
		if err != nil {
			return err
		}
		if from.stat == nil || c.hides(filepath.Join(at, name)) {
			continue
		}
		if err := c.copyOne(ctx, from, filepath.Join(at, name), filepath.Join(to, name)); err != nil {
			return fmt.Errorf("%s: %w", from.path, err)
		}
	}
	return c.sc.give(to, stat.Mode())
}

func mergedNames(dirs []string) ([]string, error) {
	seen := map[string]bool{}
	var names []string
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if !seen[entry.Name()] {
				seen[entry.Name()] = true
				names = append(names, entry.Name())
			}
		}
	}
	return names, nil
}

func (c *treeCopy) copyOne(ctx context.Context, from base, at, to string) error {
	switch {
	case filepath.Base(to) == ".git":
		return c.showGit(from, to)
	case from.stat.IsDir():
		return c.copyFolder(ctx, from.merge, at, to)
	case from.stat.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(from.path)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case from.stat.Mode().IsRegular():
		return c.copyFile(from, at, to)
	}
	return nil // a socket or a pipe is somebody else's
}

// showGit lets git find the repository.
func (c *treeCopy) showGit(from base, to string) error {
	if c.git == gitMount && from.stat.IsDir() {
		return os.Mkdir(to, 0o755)
	}
	dir := from.path
	if !from.stat.IsDir() {
		target, ok := pointer(from.path, "gitdir: ")
		if !ok {
			return nil
		}
		dir = target
	}
	return os.WriteFile(to, []byte("gitdir: "+dir+"\n"), 0o644) //nolint:forbidigo,gosec // the scratch folder of this package
}

// copyFile copies content, by reference where the file system can, mode and
// time. Never as a hard link: that would be the user's file.
func (c *treeCopy) copyFile(from base, at, to string) error {
	src, err := os.OpenFile(from.path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrPermission) {
		c.unreadable = append(c.unreadable, at)
		return nil
	}
	if err != nil {
		return err
	}
	defer src.Close() //nolint:errcheck // only read
	if from.stat.Mode()&0o111 != 0 {
		// What this process starts meanwhile would have the program open for
		// writing until it is another one, and nothing can run it so long.
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if unix.IoctlFileClone(int(dst.Fd()), int(src.Fd())) != nil {
		_, err = io.Copy(dst, src)
	}
	if err = errors.Join(err, dst.Close()); err != nil {
		return err
	}
	if err := c.sc.give(to, from.stat.Mode()); err != nil {
		return err
	}
	return os.Chtimes(to, time.Time{}, from.stat.ModTime())
}

// changes returns what differs between the copy and what it was made from.
func (c *treeCopy) changes(ctx context.Context, ignored ignoreFunc) ([]Change, error) {
	var all []foundChange
	budget := int64(maxTexts)
	for i, t := range c.trees {
		if now, err := os.Stat(c.root(t)); err != nil || !os.SameFile(c.made[i], now) { // we read what the command may not
			return nil, fmt.Errorf("something else took the place of the copy of %s: its files are not looked at", t.root)
		}
		d := &diff{root: t.root, upper: c.root(t), budget: &budget, hides: c.hides, copied: true}
		found, err := d.changes(ctx, t.lowers(), ignored)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		if err := c.keep(t, d, found); err != nil {
			return nil, fmt.Errorf("keep what is ignored: %w", err)
		}
	}
	return joinRenames(all)
}
