package edits

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// How long an operation waits for another process to finish its own.
const (
	lockWait = 10 * time.Second
	lockTry  = 250 * time.Millisecond // between looks at the context
)

// preallocated is how many bytes a new database reserves, so that the records
// of a change fit when the disk is full.
const preallocated = 256 << 10

// errDamaged says that the database cannot be read.
var errDamaged = errors.New("the journal is damaged")

// The buckets of the database.
var (
	entriesBucket = []byte("entries") // ID to record
	madeBucket    = []byte("made")    // record.Made to ID
	movedBucket   = []byte("moved")   // record.Moved to ID
	openBucket    = []byte("open")    // ID of each record with an intent
	waitingBucket = []byte("waiting") // path of a document, NUL, ID
)

// A database is the journal while an operation runs. Having it open for
// writing is the lock among processes: an intent found in it has no owner.
type database struct {
	bolt *bbolt.DB
	dir  string
	keep Limits
	now  time.Time // when the operation began
}

func (j *Journal) path() string { return filepath.Join(j.dir, "journal.db") }

// open opens the database for writing, and makes it if there is none. One that
// is damaged is set aside under another name: see Damaged.
func (j *Journal) open(ctx context.Context) (*database, error) {
	for range 2 {
		if err := j.create(); err != nil {
			return nil, fmt.Errorf("make the journal: %w", err)
		}
		was, err := os.Stat(j.path())
		if err != nil {
			return nil, fmt.Errorf("open the journal: %w", err)
		}
		b, err := openBolt(ctx, j.path(), &bbolt.Options{Timeout: lockTry})
		if err == nil {
			return &database{bolt: b, dir: j.dir, keep: j.keep, now: j.now()}, nil
		}
		if !errors.Is(err, errDamaged) {
			return nil, fmt.Errorf("open the journal: %w", err)
		}
		if err := j.setAside(was); err != nil {
			return nil, fmt.Errorf("set the damaged journal aside: %w", err)
		}
	}
	return nil, fmt.Errorf("open the journal: %w", errDamaged)
}

// setAside renames the database, if it is still the one that was found damaged.
func (j *Journal) setAside(was fs.FileInfo) error {
	if stat, err := os.Stat(j.path()); err != nil || !os.SameFile(stat, was) {
		return nil // somebody else did
	}
	return rename(j.path(), fmt.Sprintf("%s%s%d", j.path(), damagedSuffix, j.now().Unix()))
}

// read calls f with the database open for reading; where there is none, it
// or where it is damaged, it does not.
func (j *Journal) read(ctx context.Context, f func(db *database) error) error {
	was, err := os.Stat(j.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	b, err := openBolt(ctx, j.path(), &bbolt.Options{Timeout: lockTry, ReadOnly: true})
	if errors.Is(err, errDamaged) {
		return j.setAside(was)
	}
	if err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	db := &database{bolt: b, dir: j.dir}
	defer db.close()
	return f(db)
}

// create makes an empty database where there is none. It gets its name only
// when it is complete: half of one would be fatal to read.
func (j *Journal) create() error {
	if _, err := os.Stat(j.path()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	made := missingAbove(j.path())
	if err := os.MkdirAll(filepath.Join(j.dir, "contents"), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(j.dir, "journal-*.new")
	if err != nil {
		return err
	}
	defer func() { _ = remove(temp.Name()) }()
	if err := temp.Close(); err != nil {
		return err
	}
	b, err := bbolt.Open(temp.Name(), 0o600, nil)
	if err != nil {
		return err
	}
	err = errors.Join(b.Update(layOut), b.Update(freeReserve), b.Close())
	if err != nil {
		return err
	}
	if err := os.Link(temp.Name(), j.path()); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := renameNew(temp.Name(), j.path()); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	for _, dir := range made {
		if err := syncFolder(filepath.Dir(dir)); err != nil {
			return err
		}
	}
	return syncFolder(j.dir)
}

var reserveBucket = []byte("reserve")

// layOut makes the buckets of a new database, and the reserve.
func layOut(tx *bbolt.Tx) error {
	for _, name := range [][]byte{entriesBucket, madeBucket, movedBucket, openBucket, waitingBucket} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	reserve, err := tx.CreateBucket(reserveBucket)
	if err != nil {
		return err
	}
	return reserve.Put([]byte("pages"), make([]byte, preallocated))
}

// freeReserve leaves the pages of the reserve free, in the file.
func freeReserve(tx *bbolt.Tx) error { return tx.DeleteBucket(reserveBucket) }

// openBolt opens a database and waits for its lock, lockWait at most.
func openBolt(ctx context.Context, path string, options *bbolt.Options) (*bbolt.DB, error) {
	for range lockWait / lockTry {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("wait for its lock: %w", err)
		}
		b, err := tryBolt(path, options)
		if !errors.Is(err, bolterrors.ErrTimeout) {
			return b, err
		}
	}
	return nil, fmt.Errorf("%s is in use by another process for %v: let it finish, or end it, then try again", path, lockWait)
}

// tryBolt opens a database and looks whether it can be read.
func tryBolt(path string, options *bbolt.Options) (b *bbolt.DB, err error) {
	err = guarded(func() error {
		b, err = bbolt.Open(path, 0o600, options)
		return err
	})
	var file *fs.PathError
	var system syscall.Errno
	switch {
	case err == nil:
	case errors.Is(err, bolterrors.ErrTimeout), errors.As(err, &file), errors.As(err, &system):
		return nil, err
	default:
		return nil, errors.Join(errDamaged, err)
	}
	if err := guarded(func() error { return b.View(hasBuckets) }); err != nil {
		return nil, errors.Join(errDamaged, err, b.Close())
	}
	return b, nil
}

func hasBuckets(tx *bbolt.Tx) error {
	for _, name := range [][]byte{entriesBucket, madeBucket, movedBucket, openBucket, waitingBucket} {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("no bucket %s", name)
		}
	}
	return nil
}

// guarded turns a panic in f into an error: that is how bbolt reports pages
// that make no sense, and the system one behind the end of the file.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errDamaged, r)
		}
	}()
	return f()
}

