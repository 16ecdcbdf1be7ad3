package agent_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
)

// manyEdits is a run of n edits of one file of so many lines.
func manyEdits(n, lines int) []byte {
	var b strings.Builder
	b.WriteString("mode: edit\nprompt: Number the lines.\n-- files/big.txt --\n")
	for i := range lines {
		fmt.Fprintf(&b, "line %d of a file that is not small\n", i)
	}
	for i := range n {
		fmt.Fprintf(&b, "-- turn%d.reply --\ncall edit {\"path\": \"big.txt\", \"old\": \"line %d of\", \"new\": \"Zeile %d von\"}\n", i+1, i*7, i*7)
	}
	fmt.Fprintf(&b, "-- turn%d.reply --\nmessage: Done.\n", n+1)
	return []byte(b.String())
}

// TestTranscriptOfManyEdits: what a transcript grows by with an edit is the edit,
// not the file.
func TestTranscriptOfManyEdits(t *testing.T) {
	f := parse(t, manyEdits(40, 3000))
	var kept tape
	f.task.Transcript = &kept
	if _, _, err := f.run(t, agent.Options{}); err != nil {
		t.Fatal(err, f.server.Errs())
	}
	var size int
	for line := range bytes.Lines(kept.Bytes()) {
		if bytes.Contains(line, []byte(`"kind":"output"`)) {
			size += len(line)
		}
	}
	const file, an = 3000 * 40, 1500 // bytes
	if most := 2*file + 40*an; size > most {
		t.Errorf("40 edits of a file of %d bytes are told in %d, more than %d", file, size, most)
	}
}

// more makes a file larger than what it costs to tell an edit of it.
const more = "a line that stays as it is\n"

// bodies is a run whose files are edited, moved, removed and made again.
var bodies = strings.ReplaceAll(`mode: edit
prompt: Go on.
-- files/a.txt --
één
two
three
MORE-- files/b.txt --
one
MORE
-- turn1.reply --
call edit {"path": "a.txt", "old": "één", "new": "èèn"}
call edit {"path": "a.txt", "old": "three\n", "new": ""}
-- turn2.reply --
patch:
*** Begin Patch
*** Update File: a.txt
*** Move to: 0.txt
@@
-two
+zwei
*** Update File: b.txt
*** Move to: c.txt
@@
-one
+eins
*** End Patch
-- turn3.reply --
patch:
*** Begin Patch
*** Delete File: c.txt
*** End Patch
patch:
*** Begin Patch
*** Add File: c.txt
+eins
*** End Patch
-- turn4.reply --
patch:
*** Begin Patch
*** Delete File: 0.txt
*** Add File: a.txt
+èèn
*** End Patch
-- turn5.reply --
message: Done.
`, "MORE", strings.Repeat(more, 20))

// TestResumeAtAnyByte: wherever the end of a transcript is torn, what is whole
// of it leads to the end there was.
func TestResumeAtAnyByte(t *testing.T) {
	f := parse(t, []byte(bodies))
	p := newParrot(t, f.url)
	var kept tape
	f.task.Transcript, f.model = &kept, p.model()
	want, _, err := f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err, f.server.Errs())
	}
	sent := p.inputs()
	if told := strings.Count(kept.String(), `"sum":`); told < 4 {
		t.Errorf("%d contents are told by others", told)
	}
	lines := slices.Collect(bytes.Lines(kept.Bytes()))
	size := 0
	for n, line := range lines[:len(lines)-1] {
		for cut := range line {
			records, whole, err := agent.ReadTranscript(bytes.NewReader(kept.Bytes()[:size+cut]))
			if n == 0 && errors.Is(err, agent.ErrNoTranscript) {
				continue
			}
			if err != nil || whole != int64(size) {
				t.Fatalf("cut in line %d at byte %d: %d bytes count, not %d: %v", n+1, cut, whole, size, err)
			}
			if _, err := agent.Replay(records); err != nil {
				t.Fatalf("cut in line %d at byte %d: %v", n+1, cut, err)
			}
		}
		size += len(line)
		if n+2 == len(lines) {
			break // nothing is left to be asked for
		}
		f.resume(t, p, kept.Bytes()[:size], lines[:n+1], sent, want)
	}
}

// TestTranscriptOfOld: transcripts whose contents are all whole still read.
func TestTranscriptOfOld(t *testing.T) {
	const old = `{"kind":"task","task":{"id":"a","mode":"edit","prompt":"x"},"items":[{"user":{"Text":"x"}}]}
{"kind":"response","items":[{"model":{}}],"calls":[{"ID":"c","Name":"edit","Input":"{}"}],"usage":{"requests":1}}
{"kind":"output","call":"c","items":[{"output":{"CallID":"c","Text":"ok"}}],"files":[{"path":"/w/a","content":"YWdhaW4=","base":{"content":"YQ=="}}]}
`
	records, _, err := agent.ReadTranscript(strings.NewReader(old))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]byte("again"), records[2].Files[0].Content); diff != "" {
		t.Error(diff)
	}
	if _, err := agent.Replay(records); err != nil {
		t.Error(err)
	}
}

// TestTranscriptNotUnderstood: what cannot be what was kept is refused, and said.
func TestTranscriptNotUnderstood(t *testing.T) {
	const begun = `{"kind":"task","format":2,"task":{"id":"a","mode":"edit","prompt":"x"},"items":[{"user":{"Text":"x"}}]}
{"kind":"response","items":[{"model":{}}],"calls":[{"ID":"c","Name":"edit","Input":"{}"}]}
`
	const output = `{"kind":"output","call":"c","items":[{"output":{"CallID":"c","Text":"ok"}}],"files":[{"path":"/w/a",`
	const sum = `"sum":"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"` // of "a"
	for _, c := range []struct{ name, transcript, want string }{
		{"newer", strings.Replace(begun, `"format":2`, `"format":3`, 1), "a newer agentls wrote the transcript, in its format 3, and this one reads up to 2: update agentls"},
		{"newer since", begun + `{"kind":"resumed","format":99}` + "\n", "a newer agentls wrote the transcript, in its format 99"},
		{"no source", begun + output + `"of":"/w/b",` + sum + "}]}\n", `record 3 (output): /w/a is told by a content of "/w/b" that is not there: the transcript is damaged`},
		{"outside", begun + output + `"base":{"content":"Yg=="},"of":"/w/a","edits":[{"span":{"start":0,"end":9},"new":"a"}],` + sum + "}]}\n", "record 3 (output): /w/a: the transcript is damaged: edit of bytes 0 to 9"},
		{"other", begun + output + `"base":{"content":"Yg=="},"of":"/w/a",` + sum + "}]}\n", "record 3 (output): /w/a is not what it was: the transcript is damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			records, _, err := agent.ReadTranscript(strings.NewReader(c.transcript))
			if err == nil {
				_, err = agent.Replay(records)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, not %s", err, c.want)
			}
		})
	}
}
