package edits_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits"
)

// A bench is a folder of files and a journal for it.
type bench struct {
	t       testing.TB
	root    string // the files
	state   string // the journal
	journal *edits.Journal
	disk    edits.Target
}

func newBench(tb testing.TB, files map[string]string) *bench {
	tb.Helper()
	b := &bench{t: tb, root: filepath.Join(tb.TempDir(), "tree"), state: filepath.Join(tb.TempDir(), "state"), disk: edits.NewDirectory()}
	if err := os.Mkdir(b.root, 0o755); err != nil {
		tb.Fatal(err)
	}
	writeTree(tb, b.root, files)
	b.journal = openJournal(b.state)
	return b
}

func openJournal(dir string) *edits.Journal {
	n := 0
	now := func() time.Time { return time.Unix(1_700_000_000, 0).UTC() }
	return edits.OpenJournal(dir, now, func() string {
		n++
		found, _ := os.ReadDir(filepath.Join(dir, "contents"))
		return fmt.Sprintf("e%d-%d", len(found), n)
	})
}

func (b *bench) path(name string) string { return filepath.Join(b.root, filepath.FromSlash(name)) }

// changes returns the change set that leads from the files there now to want:
// by name, as writeTree takes them. Names "a -> b" are renamings.
func (b *bench) changes(title string, want map[string]string) *edits.ChangeSet {
	b.t.Helper()
	cs := &edits.ChangeSet{ID: "p-" + title, Title: title}
	now := readTree(b.t, b.root)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		from, to, renamed := strings.Cut(name, " -> ")
		before, exists := now[from]
		var f edits.FileChange
		var err error
		switch {
		case renamed:
			f, err = edits.NewRename(b.path(from), b.path(to), []byte(before), []byte(want[name]))
		case want[name] == gone:
			f, err = edits.NewDelete(b.path(from), []byte(before))
		case exists:
			f, err = edits.NewModify(b.path(from), []byte(before), []byte(want[name]))
		default:
			f, err = edits.NewCreate(b.path(from), []byte(want[name]), 0)
		}
		if err != nil {
			b.t.Fatal(err)
		}
		cs.Files = append(cs.Files, f)
	}
	return cs
}

// gone is the content of a file that is to be deleted.
const gone = "\x00gone"

// is compares the tree with want.
func (b *bench) is(want map[string]string) {
	b.t.Helper()
	if diff := cmp.Diff(want, readTree(b.t, b.root)); diff != "" {
		b.t.Error(diff)
	}
}

func (b *bench) apply(cs *edits.ChangeSet) *edits.Entry {
	b.t.Helper()
	entry, err := b.journal.Apply(b.t.Context(), b.disk, cs)
	if err != nil {
		b.t.Fatal(err)
	}
	return entry
}

func (b *bench) undo(id string, which edits.Selection) *edits.Entry {
	b.t.Helper()
	entry, err := b.journal.Undo(b.t.Context(), b.disk, id, which)
	if err != nil {
		b.t.Fatal(err)
	}
	return entry
}

func (b *bench) redo() *edits.Entry {
	b.t.Helper()
	entry, err := b.journal.Redo(b.t.Context(), b.disk, "", edits.Selection{})
	if err != nil {
		b.t.Fatal(err)
	}
	return entry
}

// everything is a tree and a change of every kind.
func everything() (before, change, after map[string]string) {
	before = map[string]string{
		"a": "1\n2\n3\n4\n5\n", "crlf": "1\r\n2\r\n3", "old": "old\n", "sub/moved": "m1\nm2\nm3\n", "empty": "", "other": "other\n",
	}
	change = map[string]string{
		"a": "I\n2\n3\n4\nV\n", "crlf": "1\r\n2\r\nIII", "old": gone, "new/deep/er": "new\n", "void": "",
		"sub/moved -> sub2/there": "m1\nm2\nM3\n", "empty": "no more",
	}
	after = map[string]string{
		"a": "I\n2\n3\n4\nV\n", "crlf": "1\r\n2\r\nIII", "new/deep/er": "new\n", "void": "",
		"sub2/there": "m1\nm2\nM3\n", "sub/": "", "empty": "no more", "other": "other\n",
	}
	return before, change, after
}

