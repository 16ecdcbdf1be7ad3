package git

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// repository makes a repository with files, all committed.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		write(t, filepath.Join(dir, name), content)
	}
	command(t, dir, "init", "-q", "-b", "main")
	command(t, dir, "add", "-A")
	command(t, dir, "commit", "-q", "-m", "first")
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func command(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=Ann", "-c", "user.email=ann@example.org"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_DATE=1700000000 +0000")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func TestListAndIgnored(t *testing.T) {
	dir := repository(t, map[string]string{
		".gitignore": "*.log\n/build/\n!keep.log\n", "a.go": "package a", "sub/b.go": "package b", "ä b.txt": "",
	})
	write(t, filepath.Join(dir, "new.go"), "package a")
	write(t, filepath.Join(dir, "x.log"), "")
	write(t, filepath.Join(dir, "keep.log"), "")
	write(t, filepath.Join(dir, "build/out.go"), "")

	got, err := List(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{".gitignore": true, "a.go": true, "sub/b.go": true, "ä b.txt": true, "new.go": true, "keep.log": true}
	if diff := cmp.Diff(want, set(got)); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	got, err = List(t.Context(), filepath.Join(dir, "sub"))
	if err != nil || cmp.Diff([]string{"b.go"}, got) != "" {
		t.Errorf("List(sub) = %v, %v", got, err)
	}
	ignored, err := Ignored(t.Context(), dir, []string{"x.log", "keep.log", "build/out.go", "none.go", "build", ":!x.log"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]bool{"x.log": true, "build/out.go": true, "build": true, ":!x.log": true}, ignored); diff != "" {
		t.Errorf("Ignored (-want +got):\n%s", diff)
	}
	ignored, err = Ignored(t.Context(), dir, []string{"a.go"})
	if err != nil || len(ignored) != 0 {
		t.Errorf("Ignored(a.go) = %v, %v", ignored, err)
	}
}

func set(list []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range list {
		out[s] = true
	}
	return out
}

func TestRootAndHead(t *testing.T) {
	dir := repository(t, map[string]string{"sub/a.go": "package a"})
	root, ok, err := Root(t.Context(), filepath.Join(dir, "sub"))
	if root != dir || !ok || err != nil {
		t.Errorf("Root = %q, %v, %v; want %q", root, ok, err, dir)
	}
	hash, ok, err := Head(t.Context(), dir)
	if len(hash) != 40 || !ok || err != nil {
		t.Errorf("Head = %q, %v, %v", hash, ok, err)
	}

	outside := t.TempDir()
	if root, ok, err := Root(t.Context(), outside); root != "" || ok || err != nil {
		t.Errorf("Root outside = %q, %v, %v", root, ok, err)
	}
	command(t, outside, "init", "-q")
	if hash, ok, err := Head(t.Context(), outside); hash != "" || ok || err != nil {
		t.Errorf("Head without a commit = %q, %v, %v", hash, ok, err)
	}
}

func TestLastChange(t *testing.T) {
	dir := repository(t, map[string]string{"a.txt": "one\ntwo\nthree\n"})
	write(t, filepath.Join(dir, "a.txt"), "one\ntwo\n3\n")
	command(t, dir, "commit", "-q", "-a", "-m", "second: a line")
	for _, test := range []struct {
		first, last int
		want        string
	}{{1, 2, "first"}, {3, 3, "second: a line"}, {900, 901, "second: a line"}} {
		c, ok, err := LastChange(t.Context(), dir, "a.txt", test.first, test.last)
		if err != nil || !ok {
			t.Errorf("lines %d to %d: %v, %v", test.first, test.last, ok, err)
		}
		c.Hash, c.Time = "", c.Time.UTC()
		if diff := cmp.Diff(Commit{Author: "Ann", Time: time.Unix(1700000000, 0).UTC(), Subject: test.want}, c); diff != "" {
			t.Errorf("lines %d to %d (-want +got):\n%s", test.first, test.last, diff)
		}
	}
	if _, ok, err := LastChange(t.Context(), dir, "none.txt", 1, 1); ok || err != nil {
		t.Errorf("no such file: %v, %v", ok, err)
	}
	if _, _, err := LastChange(t.Context(), dir, "a.txt", 0, 1); err == nil {
		t.Error("line 0: no error")
	}
}

// Every setting that makes git run something names a program that leaves a
// file behind.
func TestHostileRepositoryRunsNothing(t *testing.T) {
	dir := repository(t, map[string]string{
		"a.txt": "one\n", ".gitattributes": "*.txt filter=x diff=x\n", "b.txt": "two\n",
	})
	mark := filepath.Join(t.TempDir(), "ran")
	script := filepath.Join(t.TempDir(), "evil")
	write(t, script, "#!/bin/sh\necho ran >> "+mark+"\ncat\n")
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass", "core.gitProxy", "diff.external",
		"diff.x.command", "diff.x.textconv", "filter.x.clean", "filter.x.smudge", "filter.x.process", "credential.helper",
		"gpg.program", "pager.log", "pager.ls-files", "core.alternateRefsCommand", "uploadpack.packObjectsHook",
	} {
		command(t, dir, "config", key, script)
	}
	for _, name := range []string{"ls-files", "log", "check-ignore", "rev-parse"} {
		command(t, dir, "config", "alias."+name, "!"+script)
	}
	hooks := filepath.Join(dir, "hooks")
	for _, name := range []string{"post-index-change", "fsmonitor-watchman", "pre-auto-gc"} {
		write(t, filepath.Join(hooks, name), "#!/bin/sh\necho ran >> "+mark+"\n")
		if err := os.Chmod(filepath.Join(hooks, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	command(t, dir, "config", "core.hooksPath", hooks)
	command(t, dir, "config", "log.showSignature", "true")
	write(t, filepath.Join(dir, "b.txt"), "changed\n")

	ask := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if out, err := os.ReadFile(mark); err == nil {
			t.Fatalf("%s ran a command of the repository: %s", what, out)
		}
	}
	_, _, err := Root(t.Context(), dir)
	ask("Root", err)
	_, err = List(t.Context(), dir)
	ask("List", err)
	_, err = Ignored(t.Context(), dir, []string{"a.txt", "c.txt"})
	ask("Ignored", err)
	_, _, err = Head(t.Context(), dir)
	ask("Head", err)
	_, _, err = LastChange(t.Context(), dir, "a.txt", 1, 1)
	ask("LastChange", err)
	_, _, err = LastChange(t.Context(), dir, "a.txt", 700, 701)
	ask("LastChange of the file", err)

	// The trap works: git on its own falls into it.
	cmd := exec.Command("git", "status")
	cmd.Dir = dir
	_ = cmd.Run()
	if _, err := os.Stat(mark); err != nil {
		t.Error("the hostile configuration would not have run anything")
	}
}

func TestNoGit(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, _, err := Root(t.Context(), t.TempDir())
	if !errors.Is(err, ErrNoGit) {
		t.Errorf("Root = %v, want ErrNoGit", err)
	}
}

func TestCancelAndFailure(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := List(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("List after cancel = %v", err)
	}
	_, err := List(t.Context(), dir)
	var failure *Failure
	if !errors.As(err, &failure) || failure.Code != 128 || !strings.Contains(failure.Stderr, "not a git repository") {
		t.Errorf("List outside a repository = %v", err)
	}
}
