package edits

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// damagedSuffix, with the time in seconds behind it, follows the name of a
// database that was set aside.
const damagedSuffix = ".damaged-"

// A DamagedError says that journals could not be read and were set aside. Their
// entries can no longer be undone; what the files were before lies beside them,
// in contents, until Limits.Age has passed.
type DamagedError struct {
	Paths []string // of the databases
}

// Error names the databases.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("the journal was damaged and set aside as %s: what was applied before cannot be undone from here; the contents of then are in %s. Remove the file to end this notice",
		strings.Join(e.Paths, ", "), filepath.Join(filepath.Dir(e.Paths[0]), "contents"))
}

// Damaged returns a *DamagedError where a journal was set aside, for the user
// to be told, and nil where none was.
func (j *Journal) Damaged() error {
	paths, err := filepath.Glob(j.path() + damagedSuffix + "*")
	if err != nil || len(paths) == 0 {
		return err
	}
	return &DamagedError{Paths: paths}
}

// prune removes the oldest entries beyond the limits.
func (d *database) prune() error {
	d.pruneDamaged()
	var old []*record
	err := d.view(func(tx *bbolt.Tx) error {
		left, bytes := tx.Bucket(madeBucket).Stats().KeyN, d.contentsSize()
		c := tx.Bucket(madeBucket).Cursor()
		for key, id := c.First(); key != nil && left > 1; key, id = c.Next() {
			rec, err := load(tx, id)
			if err != nil {
				return err
			}
			if left <= d.keep.Entries && bytes <= d.keep.Bytes && d.now.Sub(rec.Time) <= d.keep.Age {
				return nil // so are all after it
			}
			left--
			if rec.Intent == nil && len(rec.Waiting) == 0 {
				old = append(old, rec)
				bytes -= d.size(rec.ID + changeSuffix)
			}
		}
		return nil
	})
	for _, rec := range old {
		err = errors.Join(err, d.remove(rec))
	}
	return err
}

// contentsSize returns how many bytes all contents have.
func (d *database) contentsSize() (bytes int64) {
	found, err := os.ReadDir(d.contents(""))
	if err != nil {
		return 0 // none
	}
	for _, file := range found {
		bytes += d.size(file.Name())
	}
	return bytes
}

// size returns the bytes of a contents file, 0 if there is none.
func (d *database) size(name string) int64 {
	stat, err := os.Stat(d.contents(name))
	if err != nil {
		return 0
	}
	return stat.Size()
}

// pruneDamaged removes the damaged databases that were set aside long ago, and
// with the last one what nobody but it knew of.
func (d *database) pruneDamaged() {
	paths, err := filepath.Glob(filepath.Join(d.dir, "*"+damagedSuffix+"*"))
	if err != nil || len(paths) == 0 {
		return
	}
	for _, path := range paths {
		_, at, _ := strings.Cut(filepath.Base(path), damagedSuffix)
		seconds, err := strconv.ParseInt(at, 10, 64)
		if err == nil && d.now.Sub(time.Unix(seconds, 0)) > d.keep.Age {
			if err := remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return
			}
		}
	}
	d.sweepContents()
}
