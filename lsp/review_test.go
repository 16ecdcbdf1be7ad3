package lsp

import (
	"context"
	"errors"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

const (
	aBefore = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n"
	aAfter  = "one\nTWO\nthree\nfour\nfive\nSIX\nseven\n"
	bBefore = "alpha\nbeta\n"
	bAfter  = "alpha\nBETA\n"
)

// proposer is a runner that proposes to change a.txt in two places, b.txt in
// one, and to create new/c.txt.
func proposer(id string) runner {
	return func(ctx context.Context, snap *index.Snapshot, _ agent.Task, _ agent.Sink) (*agent.Result, error) {
		root := snap.Roots()[0]
		a, err := snap.ReadFile(ctx, root+"/a.txt")
		if err != nil {
			return nil, err
		}
		changed := strings.NewReplacer("two", "TWO", "six", "SIX").Replace(string(a))
		inA, errA := edits.NewModify(root+"/a.txt", a, []byte(changed))
		inB, errB := edits.NewModify(root+"/b.txt", []byte(bBefore), []byte(bAfter))
		inC, errC := edits.NewCreate(root+"/new/c.txt", []byte("gamma\n"), 0)
		cs := &edits.ChangeSet{ID: id, Title: "Shout", Files: []edits.FileChange{inA, inB, inC}}
		return &agent.Result{Answer: "Done.", Change: cs, Source: "test"}, errors.Join(errA, errB, errC)
	}
}

func proposalWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, map[string]string{"a.txt": aBefore, "b.txt": bBefore})
	w.model, w.runner = "some-model", proposer("cs1")
	return w
}

// propose opens a.txt and has the runner propose.
func propose(t *testing.T, e *editor) (a string) {
	t.Helper()
	a = e.open("a.txt")
	run := must[startedResult](e, "agentls.change", changeParams{place: e.at("a.txt", "one"), Instruction: "shout"})
	if ev := e.eventOf(RunDone, run.Run); ev.ChangeSet != "cs1" {
		t.Fatalf("run.done says change set %q, want cs1", ev.ChangeSet)
	}
	e.marked(map[string]int{"a.txt": 2, "b.txt": 1})
	return a
}

// TestReview: hunks are diagnostics; one is rejected; the user types on; apply
// reaches the open document and the closed files; undo and redo keep what the
// user typed.
func TestReview(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	a := propose(t, e)
	e.setText(a, "zero\n"+aBefore) // the user types meanwhile

	must[rejectResult](e, "agentls.changes.reject", hunkParams{ChangeSet: "cs1", URI: fileURI(a), Hunk: 2})
	e.marked(map[string]int{"a.txt": 1, "b.txt": 1})

	done := must[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: "cs1"})
	if len(done.Conflicts) > 0 || len(done.Files) != 3 || len(done.Unsaved) != 1 {
		t.Fatalf("apply: %+v", done)
	}
	wantA := "zero\none\nTWO\nthree\nfour\nfive\nsix\nseven\n"
	if got := e.text(a); got != wantA {
		t.Errorf("a.txt in the editor is %q, want %q", got, wantA)
	}
	wantDisk := map[string]string{"a.txt": aBefore, "b.txt": bAfter, "new/c.txt": "gamma\n"}
	if diff := cmp.Diff(wantDisk, w.disk(t)); diff != "" {
		t.Errorf("disk after apply (-want +got):\n%s", diff)
	}
	e.marked(map[string]int{})

	e.setText(a, wantA+"eight\n") // and types on
	if undone := must[applyResult](e, "agentls.changes.undo", undoParams{}); len(undone.Conflicts) > 0 {
		t.Fatalf("undo: %+v", undone)
	}
	if got, want := e.text(a), "zero\n"+aBefore+"eight\n"; got != want {
		t.Errorf("a.txt after undo is %q, want %q", got, want)
	}
	if diff := cmp.Diff(map[string]string{"a.txt": aBefore, "b.txt": bBefore}, w.disk(t)); diff != "" {
		t.Errorf("disk after undo (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(w.path("new")); err == nil {
		t.Error("undo left the folder it had made")
	}

	must[applyResult](e, "agentls.changes.redo", redoParams{})
	if got, want := e.text(a), wantA+"eight\n"; got != want {
		t.Errorf("a.txt after redo is %q, want %q", got, want)
	}
	if got := w.disk(t)["new/c.txt"]; got != "gamma\n" {
		t.Errorf("new/c.txt after redo is %q", got)
	}
}

