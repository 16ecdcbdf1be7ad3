package lsp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// settle is how long a client has to show the planned text after it said that
// an edit is applied. Neovim reports changes 150 ms late.
const settle = 2 * time.Second

// errUnseen says that a client claimed an edit that its document does not show.
var errUnseen = errors.New("the editor did not make the edit it reported as applied")

// expect begins to watch for the planned state of each file of cs.
func (t *target) expect(cs *edits.ChangeSet) waits {
	var out waits
	for _, f := range cs.Files {
		path := f.Path
		if doc, ok := t.document(path); ok {
			path = doc.Path
		}
		w := &wait{target: t, file: f, path: path, want: text.HashOf(f.After()), seen: make(chan struct{}), moved: make(chan struct{}, 1)}
		t.server.awaited.add(w)
		out = append(out, w)
	}
	return out
}

// A wait is one open document whose planned state is waited for.
type wait struct {
	target *target
	file   edits.FileChange
	path   string // that the document is open by
	want   text.Hash
	seen   chan struct{} // closed when the document had the planned text
	moved  chan struct{} // holds one when the document got another text
}

type waits []*wait

// wait returns nil once each file was seen as planned. The user may type on at
// once: what counts is that the planned text was there.
func (w waits) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	for _, one := range w {
		if err := one.wait(ctx); err != nil {
			return fmt.Errorf("%s: %w", one.file.Path, err)
		}
	}
	return nil
}

func (w waits) forget() {
	for _, one := range w {
		one.target.server.awaited.forget(one)
	}
}

// wait looks at each change of the document, and now and then at the disk,
// where deleted and renamed files are seen. A document that goes on differing
// for half a second after it moved will not come.
func (w *wait) wait(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var late <-chan time.Time
	for {
		select {
		case <-w.seen:
			return nil
		case <-w.moved:
			if late == nil {
				late = time.NewTimer(settle / 4).C
			}
		case <-tick.C:
		case <-late:
			return w.verdict(ctx)
		case <-ctx.Done():
			return w.verdict(context.WithoutCancel(ctx))
		}
		if w.file.Op != edits.Modify && w.gone(ctx) || late != nil && w.there(ctx) {
			return nil
		}
	}
}

// verdict says why the planned text did not come: the user's typing crossed the
// edit, or the client lied.
func (w *wait) verdict(ctx context.Context) error {
	if w.there(ctx) {
		return nil
	}
	if now, err := w.target.ReadFile(ctx, w.file.Path); err == nil && text.HashOf(now) != w.file.Base {
		return edits.ErrStale
	}
	return errUnseen
}

// there reports whether the change is in the document, among later typing: a
// rebase finds nothing left to do.
func (w *wait) there(ctx context.Context) bool {
	one := &edits.ChangeSet{Files: []edits.FileChange{w.file}}
	left, _, err := edits.Rebase(ctx, one, w.target)
	return err == nil && len(left.Files) == 0
}

// gone reports whether the file was deleted, or moved with the planned content.
func (w *wait) gone(ctx context.Context) bool {
	if _, err := w.target.ReadFile(ctx, w.file.Path); err == nil {
		return false
	}
	if w.file.Op == edits.Delete {
		return true
	}
	now, err := w.target.ReadFile(ctx, w.file.To)
	return err == nil && text.HashOf(now) == w.want
}

// awaited are the documents whose planned text is waited for.
type awaited struct {
	mu    sync.Mutex
	waits []*wait // guarded by mu
}

func (a *awaited) add(w *wait) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waits = append(a.waits, w)
}

func (a *awaited) forget(w *wait) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waits = slices.DeleteFunc(a.waits, func(o *wait) bool { return o == w })
}

// see looks at a document that just changed. It runs on the read loop and
// costs nothing while nobody waits.
func (a *awaited) see(snap *index.Snapshot, path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waits = slices.DeleteFunc(a.waits, func(w *wait) bool {
		doc, open := snap.Document(path)
		if w.path != path || !open {
			return false
		}
		if text.HashOf(doc.Text) == w.want {
			close(w.seen)
			return true
		}
		select {
		case w.moved <- struct{}{}:
		default:
		}
		return false
	})
}