func (d *database) close() { _ = d.bolt.Close() } // all was committed

func (d *database) view(f func(tx *bbolt.Tx) error) error {
	return guarded(func() error { return d.bolt.View(f) })
}

func (d *database) update(f func(tx *bbolt.Tx) error) error {
	if err := fault("commit", d.dir); err != nil {
		return err
	}
	return guarded(func() error { return d.bolt.Update(f) })
}

// load returns the record id, ErrNoEntry if there is none.
func load(tx *bbolt.Tx, id []byte) (*record, error) {
	raw := tx.Bucket(entriesBucket).Get(id)
	if raw == nil {
		return nil, fmt.Errorf("%s: %w", id, ErrNoEntry)
	}
	rec := &record{}
	if err := json.Unmarshal(raw, rec); err != nil {
		return nil, fmt.Errorf("%w: entry %s: %w", errDamaged, id, err)
	}
	return rec, nil
}

func (d *database) record(id string) (rec *record, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		rec, err = load(tx, []byte(id))
		return err
	})
	return rec, err
}

// find returns the record to undo or redo: id, or for "" the one that was last
// changed and has something to.
func (d *database) find(id string, kind stepKind, roots []string) (*record, error) {
	if id != "" {
		rec, err := d.record(id)
		if err == nil && rec.Intent != nil {
			return nil, fmt.Errorf("%q: %w", rec.Title, ErrOpenIntent)
		}
		return rec, err
	}
	var found *record
	err := d.backwards(movedBucket, func(rec *record) bool {
		fits := len(rec.Undone) < rec.Hunks
		if kind == redoing {
			fits = len(rec.Undone) > 0
		}
		if (fits || rec.Intent != nil) && rec.isBelow(roots) {
			found = rec
		}
		return found == nil
	})
	if err == nil && found != nil && found.Intent != nil {
		return nil, fmt.Errorf("%q: %w", found.Title, ErrOpenIntent) // never the one before it in its place
	}
	if err == nil && found == nil {
		err = fmt.Errorf("nothing to %s: %w", kind, ErrNoEntry)
	}
	return found, err
}

// backwards calls visit with the records in an order, the last one first, as
// long as it says yes.
func (d *database) backwards(order []byte, visit func(rec *record) bool) error {
	return d.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(order).Cursor()
		for key, id := c.Last(); key != nil; key, id = c.Prev() {
			rec, err := load(tx, id)
			if err != nil {
				return err
			}
			if !visit(rec) {
				return nil
			}
		}
		return nil
	})
}

// newest returns the records that have a file below roots, limit at most.
func (d *database) newest(limit int, roots []string) ([]*record, error) {
	var out []*record
	if limit <= 0 {
		return nil, nil
	}
	err := d.backwards(madeBucket, func(rec *record) bool {
		if rec.isBelow(roots) {
			out = append(out, rec)
		}
		return len(out) < limit
	})
	return out, err
}

