package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agentls/agentls/agent/sandbox/stage"
)

// A cache is a folder of a build tool. Commands see the user's, and what they
// add is kept for the workspace: the next run builds fast and offline, and the
// user's stays as it is.
type cache struct {
	at    string // the user's, which may be missing
	kept  string // what earlier runs added
	upper string // what this run adds, while something is kept
	home  string // the same until then: the place in what is written to the home; "" for a cache elsewhere
}

// knownCaches returns the caches of the tools that are there.
func knownCaches(s *Sandbox) []*cache {
	if s.home == "" {
		return nil
	}
	in := func(name, otherwise string) string {
		if dir := variable(s.opts.Env, name); dir != "" {
			return dir
		}
		return filepath.Join(s.home, otherwise)
	}
	cargo := in("CARGO_HOME", ".cargo")
	candidates := []struct{ tool, name, at string }{
		{"go", "go-build", in("GOCACHE", ".cache/go-build")},
		{"go", "go-mod", in("GOMODCACHE", filepath.Join("go", "pkg", "mod"))},
		{"npm", "npm", in("npm_config_cache", ".npm")},
		{"cargo", "cargo-registry", filepath.Join(cargo, "registry")},
		{"cargo", "cargo-git", filepath.Join(cargo, "git")},
		{"pip", "pip", in("PIP_CACHE_DIR", ".cache/pip")},
	}
	if gopath := variable(s.opts.Env, "GOPATH"); gopath != "" && variable(s.opts.Env, "GOMODCACHE") == "" {
		candidates[1].at = filepath.Join(filepath.SplitList(gopath)[0], "pkg", "mod")
	}
	var caches []*cache
	for _, c := range candidates {
		if at, ok := s.cacheFolder(c.tool, c.at); ok {
			caches = append(caches, s.newCache(c.name, at))
		}
	}
	return caches
}

// cacheFolder returns the real path of a tool's cache, and whether it is to be
// mounted: one of the workspace is not, nor one that is not there of a tool
// that is not there, nor one that could not be made.
func (s *Sandbox) cacheFolder(tool, at string) (string, bool) {
	inRoot := func(root string) bool { return within(at, root) || within(root, at) }
	if !filepath.IsAbs(at) {
		return "", false
	}
	if real, err := filepath.EvalSymlinks(at); err == nil {
		at = real
		stat, err := os.Stat(at)
		return at, err == nil && stat.IsDir() && !slices.ContainsFunc(s.opts.Roots, inRoot)
	}
	_, err := exec.LookPath(tool)
	return at, err == nil && within(at, s.home) && !slices.ContainsFunc(s.opts.Roots, inRoot)
}

func (s *Sandbox) newCache(name, at string) *cache {
	c := &cache{at: at, kept: filepath.Join(s.opts.State, "caches", name), upper: filepath.Join(s.scratch.dir, name)}
	if within(at, s.home) {
		c.home = filepath.Join(s.homeUpper(), strings.TrimPrefix(at, s.home))
	}
	return c
}

// homeUpper is what this run writes to the home.
func (s *Sandbox) homeUpper() string { return filepath.Join(s.scratch.dir, "home") }

// homeOverlays returns the mounts of the home and of the caches. Until release
// nobody changes what is kept: to the kernel a lower folder that changes is
// undefined.
func (s *Sandbox) homeOverlays() (overlays []stage.Overlay, release func(), err error) {
	if s.home == "" {
		return nil, func() {}, nil
	}
	if err := os.MkdirAll(filepath.Dir(s.keptLock()), 0o700); err != nil {
		return nil, nil, err
	}
	lock, err := lockShared(s.keptLock())
	if err != nil {
		return nil, nil, err
	}
	home, err := s.scratch.overlay(s.home, s.homeUpper(), s.home)
	overlays = append(overlays, home)
	for _, c := range s.caches {
		if err == nil && c.isMounted() {
			var o stage.Overlay
			o, err = s.scratch.overlay(c.at, c.upper, c.lowers()...)
			overlays = append(overlays, o)
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, lock.Close())
	}
	return overlays, func() { _ = lock.Close() }, nil
}

