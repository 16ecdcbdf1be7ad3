//go:build unix

package edits_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits"
)

// TestModeOnly: a change of the mode alone has a hunk of its own, and goes the
// way of all others.
func TestModeOnly(t *testing.T) {
	b := newBench(t, map[string]string{"run": "1\n2\n", "other": "o\n"})
	f := must(t)(edits.NewModeChange(b.path("run"), []byte("1\n2\n"), 0o644, 0o755))
	cs := changeSet(f)
	if err := cs.Check(); err != nil {
		t.Fatal(err)
	}
	if got := cs.Unified(func(string) string { return "run" }); got != "diff --git a/run b/run\nold mode 100644\nnew mode 100755\n" {
		t.Errorf("as a diff: %q", got)
	}
	writeTree(t, b.root, map[string]string{"run": "0\n1\n2\n"}) // a rebase goes along, and does not collide
	entry := b.apply(cs)
	b.mode("run", 0o755)
	b.is(map[string]string{"run": "0\n1\n2\n", "other": "o\n"})
	if entry.Change.Counts().Applied != 1 {
		t.Errorf("counts %+v", entry.Change.Counts())
	}
	b.undo("", edits.Selection{})
	b.mode("run", 0o644)
	b.redo()
	b.mode("run", 0o755)

	if _, err := edits.NewModeChange(b.path("run"), nil, 0o755, 0o755); !errors.Is(err, edits.ErrNoChange) {
		t.Errorf("the same mode: %v", err)
	}
	f.Mode = 0
	if err := changeSet(f).Check(); err == nil {
		t.Error("a hunk that changes nothing was accepted")
	}
}

// TestModeRecovers: a crash behind the content and before the mode.
func TestModeRecovers(t *testing.T) {
	b := newBench(t, map[string]string{"run": "1\n"})
	cs := changeSet(must(t)(edits.NewModeChange(b.path("run"), []byte("1\n"), 0o644, 0o755)))
	off := edits.Fault(func(op, _ string) error {
		if op == "mode" {
			return errors.New("broken")
		}
		return nil
	})
	_, err := b.journal.Apply(t.Context(), b.disk, cs)
	off()
	if err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("%v", err)
	}
	b.mode("run", 0o644)
	if _, err := b.journal.Recover(t.Context(), b.disk); err != nil {
		t.Fatal(err)
	}
	b.mode("run", 0o644)
	b.apply(cs)
	b.mode("run", 0o755)
}

