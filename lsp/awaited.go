package lsp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// patience returns how long the client may take.
func (s *Server) patience() Patience {
	return Patience{Answer: cmp.Or(s.Patience.Answer, 30*time.Second), Show: cmp.Or(s.Patience.Show, 2*time.Second)}
}

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
	until  time.Time     // of one that is late: how long it is taken back
}

type waits []*wait

// wait returns nil once each file was seen as planned. The user may type on at
// once: what counts is that the planned text was there.
func (w waits) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w[0].target.server.patience().Show)
	defer cancel()
	for _, one := range w {
		if err := one.wait(ctx); err != nil {
			return fmt.Errorf("%s: %w", one.file.Path, err)
		}
	}
	return nil
}

// shown reports whether each document had its planned text.
func (w waits) shown() bool {
	return !slices.ContainsFunc(w, func(one *wait) bool { return !one.isSeen() })
}

func (w *wait) isSeen() bool {
	select {
	case <-w.seen:
		return true
	default:
		return false
	}
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
				late = time.NewTimer(w.target.server.patience().Show / 4).C
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

// awaited are the documents whose planned text is waited for, and those that
// it did not come to in time.
type awaited struct {
	mu    sync.Mutex
	waits []*wait // guarded by mu
	late  []*wait // guarded by mu
}

// add begins to wait. An edit of the same document that did not come no longer
// counts.
func (a *awaited) add(w *wait) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waits = append(a.waits, w)
	a.late = slices.DeleteFunc(a.late, func(o *wait) bool { return o.path == w.path })
}

func (a *awaited) forget(w *wait) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waits = slices.DeleteFunc(a.waits, func(o *wait) bool { return o == w })
}

// watch has what was waited for in vain taken back should it come after all.
func (a *awaited) watch(waits waits) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range waits {
		if w.file.Op == edits.Modify && !w.isSeen() {
			w.until = w.target.server.Now().Add(w.target.server.patience().Answer)
			a.late = append(a.late, w)
		}
	}
}

// see looks at a document that just changed. It runs on the read loop and
// costs nothing while nobody waits.
func (a *awaited) see(snap *index.Snapshot, path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waits)+len(a.late) == 0 {
		return
	}
	doc, open := snap.Document(path)
	a.waits = slices.DeleteFunc(a.waits, func(w *wait) bool {
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
	a.late = slices.DeleteFunc(a.late, func(w *wait) bool {
		if w.path != path {
			return false
		}
		if open && text.HashOf(doc.Text) == w.want && w.target.server.Now().Before(w.until) {
			w.target.server.spawn(w.takeBack)
		}
		return true // whatever it holds now: this text was not it, or somebody types on it
	})
}

// takeBack undoes an edit that the client made after it was given up, and all
// else had been taken back: the document holds just what was planned, so that
// nobody's text is lost.
func (w *wait) takeBack(ctx context.Context) {
	made := &edits.ChangeSet{Title: "Take back an edit that came too late", Files: []edits.FileChange{w.file}}
	back, _, err := edits.Rebase(ctx, made.Inverse(), w.target)
	if err == nil {
		err = w.target.applyDocuments(ctx, back)
	}
	message := fmt.Sprintf("agentls: the editor made an edit of %s that had been given up; it was taken back", w.file.Path)
	if err != nil {
		message = fmt.Sprintf("agentls: the editor made an edit of %s that had been given up, and it could not be taken back: %v", w.file.Path, err)
	}
	w.target.server.client.say(ctx, protocol.MessageTypeWarning, message)
}