// isMounted reports whether c has a mount of its own: each costs half a
// millisecond, and while nothing is kept that of the home does for those in it.
// (It cannot have what is kept as a layer of its own: the state folder is in
// the home, and the kernel refuses layers that lie in each other.)
func (c *cache) isMounted() bool {
	if c.home == "" {
		return true
	}
	dir, err := os.Open(c.kept)
	if err != nil {
		return false
	}
	defer dir.Close() //nolint:errcheck // only read
	names, err := dir.Readdirnames(1)
	return err == nil && len(names) > 0
}

func (c *cache) lowers() []string {
	var lowers []string
	for _, dir := range []string{c.kept, c.at} {
		if isThere(dir) {
			lowers = append(lowers, dir)
		}
	}
	return lowers
}

func (s *Sandbox) keptLock() string { return filepath.Join(s.opts.State, "caches", "lock") }

// keepCaches moves what the last command added to the caches to what is kept.
// While another run of the workspace has a command under way it is left for
// the next time.
func (s *Sandbox) keepCaches() error {
	if s.home == "" {
		return nil
	}
	lock, err := tryLock(s.keptLock())
	if errors.Is(err, errLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // gives the lock back
	for _, c := range s.caches {
		for _, upper := range []string{c.home, c.upper} {
			if upper == "" {
				continue
			}
			if err := s.keep(upper, c.kept); err != nil {
				return fmt.Errorf("keep the cache %s: %w", c.at, err)
			}
		}
	}
	return nil
}

// keep moves the files at and beneath a path of an upper folder to the layer
// below it. What was deleted is not: a run that empties a cache must not empty
// that of the next one.
func (s *Sandbox) keep(upper, kept string) error {
	stat, err := os.Lstat(upper)
	switch {
	case isMissing(err):
		return nil
	case err != nil:
		return err
	case isWhiteout(stat):
		return os.Remove(upper) //nolint:forbidigo // the scratch folder of this package
	case stat.IsDir():
		return s.keepEach(upper, kept, stat.Mode())
	}
	if err := removeTree(kept); err != nil { // a folder may be in the way
		return err
	}
	if err := s.keepParent(filepath.Dir(upper), filepath.Dir(kept)); err != nil {
		return err
	}
	return os.Rename(upper, kept) //nolint:forbidigo // the state folder of this package
}

// keepEach is keep for what is in a folder. Tools make the folders of their
// caches read-only: for the time of the move they are not.
func (s *Sandbox) keepEach(upper, kept string, mode fs.FileMode) error {
	names, err := os.ReadDir(upper)
	if err != nil {
		return err
	}
	if err := os.Chmod(upper, 0o700); err != nil { //nolint:gosec // ours alone
		return err
	}
	if stat, err := os.Lstat(kept); err == nil && !stat.IsDir() {
		if err := removeTree(kept); err != nil {
			return err
		}
	}
	if err := s.keepParent(upper, kept); err != nil {
		return err
	}
	if err := os.Chmod(kept, 0o700); err != nil { //nolint:gosec // ours alone
		return err
	}
	for _, name := range names {
		if err := s.keep(filepath.Join(upper, name.Name()), filepath.Join(kept, name.Name())); err != nil {
			return err
		}
	}
	return errors.Join(os.Chmod(upper, mode.Perm()), os.Chmod(kept, mode.Perm()))
}

// keepParent makes the folder that something is moved to, like the one that
// it comes from.
func (s *Sandbox) keepParent(upper, kept string) error {
	if _, err := os.Lstat(kept); !isMissing(err) {
		return err
	}
	if err := s.keepParent(filepath.Dir(upper), filepath.Dir(kept)); err != nil {
		return err
	}
	return s.scratch.makeLike(kept, upper)
}

// variable returns the value of a variable in env, "" if it is not set.
func variable(env []string, name string) string {
	for _, kv := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}
