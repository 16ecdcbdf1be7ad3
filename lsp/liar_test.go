package lsp

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

// The texts of the files that clients lie about, before and after the change.
const (
	liedBefore = "mine\none\ntwo\nthree\nfour\nfive\n"
	liedAfter  = "mine\none\nTWO\nthree\nfour\nFIVE\n"
)

// A lie is what a client makes of a workspace/applyEdit that it does not do as
// it is told. It returns false for an answer that never comes.
type lie func(e *editor, docs []*protocol.TextDocumentEdit) (answers bool)

// make makes the edits of one document, but for those behind most.
func (e *editor) make(doc *protocol.TextDocumentEdit, most int) {
	path, _ := filePath(doc.TextDocument.URI)
	e.setText(path, e.edited(path, doc.Edits[:min(most, len(doc.Edits))]))
}

const all = 1 << 30

func honestly(e *editor, docs []*protocol.TextDocumentEdit) bool {
	for _, doc := range docs {
		e.make(doc, all)
	}
	return true
}

var lies = map[string]lie{
	"nothing": func(*editor, []*protocol.TextDocumentEdit) bool { return true },
	"all":     honestly,
	"all but the first document": func(e *editor, docs []*protocol.TextDocumentEdit) bool {
		return honestly(e, docs[1:])
	},
	"half of the documents": func(e *editor, docs []*protocol.TextDocumentEdit) bool {
		return honestly(e, docs[:len(docs)/2])
	},
	"half of the edits of one": func(e *editor, docs []*protocol.TextDocumentEdit) bool {
		e.make(docs[0], 1)
		return honestly(e, docs[1:])
	},
	"half of the edits of each": func(e *editor, docs []*protocol.TextDocumentEdit) bool {
		for _, doc := range docs {
			e.make(doc, 1)
		}
		return true
	},
	"all, late": func(e *editor, docs []*protocol.TextDocumentEdit) bool {
		e.later(50*time.Millisecond, func() { honestly(e, docs) })
		return true
	},
	"all, too late": func(e *editor, docs []*protocol.TextDocumentEdit) bool {
		e.later(3*liedPatience.Show, func() { honestly(e, docs) })
		return true
	},
	"all, and no answer":     func(e *editor, docs []*protocol.TextDocumentEdit) bool { return !honestly(e, docs) },
	"nothing, and no answer": func(*editor, []*protocol.TextDocumentEdit) bool { return false },
	"closes a document": func(e *editor, docs []*protocol.TextDocumentEdit) bool {
		path, _ := filePath(docs[0].TextDocument.URI)
		e.close(path)
		return honestly(e, docs[1:])
	},
	"all, then closes a document": func(e *editor, docs []*protocol.TextDocumentEdit) bool {
		honestly(e, docs)
		path, _ := filePath(docs[0].TextDocument.URI)
		e.close(path)
		return true
	},
}

var liedPatience = Patience{Answer: 600 * time.Millisecond, Show: 200 * time.Millisecond}

// later does something once the time has passed, unless the test ends before.
func (e *editor) later(after time.Duration, do func()) {
	timer := time.AfterFunc(after, do)
	e.t.Cleanup(func() { timer.Stop() })
}

// TestLies: whatever a client does of an edit and whatever it says about that,
// once or always, all files are as before or all are as planned, as the journal
// says; and where that cannot be had, the error names the file with both texts.
// Nothing that the user typed is lost in any case.
func TestLies(t *testing.T) {
	for what, lie := range lies {
		for _, says := range []string{"applied", "not applied"} {
			for _, files := range []string{"open documents", "open and closed files"} {
				for _, often := range []string{"once", "always"} {
					t.Run(strings.Join([]string{what, says, files, often}, ", "), func(t *testing.T) {
						t.Parallel()
						l := liedTo(t, files)
						l.says, l.often = says, often
						l.e.apply = l.lying(lie)
						l.tell()
					})
				}
			}
		}
	}
}

// TestLiesAboutClosedFiles: a client is not asked about them.
func TestLiesAboutClosedFiles(t *testing.T) {
	l := liedTo(t, "closed files")
	l.e.apply = func(*protocol.ApplyWorkspaceEditParams) *protocol.ApplyWorkspaceEditResult {
		t.Error("the client was asked")
		return nil
	}
	must[applyResult](l.e, "agentls.changes.apply", changeSetParams{})
	l.are(liedAfter)
}

// A lied is a session with a client that lies, and a proposal for four files.
type lied struct {
	t    *testing.T
	w    *world
	e    *editor
	open []string

	says  string // "applied", or "not applied": what the client answers
	often string // "once", or "always"
}

