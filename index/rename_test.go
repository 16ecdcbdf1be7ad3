package index_test

import (
	"errors"
	"strings"
	"testing"

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
	{"a member of a class without a name", "java", "class without a name", `
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
	{"what a template without a name has", "scala", "class without a name", `
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
	{"what an interface without a name asks for", "go", "a.go:7 has a method Run", `
-- a.go --
package p

type A struct{}

func (A) Ru$0n() {}

func use(r interface{ Run() }) { r.Run() }
`},
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
