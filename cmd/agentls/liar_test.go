package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agentls/agentls/editors/nvimtest"
)

// The texts of the files that Neovim is told to change.
const (
	liedBefore = "mine\none\ntwo\nthree\nfour\nfive\n"
	liedAfter  = "mine\none\nTWO\nthree\nfour\nFIVE\n"
)

// nvimLies are what becomes of a workspace/applyEdit in Neovim: docs are its
// documents, real is Neovim's own handler, and the result is what the server is
// told. The first two change nothing of what Neovim does: they are its own.
var nvimLies = map[string]string{
	"a stale first document":  "newer(docs[1]); return real()",
	"a stale second document": "newer(docs[2]); return real()",
	"behind the last line":    "docs[1].edits[1].range = { start = { line = 99, character = 0 }, ['end'] = { line = 99, character = 0 } }; return real()",
	"nothing":                 "return { applied = true }",
	"nothing, not applied":    "return { applied = false }",
	"half of the documents":   "table.remove(docs); return real()",
	"half, not applied":       "table.remove(docs); real(); return { applied = false }",
	"half of the edits":       "table.remove(docs[1].edits); return real()",
	"all, not applied":        "real(); return { applied = false }",
	"all, late":               "vim.defer_fn(real, 300); return { applied = true }",
	"all, too late":           "vim.defer_fn(real, 2600); return { applied = true }",
	"fails":                   "real(); error('out of order')",
	"closes a document":       "local all = real(); vim.cmd('bdelete! ' .. buffer(docs[1])); return all",
}

// lyingHandler takes the place of Neovim's, once.
const lyingHandler = `
local handler = vim.lsp.handlers['workspace/applyEdit']
vim.lsp.handlers['workspace/applyEdit'] = function(err, params, ...)
	vim.lsp.handlers['workspace/applyEdit'] = handler
	local docs, rest = params.edit.documentChanges, { ... }
	local function real() return handler(err, params, unpack(rest)) end
	local function buffer(doc) return vim.uri_to_bufnr(doc.textDocument.uri) end
	local function newer(doc) doc.textDocument.version = doc.textDocument.version - 1 end
	%s
end`

// TestNeovimLies: whatever Neovim makes of an edit, all files are as before or
// all are as planned, as the answer says, or the error names the one that is
// not; and nothing is lost.
func TestNeovimLies(t *testing.T) {
	found, err := nvimtest.Find()
	if err != nil {
		t.Fatal(err)
	}
	for _, nvim := range found {
		for what, lie := range nvimLies {
			t.Run(filepath.Base(filepath.Dir(filepath.Dir(nvim)))+", "+what, func(t *testing.T) {
				t.Parallel()
				l := lyingNeovim(t, nvim)
				if err := l.e.Lua(fmt.Sprintf(lyingHandler, lie)); err != nil {
					t.Fatal(err)
				}
				l.tell()
			})
		}
	}
}

// A lied is a Neovim with two of the four files open that a proposal changes.
type lied struct {
	t *testing.T
	u *user
	e *nvimtest.Editor
}

func lyingNeovim(t *testing.T, nvim string) *lied {
	t.Helper()
	u := newUser(t, map[string]string{"a": liedBefore, "b": liedBefore, "c": liedBefore, "d": liedBefore})
	var patch strings.Builder
	for _, name := range []string{"a", "b", "c", "d"} {
		patch.WriteString("*** Update File: " + name + "\n@@\n one\n-two\n+TWO\n three\n four\n-five\n+FIVE\n")
	}
	u.model("\n-- turn1.reply --\npatch:\n*** Begin Patch\n" + patch.String() + "*** End Patch\n-- turn2.reply --\nmessage: Done.\n")
	e, err := nvimtest.Start(t.Context(), nvimtest.Options{
		Nvim: nvim, Dir: u.dir, Home: t.TempDir(), Server: []string{os.Args[0], "serve"}, Env: u.env,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	for _, name := range []string{"a", "b"} {
		if err := e.Open(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	at := map[string]int{"line": 0, "character": 0}
	args := map[string]any{"uri": "file://" + u.path("a"), "range": map[string]any{"start": at, "end": at}, "instruction": "do it"}
	if err := e.Command(t.Context(), "agentls.change", args, nil); err != nil {
		t.Fatal(err)
	}
	if _, err = e.WaitEvent(t.Context(), func(ev json.RawMessage) bool { return strings.Contains(string(ev), `"run.done"`) }); err != nil {
		t.Fatal(err)
	}
	return &lied{t, u, e}
}

// tell applies the proposal, and looks at what came of it.
func (l *lied) tell() {
	ctx, cancel := context.WithTimeout(l.t.Context(), 20*time.Second)
	defer cancel()
	told := l.e.Command(ctx, "agentls.changes.apply", map[string]any{}, nil)
	want := liedAfter
	if told != nil {
		want = liedBefore
	}
	var wrong []string
	err := l.e.Eventually(ctx, func() (bool, error) {
		wrong = l.not(want)
		return len(wrong) == 0 || told != nil && l.named(told, wrong) || told == nil && l.partly(), nil
	})
	if err != nil {
		l.t.Errorf("the error is %v, but the files are %q", told, l.texts())
	}
	for name, text := range l.texts() {
		if !strings.Contains(text, "mine\n") {
			l.t.Errorf("the user's text in %s is lost: %q", name, text)
		}
	}
}

// named reports whether an error names each of these files.
func (l *lied) named(err error, names []string) bool {
	for _, name := range names {
		if !strings.Contains(err.Error(), l.u.path(name)) {
			return false
		}
	}
	return true
}

// partly reports whether the journal says that a document was closed unsaved.
func (l *lied) partly() bool {
	var list struct{ Entries []struct{ State string } }
	err := l.e.Command(l.t.Context(), "agentls.changes.list", map[string]any{}, &list)
	return err == nil && len(list.Entries) == 1 && list.Entries[0].State == "partly applied"
}

// not returns the files with another text than want.
func (l *lied) not(want string) (names []string) {
	for name, text := range l.texts() {
		if text != want {
			names = append(names, name)
		}
	}
	return names
}

// texts returns what Neovim shows of the files that are open, and what the disk
// holds of the others.
func (l *lied) texts() map[string]string {
	out := map[string]string{}
	for _, name := range []string{"a", "b", "c", "d"} {
		out[name] = l.u.read(name)
		if lines, err := l.e.Lines(name); err == nil {
			out[name] = strings.Join(lines, "\n") + "\n"
		}
	}
	return out
}
