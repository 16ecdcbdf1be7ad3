package index_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/index"
)

const threeFiles = small + "-- c.go --\npackage p\n\nvar _ = Old\n"

// TestWith: every question is answered as if the files were as they are to be,
// and the snapshot that it was made of is as it was.
func TestWith(t *testing.T) {
	f := load(t, threeFiles)
	before := f.ws.Snapshot()
	after := before.With(
		index.Replacement{Path: f.path("a.go"), Content: []byte("package p\n\nfunc New() {}\n")},
		index.Replacement{Path: f.path("b.go"), Gone: true},
		index.Replacement{Path: f.path("d.go"), Content: []byte("package p\n\nvar _ = New\n")},
	)
	type state struct {
		Files, Outline, Uses []string
		Gone                 bool
	}
	stateOf := func(snap *index.Snapshot) state {
		s := state{Outline: outlineOf(t, snap, f.path("a.go"))}
		for path := range snap.Files() {
			s.Files = append(s.Files, snap.Rel(path))
		}
		_, err := snap.ReadFile(t.Context(), f.path("b.go"))
		s.Gone = errors.Is(err, fs.ErrNotExist)
		refs, err := snap.References(t.Context(), f.path("a.go"), strings.Index(read(t, snap, f.path("a.go")), "func ")+5)
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range refs {
			s.Uses = append(s.Uses, snap.Rel(ref.Path))
		}
		slices.Sort(s.Uses)
		return s
	}
	want := state{Files: []string{"a.go", "c.go", "d.go"}, Outline: []string{"New"}, Uses: []string{"a.go", "d.go"}, Gone: true}
	if diff := cmp.Diff(want, stateOf(after)); diff != "" {
		t.Error(diff)
	}
	want = state{Files: []string{"a.go", "b.go", "c.go"}, Outline: []string{"Old"}, Uses: []string{"a.go", "b.go", "c.go"}}
	if diff := cmp.Diff(want, stateOf(before)); diff != "" {
		t.Error(diff)
	}
	back := after.With(index.Replacement{Path: f.path("b.go"), Content: []byte("package p\n")})
	if got := read(t, back, f.path("b.go")); got != "package p\n" {
		t.Errorf("what was deleted and written again is %q", got)
	}
}

// TestWithPins: what the first snapshot read of the disk, the second does not
// read again.
func TestWithPins(t *testing.T) {
	f := load(t, threeFiles)
	before := f.ws.Snapshot()
	was := read(t, before, f.path("c.go"))
	after := before.With(index.Replacement{Path: f.path("a.go"), Gone: true})
	write(t, f.path("c.go"), "package other\n")
	if got := read(t, after, f.path("c.go")); got != was {
		t.Errorf("it is read anew: %q", got)
	}
}
