package index_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/index/git"
)

// shop is a tree in several languages, one of which nobody parses.
const shop = `
-- go.mod --
module example.com/shop
-- cart/cart.go --
// Package cart holds what a customer wants to buy.
package cart

import "example.com/shop/price"

// A Cart is what one customer has chosen. It is not safe for two goroutines.
type Cart struct{ lines []Line }

// A Line is so many of one article.
type Line struct {
	Article string
	Count   int
}

// Total returns the price of everything, taxes included.
func (c *Cart) Total() int {
	sum := 0
	for _, l := range c.lines {
		sum += price.Of(l.Article) * l.Count
	}
	return price.WithTaxes(sum)
}

func (c *Cart) add(l Line) { c.lines = append(c.lines, l) }
-- cart/cart_test.go --
package cart

import "testing"

func TestTotal(t *testing.T) {
	c := &Cart{}
	c.add(Line{"tea", 2})
	if c.Total() != 5 {
		t.Error(c.Total())
	}
}
-- price/price.go --
// Package price knows what things cost.
package price

// Of returns the price of an article, in cents.
func Of(article string) int { return len(article) }

// WithTaxes adds the taxes.
func WithTaxes(cents int) int { return cents * 119 / 100 }
-- web/server.ts --
export class Server {
  /** Answers one request. */
  handle(path: string): string { return render(path); }
}
function render(path: string): string { return path; }
-- scripts/report.lua --
--- Prints how much was sold, with taxes.
local function report(sales) print(sales) end
-- docs/taxes.md --
# Taxes

Which taxes are added, and where.
-- vendor/other/price.go --
package other

// Of returns the price of an article, in cents.
func Of(article string) int { return 1 }
`

func TestMap(t *testing.T) {
	f := load(t, shop)
	m, err := f.ws.Snapshot().Map(t.Context(), index.Focus{
		Words: "cart: the total has taxes twice", Edited: []string{f.path("web/server.ts")},
	}, 400)
	if err != nil {
		t.Fatal(err)
	}
	checkGolden(t, filepath.Join("testdata", "map.golden"), m.Text())
}

