package index_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/index/lang"
)

// Each archive is its own golden: References at $0 must mark «certain» and
// ‹possible› uses exactly as written.
var referenceCases = []struct{ name, archive string }{
	{"go function in its package and behind imports", `
-- go.mod --
module example.org/m
-- p/a.go --
package p

func «A$0dd»(a int) int { return a }

var _ = «Add»(1)
-- p/b.go --
package p

type T struct{ Add int }

func g(Add int) int { return Add }

func h() {
	Add := 1
	_ = T{Add: Add}
	_ = T{}.Add
}

func k() { «Add»(«Add»(1)) }
-- p/a_test.go --
package p_test

import "example.org/m/p"

var _ = p.«Add»(1)
-- q/q.go --
package q

import alias "example.org/m/p"

func Add() { alias.«Add»(2) }

func other(p struct{ Add func() }) { p.Add(); Add() }
-- r/r.go --
package r

import "other.org/p"

var _ = p.Add(1)
`},
	{"go local variable and shadowing", `
-- a.go --
package p

var x = 1

func f() int {
	«x» := x + 1
	if x := «x»$0; x > 0 {
		return x
	}
	return «x»
}
`},
	{"go keys by the type of the literal", `
-- a.go --
package p

type A struct{ «na$0me» string }

type B struct{ name string; a A }

var (
	_ = A{«name»: "x"}
	_ = &B{name: "x", a: A{«name»: "y"}}
	_ = []A{{‹name›: "z"}}
	name = "w"
	_ = map[string]int{‹name›: 1}
)
`},
	{"go parameter assigned again", `
-- a.go --
package p

func f(«c$0tx» int) {
	«ctx», cancel := g(«ctx»)
	func() { ctx := «ctx»; _ = ctx }()
	_ = «ctx»
}
`},
	{"go method by receiver type", `
-- a.go --
package p

type A struct{ b *B }

func (a *A) «R$0un»() {}

type B struct{}

func (B) Run() {}

func NewA() (*A, error) { return nil, nil }

func f(a A, b B, unknown interface{ Run() }) {
	a.«Run»()
	b.Run()
	v, err := NewA()
	v.«Run»()
	(&A{}).‹Run›()
	w := &A{}
	w.«Run»()
	w.b.Run()
	unknown.‹Run›()
	NewB().Run()
}

func NewB() *B { return nil }
`},
	{"go sole method is certain, packages are not receivers", `
-- a.go --
package p

import "os"

type A struct{}

func (A) «O$0nly»() {}

func f(x []A, file *os.File) {
	x[0].«Only»()
	os.Only()
	file.‹Only›()
}
`},
	{"go type", `
-- a.go --
package p

type «Th$0ing» struct{ next *«Thing» }

func (t *«Thing») Do(Thing string) []«Thing» { return nil }

func gen[Thing any](x Thing) Thing { return x }

func last(Thing *«Thing») («Thing», error) { return *Thing, nil }
`},
	{"typescript imports", `
-- a.ts --
export function «ad$0d»(a: number) { return a; }
const user = { add: 1, other: «add» };
function shadow(add: number) { return add; }
-- b.ts --
import { «add», add2 } from './a';
import { «add» as «plus» } from './a.js';
import * as ns from './a';
«add»(1); «plus»(2); ns.«add»(3); user.add();
-- c.ts --
import { add } from './other';
add(1);
-- d/index.ts --
export { «add» } from '../a';
-- e.ts --
import { «add» } from './d';
«add»(1);
-- f.ts --
import { «add» } from '@/a';
«add»(1);
-- src/x.ts --
export const y = 1;
-- other.ts --
export const add = 1;
`},
	{"typescript default export", `
-- a.ts --
export default class «Sh$0ape» {}
-- b.ts --
import «Any» from './a';
new «Any»();
`},
	{"typescript methods", `
-- a.ts --
class A {
  b: B = new B();
  «r$0un»() { this.«run»(); this.b.run(); }
}
class B { run() {} }
function f(a: A, b: B, c) {
  a.«run»(); b.run(); c.‹run›();
  const d = new A();
  d.«run»();
}
`},
	{"commonjs", `
-- a.js --
exports.«mak$0e» = function () {};
-- b.js --
const { «make» } = require('./a');
const a = require('./a');
«make»(); a.«make»();
`},
	{"python imports", `
-- pkg/__init__.py --
from .a import «Shape»
-- pkg/a.py --
class «Sh$0ape»:
    pass

def f(Shape):
    return Shape
-- use.py --
from pkg.a import «Shape» as «S»
from pkg import «Shape»
import pkg.a
from pkg import a as mod
x = [«S»(), «Shape»(), pkg.a.«Shape»(), mod.«Shape»()]
f(Shape=1)
-- other.py --
from elsewhere import Shape
Shape()
`},
	{"python scopes", `
-- a.py --
«cou$0nt» = 0

def up():
    global «count»
    «count» += 1

def local():
    count = 1
    return count

def reads(): return [«count» for x in y]
`},
	{"python methods", `
-- a.py --
class A:
    def «r$0un»(self): self.«run»()

class B:
    def run(self): self.run()

def f(a: A, b: B, c):
    a.«run»(); b.run(); c.‹run›()
    d = A()
    d.«run»()
`},
	{"javascript nested function", `
-- a.js --
function outer() {
  function «in$0ner»() { return «inner»; }
  return «inner»();
}
function inner() {}
`},
}

