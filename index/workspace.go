// Package index knows the files of a workspace, open buffers over disk, and
// answers what is declared where and used by whom.
//
// Invariant: a Snapshot never changes. Workspace.Change is the only way a
// change comes in, and it publishes by one atomic store.
package index

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
)

// What Change refuses.
var (
	ErrNotOpen      = errors.New("document is not open")
	ErrStaleVersion = errors.New("document version is not above the present one")
)

// Options configure a Workspace. The zero value is an empty workspace without
// a cache.
type Options struct {
	Roots    []string         // absolute folders
	CacheDir string           // where index.db lives; "" keeps everything in memory
	Log      *slog.Logger     // nil discards
	Now      func() time.Time // for Stats.Elapsed; nil leaves it zero
	Workers  int              // parallel parses of a Scan, at most one for each CPU; 0 is two
	Niceness int              // how far the threads of a Scan give way to others, 0 to 19; on Linux
}

// defaultWorkers leave a machine to those who work on it.
const defaultWorkers = 2

// A Workspace is the one mutable store: files on disk below its roots, and the
// documents an editor has open. All methods may be called at the same time.
type Workspace struct {
	opts Options
	snap atomic.Pointer[Snapshot]

	// busy holds one token for whoever reads the disk: Scan or Refresh. It is
	// no mutex, because it spans I/O and a context ends the wait.
	busy    chan struct{}
	cache   *cache // belongs to who holds busy
	segment *base  // what the segment beside the cache holds; nil: nothing of now. As cache

	poke       chan struct{} // wakes Watch when pending grows
	newWatcher func() (*fsnotify.Watcher, error)
	pollTime   time.Duration

	mu      sync.Mutex // guards the below, and the next store to snap
	pending map[string]struct{}
}

// An Action says what happened to a file.
type Action uint8

// The actions of a Modification.
const (
	Open  Action = iota + 1 // an editor shows Text, which now counts in place of the disk
	Edit                    // the open document changed
	Save                    // the open document was written to disk
	Close                   // the disk counts again
	Disk                    // the file or folder came, changed or went on disk; read later, by Watch or Refresh
)

