package agent_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/openai"
	"github.com/agentls/agentls/agent/script"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A fixture is a script, its workspace on disk, and the task in its comment.
type fixture struct {
	script *script.Script
	server *script.Server
	dir    string
	url    string // of the scripted model
	snap   *index.Snapshot
	model  *openai.Model
	task   agent.Task
}

func load(t *testing.T, name string) *fixture {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, content)
}

func parse(t *testing.T, content []byte) *fixture {
	t.Helper()
	s, err := script.Parse(t.Name(), content)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{script: s, server: script.New(s), task: agent.Task{ID: "run-1"}}
	f.dir = workspace(t, s.Files)
	baseURL, err := f.server.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.url = baseURL
	f.model = openai.New(openai.Options{BaseURL: baseURL, APIKey: "sk-0123456789", Model: "scripted", Backoff: time.Millisecond})
	f.snap = scan(t, f.dir)
	f.readTask(t, string(txtar.Parse(content).Comment))
	return f
}

func workspace(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ws")
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func scan(t *testing.T, roots ...string) *index.Snapshot {
	t.Helper()
	ws := index.New(index.Options{Roots: roots})
	t.Cleanup(func() {
		if err := ws.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := ws.Scan(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return ws.Snapshot()
}

// readTask reads "mode:", "prompt:" and "focus: FILE:TEXT" from a comment.
func (f *fixture) readTask(t *testing.T, comment string) {
	t.Helper()
	for line := range strings.Lines(comment) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "mode":
			f.task.Mode = agent.Mode(value)
		case "prompt":
			f.task.Prompt = value
		case "focus":
			f.task.Focus = f.focus(t, value)
		}
	}
}

// focus returns the place of the first occurrence of TEXT in "FILE:TEXT".
func (f *fixture) focus(t *testing.T, at string) *agent.Focus {
	t.Helper()
	name, needle, _ := strings.Cut(at, ":")
	path := filepath.Join(f.dir, filepath.FromSlash(name))
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	start := strings.Index(string(content), needle)
	if start < 0 {
		t.Fatalf("%s has no %q", name, needle)
	}
	return &agent.Focus{Path: path, Span: text.Span{Start: start, End: start + len(needle)}}
}

// A transcript renders the events of a run, deltas joined.
type transcript struct {
	b     strings.Builder
	kind  string
	shown strings.Builder // all text, what is void taken back
}

func (tr *transcript) sink(ev agent.Event) {
	switch ev := ev.(type) {
	case agent.TextDelta:
		tr.shown.WriteString(ev.Text)
		tr.piece("text", ev.Text)
	case agent.ReasoningDelta:
		tr.piece("reasoning", ev.Text)
	case agent.StepStarted:
		tr.line("start " + ev.Title)
	case agent.StepDone:
		tr.line(strings.TrimSpace("done " + ev.Title + " " + ev.Failed))
	case agent.Waiting:
		text := tr.shown.String()
		tr.shown.Reset()
		tr.shown.WriteString(text[:len(text)-ev.Void])
		tr.line(fmt.Sprintf("waiting, %d bytes void: %s", ev.Void, ev.Reason))
	case agent.PlanChanged:
		tr.line("plan:\n" + strings.TrimRight(ev.Plan.String(), "\n"))
	case agent.StepProposed:
		tr.line("proposed " + ev.Change.ID + ": " + ev.Change.Title)
	case agent.Spent:
	}
}

func (tr *transcript) piece(kind, text string) {
	if tr.kind != kind {
		tr.line(kind + ":")
	}
	tr.kind = kind
	tr.b.WriteString(text)
}

func (tr *transcript) line(s string) {
	if tr.kind != "" {
		tr.b.WriteString("\n")
	}
	tr.kind = ""
	tr.b.WriteString(s + "\n")
}

var port = regexp.MustCompile(`127\.0\.0\.1:\d+`)

func (tr *transcript) String() string {
	return strings.TrimRight(port.ReplaceAllString(tr.b.String(), "SERVER"), "\n") + "\n"
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func (f *fixture) run(t *testing.T, opts agent.Options) (*agent.Result, *transcript, error) {
	t.Helper()
	opts.Model = f.model
	var tr transcript
	res, err := agent.New(opts).Run(t.Context(), f.snap, f.task, tr.sink)
	return res, &tr, err
}

// write changes a file of the workspace, as its user would.
func (f *fixture) write(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(f.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// read returns the files as they are after cs.
func (f *fixture) read(cs *edits.ChangeSet) func(name string) ([]byte, error) {
	after := map[string][]byte{}
	gone := map[string]bool{}
	for i := range cs.Files {
		c := &cs.Files[i]
		gone[c.Path] = true
		if c.Op != edits.Delete {
			after[c.Target()] = c.After()
		}
	}
	return func(name string) ([]byte, error) {
		path := filepath.Join(f.dir, filepath.FromSlash(name))
		if content, ok := after[path]; ok {
			return content, nil
		}
		if gone[path] {
			return nil, fs.ErrNotExist
		}
		return os.ReadFile(path)
	}
}

func summary(dir string, cs *edits.ChangeSet) []string {
	var out []string
	for _, c := range cs.Files {
		line := string(c.Op) + " " + strings.TrimPrefix(c.Path, dir+"/")
		if c.To != "" {
			line += " to " + strings.TrimPrefix(c.To, dir+"/")
		}
		out = append(out, line)
	}
	for _, left := range cs.LeftOut {
		out = append(out, "left out "+strings.TrimPrefix(left.Path, dir+"/")+": "+left.Why)
	}
	return out
}

// TestScripts: each script in testdata to its end, every event as in its
// golden file, and the files as the script wants them.
func TestScripts(t *testing.T) {
	changes := map[string][]string{
		"ask":      nil,
		"edit":     {"create CHANGES", "delete old.go", "modify sum.go", "rename use.go to three.go"},
		"nonsense": nil,
		"withheld": nil,
		"retry":    {"create b.txt"},
		"tools":    {"modify calc/add.go", "modify calc/use.go", "modify shape.py", "modify win.txt"},
	}
	for name, want := range changes {
		t.Run(name, func(t *testing.T) {
			f := load(t, name)
			if name == "withheld" {
				if err := os.Symlink(".env", filepath.Join(f.dir, "link.txt")); err != nil {
					t.Fatal(err)
				}
				f.snap = scan(t, f.dir)
			}
			res, tr, err := f.run(t, agent.Options{})
			if err != nil {
				t.Fatal(err, f.server.Errs())
			}
			if err := f.server.Done(); err != nil {
				t.Error(err)
			}
			golden(t, name+".golden", tr.String())
			if !strings.HasSuffix(tr.shown.String(), res.Answer) {
				t.Errorf("the answer is %q, but what was shown ends in %q", res.Answer, tr.shown.String())
			}
			cs := res.Change
			if (cs == nil) != (want == nil) {
				t.Fatalf("change set is %v", cs)
			}
			if cs == nil {
				cs = &edits.ChangeSet{}
			}
			if diff := cmp.Diff(want, summary(f.dir, cs)); diff != "" {
				t.Error(diff)
			}
			if err := f.script.Check(f.read(cs)); err != nil {
				t.Error(err)
			}
			if err := cs.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestResult(t *testing.T) {
	f := load(t, "edit")
	res, _, err := f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if res.Source != "scripted" || res.Usage.Requests != 4 || res.Usage.InputTokens == 0 || res.Usage.OutputTokens == 0 {
		t.Errorf("source %q, usage %+v", res.Source, res.Usage)
	}
	if res.Change.ID != "run-1" || res.Change.Title != "Rename Sum to Add, everywhere." {
		t.Errorf("change set %q, %q", res.Change.ID, res.Change.Title)
	}
	for _, c := range res.Change.Files {
		if c.Op != edits.Create && c.Base != text.HashOf(c.Before) {
			t.Errorf("%s: base is not the hash of the content before", c.Path)
		}
	}
	if got, err := os.ReadFile(filepath.Join(f.dir, "sum.go")); err != nil || string(got) != f.script.Files["sum.go"] {
		t.Error("the run wrote to the workspace", err)
	}
}

// repeat is a script of n turns with the same reply.
func repeat(n int, mode, reply string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "mode: %s\nprompt: Go on.\n-- files/a.go --\npackage a\n", mode)
	for i := range n {
		fmt.Fprintf(&b, "-- turn%d.reply --\n%s\n", i+1, reply)
	}
	return []byte(b.String())
}

func TestEndlessModels(t *testing.T) {
	tests := []struct {
		name, reply string
		opts        agent.Options
		requests    int
		want        error
		text        string
	}{
		{"failing call", `call read_file {"path": "b.go"}`, agent.Options{}, 6, agent.ErrStuck, "the model is stuck: nothing it did in 6 turns succeeded, at last: there is no file b.go; in . there are a.go"},
		{"empty", "", agent.Options{}, 6, agent.ErrStuck, "the model is stuck: nothing it did in 6 turns succeeded, at last: it answers nothing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := parse(t, repeat(test.requests, "edit", test.reply))
			_, _, err := f.run(t, test.opts)
			if !errors.Is(err, test.want) || err.Error() != test.text {
				t.Errorf("error is %v, want %s", err, test.text)
			}
			if err := f.server.Done(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTooManyCalls(t *testing.T) {
	reply := strings.Repeat("call list_dir {\"path\": \".\"}\n", 70)
	f := parse(t, []byte("mode: ask\nprompt: x\n-- files/a.go --\npackage a\n-- turn1.reply --\n"+reply+
		"-- turn2.expect --\n/output call_1_1_64:\\na.go$/\n/output call_1_1_70:\\nthere were too many calls/\n-- turn2.reply --\nmessage: ok\n"))
	if _, _, err := f.run(t, agent.Options{}); err != nil {
		t.Error(err)
	}
}

func TestToolErrorEndsTheRun(t *testing.T) {
	f := parse(t, []byte("mode: edit\nprompt: x\n-- files/a.txt --\na\n-- turn1.reply --\ncall leak\n"))
	_, _, err := f.run(t, agent.Options{Tools: []agent.Tool{leaky{"missing"}}})
	if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "tool leak: ") {
		t.Errorf("error is %v", err)
	}
}

func TestCancel(t *testing.T) {
	f := parse(t, []byte("mode: ask\nprompt: x\ndelta: 1\npause: 1h\n-- files/a.go --\npackage a\n-- turn1.reply --\nmessage: never ending\n"))
	why := errors.New("the user went away")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := agent.New(agent.Options{Model: f.model}).Run(ctx, f.snap, f.task, func(ev agent.Event) {
		if _, ok := ev.(agent.TextDelta); ok {
			cancel(why)
		}
	})
	if !errors.Is(err, why) {
		t.Errorf("error is %v, want %v", err, why)
	}
	for deadline := time.Now().Add(5 * time.Second); f.server.Aborted() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the HTTP request goes on")
		}
	}
}

func TestLongOutputIsCut(t *testing.T) {
	var file strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&file, "line %d\n", i+1)
	}
	f := parse(t, []byte("mode: ask\nprompt: x\n-- files/long.txt --\n"+file.String()+"-- turn1.reply --\ncall read_file {\"path\": \"long.txt\"}\n"+
		`-- turn2.expect --
long.txt, lines 1 to 2000 of 2000:
/^     1\tline 1$/
/^\[… \d+ lines, \d+ bytes left out here; ask for less at a time …\]$/
!line 1000
/^  2000\tline 2000$/
-- turn2.reply --
message: long
`))
	if _, _, err := f.run(t, agent.Options{MaxOutput: 2000}); err != nil {
		t.Error(err)
	}
	for _, req := range f.server.Requests() {
		if len(req.Input) == 4 && len(req.Input[3]) > 3000 {
			t.Errorf("the output has %d bytes", len(req.Input[3]))
		}
	}
}

func TestManyMatches(t *testing.T) {
	f := parse(t, []byte("mode: ask\nprompt: x\n-- files/long.txt --\n"+strings.Repeat("line\n", 300)+
		"-- turn1.reply --\ncall grep {\"pattern\": \"line\"}\n-- turn2.expect --\nlong.txt:200:line\n!long.txt:201\n"+
		"[there are more than 200 matches: narrow the pattern, path or glob, or say head_limit]\n-- turn2.reply --\nmessage: long\n"))
	if _, _, err := f.run(t, agent.Options{}); err != nil {
		t.Error(err)
	}
}

// TestSeveralRoots: names begin with the root's.
func TestSeveralRoots(t *testing.T) {
	f := parse(t, []byte(`mode: edit
prompt: x
-- files/one/a.txt --
one
-- files/two/a.txt --
two
-- turn1.expect --
Folders: one/, two/
-- turn1.reply --
call list_dir {"path": "."}
call read_file {"path": "two/a.txt"}
call read_file {"path": "a.txt"}
call grep {"pattern": "o", "path": "one"}
patch:
*** Begin Patch
*** Update File: two/a.txt
@@
-two
+zwei
*** End Patch
-- turn2.expect --
/output call_1_1_1:\none/\ntwo/$/
/^     1\ttwo$/
error: a.txt names no root of the workspace: begin with one of one/, two/
/output call_1_1_4:\none/a.txt:1:one$/
changed two/a.txt
-- turn2.reply --
message: ok
-- want/two/a.txt --
zwei
`))
	f.snap = scan(t, filepath.Join(f.dir, "one"), filepath.Join(f.dir, "two"))
	res, _, err := f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.script.Check(f.read(res.Change)); err != nil {
		t.Error(err)
	}
}
