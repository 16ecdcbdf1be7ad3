package index_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/index"
)

// TestOutline compares the symbols of each archive in testdata/outline, each
// with its signature and doc, with the file want at the end of the archive.
func TestOutline(t *testing.T) {
	archives, err := filepath.Glob("testdata/outline/*.txt")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, archive := range archives {
		if !isKnown(archive) {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(archive), ".txt"), func(t *testing.T) {
			content, err := os.ReadFile(archive)
			if err != nil {
				t.Fatal(err)
			}
			source, want, _ := strings.Cut(string(content), "\n-- want --\n")
			source = strings.TrimSuffix(source, "\n") + "\n"
			if *update {
				write(t, archive, source+"-- want --\n"+outlines(t, load(t, source)))
				return
			}
			if diff := cmp.Diff(want, outlines(t, load(t, source))); diff != "" {
				t.Errorf("outline (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, outlines(t, loadCRLF(t, source))); diff != "" {
				t.Errorf("outline with CRLF (-want +got):\n%s", diff)
			}
		})
	}
}

func outlines(t *testing.T, f *fixture) string {
	t.Helper()
	var out strings.Builder
	for _, name := range f.names {
		fmt.Fprintf(&out, "%s:\n", name)
		f.renderOutline(t, &out, name)
	}
	return out.String()
}

func (f *fixture) renderOutline(t *testing.T, out *strings.Builder, name string) {
	t.Helper()
	snap := f.ws.Snapshot()
	syms, err := snap.Symbols(t.Context(), f.path(name))
	if err != nil {
		t.Fatal(err)
	}
	src := f.files[name]
	for _, sym := range syms {
		if got := src[sym.NameSpan.Start:sym.NameSpan.End]; got != sym.Name || !sym.Span.Encloses(sym.NameSpan) {
			t.Errorf("%s: name span of %s holds %q", name, sym.Qualified(), got)
		}
		signature, err := snap.Signature(t.Context(), sym)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := snap.Doc(t.Context(), sym)
		if err != nil {
			t.Fatal(err)
		}
		visible := ""
		if sym.Exported {
			visible = " exported"
		}
		fmt.Fprintf(out, "%s%s %s%s | %s", strings.Repeat("  ", sym.Depth+1), sym.Kind, sym.Qualified(), visible, signature)
		if doc != "" {
			fmt.Fprintf(out, " | %q", doc)
		}
		last := src[:sym.Span.End]
		fmt.Fprintf(out, " | …%s\n", strings.TrimSpace(last[strings.LastIndexByte(last, '\n')+1:]))
	}
}

func TestEnclosingAndAt(t *testing.T) {
	f := load(t, `
-- a.go --
package p

type T struct{}

func (t T) Run() {
	call$0er()
}
`)
	snap := f.ws.Snapshot()
	name, span, ok, err := snap.At(t.Context(), f.at, f.cursor)
	if name != "caller" || !ok || err != nil {
		t.Errorf("At = %q, %v, %v", name, ok, err)
	}
	want := "\tcaller()\n\t^^^^^^"
	if got := underline(f.files["a.go"], span); got != want {
		t.Errorf("At:\n%s\nwant\n%s", got, want)
	}
	sym, ok, err := snap.Enclosing(t.Context(), f.at, span)
	if sym.Qualified() != "T.Run" || !ok || err != nil {
		t.Errorf("Enclosing = %q, %v, %v", sym.Qualified(), ok, err)
	}
	if _, _, ok, err := snap.At(t.Context(), f.at, 10); ok || err != nil {
		t.Errorf("At white space = %v, %v", ok, err)
	}
}

func TestParses(t *testing.T) {
	snap := load(t, "-- a.go --\npackage p\n").ws.Snapshot()
	for _, test := range []struct{ path, src, want string }{
		{"x.go", "package p\n\nfunc f() {}\n", ""},
		{"x.go", "package p\n\nfunc f() {\n", "unexpected text\nfunc f() {\n         ^"},
		{"x.py", "def f(:\n  pass\n", "missing \")\"\ndef f(:\n      "},
		{"x.txt", "func f( {", ""},
	} {
		got := ""
		errs, err := snap.Parses(t.Context(), test.path, []byte(test.src))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range errs {
			got += e.Message + "\n" + underline(test.src, e.Span)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.path, diff)
		}
	}
}

func TestLanguages(t *testing.T) {
	want := []string{"go", "javascript", "javascriptreact", "typescript", "typescriptreact", "python"}
	got := index.Languages()
	if diff := cmp.Diff(want, got[:len(want)]); diff != "" { // the order is in caches
		t.Error(diff)
	}
}
