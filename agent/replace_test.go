package agent_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
)

// TestReplaceSymbol: a declaration takes its place whichever way a model has
// indented it.
func TestReplaceSymbol(t *testing.T) {
	const (
		python = "class C:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n"
		script = "class C {\n  // One.\n  f() {\n    return 1\n  }\n}\n"
	)
	tests := []struct{ name, file, src, id, content, want string }{
		{"at the top", "a.go", "package a\n\nfunc f() int { return 1 }\n", "f", "func f() int {\n\treturn 2\n}\n", "package a\n\nfunc f() int {\n\treturn 2\n}\n"},
		{"with a comment before", "a.go", "package a\n\n// f is one.\nfunc f() {}\n", "f", "// f is two.\nfunc f() {}", "package a\n\n// f is two.\nfunc f() {}\n"},
		{"a block comment", "a.go", "package a\n\n/* f\nis one. */\nfunc f() {}\n\nvar x = 1\n", "f", "func f() {}", "package a\n\nfunc f() {}\n\nvar x = 1\n"},
		{"no comment across a blank line", "a.go", "package a\n\n// Other.\n\nfunc f() {}\n", "f", "func g() {}", "package a\n\n// Other.\n\nfunc g() {}\n"},
		{"one of a group", "a.go", "package a\n\nconst (\n\tA = 1 // one\n\tB = 2\n)\n", "B", "B = 3", "package a\n\nconst (\n\tA = 1 // one\n\tB = 3\n)\n"},
		{"line endings", "a.go", "package a\r\n\r\nfunc f() {}\r\n", "f", "func f() {\n\tf()\n}", "package a\r\n\r\nfunc f() {\r\n\tf()\r\n}\r\n"},
		{"from the margin", "c.py", python, "C.f", "def f(self):\n    if self:\n        return 3", "class C:\n    def f(self):\n        if self:\n            return 3\n\n    def g(self):\n        return 2\n"},
		{"as it is in the file", "c.py", python, "C.f", "    def f(self):\n        return 3\n", "class C:\n    def f(self):\n        return 3\n\n    def g(self):\n        return 2\n"},
		{"only the first line from the margin", "c.py", python, "C.f", "def f(self):\n        return 3\n", "class C:\n    def f(self):\n        return 3\n\n    def g(self):\n        return 2\n"},
		{"a brace that closes at its place", "c.ts", script, "C.f", "f() {\n    return 2\n  }", "class C {\n  f() {\n    return 2\n  }\n}\n"},
		{"a brace that closes at the margin", "c.ts", script, "C.f", "// Two.\nf() {\n  return 2\n}", "class C {\n  // Two.\n  f() {\n    return 2\n  }\n}\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := workspace(t, map[string]string{test.file: test.src})
			id := test.file + "#" + test.id
			model := &turnsModel{turns: [][]agent.ItemDone{
				{callTool("1", "read_file", map[string]string{"path": id})},
				nil,
				{{Text: "end"}},
			}}
			model.next = func(req *agent.Request) {
				out, ok := req.Items[len(req.Items)-1].(agent.ToolOutput)
				if !ok || len(model.turns) != 2 {
					return
				}
				hash := regexp.MustCompile(`hash (\w+)`).FindStringSubmatch(out.Text)
				if hash == nil {
					t.Fatalf("read_file says %q", out.Text)
				}
				model.turns[0] = []agent.ItemDone{callTool("2", "replace_symbol", map[string]string{"symbol": id, "hash": hash[1], "content": test.content})}
			}
			res, err := agent.New(agent.Options{Model: model}).Run(t.Context(), scan(t, dir), agent.Task{Mode: agent.Edit, Prompt: "x"}, func(agent.Event) {})
			if err != nil || res.Change == nil {
				t.Fatal(res, err)
			}
			if diff := cmp.Diff(test.want, string(res.Change.Files[0].After())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// callTool returns the item of a call.
func callTool(id, tool string, args map[string]string) agent.ItemDone {
	input, _ := json.Marshal(args)
	return agent.ItemDone{Item: agent.ModelItem{Raw: json.RawMessage(`{}`)}, Call: &agent.ToolCall{ID: id, Name: tool, Input: string(input)}}
}
