package index

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/agentls/agentls/index/lang"
)

// cacheFormat names the bucket of one blob per path. It changes with the
// encoding, the grammars and the tables, of which a lite build has few: what an older program stored is then
// not found, and dropped.
var cacheFormat = fmt.Sprintf("files-12-%d", len(lang.All))

const cacheName = "index.db"

// lockWait is how long another process may hold the cache before this one goes
// on in memory.
const lockWait = 100 * time.Millisecond

// A cache keeps outlines between runs. A nil *cache is one that knows nothing
// and keeps nothing. What goes wrong with it costs time, never an answer: it is
// logged, and the cache is not asked again. Workers read while one goroutine
// writes.
type cache struct {
	db     *bbolt.DB
	log    *slog.Logger
	failed atomic.Bool // the disk is full, or pages are damaged
	broken atomic.Bool // pages are damaged: to be put aside
	kept   bool        // there was something in it when it was opened
	used   atomic.Bool // something of it was found
	wrote  atomic.Bool
}

// openCache opens or makes the cache in dir. A broken one is put aside. Nil
// means to work in memory.
func openCache(dir string, log *slog.Logger) *cache {
	path := filepath.Join(dir, cacheName)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		log.Warn("index cache is not available", "dir", dir, "error", err)
		return nil
	}
	db, err := openBolt(path)
	if err != nil && !errors.Is(err, bolterrors.ErrTimeout) {
		log.Warn("index cache is broken and starts anew", "path", path, "error", err)
		if err = putAside(path); err == nil {
			db, err = openBolt(path)
		}
	}
	if err != nil {
		log.Warn("index works without its cache", "path", path, "error", err)
		return nil
	}
	return &cache{db: db, log: log, kept: !isFresh(db)}
}

// isFresh reports whether nothing was stored in db yet.
func isFresh(db *bbolt.DB) (fresh bool) {
	err := undamaged(func() error {
		return db.View(func(tx *bbolt.Tx) error {
			first, _ := tx.Bucket([]byte(cacheFormat)).Cursor().First()
			fresh = first == nil
			return nil
		})
	})
	return fresh && err == nil
}

func openBolt(path string) (db *bbolt.DB, err error) {
	err = undamaged(func() (err error) {
		db, err = openFiles(path)
		return err
	})
	return db, err
}

// openFiles opens a database that has the bucket of cacheFormat. One without it
// is of another version, or was damaged so that an older state shows, which
// writing to it does not mend: it is made anew.
func openFiles(path string) (*bbolt.DB, error) {
	db, err := openDatabase(path)
	if err != nil || hasFormat(db) {
		return db, err
	}
	// Whoever gets its lock in between has a cache that is lost, no wrong one.
	if err := errors.Join(db.Close(), os.Remove(path)); err != nil { //nolint:forbidigo // the cache is this package's own
		return nil, err
	}
	if db, err = openDatabase(path); err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		files, err := tx.CreateBucketIfNotExists([]byte(cacheFormat))
		if err != nil {
			return err
		}
		return files.SetSequence(birth(path))
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openDatabase opens what is at path. NoSync: the cache can be made again, and
// its pages are checked when read.
func openDatabase(path string) (*bbolt.DB, error) {
	return bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait, NoSync: true})
}

func hasFormat(db *bbolt.DB) (has bool) {
	err := db.View(func(tx *bbolt.Tx) error {
		has = tx.Bucket([]byte(cacheFormat)) != nil
		return nil
	})
	return has && err == nil
}

// view calls f with what is stored, if there is something.
func (c *cache) view(f func(files *bbolt.Bucket) error) {
	if c == nil || c.failed.Load() {
		return
	}
	c.survive(func() error {
		return c.db.View(func(tx *bbolt.Tx) error { return f(tx.Bucket([]byte(cacheFormat))) })
	})
}

// update calls f with what is stored, and stores what it changes.
func (c *cache) update(f func(files *bbolt.Bucket) error) {
	if c == nil || c.failed.Load() {
		return
	}
	c.survive(func() error {
		return c.db.Update(func(tx *bbolt.Tx) error {
			files := tx.Bucket([]byte(cacheFormat))
			_, err := files.NextSequence()
			return errors.Join(err, f(files))
		})
	})
}

// survive calls f, and no longer uses the cache if that fails.
func (c *cache) survive(f func() error) {
	err := undamaged(f)
	if err == nil {
		return
	}
	// What the system does not refuse is damage, however bbolt says it: a key
	// that turned into a bucket is an incompatible value.
	if system := syscall.Errno(0); !errors.As(err, &system) {
		c.broken.Store(true)
	}
	if !c.failed.Swap(true) {
		c.log.Warn("index cache has failed: the index goes on in memory", "path", c.db.Path(), "error", err)
	}
}

var errDamaged = errors.New("the index cache is damaged")

// birth returns a number that no cache before had: generations are counted from
// it, so that no segment of another cache fits.
func birth(path string) uint64 {
	at, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return uint64(at.ModTime().UnixNano())
}

// undamaged calls f, which reads the mapped file of bbolt. That panics over a
// damaged page, and faults over one that was cut off.
func undamaged(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%w: %v", errDamaged, reason)
		}
	}()
	return f()
}

