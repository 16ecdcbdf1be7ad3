package index

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/agentls/agentls/edits/text"
)

// Stats says what a Scan found.
type Stats struct {
	Files      int // listed, without those that vanished meanwhile
	Parsed     int
	Cached     int   // from the cache or an earlier Scan, not parsed
	Skipped    int   // known by name only: no such language, binary, too large, minified or too slow
	Bytes      int64 // of what was parsed or cached
	Symbols    int
	References int // identifier occurrences
	Elapsed    time.Duration
}

// firstBatch is the number of files that a Scan publishes first; each batch is
// as large as all before it, so that publishing stays linear.
const firstBatch = 512

// lock waits until nobody else reads the disk.
func (w *Workspace) lock(ctx context.Context) error {
	select {
	case w.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w *Workspace) unlock() { <-w.busy }

// Scan lists the files of all roots, reads and parses those that changed since
// the cache saw them, and publishes them in batches. Progress, which may be
// nil, is called by one goroutine at a time. On cancel what was read stays, and
// the error is the context's cause.
func (w *Workspace) Scan(ctx context.Context, progress func(done, total int)) (Stats, error) {
	if err := w.lock(ctx); err != nil {
		return Stats{}, err
	}
	defer w.unlock()
	if progress == nil {
		progress = func(int, int) {}
	}
	return w.scan(ctx, progress)
}

// scan is Scan for who holds busy.
func (w *Workspace) scan(ctx context.Context, progress func(done, total int)) (Stats, error) {
	start := w.clock()
	if w.cache == nil && w.opts.CacheDir != "" {
		w.cache = openCache(w.opts.CacheDir, w.opts.Log)
	}
	roots := w.Snapshot().roots
	entries, err := listRoots(ctx, roots)
	if err != nil {
		return Stats{}, err
	}
	stats, err := w.load(ctx, entries, progress)
	stats.Elapsed = w.clock().Sub(start)
	if err != nil {
		return stats, err
	}
	w.settle(roots, entries)
	return stats, nil
}

func (w *Workspace) clock() time.Time {
	if w.opts.Now == nil {
		return time.Time{}
	}
	return w.opts.Now()
}

// listRoots lists each file once, also where roots lie in one another.
func listRoots(ctx context.Context, roots []string) ([]entry, error) {
	seen := map[string]bool{}
	var all []entry
	for _, root := range roots {
		t, err := openTree(ctx, root)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", root, err)
		}
		entries, err := t.list(ctx)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", root, err)
		}
		for _, e := range entries {
			if !seen[e.path] {
				seen[e.path] = true
				all = append(all, e)
			}
		}
	}
	return all, nil
}

// An origin says where a file came from.
type origin uint8

const (
	vanished origin = iota
	parsed
	cached
	named // by name only
)

// loaded is what a worker made of an entry.
type loaded struct {
	file   *file
	origin origin
	blob   []byte // for the cache; nil: it has this
}

// load reads entries with the workers and publishes them.
func (w *Workspace) load(ctx context.Context, entries []entry, progress func(done, total int)) (Stats, error) {
	results := make(chan loaded, w.opts.Workers)
	group, gctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	before := w.Snapshot().disk
	for range w.opts.Workers {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(entries)); i = next.Add(1) - 1 {
				select {
				case results <- w.read(entries[i], before.file(entries[i].path)):
				case <-gctx.Done():
					return context.Cause(gctx)
				}
			}
			return nil
		})
	}
	done := make(chan error, 1)
	go func() {
		done <- group.Wait()
		close(results)
	}()
	stats := w.collect(results, len(entries), progress)
	return stats, <-done
}