func TestModesAreKept(t *testing.T) {
	modes := map[string]fs.FileMode{
		"setuid": 0o755 | fs.ModeSetuid, "setgid": 0o755 | fs.ModeSetgid, "sticky": 0o755 | fs.ModeSticky, "locked": 0o444, "twin": 0o4755&0o777 | fs.ModeSetuid,
	}
	b := newBench(t, map[string]string{"setuid": "1\n", "setgid": "1\n", "sticky": "1\n", "locked": "1\n", "twin": "1\n", "gone": "1\n"})
	modes["gone"] = 0o700 | fs.ModeSetgid
	if err := os.Link(b.path("twin"), b.path("twin2")); err != nil {
		t.Fatal(err)
	}
	for name, mode := range modes {
		if err := os.Chmod(b.path(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{"gone": gone}
	for name := range modes {
		if name != "gone" {
			want[name] = "2\n"
		}
	}
	b.apply(b.changes("all", want))
	for name, mode := range modes {
		if name != "gone" {
			b.wholeMode(name, mode)
		}
	}
	b.undo("", edits.Selection{})
	for name, mode := range modes {
		b.wholeMode(name, mode)
	}
	b.apply(changeSet(must(t)(edits.NewModeChange(b.path("setuid"), []byte("1\n"), 0o755, 0o700))))
	b.wholeMode("setuid", 0o700|fs.ModeSetuid)
}

func (b *bench) wholeMode(name string, want fs.FileMode) {
	b.t.Helper()
	stat, err := os.Stat(b.path(name))
	if err != nil {
		b.t.Fatal(err)
	}
	if stat.Mode() != want {
		b.t.Errorf("%s has mode %v, want %v", name, stat.Mode(), want)
	}
}

// TestFileForFolder: a file takes the place of a folder, and the other way
// round, and all comes back; also after a failure at any point.
func TestFileForFolder(t *testing.T) {
	for name, c := range map[string]struct{ before, change, after map[string]string }{
		"file for folder": {
			before: map[string]string{"d/a": "a\n", "d/e/b": "b\n", "o": "o\n"},
			change: map[string]string{"d/a": gone, "d/e/b": gone, "d": "now a file\n", "o": "O\n"},
			after:  map[string]string{"d": "now a file\n", "o": "O\n"},
		},
		"folder for file": {
			before: map[string]string{"d": "a file\n", "o": "o\n"},
			change: map[string]string{"d": gone, "d/a": "a\n", "d/e/b": "b\n", "o": "O\n"},
			after:  map[string]string{"d/a": "a\n", "d/e/b": "b\n", "o": "O\n"},
		},
		"renamed into its own folder": {
			before: map[string]string{"d": "a file\n"},
			change: map[string]string{"d -> d/d": "a file\nof more\n"},
			after:  map[string]string{"d/d": "a file\nof more\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, c.before)
			cs := b.changes("swap", c.change)
			b.apply(cs)
			b.is(c.after)
			b.undo("", edits.Selection{})
			b.is(c.before)
			b.redo()
			b.is(c.after)
			b.undo("", edits.Selection{})
			for at := 0; ; at++ {
				left := at
				off := edits.Fault(func(string, string) error {
					if left--; left < 0 {
						return errors.New("broken from here on")
					}
					return nil
				})
				_, err := b.journal.Redo(t.Context(), b.disk, "", edits.Selection{})
				off()
				if err == nil {
					break
				}
				b.journal = openJournal(b.state)
				if _, err := b.journal.Recover(t.Context(), b.disk); err != nil {
					t.Fatalf("at %d: %v", at, err)
				}
				if tree := readTree(t, b.root); !cmp.Equal(tree, c.before) && !cmp.Equal(tree, c.after) {
					t.Fatalf("at %d: %s", at, cmp.Diff(c.before, tree))
				}
				if entries, err := b.journal.Entries(t.Context(), 1); err == nil && entries[0].State == edits.EntryApplied {
					b.undo("", edits.Selection{})
				}
			}
			b.is(c.after)
		})
	}
}

// TestFolderIsInTheWay: a folder that holds more than what goes is not touched.
func TestFolderIsInTheWay(t *testing.T) {
	before := map[string]string{"d/a": "a\n", "d/mine": "mine\n", "f": "f\n"}
	for _, change := range []map[string]string{{"d/a": gone, "d": "a file\n"}, {"d": "a file\n"}, {"f/g": "g\n", "d/a": "A\n"}} {
		b := newBench(t, before)
		cs := b.changes("swap", change)
		_, err := b.journal.Apply(t.Context(), b.disk, cs)
		if !errors.Is(err, edits.ErrStale) || !strings.Contains(err.Error(), "in the way") {
			t.Errorf("%v: %v", change, err)
		}
		b.is(before)
		b.entries(0)
	}
}

// TestNewFoldersAreSynced: with the folders that got their names.
func TestNewFoldersAreSynced(t *testing.T) {
	b := newBench(t, nil)
	synced := map[string]bool{}
	off := edits.Fault(func(op, path string) error {
		if rel, err := filepath.Rel(b.root, path); op == "sync folder" && err == nil && filepath.IsLocal(rel) {
			synced[rel] = true
		}
		return nil
	})
	b.apply(b.changes("new", map[string]string{"d/e/f": "f\n"}))
	off()
	if diff := cmp.Diff(map[string]bool{".": true, "d": true, "d/e": true}, synced); diff != "" {
		t.Error(diff)
	}
}

// TestTwoNamesOfOneFile: a change of a file by two hard links is refused
// before anything is done.
func TestTwoNamesOfOneFile(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n", "z": "z\n"})
	if err := os.Link(b.path("a"), b.path("b")); err != nil {
		t.Fatal(err)
	}
	cs := b.changes("both", map[string]string{"a": "2\n", "b": "3\n", "z": "Z\n"})
	if _, err := b.journal.Apply(t.Context(), b.disk, cs); err == nil || !strings.Contains(err.Error(), "two names") {
		t.Errorf("%v", err)
	}
	b.is(map[string]string{"a": "1\n", "b": "1\n", "z": "z\n"})
}

// TestNamesThatDifferInCase: where the file system tells them apart, so do we.
func TestNamesThatDifferInCase(t *testing.T) {
	b := newBench(t, map[string]string{"readme": "small\n", "README": "large\n"})
	b.apply(b.changes("both", map[string]string{"readme": "smaller\n", "README": "LARGER\n", "ReadMe": "new\n"}))
	b.is(map[string]string{"readme": "smaller\n", "README": "LARGER\n", "ReadMe": "new\n"})
	b.undo("", edits.Selection{})
	b.is(map[string]string{"readme": "small\n", "README": "large\n"})
}
