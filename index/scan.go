package index

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/agentls/agentls/index/syntax"
)

// Stats says what a Scan found.
type Stats struct {
	Files      int // listed, without those that vanished meanwhile
	Parsed     int
	Cached     int            // from the cache or an earlier Scan, not parsed
	Skipped    map[string]int // why ("language", "binary", "large", "slow", "minified") → files that are not parsed
	Languages  map[string]int // LSP language identifier → files parsed or cached
	Bytes      int64          // of what was parsed or cached
	Lines      int64
	Symbols    int
	References int // identifier occurrences
	Elapsed    time.Duration
	Mode       Mode
	Workers    int
	OnDisk     int64 // bytes of the cache; 0 without one
}

// A Mode says where an index came from.
type Mode uint8

// The modes, from the slowest.
const (
	Cold    Mode = iota // everything was parsed
	Warm                // something came from the cache
	Segment             // it was all there, and was only looked through
)

// String returns the word for m.
func (m Mode) String() string { return [...]string{Cold: "cold", Warm: "warm", Segment: "segment"}[m] }

// A Phase is a part of a Scan.
type Phase uint8

// The phases of a Scan, in order.
const (
	Skimming Phase = iota + 1 // finding names in what changed, roughly: they can be searched from the end of it on
	Parsing
)

// Progress says how far a Scan is.
type Progress struct {
	Phase     Phase
	Done      int // files of the phase
	Total     int
	File      string        // that was just read
	Rate      float64       // bytes parsed in a second; 0 while unknown
	Remaining time.Duration // at that rate; 0 while unknown
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

// Scan lists the files of all roots and reads those that changed since the
// cache saw them: it skims all of them first, so that names can be found, then
// parses open documents, what lies in their folders, and the rest. It publishes
// in batches; Snapshot.Ready tells the end. Progress, which may be nil, is
// called by one goroutine at a time. On cancel what was read stays, and the
// error is the context's cause.
func (w *Workspace) Scan(ctx context.Context, progress func(Progress)) (Stats, error) {
	if err := w.lock(ctx); err != nil {
		return Stats{}, err
	}
	defer w.unlock()
	return w.scan(ctx, progress)
}

// scan is Scan for who holds busy.
func (w *Workspace) scan(ctx context.Context, progress func(Progress)) (Stats, error) {
	start := w.clock()
	if progress == nil {
		progress = func(Progress) {}
	}
	if w.cache == nil && w.opts.CacheDir != "" {
		w.cache = openCache(w.opts.CacheDir, w.opts.Log)
		w.loadSegment()
	}
	roots := w.Snapshot().roots
	entries, err := listRoots(ctx, roots)
	if err != nil {
		return Stats{}, err
	}
	s := &scanning{w: w, progress: progress, stats: Stats{Skipped: map[string]int{}, Languages: map[string]int{}, Workers: w.opts.Workers}}
	err = s.run(ctx, entries)
	if s.stats.Cached > 0 {
		s.stats.Mode = Warm
		if w.segment != nil {
			s.stats.Mode = Segment
		}
	}
	if err == nil {
		w.settle(roots, entries)
	}
	s.stats.Elapsed, s.stats.OnDisk = w.clock().Sub(start), w.cache.size()
	return s.stats, err
}

// loadSegment begins with what the segment holds. It is checked file by file.
func (w *Workspace) loadSegment() {
	now := w.Snapshot().disk
	if len(now.base.files) > 0 || len(now.delta) > 0 {
		return
	}
	if w.segment = w.cache.segment(); w.segment != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.publish(func(next *Snapshot) { next.disk = layers{base: w.segment} })
	}
}

// keepSegment writes a segment of the present state for the next start, if that
// is complete and the one on disk is another. The first time it goes on with what
// is mapped from there: what a cold start made in memory is no longer needed.
func (w *Workspace) keepSegment() {
	snap := w.Snapshot()
	if w.cache == nil || !snap.ready || w.segment == snap.disk.base && len(snap.disk.delta) == 0 {
		return
	}
	b := snap.disk.base
	if len(snap.disk.delta) > 0 {
		b = newBase(snap.disk.all())
	}
	if !w.cache.keepSegment(b) {
		return
	}
	first := w.segment == nil
	w.segment = b
	if first { // what is mapped stays so, with its space on disk: once is enough
		w.adopt(b)
	}
}

