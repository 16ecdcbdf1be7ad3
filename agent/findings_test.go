package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/openai"
	"github.com/agentls/agentls/agent/script"
)

const reviewed = `mode: review
-- files/a.go --
package a

func Div(a, b int) int {
	return a / b
}

func Twice(a int) int {
	return a + a
}
-- files/.env --
KEY=1
-- turn1.expect --
Review the change that the user shows you
The change to review:
+	return a / b
[.env is withheld from models (.env)]
!KEY=1
-- turn1.reply --
call report_finding {"title":"b may be zero","body":"It panics.","priority":1,"confidence":0.9,"path":"a.go","line":4,"quote":"return a / b","fix":"\tif b == 0 {\n\t\treturn 0\n\t}\n\treturn a / b"}
call report_finding {"title":"nicer","body":"x","priority":3,"confidence":0.6,"path":"a.go","line":99,"quote":"\treturn a + a\n"}
call report_finding {"title":"b may be  ZERO","body":"again","priority":1,"confidence":0.9,"path":"a.go","line":4,"quote":"\treturn a / b"}
call report_finding {"title":"x","body":"x","priority":1,"confidence":0.9,"path":"a.go","line":4,"quote":"return a * b"}
call report_finding {"title":"x","body":"x","priority":1,"confidence":0.9,"path":"a.go","line":1,"quote":"}"}
call report_finding {"title":"x","body":"x","priority":1,"confidence":0.2,"path":"a.go","line":4,"quote":"return a / b"}
call report_finding {"title":"x","body":"x","priority":7,"confidence":0.9,"path":"a.go","line":4,"quote":"return a / b"}
call report_finding {"title":"y","body":"x","priority":1,"confidence":0.9,"path":"a.go","line":4,"quote":"return a / b","fix":"return (a"}
call report_finding {"title":"y","body":"x","priority":1,"confidence":0.9,"path":"../x","line":4,"quote":"return a / b"}
-- turn2.expect --
noted
this was reported already
a.go has no such lines
these lines are in a.go 2 times, but not at line 1: give the line
what is below 0.5 is not reported
priority is 0 to 3, not 7
with this fix the file does not parse
outside
-- turn2.reply --
message: Two things.
`

const itsDiff = "diff --git a/a.go b/a.go\n+\treturn a / b\ndiff --git a/.env b/.env\n+KEY=1\n"

// TestReview: only what is there, as it is, is a finding, with the most urgent
// first; the fix is a hunk.
func TestReview(t *testing.T) {
	f := parse(t, []byte(reviewed))
	f.task.Diff = itsDiff
	res, _, err := f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, found := range res.Findings {
		got = append(got, found.Title+"|"+found.Quote)
	}
	if diff := cmp.Diff([]string{"b may be zero|\treturn a / b\n", "nicer|\treturn a + a\n"}, got); diff != "" {
		t.Fatal(diff)
	}
	div := &res.Findings[0]
	now := []byte("// New.\n" + strings.Replace(string(div.Base), "a + a", "2 * a", 1))
	cs, err := div.ChangeSet("id", now)
	if err != nil || cs == nil {
		t.Fatal(cs, err)
	}
	want := strings.Replace(string(now), "\treturn a / b\n", "\tif b == 0 {\n\t\treturn 0\n\t}\n\treturn a / b\n", 1)
	if diff := cmp.Diff(want, string(cs.Files[0].After())); diff != "" {
		t.Error(diff)
	}
	if cs, err := res.Findings[1].ChangeSet("id", now); err != nil || cs != nil {
		t.Errorf("a finding without a fix gives %v, %v", cs, err)
	}
	if _, ok := res.Findings[1].Place(now); ok {
		t.Error("a finding stays open on a line that changed")
	}
}

const judgedTwice = `mode: review
-- files/a.go --
package a

func Div(a, b int) int {
	return a / b
}

func Twice(a int) int {
	return a + a
}
-- turn1.reply --
call report_finding {"title":"b may be zero","body":"It panics.","priority":1,"confidence":0.9,"path":"a.go","line":4,"quote":"return a / b"}
call report_finding {"title":"overflow","body":"x","priority":2,"confidence":0.6,"path":"a.go","line":8,"quote":"\treturn a + a\n"}
call report_finding {"title":"no doc","body":"x","priority":3,"confidence":0.6,"path":"a.go","line":7,"quote":"func Twice(a int) int {"}
-- turn2.reply --
message: Three.
`

