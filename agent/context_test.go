package agent_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits/text"
)

// TestOpening: what the model is told of the focus, and of the user's wish.
func TestOpening(t *testing.T) {
	var long strings.Builder
	long.WriteString("package a\n\nvar x = 1\n\nfunc Long() {\n")
	for i := range 400 {
		fmt.Fprintf(&long, "\t_ = %d\n", i)
	}
	long.WriteString("}\n")
	tests := []struct{ name, focus, prompt, expect string }{
		{"declaration", "a.go:+ 1", "", "In focus: a.go, line 5\nDeclaration around it: function Short\n/^lines 4 to 6 of a.go:\\n     4\\tfunc Short.*\\n.*\\n     6\\t\\}$/\n!package a\nExplain the code in focus."},
		{"several lines", "a.go:package a\n\nfunc", "", "In focus: a.go, lines 2 to 4\nExplain the code in focus."},
		{"long declaration", "long.go:_ = 200", "Why?", "In focus: long.go, line 206\nDeclaration around it: function Long\nlines 176 to 236 of long.go:\n!func Long() {\nWhy?"},
		{"no declaration", "long.go:package", "Why?", "In focus: long.go, line 1\n!Declaration around it\nlines 1 to 31 of long.go:"},
		{"no focus", "", "", "Folders: ws/\nExplain what this workspace is.\n!In focus"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := parse(t, []byte("mode: explain\n-- files/long.go --\n"+long.String()+
				"-- files/a.go --\n// A file.\npackage a\n\nfunc Short(n int) int {\n\treturn n + 1\n}\n"+
				"-- turn1.expect --\nExplain what the code in focus does\n"+test.expect+"\n-- turn1.reply --\nmessage: ok\n"))
			f.task.Prompt = test.prompt
			if test.focus != "" {
				f.task.Focus = f.focus(t, test.focus)
			}
			if _, _, err := f.run(t, agent.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpeningNamesTheSymbol(t *testing.T) {
	f := parse(t, []byte("mode: explain\n-- files/a.txt --\na\n-- turn1.expect --\nExplain Sum.\n-- turn1.reply --\nmessage: ok\n"))
	f.task.Focus = f.focus(t, "a.txt:a")
	f.task.Focus.Symbol = "Sum"
	f.task.Focus.Span = text.Span{Start: -5, End: 999} // from a client that is behind
	if _, _, err := f.run(t, agent.Options{}); err != nil {
		t.Error(err)
	}
}

// TestOpeningTellsOfTheEditor: what is on screen and what the editor reports,
// that of the focus first; nothing of files that models do not get.
func TestOpeningTellsOfTheEditor(t *testing.T) {
	f := parse(t, []byte(`mode: explain
-- files/a.go --
package a
-- files/b.go --
package b
-- files/.env --
KEY=1
-- turn1.expect --
/On the user's screen: b.go, a.go\n\nThe editor reports:\na.go:3: warning: unused x\nb.go:1: error: expected declaration, found quote \(compiler\)\nb.go:1: error: 0\n/
/b.go:1: error: 27\nand 2 more\n/
!KEY
!elsewhere
-- turn1.reply --
message: ok
`))
	f.task.Focus = f.focus(t, "a.go:package")
	dir := strings.TrimSuffix(f.task.Focus.Path, "a.go")
	f.task.Editor = &agent.EditorView{
		Visible: []string{dir + "b.go", "/elsewhere/c.go", dir + ".env", dir + "a.go"},
		Problems: []agent.Problem{
			{Path: dir + "b.go", Severity: "error", Message: "expected declaration,\n\tfound quote", Source: "compiler"},
			{Path: dir + ".env", Severity: "error", Message: "KEY=1"},
			{Path: "/elsewhere/c.go", Severity: "error", Message: "no"},
			{Path: dir + "a.go", Line: 2, Severity: "warning", Message: "unused x"},
		},
	}
	for i := range 30 {
		f.task.Editor.Problems = append(f.task.Editor.Problems, agent.Problem{Path: dir + "b.go", Severity: "error", Message: fmt.Sprint(i)})
	}
	if _, _, err := f.run(t, agent.Options{}); err != nil {
		t.Error(err)
	}
}

func TestFocusThatCannotBeRead(t *testing.T) {
	f := parse(t, []byte("mode: explain\n-- files/a.bin --\n\x00\x01\n-- turn1.reply --\n"))
	f.task.Focus = f.focus(t, "a.bin:\x01")
	if _, _, err := f.run(t, agent.Options{}); err == nil || err.Error() != "read the code in focus: a.bin: binary file" {
		t.Errorf("a binary file gives %v", err)
	}
	f.task.Focus.Path += "x"
	if _, _, err := f.run(t, agent.Options{}); err == nil || !strings.HasPrefix(err.Error(), "read the code in focus: ") {
		t.Errorf("a missing file gives %v", err)
	}
}

// TestAmbiguousSymbol: the model is told the choice, and can make it.
func TestAmbiguousSymbol(t *testing.T) {
	f := parse(t, []byte(`mode: ask
prompt: x
-- files/a.go --
package a

type Reader struct{}

func (Reader) Close() {}

type Writer struct{}

func (Writer) Close() {}

func use() { next().Close() }
-- turn1.reply --
call symbol_refs {"symbol": "Close"}
call symbol_refs {"symbol": "Close", "path": "a.go", "line": 5}
call symbol_refs {"symbol": "Writer.Close"}
call symbol_refs {"symbol": "Writer.Close", "path": "b"}
call symbol_refs {"symbol": "Writer.Close", "path": "a.go"}
-- turn2.expect --
/output call_1_1_1:\nerror: there are 2 declarations of Close; give the id of one:\na.go#Reader.Close, method, line 5: .*\na.go#Writer.Close, method, line 9: .*$/
/output call_1_1_2:\na.go:5 \(definition\): func \(Reader\) Close\(\) \{\}\na.go:11 \(in use, by name only\): .*$/
/output call_1_1_3:\na.go:9 \(definition\): .*\na.go:11 \(in use, by name only\): .*$/
/output call_1_1_4:\nerror: no declaration has the name Writer.Close; symbol_find searches$/
/output call_1_1_5:\na.go:9 \(definition\): /
-- turn2.reply --
message: ok
`))
	if _, _, err := f.run(t, agent.Options{}); err != nil {
		t.Error(err)
	}
}

// TestOpeningGoesOn: a question that follows others is told after them.
func TestOpeningGoesOn(t *testing.T) {
	f := parse(t, []byte(`mode: ask
-- files/a.go --
package a
-- turn1.expect --
/(?s)The user: Why\?\n\nYou: Because\..*The user: Really\?\n\nYou: Yes\..*And now\?/
-- turn1.reply --
message: ok
`))
	f.task.Prompt = "And now?"
	f.task.Earlier = []agent.Exchange{{Question: "Why?", Answer: "Because."}, {Question: "Really?", Answer: "Yes."}}
	if _, _, err := f.run(t, agent.Options{}); err != nil {
		t.Error(err)
	}
}
