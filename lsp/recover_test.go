package lsp

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamagedJournalIsSaid: the user hears at the start that what was applied
// before cannot be undone.
func TestDamagedJournalIsSaid(t *testing.T) {
	w := mathWorld(t)
	path := filepath.Join(w.state, "journal", "journal.db")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := w.start(t)
	e.await("the notice", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return strings.Contains(strings.Join(e.messages, "\n"), "agentls: the journal was damaged and set aside as "+path)
	})
}
