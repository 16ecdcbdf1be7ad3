package lsp

import (
	"context"
	"io/fs"
	"testing"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

// oneFile is a source of one file.
type oneFile struct{ path, content string }

func (f oneFile) ReadFile(_ context.Context, path string) ([]byte, error) {
	if path != f.path {
		return nil, fs.ErrNotExist
	}
	return []byte(f.content), nil
}

// TestRebaseFollowsAMethod that the user moved below another one.
func TestRebaseFollowsAMethod(t *testing.T) {
	const (
		path  = "/w/a.go"
		sum   = "// Sum adds.\nfunc (t T) Sum() int {\n\treturn 1 +\n\t\t2\n}\n"
		other = "func (t T) Product() int {\n\ta := 1\n\tb := 2\n\tc := 3\n\treturn a * b * c\n}\n"
		after = "// Sum adds.\nfunc (t T) Sum() int {\n\treturn 1 +\n\t\t3\n}\n"
	)
	f, err := edits.NewModify(path, []byte("package a\n\n"+sum+"\n"+other), []byte("package a\n\n"+after+"\n"+other))
	if err != nil {
		t.Fatal(err)
	}
	cs := &edits.ChangeSet{Files: []edits.FileChange{f}}
	now := oneFile{path, "package a\n\n" + other + "\n" + sum}
	if _, conflicts, err := edits.Rebase(t.Context(), cs, now); err != nil || len(conflicts) == 0 {
		t.Fatal("without the index it is no conflict: this shows nothing")
	}
	got, conflicts, err := edits.Rebase(t.Context(), cs, anchored{Source: now})
	if err != nil || len(conflicts) > 0 {
		t.Fatal(conflicts, err)
	}
	if after := string(got.Files[0].After()); after != "package a\n\n"+other+"\n// Sum adds.\nfunc (t T) Sum() int {\n\treturn 1 +\n\t\t3\n}\n" {
		t.Errorf("it leads to %q", after)
	}
}

// TestReviewFollowsToAnotherFile: a hunk is shown, accepted and undone in the
// file to which the user moved its function.
func TestReviewFollowsToAnotherFile(t *testing.T) {
	const (
		top    = "package a\n\n"
		sum    = "func Sum(a, b int) int {\n\tfirst := a\n\tsecond := b\n\treturn first - second\n}\n"
		after  = "func Sum(a, b int) int {\n\tfirst := a\n\tsecond := b\n\treturn first + second\n}\n"
		stays  = "func Stays() {}\n"
		edited = "// Sum is mine.\n"
	)
	w := newWorld(t, map[string]string{"a.go": top + sum + "\n" + stays, "b.go": top})
	w.runner = runner(func(_ context.Context, snap *index.Snapshot, _ agent.Task, _ agent.Sink) (*agent.Result, error) {
		f, err := edits.NewModify(snap.Roots()[0]+"/a.go", []byte(top+sum+"\n"+stays), []byte(top+after+"\n"+stays))
		return &agent.Result{Change: &edits.ChangeSet{ID: "cs1", Title: "Add", Files: []edits.FileChange{f}}, Source: "test"}, err
	})
	w.model = "some-model"
	e := w.start(t)
	a, b := e.open("a.go"), e.open("b.go")
	run := must[startedResult](e, "agentls.change", changeParams{place: e.at("a.go", "Sum"), Instruction: "add"})
	e.eventOf(RunDone, run.Run)
	e.marked(map[string]int{"a.go": 1})

	e.setText(a, top+stays)
	e.setText(b, top+edited+sum)
	e.marked(map[string]int{"b.go": 1})
	must[applyResult](e, "agentls.changes.accept", hunkParams{ChangeSet: "cs1", URI: fileURI(b), Hunk: 1})
	if e.text(a) != top+stays || e.text(b) != top+edited+after {
		t.Errorf("a.go is %q, b.go %q", e.text(a), e.text(b))
	}
	e.marked(map[string]int{})
	if list := must[listResult](e, "agentls.changes.list", listParams{}); len(list.Proposals) != 0 {
		t.Errorf("still proposed: %+v", list.Proposals)
	}
	must[applyResult](e, "agentls.changes.undo", undoParams{})
	if e.text(b) != top+edited+sum {
		t.Errorf("b.go is %q after undo", e.text(b))
	}
}
