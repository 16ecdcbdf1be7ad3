package index

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settleTime is how long Watch lets events gather: a checkout writes many
// files at once.
const settleTime = 75 * time.Millisecond

// pollTime is how often all folders are looked through where the system
// refuses to watch them.
const pollTime = 10 * time.Second

// Watch follows the folders of the workspace until ctx ends, which is no
// error, and takes in what changes there, as well as what Save, Close and Disk
// modifications name. Folders that are ignored are not watched. Where the
// system refuses to watch, everything is looked through every ten seconds.
func (w *Workspace) Watch(ctx context.Context) error {
	l := &watchLoop{w: w, poll: time.NewTicker(w.pollTime)}
	defer l.poll.Stop()
	l.poll.Stop() // until the system refuses
	notify, err := w.newWatcher()
	if err != nil {
		l.refuse(err)
		notify = &fsnotify.Watcher{} // its channels say nothing
	} else {
		defer notify.Close() //nolint:errcheck // nothing can be done about it
	}
	l.notify = notify
	if err := l.follow(ctx); err != nil && ctx.Err() == nil {
		l.refuse(err)
	}
	l.wake()
	return l.run(ctx)
}

// refuse goes on without notifications.
func (l *watchLoop) refuse(err error) {
	l.w.opts.Log.Warn("folders cannot be watched: they are looked through now and then", "every", l.w.pollTime, "error", err)
	l.polls = true
	l.poll.Reset(l.w.pollTime)
}

// A watchLoop is one Watch.
type watchLoop struct {
	w      *Workspace
	notify *fsnotify.Watcher
	roots  []string // those that are followed
	timer  *time.Timer
	due    bool // the timer runs
	missed bool // events were lost: only a Scan can tell what changed
	poll   *time.Ticker
	polls  bool // the system refuses to watch, and poll runs
}

func (l *watchLoop) run(ctx context.Context) error {
	l.timer = time.NewTimer(settleTime)
	l.due = true
	defer l.timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.w.poke:
			l.wake()
		case event, ok := <-l.notify.Events:
			if !ok {
				return errors.New("watch: the system's notifications ended")
			}
			l.take(ctx, event)
		case err, ok := <-l.notify.Errors:
			if !ok {
				return errors.New("watch: the system's notifications ended")
			}
			l.w.opts.Log.Warn("watching has a gap", "error", err)
			l.missed = l.missed || errors.Is(err, fsnotify.ErrEventOverflow)
			l.wake()
		case <-l.poll.C:
			l.missed = true
			l.wake()
		case <-l.timer.C:
			l.due = false
			l.act(ctx)
		}
	}
}

func (l *watchLoop) wake() {
	if l.timer != nil && !l.due {
		l.timer.Reset(settleTime)
		l.due = true
	}
}

// take sends an event through the funnel. A new folder is followed before it
// is listed, so that nothing falls between.
func (l *watchLoop) take(ctx context.Context, event fsnotify.Event) {
	if event.Op == fsnotify.Chmod {
		return
	}
	if event.Has(fsnotify.Create) {
		if at, err := os.Lstat(event.Name); err == nil && at.IsDir() && filepath.Base(event.Name) != ".git" {
			l.add(ctx, event.Name)
		}
	}
	if err := l.w.Change(Modification{Action: Disk, Path: event.Name}); err != nil {
		l.w.opts.Log.Warn("disk event was refused", "path", event.Name, "error", err)
	}
}

// act reads what has gathered.
func (l *watchLoop) act(ctx context.Context) {
	if err := l.follow(ctx); err != nil && ctx.Err() == nil {
		l.refuse(err)
	}
	var err error
	if l.missed {
		l.missed = false
		_, err = l.w.Scan(ctx, nil)
	} else {
		err = l.w.Refresh(ctx)
	}
	if err != nil && ctx.Err() == nil {
		l.w.opts.Log.Warn("disk changes were not read", "error", err)
	}
}

// follow watches the folders of roots that are new, and no longer those of
// roots that are gone.
func (l *watchLoop) follow(ctx context.Context) error {
	snap := l.w.Snapshot()
	if l.polls || slices.Equal(snap.roots, l.roots) {
		return nil
	}
	for _, dir := range l.notify.WatchList() {
		if _, ok := snap.root(dir); !ok {
			_ = l.notify.Remove(dir) // it may be gone
		}
	}
	var failed error
	for _, root := range snap.roots {
		if !slices.Contains(l.roots, root) {
			failed = errors.Join(failed, l.watch(ctx, root, root))
		}
	}
	l.roots = snap.roots
	return failed
}

// add watches a new folder and those in it.
func (l *watchLoop) add(ctx context.Context, dir string) {
	root, ok := l.w.Snapshot().root(dir)
	if !ok || l.polls {
		return
	}
	if err := l.watch(ctx, root, dir); err != nil && ctx.Err() == nil {
		l.refuse(err)
	}
}

func (l *watchLoop) watch(ctx context.Context, root, dir string) error {
	t, err := openTree(ctx, root)
	if err != nil {
		return err
	}
	if dir != root && t.hasGit {
		if kept, err := t.kept(ctx, []string{dir}); err != nil || len(kept) == 0 {
			return err
		}
	}
	dirs, err := t.folders(ctx, dir)
	for _, d := range dirs {
		if addErr := l.notify.Add(d); addErr != nil && !errors.Is(addErr, os.ErrNotExist) {
			return fmt.Errorf("watch %s: %w", d, addErr) // the system's limit: the rest would fail too
		}
	}
	return err
}
