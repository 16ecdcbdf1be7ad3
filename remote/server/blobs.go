package server

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/agentls/agentls/edits/text"
)

const maxBlob = 1 << 30 // bytes

// What can be wrong with a blob.
var (
	errBlobHash  = errors.New("the content is not the one its hash says: it was cut off or damaged on the way")
	errBlobLarge = errors.New("the content is too large")
	errNoBlob    = errors.New("there is no such blob")
)

// blobs keeps what clients upload, each under its hash.
type blobs struct{ dir string }

func (b blobs) path(hash text.Hash) string { return filepath.Join(b.dir, hash.String()) }

// has reports whether the blob is there.
func (b blobs) has(hash text.Hash) bool {
	_, err := os.Stat(b.path(hash))
	return err == nil
}

// put keeps what content reads as hash: whole and synced, or not at all.
func (b blobs) put(hash text.Hash, content io.Reader) error {
	if b.has(hash) {
		return nil
	}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(b.dir, unfinished)
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) //nolint:errcheck,forbidigo // our own; gone after the renaming
	if err := errors.Join(copyBlob(temp, content, hash), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), b.path(hash)) //nolint:forbidigo // the service's own folder
}

// unfinished are the names of uploads under way.
const unfinished = "new-*"

// unfinished returns the paths of uploads that a dead process left.
func (b blobs) unfinished() []string {
	paths, _ := filepath.Glob(filepath.Join(b.dir, unfinished)) // the pattern is well-formed
	return paths
}

// copyBlob copies content to temp and syncs it, if it is what hash says.
func copyBlob(temp *os.File, content io.Reader, hash text.Hash) error {
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(temp, sum), io.LimitReader(content, maxBlob+1))
	switch {
	case err != nil:
		return fmt.Errorf("keep the upload: %w", err)
	case n > maxBlob:
		return fmt.Errorf("%w: %d MiB are allowed", errBlobLarge, maxBlob>>20)
	case text.Hash(sum.Sum(nil)) != hash:
		return errBlobHash
	}
	return temp.Sync()
}

// read returns the content of a blob, which is to be at most limit bytes;
// errNoBlob where there is none.
func (b blobs) read(hash text.Hash, limit int64) ([]byte, error) {
	stat, err := os.Stat(b.path(hash))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%v: %w", hash, errNoBlob)
	case err != nil:
		return nil, err
	case stat.Size() > limit:
		return nil, fmt.Errorf("%v: %w: %d of %d MiB", hash, errBlobLarge, stat.Size()>>20, limit>>20)
	}
	return os.ReadFile(b.path(hash))
}
