package lsp

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/index"
)

// finder is a reviewer that finds fault with the first line that has needle.
func finder(needle string) runner {
	return func(ctx context.Context, snap *index.Snapshot, task agent.Task, _ agent.Sink) (*agent.Result, error) {
		content, err := snap.ReadFile(ctx, task.Focus.Path)
		if err != nil {
			return nil, err
		}
		for i, line := range strings.SplitAfter(string(content), "\n") {
			if strings.Contains(line, needle) {
				fix := "// fixed\n" + line
				return &agent.Result{Source: "test", Findings: []agent.Finding{{
					Fingerprint: "f1", Title: "wrong", Body: "It is.", Priority: 1, Confidence: 0.9, Path: task.Focus.Path,
					Line: i, EndLine: i, Quote: line, Fix: &fix, Base: content, Verdict: agent.Confirmed, Reason: "It does.",
				}}}, nil
			}
		}
		return &agent.Result{Source: "test"}, nil
	}
}

// TestFindings: a review's findings move with their lines, close when those
// change, give a proposal, and stay dismissed.
func TestFindings(t *testing.T) {
	w := mathWorld(t)
	w.model, w.runner = "test", finder("func Add(")
	e := w.start(t)
	e.open("math.go")
	review := func() {
		t.Helper()
		e.eventOf(RunDone, must[startedResult](e, "agentls.review", reviewParams{place: e.at("math.go", "Add(a")}).Run)
	}
	list := func() []findingLine {
		t.Helper()
		return must[findingsResult](e, "agentls.findings.list", findingsParams{}).Findings
	}
	review()
	first := list()
	if len(first) != 1 || first[0].Title != "wrong" || !first[0].Fixable || first[0].Verdict != agent.Confirmed || first[0].Reason != "It does." {
		t.Fatalf("findings: %+v", first)
	}
	review()
	if again := list(); len(again) != 1 {
		t.Errorf("the same finding is there %d times", len(again))
	}
	fixed := must[fixResult](e, "agentls.findings.fix", findingParams{Finding: "f1"})
	if fixed.ChangeSet == "" {
		t.Error("no proposal")
	}
	must[dismissResult](e, "agentls.findings.dismiss", findingParams{Finding: "f1"})
	review()
	if left := list(); len(left) != 0 {
		t.Errorf("dismissed, and there again: %+v", left)
	}
	if _, err := execute[fixResult](e, "agentls.findings.fix", findingParams{Finding: "f1"}); err == nil {
		t.Error("a finding that is not open gives a proposal")
	}
}

// TestFindingsOutliveASession: the next one has them where their lines are then,
// without those whose lines changed and without the dismissed.
func TestFindingsOutliveASession(t *testing.T) {
	w := mathWorld(t)
	w.model = "test"
	begin := func(needle string) *editor {
		w.runner = finder(needle)
		e := w.start(t)
		e.open("math.go")
		return e
	}
	review := func(e *editor) {
		e.eventOf(RunDone, must[startedResult](e, "agentls.review", reviewParams{place: e.at("math.go", "Add(a")}).Run)
	}
	list := func(e *editor) []findingLine {
		return must[findingsResult](e, "agentls.findings.list", findingsParams{}).Findings
	}
	e := begin("func Add(")
	review(e)
	before := list(e)
	e.quit()
	if err := os.WriteFile(filepath.Join(w.state, dismissedFile), []byte("null"), 0o600); err != nil {
		t.Fatal(err)
	}
	content := w.disk(t)["math.go"]
	w.write(t, "math.go", "// New.\n"+content)
	e = begin("")
	after := list(e)
	if len(before) != 1 || len(after) != 1 || after[0].Finding != before[0].Finding || after[0].Range.Start.Line != before[0].Range.Start.Line+1 {
		t.Fatalf("%+v becomes %+v", before, after)
	}
	e.marked(map[string]int{"math.go": 1})
	e.quit()
	w.write(t, "math.go", strings.Replace(content, "func Add(", "func Added(", 1))
	e = begin("func Added(")
	if left := list(e); len(left) != 0 {
		t.Errorf("the line changed, and there is %+v", left)
	}
	e.quit()
	w.write(t, "math.go", content)
	e = begin("func Add(")
	if left := list(e); len(left) != 0 {
		t.Errorf("closed, and open again: %+v", left)
	}
	review(e)
	must[dismissResult](e, "agentls.findings.dismiss", findingParams{Finding: "f1"})
	e.quit()
	e = begin("func Add(")
	review(e)
	if left := list(e); len(left) != 0 {
		t.Errorf("dismissed, and there again: %+v", left)
	}
}

func TestReviewNeedsAModel(t *testing.T) {
	w := mathWorld(t)
	e := w.start(t)
	e.open("math.go")
	if _, err := execute[startedResult](e, "agentls.review", reviewParams{place: e.at("math.go", "Add(a")}); err == nil {
		t.Error("a review runs without a model")
	}
}

// TestFindingMessage: a diagnostic says where the second pass did not speak.
func TestFindingMessage(t *testing.T) {
	for verdict, want := range map[agent.Verdict]string{"": "P1: wrong\nIt is.", agent.Confirmed: "P1: wrong\nIt is.", agent.Unverified: "P1, unverified: wrong\nIt is."} {
		if got := message(&agent.Finding{Priority: 1, Title: "wrong", Body: "It is.", Verdict: verdict}); got != want {
			t.Errorf("%q: %q", verdict, got)
		}
	}
}
