package sandbox

import (
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// diskInterval is how often the free space is looked at, which is one call.
const diskInterval = 50 * time.Millisecond

// clockStep is more than a file's time may be behind: the kernel's clock for
// files goes on in steps.
const clockStep = 20 * time.Millisecond

// A diskWatch says when what was written beneath some folders since a moment
// passes a limit. To count is a walk: it counts at once when the file system as
// a whole got fuller by as much, and otherwise, because others make room
// meanwhile, as often as takes a twentieth of the time.
type diskWatch struct {
	dirs  []string
	limit int64 // bytes, besides those that were there; 0: none
	since time.Time
	now   func() time.Time
}

func newDiskWatch(dirs []string, limit int64, now func() time.Time) *diskWatch {
	return &diskWatch{dirs: dirs, limit: limit, since: now(), now: now}
}

// passOver takes what is there now, and is young enough to count, out of the
// count. It is a walk.
func (d *diskWatch) passOver() {
	if d.limit > 0 {
		d.limit += d.written()
	}
}

// start returns a channel that is closed when the limit is passed, and what
// ends the watch.
func (d *diskWatch) start() (full <-chan struct{}, cancel func()) {
	passed, end := make(chan struct{}), make(chan struct{})
	if d.limit <= 0 || len(d.dirs) == 0 {
		return passed, func() {}
	}
	var watching sync.WaitGroup
	watching.Go(func() { d.watch(passed, end) })
	return passed, func() { close(end); watching.Wait() }
}

func (d *diskWatch) watch(passed chan<- struct{}, end <-chan struct{}) {
	before := free(d.dirs[0])
	tick := time.NewTicker(diskInterval)
	defer tick.Stop()
	wait := 0 // ticks until the next walk
	for {
		select {
		case <-end:
			return
		case <-tick.C:
		}
		if wait--; wait > 0 && before-free(d.dirs[0]) <= d.limit {
			continue
		}
		began := d.now()
		if d.written() > d.limit {
			close(passed)
			return
		}
		wait = 1 + 20*int(d.now().Sub(began)/diskInterval)
	}
}

// free returns the free bytes of the file system that dir is on.
func free(dir string) int64 {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return 0
	}
	return int64(st.Bavail) * st.Bsize
}

// written returns the bytes on the disk of all files that were changed.
func (d *diskWatch) written() int64 {
	var bytes int64
	for _, dir := range d.dirs {
		_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			var st unix.Stat_t
			if err != nil || unix.Lstat(path, &st) != nil {
				return nil //nolint:nilerr // it is gone, or not to be seen: no bytes of it count
			}
			if changed := time.Unix(st.Ctim.Unix()); !changed.Before(d.since.Add(-clockStep)) {
				bytes += st.Blocks * 512 // stat(2): whatever the file system's block is
			}
			return nil
		})
	}
	return bytes
}
