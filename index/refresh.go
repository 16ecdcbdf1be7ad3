package index

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/agentls/agentls/index/syntax"
)

// Refresh reads at once what Disk, Save and Close modifications have named
// since the last time. A change of ignore rules lists everything again. What
// could not be read for an error is tried again with the next call.
func (w *Workspace) Refresh(ctx context.Context) error {
	if err := w.lock(ctx); err != nil {
		return err
	}
	defer w.unlock()
	paths := w.takePending()
	if len(paths) == 0 {
		return nil
	}
	err := w.refresh(ctx, paths)
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		for path := range paths {
			w.pending[path] = struct{}{}
		}
		return fmt.Errorf("refresh: %w", err)
	}
	return nil
}

// maxRefresh is the number of paths from which on a Scan, which works in
// parallel, is faster: a checkout.
const maxRefresh = 100

func (w *Workspace) takePending() map[string]struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	paths := w.pending
	w.pending = map[string]struct{}{}
	return paths
}

func (w *Workspace) refresh(ctx context.Context, paths map[string]struct{}) error {
	if len(paths) > maxRefresh {
		_, err := w.scan(ctx, nil)
		return err
	}
	snap := w.Snapshot()
	up := update{files: map[string]*file{}, blobs: map[string][]byte{}}
	fresh := map[string][]string{} // root → relative paths that git, or a walk, must judge
	for path := range paths {
		root, ok := snap.root(path)
		if !ok || inGit(path) && !changesRules(path) {
			continue
		}
		if changesRules(path) {
			_, err := w.scan(ctx, nil)
			return err
		}
		w.look(snap, root, path, up, fresh)
	}
	for root, rels := range fresh {
		if err := w.judge(ctx, snap, root, rels, up); err != nil {
			return err
		}
	}
	w.cache.store(up.blobs)
	w.merge(up.files)
	return nil
}

// inGit reports whether path lies in a repository's own folder.
func inGit(path string) bool {
	return strings.Contains(filepath.ToSlash(path)+"/", "/.git/")
}

// changesRules reports whether path says what is ignored.
func changesRules(path string) bool {
	return filepath.Base(path) == ".gitignore" || strings.HasSuffix(filepath.ToSlash(path), "/.git/info/exclude")
}

// look finds out what happened at path.
func (w *Workspace) look(snap *Snapshot, root, path string, up update, fresh map[string][]string) {
	known := snap.disk.file(path)
	at, err := os.Lstat(path)
	if err == nil && known != nil && at.Mode().IsRegular() {
		w.note(entryOf(path, at), known, up)
		return
	}
	for _, gone := range snap.indexed(path) {
		if _, err := os.Lstat(gone); err != nil || gone == path {
			up.files[gone] = nil
		}
	}
	if rel, relErr := filepath.Rel(root, path); err == nil && relErr == nil {
		fresh[root] = append(fresh[root], filepath.ToSlash(rel))
	}
}

// indexed returns the files on disk at and below path.
func (s *Snapshot) indexed(path string) []string {
	var found []string
	i, _ := s.disk.base.search(path)
	for _, f := range s.disk.base.files[i:] {
		if !strings.HasPrefix(f.path, path) {
			break
		}
		if below(f.path, path) {
			found = append(found, f.path)
		}
	}
	for p, f := range s.disk.delta {
		if f != nil && below(p, path) {
			found = append(found, p)
		}
	}
	return found
}

// An update is what a Refresh found.
type update struct {
	files map[string]*file // nil: gone
	blobs map[string][]byte
}

// note reads e and keeps it if its content is not the one that is known. An
// event came, so time and size are not asked: they are too coarse.
func (w *Workspace) note(e entry, known *file, up update) {
	var r loaded
	withParser(func(p *syntax.Parser) { r = w.reread(p, e, known) })
	if r.origin == vanished || known != nil && known.hash == r.file.hash && known.size == r.file.size {
		return
	}
	up.files[e.path] = r.file
	if r.blob != nil {
		up.blobs[e.path] = r.blob
	}
}

// judge takes in those of rels that are not ignored.
func (w *Workspace) judge(ctx context.Context, snap *Snapshot, root string, rels []string, up update) error {
	t, err := openTree(ctx, root)
	if err != nil {
		return err
	}
	entries, err := t.list(ctx, rels...)
	if err != nil {
		return err
	}
	for _, e := range entries {
		w.note(e, snap.disk.file(e.path), up)
	}
	return nil
}
