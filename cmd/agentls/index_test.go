package main

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func decodeInto[T any](t *testing.T, out string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return v
}

func TestIndexFigures(t *testing.T) {
	u := mathUser(t)
	for _, c := range []struct {
		args []string
		mode string
	}{{nil, "cold"}, {nil, "segment"}, {[]string{"--fresh"}, "cold"}} {
		got := decodeInto[indexFigures](t, u.run(append([]string{"index", "--json"}, c.args...)...).out)
		if got.Seconds <= 0 || got.Rate <= 0 || got.RSS < 1<<20 || got.OnDisk <= 0 || got.Workers < 1 || got.Bytes <= 0 {
			t.Errorf("%v: figures %+v", c.args, got)
		}
		got.Seconds, got.Rate, got.RSS, got.OnDisk, got.Workers, got.Bytes = 0, 0, 0, 0, 0, 0
		want := indexFigures{
			Files: 2, Lines: 7, Symbols: 2, References: got.References, Mode: c.mode,
			Languages: map[string]int{"go": 1}, Skipped: map[string]int{},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.args, diff)
		}
	}
}

func TestQueriesAsJSON(t *testing.T) {
	u := mathUser(t)
	syms := decodeInto[[]symbolLine](t, u.run("symbols", "--json", "--limit", "1", "tw").out)
	twice := symbolLine{Name: "twice", Kind: "function", File: "math.go", Line: 6, Column: 6, EndLine: 6}
	if diff := cmp.Diff([]symbolLine{twice}, syms, cmp.AllowUnexported(symbolLine{})); diff != "" {
		t.Errorf("symbols (-want +got):\n%s", diff)
	}
	add := symbolLine{Name: "Add", Kind: "function", File: "math.go", Line: 4, Column: 6, EndLine: 4}
	outline := decodeInto[[]symbolLine](t, u.run("outline", "--json", "math.go").out)
	if diff := cmp.Diff([]symbolLine{add, twice}, outline, cmp.AllowUnexported(symbolLine{})); diff != "" {
		t.Errorf("outline (-want +got):\n%s", diff)
	}
	refs := decodeInto[[]symbolLine](t, u.run("refs", "--json", "--dir", ".", "math.go:4:6").out)
	add.Certainty, add.Definition, add.Text = "certain", true, "func Add(a, b int) int { return a + b }"
	use := symbolLine{
		Name: "Add", Kind: "function", Container: "twice", File: "math.go", Line: 6, Column: 32, EndLine: 6,
		Certainty: "certain", Text: "func twice(n int) int { return Add(n, n) }",
	}
	if diff := cmp.Diff([]symbolLine{add, use}, refs, cmp.AllowUnexported(symbolLine{})); diff != "" {
		t.Errorf("refs (-want +got):\n%s", diff)
	}
	if none := u.run("symbols", "--json", "zzzz").out; none != "[]\n" {
		t.Errorf("nothing found: %q", none)
	}
}