// adopt goes on with the segment that was just made of b.
func (w *Workspace) adopt(b *base) {
	mapped := w.cache.mapped()
	if mapped == nil {
		return
	}
	w.mu.Lock()
	if now := w.snap.Load().disk; now.base == b { // else the roots changed, or the workspace is being closed
		w.publish(func(next *Snapshot) { next.disk = layers{base: mapped, delta: now.delta} })
		w.segment = mapped
	}
	w.mu.Unlock()
	debug.FreeOSMemory() // a cold start of a large tree needs some hundred megabytes, and what follows few
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

// A scanning is one Scan. Its fields belong to the goroutine that collects.
type scanning struct {
	w        *Workspace
	progress func(Progress)
	stats    Stats
	before   layers
	todo     []entry // to be parsed

	batch map[string]*file // to be published
	blobs map[string][]byte
	limit int // files in a batch
}

// run reads entries in two passes, but for those that are as they were.
func (s *scanning) run(ctx context.Context, entries []entry) error {
	s.before = s.w.Snapshot().disk
	if err := s.pass(ctx, Skimming, s.changed(entries), func(_ *syntax.Parser, e entry) loaded { return s.w.glance(e) }); err != nil {
		return err
	}
	s.w.Snapshot().prefer(s.todo)
	return s.pass(ctx, Parsing, s.todo, func(p *syntax.Parser, e entry) loaded { return s.w.reread(p, e, nil) })
}

// changed returns the entries that are not as the last state has them. The
// others are taken in: to hand them to workers would cost more than to look.
func (s *scanning) changed(entries []entry) []entry {
	var changed []entry
	for _, e := range entries {
		last := s.before.file(e.path)
		if last == nil || last.isProvisional() || last.size != e.size || last.modTime != e.modTime {
			changed = append(changed, e)
			continue
		}
		s.stats.add(loaded{entry: e, file: last, origin: cached})
	}
	return changed
}

// prefer sorts entries by how soon somebody may ask for them: open documents,
// files beside them, others.
func (s *Snapshot) prefer(entries []entry) {
	folders := map[string]bool{}
	for path := range s.docs {
		folders[filepath.Dir(path)] = true
	}
	rank := func(e entry) int {
		switch {
		case s.docs[e.path] != nil:
			return 0
		case folders[filepath.Dir(e.path)]:
			return 1
		default:
			return 2
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(rank(a), rank(b)) })
}

// pass reads entries with the workers, and publishes what they find.
func (s *scanning) pass(ctx context.Context, phase Phase, entries []entry, read func(*syntax.Parser, entry) loaded) error {
	results := make(chan loaded, s.w.opts.Workers)
	group, gctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(s.w.opts.Workers, len(entries)) {
		group.Go(func() error {
			return s.w.work(gctx, func(p *syntax.Parser) bool {
				i := next.Add(1) - 1
				if i >= int64(len(entries)) {
					return false
				}
				select {
				case results <- read(p, entries[i]):
					return true
				case <-gctx.Done():
					return false
				}
			})
		})
	}
	var failed error
	var ended sync.WaitGroup
	ended.Go(func() {
		failed = group.Wait()
		close(results)
	})
	s.collect(results, s.w.gauge(phase, entries))
	ended.Wait()
	if failed == nil && len(entries) > 0 {
		syntax.Trim()
	}
	return failed
}

// work calls step with a parser, on a thread of its own, until it returns
// false. The error is the context's cause.
func (w *Workspace) work(ctx context.Context, step func(p *syntax.Parser) bool) error {
	yieldTo(w.opts.Niceness)
	p := syntax.NewParser()
	defer p.Close()
	for step(p) {
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// A gauge measures a pass.
type gauge struct {
	now         func() time.Time
	start       time.Time
	done, total int64 // bytes
	Progress
}

func (w *Workspace) gauge(phase Phase, entries []entry) *gauge {
	g := &gauge{now: w.clock, start: w.clock(), Progress: Progress{Phase: phase, Total: len(entries)}}
	for _, e := range entries {
		g.total += e.size
	}
	return g
}

// advance takes in one file.
func (g *gauge) advance(e entry) Progress {
	g.Done++
	g.File = e.path
	g.done += e.size
	if took := g.now().Sub(g.start); took > 0 && g.Phase == Parsing {
		g.Rate = float64(g.done) / took.Seconds()
		g.Remaining = time.Duration(float64(g.total-g.done) / g.Rate * float64(time.Second))
	}
	return g.Progress
}

// collect publishes results and puts them into the cache.
func (s *scanning) collect(results <-chan loaded, g *gauge) {
	s.batch, s.blobs, s.limit = map[string]*file{}, map[string][]byte{}, firstBatch
	for r := range results {
		s.progress(g.advance(r.entry))
		s.take(r)
		if len(s.blobs) >= firstBatch {
			s.w.cache.store(s.blobs)
			clear(s.blobs)
		}
		if len(s.batch) >= s.limit {
			s.w.merge(s.batch)
			s.limit += len(s.batch)
			s.batch = map[string]*file{}
		}
	}
	s.w.cache.store(s.blobs)
	s.w.merge(s.batch)
}

func (s *scanning) take(r loaded) {
	switch r.origin {
	case vanished:
		s.batch[r.entry.path] = nil
		return
	case skimmed:
		s.todo = append(s.todo, r.entry)
	case parsed, cached:
		s.stats.add(r)
	}
	if s.before.file(r.file.path) != r.file {
		s.batch[r.file.path] = r.file
	}
	if r.blob != nil {
		s.blobs[r.file.path] = r.blob
	}
}

func (s *Stats) add(r loaded) {
	s.Files++
	f := r.file
	switch {
	case f.skipped != notSkipped:
		s.Skipped[f.skipped.String()]++
	case r.origin == cached:
		s.Cached++
	default:
		s.Parsed++
	}
	if !f.isParsed() {
		return
	}
	s.Bytes += f.size
	s.Lines += f.lines
	s.Symbols += f.symbolCount
	s.References += f.useCount
	if f.lang != nil {
		s.Languages[f.lang.Name]++
	}
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
	now := w.Snapshot().disk
	gone := map[string]*file{}
	for path := range now.paths() {
		if !listed[path] {
			gone[path] = nil
		}
	}
	disk := now.with(gone)
	if len(disk.delta) > 0 && w.segment != disk.base { // it is built anew in any case
		disk = layers{base: newBase(disk.all())}
	}
	disk.base.directory() // now, not in the first request
	if !w.publishScan(roots, disk) {
		return
	}
	if w.segment != disk.base || len(gone) > 0 {
		w.cache.keep(listed)
	}
	if len(disk.delta) == 0 { // else it is written when the workspace is closed: to merge takes a while
		w.keepSegment()
	}
}

// publishScan publishes disk as all there is below roots, unless the roots
// were changed meanwhile: then another Scan follows.
func (w *Workspace) publishScan(roots []string, disk layers) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.snap.Load().roots, roots) {
		return false
	}
	w.publish(func(next *Snapshot) { next.disk, next.ready = disk, true })
	return true
}
