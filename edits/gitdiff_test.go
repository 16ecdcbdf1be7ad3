package edits_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

// tree is a Source of files by absolute path.
type tree map[string]string

func (s tree) ReadFile(_ context.Context, path string) ([]byte, error) {
	content, ok := s[path]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return []byte(content), nil
}

// laid returns what diff makes of files, whose names are relative to root.
func laid(ctx context.Context, root string, files map[string]string, diff string) (*edits.ChangeSet, error) {
	src := tree{}
	for name, content := range files {
		src[filepath.Join(root, name)] = content
	}
	d, err := edits.ParseGitDiff(diff)
	if err != nil {
		return nil, err
	}
	return d.ChangeSet(ctx, src, edits.Confine([]string{root}))
}

// TestGitDiffIsWhatGitWrites lets git itself describe changes of every kind.
func TestGitDiffIsWhatGitWrites(t *testing.T) {
	root := t.TempDir()
	before := map[string]string{
		"a.txt": "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n", "gone.txt": "bye\n", "moved.txt": "one\ntwo\nthree\nfour\n",
		"no end": "x\ny", "crlf.txt": "a\r\nb\r\n", "tab\tname": "q\n", "empty-gone": "", "ümlaut": "u\n", "still": "here\n", "run.sh": "echo\n", "mode.sh": "m\n",
	}
	after := map[string]string{
		"a.txt": "0\n1\n2\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n15\nend", "sub/moved.txt": "one\ntwo\nthree!\nfour\n",
		"no end": "x\nz\n", "crlf.txt": "a\r\nB\r\n", "tab\tname": "Q\n", "ümlaut": "ü\n", "still": "here\n", "new": "n", "empty-new": "", "run.sh": "echo hi\n", "mode.sh": "m\n",
	}
	writeTree(t, root, before)
	git(t, root, "init", "-q")
	git(t, root, "add", "-A")
	git(t, root, "-c", "user.name=n", "-c", "user.email=e@x", "commit", "-qm", "before")
	for name := range before {
		if _, ok := after[name]; !ok {
			noError(t, os.Remove(filepath.Join(root, name)))
		}
	}
	writeTree(t, root, after)
	noError(t, os.Chmod(filepath.Join(root, "run.sh"), 0o755))
	noError(t, os.Chmod(filepath.Join(root, "mode.sh"), 0o755))
	git(t, root, "add", "-A")
	diff := git(t, root, "diff", "--cached", "-M", "HEAD")

	cs, err := laid(t.Context(), t.TempDir(), before, diff)
	if err != nil {
		t.Fatalf("%v in\n%s", err, diff)
	}
	got := map[string]string{}
	for name, content := range before {
		got[name] = content
	}
	modes := map[string]fs.FileMode{}
	for _, f := range cs.Files {
		delete(got, base(f.Path))
		if f.Op != edits.Delete {
			name := base(f.Target())
			if name == "moved.txt" {
				name = "sub/moved.txt"
			}
			got[name] = string(f.After())
			modes[name] = f.Mode
		}
	}
	if diff := cmp.Diff(after, got); diff != "" {
		t.Error(diff)
	}
	if modes["run.sh"] != 0o755 || modes["mode.sh"] != 0o755 || modes["new"] != 0o644 || modes["a.txt"] != 0 {
		t.Errorf("modes are %v", modes)
	}
}

func base(path string) string { return filepath.Base(path) }

// TestGitDiffReadsUnified: what Unified writes comes back.
func TestGitDiffReadsUnified(t *testing.T) {
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	modify, err := edits.NewModify(at(`q"uote`), []byte("a\nb\nc"), []byte("a\nB\nc\n"))
	noError(t, err)
	create, err := edits.NewCreate(at("new"), nil, 0o755)
	noError(t, err)
	remove, err := edits.NewDelete(at("old"), []byte("x\n"))
	noError(t, err)
	rename, err := edits.NewRename(at("from"), at("to"), []byte("1\n"), []byte("1\n"))
	noError(t, err)
	cs := &edits.ChangeSet{Files: []edits.FileChange{modify, create, remove, rename}}
	diff := cs.Unified(func(path string) string { return base(path) })
	got, err := laid(t.Context(), root, map[string]string{`q"uote`: "a\nb\nc", "old": "x\n", "from": "1\n"}, diff)
	if err != nil {
		t.Fatalf("%v in\n%s", err, diff)
	}
	got.Files[2].Was = 0 // the headers tell it, the change set did not
	if d := cmp.Diff(cs, got); d != "" {
		t.Error(d)
	}
}

