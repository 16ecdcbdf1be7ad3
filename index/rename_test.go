package index_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// What is renamed at $0 must be refused, and the reason hold the text.
var refusedRenames = []struct{ name, language, reason, archive string }{
	{"what a class without a name has too", "java", "A.java:3 has a run too", `
-- A.java --
interface Runner { void ru$0n(); }
class A {
    Runner r = new Runner() { public void run() {} };
}
`},
	{"a member of a class without a name", "java", "without a name", `
-- A.java --
interface Runner { void run(); }
class A {
    Runner r = new Runner() { public void ru$0n() {} };
}
`},
	{"what an object without a name has too", "kotlin", "a.kt:6 has a run too", `
-- a.kt --
interface Runner {
    fun ru$0n(): Unit
}
class A {
    fun go() {
        use(object : Runner() { override fun run() {} })
    }
}
`},
	{"what a template without a name has", "scala", "without a name", `
-- a.scala --
trait Runner { def run(): Unit }
class A {
  def go() = new Runner { def ru$0n(): Unit = {} }
}
`},
	{"what a class of PHP without a name has too", "php", "a.php:4 has a run too", `
-- a.php --
<?php
class Runner { function ru$0n() {} }
function make() {
    return new class extends Runner { function run() {} };
}
`},
	{"what the parameter of a functor has", "ocaml", "without a name", `
-- a.ml --
module Make (Ord : sig val com$0pare : int -> int -> int end) = struct
  let cmp a b = Ord.compare a b
end
`},
	{"a label that a call gives", "ocaml", "passes an argument by the name label", `
-- a.ml --
let f ~la$0bel () = label + 1
let g label = f ~label ()
`},
	{"what is embedded where an interface asks for it", "go", "Square may have to implement it", `
-- a.go --
package p

type Shape interface {
	Area() int
	Name() string
}

type Base struct{}

func (Base) Na$0me() string { return "" }

type Square struct{ Base }

func (Square) Area() int { return 1 }
`},
	{"what an interface without a name asks for", "go", "a.go:7 has a method Run", `
-- a.go --
package p

type A struct{}

func (A) Ru$0n() {}

func use(r interface{ Run() }) { r.Run() }
`},
}

// What is renamed to fresh at $0 must read as the archive behind it does.
var renames = []struct{ name, language, before, after string }{
	{"a field that stands for its value too", "ocaml", `
-- a.ml --
type t = { na$0me : string }
let show { name } = name
let make name = { name }
`, `
-- a.ml --
type t = { fresh : string }
let show { fresh = name } = name
let make name = { fresh = name }
`},
	{"a parameter that is a field and a label too", "ocaml", `
-- a.ml --
type t = { name : string }
let f ~name () = name
let make na$0me = { name }, f ~name ()
`, `
-- a.ml --
type t = { name : string }
let f ~name () = name
let make fresh = { name = fresh }, f ~name:fresh ()
`},
	{"a function of one module alone", "ocaml", `
-- a.ml --
let he$0lp x = x
-- b.ml --
let help x = A.help x
`, `
-- a.ml --
let fresh x = x
-- b.ml --
let help x = A.fresh x
`},
	{"a function of one module of Rust alone", "rust", `
-- Cargo.toml --
[package]
name = "m"
-- src/lib.rs --
mod a;
mod b;
-- src/a.rs --
pub fn he$0lp() {}
-- src/b.rs --
fn help() { crate::a::help() }
`, `
-- Cargo.toml --
[package]
name = "m"
-- src/lib.rs --
mod a;
mod b;
-- src/a.rs --
pub fn fresh() {}
-- src/b.rs --
fn help() { crate::a::fresh() }
`},
}

func TestRenames(t *testing.T) {
	for _, test := range renames {
		if !isKnown(test.language + ".txt") {
			continue
		}
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			f := load(t, test.before)
			renaming, err := f.ws.Snapshot().Rename(t.Context(), f.at, f.cursor, "fresh")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimLeft(test.after, "\n"), f.edited(t, renaming.Edits)); diff != "" {
				t.Errorf("renamed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusedRenames(t *testing.T) {
	for _, test := range refusedRenames {
		if !isKnown(test.language + ".txt") {
			continue
		}
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			f := load(t, test.archive)
			_, err := f.ws.Snapshot().Rename(t.Context(), f.at, f.cursor, "fresh")
			if !errors.Is(err, index.ErrUnsafe) || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("renamed, or refused for another reason: %v; want %q", err, test.reason)
			}
		})
	}
}

// edited returns the archive with edits made.
func (f *fixture) edited(t *testing.T, edits map[string][]text.Edit) string {
	t.Helper()
	var out strings.Builder
	for _, name := range f.names {
		content, err := text.Apply([]byte(f.files[name]), edits[f.path(name)])
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "-- %s --\n%s", name, content)
	}
	return out.String()
}
