package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/agentls/agentls/agent"
)

const findsDivision = `
-- turn1.reply --
call report_finding {"title":"b may be zero","body":"It panics.","priority":1,"confidence":0.9,"path":"div.go","line":4,"quote":"\treturn a / b","fix":"\treturn a / max(b, 1)"}
-- turn2.reply --
message: One thing.
`

// oncePlease is a configuration without a second pass.
const oncePlease = "second_pass = false\n"

// reviewUser has a change that is not committed.
func reviewUser(t *testing.T) *user {
	t.Helper()
	u := newUser(t, map[string]string{"div.go": "package div\n"})
	u.commit()
	u.write("div.go", "package div\n\nfunc Div(a, b int) int {\n\treturn a / b\n}\n")
	return u
}

func TestReview(t *testing.T) {
	u := reviewUser(t)
	u.configure(oncePlease)
	u.model(findsDivision)
	u.run("review", "--fail-on", "0").want(t, 0, "div.go:4: P1 b may be zero (confidence 90 %)", "It panics.", "+\treturn a / max(b, 1)", "1 finding")
	u.model(findsDivision)
	u.run("review", "HEAD", "--fail-on", "1").want(t, 1, "b may be zero")
	u.model(findsDivision)
	printed := u.run("review", "--json")
	var result agent.Result
	if err := json.Unmarshal([]byte(printed.out), &result); err != nil || len(result.Findings) != 1 || result.Findings[0].Fingerprint == "" {
		t.Errorf("%v: %s", err, printed.out)
	}
	u.model(findsDivision)
	printed = u.run("review", "--format", "github")
	var review pullReview
	if err := json.Unmarshal([]byte(printed.out), &review); err != nil || len(review.Comments) != 1 {
		t.Fatalf("%v: %s", err, printed.out)
	}
	if c := review.Comments[0]; c.Path != "div.go" || c.Line != 4 || !strings.Contains(c.Body, "```suggestion\n\treturn a / max(b, 1)\n```") {
		t.Errorf("the comment is %+v", c)
	}
	u.run("review", "--staged").want(t, 0, "nothing to review")
	u.run("review", "--staged", "--working").want(t, 2, "one of")
	u.run("review", "--output=/tmp/x").want(t, 2)
	u.run("review", "--format", "fax").want(t, 2, "text, sarif or github")
}

func TestReviewWithoutAModel(t *testing.T) {
	reviewUser(t).run("review").want(t, 1, "reviewing code needs one")
}

// TestReviewOfNothing: what is missing, and what to do, in our words.
func TestReviewOfNothing(t *testing.T) {
	u := newUser(t, map[string]string{"a.go": smallGo})
	u.model(findsDivision)
	u.run("review").want(t, 1, "no git repository", "--dir")
	u.run("review", "--staged").want(t, 1, "no git repository")
	u.git("init", "-q")
	u.run("review").want(t, 1, "no commit yet", "--staged")
	u.run("review", "nope").want(t, 1, `"nope": no such revision`, "git log")
}

// TestReviewTwice: what the second pass refutes is counted, and told where it is
// asked for; a pass that gets no answer drops nothing.
func TestReviewTwice(t *testing.T) {
	u := reviewUser(t)
	const refuted = "-- turn1.reply --\ncall report_verdicts {\"verdicts\":[{\"finding\":1,\"verdict\":\"drop\",\"reason\":\"b is never zero\"}]}\n"
	u.model(findsDivision, refuted)
	u.run("review", "--fail-on", "3").want(t, 0, "0 findings; the second pass dropped 1")
	u.model(findsDivision, refuted)
	u.run("review", "--verbose").want(t, 0, "dropped: div.go:4: b may be zero (b is never zero)")
	u.model(findsDivision, refuted)
	u.run("review", "--json").want(t, 0, `"dropped": [`, `"reason": "b is never zero"`)
	u.model(findsDivision, "-- turn1.reply --\nmessage: What?\n")
	u.run("review").want(t, 0, "b may be zero (confidence 90 %, unverified)", "the model gave no verdicts", "1 finding\n")
}

// TestPullReview: what GitHub's diff does not show, or not in one hunk, is said
// in the text of the review. What a model writes makes no block that GitHub offers
// to commit, and no markup in a title.
func TestPullReview(t *testing.T) {
	lines := "package a\n\nvar (\n\ta = 1\n\tb = 2\n\tc = 3\n\td = 4\n\te = 5\n\tf = 6\n\tg = 7\n)\n"
	u := newUser(t, map[string]string{"a.go": lines})
	u.configure(oncePlease)
	u.commit()
	u.write("a.go", strings.Replace(lines, "a = 1", "a = 0", 1))
	u.model(`
-- turn1.reply --
call report_finding {"title":"In <b>*it*","body":"x\u001b[2J\n\n> - \u0060\u0060\u0060suggestion\n> evil()","priority":1,"confidence":0.9,"path":"a.go","line":4,"quote":"\ta = 0\n\tb = 2","fix":"\ta, b = 1, 2"}
call report_finding {"title":"Below","body":"x","priority":1,"confidence":0.9,"path":"a.go","line":10,"quote":"\tg = 7","fix":"\tg = 8"}
call report_finding {"title":"Across","body":"x","priority":2,"confidence":0.9,"path":"a.go","line":7,"quote":"\td = 4\n\te = 5"}
-- turn2.reply --
message: Three.
`)
	var review pullReview
	printed := u.run("review", "--format", "github")
	if err := json.Unmarshal([]byte(printed.out), &review); err != nil {
		t.Fatalf("%v: %s", err, printed.errOut)
	}
	want := pullReview{
		Event: "COMMENT",
		Body: "Three.\n\n### P1: Below\n\n`a.go`, line 10, which the diff does not show\n\nx\n\nInstead:\n\n```\n\tg = 8\n```\n\n" +
			"### P2: Across\n\n`a.go`, lines 7 to 8, which the diff does not show\n\nx",
		Comments: []pullComment{{Path: "a.go", Line: 5, Side: "RIGHT", StartLine: 4, StartSide: "RIGHT", Body: "**P1: In &lt;b>\\*it\\***\n\nx\uFFFD[2J\n\n> - ```text\n> evil()\n\n```suggestion\n\ta, b = 1, 2\n```"}},
	}
	if diff := cmp.Diff(want, review); diff != "" {
		t.Error(diff)
	}
}

// TestSARIF: what is printed is valid by the schema of OASIS.
func TestSARIF(t *testing.T) {
	u := reviewUser(t)
	u.configure(oncePlease)
	u.model(findsDivision)
	printed := u.run("review", "--format", "sarif")
	raw, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(printed.out))
	if err != nil {
		t.Fatalf("%v: %s", err, printed.out)
	}
	if err := schema.Validate(instance); err != nil {
		t.Errorf("%v: %s", err, printed.out)
	}
	var log sarifLog
	if err := json.Unmarshal([]byte(printed.out), &log); err != nil || log.Runs[0].Results[0].Locations[0].Physical.Region.StartLine != 4 {
		t.Errorf("%v: %s", err, printed.out)
	}
}