// collect publishes results and puts them into the cache.
func (w *Workspace) collect(results <-chan loaded, total int, progress func(done, total int)) Stats {
	var stats Stats
	batch, blobs, limit := map[string]*file{}, map[string][]byte{}, firstBatch
	done := 0
	for r := range results {
		done++
		progress(done, total)
		if r.origin == vanished {
			continue
		}
		stats.add(r)
		batch[r.file.path] = r.file
		if r.blob != nil {
			blobs[r.file.path] = r.blob
		}
		if len(blobs) >= firstBatch {
			w.cache.store(blobs)
			clear(blobs)
		}
		if len(batch) >= limit {
			w.merge(batch)
			limit += len(batch)
			batch = map[string]*file{}
		}
	}
	w.cache.store(blobs)
	w.merge(batch)
	return stats
}

func (s *Stats) add(r loaded) {
	s.Files++
	switch r.origin {
	case parsed:
		s.Parsed++
	case cached:
		s.Cached++
	case named:
		s.Skipped++
	case vanished:
	}
	if r.file.outline != nil {
		s.Bytes += r.file.size
		s.Symbols += len(r.file.decls)
		s.References += len(r.file.occs)
	}
}

// read makes a file of e. It reads the content only if neither the last state
// nor the cache knows it by size and time.
func (w *Workspace) read(e entry, last *file) loaded {
	if last != nil && last.size == e.size && last.modTime == e.modTime {
		return loaded{file: last, origin: originOf(last, cached)}
	}
	old := w.cache.load(e.path, languageOf(e.path, ""))
	if old != nil && old.size == e.size && old.modTime == e.modTime {
		return loaded{file: old, origin: originOf(old, cached)}
	}
	return w.reread(e, old)
}

// reread makes a file of the content of e, which it parses if it is not that
// of old, which may be nil.
func (w *Workspace) reread(e entry, old *file) loaded {
	lang := languageOf(e.path, "")
	if lang == nil && filepath.Base(e.path) != "go.mod" || e.size > maxParse {
		return loaded{file: &file{path: e.path, size: e.size, modTime: e.modTime, lang: lang}, origin: named}
	}
	content, err := os.ReadFile(e.path)
	if err != nil {
		return loaded{origin: vanished}
	}
	if old != nil && old.hash == text.HashOf(content) {
		same := *old
		same.modTime = e.modTime
		return loaded{file: &same, origin: originOf(&same, cached), blob: w.cache.encode(&same)}
	}
	f := newFile(e.path, lang, content)
	f.modTime = e.modTime
	return loaded{file: f, origin: originOf(f, parsed), blob: w.cache.encode(f)}
}

func originOf(f *file, o origin) origin {
	if f.outline == nil {
		return named
	}
	return o
}

// merge publishes changes, of which a nil file is gone, in a snapshot.
func (w *Workspace) merge(changes map[string]*file) {
	if len(changes) == 0 {
		return
	}
	for { // the merge takes a while: not with mu held
		now := w.Snapshot()
		disk := now.disk.with(changes)
		w.mu.Lock()
		if w.snap.Load().disk.base == now.disk.base {
			w.publish(func(next *Snapshot) { next.disk = disk })
			w.mu.Unlock()
			return
		}
		w.mu.Unlock() // the roots changed meanwhile
	}
}

// settle forgets what was not listed, and declares the workspace ready if its
// roots are still those that were scanned.
func (w *Workspace) settle(roots []string, entries []entry) {
	listed := make(map[string]bool, len(entries))
	for _, e := range entries {
		listed[e.path] = true
	}
	now := w.Snapshot()
	files := now.disk.all()
	gone := len(files)
	maps.DeleteFunc(files, func(path string, _ *file) bool { return !listed[path] })
	gone -= len(files)
	base := now.disk.base
	if gone > 0 || len(now.disk.delta) > 0 {
		base = newBase(files)
	}
	base.directory() // now, not in the first request
	if w.publishScan(roots, base) {
		w.cache.keep(listed)
	}
}

// publishScan publishes base as all there is below roots, unless the roots
// were changed meanwhile: then another Scan follows.
func (w *Workspace) publishScan(roots []string, base *base) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.snap.Load().roots, roots) {
		return false
	}
	w.publish(func(next *Snapshot) { next.disk, next.ready = layers{base: base}, true })
	return true
}
