package index_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/index"
)

func files(snap *index.Snapshot) []string {
	out := []string{}
	for path := range snap.Files() {
		out = append(out, snap.Rel(path))
	}
	return out
}

func gitInit(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command("git", "init", "-q")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
}

const ignoring = `
-- .gitignore --
*.gen.go
/out/
!/out2
-- a.go --
package a
-- b.gen.go --
package a
-- out/c.go --
package c
-- sub/.gitignore --
local.go
!kept.gen.go
-- sub/kept.gen.go --
package sub
-- sub/local.go --
package sub
-- sub/out/d.go --
package d
`

func TestIgnoreRules(t *testing.T) {
	want := []string{".gitignore", "a.go", "sub/.gitignore", "sub/kept.gen.go", "sub/out/d.go"}
	for _, repository := range []string{"git", "plain"} {
		t.Run(repository, func(t *testing.T) {
			f := load(t, ignoring)
			write(t, f.path("vendor/v.go"), "package v\n")
			write(t, f.path("node_modules/n.js"), "n()\n")
			want := append(slices.Clone(want), "vendor/v.go")
			if repository == "git" {
				gitInit(t, f.dir)
				want = append(want, "node_modules/n.js") // git is asked, nothing else
			}
			if _, err := f.ws.Scan(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sorted(want), files(f.ws.Snapshot())); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if got := read(t, f.ws.Snapshot(), f.path("b.gen.go")); got != "package a\n" {
				t.Errorf("an ignored file reads %q", got)
			}
		})
	}
}