// generation numbers what the cache holds: it grows with each change. False is
// a cache that holds nothing.
func (c *cache) generation() (n uint64, ok bool) {
	c.view(func(files *bbolt.Bucket) error {
		n, ok = files.Sequence(), true
		return nil
	})
	return n, ok
}

// segment returns the base that the segment beside the cache holds, or nil.
func (c *cache) segment() *base {
	generation, ok := c.generation()
	if !ok {
		return nil
	}
	b, err := openSegment(filepath.Dir(c.db.Path()), generation)
	if err != nil && !errors.Is(err, errNoSegment) && !errors.Is(err, os.ErrNotExist) {
		c.log.Warn("index segment cannot be read", "error", err)
	}
	c.used.Store(c.used.Load() || b != nil)
	return b
}

// mapped returns what the last keepSegment wrote, or nil.
func (c *cache) mapped() *base {
	generation, ok := c.generation()
	if !ok {
		return nil
	}
	b, err := openSegment(filepath.Dir(c.db.Path()), generation)
	if err != nil {
		c.log.Warn("index segment cannot be read", "error", err)
		return nil
	}
	return b
}

// keepSegment writes b, which is what the cache holds, beside it, and reports
// whether it is there.
func (c *cache) keepSegment(b *base) bool {
	generation, ok := c.generation()
	if !ok {
		return false
	}
	if err := writeSegment(filepath.Dir(c.db.Path()), b, generation); err != nil {
		c.log.Warn("index segment cannot be written: the next start is slower", "error", err)
		return false
	}
	return true
}

// load returns what the cache knows of path, or nil.
func (c *cache) load(path string, language *lang.Language) *file {
	var f *file
	c.view(func(files *bbolt.Bucket) error {
		if blob := files.Get([]byte(path)); blob != nil {
			f = decodeFile(path, language, bytes.Clone(blob)) // the blob is the transaction's
			c.used.Store(true)
		}
		return nil
	})
	return f
}

// wanted returns blob, or nil if the cache keeps nothing.
func (c *cache) wanted(blob []byte) []byte {
	if c == nil || c.failed.Load() {
		return nil
	}
	return blob
}

// store keeps blobs by path. It looks whether they can be found again: damage
// to the order of pages goes unnoticed otherwise.
func (c *cache) store(blobs map[string][]byte) {
	if len(blobs) == 0 {
		return
	}
	c.markWritten()
	defer c.view(func(files *bbolt.Bucket) error {
		for path, blob := range blobs {
			if !bytes.Equal(files.Get([]byte(path)), blob) {
				return fmt.Errorf("%w: what was stored is not found", errDamaged)
			}
		}
		return nil
	})
	c.update(func(files *bbolt.Bucket) error {
		for path, blob := range blobs {
			if err := files.Put([]byte(path), blob); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *cache) markWritten() {
	if c != nil {
		c.wrote.Store(true)
	}
}

// isSuspect reports whether the cache held things, none of which was found. Some
// damage shows in no other way, and writing does not mend it.
func (c *cache) isSuspect() bool { return c.kept && c.wrote.Load() && !c.used.Load() }

// keep drops what is not listed.
func (c *cache) keep(listed map[string]bool) {
	var stale [][]byte
	c.view(func(files *bbolt.Bucket) error {
		return files.ForEach(func(path, _ []byte) error {
			if !listed[string(path)] {
				stale = append(stale, bytes.Clone(path))
			}
			return nil
		})
	})
	if len(stale) == 0 {
		return
	}
	c.update(func(files *bbolt.Bucket) error {
		for _, path := range stale {
			if err := files.Delete(path); err != nil {
				return err
			}
		}
		return nil
	})
}

// size returns the bytes of the cache on disk.
func (c *cache) size() int64 {
	if c == nil {
		return 0
	}
	total := int64(0)
	for _, path := range []string{c.db.Path(), filepath.Join(filepath.Dir(c.db.Path()), segmentName)} {
		if at, err := os.Stat(path); err == nil {
			total += at.Size()
		}
	}
	return total
}

// ErrInUse is returned by Forget while another process uses the index.
var ErrInUse = errors.New("the index is in use by another process")

// Forget deletes what is kept of the workspace between runs. It must be called
// before the first Scan. The error can be ErrInUse.
func (w *Workspace) Forget() error {
	if w.opts.CacheDir == "" {
		return nil
	}
	path := filepath.Join(w.opts.CacheDir, cacheName)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	db, err := openBolt(path)
	if errors.Is(err, bolterrors.ErrTimeout) {
		return ErrInUse
	}
	if err == nil { // else it is broken, and nobody can have it
		defer db.Close() //nolint:errcheck // the file is gone
	}
	for _, path := range []string{path, filepath.Join(w.opts.CacheDir, segmentName)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { //nolint:forbidigo // the cache is this package's own
			return fmt.Errorf("forget the index: %w", err)
		}
	}
	return nil
}

func (c *cache) close() error {
	if c == nil {
		return nil
	}
	path := c.db.Path()
	if c.failed.Load() {
		_ = c.db.Close() // it was said why
	} else if err := errors.Join(c.db.Sync(), c.db.Close()); err != nil {
		return err
	}
	if c.broken.Load() || c.isSuspect() {
		return putAside(path)
	}
	return nil
}

// putAside renames a broken cache, for whoever wants to look at it; the next
// one replaces it.
func putAside(path string) error {
	return os.Rename(path, path+".broken") //nolint:forbidigo // the cache is this package's own
}
