package main

import (
	"strings"
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
	u.run("map", "--file", "").want(t, 2, "no file is named")
	u.write("other/sum.go", "package other\n")
	u.run("map", "other", "--file", "sum.go").want(t, 0, "sum.go (in focus")
	u.run("map", "other", "--file", "none.go").want(t, 1, u.path("other/none.go"))
	u.run("map", "--file", ".").want(t, 2, ". is a folder: name a file in it")
	u.run("map", "--focus", "sum", "--budget", "0").want(t, 2, "--budget 0 is no number of tokens")
}

func TestGraphCommand(t *testing.T) {
	u := mathUser(t)
	u.run("graph", "math.go:4").want(t, 0, "flowchart LR\n", "n0[\"Add<br/>math.go\"]", "n1 --> n0")
	got := decodeInto[graphOutput](t, u.run("graph", "math.go:4", "--json").out)
	if diff := cmp.Diff([]graphEdge{{From: 1, To: 0, Calls: 1, Certainty: "certain"}}, got.Edges); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	u.run("graph", "math.go:2").want(t, 1, "no declaration at math.go:2; agentls outline "+u.path("math.go")+" lists")
	u.run("graph", "").want(t, 2, "no file is named")
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
	u.run("map-eval", "--commits", "0").want(t, 2, "--commits 0: a number from 1")
	u.run("map-eval", "--skip", "-1").want(t, 2, "--skip -1: a number from 0")
	u.run("map-eval").want(t, 0, "2 commits, 2 files", "recall@10", "BM25")
}

// TestMapEvalWithNothingToMeasure: what is missing, where, and what to do. A
// program gets its report all the same where there is a history.
func TestMapEvalWithNothingToMeasure(t *testing.T) {
	u := newUser(t, map[string]string{"plain/a.go": "package a\n", "file": "", "empty/a.go": "package a\n"})
	u.git("init", "-q", "empty")
	u.git("init", "-q", "one")
	u.git("-C", "one", "commit", "-qm", "start", "--allow-empty")
	for _, c := range []struct{ repo, says string }{
		{"absent", u.path("absent") + " does not exist"},
		{"file", u.path("file") + " is not a folder"},
		{"", "--repo is empty"},
		{"plain", u.path("plain") + ": not a git repository"},
		{"empty", u.path("empty") + " has no commit yet"},
		{"one", "no commit changed a file that was there before"},
	} {
		u.run("map-eval", "--repo", c.repo).want(t, 1, c.says)
	}
	got := u.run("map-eval", "--repo", "one", "--json")
	got.want(t, 1, "no commit changed a file that was there before")
	if r := decodeInto[report](t, got.out); r.Commits != 0 || r.At != evalDepth {
		t.Errorf("the report is %+v", r)
	}
}

// TestMapEvalOfClones: a bare repository is measured as one with a working tree
// is, of a shallow one what there is, and one whose contents were left out is
// refused: its answers would be of other files than there were.
func TestMapEvalOfClones(t *testing.T) {
	u := newUser(t, map[string]string{"src/a.go": "package a\n", "src/it's \"b\".go": "package a\n"})
	u.git("-C", "src", "init", "-q")
	u.git("-C", "src", "config", "uploadpack.allowFilter", "true")
	u.git("-C", "src", "add", "-A")
	u.git("-C", "src", "commit", "-qm", "start")
	for _, message := range []string{"zebra", "giraffe: gr\xfcn", "okapi"} {
		u.write("src/it's \"b\".go", "package a\n\nvar _ = `"+strings.Repeat(message, 40)+"`\n")
		u.git("-C", "src", "commit", "-qam", message)
	}
	url := "file://" + u.path("src")
	u.git("clone", "-q", "--bare", "src", "bare")
	u.git("clone", "-q", "--depth", "2", url, "shallow")
	u.git("clone", "-q", "--no-checkout", "--filter=blob:none", url, "partial")
	for repo, commits := range map[string]int{"src": 3, "bare": 3, "src/.git": 3, "shallow": 1} {
		got := decodeInto[report](t, u.run("map-eval", "--repo", repo, "--commits", "9223372036854775807", "--json").out)
		if got.Commits != commits || got.Files != commits {
			t.Errorf("%s: the report is %+v, want %d commits", repo, got, commits)
		}
	}
	u.run("map-eval", "--repo", "partial").want(t, 1, u.path("partial")+" is a partial clone", "fetch --refetch --no-filter")
	u.git("-C", "partial", "fetch", "-q", "--refetch", "--no-filter")
	u.run("map-eval", "--repo", "partial").want(t, 0, "3 commits")
}