// TestAcceptOneHunk: an accepted hunk is an entry of its own, the rest waits.
func TestAcceptOneHunk(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	a := propose(t, e)
	must[applyResult](e, "agentls.changes.accept", hunkParams{ChangeSet: "cs1", URI: fileURI(a), Hunk: 2})
	if got, want := e.text(a), strings.Replace(aBefore, "six", "SIX", 1); got != want {
		t.Errorf("a.txt is %q, want %q", got, want)
	}
	e.marked(map[string]int{"a.txt": 1, "b.txt": 1})
	must[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: "cs1"})
	if got := e.text(a); got != aAfter {
		t.Errorf("a.txt is %q, want %q", got, aAfter)
	}
	list := must[listResult](e, "agentls.changes.list", listParams{})
	if len(list.Entries) != 2 || len(list.Proposals) != 0 {
		t.Errorf("list: %+v, want two entries and no proposal", list)
	}
	must[applyResult](e, "agentls.changes.undo", undoParams{Entry: list.Entries[1].ID}) // the first accept
	if got, want := e.text(a), strings.Replace(aBefore, "two", "TWO", 1); got != want {
		t.Errorf("a.txt after undoing the first entry is %q, want %q", got, want)
	}
	must[applyResult](e, "agentls.changes.redo", redoParams{URI: fileURI(a), Hunk: 2})
	if got := e.text(a); got != aAfter {
		t.Errorf("a.txt after redoing the hunk is %q, want %q", got, aAfter)
	}
}

// TestConflict: what the user typed into the same line is never overwritten.
func TestConflict(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	a := propose(t, e)
	typed := strings.Replace(aBefore, "two", "my own two", 1)
	e.setText(a, typed)
	before := w.disk(t)
	got := must[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: "cs1"})
	if len(got.Conflicts) != 1 || got.Conflicts[0].Ours != "TWO\n" || got.Conflicts[0].Theirs != "my own two\n" {
		t.Fatalf("conflicts: %+v", got.Conflicts)
	}
	if e.text(a) != typed || !maps.Equal(before, w.disk(t)) {
		t.Error("a conflict changed something")
	}
	actions := actionsAt(t, e, placeAt(a, 1))
	if len(actions) == 0 || !strings.HasPrefix(actions[0].Disabled.Reason, "conflict: ") {
		t.Errorf("the hunk in conflict can still be accepted: %+v", actions)
	}
}

func placeAt(path string, line uint32) place {
	p := protocol.Position{Line: line}
	return place{URI: fileURI(path), Range: protocol.Range{Start: p, End: p}}
}

// TestReviewActions: what a client without a plugin can do at a hunk, and in
// the diff document, where the file that does not exist yet appears.
func TestReviewActions(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	a := propose(t, e)
	var titles []string
	for _, action := range actionsAt(t, e, placeAt(a, 1)) {
		if *action.Kind == kindReview {
			titles = append(titles, action.Title)
		}
	}
	want := []string{
		"Accept hunk: Shout: replaces 1 line by 1", "Reject hunk: Shout: replaces 1 line by 1",
		"Accept file: a.txt", "Accept all: 4 hunks of Shout", "Show diff: Shout",
	}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Errorf("at a hunk (-want +got):\n%s", diff)
	}
	diff := must[diffResult](e, "agentls.changes.diff", changeSetParams{ChangeSet: "cs1"})
	e.openText(diff.Path, diff.Text)
	line := strings.Count(diff.Text[:strings.Index(diff.Text, "+gamma")], "\n")
	for _, action := range actionsAt(t, e, placeAt(diff.Path, uint32(line))) {
		if strings.HasPrefix(action.Title, "Accept hunk: Shout: creates this file") {
			p := &protocol.ExecuteCommandParams{Command: action.Command.Command, Arguments: action.Command.Arguments}
			if _, err := e.ExecuteCommand(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := w.disk(t)["new/c.txt"]; got != "gamma\n" {
		t.Errorf("new/c.txt is %q after it was accepted in the diff document:\n%s", got, diff.Text)
	}
}

// TestLyingClient: a client that says "applied" and does nothing is caught,
// and the closed files are taken back.
func TestLyingClient(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	a := propose(t, e)
	before := w.disk(t)
	e.apply = func(*protocol.ApplyWorkspaceEditParams) *protocol.ApplyWorkspaceEditResult {
		return &protocol.ApplyWorkspaceEditResult{Applied: true}
	}
	_, err := execute[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: "cs1"})
	if err == nil || !strings.Contains(err.Error(), "did not make the edit") {
		t.Fatalf("apply: %v, want that the editor did not make the edit", err)
	}
	if e.text(a) != aBefore || !maps.Equal(before, w.disk(t)) {
		t.Errorf("something stayed: a.txt %q, disk %v", e.text(a), w.disk(t))
	}
	if list := must[listResult](e, "agentls.changes.list", listParams{}); len(list.Proposals) != 1 {
		t.Error("the proposal is gone")
	}
}

// TestRefusingClient: the reason that a client gives is passed on.
func TestRefusingClient(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	propose(t, e)
	before := w.disk(t)
	e.apply = func(*protocol.ApplyWorkspaceEditParams) *protocol.ApplyWorkspaceEditResult {
		return &protocol.ApplyWorkspaceEditResult{FailureReason: ptr("the user said no")}
	}
	_, err := execute[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: "cs1"})
	if err == nil || !strings.Contains(err.Error(), "the user said no") {
		t.Fatalf("apply: %v, want the client's reason", err)
	}
	if !maps.Equal(before, w.disk(t)) {
		t.Errorf("disk changed: %v", w.disk(t))
	}
}

