package syntax_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	golang "github.com/tree-sitter/tree-sitter-go/bindings/go"
	python "github.com/tree-sitter/tree-sitter-python/bindings/go"

	"github.com/agentls/agentls/index/syntax"
)

const limit = 5 * time.Minute

func goLanguage() *syntax.Language {
	l := syntax.NewLanguage(golang.Language())
	actions := make([]syntax.Action, l.Kinds())
	for i := range actions {
		switch {
		case !l.IsNamed(uint16(i)):
			actions[i] = syntax.Hide
		case l.Kind(uint16(i)) == "interpreted_string_literal":
			actions[i] = syntax.Over
		}
	}
	l.Act(actions)
	return l
}

func parser(t *testing.T) *syntax.Parser {
	t.Helper()
	p := syntax.NewParser()
	t.Cleanup(p.Close)
	return p
}

// render writes nodes as a tree.
func render(l *syntax.Language, nodes []syntax.Node, src string) string {
	var b strings.Builder
	var write func(i, depth int)
	write = func(i, depth int) {
		n := nodes[i]
		kind := "ERROR"
		if n.Kind != syntax.IsError {
			kind = l.Kind(n.Kind)
		}
		fmt.Fprintf(&b, "%s%s %q", strings.Repeat(" ", depth), kind, src[n.Start:n.End])
		if n.Field != 0 {
			fmt.Fprintf(&b, " %s", l.FieldName(n.Field))
		}
		b.WriteByte('\n')
		for j := i + 1; j < int(n.Next); j = int(nodes[j].Next) {
			write(j, depth+1)
		}
	}
	write(0, 0)
	return b.String()
}

func TestParse(t *testing.T) {
	l := goLanguage()
	src := "package p; var x = \"a\\n\"\n"
	nodes, err := parser(t).Parse(l, []byte(src), limit)
	if err != nil {
		t.Fatal(err)
	}
	want := `source_file "package p; var x = \"a\\n\"\n"
 package_clause "package p"
  package_identifier "p"
 var_declaration "var x = \"a\\n\""
  var_spec "x = \"a\\n\""
   identifier "x" name
   expression_list "\"a\\n\"" value
    interpreted_string_literal "\"a\\n\""
`
	if diff := cmp.Diff(want, render(l, nodes, src)); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

// One parser takes empty, broken and foreign text, and other languages.
func TestParseAnything(t *testing.T) {
	p := parser(t)
	languages := []*syntax.Language{goLanguage(), syntax.NewLanguage(python.Language())}
	for _, src := range []string{"", "\xff\xfe\x00", "func (((", "def f(:\n\t\"\"\"", strings.Repeat("}", 1000), "{\"a\": [1, 2"} {
		for _, l := range languages {
			nodes, err := p.Parse(l, []byte(src), limit)
			if err != nil {
				t.Fatalf("%q: %v", src, err)
			}
			for i, n := range nodes {
				if n.Start > n.End || int(n.End) > len(src) || int(n.Next) <= i || int(n.Next) > len(nodes) {
					t.Fatalf("%q: node %d is %+v of %d", src, i, n, len(nodes))
				}
			}
		}
	}
}

func TestParseDeep(t *testing.T) {
	src := "package p\nvar x = " + strings.Repeat("(", 200_000) + strings.Repeat(")", 200_000)
	nodes, err := parser(t).Parse(goLanguage(), []byte(src), limit)
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes) < 200_000 {
		t.Errorf("%d nodes, want one for each of 200,000 brackets", len(nodes))
	}
}