func TestApplyUndoRedo(t *testing.T) {
	before, change, after := everything()
	b := newBench(t, before)
	for _, name := range []string{"a", "old", "sub/moved"} {
		if err := os.Chmod(b.path(name), 0o754); err != nil {
			t.Fatal(err)
		}
	}
	entry := b.apply(b.changes("all", change))
	b.is(after)
	b.mode("a", 0o754)
	b.mode("sub2/there", 0o754)
	if entry.State != edits.EntryApplied || entry.Title != "all" || entry.ChangeSet != "p-all" || entry.Change.Counts().Applied != 9 {
		t.Errorf("entry %+v", entry)
	}
	for range 2 {
		if entry = b.undo("", edits.Selection{}); entry.State != edits.EntryUndone {
			t.Errorf("undone, the entry is %s", entry.State)
		}
		b.is(before)
		for _, name := range []string{"a", "old", "sub/moved"} {
			b.mode(name, 0o754)
		}
		if entry = b.redo(); entry.State != edits.EntryApplied {
			t.Errorf("redone, the entry is %s", entry.State)
		}
		b.is(after)
	}
}

func (b *bench) mode(name string, want fs.FileMode) {
	b.t.Helper()
	stat, err := os.Stat(b.path(name))
	if err != nil {
		b.t.Fatal(err)
	}
	if stat.Mode().Perm() != want {
		b.t.Errorf("%s has mode %o, want %o", name, stat.Mode().Perm(), want)
	}
}

func TestUndoKeepsLaterEdits(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n2\n3\n4\n5\n", "m": "1\n2\n3\n"})
	b.apply(b.changes("numbers", map[string]string{"a": "I\n2\n3\n4\nV\n", "m -> n": "1\n2\nIII\n", "c": "c\n"}))
	writeTree(t, b.root, map[string]string{"a": "I\n2\n3, mine\n4\nV\n", "n": "mine\n1\n2\nIII\n"})
	b.undo("", edits.Selection{})
	b.is(map[string]string{"a": "1\n2\n3, mine\n4\n5\n", "m": "mine\n1\n2\n3\n"})
	b.redo()
	b.is(map[string]string{"a": "I\n2\n3, mine\n4\nV\n", "n": "mine\n1\n2\nIII\n", "c": "c\n"})
}

func TestUndoByHunk(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n2\n3\n", "m": "1\n2\n3\n"})
	cs := b.changes("numbers", map[string]string{"a": "I\n2\nIII\n", "m -> n": "I\n2\nIII\n"})
	entry := b.apply(cs)
	id := entry.ID
	entry = b.undo(id, edits.Selection{Path: b.path("a"), Hunk: 1})
	b.is(map[string]string{"a": "1\n2\nIII\n", "n": "I\n2\nIII\n"})
	if entry.State != edits.EntryPartlyApplied || entry.Change.Counts().Undone != 1 {
		t.Errorf("entry %+v", entry)
	}
	b.undo(id, edits.Selection{Path: b.path("n"), Hunk: 3}) // a hunk, not the renaming
	b.is(map[string]string{"a": "1\n2\nIII\n", "n": "I\n2\n3\n"})
	b.undo(id, edits.Selection{Path: b.path("m"), Hunk: 1}) // the renaming, not the hunk
	b.is(map[string]string{"a": "1\n2\nIII\n", "m": "I\n2\n3\n"})
	b.undo("", edits.Selection{Path: b.path("a")})
	b.is(map[string]string{"a": "1\n2\n3\n", "m": "I\n2\n3\n"})
	for _, again := range []struct {
		part edits.Selection
		want map[string]string
	}{
		{edits.Selection{Path: b.path("a"), Hunk: 2}, map[string]string{"a": "1\n2\nIII\n", "m": "I\n2\n3\n"}},
		{edits.Selection{Path: b.path("m"), Hunk: 3}, map[string]string{"a": "1\n2\nIII\n", "m": "I\n2\nIII\n"}},
		{edits.Selection{Path: b.path("n")}, map[string]string{"a": "1\n2\nIII\n", "n": "I\n2\nIII\n"}},
		{edits.Selection{}, map[string]string{"a": "I\n2\nIII\n", "n": "I\n2\nIII\n"}},
	} {
		if _, err := b.journal.Redo(t.Context(), b.disk, id, again.part); err != nil {
			t.Fatal(again.part, err)
		}
		b.is(again.want)
	}
	if _, err := b.journal.Redo(t.Context(), b.disk, id, edits.Selection{Path: b.path("a")}); !errors.Is(err, edits.ErrNoChange) {
		t.Errorf("made again twice: %v", err)
	}
	b.undo(id, edits.Selection{})
	b.is(map[string]string{"a": "1\n2\n3\n", "m": "1\n2\n3\n"})
	if _, err := b.journal.Undo(t.Context(), b.disk, id, edits.Selection{}); !errors.Is(err, edits.ErrNoChange) {
		t.Errorf("undone twice: %v", err)
	}
}