// checkGolden compares got with a file, which -update rewrites.
func checkGolden(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

// ranks returns the paths of the best files, with their reasons.
func ranks(t *testing.T, snap *index.Snapshot, focus index.Focus) []string {
	t.Helper()
	found, err := snap.Rank(t.Context(), focus, 10)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range found {
		out = append(out, snap.Rel(f.Path)+": "+strings.Join(f.Reasons, "; "))
	}
	return out
}

func TestRankReasons(t *testing.T) {
	f := load(t, shop)
	snap := f.ws.Snapshot()
	total, err := snap.Search(t.Context(), "Total", 1)
	if err != nil || len(total) != 1 {
		t.Fatal(total, err)
	}
	cases := []struct {
		name  string
		focus index.Focus
		want  []string // the best, in order
	}{
		{"a language nobody parses", index.Focus{Words: "print what was sold"}, []string{"scripts/report.lua: says print, sold"}},
		{"an identifier", index.Focus{Words: "rename WithTaxes"}, []string{"price/price.go: declares WithTaxes, named in the task; says taxes; declares WithTaxes, used in cart/cart.go"}},
		{"a path", index.Focus{Words: "web/server.ts"}, []string{"web/server.ts: named in the task; says server, web"}},
		{"a file", index.Focus{Files: []string{f.path("cart/cart.go")}}, []string{"cart/cart.go: in focus", "cart/cart_test.go: test of cart/cart.go; uses Cart of cart/cart.go"}},
		{"a symbol", index.Focus{Symbols: total}, []string{
			"cart/cart.go: declares Cart.Total, in focus; tested by cart/cart_test.go; declares Cart, used in cart/cart_test.go",
			"cart/cart_test.go: test of cart/cart.go; uses Total of cart/cart.go", "price/price.go: declares WithTaxes, used in Cart.Total",
		}},
		{"an edit", index.Focus{Edited: []string{f.path("docs/taxes.md")}}, []string{"docs/taxes.md: edited lately"}},
		{"nothing", index.Focus{}, nil},
	}
	for _, c := range cases {
		got := ranks(t, snap, c.focus)
		if diff := cmp.Diff(c.want, got[:min(len(got), len(c.want))]); diff != "" || len(c.want) == 0 && len(got) > 0 {
			t.Errorf("%s (-want +got):\n%s\nall: %q", c.name, diff, got)
		}
	}
}

// TestRankOfMessages: of a commit's message counts what is said of the code, not
// who signed it, what it refers to, and the number of an issue before a colon,
// which is no part of the tree.
func TestRankOfMessages(t *testing.T) {
	f := load(t, `
-- split_ranges.go --
package p // ranges
-- zebra.go --
package p // zebra
-- giraffe.go --
package p // giraffe
-- okapi.go --
package p // okapi
-- gh/other.go --
package p // ranges, said between a lot of other words about this and that
`)
	for _, message := range []string{
		"Split ranges\n\nSigned-off-by: Ann Zebra <ann@giraffe.example>\nChange-Id: okapi\n",
		"Split ranges\n\n(cherry picked from commit 1234567 of okapi)\nCc: zebra\n",
		"Split ranges\n\nFixes: https://giraffe.example/okapi/1\nCloses #12 of zebra\n",
		"Split ranges\n\nAs zebra@giraffe.example says in http://okapi.example/zebra.\n",
		"gh-1234: split ranges",
	} {
		got := ranks(t, f.ws.Snapshot(), index.Focus{Words: message})
		if len(got) != 2 || !strings.HasPrefix(got[0], "split_ranges.go: ") || !strings.HasPrefix(got[1], "gh/other.go: ") {
			t.Errorf("%q finds %q", message, got)
		}
	}
	kept := "Split ranges\n\nSee giraffe.go. Fixes: the zebra\nNote: okapi@2 stays\n"
	if got := ranks(t, f.ws.Snapshot(), index.Focus{Words: kept}); len(got) != 5 {
		t.Errorf("%q finds %q", kept, got)
	}
}

// TestRankOfProse: code stands before prose that says the same, and both before
// what notes of a release say; what a task is about in them is found.
func TestRankOfProse(t *testing.T) {
	f := load(t, `
-- docs/releases/ranges.md --
ranges split
-- docs/ranges.md --
ranges split
-- src/ranges.py --
ranges = split
-- CHANGELOG.md --
ranges
`)
	want := []string{"src/ranges.py", "docs/ranges.md", "docs/releases/ranges.md", "CHANGELOG.md"}
	for i, found := range ranks(t, f.ws.Snapshot(), index.Focus{Words: "split ranges"}) {
		if path, _, _ := strings.Cut(found, ": "); path != want[i] {
			t.Errorf("%d is %s, want %s", i+1, found, want[i])
		}
	}
	if got := ranks(t, f.ws.Snapshot(), index.Focus{Words: "a line in the changelog"}); len(got) != 1 || !strings.HasPrefix(got[0], "CHANGELOG.md: ") {
		t.Errorf("the changelog is %q", got)
	}
}

// TestRankSeesDocuments: an open document counts as it is in the editor.
func TestRankSeesDocuments(t *testing.T) {
	f := load(t, shop)
	f.change(t, index.Modification{Action: index.Open, Path: f.path("web/server.ts"), Version: 1, Text: []byte("export function coupon() {}\n")})
	if got := ranks(t, f.ws.Snapshot(), index.Focus{Words: "coupon"}); len(got) != 1 || got[0] != "web/server.ts: says coupon" {
		t.Errorf("coupon is found in %q", got)
	}
	if got := ranks(t, f.ws.Snapshot(), index.Focus{Words: "render"}); len(got) > 0 {
		t.Errorf("what the document no longer says is found in %q", got)
	}
}

func (f *fixture) change(t *testing.T, mods ...index.Modification) {
	t.Helper()
	if err := f.ws.Change(mods...); err != nil {
		t.Fatal(err)
	}
}

// large is a tree of generated Go files about a handful of subjects.
func large(files int) string {
	random := rand.New(rand.NewPCG(1, 2))
	subjects := []string{"Cart", "Price", "Order", "Stock", "Mail", "Login", "Report", "Search"}
	var b strings.Builder
	for i := range files {
		subject := subjects[i%len(subjects)]
		fmt.Fprintf(&b, "-- %s/part%d.go --\npackage %s\n", strings.ToLower(subject), i, strings.ToLower(subject))
		for n := range 3 + random.IntN(12) {
			other := subjects[random.IntN(len(subjects))]
			fmt.Fprintf(&b, "\n// Load%s%d%d reads what %s needs of %s.\nfunc Load%s%d%d() { Load%s%d%d() }\n",
				other, i, n, subject, other, other, i, n, other, random.IntN(files), random.IntN(3))
		}
	}
	return b.String()
}

// TestMapBudget: a map never takes more than it may, says what it left out, and
// is the same each time.
func TestMapBudget(t *testing.T) {
	snap := load(t, large(60)).ws.Snapshot()
	focus := index.Focus{Words: "cart: load the price of an order"}
	for _, budget := range []int{1, 20, 100, 500, 1000, 4000, 16000} {
		m, err := snap.Map(t.Context(), focus, budget)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for i := range m.Files {
			sum += m.Files[i].Tokens
		}
		if size := index.TokensOf(len(m.Text())); m.Tokens > budget || size > budget || sum != m.Tokens {
			t.Errorf("budget %d: %d tokens, %d in files, %d of text", budget, m.Tokens, sum, size)
		}
		if budget <= 1000 && len(m.Dropped) == 0 {
			t.Errorf("budget %d: nothing was dropped", budget)
		}
		if budget == 1000 && m.Tokens < budget/2 {
			t.Errorf("budget %d: only %d tokens are used", budget, m.Tokens)
		}
		again, err := snap.Map(t.Context(), focus, budget)
		if diff := cmp.Diff(m, again, cmpopts.IgnoreUnexported(index.Map{})); diff != "" || err != nil {
			t.Errorf("budget %d: another map the second time, %v\n%s", budget, err, diff)
		}
		if !slices.IsSortedFunc(m.Files, func(a, b index.MapFile) int { return strings.Compare(a.Path, b.Path) }) {
			t.Errorf("budget %d: files are not in order", budget)
		}
	}
}

// TestMapIsStable: an edit of one file changes what the map says of this file,
// and of others only where they name it.
func TestMapIsStable(t *testing.T) {
	f := load(t, large(60))
	focus := index.Focus{Words: "cart: load the price of an order"}
	random := rand.New(rand.NewPCG(3, 4))
	before, err := f.ws.Snapshot().Map(t.Context(), focus, 2000)
	if err != nil || len(before.Files) < 10 {
		t.Fatalf("%d files, %v", len(before.Files), err)
	}
	const rounds = 40
	moved := 0
	for range rounds {
		path := f.path(f.names[random.IntN(len(f.names))])
		src, err := f.ws.Snapshot().ReadFile(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		edited := string(src) + []string{"\n// A note.\n", "\nfunc helper() int { return 1 }\n", "\n\n", "\nvar _ = 1\n"}[random.IntN(4)]
		f.change(t, index.Modification{Action: index.Open, Path: path, Version: 1, Text: []byte(edited)})
		after, err := f.ws.Snapshot().Map(t.Context(), focus, 2000)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(othersOf(before, path), othersOf(after, path)) {
			moved++
		}
		f.change(t, index.Modification{Action: index.Close, Path: path})
	}
	if moved > rounds/20 {
		t.Errorf("%d of %d edits changed what the map says of other files", moved, rounds)
	}
}

// othersOf returns what m says of all files but one.
func othersOf(m *index.Map, path string) []string {
	var texts []string
	for i := range m.Files {
		if m.Files[i].Path != path {
			texts = append(texts, m.Files[i].Text)
		}
	}
	return texts
}

// TestHistoryBefore: a ranking before a commit knows nothing of it, nor of what
// came after or on another branch, and files have the names of that time.
func TestHistoryBefore(t *testing.T) {
	root := t.TempDir()
	change := func(path string) []git.Change { return []git.Change{{Path: path, After: "1"}} }
	history := index.NewHistory(root, []git.Revision{
		{Hash: "5", Parents: []string{"4"}, Message: "invoices again", Changes: change("new.go")},
		{Hash: "4", Parents: []string{"2"}, Message: "move", Changes: []git.Change{{Path: "new.go", From: "old.go", Before: "1", After: "1"}}},
		{Hash: "3", Parents: []string{"1"}, Message: "invoices on a branch", Changes: change("branch.go")},
		{Hash: "2", Parents: []string{"1"}, Message: "invoices", Changes: change("old.go")},
		{Hash: "1", Message: "start", Changes: change("other.go")},
	})
	past := index.NewPast(root)
	files := map[string][]byte{}
	for _, name := range []string{"new.go", "old.go", "branch.go", "other.go"} {
		files[name] = []byte("package p\n")
	}
	if err := past.Set(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	focus := index.Focus{Words: "invoices"}
	for hash, want := range map[string][]string{
		"1": nil, "2": {"other.go: changed lately"},
		"4": {"old.go: changed for tasks like this; changed lately", "other.go: changed lately"},
		"5": {"new.go: changed for tasks like this; changed lately", "other.go: changed lately"},
	} {
		focus.Histories = []*index.History{history.Before(hash)}
		if diff := cmp.Diff(want, ranks(t, past.Snapshot(), focus)); diff != "" {
			t.Errorf("before commit %s (-want +got):\n%s", hash, diff)
		}
	}
}

// TestPast: a state in memory answers like one on disk, and the states it was
// before stay what they were.
func TestPast(t *testing.T) {
	f := load(t, shop)
	past := index.NewPast(f.dir)
	files := map[string][]byte{}
	for name, content := range f.files {
		files[name] = []byte(content)
	}
	if err := past.Set(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	focus := index.Focus{Words: "cart: the total has taxes twice"}
	onDisk, err := f.ws.Snapshot().Map(t.Context(), focus, 1000)
	if err != nil {
		t.Fatal(err)
	}
	before := past.Snapshot()
	if err := past.Set(t.Context(), map[string][]byte{"cart/cart.go": nil, "cart/tax.go": []byte("package cart\n\nfunc Taxes() {}\n")}); err != nil {
		t.Fatal(err)
	}
	held, err := before.Map(t.Context(), focus, 1000)
	if diff := cmp.Diff(onDisk, held, cmpopts.IgnoreUnexported(index.Map{})); diff != "" || err != nil {
		t.Errorf("%v (-disk +memory):\n%s", err, diff)
	}
	var paths []string
	for path := range past.Snapshot().Files() {
		paths = append(paths, past.Snapshot().Rel(path))
	}
	want := []string{"cart/cart_test.go", "cart/tax.go", "docs/taxes.md", "go.mod", "price/price.go", "scripts/report.lua", "vendor/other/price.go", "web/server.ts"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if syms, err := past.Snapshot().Symbols(t.Context(), f.path("cart/tax.go")); err != nil || len(syms) != 1 {
		t.Errorf("tax.go declares %v, %v", syms, err)
	}
}

// TestMapGivesUp: a caller does not wait for what the first map has to read, and
// the next one finds it read.
func TestMapGivesUp(t *testing.T) {
	f := load(t, "-- a.go --\npackage a\n\nfunc Area() {}\n")
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the user is gone")
	cancel(gone)
	if _, err := f.ws.Snapshot().Map(ctx, index.Focus{Words: "area"}, 100); !errors.Is(err, gone) {
		t.Errorf("cancelled: %v", err)
	}
	m, err := f.ws.Snapshot().Map(t.Context(), index.Focus{Words: "area"}, 100)
	if err != nil || len(m.Files) != 1 {
		t.Errorf("after that: %+v, %v", m, err)
	}
}

// TestHidden: what must not be named is none of the answers, and no reason for
// one; what is seen already counts for others.
func TestHidden(t *testing.T) {
	f := load(t, "-- area.go --\npackage a\n\nfunc Area() {}\n-- area_test.go --\npackage a\n\nfunc TestArea() { Area() }\n")
	area := f.path("area.go")
	rank := func(focus index.Focus) string {
		t.Helper()
		ranked, err := f.ws.Snapshot().Rank(t.Context(), focus, 9)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(ranked)
	}
	hidden := rank(index.Focus{Words: "area", Hidden: func(path string) bool { return path == area }})
	if strings.Contains(hidden, "/area.go") || strings.Contains(hidden, "of area.go") || !strings.Contains(hidden, "area_test.go") {
		t.Errorf("hidden: %s", hidden)
	}
	seen := rank(index.Focus{Words: "area", Seen: []string{area}})
	if strings.Contains(seen, "{"+area) || !strings.Contains(seen, "test of area.go") {
		t.Errorf("seen: %s", seen)
	}
}

// TestHistories: a history is read once for each commit that is checked out, and
// not waited for longer than the caller wants.
func TestHistories(t *testing.T) {
	dir := t.TempDir()
	commit := func(message string) {
		t.Helper()
		write(t, filepath.Join(dir, "a.go"), "package a // "+message+"\n")
		runGit(t, dir, "add", ".")
		runGit(t, dir, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", message)
	}
	runGit(t, dir, "init", "-q")
	commit("one")
	var histories index.Histories
	first := histories.Of(t.Context(), []string{dir, t.TempDir()})
	if again := histories.Of(t.Context(), []string{dir}); len(first) != 1 || again[0] != first[0] {
		t.Errorf("%v, then %v", first, again)
	}
	commit("two")
	if later := histories.Of(t.Context(), []string{dir}); len(later) != 1 || later[0] == first[0] {
		t.Errorf("another commit: %v", later)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if none := histories.Of(gone, []string{dir}); len(none) != 0 {
		t.Errorf("cancelled: %v", none)
	}
}

func runGit(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
}
