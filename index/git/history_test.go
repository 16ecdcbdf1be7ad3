package git

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// changed makes a repository of two commits, the second of which moves a file,
// changes one and deletes one.
func changed(t *testing.T) string {
	t.Helper()
	dir := repository(t, map[string]string{"a.txt": "one\n", "b/b.txt": "two\n", "gone.txt": "three\n"})
	write(t, filepath.Join(dir, "a.txt"), "ONE\n")
	command(t, dir, "mv", "b/b.txt", "ä c.txt")
	command(t, dir, "rm", "-q", "gone.txt")
	command(t, dir, "commit", "-qam", "second: more\n\n:100644 is no change\nreally")
	return dir
}

func TestLog(t *testing.T) {
	dir := changed(t)
	log, err := Log(t.Context(), dir, 10)
	if err != nil || len(log) != 2 {
		t.Fatalf("log %v, %v", log, err)
	}
	second := log[0]

	want := Revision{
		Hash: second.Hash, Parents: []string{log[1].Hash}, Time: time.Unix(1700000000, 0),
		Message: "second: more\n\n:100644 is no change\nreally\n",
		Changes: []Change{
			{Path: "a.txt", Before: "5626abf0f72e58d7a153368ba57db4c673c0e171", After: second.Changes[0].After},
			{Path: "gone.txt", Before: second.Changes[1].Before},
			{Path: "ä c.txt", From: "b/b.txt", Before: second.Changes[2].Before, After: second.Changes[2].Before},
		},
	}
	if diff := cmp.Diff(want, second); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(log[1].Parents) > 0 || len(log[1].Changes) != 3 || log[1].Message != "first\n" {
		t.Errorf("the first commit is %+v", log[1])
	}
	if newest, err := Log(t.Context(), dir, 1); err != nil || len(newest) != 1 || newest[0].Hash != second.Hash {
		t.Errorf("one of the log is %v, %v", newest, err)
	}
}

func TestLogOfNothing(t *testing.T) {
	dir := t.TempDir()
	command(t, dir, "init", "-q")
	if log, err := Log(t.Context(), dir, 10); len(log) > 0 || err != nil {
		t.Errorf("the log of a repository without a commit is %v, %v", log, err)
	}
}

func TestDiffAndBlobs(t *testing.T) {
	dir := changed(t)
	log, err := Log(t.Context(), dir, 10)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := Diff(t.Context(), dir, log[1].Hash, log[0].Hash)
	if err != nil {
		t.Fatal(err)
	}
	var hashes, shown []string
	for _, c := range changes {
		shown = append(shown, c.Path)
		if c.After != "" {
			hashes = append(hashes, c.After)
		}
	}
	if diff := cmp.Diff([]string{"a.txt", "b/b.txt", "gone.txt", "ä c.txt"}, shown); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	blobs, err := Blobs(t.Context(), dir, append(hashes, log[0].Hash, strings.Repeat("1", 40)), 4)
	if err != nil || len(blobs) != 2 || string(blobs[changes[0].After]) != "ONE\n" || string(blobs[changes[3].After]) != "two\n" {
		t.Errorf("blobs %q, %v", blobs, err)
	}
	if small, err := Blobs(t.Context(), dir, hashes, 3); len(small) > 0 || err != nil {
		t.Errorf("blobs of at most three bytes: %q, %v", small, err)
	}
}

func TestDiffLeavesSubmodulesOut(t *testing.T) {
	dir := repository(t, map[string]string{"a.txt": "one\n"})
	write(t, filepath.Join(dir, "a.txt"), "two\n")
	command(t, dir, "add", "-A")
	command(t, dir, "update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",inner")
	command(t, dir, "commit", "-qm", "second")
	changes, err := Diff(t.Context(), dir, "HEAD~1", "HEAD")
	if err != nil || len(changes) != 1 || changes[0].Path != "a.txt" {
		t.Errorf("the changes are %+v, %v", changes, err)
	}
}

// FuzzLog: whatever git prints, parsing ends, and with an error or changes that
// have a path.
func FuzzLog(f *testing.F) {
	f.Add([]byte("a1\x00p1\x001\x00m\x00\x00\n:1 2 0 b M\x00x\x00"))
	f.Add([]byte("a1\x00\x001\x00m\x00\x00\n:1 2 a b R100\x00x\x00y\x00b2\x00\x00x"))
	f.Fuzz(func(t *testing.T, out []byte) {
		log, err := parseLog(split(out))
		fields := bytes.Count(out, []byte{0}) + 1
		if n := len(log); err == nil && n > fields {
			t.Errorf("%d commits of %d fields", n, fields)
		}
	})
}