func TestUndoOrder(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n"})
	first := b.apply(b.changes("one", map[string]string{"a": "2\n"}))
	second := b.apply(b.changes("two", map[string]string{"a": "3\n"}))
	var conflict *edits.ConflictError
	if _, err := b.journal.Undo(t.Context(), b.disk, first.ID, edits.Selection{}); !errors.As(err, &conflict) {
		t.Errorf("undo below a later change: %v", err)
	}
	b.is(map[string]string{"a": "3\n"})
	var got []string
	for _, step := range []*edits.Entry{b.undo("", edits.Selection{}), b.undo("", edits.Selection{}), b.redo(), b.redo()} {
		got = append(got, step.Title)
	}
	if diff := cmp.Diff([]string{"two", "one", "one", "two"}, got); diff != "" {
		t.Error(diff)
	}
	b.is(map[string]string{"a": "3\n"})
	entries, err := b.journal.Entries(t.Context(), 10)
	if err != nil || len(entries) != 2 || entries[0].ID != second.ID || entries[1].ID != first.ID {
		t.Errorf("entries %+v, %v", entries, err)
	}
	if entries, err = b.journal.Entries(t.Context(), 1); err != nil || len(entries) != 1 {
		t.Errorf("entries %+v, %v, want one", entries, err)
	}
}

