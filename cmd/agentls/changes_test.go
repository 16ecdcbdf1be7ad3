package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const twoHunks = `*** Begin Patch
*** Update File: a.txt
@@
-one
+ONE
@@
-five
+FIVE
*** Add File: b.txt
+new
*** End Patch
`

// patchUser has a folder with a file of five lines, and a patch for it.
func patchUser(t *testing.T) *user {
	t.Helper()
	u := mathUser(t)
	u.write("a.txt", "one\ntwo\nthree\nfour\nfive\n")
	u.write("p.patch", twoHunks)
	return u
}

func TestPatchCheck(t *testing.T) {
	u := patchUser(t)
	u.run("patch", "p.patch", "--check").want(t, 0, "a.txt modify  +2 -2", "b.txt create  +1 -0", "fits: 2 files")
	u.run("patch", "p.patch", "--check", "--json").want(t, 0, `"op": "modify"`)
	u.write("wrong.patch", strings.Replace(twoHunks, "-five", "-fife", 1))
	u.run("patch", "wrong.patch", "--check").want(t, 3, "chunk at line 6", "nearest lines, from line 5 on", "five")
	u.run("patch", "wrong.patch").want(t, 3, "nothing was changed")
	if got := u.read("a.txt"); !strings.HasPrefix(got, "one\n") {
		t.Errorf("a.txt is %q", got)
	}
	u.write("broken.patch", "*** Begin\n")
	u.run("patch", "broken.patch").want(t, 1, "patch line 1")
}

func TestPatchTakesGitDiffs(t *testing.T) {
	u := patchUser(t)
	u.write("d.diff", "diff --git a/a.txt b/a.txt\nold mode 100644\nnew mode 100755\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+ONE\n")
	u.run("patch", "d.diff", "--check").want(t, 0, "fits: 1 file")
	u.run("patch", "d.diff").want(t, 0, "applied to 1 file")
	if stat, err := os.Stat(u.path("a.txt")); err != nil || stat.Mode().Perm() != 0o755 {
		t.Errorf("a.txt: %v, %v", stat.Mode(), err)
	}
	u.run("patch", "d.diff").want(t, 3, "does not fit")
}

// TestUndoOfAnEmptyPart: what a script's empty variable names is not all.
func TestUndoOfAnEmptyPart(t *testing.T) {
	u := patchUser(t)
	u.run("patch", "p.patch").want(t, 0, "applied to 2 files")
	u.run("changes", "undo", "").want(t, 2, "the ID is empty")
	u.run("changes", "undo", "--file", "").want(t, 2, "--file is empty")
	u.run("changes", "undo", "--hunk", "0").want(t, 2, "--hunk counts from 1")
	if got := u.read("b.txt"); got != "new\n" {
		t.Errorf("b.txt is %q", got)
	}
}

func TestUndoAPart(t *testing.T) {
	u := patchUser(t)
	u.run("patch", "p.patch").want(t, 0, "applied to 2 files")
	u.run("changes", "undo", "--hunk", "1").want(t, 2, "--file")
	u.run("changes", "undo", "--file", "a.txt", "--hunk", "2").want(t, 0, "undone")
	if got := u.read("a.txt"); got != "ONE\ntwo\nthree\nfour\nfive\n" {
		t.Errorf("a.txt is %q", got)
	}
	u.run("changes", "undo", "--file", u.path("b.txt")).want(t, 0, "undone")
	u.run("changes", "undo", "--file", "b.txt").want(t, 1, "no change")
	u.run("changes", "redo", "--hunk", "1").want(t, 2, "--file")
	u.run("changes", "redo", "--file", "a.txt", "--hunk", "2").want(t, 0, "made again")
	if got := u.read("a.txt"); got != "ONE\ntwo\nthree\nfour\nFIVE\n" {
		t.Errorf("a.txt is %q", got)
	}
	u.run("changes", "redo", "--file", "a.txt").want(t, 1, "no change")
	u.run("changes", "undo").want(t, 0, "undone")
	if got := u.read("a.txt"); got != "one\ntwo\nthree\nfour\nfive\n" {
		t.Errorf("a.txt is %q", got)
	}
}

func TestApplyAPart(t *testing.T) {
	u := mathUser(t)
	u.model(shout)
	u.run("run", "do it").want(t, 0, "kept as a proposal")
	u.run("changes", "apply", "--file", "new.go").want(t, 0, "applied to 1 file")
	if u.read("math.go") != mathGo || u.read("new.go") != "package math\n" {
		t.Error("not the part that was asked for")
	}
	u.run("changes", "apply", "--file", "new.go").want(t, 1, "nothing is pending there")
	u.run("changes", "list").want(t, 0, "1 hunk in 2 files")
	u.run("changes", "apply", "--file", "math.go", "--hunk", "1").want(t, 0, "applied to 1 file")
	u.run("changes", "apply").want(t, 1, "no such proposal")
}

func TestShow(t *testing.T) {
	u := patchUser(t)
	p := u.run("patch", "p.patch")
	id := p.out[strings.LastIndex(p.out, " ")+1 : len(p.out)-1]
	u.run("changes", "show", id).want(t, 0, "a.txt modify  +2 -2", "-one\n+ONE\n")
	u.run("changes", "show", id, "--color").want(t, 0, "\x1b[31m-", "\x1b[32m+")
	u.run("changes", "show", id, "--side-by-side").want(t, 0, "one", " │ ONE\n", "two", " │ two\n", " │ new\n")
}

// TestListIsOfTheWorkspace: what was changed elsewhere is listed on request.
func TestListIsOfTheWorkspace(t *testing.T) {
	u := patchUser(t)
	u.run("patch", "p.patch").want(t, 0, "applied")
	elsewhere := t.TempDir()
	if p := u.run("changes", "--dir", elsewhere); p.code != 0 || strings.Contains(p.out, "applied") {
		t.Errorf("%+v", p)
	}
	u.run("changes", "list", "--dir", elsewhere, "--all").want(t, 0, "applied")
	u.run("changes").want(t, 0, "applied")
}

func TestDamagedJournalIsSaid(t *testing.T) {
	u := patchUser(t)
	u.run("patch", "p.patch").want(t, 0)
	found, err := filepath.Glob(filepath.Join(u.variable("XDG_STATE_HOME"), "agentls", "journal", "journal.db"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%q, %v", found, err)
	}
	if err := os.WriteFile(found[0], []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	u.run("changes").want(t, 0, "damaged", found[0]+".damaged-")
	u.run("changes").want(t, 0, "damaged")
}

func TestWordsAreMarked(t *testing.T) {
	on := palette{on: true}
	got := on.diff("--- a/f\n+++ b/f\n@@ -1,3 +1,2 @@\n-return a + b\n+return a - b\n-gone\n")
	for _, want := range []string{"-\x1b[0m\x1b[31mreturn a \x1b[7m+\x1b[27m b", "+\x1b[0m\x1b[32mreturn a \x1b[7m-\x1b[27m b", "\x1b[31m-gone\x1b[0m"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
}