// unfinished returns the records with an intent.
func (d *database) unfinished() ([]*record, error) {
	var out []*record
	err := d.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(openBucket).ForEach(func(id, _ []byte) error {
			rec, err := load(tx, id)
			out = append(out, rec)
			return err
		})
	})
	return out, err
}

// unsaved returns the records that wait for the document at path to be saved.
func (d *database) unsaved(path string) ([]*record, error) {
	var out []*record
	err := d.view(func(tx *bbolt.Tx) error {
		prefix := waitingKey(path, "")
		c := tx.Bucket(waitingBucket).Cursor()
		for key, _ := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = c.Next() {
			rec, err := load(tx, key[len(prefix):])
			if err != nil {
				return err
			}
			out = append(out, rec)
		}
		return nil
	})
	return out, err
}

func waitingKey(path, id string) []byte { return []byte(path + "\x00" + id) }

// checkFree returns ErrOpenIntent if a crash left a path of step half changed.
func (d *database) checkFree(step *ChangeSet) error {
	open, err := d.unfinished()
	if err != nil {
		return err
	}
	for _, rec := range open {
		cut := rec.paths()
		for i := range step.Files {
			f := &step.Files[i]
			if slices.Contains(cut, f.Path) || slices.Contains(cut, f.Target()) {
				return fmt.Errorf("%s: %w: %q", f.Path, ErrOpenIntent, rec.Title)
			}
		}
	}
	return nil
}

// begin brings the intent of t to the disk, contents first: not those of a plan,
// which the contents of the entry say.
func (d *database) begin(rec *record, t *transaction) error {
	if t.planned {
		return d.put(rec)
	}
	if err := d.writeContents(rec.stepName(), t.step); err != nil {
		return err
	}
	return d.put(rec)
}

// finish brings to the disk that the intent of rec is done with, one way or
// the other.
func (d *database) finish(rec *record) error {
	rec.Moved = 0
	if err := d.put(rec); err != nil {
		return err
	}
	_ = remove(d.contents(rec.ID + turnSuffix)) // the next recovery sweeps
	return d.prune()
}

// put brings rec to the disk. A Moved of 0 puts it last.
func (d *database) put(rec *record) error {
	return d.update(func(tx *bbolt.Tx) error {
		if err := forget(tx, rec.ID); err != nil {
			return err
		}
		if err := order(tx, madeBucket, &rec.Made, rec.ID); err != nil {
			return err
		}
		if err := order(tx, movedBucket, &rec.Moved, rec.ID); err != nil {
			return err
		}
		id := []byte(rec.ID)
		if rec.Intent != nil {
			if err := tx.Bucket(openBucket).Put(id, []byte{}); err != nil {
				return err
			}
		}
		for _, doc := range rec.Unsaved {
			if err := tx.Bucket(waitingBucket).Put(waitingKey(doc, rec.ID), []byte{}); err != nil {
				return err
			}
		}
		raw, err := json.Marshal(rec)
		if err != nil {
			return err
		}
		return tx.Bucket(entriesBucket).Put(id, raw)
	})
}

// order notes the place of id in an order: the last one for 0.
func order(tx *bbolt.Tx, bucket []byte, place *uint64, id string) error {
	b := tx.Bucket(bucket)
	if *place == 0 {
		next, err := b.NextSequence()
		if err != nil {
			return err
		}
		*place = next
	}
	return b.Put(binary.BigEndian.AppendUint64(nil, *place), []byte(id))
}

// forget removes the record id and all that names it, if it is there.
func forget(tx *bbolt.Tx, id string) error {
	old, err := load(tx, []byte(id))
	if errors.Is(err, ErrNoEntry) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, doc := range old.Unsaved {
		if err := tx.Bucket(waitingBucket).Delete(waitingKey(doc, id)); err != nil {
			return err
		}
	}
	return errors.Join(
		tx.Bucket(openBucket).Delete([]byte(id)),
		tx.Bucket(madeBucket).Delete(binary.BigEndian.AppendUint64(nil, old.Made)),
		tx.Bucket(movedBucket).Delete(binary.BigEndian.AppendUint64(nil, old.Moved)),
		tx.Bucket(entriesBucket).Delete([]byte(id)),
	)
}

// remove takes rec out, as if it had never been.
func (d *database) remove(rec *record) error {
	if err := d.update(func(tx *bbolt.Tx) error { return forget(tx, rec.ID) }); err != nil {
		return err
	}
	d.removeContents(rec.ID)
	return nil
}
