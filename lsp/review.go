package lsp

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

// redraw is how long the review waits after a keystroke before it moves the
// diagnostics.
const redraw = 200 * time.Millisecond

// A review holds the proposals that wait for the user, and shows their hunks
// as diagnostics.
type review struct {
	server *Server
	kept   sync.Once // done when the proposals of earlier sessions are in open

	mu        sync.Mutex
	open      []*edits.ChangeSet  // oldest first; a value never changes, it is replaced; guarded by mu
	paths     map[string]bool     // files of open; guarded by mu
	published map[string]struct{} // files with diagnostics of ours; guarded by mu
	timer     *time.Timer         // guarded by mu
	closed    bool                // guarded by mu

	drawing sync.Mutex // one publication at a time; held while the client is written to, never with mu
}

func newReview(s *Server) *review {
	return &review{server: s, paths: make(map[string]bool), published: make(map[string]struct{})}
}

// load takes up the proposals that were left from an earlier session, and
// shows them.
func (r *review) load(ctx context.Context) {
	r.kept.Do(r.takeUp)
	r.draw(ctx)
}

// takeUp reads the proposals of earlier sessions. Whoever asks for proposals
// first has it done: a user may be faster than the start.
func (r *review) takeUp() {
	kept, err := r.server.home.Proposals.List()
	if err != nil {
		r.server.Log.Warn("some proposals could not be read", "err", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, cs := range kept {
		if undecided(cs) > 0 {
			r.open = append(r.open, cs)
		}
	}
	r.index()
}

func sameID(id string) func(*edits.ChangeSet) bool {
	return func(cs *edits.ChangeSet) bool { return cs.ID == id }
}

// index notes which files the open proposals are about. mu is held.
func (r *review) index() {
	clear(r.paths)
	for _, cs := range r.open {
		for i := range cs.Files {
			r.paths[cs.Files[i].Path] = true
			r.paths[cs.Files[i].Target()] = true
		}
	}
}

// add keeps cs as a proposal, or replaces the one it is a later state of.
func (r *review) add(ctx context.Context, cs *edits.ChangeSet) error {
	r.kept.Do(r.takeUp) // before cs is kept, or it would be there twice
	if err := r.server.home.Proposals.Save(cs); err != nil {
		return err
	}
	r.mu.Lock()
	at := slices.IndexFunc(r.open, sameID(cs.ID))
	switch {
	case undecided(cs) == 0:
		r.open = slices.DeleteFunc(r.open, sameID(cs.ID))
	case at >= 0:
		r.open[at] = cs // it keeps its age
	default:
		r.open = append(r.open, cs)
	}
	r.index()
	r.mu.Unlock()
	r.draw(ctx)
	counts := cs.Counts()
	r.server.emit(ctx, Event{Kind: ChangesMoved, ChangeSet: cs.ID, Title: cs.Title, Counts: &counts})
	return nil
}

// find returns the proposal with id, or the newest one for "".
func (r *review) find(id string) (*edits.ChangeSet, error) {
	open := r.all()
	if id == "" {
		if len(open) == 0 {
			return nil, badParams("no proposal waits for you")
		}
		return open[len(open)-1], nil
	}
	if i := slices.IndexFunc(open, sameID(id)); i >= 0 {
		return open[i], nil
	}
	cs, err := r.server.home.Proposals.Load(id)
	if err != nil {
		return nil, badParams("no change set %q: %v", id, err)
	}
	return cs, nil
}

// all returns the open proposals, oldest first.
func (r *review) all() []*edits.ChangeSet {
	r.kept.Do(r.takeUp)
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.open)
}

// touched has the diagnostics moved soon, if path is under review. It runs on
// the read loop.
func (r *review) touched(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, shown := r.published[path]
	if !r.paths[path] && !shown || r.timer != nil || r.closed {
		return
	}
	r.timer = time.AfterFunc(redraw, func() {
		r.mu.Lock()
		r.timer = nil
		r.mu.Unlock()
		r.draw(r.server.ctx)
	})
}

func (r *review) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.timer != nil {
		r.timer.Stop()
	}
}

// A placed hunk is a hunk of a proposal where it stands now.
type placed struct {
	set  *edits.ChangeSet // as proposed
	file *edits.FileChange
	hunk *edits.Hunk
	why  string // of a conflict
}

// placeOf returns the undecided hunks of cs where they stand in snap.
func placeOf(ctx context.Context, cs *edits.ChangeSet, snap *index.Snapshot) ([]placed, error) {
	now, conflicts, err := edits.Rebase(ctx, cs, anchored{snap, snap})
	if err != nil {
		return nil, fmt.Errorf("place %s: %w", cs.ID, err)
	}
	var out []placed
	for i := range now.Files {
		file := &now.Files[i]
		for k := range file.Hunks {
			out = append(out, placed{set: cs, file: file, hunk: &file.Hunks[k], why: reasonFor(conflicts, file, file.Hunks[k].ID)})
		}
	}
	return out, nil
}

func reasonFor(conflicts []edits.Conflict, file *edits.FileChange, hunk int) string {
	for _, c := range conflicts {
		if (c.Path == file.Path || c.Path == file.Target()) && (c.Hunk == hunk || c.Hunk == 0) {
			return c.Reason
		}
	}
	return ""
}

// undecided returns how many hunks of cs wait for the user.
func undecided(cs *edits.ChangeSet) int {
	n := cs.Counts()
	return n.Pending + n.InConflict
}

// mark returns cs with state set on the hunks that which names, and saves it.
func (r *review) mark(ctx context.Context, cs *edits.ChangeSet, state edits.State, which func(*edits.FileChange, *edits.Hunk) bool) (*edits.ChangeSet, error) {
	marked := cs.Clone()
	for i := range marked.Files {
		for k := range marked.Files[i].Hunks {
			if which(&marked.Files[i], &marked.Files[i].Hunks[k]) {
				marked.Files[i].Hunks[k].State = state
			}
		}
	}
	return marked, r.add(ctx, marked)
}