func liedTo(t *testing.T, files string) *lied {
	t.Helper()
	l := &lied{t: t, w: newWorld(t, map[string]string{"a": liedBefore, "b": liedBefore, "c": liedBefore, "d": liedBefore})}
	l.w.patience = liedPatience
	l.w.model = "some-model"
	l.w.runner = runner(func(_ context.Context, snap *index.Snapshot, _ agent.Task, _ agent.Sink) (*agent.Result, error) {
		cs := &edits.ChangeSet{ID: "cs1", Title: "Shout"}
		var errs []error
		for _, name := range []string{"a", "b", "c", "d"} {
			f, err := edits.NewModify(snap.Roots()[0]+"/"+name, []byte(liedBefore), []byte(liedAfter))
			cs.Files, errs = append(cs.Files, f), append(errs, err)
		}
		return &agent.Result{Change: cs, Source: "test"}, errors.Join(errs...)
	})
	l.e = l.w.start(t)
	l.open = map[string][]string{"open documents": {"a", "b", "c", "d"}, "open and closed files": {"a", "b"}}[files]
	for _, name := range l.open {
		l.e.open(name)
	}
	run := must[startedResult](l.e, "agentls.change", changeParams{place: placeAt(l.w.path("a"), 0), Instruction: "shout"})
	l.e.eventOf(RunDone, run.Run)
	return l
}

// lying returns how the client answers edits.
func (l *lied) lying(lie lie) func(*protocol.ApplyWorkspaceEditParams) *protocol.ApplyWorkspaceEditResult {
	end := make(chan struct{})
	l.t.Cleanup(func() { close(end) })
	return func(p *protocol.ApplyWorkspaceEditParams) *protocol.ApplyWorkspaceEditResult {
		var docs []*protocol.TextDocumentEdit
		for _, change := range p.Edit.DocumentChanges {
			doc, ok := change.(*protocol.TextDocumentEdit)
			if !ok {
				l.t.Errorf("the edit has a %T", change)
			}
			docs = append(docs, doc)
		}
		if l.often == "once" {
			l.e.apply = nil
		}
		if !lie(l.e, docs) {
			<-end
		}
		return &protocol.ApplyWorkspaceEditResult{Applied: l.says == "applied"}
	}
}

// tell applies the proposal and looks at what came of it. Only where the client
// goes on lying may something be left, and then the error names it.
func (l *lied) tell() {
	_, err := execute[applyResult](l.e, "agentls.changes.apply", changeSetParams{})
	want := liedAfter
	if err != nil {
		want = liedBefore
	}
	deadline := time.Now().Add(2 * time.Second)
	wrong := l.not(want)
	for len(wrong) > 0 && !l.lost(wrong) && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
		wrong = l.not(want)
	}
	if err == nil && l.lost(wrong) {
		return
	}
	for _, name := range wrong {
		if l.often == "once" || err == nil || !strings.Contains(err.Error(), l.w.path(name)) {
			l.t.Errorf("%s is %q; the error is %v", name, l.text(name), err)
		}
		if !strings.Contains(l.text(name), "mine\n") {
			l.t.Errorf("the user's text in %s is lost: %q", name, l.text(name))
		}
	}
	list := must[listResult](l.e, "agentls.changes.list", listParams{})
	if applied := len(list.Proposals) == 0; applied != (err == nil) {
		l.t.Errorf("error %v, but the list is %+v", err, list)
	}
}

// lost reports whether the journal says that just these documents were closed
// unsaved after the change was in them: it can be made there again.
func (l *lied) lost(names []string) bool {
	list := must[listResult](l.e, "agentls.changes.list", listParams{})
	if len(list.Entries) == 0 || list.Entries[0].State != edits.EntryPartlyApplied {
		return false
	}
	for _, name := range names {
		if l.e.text(l.w.path(name)) != "(closed)" || l.text(name) != liedBefore {
			return false
		}
	}
	return len(names) > 0
}

// are checks that every file has this text.
func (l *lied) are(want string) {
	l.t.Helper()
	for _, name := range l.not(want) {
		l.t.Errorf("%s is %q", name, l.text(name))
	}
}

// not returns the files with another text than want.
func (l *lied) not(want string) (names []string) {
	for _, name := range []string{"a", "b", "c", "d"} {
		if l.text(name) != want {
			names = append(names, name)
		}
	}
	return names
}

// text returns what the editor shows of a file, or what the disk holds.
func (l *lied) text(name string) string {
	if text := l.e.text(l.w.path(name)); text != "(closed)" {
		return text
	}
	return l.w.disk(l.t)[name]
}
