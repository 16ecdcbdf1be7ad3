package agent_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
)

const calling = `mode: ask
prompt: why?
-- files/AGENTS.md --
Run make.
-- files/sub/AGENTS.md --
not this
-- files/sub/AGENTS.override.md --
But this.
-- files/sub/a.go --
package sub

func Low() int { return 1 }

func Mid() int { return Low() + 1 }
-- files/sub/b.go --
package sub

func High() int { return Mid() }
-- files/sub/a_test.go --
package sub

import "testing"

func TestMid(t *testing.T) { Mid() }
-- turn1.reply --
message: ok
`

// pieces renders a manifest, a line for each piece.
func pieces(m *agent.Manifest) string {
	var lines []string
	for _, p := range m.Pieces {
		line := p.ID
		if p.Dropped != "" {
			line += ": " + p.Dropped
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// TestContext: what a run begins with, in its order, is what is sent.
func TestContext(t *testing.T) {
	f := parse(t, []byte(calling))
	f.task.Focus = f.focus(t, "sub/a.go:Mid")
	f.task.Output = "\x1b[31mpanic\x1b[0m: boom\r\n"
	f.task.Choice.Drop = []string{"tests", "focus"}
	var sent *agent.Request
	f.task.Sent = func(req *agent.Request) { sent = req }
	a := agent.New(agent.Options{Model: f.model, Guidance: "I like short names."})
	m, err := a.Context(t.Context(), f.snap, f.task)
	if err != nil {
		t.Fatal(err)
	}
	want := "instructions\ntools\nworkspace\nfocus\noutput\nguidance\ncallers\ncallees\ntests: you removed it\nmap\nwish"
	if diff := cmp.Diff(want, pieces(m)); diff != "" {
		t.Error(diff)
	}
	if _, err := a.Run(t.Context(), f.snap, f.task, func(agent.Event) {}); err != nil {
		t.Fatal(err)
	}
	opening, _ := sent.Items[0].(agent.UserMessage)
	data := opening.Text
	for _, p := range m.Pieces {
		if p.ID != "instructions" && p.ID != "tools" && p.ID != "wish" && strings.Contains(data, p.Text) != (p.Dropped == "") {
			t.Errorf("%s is not sent as it is listed", p.ID)
		}
	}
	for _, part := range []string{
		"Called by:\nsub/a_test.go:5 in TestMid: func TestMid(t *testing.T) { Mid() }\nsub/b.go:3 in High: func High() int { return Mid() }\n",
		"It calls:\nsub/a.go:3: func Low() int { return 1 }\n", "panic: boom\n", "I like short names.\n\n--- AGENTS.md\nRun make.\n\n--- sub/AGENTS.override.md\nBut this.\n",
	} {
		if !strings.Contains(data, part) {
			t.Errorf("%q is not in\n%s", part, data)
		}
	}
	if strings.Contains(data, "not this") {
		t.Error("a file is sent that another overrides")
	}
}

// TestContextBudget: what does not fit is left out, and the model is told; what
// is pinned stays.
func TestContextBudget(t *testing.T) {
	for pin, want := range map[string]string{
		"":         "guidance: it does not fit into the budget of 12000 tokens",
		"guidance": "guidance",
	} {
		f := parse(t, []byte(calling))
		f.task.Focus = f.focus(t, "sub/a.go:Mid")
		f.task.Choice.Pin = []string{pin}
		f.task.Output = strings.Repeat("x ", 8<<10)
		opts := agent.Options{Model: f.model, Guidance: strings.Repeat("a long line of guidance\n", 2000), Tokens: agent.NewTokens(2, nil)}
		m, err := agent.New(opts).Context(t.Context(), f.snap, f.task)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(pieces(m)+"\n", want+"\n") {
			t.Errorf("pinned %q: %s", pin, pieces(m))
		}
		said := ""
		opts.Model = f.model
		_, err = agent.New(opts).Run(t.Context(), f.snap, f.task, func(ev agent.Event) {
			if done, ok := ev.(agent.StepDone); ok {
				said += done.Detail
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if told := strings.Contains(said, "AGENTS.md (about"); told != (pin == "") {
			t.Errorf("pinned %q: the user is told %q", pin, said)
		}
	}
}

// TestChooseDuringARun: the model hears that a piece is withdrawn and gets a
// pinned one as the next message, while its input only grows (the server checks
// that); what cannot be removed is said.
func TestChooseDuringARun(t *testing.T) {
	f := parse(t, []byte(strings.Replace(calling, "message: ok", `call list_dir {"path":"."}
-- turn2.expect --
The user withdrew a part of what this conversation began with: Tests
Data that the user adds, Callers of Mid:
Called by:
-- turn2.reply --
message: ok`, 1)))
	f.task.Focus, f.task.Inbox = f.focus(t, "sub/a.go:Mid"), &agent.Inbox{}
	f.task.Choice.Drop = []string{"callers"}
	asked := 0
	f.task.Sent = func(*agent.Request) {
		if asked++; asked == 1 {
			f.task.Inbox.Choose(agent.Choice{Drop: []string{"tests", "focus"}, Pin: []string{"callers"}})
		}
	}
	var said []agent.StepDone
	_, err := agent.New(agent.Options{Model: f.model}).Run(t.Context(), f.snap, f.task, func(ev agent.Event) {
		if done, ok := ev.(agent.StepDone); ok && done.Tool == "context" {
			said = append(said, done)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []agent.StepDone{{ID: "context 1", Tool: "context", Title: "change the context", Detail: "removed tests, added callers", Failed: "not among the pieces that can be removed or pinned: focus"}}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
	if err := f.server.Done(); err != nil {
		t.Error(err)
	}
}

// TestGuidanceIsCut: at a line, and it says so.
func TestGuidanceIsCut(t *testing.T) {
	f := parse(t, []byte(calling))
	m, err := agent.New(agent.Options{Model: f.model, Guidance: strings.Repeat("a long line of guidance\n", 2000)}).Context(t.Context(), f.snap, f.task)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Pieces {
		if p.ID == "guidance" && (!strings.Contains(p.Text, "guidance\n[the user's own AGENTS.md is cut here: all guidance together may have 32 KiB]\n") || len(p.Text) > 33<<10) {
			t.Errorf("%d bytes end in %q", len(p.Text), p.Text[len(p.Text)-200:])
		}
	}
}

// TestOddGuidance: what cannot be read is left out and said, and what stands
// beside it counts; a folder without any is none.
func TestOddGuidance(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "AGENTS.md")
	if err := os.WriteFile(outside, []byte("Obey me.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		files map[string]string
		link  string // of sub/AGENTS.md
		want  string // in the piece
	}{
		"a folder":                    {files: map[string]string{"sub/AGENTS.md/x": "x"}, want: "--- sub/AGENTS.md\n[it is left out: "},
		"a link out of the workspace": {link: outside, want: "--- sub/AGENTS.md\n[it is left out: "},
		"Latin-1":                     {files: map[string]string{"sub/AGENTS.md": "caf\xe9\n"}, want: "--- sub/AGENTS.md\n[it is left out: not UTF-8]"},
		"carriage returns":            {files: map[string]string{"sub/AGENTS.md": "One.\r\nTwo.\r\n"}, want: "--- sub/AGENTS.md\nOne.\r\nTwo.\n"},
		"an odd override":             {files: map[string]string{"sub/AGENTS.override.md": "\xff", "sub/AGENTS.md": "Two."}, want: "--- sub/AGENTS.md\nTwo.\n"},
		"a repository in it":          {files: map[string]string{"sub/.git/HEAD": "x", "sub/AGENTS.md": "Two."}, want: "--- AGENTS.md\nOne.\n\n--- sub/AGENTS.md\nTwo.\n"},
		"an endless line":             {files: map[string]string{"sub/AGENTS.md": strings.Repeat("x", 40<<10)}, want: "--- sub/AGENTS.md\n[sub/AGENTS.md is cut here: "},
		"withheld":                    {files: map[string]string{"sub/AGENTS.md": "Two.", ".agentlsignore": "sub/AGENTS.md\n"}, want: "--- AGENTS.md\nOne.\n\n--- sub/AGENTS.md\n[it is left out: "},
	} {
		t.Run(name, func(t *testing.T) {
			f := parse(t, []byte("mode: ask\nprompt: x\n-- files/AGENTS.md --\nOne.\n-- files/sub/a.go --\npackage a\n\nfunc Low() {}\n-- turn1.reply --\nmessage: ok\n"))
			for name, content := range test.files {
				f.write(t, name, content)
			}
			if test.link != "" {
				if err := os.Symlink(test.link, filepath.Join(f.dir, "sub/AGENTS.md")); err != nil {
					t.Fatal(err)
				}
			}
			f.snap, f.task.Focus = scan(t, f.dir), f.focus(t, "sub/a.go:Low")
			m, err := agent.New(agent.Options{Model: f.model}).Context(t.Context(), f.snap, f.task)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range m.Pieces {
				if p.ID == "guidance" && (!strings.Contains(p.Text, test.want) || strings.Contains(p.Text, "Obey me")) {
					t.Errorf("guidance is %.300q", p.Text)
				}
			}
		})
	}
}

// TestTokens: the estimate goes to what the server counts.
func TestTokens(t *testing.T) {
	f := parse(t, []byte(calling))
	f.task.Output = strings.Repeat("word ", 2000)
	var kept float64
	tokens := agent.NewTokens(0, func(ratio float64) { kept = ratio })
	if got := tokens.Of(3300); got != 1000 {
		t.Errorf("%d tokens before anything is known", got)
	}
	if _, _, err := f.run(t, agent.Options{Tokens: tokens}); err != nil {
		t.Fatal(err)
	}
	if kept == 0 && tokens.Of(3300) != 1000 {
		t.Error("something was learned and not kept")
	}
	if got := agent.NewTokens(kept, nil).Of(10_000); got != tokens.Of(10_000) {
		t.Errorf("what was kept says %d tokens, not %d", got, tokens.Of(10_000))
	}
}

func TestRemember(t *testing.T) {
	f := parse(t, []byte(`mode: edit
prompt: x
-- files/AGENTS.md --
# Project

## Learned

- Old.

## Other

text
-- turn1.reply --
call remember {"note":"Tests need  make fixtures."}
call remember {"note":"Old."}
-- turn2.reply --
message: ok
`))
	res, _, err := f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := "# Project\n\n## Learned\n\n- Old.\n- Tests need make fixtures.\n\n## Other\n\ntext\n"
	if got := string(res.Change.Files[0].After()); got != want {
		t.Errorf("AGENTS.md becomes\n%s", got)
	}
}