// TestBuiltFolders: without git a folder called build is one of sources, unless
// what is beside it makes such folders.
func TestBuiltFolders(t *testing.T) {
	f := load(t, `
-- go/build/build.go --
package build
-- go/dist/dist.go --
package main
-- web/package.json --
{}
-- web/build/b.js --
b()
-- web/dist/d.js --
d()
-- web/target/t.js --
t()
-- rust/Cargo.toml --
[package]
-- rust/target/debug/x.js --
x()
`)
	want := []string{"go/build/build.go", "go/dist/dist.go", "rust/Cargo.toml", "web/package.json", "web/target/t.js"}
	if diff := cmp.Diff(want, files(f.ws.Snapshot())); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestScanWithoutGit(t *testing.T) {
	f := load(t, ignoring)
	gitInit(t, f.dir)
	t.Setenv("PATH", t.TempDir())
	if _, err := f.ws.Scan(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	want := []string{".gitignore", "a.go", "sub/.gitignore", "sub/kept.gen.go", "sub/out/d.go"}
	if diff := cmp.Diff(want, files(f.ws.Snapshot())); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestWarmStartParsesNothing(t *testing.T) {
	f := load(t, small+"-- c.py --\nclass C:\n    def m(self): self.m()\n-- go.mod --\nmodule m\n")
	cache := t.TempDir()
	run := func() (index.Stats, *index.Snapshot) {
		t.Helper()
		ws := index.New(index.Options{Roots: []string{f.dir}, CacheDir: cache})
		stats, err := ws.Scan(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		snap := ws.Snapshot()
		if err := ws.Close(); err != nil {
			t.Fatal(err)
		}
		return counts(stats), snap
	}
	cold, _ := run()
	if diff := cmp.Diff(index.Stats{Files: 4, Parsed: 4, Symbols: 3, References: 8}, cold); diff != "" {
		t.Errorf("cold (-want +got):\n%s", diff)
	}
	warm, snap := run()
	if diff := cmp.Diff(index.Stats{Files: 4, Cached: 4, Symbols: 3, References: 8}, warm); diff != "" {
		t.Errorf("warm (-want +got):\n%s", diff)
	}
	refs, err := snap.ReferencesTo(t.Context(), f.symbol(t, "C.m"))
	if err != nil || len(refs) != 2 {
		t.Errorf("references from the cache: %v, %v", refs, err)
	}
	// Touched, not changed: read, but not parsed. Changed: parsed. Gone: dropped.
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(f.path("a.go"), later, later); err != nil {
		t.Fatal(err)
	}
	write(t, f.path("b.go"), "package p\n\nfunc Other() {}\n")
	if err := os.Remove(f.path("c.py")); err != nil {
		t.Fatal(err)
	}
	mixed, _ := run()
	if diff := cmp.Diff(index.Stats{Files: 3, Parsed: 1, Cached: 2, Symbols: 2, References: 2}, mixed); diff != "" {
		t.Errorf("after changes (-want +got):\n%s", diff)
	}
}

func TestLockedOrBrokenCacheIsNoError(t *testing.T) {
	f, cache := load(t, small), t.TempDir()
	first := index.New(index.Options{Roots: []string{f.dir}, CacheDir: cache})
	if _, err := first.Scan(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	second := index.New(index.Options{Roots: []string{f.dir}, CacheDir: cache})
	if stats, err := second.Scan(t.Context(), nil); err != nil || stats.Parsed != 2 {
		t.Errorf("second process: %+v, %v", stats, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(cache, "index.db"), strings.Repeat("broken", 9999))
	third := index.New(index.Options{Roots: []string{f.dir}, CacheDir: cache})
	if stats, err := third.Scan(t.Context(), nil); err != nil || stats.Parsed != 2 {
		t.Errorf("broken cache: %+v, %v", stats, err)
	}
	if err := third.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRefresh(t *testing.T) {
	f := load(t, ignoring)
	gitInit(t, f.dir)
	if _, err := f.ws.Scan(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	write(t, f.path("new/deep/x.go"), "package x\n\nfunc X() {}\n")
	write(t, f.path("y.gen.go"), "package y\n")
	write(t, f.path("out/z.go"), "package z\n")
	if err := os.RemoveAll(f.path("sub/out")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"new", "y.gen.go", "out/z.go", "sub/out", ".git/index", "gone.go"} {
		change(t, f.ws, index.Modification{Action: index.Disk, Path: f.path(name)})
	}
	if err := f.ws.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{".gitignore", "a.go", "new/deep/x.go", "sub/.gitignore", "sub/kept.gen.go"}
	if diff := cmp.Diff(want, files(f.ws.Snapshot())); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	write(t, f.path(".gitignore"), "/new/\n")
	change(t, f.ws, index.Modification{Action: index.Disk, Path: f.path(".gitignore")})
	if err := f.ws.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want = []string{".gitignore", "a.go", "b.gen.go", "out/c.go", "out/z.go", "sub/.gitignore", "sub/kept.gen.go", "y.gen.go"}
	if diff := cmp.Diff(want, files(f.ws.Snapshot())); diff != "" {
		t.Errorf("files after other rules (-want +got):\n%s", diff)
	}
}

// eventually polls until check is content.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !check() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Where the system does not let us watch, we look.
func TestWatchRefused(t *testing.T) {
	f := load(t, small)
	f.ws.RefuseWatching()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.ws.Watch(ctx) }()
	write(t, f.path("new/c.go"), "package c\n")
	eventually(t, "a new file", func() bool { return f.ws.Snapshot().Has(f.path("new/c.go")) })
	if err := os.Remove(f.path("a.go")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a removal", func() bool { return !f.ws.Snapshot().Has(f.path("a.go")) })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestWatch(t *testing.T) {
	f := load(t, ignoring)
	gitInit(t, f.dir)
	if err := os.MkdirAll(f.path("empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ws.Scan(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.ws.Watch(ctx) }()
	has := func(name string) func() bool {
		return func() bool { return f.ws.Snapshot().Has(f.path(name)) }
	}
	// The watcher needs a moment: touch a file until it is noticed.
	eventually(t, "the first event", func() bool {
		write(t, f.path("first.go"), "package a\n")
		return has("first.go")()
	})
	write(t, f.path("a.go"), "package a\n\nfunc Watched() {}\n")
	eventually(t, "a change", func() bool {
		found, err := f.ws.Snapshot().Search(t.Context(), "Watched", 1)
		return err == nil && len(found) == 1
	})
	write(t, f.path("empty/late.go"), "package empty\n")
	eventually(t, "a file in a folder that was empty", has("empty/late.go"))
	write(t, f.path("deep/er/new.go"), "package er\n")
	eventually(t, "a file in new folders", has("deep/er/new.go"))
	write(t, f.path("deep/er/second.go"), "package er\n")
	eventually(t, "a second file there", has("deep/er/second.go"))
	if err := os.Rename(f.path("deep"), f.path("moved")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a renamed folder", func() bool { return has("moved/er/new.go")() && !has("deep/er/new.go")() })
	if err := os.Remove(f.path("first.go")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a removal", func() bool { return !has("first.go")() })
	write(t, f.path("out/ignored.go"), "package c\n")
	write(t, f.path(".gitignore"), "a.go\n")
	eventually(t, "other ignore rules", func() bool { return !has("a.go")() && has("out/ignored.go")() })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Watch = %v", err)
	}
}

func TestScanCancelled(t *testing.T) {
	f := load(t, small)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(context.DeadlineExceeded)
	if _, err := f.ws.Scan(ctx, nil); err == nil {
		t.Error("no error")
	}
	if got := files(f.ws.Snapshot()); len(got) != 2 {
		t.Errorf("files after a cancelled scan: %v", got)
	}
}