// String returns the word for a, in lower case.
func (a Action) String() string {
	names := [...]string{Open: "open", Edit: "edit", Save: "save", Close: "close", Disk: "disk"}
	if int(a) < len(names) && names[a] != "" {
		return names[a]
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

// A Modification is one event: the vocabulary of everything that changes a
// workspace.
type Modification struct {
	Action   Action
	Path     string // absolute
	Version  int32  // Open and Edit: the document's version after the event
	File     string // Open: the file that Path leads to, below the same root, where a link is in it; else ""
	Language string // Open: an LSP language identifier ("go", "typescriptreact"); "" means by the name of the file

	// Text is the whole content: for Open, for an Edit that replaces
	// everything, and for a Save whose client says what was saved. Nil means
	// absent. It belongs to the workspace from then on.
	Text []byte

	// Edits change an open document, after Text, if there is one, has replaced
	// it. They are sequential: each counts in the result of those before it,
	// as the content changes of one didChange do.
	Edits []text.Edit
}

// New returns a workspace. It reads nothing yet: see Scan.
func New(opts Options) *Workspace {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Workers <= 0 {
		opts.Workers = defaultWorkers
	}
	opts.Workers = min(opts.Workers, runtime.GOMAXPROCS(0))
	w := &Workspace{opts: opts, busy: make(chan struct{}, 1), poke: make(chan struct{}, 1), pending: map[string]struct{}{}, newWatcher: fsnotify.NewWatcher, pollTime: pollTime}
	w.snap.Store(&Snapshot{
		version: 1, roots: cleaned(opts.Roots), disk: layers{base: newBase(nil)}, memo: newMemo(),
	})
	return w
}

func cleaned(roots []string) []string {
	out := make([]string, len(roots))
	for i, root := range roots {
		out[i] = filepath.Clean(root)
	}
	return out
}

// Snapshot returns the present state. It never blocks.
func (w *Workspace) Snapshot() *Snapshot { return w.snap.Load() }

// publish stores a copy of the present snapshot after change has worked on it.
// It must be called with mu held.
func (w *Workspace) publish(change func(next *Snapshot)) {
	next := *w.snap.Load()
	next.version++
	next.memo = newMemo()
	change(&next)
	w.snap.Store(&next)
}

// SetRoots replaces the folders of the workspace. Files below a root that is
// gone are forgotten at once; those of a new one come with the next Scan.
func (w *Workspace) SetRoots(roots []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	roots = cleaned(roots)
	w.publish(func(next *Snapshot) {
		next.ready = next.ready && slices.Equal(next.roots, roots)
		next.roots = roots
		next.disk = layers{base: newBase(next.rooted(next.disk.all()))}
	})
}

// rooted removes from files what lies below no root of s.
func (s *Snapshot) rooted(files map[string]*file) map[string]*file {
	maps.DeleteFunc(files, func(path string, _ *file) bool {
		_, ok := s.root(path)
		return !ok
	})
	return files
}

// Change takes in events, all or none, and publishes one new Snapshot. It does
// no I/O and costs O(open documents). The errors are ErrNotOpen,
// ErrStaleVersion and text.ErrOverlap; the state is then as before.
func (w *Workspace) Change(mods ...Modification) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.snap.Load()
	docs := maps.Clone(now.docs)
	if docs == nil {
		docs = map[string]*document{}
	}
	var touched []string
	for i := range mods {
		mod := &mods[i]
		if err := now.take(docs, mod); err != nil {
			return fmt.Errorf("%s %s, version %d: %w", mod.Action, mod.Path, mod.Version, err)
		}
		if mod.Action == Save || mod.Action == Close || mod.Action == Disk {
			touched = append(touched, filepath.Clean(mod.Path))
		}
	}
	w.publish(func(next *Snapshot) { next.docs, next.led = docs, ledTo(docs) })
	w.touch(touched)
	for path, d := range now.docs {
		if docs[path] == nil || docs[path].follower != d.follower {
			d.follower.close() // older snapshots parse for themselves
		}
	}
	return nil
}

// take makes one modification in docs.
func (s *Snapshot) take(docs map[string]*document, mod *Modification) error {
	d := docs[mod.Path]
	switch mod.Action {
	case Open:
		docs[mod.Path] = s.opened(mod)
		return nil
	case Disk:
		return nil
	case Edit, Save, Close:
		if d == nil {
			return ErrNotOpen
		}
	default:
		return errors.ErrUnsupported
	}
	switch mod.Action {
	case Close:
		delete(docs, mod.Path)
	case Save:
		docs[mod.Path] = d.saved(mod)
	default:
		if mod.Version <= d.Version {
			return fmt.Errorf("%w: %d", ErrStaleVersion, d.Version)
		}
		next, err := d.edited(mod)
		if err != nil {
			return err
		}
		docs[mod.Path] = next
	}
	return nil
}

// opened returns the document that mod opens. Some editors open a document
// with a text that was never saved.
func (s *Snapshot) opened(mod *Modification) *document {
	known := s.disk.file(mod.Path)
	return &document{Document: Document{
		Path: mod.Path, File: mod.File, Version: mod.Version, Language: mod.Language, Text: mod.Text,
		Dirty: known != nil && !known.hash.IsZero() && known.hash != text.HashOf(mod.Text),
	}, follower: &follower{path: mod.Path, lang: lang.Of(mod.Path, mod.Language)}}
}

// touch marks paths for Refresh and wakes Watch. It must be called with mu
// held.
func (w *Workspace) touch(paths []string) {
	if len(paths) == 0 {
		return
	}
	for _, path := range paths {
		w.pending[path] = struct{}{}
	}
	select {
	case w.poke <- struct{}{}:
	default: // it is awake
	}
}

// Close closes the cache, once a running Scan or Refresh has ended. End Watch
// first. Snapshots stay usable.
func (w *Workspace) Close() error {
	w.busy <- struct{}{}
	defer func() { <-w.busy }()
	for _, d := range w.Snapshot().docs {
		d.follower.close()
	}
	w.keepSegment()
	c := w.cache
	w.cache = nil
	if err := c.close(); err != nil {
		return fmt.Errorf("close index cache: %w", err)
	}
	return nil
}
