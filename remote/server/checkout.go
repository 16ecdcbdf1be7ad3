package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index/git"
	"github.com/agentls/agentls/remote"
)

// A shelf is the bare repository that holds the commits of all tasks, and
// makes checkouts of them.
type shelf struct {
	dir   string
	blobs blobs

	mu sync.Mutex // while commits come in: git's own locks fail instead of waiting
}

// newest returns the first of commits that is there; "" if none is.
func (s *shelf) newest(ctx context.Context, commits []string) (string, error) {
	bases, err := git.Bases(ctx, s.dir)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(commits, func(commit string) bool { return bases[commit] })
	if i < 0 {
		return "", nil
	}
	return commits[i], nil
}

// take takes the commit of base out of its bundle, unless it is there.
func (s *shelf) take(ctx context.Context, base remote.Base) error {
	if base.Commit == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	there, err := git.Contains(ctx, s.dir, base.Commit)
	switch {
	case err != nil || there:
		return err
	case base.Bundle.IsZero():
		return fmt.Errorf("%w: the commit %.10s is not here; send it in a bundle", remote.ErrSpec, base.Commit)
	case !s.blobs.has(base.Bundle):
		return fmt.Errorf("%w: the bundle: %w", remote.ErrSpec, errNoBlob)
	}
	return git.Unbundle(ctx, s.dir, s.blobs.path(base.Bundle), base.Commit)
}

// commit returns the commit that base begins at in env; "" for nothing at all.
func (s *shelf) commit(ctx context.Context, base remote.Base, env remote.Environment) (string, error) {
	if base.Commit != "" || env.Repo == "" {
		return base.Commit, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, fetchTime, fmt.Errorf("fetch %s: it took longer than %v", env.Repo, fetchTime))
	defer cancel()
	return git.Fetch(ctx, s.dir, env.Repo, base.Branch)
}

// fetchTime is how long a repository may take: others wait for it.
const fetchTime = 5 * time.Minute

// checkOut makes the tree of commit in dir, which is not there yet, and base's
// overlay and diff on it.
func (s *shelf) checkOut(ctx context.Context, dir, commit string, base remote.Base) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if commit != "" {
		if err := git.Checkout(ctx, s.dir, commit, dir); err != nil {
			return err
		}
	}
	if !base.Overlay.IsZero() {
		if err := s.layOver(dir, base); err != nil {
			return err
		}
	}
	if base.Diff == "" {
		return nil
	}
	return applyDiff(ctx, dir, base.Diff)
}

// layOver puts the files of base's overlay into dir, and nowhere else.
func (s *shelf) layOver(dir string, base remote.Base) error {
	content, err := s.blobs.read(base.Overlay, remote.MaxOverlay)
	if err != nil {
		return err
	}
	overlay, err := remote.ParseOverlay(content)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	for _, f := range overlay.Files {
		if err := putFile(root, f); err != nil {
			return fmt.Errorf("lay over %s: %w", f.Path, err)
		}
	}
	return nil
}

func putFile(root *os.Root, f remote.OverlayFile) error {
	name := filepath.FromSlash(f.Path)
	if err := root.RemoveAll(name); err != nil && !errors.Is(err, fs.ErrNotExist) || f.Gone {
		return err
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	mode := f.Mode
	if mode == 0 {
		mode = 0o644
	}
	return root.WriteFile(name, f.Content, mode|0o600)
}

// applyDiff changes the files of dir as a unified diff says.
func applyDiff(ctx context.Context, dir, diff string) error {
	cs, err := changeOf(ctx, dir, diff)
	if err != nil || cs == nil {
		return err
	}
	return edits.NewDirectory().Apply(ctx, cs)
}

// changeOf returns a unified diff as a change of the files of dir; nil where it
// changes none.
func changeOf(ctx context.Context, dir, diff string) (*edits.ChangeSet, error) {
	parsed, err := edits.ParseGitDiff(diff)
	if err != nil {
		return nil, err
	}
	cs, err := parsed.ChangeSet(ctx, edits.NewDirectory(), edits.Confine([]string{dir}))
	if errors.Is(err, edits.ErrNoChange) {
		return nil, nil
	}
	return cs, err
}
