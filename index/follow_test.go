package index_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// sources are texts of each language that declare in every way there is.
func sources(tb testing.TB) map[string]string {
	tb.Helper()
	out := map[string]string{
		"repeats.py": "a = b = c = 1\nimport os\nb = 2\nfor i in range(3):\n    c = i\n\n@decorated\ndef f(x: int = 1) -> str:\n    global a\n    a = 3\n    def inner(): pass\n\nclass A(B):\n    k = 1\n    k = 2\n    def m(self):\n        self.v = 1\n        self.v = 2\n\nd = a = e = 4\nd = lambda q: q\n",
		"module.ts":  "import {a as b} from './x';\nexport class A { #p = () => this.q; f(x: A): A { return x.f(b); } }\nconst late = 1, other = () => late;\nfunction g() { function inner() {} }\nnamespace N { export const k = 1 }\nexport { late, g as h };\nenum E { One, Two = 2 }\nexport default g;\n",
		"broken.ts":  "impclclass C:\n    x = 1\n{} }\nrconst `() => 1;\ntype T st { A int }\nconst k = () => 1;\na = 1\nrn x.f(b); } }\nconst late = \"{ fun=>f() {}\nk };\nctype T stru : vo#id }\nrt {\"ce var x = 1\nd }\n#\n",
		"script.js":  "var x = 1;\nfunction f() { return x; }\nexports.g = function() {};\nclass C { static m() {} set v(w) {} }\nfor (var i = 0; i < 3; i++) {}\n",
		"view.tsx":   "import React from 'react';\nexport const View = ({a, b}: Props) => <div onClick={() => a(b)}>{b}</div>;\ninterface Props { a(b: string): void; b: string }\n",
		"broken.go":  "package p\nfunc (x *T[int]) F(a, b int) (c, d) { x := y.z{k: 1}; return }\ntype T struct { A, B int; C struct { D int } }\nfunc (\nvar V = 1\ntype I interface { M(); N() int }\n",
	}
	for _, name := range []string{"workspace.go", "extract.go", "search.go"} {
		src, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		out[name] = string(src)
	}
	goldens, err := filepath.Glob("testdata/outline/*.txt")
	if err != nil || len(goldens) == 0 {
		tb.Fatal(goldens, err)
	}
	for _, golden := range goldens {
		src, err := os.ReadFile(golden)
		if err != nil {
			tb.Fatal(err)
		}
		_, files := split(string(src))
		for name, content := range files {
			out[name] = content
		}
	}
	return out
}

// What is found step by step while somebody types is what is found in the end.
func TestIncrementalEqualsFresh(t *testing.T) {
	for name, src := range sources(t) {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, uint64(len(src))))
			typed := typing{ws: index.New(index.Options{}), path: "/w/" + name, src: src}
			typed.open(t)
			typed.edit(t, text.Span{}, "")
			typed.check(t)
			for range 60 {
				typed.edit(t, typed.anywhere(random), scraps[random.IntN(len(scraps))])
				typed.check(t)
			}
			if err := typed.ws.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Scraps are what random edits put in.
var scraps = []string{
	"", "", "", "x", "\n", " ", "(", ")", "{", "}", "\"", "ä", "func f() {}\n", "type T struct { A int }\n", "var x = 1\n", "package q\n",
	"def f(): pass\n", "class C:\n    x = 1\n", "a = 1\n", "import os\n", "export ", "const k = () => 1;\n", "class D { m() {} }\n",
	"export { k };\n", "/*", "*/", "`", "'", "//", "#", "=>", "<div>", "interface I { m(): void }\n",
}

func FuzzIncremental(f *testing.F) {
	for name, src := range sources(f) {
		f.Add(name, src, uint16(7), uint16(3), "x", uint16(90), uint16(1), "}\n")
		f.Add(name, src, uint16(100), uint16(40), "", uint16(30), uint16(0), "func f() {\n")
	}
	f.Fuzz(func(t *testing.T, name, src string, at, length uint16, put string, at2, length2 uint16, put2 string) {
		if len(src)+len(put)+len(put2) > 1<<16 {
			return
		}
		typed := typing{ws: index.New(index.Options{}), path: "/w/" + filepath.Base(name), src: src}
		typed.open(t)
		for _, e := range []text.Edit{span(at, length, put), span(at2, length2, put2), span(at, uint16(len(put)), "")} {
			end := min(e.Span.End, len(typed.src))
			typed.edit(t, text.Span{Start: min(e.Span.Start, end), End: end}, e.New)
			typed.check(t)
		}
		if err := typed.ws.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func span(at, length uint16, put string) text.Edit {
	return text.Edit{Span: text.Span{Start: int(at), End: int(at) + int(length)}, New: put}
}

// A typing is a document that somebody types into.
type typing struct {
	ws      *index.Workspace
	path    string
	src     string
	version int32
}

func (ty *typing) open(t *testing.T) {
	t.Helper()
	change(t, ty.ws, index.Modification{Action: index.Open, Path: ty.path, Text: []byte(ty.src)})
}

// anywhere returns a span of whole characters, often of a few letters.
func (ty *typing) anywhere(random *rand.Rand) text.Span {
	start := random.IntN(len(ty.src) + 1)
	end := min(start+random.IntN(1+random.IntN(40)), len(ty.src))
	for start > 0 && start < len(ty.src) && !utf8.RuneStart(ty.src[start]) {
		start--
	}
	for end < len(ty.src) && !utf8.RuneStart(ty.src[end]) {
		end++
	}
	return text.Span{Start: start, End: end}
}

func (ty *typing) edit(t *testing.T, at text.Span, put string) {
	t.Helper()
	ty.version++
	ty.src = ty.src[:at.Start] + put + ty.src[at.End:]
	change(t, ty.ws, index.Modification{
		Action: index.Edit, Path: ty.path, Version: ty.version, Edits: []text.Edit{{Span: at, New: put}},
	})
}

// check compares what the workspace finds with what one finds that sees the
// text for the first time. In broken text only the two roads inside the
// workspace must agree: recovery depends on what was there before.
func (ty *typing) check(t *testing.T) {
	t.Helper()
	snap := ty.ws.Snapshot()
	quick, err := snap.Symbols(t.Context(), ty.path)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := snap.OutlineOf(ty.path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole, quick); diff != "" {
		t.Fatalf("by chunks, not as a whole (-whole +chunks):\n%s\n%s", diff, ty.src)
	}
	fresh := index.New(index.Options{})
	change(t, fresh, index.Modification{Action: index.Open, Path: ty.path, Text: []byte(ty.src)})
	errs, err := fresh.Snapshot().Parses(t.Context(), ty.path, []byte(ty.src))
	if err != nil {
		t.Fatal(err)
	}
	if len(errs) > 0 {
		return
	}
	want, err := fresh.Snapshot().Symbols(t.Context(), ty.path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, quick); diff != "" {
		t.Fatalf("after typing (-fresh +incremental):\n%s\n%s", diff, ty.src)
	}
	got := usesOfMiddle(t, snap, ty.path, ty.src)
	if diff := cmp.Diff(usesOfMiddle(t, fresh.Snapshot(), ty.path, ty.src), got); diff != "" {
		t.Fatalf("references after typing (-fresh +incremental):\n%s", diff)
	}
}

// usesOfMiddle returns what the middle of the text refers to.
func usesOfMiddle(t *testing.T, snap *index.Snapshot, path, src string) []index.Reference {
	t.Helper()
	refs, err := snap.References(t.Context(), path, strings.LastIndexAny(src[:len(src)/2], " .\n(")+1)
	if err != nil {
		t.Fatal(err)
	}
	return refs
}
