package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	lockWait = 2 * time.Second // for the process before to end
	reserve  = 1 << 20         // bytes a new database holds free, for when the disk is full
)

// ErrInUse is the end of a service whose folder another one works in.
var ErrInUse = errors.New("another service works in this folder")

// openDatabase opens the database at path with these buckets, or makes it.
func openDatabase(ctx context.Context, path string, buckets ...[]byte) (*bbolt.DB, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := createDatabase(path); err != nil {
			return nil, fmt.Errorf("make %s: %w", path, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("open %s: %w", path, ErrInUse)
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error { return makeBuckets(tx, buckets) }); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, errors.Join(err, db.Close()))
	}
	return db, nil
}

func makeBuckets(tx *bbolt.Tx, names [][]byte) error {
	for _, name := range names {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// createDatabase makes a database with free pages in it. It gets its name only
// when it is complete: half of one would be fatal to read.
func createDatabase(path string) error {
	temp, err := os.CreateTemp(filepath.Dir(path), "new-*.db")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) //nolint:errcheck,forbidigo // our own; gone after the renaming
	if err := temp.Close(); err != nil {
		return err
	}
	db, err := bbolt.Open(temp.Name(), 0o600, nil)
	if err != nil {
		return err
	}
	name := []byte("reserve")
	err = errors.Join(
		db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket(name)
			if err != nil {
				return err
			}
			return b.Put(name, make([]byte, reserve))
		}),
		db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket(name) }),
		db.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path) //nolint:forbidigo // the service's own folder
}
