package index_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

// A fixture is a workspace on disk, made of one string:
//
//	-- name --
//	content
//
// A cursor is $0; it and the marks «certain», ‹possible› are removed.
type fixture struct {
	dir    string
	names  []string
	files  map[string]string // content without marks
	cursor int               // offset of $0
	at     string            // the absolute path it is in
	ws     *index.Workspace
}

var unmark = strings.NewReplacer("«", "", "»", "", "‹", "", "›", "", "$0", "")

var fileMark = regexp.MustCompile(`(?m)^-- (\S+) --$`)

// split cuts an archive into names and contents, in order.
func split(archive string) (names []string, files map[string]string) {
	files = map[string]string{}
	marks := fileMark.FindAllStringSubmatchIndex(archive, -1)
	for i, mark := range marks {
		end := len(archive)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		name := archive[mark[2]:mark[3]]
		names = append(names, name)
		files[name] = strings.Trim(archive[mark[1]:end], "\n") + "\n"
	}
	return names, files
}

// load writes an archive into a folder and scans it.
func load(t *testing.T, archive string) *fixture {
	t.Helper()
	names, files := split(archive)
	return loadFiles(t, names, files)
}

// loadCRLF is load with lines as Windows ends them.
func loadCRLF(t *testing.T, archive string) *fixture {
	t.Helper()
	names, files := split(archive)
	for name, content := range files {
		files[name] = strings.ReplaceAll(content, "\n", "\r\n")
	}
	return loadFiles(t, names, files)
}

func loadFiles(t *testing.T, names []string, files map[string]string) *fixture {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{dir: dir, cursor: -1, names: names, files: files}
	for name, content := range f.files {
		if i := strings.Index(strings.NewReplacer("«", "", "»", "", "‹", "", "›", "").Replace(content), "$0"); i >= 0 {
			f.cursor, f.at = i, f.path(name)
		}
		f.files[name] = unmark.Replace(content)
		write(t, f.path(name), f.files[name])
	}
	f.ws = index.New(index.Options{Roots: []string{dir}})
	t.Cleanup(func() {
		if err := f.ws.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := f.ws.Scan(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return f
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

func (f *fixture) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// symbol returns the only symbol of that qualified name.
func (f *fixture) symbol(t *testing.T, name string) index.Symbol {
	t.Helper()
	var found []index.Symbol
	for path := range f.ws.Snapshot().Files() {
		syms, err := f.ws.Snapshot().Symbols(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		for _, sym := range syms {
			if sym.Qualified() == name {
				found = append(found, sym)
			}
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d symbols are named %s, want 1", len(found), name)
	}
	return found[0]
}

// A mark puts brackets around a span of a file.
type mark struct {
	path        string
	span        text.Span
	open, close string
}

// render returns the archive with marks and the cursor.
func (f *fixture) render(marks []mark) string {
	var out strings.Builder
	for _, name := range f.names {
		var edits []text.Edit
		for _, m := range marks {
			if m.path == f.path(name) {
				edits = append(edits, text.Edit{Span: text.Span{Start: m.span.Start, End: m.span.Start}, New: m.open},
					text.Edit{Span: text.Span{Start: m.span.End, End: m.span.End}, New: m.close})
			}
		}
		if f.at == f.path(name) {
			edits = append(edits, text.Edit{Span: text.Span{Start: f.cursor, End: f.cursor}, New: "$0"})
		}
		content, err := text.Apply([]byte(f.files[name]), edits)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(&out, "-- %s --\n%s", name, content)
	}
	return out.String()
}

// underline returns the line of a span with carets below it.
func underline(src string, span text.Span) string {
	start := strings.LastIndexByte(src[:span.Start], '\n') + 1
	line, _, _ := strings.Cut(src[start:], "\n")
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, src[start:span.Start])
	return line + "\n" + pad + strings.Repeat("^", len([]rune(src[span.Start:span.End])))
}

func names(syms []index.Symbol) []string {
	out := make([]string, len(syms))
	for i, sym := range syms {
		out[i] = sym.Qualified()
	}
	return out
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
