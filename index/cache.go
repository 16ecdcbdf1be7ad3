package index

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// cacheFormat names the bucket of one blob per path. It changes with the
// encoding, the grammars and the tables: what an older program stored is then
// not found, and dropped.
const cacheFormat = "files-2"

const cacheName = "index.db"

// lockWait is how long another process may hold the cache before this one goes
// on in memory.
const lockWait = 100 * time.Millisecond

// A cache keeps outlines between runs. A nil *cache is one that knows nothing
// and keeps nothing. What goes wrong with it costs time, never an answer: it is
// logged.
type cache struct {
	db  *bbolt.DB
	log *slog.Logger
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
		if err = os.Rename(path, path+".broken"); err == nil { //nolint:forbidigo // the cache is this package's own
			db, err = openBolt(path)
		}
	}
	if err != nil {
		log.Warn("index works without its cache", "path", path, "error", err)
		return nil
	}
	return &cache{db: db, log: log}
}

func openBolt(path string) (*bbolt.DB, error) {
	// NoSync: the cache can be made again, and its pages are checked when read.
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait, NoSync: true})
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		stale := [][]byte{}
		err := tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			if string(name) != cacheFormat {
				stale = append(stale, append([]byte{}, name...))
			}
			return nil
		})
		for _, name := range stale {
			err = errors.Join(err, tx.DeleteBucket(name))
		}
		_, made := tx.CreateBucketIfNotExists([]byte(cacheFormat))
		return errors.Join(err, made)
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// load returns what the cache knows of path, or nil.
func (c *cache) load(path string, lang *language) *file {
	if c == nil {
		return nil
	}
	var f *file
	err := c.db.View(func(tx *bbolt.Tx) error {
		if blob := tx.Bucket([]byte(cacheFormat)).Get([]byte(path)); blob != nil {
			f = decodeFile(path, lang, blob)
		}
		return nil
	})
	if err != nil {
		c.log.Warn("index cache cannot be read", "error", err)
		return nil
	}
	return f
}

func (c *cache) encode(f *file) []byte {
	if c == nil {
		return nil
	}
	return encodeFile(f)
}

// store keeps blobs by path.
func (c *cache) store(blobs map[string][]byte) {
	if c == nil || len(blobs) == 0 {
		return
	}
	err := c.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte(cacheFormat))
		for path, blob := range blobs {
			if err := bucket.Put([]byte(path), blob); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		c.log.Warn("index cache cannot be written", "error", err)
	}
}

// keep drops what is not listed.
func (c *cache) keep(listed map[string]bool) {
	if c == nil {
		return
	}
	var stale [][]byte
	err := c.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(cacheFormat)).ForEach(func(path, _ []byte) error {
			if !listed[string(path)] {
				stale = append(stale, append([]byte{}, path...))
			}
			return nil
		})
	})
	if err == nil && len(stale) > 0 {
		err = c.db.Update(func(tx *bbolt.Tx) error {
			for _, path := range stale {
				if err := tx.Bucket([]byte(cacheFormat)).Delete(path); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		c.log.Warn("index cache cannot be cleaned", "error", err)
	}
}

// size returns the bytes of the cache on disk.
func (c *cache) size() int64 {
	if c == nil {
		return 0
	}
	at, err := os.Stat(c.db.Path())
	if err != nil {
		return 0
	}
	return at.Size()
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
	if err := os.Remove(path); err != nil { //nolint:forbidigo // the cache is this package's own
		return fmt.Errorf("forget the index: %w", err)
	}
	return nil
}

func (c *cache) close() error {
	if c == nil {
		return nil
	}
	return errors.Join(c.db.Sync(), c.db.Close())
}
