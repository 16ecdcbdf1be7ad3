package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMapCommand(t *testing.T) {
	u := mathUser(t)
	u.run("map", "--focus", "the sum is wrong").want(t, 0, "math.go (says sum)", "func Add(a, b int) int — Add returns the sum of a and b.")
	got := decodeInto[mapLines](t, u.run("map", "--file", "math.go", "--json", "--budget", "50").out)
	if len(got.Files) != 1 || got.Files[0].File != "math.go" || got.Files[0].Rank != 1 || got.Tokens > 50 || got.Tokens != got.Files[0].Tokens {
		t.Errorf("the map is %+v", got)
	}
	u.run("map", "--focus", "zebra").want(t, 1, "nothing in this workspace fits")
	u.run("map").want(t, 2, "say what the task is about")
	u.run("map", "--focus", "sum", "--budget", "0").want(t, 2, "--budget 0 is no number of tokens")
}

func TestGraphCommand(t *testing.T) {
	u := mathUser(t)
	u.run("graph", "math.go:4").want(t, 0, "flowchart LR\n", "n0[\"Add<br/>math.go\"]", "n1 --> n0")
	got := decodeInto[graphOutput](t, u.run("graph", "math.go:4", "--json").out)
	if diff := cmp.Diff([]graphEdge{{From: 1, To: 0, Calls: 1, Certainty: "certain"}}, got.Edges); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	u.run("graph", "math.go:2").want(t, 1, "no declaration at math.go:2")
	u.run("graph", "math.go").want(t, 2, "names no line")
	u.run("graph", "math.go:4", "--depth", "9").want(t, 2, "--depth is a number from 1 to 5")
}

// TestMapEval knows the answer: of the two commits with a file that was there
// before, the words of one name its file and those of the other stand nowhere.
// The commit's own content is not asked: it would tell.
func TestMapEval(t *testing.T) {
	u := newUser(t, map[string]string{"cart.go": "package p\n\nfunc cart() {}\n", "unrelated.go": "package p\n"})
	u.git("init", "-q")
	u.git("add", "-A")
	u.git("commit", "-qm", "start")
	for _, c := range []struct{ file, content, message string }{
		{"cart.go", "package p\n\nfunc cart() { zebra() }\n", "the cart is emptied"},
		{"unrelated.go", "package p\n\nfunc giraffe() {}\n", "giraffe"},
		{"new.go", "package p\n", "a file that was not there"},
	} {
		u.write(c.file, c.content)
		u.git("add", "-A")
		u.git("commit", "-qm", c.message)
	}
	got := decodeInto[report](t, u.run("map-eval", "--commits", "10", "--json", "--misses").out)
	if got.Commits != 2 || got.Files != 2 || got.Words.Recall != 0.5 || got.BM25.Recall != 0.5 || got.Map.Found < 1 {
		t.Errorf("the report is %+v", got)
	}
	u.run("map-eval", "--commits", "1").want(t, 1, "no commit changed a file that was there before")
	u.run("map-eval", "--commits", "0").want(t, 2, "--commits is a number from 1")
	u.run("map-eval").want(t, 0, "2 commits, 2 files", "recall@10", "BM25")
}