func TestJournalRefuses(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n2\n", "b": "b\n"})
	cs := b.changes("mine", map[string]string{"a": "I\n2\n", "b": "B\n"})
	writeTree(t, b.root, map[string]string{"a": "one\n2\n"})

	_, err := b.journal.Apply(t.Context(), b.disk, cs)
	var conflict *edits.ConflictError
	if !errors.As(err, &conflict) || len(conflict.Conflicts) != 1 || conflict.Conflicts[0].Path != b.path("a") {
		t.Errorf("%v", err)
	}
	b.is(map[string]string{"a": "one\n2\n", "b": "b\n"})

	writeTree(t, b.root, map[string]string{"a": "I\n2\n", "b": "B\n"})
	if _, err := b.journal.Apply(t.Context(), b.disk, cs); !errors.Is(err, edits.ErrNoChange) {
		t.Errorf("all there already: %v", err)
	}
	for name, err := range map[string]error{
		"undo": second(b.journal.Undo(t.Context(), b.disk, "", edits.Selection{})),
		"redo": second(b.journal.Redo(t.Context(), b.disk, "", edits.Selection{})),
		"id":   second(b.journal.Undo(t.Context(), b.disk, "nobody", edits.Selection{})),
		"show": second(b.journal.Entry(t.Context(), "nobody")),
	} {
		if !errors.Is(err, edits.ErrNoEntry) {
			t.Errorf("%s: %v, want ErrNoEntry", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.journal.Apply(ctx, b.disk, cs); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func second(_ *edits.Entry, err error) error { return err }

func TestEntry(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n2\n"})
	if entries, err := b.journal.Entries(t.Context(), 9); err != nil || len(entries) > 0 {
		t.Errorf("without a journal: %v, %v", entries, err)
	}
	applied := b.apply(b.changes("one", map[string]string{"a": "1\n", "b": "x\ny\n"}))
	again := openJournal(b.state)
	got, err := again.Entry(t.Context(), applied.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(applied, got); diff != "" {
		t.Error(diff)
	}
	want := []edits.EntryFile{
		{Op: edits.Modify, Path: b.path("a"), Removed: 1}, {Op: edits.Create, Path: b.path("b"), Added: 2},
	}
	if diff := cmp.Diff(want, got.Files); diff != "" {
		t.Error(diff)
	}
	if open, err := again.Open(t.Context()); err != nil || len(open) > 0 {
		t.Errorf("open: %v, %v", open, err)
	}
}

// An editor is a Target that has some documents open.
type editor struct {
	edits.Directory
	open []string
}

func (e *editor) IsOpen(path string) bool { return slices.Contains(e.open, path) }

func TestUnsaved(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n2\n3\n", "b": "b\n"})
	ed := &editor{open: []string{b.path("a")}}
	b.disk = ed
	entry := b.apply(b.changes("one", map[string]string{"a": "I\n2\nIII\n", "b": "B\n"}))
	b.unsaved(entry.ID, edits.EntryApplied, "a")
	if err := b.journal.Saved(t.Context(), b.path("b")); err != nil {
		t.Fatal(err)
	}
	b.unsaved(entry.ID, edits.EntryApplied, "a")
	if err := b.journal.Saved(t.Context(), b.path("a")); err != nil {
		t.Fatal(err)
	}
	b.unsaved(entry.ID, edits.EntryApplied)

	b.undo("", edits.Selection{Path: b.path("a"), Hunk: 1})
	b.unsaved(entry.ID, edits.EntryPartlyApplied, "a")
	b.undo("", edits.Selection{})
	b.unsaved(entry.ID, edits.EntryUndone, "a")
	// Closed unsaved: the disk has it as it was applied and saved.
	writeTree(t, b.root, map[string]string{"a": "I\n2\nIII\n"})
	if err := b.journal.Lost(t.Context(), b.path("a")); err != nil {
		t.Fatal(err)
	}
	b.unsaved(entry.ID, edits.EntryPartlyApplied)
	ed.open = nil
	b.undo("", edits.Selection{})
	b.is(map[string]string{"a": "1\n2\n3\n", "b": "b\n"})
}

// TestHeldInAnEditor: what an editor holds unsaved is not taken back where it
// cannot be seen; another file of the entry is.
func TestHeldInAnEditor(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n", "b": "b\n"})
	ed := &editor{open: []string{b.path("a")}}
	b.disk = ed
	entry := b.apply(b.changes("one", map[string]string{"a": "I\n", "b": "B\n"}))
	_, err := b.journal.Undo(t.Context(), edits.NewDirectory(), entry.ID, edits.Selection{})
	if !errors.Is(err, edits.ErrHeld) || !strings.Contains(err.Error(), b.path("a")) {
		t.Errorf("error is %v", err)
	}
	b.is(map[string]string{"a": "I\n", "b": "B\n"})
	if _, err := b.journal.Undo(t.Context(), edits.NewDirectory(), entry.ID, edits.Selection{Path: b.path("b")}); err != nil {
		t.Error(err)
	}
	b.undo(entry.ID, edits.Selection{})
	b.is(map[string]string{"a": "1\n", "b": "b\n"})
}

// TestNotUnsaved: a document that is deleted or renamed holds nothing that the
// disk lacks.
func TestNotUnsaved(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n", "b": "b\n"})
	b.disk = &editor{open: []string{b.path("a"), b.path("b")}}
	gone, err := edits.NewDelete(b.path("a"), []byte("1\n"))
	if err != nil {
		t.Fatal(err)
	}
	moved, err := edits.NewRename(b.path("b"), b.path("c"), []byte("b\n"), []byte("b\n"))
	if err != nil {
		t.Fatal(err)
	}
	entry := b.apply(&edits.ChangeSet{ID: "x", Title: "x", Files: []edits.FileChange{gone, moved}})
	b.unsaved(entry.ID, edits.EntryApplied)
}

func TestLostAfterApply(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n", "b": "b\n"})
	b.disk = &editor{open: []string{b.path("a")}}
	entry := b.apply(b.changes("one", map[string]string{"a": "I\n", "b": "B\n"}))
	writeTree(t, b.root, map[string]string{"a": "1\n"})
	if err := b.journal.Lost(t.Context(), b.path("a")); err != nil {
		t.Fatal(err)
	}
	b.unsaved(entry.ID, edits.EntryPartlyApplied)
	b.redo()
	b.is(map[string]string{"a": "I\n", "b": "B\n"})
}

// unsaved compares an entry's state and unsaved documents.
func (b *bench) unsaved(id string, state edits.EntryState, names ...string) {
	b.t.Helper()
	entry, err := b.journal.Entry(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	var want []string
	for _, name := range names {
		want = append(want, b.path(name))
	}
	if entry.State != state || !slices.Equal(entry.Unsaved, want) {
		b.t.Errorf("the entry is %s, unsaved %q, want %s, %q", entry.State, entry.Unsaved, state, want)
	}
}

func TestDamagedJournal(t *testing.T) {
	for name, content := range map[string]func([]byte) []byte{
		"empty pages": func(b []byte) []byte { return make([]byte, len(b)) },
		"garbage":     func([]byte) []byte { return []byte(strings.Repeat("garbage ", 4000)) },
		"cut off":     func(b []byte) []byte { return b[:3*os.Getpagesize()] },
		"one byte":    func([]byte) []byte { return []byte("x") },
	} {
		b := newBench(t, map[string]string{"a": "1\n"})
		b.apply(b.changes("one", map[string]string{"a": "2\n"}))
		path := filepath.Join(b.state, "journal.db")
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content(raw), 0o600); err != nil {
			t.Fatal(err)
		}
		b.apply(b.changes("two", map[string]string{"a": "3\n"}))
		b.undo("", edits.Selection{})
		b.is(map[string]string{"a": "2\n"})
		var damaged *edits.DamagedError
		if err := b.journal.Damaged(); !errors.As(err, &damaged) || len(damaged.Paths) != 1 || !strings.Contains(err.Error(), damaged.Paths[0]) {
			t.Errorf("%s: set aside: %v", name, err)
		}
	}
}

// aged returns the journal of b on a later day.
func (b *bench) aged(days int) *edits.Journal {
	n := 0
	later := time.Unix(1_700_000_000, 0).UTC().AddDate(0, 0, days)
	return edits.OpenJournal(b.state, func() time.Time { return later }, func() string {
		n++
		return fmt.Sprintf("day%d-%d", days, n)
	})
}

// TestJournalPrunes: beyond each limit the oldest entries go, and their contents.
func TestJournalPrunes(t *testing.T) {
	wide := edits.DefaultLimits()
	for name, limits := range map[string]edits.Limits{
		"entries": {Entries: 3, Bytes: wide.Bytes, Age: wide.Age},
		"bytes":   {Entries: wide.Entries, Bytes: 420_000, Age: wide.Age},
		"age":     {Entries: wide.Entries, Bytes: wide.Bytes, Age: 49 * time.Hour},
	} {
		b := newBench(t, map[string]string{"a": "0\n", "padding": strings.Repeat("p", 60_000)})
		for day := range 5 {
			b.journal = b.aged(day).Keeping(limits)
			b.apply(b.changes(fmt.Sprint(day), map[string]string{"a": fmt.Sprintln(day + 1), "padding": strings.Repeat(fmt.Sprint(day), 60_000)}))
		}
		b.entries(3)
		if left, err := os.ReadDir(filepath.Join(b.state, "contents")); err != nil || len(left) != 3 {
			t.Errorf("%s: contents %v, %v", name, left, err)
		}
		for range 3 {
			b.undo("", edits.Selection{})
		}
		if got := readTree(t, b.root)["a"]; got != "2\n" {
			t.Errorf("%s: a is %q", name, got)
		}
	}
}

// TestJournalKeepsTheNewest, however large it is, and what waits for a save.
func TestJournalKeepsTheNewest(t *testing.T) {
	b := newBench(t, map[string]string{"a": "0\n", "b": "0\n"})
	b.disk = &editor{open: []string{b.path("b")}}
	none := edits.Limits{Entries: 1, Bytes: 1, Age: 1}
	b.journal = b.aged(0).Keeping(none)
	waits := b.apply(b.changes("waits", map[string]string{"b": "1\n"}))
	for day := range 3 {
		b.journal = b.aged(day + 1).Keeping(none)
		b.apply(b.changes(fmt.Sprint(day), map[string]string{"a": fmt.Sprintln(day + 1)}))
	}
	b.entries(2)
	b.undo("", edits.Selection{})
	b.undo(waits.ID, edits.Selection{})
	b.is(map[string]string{"a": "2\n", "b": "0\n"})
}

// TestDamagedJournalsGo once they are old, with what only they knew of.
func TestDamagedJournalsGo(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n"})
	b.apply(b.changes("one", map[string]string{"a": "2\n"}))
	if err := os.WriteFile(filepath.Join(b.state, "journal.db"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.journal = b.aged(0)
	b.apply(b.changes("two", map[string]string{"a": "3\n"}))
	if left, err := os.ReadDir(filepath.Join(b.state, "contents")); err != nil || len(left) != 2 {
		t.Errorf("contents %v, %v", left, err)
	}
	b.journal = b.aged(100).Keeping(edits.Limits{Entries: 9, Bytes: 1 << 30, Age: 99 * 24 * time.Hour})
	b.apply(b.changes("three", map[string]string{"a": "4\n"}))
	if err := b.journal.Damaged(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Join(b.state, "contents")); err != nil || len(left) > 2 {
		t.Errorf("contents %v, %v", left, err)
	}
}

// TestTwoEditors change one closed file at the same time, and each a document
// of its own: both changes are there, and neither takes back the other's.
func TestTwoEditors(t *testing.T) {
	var was []string
	for i := range 40 {
		was = append(was, fmt.Sprintf("line %d\n", i))
	}
	lines, is := strings.Join(was, ""), slices.Clone(was)
	for i := range 5 {
		is[2*i], is[20+2*i] = "one\n", "two\n"
	}
	b := newBench(t, map[string]string{"shared": lines, "one": "1\n", "two": "2\n"})
	var group sync.WaitGroup
	for at, name := range []string{"one", "two"} {
		group.Go(func() {
			ed := &editor{open: []string{b.path(name)}}
			n := 0
			journal := edits.OpenJournal(b.state, time.Now, func() string { n++; return fmt.Sprintf("%s-%d", name, n) })
			for i := range 5 {
				mine := slices.Clone(was)
				mine[at*20+2*i] = name + "\n"
				shared := must(t)(edits.NewModify(b.path("shared"), []byte(lines), []byte(strings.Join(mine, ""))))
				own := must(t)(edits.NewModify(b.path(name), fmt.Appendf(nil, "%d\n", at+1+10*i), fmt.Appendf(nil, "%d\n", at+11+10*i)))
				if _, err := journal.Apply(t.Context(), ed, changeSet(shared, own)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	want := map[string]string{"shared": strings.Join(is, ""), "one": "51\n", "two": "52\n"}
	b.is(want)
	b.entries(10)
	if _, err := b.journal.Undo(t.Context(), &editor{open: []string{b.path("one")}}, "two-1", edits.Selection{}); !errors.Is(err, edits.ErrHeld) {
		t.Errorf("one editor takes back what the other one holds unsaved: %v", err)
	}
	b.is(want)
}
