package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
)

// maxRead is the largest file ReadFile returns, in bytes.
const maxRead = 16 << 20

// What ReadFile refuses, beside fs.ErrNotExist.
var (
	ErrTooLarge = errors.New("file is larger than 16 MiB")
	ErrOutside  = errors.New("path is outside the workspace")
)

// A Snapshot is one state of the workspace. It never changes and may be used
// by any number of goroutines, for as long as wanted. All paths are absolute.
type Snapshot struct {
	version uint64
	roots   []string
	ready   bool
	disk    layers
	docs    map[string]*document
	led     map[string]*document // those opened by a link, by what that leads to
	gone    map[string]bool      // what With deleted
	memo    *memo
}

// A memo holds what a snapshot has found out since it was made.
type memo struct {
	pins    *sync.Map // path → *pin: what was read of the disk; shared with what With made of it
	overlay sync.Once
	over    []*file
}

func newMemo() *memo { return &memo{pins: new(sync.Map)} }

// A pin is the content of a closed file as this snapshot first saw it.
type pin struct {
	read    sync.Once
	content []byte
	err     error
	parse   sync.Once
	image   *file
}

// Version numbers the states of one workspace, from 1, upwards.
func (s *Snapshot) Version() uint64 { return s.version }

// Ready reports whether a Scan of the present roots is done.
func (s *Snapshot) Ready() bool { return s.ready }

// Roots returns the folders of the workspace. The slice belongs to s.
func (s *Snapshot) Roots() []string { return s.roots }

// root returns the innermost root that path is or lies below.
func (s *Snapshot) root(path string) (string, bool) {
	best, ok := "", false
	for _, root := range s.roots {
		if below(path, root) && len(root) >= len(best) {
			best, ok = root, true
		}
	}
	return best, ok
}

// below reports whether path is dir or lies in it.
func below(path, dir string) bool {
	rest, ok := strings.CutPrefix(path, dir)
	return ok && (rest == "" || os.IsPathSeparator(rest[0]) || os.IsPathSeparator(dir[len(dir)-1]))
}

// Rel returns path for display: relative to its root, with slashes; behind the
// root's base name where there are several; unchanged outside.
func (s *Snapshot) Rel(path string) string {
	root, ok := s.root(path)
	if !ok {
		return path
	}
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return path
	}
	if len(s.roots) > 1 {
		rel = filepath.Join(filepath.Base(root), rel)
	}
	return filepath.ToSlash(rel)
}

// ReadFile returns the content of path: of the open document, else of the disk,
// which is read once in a snapshot. Ignored files can be read too, if they lie
// below a root, also after links are resolved. The bytes belong to s. The
// errors are fs.ErrNotExist, ErrOutside and ErrTooLarge.
func (s *Snapshot) ReadFile(ctx context.Context, path string) ([]byte, error) {
	if d := s.docs[path]; d != nil {
		return d.Text, nil
	}
	if s.gone[path] {
		return nil, fmt.Errorf("read %s: %w", path, fs.ErrNotExist)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := s.pin(path)
	return p.content, p.err
}

func (s *Snapshot) pin(path string) *pin {
	v, _ := s.memo.pins.LoadOrStore(path, &pin{})
	p := v.(*pin) //nolint:errcheck // it holds nothing else
	p.read.Do(func() { p.content, p.err = s.readDisk(path) })
	return p
}

// readDisk reads a file below a root. (os.Root does not follow links that lead
// outside.)
func (s *Snapshot) readDisk(path string) ([]byte, error) {
	dir, ok := s.root(path)
	if !ok {
		return nil, fmt.Errorf("read %s: %w", path, ErrOutside)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open root: %w", err)
	}
	defer root.Close() //nolint:errcheck // nothing was written
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, ErrOutside)
	}
	content, err := readRegular(root, rel)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return content, nil
}

func readRegular(root *os.Root, rel string) ([]byte, error) {
	at, err := root.Stat(rel)
	switch {
	case err != nil && isEscape(err):
		return nil, ErrOutside
	case err != nil:
		return nil, err
	case !at.Mode().IsRegular(): // opening a pipe would wait for its writer
		return nil, fmt.Errorf("not a regular file: %w", fs.ErrInvalid)
	case at.Size() > maxRead:
		return nil, ErrTooLarge
	}
	f, err := root.Open(rel)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	content, err := io.ReadAll(io.LimitReader(f, maxRead+1))
	if err == nil && len(content) > maxRead {
		return nil, ErrTooLarge
	}
	return content, err
}

