package index

import (
	"errors"
	"io/fs"
	"time"

	"github.com/fsnotify/fsnotify"
)

// RefuseWatching makes Watch find a system that does not let it watch.
func (w *Workspace) RefuseWatching() {
	w.newWatcher = func() (*fsnotify.Watcher, error) { return nil, errors.New("no watches left") }
	w.pollTime = 5 * time.Millisecond
}

// OutlineOf returns the outline of an open document by the road that
// references take: from the whole tree.
func (s *Snapshot) OutlineOf(path string) ([]Symbol, error) {
	d := s.docs[path]
	if d == nil {
		return nil, fs.ErrNotExist
	}
	return d.file().symbols(), nil
}

// ShareSearches has searches share their names among goroutines from so many on,
// until the returned function is called.
func ShareSearches(names int) (undo func()) {
	was := searchShare
	searchShare = names
	return func() { searchShare = was }
}
