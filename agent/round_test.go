package agent_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
)

const inRounds = `mode: edit
prompt: Shout.
-- files/a.txt --
one
two
three
four
five
six
seven
-- files/b.txt --
b
-- turn1.reply --
call edit {"path": "a.txt", "old": "one", "new": "ONE"}
call edit {"path": "a.txt", "old": "four", "new": "FOUR"}
call edit {"path": "a.txt", "old": "seven", "new": "SEVEN"}
patch:
*** Begin Patch
*** Add File: c.txt
+c
*** Delete File: b.txt
*** End Patch
-- turn2.reply --
message: Shouted.
-- turn3.expect --
Not so loud.
a.txt, line 1: kept
a.txt, line 4: rejected
-four
+FOUR
The user says: leave this
a.txt, line 7: not decided
b.txt, line 1: rejected
c.txt, line 1: not decided
To all of c.txt the user says: more
Since these changes are there, the editor reports what it did not when you began.
a.txt:1: error: ONE is loud
!b is bad
!known before
-- turn3.reply --
call read_file {"path": "a.txt"}
call read_file {"path": "b.txt"}
call edit {"path": "c.txt", "old": "c", "new": "cc"}
-- turn4.expect --
/1\tONE/
/3\tuser/
/4\tfour/
/7\tSEVEN/
/1\tb$/
-- turn4.reply --
message: Quieter.
`

// TestRound: what the user kept stays, with their own edits; what they rejected
// is gone; and the next proposal is the answer alone.
func TestRound(t *testing.T) {
	f := parse(t, []byte(inRounds))
	path := func(name string) string { return f.dir + "/" + name }
	var kept tape
	f.task.Transcript = &kept
	f.task.Editor = &agent.EditorView{Problems: []agent.Problem{{Path: path("a.txt"), Line: 6, Severity: "warning", Message: "known before"}}}
	res, _, err := f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err, f.server.Errs())
	}
	f.task.Editor = &agent.EditorView{Problems: []agent.Problem{
		{Path: path("a.txt"), Line: 0, Severity: "error", Message: "ONE is loud"},
		{Path: path("a.txt"), Line: 5, Severity: "warning", Message: "known before"},
		{Path: path("b.txt"), Severity: "error", Message: "b is bad"},
	}}
	cs := res.Change.Clone()
	cs.Files[0].Hunks[0].State = edits.Applied
	cs.Files[0].Hunks[1].State = edits.Rejected
	cs.Files[1].Hunks[0].State = edits.Rejected
	f.write(t, "a.txt", "ONE\ntwo\nuser\nfour\nfive\nsix\nseven\n") // as the user has it by now
	f.snap = scan(t, f.dir)
	first := slices.Clone(kept.Bytes())
	records, _, err := agent.ReadTranscript(&kept.Buffer)
	if err != nil {
		t.Fatal(err)
	}
	if f.task.Past, err = agent.Replay(records); err != nil {
		t.Fatal(err)
	}
	f.task.Round = &agent.Round{
		Changes: []*edits.ChangeSet{cs}, Message: "Not so loud.",
		Comments: []agent.Comment{{Path: path("a.txt"), Hunk: cs.Files[0].Hunks[1].ID, Text: "leave this"}, {Path: path("c.txt"), Text: "more"}},
	}
	var more tape
	f.task.Transcript = &more
	res, _, err = f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err, f.server.Errs())
	}
	if err := f.server.Done(); err != nil {
		t.Error(err)
	}
	var got []string
	for i := range res.Change.Files {
		c := &res.Change.Files[i]
		got = append(got, string(c.Op), strings.TrimPrefix(c.Path, f.dir+"/"), string(c.Before), string(c.After()))
	}
	if diff := cmp.Diff([]string{"modify", "c.txt", "c\n", "cc\n"}, got); diff != "" || res.Change.ID != "run-1-2" {
		t.Errorf("%s is proposed:\n%s", res.Change.ID, diff)
	}
	if records, _, err = agent.ReadTranscript(bytes.NewReader(slices.Concat(first, more.Bytes()))); err != nil {
		t.Fatal(err)
	}
	f.task.Past, err = agent.Replay(records)
	if err != nil || f.task.Past.Answer != "Quieter." || f.task.Past.Turns != 4 {
		t.Errorf("kept: %+v, %v", f.task.Past, err)
	}
}

func TestProposed(t *testing.T) {
	var all []*edits.ChangeSet
	for _, id := range []string{"a", "a-2.1", "a-2.10", "a-2.2", "ab", "b", "a-2"} {
		all = append(all, &edits.ChangeSet{ID: id})
	}
	var got []string
	for _, cs := range agent.Proposed("a", all) {
		got = append(got, cs.ID)
	}
	if diff := cmp.Diff([]string{"a-2", "a-2.1", "a-2.2", "a-2.10"}, got); diff != "" {
		t.Error(diff)
	}
	isRun := func(id string) bool { return id == "a" || id == "x-y.z" }
	for id, want := range map[string]string{"a": "a", "a-2.10": "a", "a.1": "a", "x-y.z-3": "x-y.z", "ab": "", "": ""} {
		if got, ok := agent.RunOf(id, isRun); got != want || ok != (want != "") {
			t.Errorf("%q is of %q", id, got)
		}
	}
}
