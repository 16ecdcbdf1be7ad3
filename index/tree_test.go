package index_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/index/lang"
)

// At every offset, what is around it is nested and ends with the file.
func TestEnclosingsNest(t *testing.T) {
	for name, content := range map[string]string{
		"space.go":   "\n\n// c\npackage p\n\nfunc f() { s := \"a b\"; _ = s }\n\n\n",
		"empty.ts":   "",
		"crlf.ts":    "\r\n/* x */\r\nconst a = `x ${b} y`;\r\n",
		"blank.js":   "   \n  ",
		"page.html":  "<html>\n<script>\n  const a = f(\"x\");\n</script>\n</html>\n",
		"text.md":    "\n\n# t\n\n```go\npackage p\n```\n",
		"space.py":   "\n\n\ndef f():\n    \"\"\"doc\"\"\"\n    return 1\n\n\n",
		"broken.js":  "function f( { return [1, 2\n",
		"unicode.js": "const é = \"ü\"; // ß\n",
	} {
		if lang.Of(name, "") == nil {
			continue
		}
		f := loadFiles(t, []string{name}, map[string]string{name: content})
		for offset := range len(content) + 1 {
			spans, err := f.ws.Snapshot().Enclosings(t.Context(), f.path(name), offset)
			if err != nil {
				t.Fatal(err)
			}
			for i, span := range spans {
				if offset < span.Start || offset > span.End || i > 0 && (!span.Encloses(spans[i-1]) || span == spans[i-1]) {
					t.Fatalf("%s at %d: %v", name, offset, spans)
				}
			}
			if last := spans[len(spans)-1]; last.Start != 0 || last.End != len(content) {
				t.Fatalf("%s at %d: ends with %v, want all %d bytes", name, offset, last, len(content))
			}
		}
	}
}

// In a script, the nodes of the script are around the cursor.
func TestEnclosingsEmbedded(t *testing.T) {
	if lang.Of("a.html", "") == nil {
		t.Skip("this build does not know HTML")
	}
	f := load(t, "-- a.html --\n<p>\n<script>\nf(a + $0b);\n</script>\n</p>\n")
	spans, err := f.ws.Snapshot().Enclosings(t.Context(), f.at, f.cursor)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, span := range spans[:5] {
		got = append(got, f.files["a.html"][span.Start:span.End])
	}
	if diff := cmp.Diff([]string{"b", "a + b", "(a + b)", "f(a + b)", "f(a + b);"}, got); diff != "" {
		t.Errorf("around (-want +got):\n%s", diff)
	}
}
