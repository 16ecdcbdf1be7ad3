package git

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// history makes a repository with two commits, and returns it with their
// hashes, the newer first.
func history(t *testing.T) (dir string, commits []string) {
	t.Helper()
	dir = repository(t, map[string]string{".gitattributes": "*.txt text eol=crlf\n", "a.txt": "one\n"})
	write(t, filepath.Join(dir, "a.txt"), "two\n")
	command(t, dir, "commit", "-qam", "two")
	commits, err := Commits(t.Context(), dir, 10)
	if err != nil || len(commits) != 2 {
		t.Fatalf("commits %v, %v", commits, err)
	}
	return dir, commits
}

func store(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	for range 2 { // the second finds it there
		if err := Create(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestACheckoutIsAlone: it has its own history, and nothing else of the store;
// also of a commit that no ref leads to.
func TestACheckoutIsAlone(t *testing.T) {
	to := store(t)
	other := repository(t, map[string]string{"secret.txt": "of another\n"})
	dir, commits := history(t)
	for _, repo := range []string{other, dir} {
		file := filepath.Join(t.TempDir(), "b")
		head, _, err := Head(t.Context(), repo)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(Bundle(t.Context(), repo, file, nil), Unbundle(t.Context(), to, file, head)); err != nil {
			t.Fatal(err)
		}
	}
	for i, commit := range commits {
		tree := filepath.Join(t.TempDir(), "tree")
		if err := Checkout(t.Context(), to, commit, tree); err != nil {
			t.Fatal(err)
		}
		log, err := run(t.Context(), tree, nil, "rev-list", "--all", "HEAD")
		if err != nil || bytes.Count(log, []byte("\n")) != len(commits)-i {
			t.Errorf("the history is %q, %v", log, err)
		}
		objects, err := run(t.Context(), tree, nil, "cat-file", "--batch", "--batch-all-objects")
		if err != nil || bytes.Contains(objects, []byte("of another")) {
			t.Errorf("it holds another repository's file: %v", err)
		}
	}
}

func TestABundleTravels(t *testing.T) {
	dir, commits := history(t)
	to := store(t)
	file := filepath.Join(t.TempDir(), "b")
	if err := Bundle(t.Context(), dir, file, nil); err != nil {
		t.Fatal(err)
	}
	if known, err := Contains(t.Context(), to, commits[0]); known || err != nil {
		t.Fatalf("known before: %v, %v", known, err)
	}
	if err := Unbundle(t.Context(), to, file, commits[0]); err != nil {
		t.Fatal(err)
	}
	if known, err := Contains(t.Context(), to, commits[0]); !known || err != nil {
		t.Fatalf("known after: %v, %v", known, err)
	}
	tree := filepath.Join(t.TempDir(), "tree")
	if err := Checkout(t.Context(), to, commits[0], tree); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(tree, "a.txt"))
	if err != nil || string(got) != "two\n" {
		t.Errorf("a.txt is %q, %v: not as it was committed", got, err)
	}
}

func TestABundleOfWhatIsNew(t *testing.T) {
	dir, commits := history(t)
	to := store(t)
	file := filepath.Join(t.TempDir(), "b")
	if err := Bundle(t.Context(), dir, file, commits[1:]); err != nil {
		t.Fatal(err)
	}
	err := Unbundle(t.Context(), to, file, commits[0])
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("without the commit it builds on the error is %v", err)
	}
	whole := filepath.Join(t.TempDir(), "whole")
	command(t, dir, "checkout", "-q", commits[1])
	if err := Bundle(t.Context(), dir, whole, nil); err != nil {
		t.Fatal(err)
	}
	if err := Unbundle(t.Context(), to, whole, commits[1]); err != nil {
		t.Fatal(err)
	}
	if err := Unbundle(t.Context(), to, file, commits[0]); err != nil {
		t.Error(err)
	}
}

func TestADamagedBundle(t *testing.T) {
	dir, commits := history(t)
	good := filepath.Join(t.TempDir(), "b")
	if err := Bundle(t.Context(), dir, good, nil); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(content)
	flipped[len(flipped)-30] ^= 0xff
	cases := map[string][]byte{"empty": {}, "HTML": []byte("<html>"), "cut off": content[:len(content)/2], "flipped": flipped}
	for name, bad := range cases {
		file := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Unbundle(t.Context(), store(t), file, commits[0]); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	if err := Unbundle(t.Context(), store(t), good, commits[1]); !errors.Is(err, ErrDamaged) {
		t.Errorf("another commit: the error is %v", err)
	}
}

func TestTreeAndBlob(t *testing.T) {
	dir, commits := history(t)
	tree, err := Tree(t.Context(), dir, commits[1])
	want := []Entry{
		{Mode: "100644", Hash: "c61b241eb497eb431df825841e808503145600e1", Path: ".gitattributes"},
		{Mode: "100644", Hash: "5626abf0f72e58d7a153368ba57db4c673c0e171", Path: "a.txt"},
	}
	if diff := cmp.Diff(want, tree); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if got, err := Blob(t.Context(), dir, commits[1], "a.txt"); string(got) != "one\n" || err != nil {
		t.Errorf("a.txt is %q, %v", got, err)
	}
	if _, err := Blob(t.Context(), dir, commits[1], "b.txt"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
	if branch, err := Branch(t.Context(), dir); branch != "main" || err != nil {
		t.Errorf("the branch is %q, %v", branch, err)
	}
}

func TestFetch(t *testing.T) {
	dir, commits := history(t)
	to := store(t)
	for _, branch := range []string{"", "main"} {
		if got, err := Fetch(t.Context(), to, dir, branch); got != commits[0] || err != nil {
			t.Errorf("branch %q: %q, %v", branch, got, err)
		}
	}
	if _, err := Fetch(t.Context(), to, dir, "nowhere"); err == nil {
		t.Error("a branch that is not there was fetched")
	}
	if _, err := Fetch(t.Context(), to, "ext::sh -c true", ""); err == nil {
		t.Error("a command was taken for a repository")
	}
}