// A parse that was given up leaves nothing to the next.
func TestTooSlow(t *testing.T) {
	p, l := parser(t), goLanguage()
	long := []byte("package p\n" + strings.Repeat("func f() { g(1, 2) }\n", 50_000))
	if _, err := p.Parse(l, long, time.Nanosecond); !errors.Is(err, syntax.ErrTooSlow) {
		t.Fatalf("error %v, want %v", err, syntax.ErrTooSlow)
	}
	nodes, err := p.Parse(l, []byte("package p\n"), limit)
	if err != nil {
		t.Fatal(err)
	}
	want := "source_file \"package p\\n\"\n package_clause \"package p\"\n  package_identifier \"p\"\n"
	if diff := cmp.Diff(want, render(l, nodes, "package p\n")); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

// Wherever a parse is given up, in the balancing of its tree at the end too, the
// next one is as of a new parser. (With a parser that was only reset, the core
// aborted the process.)
func TestTooSlowAnywhere(t *testing.T) {
	p, l := parser(t), goLanguage()
	long := []byte("package p\n" + strings.Repeat("func f() { g(1, 2) }\n", 4000))
	start := time.Now()
	if _, err := p.Parse(l, long, limit); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(start)
	for i := range 300 {
		if _, err := p.Parse(l, long, whole*time.Duration(i)/250); err != nil && !errors.Is(err, syntax.ErrTooSlow) {
			t.Fatal(err)
		}
		if nodes, err := p.Parse(l, []byte("package p\n"), limit); err != nil || len(nodes) != 3 {
			t.Fatal(i, len(nodes), err)
		}
	}
}

func TestFaults(t *testing.T) {
	tree, err := parser(t).ParseTree(goLanguage(), []byte("package p\nfunc f() {\n\tx :=\n\t!!\n"), limit)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	all := tree.Faults(100)
	if len(all) == 0 {
		t.Fatal("no faults in a broken text")
	}
	if one := tree.Faults(1); len(one) != 1 || one[0] != all[0] {
		t.Errorf("at most one fault: %v, want %v", one, all[:1])
	}
}

func TestNodesOfRange(t *testing.T) {
	src := "package p\n\n\nvar a = 1\n  \n\nvar b = 2\nvar c = 3\n"
	l := goLanguage()
	tree, err := parser(t).ParseTree(l, []byte(src), limit)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	for from := range len(src) {
		var got, want []string
		for _, decl := range []string{"package p", "var a = 1", "var b = 2", "var c = 3"} {
			if at := strings.Index(src, decl); at+len(decl) > from && at < from+5 {
				want = append(want, decl)
			}
		}
		nodes := tree.Nodes(from, from+5)
		for i := uint32(1); i < uint32(len(nodes)); i = nodes[i].Next {
			got = append(got, src[nodes[i].Start:nodes[i].End])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("five bytes from %d (-want +got):\n%s", from, diff)
		}
	}
}

func TestEditBetween(t *testing.T) {
	for _, c := range []struct {
		old, now string
		want     syntax.Edit
	}{
		{"", "", syntax.Edit{}},
		{"abc", "abc", syntax.Edit{Start: 3, End: 3, NewEnd: 3}},
		{"abc", "axc", syntax.Edit{Start: 1, End: 2, NewEnd: 2}},
		{"aaa", "aaaa", syntax.Edit{Start: 3, End: 3, NewEnd: 4}},
		{"äb", "öb", syntax.Edit{Start: 0, End: 2, NewEnd: 2}},
		{"aä", "aĤ", syntax.Edit{Start: 1, End: 3, NewEnd: 3}},
		{strings.Repeat("x", 1000) + "1" + strings.Repeat("y", 1000), strings.Repeat("x", 1000) + "22" + strings.Repeat("y", 1000), syntax.Edit{Start: 1000, End: 1001, NewEnd: 1002}},
	} {
		if got := syntax.EditBetween([]byte(c.old), []byte(c.now)); got != c.want {
			t.Errorf("from %.20q to %.20q: %+v, want %+v", c.old, c.now, got, c.want)
		}
	}
}

func FuzzReparse(f *testing.F) {
	f.Add("package p\nfunc f() {}\nvar x = 1\n", "package p\nfunc g() {}\nvar x = 1\n")
	f.Add("package p\n", "")
	f.Add("ä\xffx", "\xff")
	l := goLanguage()
	f.Fuzz(func(t *testing.T, old, now string) {
		p := syntax.NewParser()
		defer p.Close()
		tree, err := p.ParseTree(l, []byte(old), limit)
		if err != nil {
			return // too slow
		}
		edit := syntax.EditBetween([]byte(old), []byte(now))
		if old[:edit.Start] != now[:edit.Start] || old[edit.End:] != now[edit.NewEnd:] {
			t.Fatalf("%+v does not make %q of %q", edit, now, old)
		}
		tree, changed, err := tree.Reparse([]byte(old), []byte(now), edit, limit)
		if err != nil {
			return // too slow
		}
		defer tree.Close()
		if changed.Start > edit.Start || changed.End < edit.End || changed.NewEnd < edit.NewEnd || changed.NewEnd-changed.End != edit.NewEnd-edit.End {
			t.Fatalf("changed %+v by %+v", changed, edit)
		}
		broken := len(tree.Faults(1)) > 0
		got := render(l, tree.Nodes(0, len(now)+1), now)
		nodes, err := p.Parse(l, []byte(now), limit)
		if err != nil {
			return // too slow
		}
		if want := render(l, nodes, now); got != want && !broken { // recovery depends on what was there before
			t.Errorf("reparsed (-fresh +reparsed):\n%s", cmp.Diff(want, got))
		}
	})
}
