package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/agentls/agentls/agent"
)

const findsDivision = `
-- turn1.reply --
call report_finding {"title":"b may be zero","body":"It panics.","priority":1,"confidence":0.9,"path":"div.go","line":4,"quote":"\treturn a / b","fix":"\treturn a / max(b, 1)"}
-- turn2.reply --
message: One thing.
`

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

// TestSARIF: what is printed is valid by the schema of OASIS.
func TestSARIF(t *testing.T) {
	u := reviewUser(t)
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
