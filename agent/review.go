package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// reviewing is what a model is told of a review.
const reviewing = `Review the change that the user shows you, or the code in focus, for defects that its author would fix if they knew: wrong results, crashes, races, leaks, security holes, broken promises to callers, tests that cannot fail. ` +
	`Read the code around a suspicion, and its callers, until you are sure. Report each with report_finding: one defect each, about lines of the present files. ` +
	`Few and right beats many: no style, no praise, no guesses, nothing that a compiler or linter says, nothing that was there before the change and is not made worse by it. ` +
	`Priority 0 must not ship, 1 is urgent, 2 should be fixed, 3 is a nicety. Give a fix where it is small and certain. You cannot change files in this task. End with one or two sentences on the whole; reporting nothing is a good result.`

// reportFinding takes a finding of a review, after holding it against the code.
// It belongs to one run.
type reportFinding struct{ run *run }

type findingArgs struct {
	Title      string  `json:"title"`
	Body       string  `json:"body"`
	Priority   int     `json:"priority"`
	Confidence float64 `json:"confidence"`
	Path       string  `json:"path"`
	Line       int     `json:"line"`
	Quote      string  `json:"quote"`
	Fix        *string `json:"fix"`
}

const maxFindings = 50 // of one review

func (reportFinding) Spec() ToolSpec { return spec("report_finding") }

func (reportFinding) Title(args json.RawMessage) string {
	a, _ := decode[findingArgs](args)
	return about("report", strings.TrimSpace(a.Title))
}

func (t reportFinding) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[findingArgs](raw)
	if err != nil {
		return "", err
	}
	f := Finding{Title: abbreviate(args.Title, 200), Body: strings.TrimSpace(shown(args.Body)), Priority: args.Priority, Confidence: args.Confidence}
	switch {
	case f.Title == "" || f.Body == "":
		return "", Fail("a finding needs a title and a body")
	case f.Priority < 0 || f.Priority > MaxPriority:
		return "", Fail("priority is 0 to %d, not %d", MaxPriority, f.Priority)
	case f.Confidence < leastConfidence || f.Confidence > 1:
		return "", Fail("confidence is 0 to 1, and what is below %g is not reported: make sure, or leave it out", leastConfidence)
	case len(t.run.findings) >= maxFindings:
		return "", Fail("there are %d findings, which is more than anybody reads: come to an end", maxFindings)
	}
	if err := f.check(ctx, d, &args); err != nil {
		return "", err
	}
	if slices.ContainsFunc(t.run.findings, func(g Finding) bool { return g.Fingerprint == f.Fingerprint }) {
		return "", Fail("this was reported already")
	}
	t.run.findings = append(t.run.findings, f)
	return "noted\n", nil
}

// shown returns a text of several lines as it can be shown: U+FFFD stands for its
// control characters.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return visible(r)
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}

// urgentFirst returns findings in the order in which they are to be read.
func urgentFirst(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(a.Priority-b.Priority, cmp.Compare(b.Confidence, a.Confidence), strings.Compare(a.Path, b.Path), a.Line-b.Line)
	})
	return findings
}
