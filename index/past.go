package index

import (
	"context"
	"maps"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/agentls/agentls/index/lang"
)

// A Past is a state of a tree that is not on disk, such as a commit's: its
// files are held in memory. It is to be used by one goroutine at a time; the
// snapshots it made are like others.
type Past struct {
	root  string
	disk  layers
	files map[string][]byte // by absolute path
}

// NewPast returns an empty state of the tree at root, an absolute path. Nothing
// is read there.
func NewPast(root string) *Past {
	return &Past{root: filepath.Clean(root), disk: layers{base: newBase(nil)}, files: map[string][]byte{}}
}

// Set gives files, by their paths relative to the root with slashes, new
// contents; nil is gone. On cancel nothing is changed, and the error is the
// context's cause.
func (p *Past) Set(ctx context.Context, files map[string][]byte) error {
	changes := make(map[string]*file, len(files))
	var mu sync.Mutex // guards changes
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(defaultWorkers)
	for rel, content := range files {
		group.Go(func() error {
			if gctx.Err() != nil {
				return context.Cause(gctx)
			}
			path := p.path(rel)
			var f *file
			if content != nil {
				f = pastFile(path, content)
			}
			mu.Lock()
			defer mu.Unlock()
			changes[path] = f
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	p.disk = p.disk.with(changes)
	if len(p.disk.delta) > len(p.disk.base.files)/4 { // a ranking knows most of the base
		p.disk = layers{base: newBase(p.disk.all())}
	}
	p.files = maps.Clone(p.files)
	for rel, content := range files {
		if content == nil {
			delete(p.files, p.path(rel))
			continue
		}
		p.files[p.path(rel)] = content
	}
	return nil
}

func (p *Past) path(rel string) string { return filepath.Join(p.root, filepath.FromSlash(rel)) }

// pastFile is newFile as a Scan would make it: packed.
func pastFile(path string, content []byte) *file {
	language := lang.Of(path, "")
	e := entry{path: path, size: int64(len(content))}
	if why := unread(e, language); why != notSkipped {
		return nameOnly(e, language, why).file
	}
	packed, _ := newFile(path, language, content).pack()
	return packed
}

// Snapshot returns the present state.
func (p *Past) Snapshot() *Snapshot {
	s := &Snapshot{version: 1, roots: []string{p.root}, ready: true, disk: p.disk, memo: newMemo()}
	for path, content := range p.files {
		read := &pin{content: content}
		read.read.Do(func() {})
		s.memo.pins.Store(path, read)
	}
	return s
}