func TestReferences(t *testing.T) {
	for _, test := range referenceCases {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) { checkReferences(t, strings.TrimLeft(test.archive, "\n")) })
	}
}

// TestReferencesByLanguage does the same for the archives in
// testdata/references.
func TestReferencesByLanguage(t *testing.T) {
	archives, err := filepath.Glob("testdata/references/*.txt")
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
			checkReferences(t, string(content))
		})
	}
}

// isKnown reports whether this build has the language that an archive is named
// after; a lite build has few.
func isKnown(archive string) bool {
	name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(archive), ".txt"), "_")
	return lang.Of("", map[string]string{"bash": "shellscript"}[name]) != nil || lang.Of("", name) != nil
}

func checkReferences(t *testing.T, archive string) {
	t.Helper()
	for _, f := range []*fixture{load(t, archive), loadCRLF(t, archive)} {
		refs, err := f.ws.Snapshot().References(t.Context(), f.at, f.cursor)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(archive, strings.ReplaceAll(f.render(marks(refs)), "\r", "")); diff != "" {
			t.Errorf("references (-want +got):\n%s", diff)
		}
	}
}

func marks(refs []index.Reference) []mark {
	var out []mark
	for _, ref := range refs {
		if ref.Certainty == index.Certain {
			out = append(out, mark{ref.Path, ref.Span, "«", "»"})
			continue
		}
		out = append(out, mark{ref.Path, ref.Span, "‹", "›"})
	}
	return out
}

// The definitions of what is at $0 are marked.
var definitionCases = []struct{ name, archive string }{
	{"local before package", `
-- a.go --
package p

var x = 1

func f(«x» int) int { return x$0 }
`},
	{"own package before others", `
-- go.mod --
module m
-- a/a.go --
package a

func «New»() {}

var _ = N$0ew()
-- b/b.go --
package b

func New() {}
`},
	{"behind an import", `
-- go.mod --
module m
-- a/a.go --
package a

func New() {}
-- b/b.go --
package b

func «New»() {}
-- c.go --
package c

import "m/b"

var _ = b.N$0ew()
`},
	{"renamed import", `
-- a.py --
def «make»(): pass
-- b.py --
from a import make as create
create$0()
`},
	{"field of a field", `
-- a.go --
package p

type A struct{ b B }
type B struct{ «c» int }
type C struct{ c int }

func (a *A) f() int { return a.b.c$0 }
`},
	{"self attribute", `
-- a.py --
class A:
    def __init__(self):
        self.«size» = 1

    def f(self):
        return self.size$0
`},
	{"namespace", `
-- a.ts --
namespace N { export function «f»() {} }
namespace M { export function f() {} }
N.f$0();
`},
}

