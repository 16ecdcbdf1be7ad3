package index_test

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

const small = "-- a.go --\npackage p\n\nfunc Old() {}\n-- b.go --\npackage p\n\nvar _ = Old\n"

func change(t *testing.T, ws *index.Workspace, mods ...index.Modification) {
	t.Helper()
	if err := ws.Change(mods...); err != nil {
		t.Fatal(err)
	}
}

func outlineOf(t *testing.T, snap *index.Snapshot, path string) []string {
	t.Helper()
	syms, err := snap.Symbols(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return names(syms)
}

func read(t *testing.T, snap *index.Snapshot, path string) string {
	t.Helper()
	content, err := snap.ReadFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestDocumentLife(t *testing.T) {
	f := load(t, small)
	path := f.path("a.go")
	disk := f.ws.Snapshot()
	type state struct {
		Outline []string
		Doc     index.Document
		Open    bool
	}
	check := func(step string, want state) {
		t.Helper()
		snap := f.ws.Snapshot()
		doc, open := snap.Document(path)
		doc.Path, doc.Text = "", nil
		if diff := cmp.Diff(want, state{outlineOf(t, snap, path), doc, open}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step, diff)
		}
	}
	src := []byte(f.files["a.go"])
	change(t, f.ws, index.Modification{Action: index.Open, Path: path, Version: 1, Language: "go", Text: src})
	check("open", state{[]string{"Old"}, index.Document{Version: 1, Language: "go"}, true})

	at := strings.Index(string(src), "Old")
	change(t, f.ws, index.Modification{Action: index.Edit, Path: path, Version: 2, Edits: []text.Edit{
		{Span: text.Span{Start: at, End: at + 3}, New: "Longer"},
		{Span: text.Span{Start: at + 6, End: at + 6}, New: "Still"}, // counts in the result of the first
	}})
	check("edit", state{[]string{"LongerStill"}, index.Document{Version: 2, Language: "go", Dirty: true}, true})

	change(t, f.ws, index.Modification{Action: index.Edit, Path: path, Version: 5, Text: []byte("package p\n\nvar Whole int\n")})
	check("whole", state{[]string{"Whole"}, index.Document{Version: 5, Language: "go", Dirty: true}, true})
	change(t, f.ws, index.Modification{Action: index.Save, Path: path})
	check("save", state{[]string{"Whole"}, index.Document{Version: 5, Language: "go"}, true})
	change(t, f.ws, index.Modification{Action: index.Save, Path: path, Text: []byte("other")})
	check("saved another text", state{[]string{"Whole"}, index.Document{Version: 5, Language: "go", Dirty: true}, true})
	change(t, f.ws, index.Modification{Action: index.Close, Path: path})
	check("close", state{[]string{"Old"}, index.Document{}, false})

	if got := read(t, disk, path); got != f.files["a.go"] {
		t.Errorf("the first snapshot changed: %q", got)
	}
	change(t, f.ws, index.Modification{Action: index.Open, Path: path, Version: 1, Text: []byte("package p\n\nvar Unsaved int\n")})
	check("open with unsaved text", state{[]string{"Unsaved"}, index.Document{Version: 1, Dirty: true}, true})
}

func TestFunnelGuards(t *testing.T) {
	f := load(t, small)
	path := f.path("a.go")
	open := index.Modification{Action: index.Open, Path: path, Version: 3, Text: []byte("package p\n")}
	edit := func(version int32, edits ...text.Edit) index.Modification {
		return index.Modification{Action: index.Edit, Path: path, Version: version, Edits: edits}
	}
	insert := text.Edit{New: "//\n"}
	for _, test := range []struct {
		name string
		mods []index.Modification
		want error
	}{
		{"edit of what is not open", []index.Modification{edit(1, insert)}, index.ErrNotOpen},
		{"close of what is not open", []index.Modification{{Action: index.Close, Path: path}}, index.ErrNotOpen},
		{"save of what is not open", []index.Modification{{Action: index.Save, Path: path}}, index.ErrNotOpen},
		{"same version", []index.Modification{open, edit(3, insert)}, index.ErrStaleVersion},
		{"older version", []index.Modification{open, edit(4, insert), edit(2, insert)}, index.ErrStaleVersion},
		{"edit outside the text", []index.Modification{open, edit(4, text.Edit{Span: text.Span{Start: 90, End: 91}})}, text.ErrOverlap},
		{"no action", []index.Modification{open, {Path: path}}, errors.ErrUnsupported},
	} {
		before := f.ws.Snapshot()
		if err := f.ws.Change(test.mods...); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if f.ws.Snapshot() != before {
			t.Errorf("%s: the state changed", test.name)
		}
	}
}

func TestQueriesSeeBuffersOverDisk(t *testing.T) {
	f := load(t, small)
	change(t, f.ws,
		index.Modification{Action: index.Open, Path: f.path("b.go"), Version: 1, Text: []byte("package p\n\nvar _, _ = Old, Old\n")},
		index.Modification{Action: index.Open, Path: f.path("new.go"), Version: 1, Text: []byte("package p\n\nfunc Fresh() { Old() }\n")})
	snap := f.ws.Snapshot()
	refs, err := snap.ReferencesTo(t.Context(), f.symbol(t, "Old"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, ref := range refs {
		got = append(got, fmt.Sprintf("%s:%d", snap.Rel(ref.Path), ref.Span.Start))
	}
	if diff := cmp.Diff([]string{"a.go:16", "b.go:22", "b.go:27", "new.go:26"}, got); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
	found, err := snap.Search(t.Context(), "fresh", 3)
	if err != nil || cmp.Diff([]string{"Fresh"}, names(found)) != "" {
		t.Errorf("Search = %v, %v", names(found), err)
	}
	matches, err := snap.Grep(t.Context(), regexp.MustCompile(`Old, Old|Fresh`), "", 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []index.Match{
		{Path: f.path("b.go"), Line: 2, Span: text.Span{Start: 22, End: 30}, Text: "var _, _ = Old, Old"},
		{Path: f.path("new.go"), Line: 2, Span: text.Span{Start: 16, End: 21}, Text: "func Fresh() { Old() }"},
	}
	if diff := cmp.Diff(want, matches); diff != "" {
		t.Errorf("Grep (-want +got):\n%s", diff)
	}
}

// A snapshot that has read a file keeps to it, and its symbols fit the text.
func TestSnapshotPinsWhatItRead(t *testing.T) {
	f := load(t, small)
	path := f.path("a.go")
	first := f.ws.Snapshot()
	before := read(t, first, path)
	write(t, path, "package p\n\nfunc Changed() {}\n")
	if got := read(t, first, path); got != before {
		t.Errorf("second read differs: %q", got)
	}
	if got := outlineOf(t, first, path); cmp.Diff([]string{"Old"}, got) != "" {
		t.Errorf("outline of the pinned text: %v", got)
	}
	change(t, f.ws, index.Modification{Action: index.Disk, Path: path})
	second := f.ws.Snapshot()
	if got := outlineOf(t, second, path); cmp.Diff([]string{"Changed"}, got) != "" {
		t.Errorf("outline before the index has caught up: %v", got)
	}
	if err := f.ws.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := f.ws.Snapshot().Search(t.Context(), "Changed", 1)
	if err != nil || cmp.Diff([]string{"Changed"}, names(found)) != "" {
		t.Errorf("Search after Refresh = %v, %v", names(found), err)
	}
}

func TestReadFileStaysInside(t *testing.T) {
	f := load(t, small)
	outside := filepath.Join(t.TempDir(), "secret")
	write(t, outside, "secret")
	if err := os.Symlink(outside, f.path("link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.go", f.path("inner")); err != nil {
		t.Fatal(err)
	}
	big, err := os.Create(f.path("big"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(big.Truncate(17<<20), big.Close()); err != nil {
		t.Fatal(err)
	}
	snap := f.ws.Snapshot()
	for path, want := range map[string]error{
		outside:                  index.ErrOutside,
		f.path("link"):           index.ErrOutside,
		f.path("../x/../../etc"): index.ErrOutside,
		f.path("none.go"):        fs.ErrNotExist,
		f.path("big"):            index.ErrTooLarge,
		f.dir:                    fs.ErrInvalid,
		f.dir + "-sibling/a.go":  index.ErrOutside,
		f.path("inner"):          nil,
		f.path("a.go"):           nil,
	} {
		if _, err := snap.ReadFile(t.Context(), path); !errors.Is(err, want) {
			t.Errorf("ReadFile(%s) = %v, want %v", path, err, want)
		}
	}
}

func TestFilesAndList(t *testing.T) {
	f := load(t, "-- a.go --\npackage p\n-- sub/deep/b.py --\nx = 1\n-- sub/c.txt --\ntext\n-- sub-x/d.go --\npackage x\n")
	change(t, f.ws, index.Modification{Action: index.Open, Path: f.path("sub/new/e.go"), Version: 1, Text: []byte("12345")})
	snap := f.ws.Snapshot()
	var files []string
	for path := range snap.Files() {
		files = append(files, snap.Rel(path))
	}
	if diff := cmp.Diff([]string{"a.go", "sub-x/d.go", "sub/c.txt", "sub/deep/b.py", "sub/new/e.go"}, files); diff != "" {
		t.Errorf("Files (-want +got):\n%s", diff)
	}
	want := []index.Entry{
		{Name: "deep", Path: f.path("sub/deep"), Dir: true},
		{Name: "new", Path: f.path("sub/new"), Dir: true},
		{Name: "c.txt", Path: f.path("sub/c.txt"), Size: 5},
	}
	if diff := cmp.Diff(want, snap.List(f.path("sub"))); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	if !snap.Has(f.path("sub/c.txt")) || !snap.Has(f.path("sub/new/e.go")) || snap.Has(f.path("sub")) {
		t.Error("Has is wrong")
	}
}

func TestSeveralRoots(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	one, two = filepath.Join(one, "one"), filepath.Join(two, "two")
	write(t, filepath.Join(one, "a.go"), "package a\n\nfunc A() {}\n")
	write(t, filepath.Join(two, "b.go"), "package b\n\nfunc B() {}\n")
	ws := index.New(index.Options{Roots: []string{one, two}})
	if ws.Snapshot().Ready() {
		t.Error("ready before the first scan")
	}
	if _, err := ws.Scan(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	snap := ws.Snapshot()
	if got := snap.Rel(filepath.Join(two, "b.go")); got != "two/b.go" || !snap.Ready() {
		t.Errorf("Rel = %q, ready %v", got, snap.Ready())
	}
	ws.SetRoots([]string{two})
	snap = ws.Snapshot()
	if got := slices.Collect(snap.Files()); cmp.Diff([]string{filepath.Join(two, "b.go")}, got) != "" || snap.Ready() {
		t.Errorf("after SetRoots: files %v, ready %v", got, snap.Ready())
	}
}

func TestScanSkipsWhatIsNotWorthParsing(t *testing.T) {
	f := load(t, "-- a.go --\npackage p\n\nfunc A() {}\n")
	write(t, f.path("binary.go"), "package p\x00func B() {}")
	write(t, f.path("min.js"), "function c(){}"+strings.Repeat("c();", 5000))
	write(t, f.path("large.py"), "def large(): pass\n"+strings.Repeat("# long\n", 400_000)+"def end(): pass\n")
	write(t, f.path("notes.txt"), "function e(){}")
	var last index.Progress
	stats, err := f.ws.Scan(t.Context(), func(p index.Progress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	want := index.Stats{Files: 5, Cached: 1, Skipped: map[string]int{"binary": 1, "minified": 1, "large": 1, "language": 1}, Symbols: 3, References: 3}
	if diff := cmp.Diff(want, counts(stats)); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	last.File = ""
	if want := (index.Progress{Phase: index.Parsing, Done: 3, Total: 3}); last != want {
		t.Errorf("last progress %+v, want %+v", last, want)
	}
	for _, name := range []string{"binary.go", "min.js", "large.py", "notes.txt"} {
		if !f.ws.Snapshot().Has(f.path(name)) {
			t.Errorf("%s is not known by name", name)
		}
	}
}

// Writers and readers at once; each reader sees one state from beginning to
// end. (Run with -race.)
func TestConcurrentUse(t *testing.T) {
	f := load(t, small)
	path := f.path("a.go")
	change(t, f.ws, index.Modification{Action: index.Open, Path: path, Version: 1, Text: []byte("package p\n\nvar V1 int\n")})
	var group sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				snap := f.ws.Snapshot()
				doc, _ := snap.Document(path)
				want := []string{fmt.Sprintf("V%d", doc.Version)}
				if got := outlineOf(t, snap, path); cmp.Diff(want, got) != "" {
					t.Errorf("outline %v of version %d", got, doc.Version)
				}
				if _, err := snap.Search(t.Context(), "V", 5); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Go(func() {
		for range 5 {
			if _, err := f.ws.Scan(t.Context(), nil); err != nil {
				t.Error(err)
			}
		}
	})
	for version := int32(2); version < 100; version++ {
		change(t, f.ws, index.Modification{Action: index.Edit, Path: path, Version: version, Text: fmt.Appendf(nil, "package p\n\nvar V%d int\n", version)})
	}
	close(done)
	group.Wait()
}

// TestOpenByALink: a link that is open and what it leads to are one file.
func TestOpenByALink(t *testing.T) {
	f := load(t, "-- decl.go --\npackage p\n\nfunc Twice() {}\n-- use.go --\npackage p\n\nvar _ = Twice\n")
	link, decl := f.path("link.go"), f.path("decl.go")
	src := "package p\n\nfunc Twice() {} // typed\n"
	change(t, f.ws, index.Modification{Action: index.Open, Path: link, File: decl, Version: 1, Text: []byte(src)})
	uses := func(snap *index.Snapshot, path string) []string {
		renaming, err := snap.Rename(t.Context(), path, strings.Index(src, "Twice"), "Double")
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for path := range renaming.Edits {
			out = append(out, snap.Rel(path))
		}
		slices.Sort(out)
		return out
	}
	snap := f.ws.Snapshot()
	if diff := cmp.Diff([]string{"link.go", "use.go"}, uses(snap, link)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"link.go", "use.go"}, slices.Collect(relative(snap))); diff != "" {
		t.Error(diff)
	}
	draft := snap.With(index.Replacement{Path: decl, Content: []byte("package p\n\nfunc Twice() {}\n")})
	if diff := cmp.Diff([]string{"decl.go", "use.go"}, uses(draft, decl)); diff != "" {
		t.Error(diff)
	}
	change(t, f.ws, index.Modification{Action: index.Close, Path: link})
	if diff := cmp.Diff([]string{"decl.go", "use.go"}, uses(f.ws.Snapshot(), decl)); diff != "" {
		t.Error(diff)
	}
}

func relative(snap *index.Snapshot) iter.Seq[string] {
	return func(yield func(string) bool) {
		for path := range snap.Files() {
			if !yield(snap.Rel(path)) {
				return
			}
		}
	}
}
