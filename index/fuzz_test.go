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
		"impl A<T> for B::C { fn f(&self, (a, b): T) { match x { D::E(f) if f > 0 => self.g, H => 1 } } } use a::{self, b as c, *};",
		"int *f(int a, char *(*b)(int)) { struct x y = {.z = 1}; } typedef struct { int q; } r, *s; API t u(v);",
		"template<class T> T A<T>::B::f(T x) { return this->y; } namespace a::b { class C : D { ~C(); }; }",
		"package a.b; import c.d.*; class A<T> { int x, y; A() {} enum E { F { void g() {} } } record R(int i) {} }",
		"module A\n class B::C < D\n def self.x(*a, b: 1) = @c ||= 1\n end\nend", "<?php namespace A\\B; class C { public $d = 1; fn() => $this->d; }",
		"# A\n## B\n```go\nfunc f() {}\n```\n", "<h1 id=a>b</h1><script>function f() {}</script><style>.a { b: c }</style>", "a:\n  b: &c\n    d: *c\n",
		"{\"a\": {\"b\": [1, {\"c\": 2}]}}", "[a.b]\nc = { d = 1 }\n", ".a, #b > c { --d: e; } @keyframes f {}",
		"local a = require('b')\nfunction a.c:d() self.e = 1 end", "f() { local a=1; g \"$a\"; }\nexport B=2", "const A = struct { b: u8, fn c(self: A) void {} };",
		"let rec f ~a (b, c) = match b with { x; _ } -> M.g x and h = fun i -> i", "data A = B { c :: D } | E\nf (B x) = x\nf y | y = z where z = y",
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