func TestDefinitions(t *testing.T) {
	for _, test := range definitionCases {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			f := load(t, test.archive)
			syms, err := f.ws.Snapshot().Definitions(t.Context(), f.at, f.cursor)
			if err != nil {
				t.Fatal(err)
			}
			var found []mark
			for _, sym := range syms {
				found = append(found, mark{sym.Path, sym.NameSpan, "«", "»"})
			}
			if diff := cmp.Diff(strings.TrimLeft(test.archive, "\n"), f.render(found)); diff != "" {
				t.Errorf("definitions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReferenceFields(t *testing.T) {
	f := load(t, `
-- a.go --
package p

func Add$0() {}

type T struct{}

func (T) Use() { Add() }

var _ = Add
`)
	refs, err := f.ws.Snapshot().ReferencesTo(t.Context(), f.symbol(t, "Add"))
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		In         string
		Definition bool
	}
	var got []row
	for _, ref := range refs {
		got = append(got, row{ref.In, ref.Definition})
	}
	if diff := cmp.Diff([]row{{"", true}, {"T.Use", false}, {"", false}}, got); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

const callsArchive = `
-- go.mod --
module m
-- a.go --
package p

func Base() int { return 1 }

func Middle() int { return Base() + Base() }

func Top() int { assist := func() int { return 1 }; return Middle() + assist() }

type T struct{}

func (t T) Method() { t.other(); Top() }

func (T) other() {}

var atTop = Base()

var notCalled = Base
-- a_test.go --
package p

import "testing"

func TestBase(t *testing.T) { Base() }

func TestTop(t *testing.T) { Top() }

func TestMethod(t *testing.T) { T{}.Method() }

func assistsTests() { Base() }
-- b.test.js --
import { run } from './b';
it('runs', () => { run(); });
-- b.js --
export function run() {}
`

func TestCalls(t *testing.T) {
	f := load(t, callsArchive)
	snap := f.ws.Snapshot()
	render := func(calls []index.Call, err error) []string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, c := range calls {
			out = append(out, c.Symbol.Qualified()+strings.Repeat("*", len(c.Sites))+" "+c.Certainty.String())
		}
		return out
	}
	for _, test := range []struct {
		name             string
		callers, callees []string
	}{
		{"Base", []string{"Middle** certain", "atTop* certain", "TestBase* certain", "assistsTests* certain"}, nil},
		{"Middle", []string{"Top* certain"}, []string{"Base** certain"}},
		{"T.Method", []string{"TestMethod* certain"}, []string{"T.other* certain", "Top* certain"}},
		{"run", []string{"b.test.js* certain"}, nil},
	} {
		sym := f.symbol(t, test.name)
		if diff := cmp.Diff(test.callers, render(snap.Callers(t.Context(), sym))); diff != "" {
			t.Errorf("callers of %s (-want +got):\n%s", test.name, diff)
		}
		if diff := cmp.Diff(test.callees, render(snap.Callees(t.Context(), sym))); diff != "" {
			t.Errorf("callees of %s (-want +got):\n%s", test.name, diff)
		}
	}
	for name, want := range map[string][]string{
		"Base": {"TestBase", "TestTop"}, "Top": {"TestTop", "TestMethod"}, "run": {"b.test.js"}, "T.other": {"TestMethod"},
	} {
		tests, err := snap.Tests(t.Context(), f.symbol(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, names(tests)); diff != "" {
			t.Errorf("tests of %s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSearch(t *testing.T) {
	f := load(t, `
-- net/server.go --
package net

type Server struct{ addr string }

func (s *Server) Serve() {}
func (s *Server) ServeHTTP() {}
func NewServer() {}
func observer() {}
-- web/handler.py --
def serve(): pass
class HTTPServer: pass
`)
	for _, test := range []struct {
		query string
		limit int
		want  []string
	}{
		{"Serve", 3, []string{"Server.Serve", "serve", "Server"}},
		{"Server.Serve", 2, []string{"Server.Serve", "Server.ServeHTTP"}},
		{"nsrv", 1, []string{"NewServer"}},
		{"hs", 1, []string{"HTTPServer"}},
		{"web/handler.py:serve", 5, []string{"serve", "HTTPServer"}},
		{"net.NewServer", 1, []string{"NewServer"}},
		{"zzz", 5, []string{}},
		{"", 5, []string{}},
		{"Serve", 0, []string{}},
	} {
		syms, err := f.ws.Snapshot().Search(t.Context(), test.query, test.limit)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, names(syms)); diff != "" {
			t.Errorf("Search(%q) (-want +got):\n%s", test.query, diff)
		}
	}
}
