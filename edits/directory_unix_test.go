//go:build unix

package edits_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/agentls/agentls/edits"
)

func TestDirectoryKeeps(t *testing.T) {
	b := newBench(t, map[string]string{"run.sh": "1\n", "real": "1\n", "twin": "1\n", "tagged": "1\n", "gone": "1\n"})
	for _, err := range []error{
		os.Chmod(b.path("run.sh"), 0o751),
		os.Symlink("real", b.path("link")),
		os.Symlink("gone", b.path("lost")),
		os.Link(b.path("twin"), b.path("twin2")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	tags := unix.Setxattr(b.path("tagged"), "user.tag", []byte("blue"), 0)
	cs := b.changes("all", map[string]string{"run.sh": "2\n", "link": "2\n", "twin": "2\n", "tagged": "2\n", "lost": gone})
	if err := b.disk.Apply(t.Context(), cs); err != nil {
		t.Fatal(err)
	}
	b.mode("run.sh", 0o751)
	if to, err := os.Readlink(b.path("link")); err != nil || to != "real" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	for _, name := range []string{"run.sh", "real", "twin2", "tagged"} {
		if got, err := os.ReadFile(b.path(name)); err != nil || string(got) != "2\n" {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	if _, err := os.Stat(b.path("gone")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a link led to was not deleted: %v", err)
	}
	value := make([]byte, 10)
	if n, err := unix.Getxattr(b.path("tagged"), "user.tag", value); tags == nil && (err != nil || string(value[:n]) != "blue") {
		t.Errorf("the attribute is %q, %v", value[:max(n, 0)], err)
	}
}

func TestDirectoryModes(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n"})
	cs := b.changes("all", map[string]string{"a": "2\n", "new": "n\n", "plain": "p\n"})
	cs.Files[0].Mode, cs.Files[1].Mode = 0o700, 0o777
	b.apply(cs)
	b.mode("a", 0o700)
	b.mode("new", 0o777)
	b.undo("", edits.Selection{})
	b.mode("a", 0o644)
	b.redo()
	b.mode("a", 0o700)
	b.mode("new", 0o777)
}

// TestDirectoryStale: a file that changed since the rebase is not touched, nor
// is any other.
func TestDirectoryStale(t *testing.T) {
	want := map[string]string{"z": "2\n", "y": "2\n"}
	for name, spoil := range map[string]map[string]string{
		"changed": {"z": "mine\n"},
		"created": {"x": "mine\n"},
	} {
		b := newBench(t, map[string]string{"z": "1\n", "y": "1\n", "w": "1\n"})
		cs := b.changes("all", map[string]string{"z": "2\n", "y": "2\n", "x": "2\n", "w": gone})
		writeTree(t, b.root, spoil)
		before := readTree(t, b.root)
		if err := b.disk.Apply(t.Context(), cs); !errors.Is(err, edits.ErrStale) {
			t.Errorf("%s: %v", name, err)
		}
		b.is(before)
	}
	b := newBench(t, map[string]string{"z": "1\n", "y": "1\n"})
	cs := b.changes("all", want)
	if err := os.Remove(b.path("y")); err != nil {
		t.Fatal(err)
	}
	if err := b.disk.Apply(t.Context(), cs); !errors.Is(err, edits.ErrStale) {
		t.Errorf("removed: %v", err)
	}
	b.is(map[string]string{"z": "1\n"})
}

func TestDirectoryRefuses(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n"})
	if err := os.Symlink("a", b.path("link")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(b.path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.disk.ReadFile(t.Context(), b.path("pipe")); err == nil {
		t.Error("a pipe was read")
	}
	if err := os.Remove(b.path("pipe")); err != nil {
		t.Fatal(err)
	}
	twice := b.changes("twice", map[string]string{"a": "2\n", "link": "3\n"})
	if err := b.disk.Apply(t.Context(), twice); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("one file by two names: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.disk.Apply(ctx, b.changes("one", map[string]string{"b": "2\n"})); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	below := must(t)(edits.NewCreate(b.path("a/b"), nil, 0))
	if _, err := b.journal.Apply(t.Context(), b.disk, changeSet(below)); err == nil {
		t.Error("a file became a folder")
	}
	tree := readTree(t, b.root)
	if diff := cmp.Diff(map[string]string{"a": "1\n", "link": "1\n"}, tree); diff != "" {
		t.Error(diff)
	}
}