// TestProposalsSurviveRestart: a new session takes them up.
func TestProposalsSurviveRestart(t *testing.T) {
	w := proposalWorld(t)
	first := w.start(t)
	propose(t, first)
	first.quit()
	second := w.start(t)
	if list := must[listResult](second, "agentls.changes.list", listParams{}); len(list.Proposals) != 1 {
		t.Errorf("right after the start there are %d proposals, want 1", len(list.Proposals))
	}
	a := second.open("a.txt")
	second.marked(map[string]int{"a.txt": 2, "b.txt": 1})
	must[applyResult](second, "agentls.changes.apply", changeSetParams{})
	if got := second.text(a); got != aAfter {
		t.Errorf("a.txt is %q, want %q", got, aAfter)
	}
	second.quit()
	third := w.start(t)
	a = third.open("b.txt")
	must[applyResult](third, "agentls.changes.undo", undoParams{URI: fileURI(a)})
	if got := third.text(a); got != bBefore {
		t.Errorf("b.txt after undo in a new session is %q, want %q", got, bBefore)
	}
}

// TestUnsavedUntilSaved: an entry names the documents that are not written.
func TestUnsavedUntilSaved(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	a := propose(t, e)
	must[applyResult](e, "agentls.changes.apply", changeSetParams{})
	unsaved := func() int { return len(must[listResult](e, "agentls.changes.list", listParams{}).Entries[0].Unsaved) }
	if unsaved() != 1 {
		t.Fatal("a.txt is in the editor only, and the entry does not say so")
	}
	e.save(a)
	e.await("the save to be noted", func() bool { return unsaved() == 0 })
}

func TestRename(t *testing.T) {
	w := mathWorld(t)
	e := w.start(t)
	e.open("math.go")
	at := e.at("math.go", "Add(1")
	got := must[renameResult](e, "agentls.rename", renameParams{URI: at.URI, Position: at.Range.Start, NewName: "Plus"})
	if got.Renamed != 4 {
		t.Errorf("renamed %d places, want 4", got.Renamed)
	}
	must[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: got.ChangeSet})
	if text := w.disk(t)["use.go"]; text != strings.ReplaceAll(useGo, "Add", "Plus") {
		t.Errorf("use.go is %q", text)
	}
	if text := e.text(w.path("math.go")); strings.Count(text, "Plus(") != 3 {
		t.Errorf("math.go is %q", text)
	}
	_, err := execute[renameResult](e, "agentls.rename", renameParams{URI: at.URI, Position: at.Range.Start, NewName: "not a name"})
	if err == nil {
		t.Error("a name with spaces was accepted")
	}
}

// TestRejectOnlyHunk: a file whose only hunk is rejected shows none.
func TestRejectOnlyHunk(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	propose(t, e)
	b := e.open("b.txt")
	must[rejectResult](e, "agentls.changes.reject", hunkParams{ChangeSet: "cs1", URI: fileURI(b), Hunk: 1})
	e.marked(map[string]int{"a.txt": 2})
}

// TestTypingCrossesApply: the client has a newer text than the server knew and
// skips the edit, but says "applied", as Neovim does. It is done again on what
// is there.
func TestTypingCrossesApply(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	a := propose(t, e)
	e.apply = func(*protocol.ApplyWorkspaceEditParams) *protocol.ApplyWorkspaceEditResult {
		e.apply = nil
		e.setText(a, "zero\n"+aBefore)
		return &protocol.ApplyWorkspaceEditResult{Applied: true}
	}
	got := must[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: "cs1"})
	if len(got.Conflicts) > 0 || e.text(a) != "zero\n"+aAfter || w.disk(t)["b.txt"] != bAfter {
		t.Errorf("%+v; a.txt is %q, disk %v", got, e.text(a), w.disk(t))
	}
	if n := len(must[listResult](e, "agentls.changes.list", listParams{}).Entries); n != 1 {
		t.Errorf("%d entries in the journal, want 1", n)
	}
}

