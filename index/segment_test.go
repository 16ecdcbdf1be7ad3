package index_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/index"
)

// A start from the segment answers as the one that wrote it did, and sees what
// changed since.
func TestSegment(t *testing.T) {
	f, cache := load(t, small+"-- c.py --\nclass C:\n    def m(self): self.m()\n-- gone.go --\npackage p\n\nfunc Gone() {}\n"), t.TempDir()
	if stats, _ := cachedScan(t, f.dir, cache); stats.Mode != index.Cold {
		t.Errorf("first start: %v", stats.Mode)
	}
	stats, log := cachedScan(t, f.dir, cache)
	if want := (index.Stats{Files: 4, Cached: 4, Symbols: 4, References: 9}); !cmp.Equal(want, counts(stats)) || stats.Mode != index.Segment || log != "" {
		t.Errorf("second start: %v, %s (-want +got):\n%s", stats.Mode, log, cmp.Diff(want, counts(stats)))
	}
	write(t, f.path("b.go"), "package p\n\nfunc Other() { Old() }\n")
	write(t, f.path("d.go"), "package p\n\nfunc New() { Old() }\n")
	if err := os.Remove(f.path("gone.go")); err != nil {
		t.Fatal(err)
	}
	ws := index.New(index.Options{Roots: []string{f.dir}, CacheDir: cache})
	mixed, err := ws.Scan(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := (index.Stats{Files: 4, Parsed: 2, Cached: 2, Symbols: 5, References: 10}); !cmp.Equal(want, counts(mixed)) || mixed.Mode != index.Segment {
		t.Errorf("after changes: %v (-want +got):\n%s", mixed.Mode, cmp.Diff(want, counts(mixed)))
	}
	old, err := ws.Snapshot().Search(t.Context(), "Old", 1)
	if err != nil || len(old) != 1 {
		t.Fatal(old, err)
	}
	refs, err := ws.Snapshot().ReferencesTo(t.Context(), old[0])
	if err != nil || len(refs) != 3 {
		t.Errorf("references over the segment: %v, %v", refs, err)
	}
	if syms, err := ws.Snapshot().Search(t.Context(), "Gone", 5); err != nil || len(syms) != 0 {
		t.Errorf("what is gone is found: %v, %v", syms, err)
	}
	if err := ws.Close(); err != nil {
		t.Fatal(err)
	}
	if stats, _ := cachedScan(t, f.dir, cache); stats.Mode != index.Segment || stats.Cached != 4 {
		t.Errorf("the next start: %v, %+v", stats.Mode, stats)
	}
}

// A segment that is damaged, or of another cache, is not used.
func TestSegmentIsDisposable(t *testing.T) {
	dir, cache, other := manyFiles(t, 300), t.TempDir(), t.TempDir()
	cachedScan(t, dir, cache)
	cachedScan(t, dir, other)
	path := filepath.Join(cache, "index.segment")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile(filepath.Join(other, "index.segment"))
	if err != nil {
		t.Fatal(err)
	}
	head := append([]byte{}, good...)
	head[20] ^= 1
	for name, bad := range map[string][]byte{
		"empty": {}, "short": good[:50], "cut off": good[:len(good)-9], "another's": foreign, "noise in the head": head, "text": []byte("hello"),
	} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		stats, _ := cachedScan(t, dir, cache)
		if stats.Mode != index.Warm || stats.Cached != 300 || stats.Symbols != 300 {
			t.Errorf("%s: %v, %+v", name, stats.Mode, stats)
		}
		if stats, _ := cachedScan(t, dir, cache); stats.Mode != index.Segment {
			t.Errorf("after %s: %v", name, stats.Mode)
		}
	}
}

func TestForget(t *testing.T) {
	dir, cache := manyFiles(t, 3), t.TempDir()
	cachedScan(t, dir, cache)
	ws := index.New(index.Options{Roots: []string{dir}, CacheDir: cache})
	if err := ws.Forget(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(cache); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if stats, _ := cachedScan(t, dir, cache); stats.Mode != index.Cold || stats.Parsed != 3 {
		t.Errorf("the next start: %+v", stats)
	}
	holder := index.New(index.Options{Roots: []string{dir}, CacheDir: cache})
	if _, err := holder.Scan(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := ws.Forget(); err == nil {
		t.Error("an index that is in use was forgotten")
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
}