func TestGitDiffRefuses(t *testing.T) {
	const header = "diff --git a/f b/f\n--- a/f\n+++ b/f\n"
	cases := map[string]struct {
		diff string
		is   error
		says string
	}{
		"nothing":        {"", edits.ErrNoChange, ""},
		"prose":          {"Here is your diff:\n", nil, "line 1"},
		"plain diff":     {"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-1\n+2\n", nil, "diff --git"},
		"HTML":           {"<!doctype html>\n", nil, "not the beginning of a file"},
		"outside":        {"diff --git a/../f b/../f\n--- a/../f\n+++ b/../f\n@@ -1 +1 @@\n-1\n+2\n", edits.ErrOutside, "../f"},
		"absolute":       {"diff --git a//etc/passwd b//etc/passwd\n--- a//etc/passwd\n+++ b//etc/passwd\n@@ -1 +1 @@\n-1\n+2\n", edits.ErrOutside, "/etc/passwd"},
		"inside .git":    {"diff --git a/.git/hooks/x b/.git/hooks/x\nnew file mode 100755\n--- /dev/null\n+++ b/.git/hooks/x\n@@ -0,0 +1 @@\n+x\n", edits.ErrOutside, ".git"},
		"renamed out":    {"diff --git a/f b/../g\nsimilarity index 100%\nrename from f\nrename to ../g\n", edits.ErrOutside, "../g"},
		"binary":         {"diff --git a/f b/f\nindex 1..2 100644\nBinary files a/f and b/f differ\n", text.ErrBinary, "line 3: a/f b/f: binary file"},
		"binary patch":   {"diff --git a/f b/f\nindex 1..2 100644\nGIT binary patch\nliteral 1\n", text.ErrBinary, "line 3"},
		"NUL in text":    {header + "@@ -1 +1 @@\n-1\n+\x00\n", text.ErrBinary, ""},
		"a link":         {"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n\\ No newline at end of file\n", nil, "symbolic link"},
		"a submodule":    {"diff --git a/l b/l\nnew file mode 160000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+Subproject\n", nil, "submodule"},
		"same mode":      {"diff --git a/f b/f\nold mode 100644\nnew mode 100644\n", edits.ErrNoChange, "mode of"},
		"copy":           {"diff --git a/f b/g\nsimilarity index 100%\ncopy from f\ncopy to g\n", nil, "copies"},
		"no prefix":      {"diff --git f f\n--- f\n+++ f\n@@ -1 +1 @@\n-1\n+2\n", nil, "a/"},
		"other text":     {header + "@@ -1 +1 @@\n-x\n+2\n", nil, `line 1 is "1", not "x"`},
		"beyond the end": {header + "@@ -9 +9 @@\n-1\n+2\n", nil, "lies outside"},
		"overlapping":    {header + "@@ -1 +1 @@\n-1\n+2\n@@ -1 +1 @@\n-1\n+2\n", nil, "on the hunk before"},
		"cut off":        {header + "@@ -1,3 +1,3 @@\n-1\n+2\n", nil, "ends within a hunk"},
		"too many lines": {header + "@@ -1 +1,2 @@\n-1\n-2\n+2\n+3\n", nil, "other lines"},
		"huge numbers":   {header + "@@ -1,99999999999999999999 +1 @@\n-1\n+2\n", nil, "header of a hunk"},
		"new, but there": {"diff --git a/f b/f\nnew file mode 100644\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n", nil, "there already"},
		"gone already":   {"diff --git a/g b/g\ndeleted file mode 100644\n--- a/g\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n", fs.ErrNotExist, "g"},
		"half deleted":   {"diff --git a/f b/f\ndeleted file mode 100644\n--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n", nil, "would be left"},
		"twice":          {header + "@@ -1 +1 @@\n-1\n+2\n" + header + "@@ -1 +1 @@\n-1\n+2\n", nil, "changed twice"},
		"two names":      {"diff --git a/f b/g\n--- a/f\n+++ b/g\n@@ -1 +1 @@\n-1\n+2\n", nil, "without a renaming"},
		"open quote":     {"diff --git \"a/f b/f\n--- \"a/f\n+++ b/f\n@@ -1 +1 @@\n-1\n+2\n", nil, "not closed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := laid(t.Context(), t.TempDir(), map[string]string{"f": "1\n2\n"}, c.diff)
			if err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// FuzzGitDiff: no input makes it panic, name a path outside, or break an
// invariant of a change set.
func FuzzGitDiff(f *testing.F) {
	f.Add("diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@ x\n 1\n-2\n+3\n+4\n\\ No newline at end of file\n")
	f.Add("diff --git a/f b/g\nsimilarity index 100%\nrename from f\nrename to g\n")
	f.Add("diff --git \"a/\\303\\274\" \"b/\\303\\274\"\nnew file mode 100644\n")
	f.Add("diff --git a/../f b/../f\n--- a/../f\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n")
	root := f.TempDir()
	f.Fuzz(func(t *testing.T, diff string) {
		cs, err := laid(t.Context(), root, map[string]string{"f": "1\n2\n"}, diff)
		if err != nil {
			return
		}
		if err := cs.Check(); err != nil {
			t.Fatal(err)
		}
		for _, file := range cs.Files {
			if !strings.HasPrefix(file.Path, root+"/") || file.To != "" && !strings.HasPrefix(file.To, root+"/") {
				t.Fatalf("%s → %s", file.Path, file.To)
			}
		}
	})
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
	if err != nil {
		t.Fatalf("git %v: %v", args, err)
	}
	return string(out)
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
