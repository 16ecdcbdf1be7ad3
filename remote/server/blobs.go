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
	errBlobLarge = fmt.Errorf("the content is larger than %d MiB", maxBlob>>20)
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
	temp, err := os.CreateTemp(b.dir, "new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) //nolint:errcheck,forbidigo // our own; gone after the renaming
	if err := errors.Join(copyBlob(temp, content, hash), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), b.path(hash)) //nolint:forbidigo // the service's own folder
}

// copyBlob copies content to temp and syncs it, if it is what hash says.
func copyBlob(temp *os.File, content io.Reader, hash text.Hash) error {
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(temp, sum), io.LimitReader(content, maxBlob+1))
	switch {
	case err != nil:
		return fmt.Errorf("keep the upload: %w", err)
	case n > maxBlob:
		return errBlobLarge
	case text.Hash(sum.Sum(nil)) != hash:
		return errBlobHash
	}
	return temp.Sync()
}

// read returns the content of a blob; errNoBlob where there is none.
func (b blobs) read(hash text.Hash) ([]byte, error) {
	content, err := os.ReadFile(b.path(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%v: %w", hash, errNoBlob)
	}
	return content, err
}