// TestTypingOnAtOnce: the client tells of the edit and of further typing in
// one change, as Neovim does within 150 ms.
func TestTypingOnAtOnce(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	a := propose(t, e)
	e.apply = func(*protocol.ApplyWorkspaceEditParams) *protocol.ApplyWorkspaceEditResult {
		e.setText(a, aAfter+"eight\n")
		return &protocol.ApplyWorkspaceEditResult{Applied: true}
	}
	got := must[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: "cs1"})
	if len(got.Conflicts) > 0 || e.text(a) != aAfter+"eight\n" || w.disk(t)["b.txt"] != bAfter {
		t.Errorf("%+v; a.txt is %q, disk %v", got, e.text(a), w.disk(t))
	}
	e.apply = nil
	must[applyResult](e, "agentls.changes.undo", undoParams{})
	if got := e.text(a); got != aBefore+"eight\n" {
		t.Errorf("a.txt after undo is %q", got)
	}
}

// TestAlreadyThere: the user made a proposed change by hand; it counts as done.
func TestAlreadyThere(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	a := propose(t, e)
	e.setText(a, aAfter)
	got := must[applyResult](e, "agentls.changes.accept", hunkParams{ChangeSet: "cs1", URI: fileURI(a)})
	if got.Entry != "" || len(got.Conflicts) > 0 {
		t.Errorf("accept: %+v", got)
	}
	must[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: "cs1"})
	if n := e.status().Proposals; n != 0 {
		t.Errorf("%d proposals wait, all is there", n)
	}
}

// TestVersionCheckingClient: typing crosses the edit and the client says so; it
// is done again on what is there, and the journal holds one entry.
func TestVersionCheckingClient(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	a := propose(t, e)
	e.apply = func(*protocol.ApplyWorkspaceEditParams) *protocol.ApplyWorkspaceEditResult {
		e.apply = nil
		e.setText(a, "zero\n"+aBefore)
		return &protocol.ApplyWorkspaceEditResult{FailureReason: ptr("stale version")}
	}
	got := must[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: "cs1"})
	if len(got.Conflicts) > 0 || e.text(a) != "zero\n"+aAfter || w.disk(t)["b.txt"] != bAfter {
		t.Errorf("%+v; a.txt is %q, disk %v", got, e.text(a), w.disk(t))
	}
	if n := len(must[listResult](e, "agentls.changes.list", listParams{}).Entries); n != 1 {
		t.Errorf("%d entries in the journal, want 1", n)
	}
}

// TestHunkWithoutFile: a hunk number alone means nothing, above all not all.
func TestHunkWithoutFile(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	propose(t, e)
	if _, err := execute[applyResult](e, "agentls.changes.accept", hunkParams{ChangeSet: "cs1", Hunk: 77}); err == nil {
		t.Error("it was accepted")
	}
	if got := w.disk(t)["b.txt"]; got != bBefore {
		t.Errorf("b.txt is %q", got)
	}
}

// TestSaveThenClose: what the journal is told keeps the order of the wire.
func TestSaveThenClose(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	a := propose(t, e)
	must[applyResult](e, "agentls.changes.apply", changeSetParams{})
	e.save(a)
	e.setText(a, e.text(a)+"more\n")
	e.close(a)
	e.await("the save to be noted", func() bool {
		last := must[listResult](e, "agentls.changes.list", listParams{}).Entries[0]
		return len(last.Unsaved) == 0 && last.State == edits.EntryApplied
	})
	must[applyResult](e, "agentls.changes.undo", undoParams{})
	if got := w.disk(t)["a.txt"]; got != aBefore {
		t.Errorf("a.txt after undo is %q", got)
	}
}

// TestOpenByAnotherName: a document that was opened by a link is the file that
// the link leads to; it is changed in the editor, not under it.
func TestOpenByAnotherName(t *testing.T) {
	w := proposalWorld(t)
	if err := os.Symlink("a.txt", w.path("link.txt")); err != nil {
		t.Fatal(err)
	}
	e := w.start(t)
	link := e.open("link.txt")
	run := must[startedResult](e, "agentls.change", changeParams{place: placeAt(link, 0), Instruction: "shout"})
	e.eventOf(RunDone, run.Run)
	e.setText(link, "zero\n"+aBefore)
	got := must[applyResult](e, "agentls.changes.apply", changeSetParams{ChangeSet: "cs1"})
	if len(got.Conflicts) > 0 || len(got.Unsaved) != 1 || e.text(link) != "zero\n"+aAfter || w.disk(t)["a.txt"] != aBefore {
		t.Errorf("%+v; in the editor %q, on disk %q", got, e.text(link), w.disk(t)["a.txt"])
	}
	must[applyResult](e, "agentls.changes.undo", undoParams{})
	if got := e.text(link); got != "zero\n"+aBefore {
		t.Errorf("after undo %q", got)
	}
}