// TestSecondPass: what is confirmed and what nobody judged stays, what is
// refuted is told apart; a pass that fails, or that is not wanted, drops nothing.
func TestSecondPass(t *testing.T) {
	for _, c := range []struct {
		name, reply string
		onePass     bool
		want        []string
	}{
		{
			"judged", `call report_verdicts {"verdicts":[{"finding":1,"verdict":"confirm","reason":"b is not checked"},{"finding":3,"verdict":"drop","reason":"style"},{"finding":3,"verdict":"confirm","reason":"no"},{"finding":9,"verdict":"drop","reason":"none"}]}`, false,
			[]string{"b may be zero: confirmed, b is not checked", "overflow: unverified, ", "no doc: dropped, style"},
		},
		{"silent", "message: All good.", false, []string{"b may be zero: unverified, ", "overflow: unverified, ", "no doc: unverified, "}},
		{"malformed", `call report_verdicts {"verdicts":7}`, false, []string{"b may be zero: unverified, ", "overflow: unverified, ", "no doc: unverified, "}},
		{"off", "", true, []string{"b may be zero: , ", "overflow: , ", "no doc: , "}},
	} {
		f := parse(t, []byte(judgedTwice))
		first, err := script.Parse("first", []byte(judgedTwice))
		if err != nil {
			t.Fatal(err)
		}
		scripts := []*script.Script{first}
		if !c.onePass {
			second, err := script.Parse("second", []byte("-- turn1.expect --\nYou check what another reviewer reported\nFinding 1: b may be zero\nIt is about line 4 of a.go\n\treturn a / b\nFinding 3: no doc\n{\"reasoning\":{\"effort\":\"high\"}}\n-- turn1.reply --\n"+c.reply+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			scripts = append(scripts, second)
		}
		server := script.New(scripts...)
		url, err := server.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f.model = openai.New(openai.Options{BaseURL: url, APIKey: "sk-0123456789", Model: "scripted"})
		res, _, err := f.run(t, agent.Options{OnePass: c.onePass, Effort: map[agent.Mode]string{agent.Review: "high"}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, found := range append(res.Findings, res.Dropped...) {
			got = append(got, fmt.Sprintf("%s: %s, %s", found.Title, found.Verdict, found.Reason))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if err := server.Done(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestReviewNeedsAModel(t *testing.T) {
	_, err := (&agent.Offline{}).Run(t.Context(), scan(t, workspace(t, map[string]string{"a.go": "package a\n"})), agent.Task{Mode: agent.Review}, nil)
	if err == nil || !strings.Contains(err.Error(), "reviewing") {
		t.Error(err)
	}
}

// TestPlacesAfterEdits: after each of 1,000 random edits a finding is where its
// lines are, or closed because an edit met them.
func TestPlacesAfterEdits(t *testing.T) {
	right, closed := 0, 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 7))
		var lines []string
		for range 60 {
			lines = append(lines, []string{"}\n", "\treturn nil\n", "\n", "\tx := " + draw(r, lower, 3) + "\n"}[r.IntN(4)])
		}
		const quote = "\tthe := quoted\n\tline()\n"
		at := r.IntN(len(lines))
		base := strings.Join(lines[:at], "") + quote + strings.Join(lines[at:], "")
		f := agent.Finding{Path: "/ws/a.go", Line: at, EndLine: at + 1, Quote: quote, Base: []byte(base)}
		now := base
		for range 1000 {
			now = editOnce(r, now, quote)
			span, ok := f.Place([]byte(now))
			is := strings.Index(now, quote)
			switch {
			case ok && span.Start == is:
				right++
			case ok || is >= 0 && strings.Count(now, "the") == 1 && strings.Count(now, "line") == 1:
				t.Fatalf("seed %d: placed at %d (%v), it is at %d in\n%s", seed, span.Start, ok, is, now)
			default:
				closed++
			}
			if is < 0 {
				break
			}
		}
	}
	t.Logf("%d right, %d closed", right, closed)
	if right == 0 || closed == 0 {
		t.Error("one of the cases did not occur")
	}
}

// editOnce inserts, removes or replaces a line somewhere: in one of 500 cases in
// the quote itself, else around it.
func editOnce(r *rand.Rand, s, quote string) string {
	if r.IntN(500) == 0 {
		return strings.Replace(s, "quoted\n", "other\n", 1)
	}
	before, after, _ := strings.Cut(s, quote)
	if r.IntN(2) == 0 {
		return editLine(r, before) + quote + after
	}
	return before + quote + editLine(r, after)
}

func editLine(r *rand.Rand, s string) string {
	lines := strings.SplitAfter(s, "\n")
	i := r.IntN(len(lines))
	switch r.IntN(3) {
	case 0:
		lines = append(lines[:i:i], lines[min(i+1, len(lines)):]...)
	case 1:
		lines = append(lines[:i:i], append([]string{"\treturn nil\n"}, lines[i:]...)...)
	default:
		lines = append(lines[:i:i], append([]string{"\ty := " + draw(r, lower, 2) + "\n"}, lines[i:]...)...)
	}
	out := strings.Join(lines, "")
	if out != "" && !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	return out
}

// A reviewer is a model that reports one finding, gives verdicts, and ends.
type reviewer struct{ finding, verdicts string }

func (reviewer) Name() string { return "reviewer" }

func (m reviewer) Respond(_ context.Context, req *agent.Request) iter.Seq2[agent.ModelEvent, error] {
	return func(yield func(agent.ModelEvent, error) bool) {
		done := agent.ItemDone{Text: "done"}
		switch _, answered := req.Items[len(req.Items)-1].(agent.ToolOutput); {
		case len(req.Tools) == 1:
			done = agent.ItemDone{Call: &agent.ToolCall{ID: "2", Name: req.Tools[0].Name, Input: m.verdicts}}
		case !answered:
			done = agent.ItemDone{Item: agent.ModelItem{Raw: json.RawMessage("{}")}, Call: &agent.ToolCall{ID: "1", Name: "report_finding", Input: m.finding}}
		}
		if yield(done, nil) {
			yield(agent.Completed{}, nil)
		}
	}
}

// FuzzFindings: whatever a model reports and judges, what is shown is about
// lines that are there, and can be shown.
func FuzzFindings(f *testing.F) {
	report := `{"title":"b","body":"x","priority":1,"confidence":0.9,"path":"sum.go","line":4,"quote":"package calc"`
	confirm := `{"verdicts":[{"finding":1,"verdict":"confirm","reason":"so"}]}`
	for _, seed := range [][2]string{
		{report + `,"fix":"package other"}`, confirm},
		{report + `,"fix":""}`, `{"verdicts":[{"finding":-1,"verdict":"drop"},{"finding":1,"verdict":"\u001b[2J"}]}`},
		{strings.Replace(report, `"line":4`, `"line":-9223372036854775808`, 1) + "}", `{"verdicts":null}`},
		{strings.Replace(report, "0.9", "1e999", 1) + "}", "null"},
		{strings.Replace(report, `"x"`, `"\u001b[31m\r\n\u202e"`, 1) + "}", "{"},
		{strings.Replace(report, "package calc", `\n\n\n`, 1) + "}", confirm},
		{"[]", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	dir := f.TempDir()
	for name, content := range offlineFiles {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			f.Fatal(err)
		}
	}
	isControl := func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Bidi_Control) && r != '\n' && r != '\t' }
	f.Fuzz(func(t *testing.T, finding, verdicts string) {
		task := agent.Task{Mode: agent.Review, Diff: "diff --git a/sum.go b/sum.go\n+x\n"}
		res, err := agent.New(agent.Options{Model: reviewer{finding, verdicts}}).Run(t.Context(), scan(t, dir), task, func(agent.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range slices.Concat(res.Findings, res.Dropped) {
			span, ok := found.Place(found.Base)
			switch {
			case !ok || string(found.Base[span.Start:span.End]) != found.Quote || found.Quote == "":
				t.Errorf("it is nowhere: %+v", found)
			case found.Priority < 0 || found.Priority > agent.MaxPriority || !(found.Confidence >= 0.5 && found.Confidence <= 1):
				t.Errorf("P%d, %g", found.Priority, found.Confidence)
			case strings.ContainsFunc(found.Title+found.Body+found.Reason, isControl), strings.Contains(found.Title+found.Reason, "\n"):
				t.Errorf("not to be shown: %+v", found)
			case found.Verdict == "":
				t.Error("without a verdict")
			}
			if _, err := found.ChangeSet("id", found.Base); err != nil {
				t.Errorf("its fix: %v", err)
			}
		}
	})
}