// isEscape reports whether a Root refused err for leading outside. (The os
// package does not export that error.)
func isEscape(err error) bool { return strings.Contains(err.Error(), "path escapes from parent") }

// Document returns the open document at path.
func (s *Snapshot) Document(path string) (Document, bool) {
	d, ok := s.docs[path]
	if !ok {
		return Document{}, false
	}
	return d.Document, true
}

// Documents returns the open documents, by path.
func (s *Snapshot) Documents() []Document {
	docs := make([]Document, 0, len(s.docs))
	for _, d := range s.docs {
		docs = append(docs, d.Document)
	}
	slices.SortFunc(docs, func(a, b Document) int { return strings.Compare(a.Path, b.Path) })
	return docs
}

// Hash returns the hash of the content that was indexed for path, or that is
// open, and whether path is known with its content.
func (s *Snapshot) Hash(path string) (text.Hash, bool) {
	if d := s.docs[path]; d != nil {
		return d.file().hash, true
	}
	f := s.disk.file(path)
	if f == nil {
		return text.Hash{}, false
	}
	return f.hash, !f.hash.IsZero()
}

// Files yields the paths of all indexed files and open documents, in order.
func (s *Snapshot) Files() iter.Seq[string] { return s.filesFrom("") }

// filesFrom is Files from a path on.
func (s *Snapshot) filesFrom(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		over := slices.DeleteFunc(s.overlaid(), func(p string) bool { return p < path })
		i, _ := s.disk.base.search(path)
		for _, f := range s.disk.base.files[i:] {
			for len(over) > 0 && over[0] < f.path {
				if !yield(over[0]) {
					return
				}
				over = over[1:]
			}
			if !s.covered(f.path) && !yield(f.path) {
				return
			}
		}
		for _, p := range over {
			if !yield(p) {
				return
			}
		}
	}
}

// overlaid returns the paths that lie over the base and exist, in order.
func (s *Snapshot) overlaid() []string {
	paths := slices.Collect(maps.Keys(s.docs))
	for path, f := range s.disk.delta {
		if f != nil && !s.isOpen(path) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// Has reports whether path is an indexed file or an open document.
func (s *Snapshot) Has(path string) bool { return s.docs[path] != nil || s.disk.file(path) != nil }

// An Entry is a file or folder below another.
type Entry struct {
	Name string
	Path string // absolute
	Dir  bool
	Size int64 // bytes; of a folder 0
}

// List returns the files and folders directly in dir, by name, folders first.
// A folder is there if it holds an indexed file or an open document.
func (s *Snapshot) List(dir string) []Entry {
	prefix := strings.TrimSuffix(filepath.Clean(dir), string(filepath.Separator)) + string(filepath.Separator)
	var entries []Entry
	last := ""
	for path := range s.filesFrom(prefix) {
		rest, ok := strings.CutPrefix(path, prefix)
		if !ok {
			break
		}
		name, _, isDir := strings.Cut(rest, string(filepath.Separator))
		if isDir && name == last {
			continue
		}
		e := Entry{Name: name, Path: prefix + name, Dir: isDir}
		if isDir {
			last = name
		} else {
			e.Size = s.size(path)
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a.Name, b.Name))
	})
	return slices.CompactFunc(entries, func(a, b Entry) bool { return a == b })
}

func rank(e Entry) int {
	if e.Dir {
		return 0
	}
	return 1
}

func (s *Snapshot) size(path string) int64 {
	if d := s.docs[path]; d != nil {
		return int64(len(d.Text))
	}
	return s.disk.file(path).size
}

// file returns what is known of path, true to what ReadFile answers: where the
// disk has moved on since it was indexed, the content that was read is parsed.
func (s *Snapshot) file(ctx context.Context, path string) (*file, error) {
	if d := s.docs[path]; d != nil {
		return d.file(), nil
	}
	content, err := s.ReadFile(ctx, path)
	if err != nil {
		return nil, err
	}
	p := s.pin(path)
	p.parse.Do(func() {
		known := s.disk.file(path)
		if known != nil && known.hash == text.HashOf(content) {
			p.image = known
			return
		}
		p.image = newFile(path, lang.Of(path, ""), content)
	})
	return p.image, nil
}
