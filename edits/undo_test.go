package edits_test

import (
	"errors"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits"
)

// What FuzzUndo's kind says beside the operation, which is its last two bits.
const (
	changedBefore = 4 // the user changes the file after the change was proposed
	changedAfter  = 8 // the user puts a line into the file after it was applied
)

// mine is that line.
const mine = "§ mine §\n"

// FuzzUndo: undo after apply leaves what there was, whatever the change and
// whatever the user did before; of what the user did after, all of it, and
// nothing else. What conflicts changes nothing.
func FuzzUndo(f *testing.F) {
	f.Add("1\n2\n3\n", "I\n2\nIII\n", "0\n1\n2\n3\n", byte(0), byte(1))
	for kind := range byte(16) {
		f.Add("a\r\nb\r\n", "a\r\nB", "a\r\nb\r\nc", kind, byte(2))
		f.Add("\ufeffa\nb\n\n\nc\n", "\ufeffa\n\nc\n", "\ufeffa\nb\n\nc\nd\n", kind, byte(0))
		f.Add("", "x\n", "", kind, byte(9))
	}
	f.Fuzz(func(t *testing.T, before, after, user string, kind, line byte) {
		b := newBench(t, map[string]string{"a": before, "b": "b\nb\n"})
		change, err := b.fuzzed(before, after, kind)
		if err != nil {
			return // no text, or no change
		}
		if kind&changedBefore != 0 {
			writeTree(t, b.root, map[string]string{"a": user})
		}
		was := readTree(t, b.root)
		if _, err := b.journal.Apply(t.Context(), b.disk, change); err != nil {
			b.refused(err)
			b.is(was)
			return
		}
		if kind&changedAfter != 0 {
			b.undoBeside(was, int(line))
			return
		}
		is := readTree(t, b.root)
		for range 2 {
			b.undo("", edits.Selection{})
			b.is(was)
			b.redo()
			b.is(is)
		}
	})
}

// fuzzed returns a change of three files, the first one of a kind.
func (b *bench) fuzzed(before, after string, kind byte) (*edits.ChangeSet, error) {
	first, err := edits.NewModify(b.path("a"), []byte(before), []byte(after))
	switch kind & 3 {
	case 1:
		first, err = edits.NewDelete(b.path("a"), []byte(before))
	case 2:
		first, err = edits.NewRename(b.path("a"), b.path("d/a"), []byte(before), []byte(after))
	case 3:
		first, err = edits.NewCreate(b.path("d/a"), []byte(after), 0o755)
	}
	if err != nil {
		return nil, err
	}
	second, err := edits.NewModify(b.path("b"), []byte("b\nb\n"), []byte("b\nB\n"))
	if err != nil {
		return nil, err
	}
	third, err := edits.NewCreate(b.path("e/f/c"), []byte("c"), 0)
	return changeSet(first, second, third), err
}

// refused sees that an error is one of those that change nothing.
func (b *bench) refused(err error) {
	b.t.Helper()
	var conflict *edits.ConflictError
	if !errors.As(err, &conflict) && !errors.Is(err, edits.ErrNoChange) {
		b.t.Fatal(err)
	}
}

// undoBeside puts a line of the user's into the changed file and undoes: that
// leads to what was, with the line, or changes nothing.
func (b *bench) undoBeside(was map[string]string, line int) {
	b.t.Helper()
	is := readTree(b.t, b.root)
	name := "a"
	if _, moved := is["d/a"]; moved {
		name = "d/a"
	}
	content, there := is[name]
	if !there {
		return // deleted
	}
	lines := strings.SplitAfter(content, "\n")
	at := line % len(lines)
	is[name] = strings.Join(lines[:at], "") + mine + strings.Join(lines[at:], "")
	if err := os.WriteFile(b.path(name), []byte(is[name]), 0o600); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.journal.Undo(b.t.Context(), b.disk, "", edits.Selection{}); err != nil {
		b.refused(err)
		b.is(is)
		return
	}
	got, found := readTree(b.t, b.root), 0
	for name, content := range maps.Clone(got) {
		found += strings.Count(content, mine)
		got[name] = strings.Replace(content, mine, "", 1)
	}
	if diff := cmp.Diff(was, got); diff != "" || found != 1 {
		b.t.Errorf("the user's line is there %d times, the rest differs: %s", found, diff)
	}
}
