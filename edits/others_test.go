package edits_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits"
)

// What undo and apply of other tools did to their users' files. Each is a test
// here.

// TestUndoWithoutContents: where what was before cannot be read, undo says so;
// it does not take that for an empty file, and deletes nothing. (Amazon Q,
// aws-toolkit-vscode#7282)
func TestUndoWithoutContents(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"gone":    os.Remove,
		"empty":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"cut off": func(path string) error { return os.Truncate(path, 400) },
	} {
		b := newBench(t, map[string]string{"a": "1\n"})
		entry := b.apply(b.changes("one", map[string]string{"a": "2\n", "b": "new\n"}))
		if err := spoil(filepath.Join(b.state, "contents", entry.ID+".change")); err != nil {
			t.Fatal(err)
		}
		if _, err := b.journal.Undo(t.Context(), b.disk, "", edits.Selection{}); err == nil {
			t.Errorf("%s: undo worked", name)
		}
		b.is(map[string]string{"a": "2\n", "b": "new\n"})
	}
}

// TestUndoKeepsOverlappingEdits: a user's edit of lines that were changed is a
// conflict with both texts, and nothing else is undone. (vscode#261673)
func TestUndoKeepsOverlappingEdits(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n2\n3\n", "b": "b\n"})
	b.apply(b.changes("one", map[string]string{"a": "1\nII\n3\n", "b": "B\n"}))
	mine := map[string]string{"a": "1\nII, or two\n3\n", "b": "B\n"}
	writeTree(t, b.root, mine)
	_, err := b.journal.Undo(t.Context(), b.disk, "", edits.Selection{})
	var conflict *edits.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatal(err)
	}
	if c := conflict.Conflicts[0]; c.Ours != "2\n" || c.Theirs != "II, or two\n" {
		t.Errorf("conflict %+v", c)
	}
	b.is(mine)
}

// TestChangedWhileClosed: a file that changed while no editor ran is merged or
// is a conflict, and never overwritten. (Copilot)
func TestChangedWhileClosed(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n2\n3\n4\n"})
	cs := b.changes("one", map[string]string{"a": "1\n2\n3\nIV\n"})
	proposals := edits.OpenProposals(filepath.Join(b.state, "proposals"))
	if err := proposals.Save(cs); err != nil {
		t.Fatal(err)
	}
	writeTree(t, b.root, map[string]string{"a": "mine\n2\n3\n4\n"})
	kept, err := proposals.Load(cs.ID)
	if err != nil {
		t.Fatal(err)
	}
	b.apply(kept)
	b.is(map[string]string{"a": "mine\n2\n3\nIV\n"})
}

// TestUndoOfACreate removes the file, not only its content, as long as it holds
// nothing of the user's. (vscode#250464)
func TestUndoOfACreate(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n"})
	b.apply(b.changes("one", map[string]string{"d/new": "new\n", "empty": ""}))
	b.undo("", edits.Selection{})
	b.is(map[string]string{"a": "1\n"})
	b.redo()
	mine := map[string]string{"a": "1\n", "d/new": "new\nand mine\n", "empty": ""}
	writeTree(t, b.root, mine)
	var conflict *edits.ConflictError
	if _, err := b.journal.Undo(t.Context(), b.disk, "", edits.Selection{}); !errors.As(err, &conflict) {
		t.Errorf("undo of a file that holds the user's text: %v", err)
	}
	b.is(mine)
}

// TestUndoOfManyLines and files: all of them. (vscode#311213, vscode#276353)
func TestUndoOfManyLines(t *testing.T) {
	before, after := map[string]string{}, map[string]string{}
	for i := range 5 {
		name := fmt.Sprintf("f%d", i)
		before[name] = strings.Repeat("line\n", 40_000)
		after[name] = strings.Repeat("line\nand another\n", 40_000)
	}
	b := newBench(t, before)
	b.apply(b.changes("many", after))
	b.is(after)
	b.undo("", edits.Selection{})
	b.is(before)
}

// TestNothingElseIsTouched: neither .git nor a folder beside the workspace is
// ever opened for it. (Cline#9590, opencode#3176)
func TestNothingElseIsTouched(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n", ".git/HEAD": "ref: x\n", ".git/index": "i"})
	sibling := filepath.Join(filepath.Dir(b.root), "sibling")
	writeTree(t, sibling, map[string]string{"mine": "mine\n"})
	was := readTree(t, filepath.Dir(b.root))
	for range 3 {
		b.apply(b.changes("one", map[string]string{"a": "2\n", "new/b": "b\n"}))
		b.undo("", edits.Selection{})
	}
	if diff := cmp.Diff(was, readTree(t, filepath.Dir(b.root))); diff != "" {
		t.Error(diff)
	}
}

// TestJournalHoldsWhatChanged, and nothing of the files beside it: how large a
// workspace is does not count. (Cline and opencode: 80 GB of snapshots)
func TestJournalHoldsWhatChanged(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n", "large": strings.Repeat("large\n", 1<<20), "build/x": strings.Repeat("x", 1<<20)})
	for range 3 {
		b.apply(b.changes("one", map[string]string{"a": "2\n"}))
		b.undo("", edits.Selection{})
	}
	var size int64
	err := filepath.WalkDir(filepath.Join(b.state, "contents"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		stat, err := d.Info()
		size += stat.Size()
		return err
	})
	if err != nil || size == 0 || size > 4<<10 {
		t.Errorf("the contents of three changes of two bytes have %d bytes, %v", size, err)
	}
}

// TestSecondPartOfAPatch: its lines are counted in what the first part left.
// (avante#1179)
func TestSecondPartOfAPatch(t *testing.T) {
	const before = "a\nb\nc\nd\ne\nb\n"
	got, err := patched(t, update("@@", " a", "+1", "+2", "+3", "@@", " e", "-b", "+B"), files{"/w/f": before})
	if err != nil || got["/w/f"] != "a\n1\n2\n3\nb\nc\nd\ne\nB\n" {
		t.Errorf("%q, %v", got, err)
	}
	cs := changeSet(modify(t, before, got["/w/f"]))
	cs.Files[0].Hunks[0].State = edits.Applied // one after the other, too
	rest, conflicts := rebased(t, cs, files{"/w/f": "a\n1\n2\n3\nb\nc\nd\ne\nb\n"})
	if len(conflicts) > 0 || made(rest, files{})["/w/f"] != got["/w/f"] {
		t.Errorf("%+v, %+v", rest, conflicts)
	}
}
