package lsp

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/edits"
)

// reopening is how long recovery waits for a client to open again what it had
// open when an apply was cut off.
const reopening = 5 * time.Second

// recover settles what a crash left half applied. It waits for the documents
// that were open then: only they know whether the client made its part.
func (s *Server) recover(ctx context.Context) {
	open, err := s.journal().Open(ctx)
	if err != nil {
		s.Log.Error("journal not readable", "err", err)
		s.client.say(ctx, protocol.MessageTypeError, "agentls: the journal cannot be read, so nothing can be applied or undone: "+err.Error())
		return
	}
	if err := s.journal().Damaged(); err != nil { // seen when it was opened
		s.client.say(ctx, protocol.MessageTypeWarning, "agentls: "+err.Error())
	}
	if len(open) == 0 {
		return
	}
	for _, entry := range open {
		s.awaitDocuments(ctx, entry.Documents)
	}
	recovered, err := s.journal().Recover(ctx, s.target())
	if err != nil {
		s.Log.Error("recovery incomplete", "err", err)
	}
	for _, r := range recovered {
		s.client.say(ctx, protocol.MessageTypeWarning, "agentls: "+describeRecovery(r))
	}
}

func (s *Server) awaitDocuments(ctx context.Context, paths []string) {
	ctx, cancel := context.WithTimeout(ctx, reopening)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for _, path := range paths {
		for !s.target().IsOpen(path) {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}
}

// describeRecovery says what became of a change that was cut off.
func describeRecovery(r edits.Recovery) string {
	said := fmt.Sprintf("%q was cut off, and %s", r.Entry.Title, r.Outcome)
	for _, f := range r.Files {
		said += "; " + f.Path + " was changed since and is left as it is"
	}
	return said
}

// saved tells the journal that a document reached the disk.
func (s *Server) saved(ctx context.Context, path string) {
	for _, name := range namesOf(path) {
		if err := s.journal().Saved(ctx, name); err != nil && ctx.Err() == nil {
			s.Log.Warn("save not noted", "path", name, "err", err)
		}
	}
}

// closedUnsaved tells the journal, and the user, that an applied change was
// closed without being saved.
func (s *Server) closedUnsaved(ctx context.Context, path string) {
	for _, name := range namesOf(path) {
		if err := s.journal().Lost(ctx, name); err != nil && ctx.Err() == nil {
			s.Log.Warn("lost change not noted", "path", name, "err", err)
		}
	}
}

// namesOf returns path and, where that is another one, the file it leads to.
func namesOf(path string) []string {
	if file := resolved(path); file != path {
		return []string{path, file}
	}
	return []string{path}
}

// notes are what the journal is told of documents, in the order of the wire.
type notes struct {
	mu      sync.Mutex
	waiting []func(context.Context) // guarded by mu
	busy    bool                    // guarded by mu
}

// add has note called behind those before it. It runs on the read loop.
func (n *notes) add(s *Server, note func(context.Context)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiting = append(n.waiting, note)
	if !n.busy {
		n.busy = true
		s.spawn(n.drain)
	}
}

func (n *notes) drain(ctx context.Context) {
	for {
		n.mu.Lock()
		if len(n.waiting) == 0 {
			n.busy = false
			n.mu.Unlock()
			return
		}
		next := n.waiting[0]
		n.waiting = n.waiting[1:]
		n.mu.Unlock()
		next(ctx)
	}
}
