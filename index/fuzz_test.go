package index_test

import (
	"strings"
	"testing"
	"time"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// FuzzIndex takes arbitrary bytes as each language: nothing panics, and every
// span lies in the text.
func FuzzIndex(f *testing.F) {
	for _, seed := range []string{
		"", "package p\nfunc (x *T[int]) F(a, b int) (c, d) { x := y.z{k: 1}; return }",
		"import {a as b} from './x'; export default class A { #p = () => this.q; static {} } const {c, d: e = 1} = f",
		"class A(B):\n  def f(self, *a, **k): self.x = 1; global y\nfrom . import (a as b, c)\nimport x.y",
		"func func func ((((", "type T struct { T", "\xff\xfe{}", "def\tf(:\n\"\"\"", "export {", "enum E { A,", "namespace A.B.C {}",
		"import", "from .import", "(x", "const {", "require('a')", "exports .A=0", "exports.a.b = c", "lambda: (yield)", "«$0»",
	} {
		for lang := range index.Languages() {
			f.Add([]byte(seed), uint8(lang))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, lang uint8) {
		languages := index.Languages()
		ws := index.New(index.Options{Roots: []string{"/w"}})
		name := languages[int(lang)%len(languages)]
		if err := ws.Change(index.Modification{Action: index.Open, Path: "/w/x", Version: 1, Language: name, Text: src}); err != nil {
			t.Fatal(err)
		}
		snap := ws.Snapshot()
		inside := func(what string, span text.Span) {
			if span.Start < 0 || span.End < span.Start || span.End > len(src) {
				t.Fatalf("%s: span %v of a text of %d bytes", what, span, len(src))
			}
		}
		syms, err := snap.Symbols(t.Context(), "/w/x")
		if err != nil {
			t.Fatal(err)
		}
		for i, sym := range syms {
			inside("symbol", sym.Span)
			inside("name", sym.NameSpan)
			if string(src[sym.NameSpan.Start:sym.NameSpan.End]) != sym.Name {
				t.Fatalf("the name span of %s holds something else", sym.Name)
			}
			if i > 20 {
				continue
			}
			if _, err := snap.Doc(t.Context(), sym); err != nil {
				t.Fatal(err)
			}
			if _, err := snap.Signature(t.Context(), sym); err != nil {
				t.Fatal(err)
			}
			if _, err := snap.Callees(t.Context(), sym); err != nil {
				t.Fatal(err)
			}
		}
		for offset := 0; offset < len(src); offset += 1 + len(src)/20 {
			if _, span, ok, _ := snap.At(t.Context(), "/w/x", offset); ok {
				inside("identifier", span)
			}
			refs, err := snap.References(t.Context(), "/w/x", offset)
			if err != nil {
				t.Fatal(err)
			}
			for _, ref := range refs {
				inside("reference", ref.Span)
			}
		}
		errs, err := snap.Parses(t.Context(), "/w/x", src)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range errs {
			inside("error", e.Span)
		}
	})
}

// Files that nest as deep as they are long take no longer than others.
func TestHostileNesting(t *testing.T) {
	for name, src := range map[string]string{
		"blocks.go":    "package p\nfunc f() {" + strings.Repeat("{b\n", 30_000) + "{ b := 1; _ = b }",
		"functions.js": strings.Repeat("function aaaaaaaaaa() {", 10_000),
		"classes.py":   strings.Repeat("class A: x = 1\n", 20_000),
		"exports.js":   strings.Repeat("exports.a.b = 1; exports.", 10_000),
		"brackets.go":  "package p\nvar x = " + strings.Repeat("(\n", 100_000),
		"types.ts":     "type A = " + strings.Repeat("Array<\n", 50_000),
	} {
		ws := index.New(index.Options{})
		change(t, ws, index.Modification{Action: index.Open, Path: "/w/" + name, Version: 1, Text: []byte(src)})
		start := time.Now()
		if _, err := ws.Snapshot().Symbols(t.Context(), "/w/"+name); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}
