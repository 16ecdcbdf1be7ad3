package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
)

// TestDraftChangeSet: what patches, one after the other, come to.
func TestDraftChangeSet(t *testing.T) {
	tests := []struct {
		name    string
		patches []string
		want    []string
	}{
		{"modify", []string{"*** Update File: a\n@@\n-a\n+b\n"}, []string{"modify a"}},
		{"and back", []string{"*** Update File: a\n@@\n-a\n+b\n", "*** Update File: a\n@@\n-b\n+a\n"}, nil},
		{"create", []string{"*** Add File: n/new\n+x\n"}, []string{"create n/new"}},
		{"create and delete", []string{"*** Add File: new\n+x\n", "*** Delete File: new\n"}, nil},
		{"delete and create again", []string{"*** Delete File: a\n", "*** Add File: a\n+a\n"}, nil},
		{"rename", []string{"*** Update File: a\n*** Move to: c\n@@\n a\n"}, []string{"rename a to c"}},
		{"rename on", []string{"*** Update File: a\n*** Move to: c\n@@\n a\n", "*** Update File: c\n*** Move to: d\n@@\n a\n"}, []string{"rename a to d"}},
		{"rename and back", []string{"*** Update File: a\n*** Move to: c\n@@\n a\n", "*** Update File: c\n*** Move to: a\n@@\n a\n"}, nil},
		{"rename, then the old name anew", []string{"*** Update File: a\n*** Move to: c\n@@\n a\n", "*** Add File: a\n+z\n"}, []string{"modify a", "create c"}},
		{"rename and delete", []string{"*** Update File: a\n*** Move to: c\n@@\n a\n", "*** Delete File: c\n"}, []string{"delete a"}},
		{"rename over another", []string{"*** Update File: a\n*** Move to: b\n@@\n a\n"}, []string{"delete a", "modify b"}},
		{"create and rename", []string{"*** Add File: new\n+x\n", "*** Update File: new\n*** Move to: newer\n@@\n-x\n+y\n"}, []string{"create newer"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := workspace(t, map[string]string{"a": "a\n", "b": "b\n"})
			draft := agent.NewDraft(scan(t, dir), &agent.Gate{})
			for _, patch := range test.patches {
				if _, err := draft.Apply(t.Context(), "*** Begin Patch\n"+patch+"*** End Patch"); err != nil {
					t.Fatal(err)
				}
			}
			cs, err := draft.ChangeSet(t.Context(), "id", "title")
			if err != nil {
				t.Fatal(err)
			}
			if test.want == nil {
				if cs != nil {
					t.Errorf("got %q, want nothing", summary(dir, cs))
				}
				return
			}
			if diff := cmp.Diff(test.want, summary(dir, cs)); diff != "" {
				t.Error(diff)
			}
			if err := cs.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDraftOverwrites(t *testing.T) {
	dir := workspace(t, map[string]string{"a": "a\n"})
	draft := agent.NewDraft(scan(t, dir), &agent.Gate{})
	if _, err := draft.Apply(t.Context(), "*** Begin Patch\n*** Add File: a\n+x\n*** End Patch"); err != nil {
		t.Fatal(err)
	}
	cs, err := draft.ChangeSet(t.Context(), "id", "title")
	if err != nil {
		t.Fatal(err)
	}
	if c := cs.Files[0]; c.Op != edits.Modify || !c.Overwrites {
		t.Errorf("got %s, overwrites %t", c.Op, c.Overwrites)
	}
}

// TestDraftRefusesNames: no name of a proposal shows as another one.
func TestDraftRefusesNames(t *testing.T) {
	d := agent.NewDraft(scan(t, workspace(t, map[string]string{"a": "a\n"})), &agent.Gate{})
	for _, name := range []string{"es\x1bc", "turned\u202eround"} {
		_, err := d.Apply(t.Context(), "*** Begin Patch\n*** Add File: "+name+"\n+x\n*** End Patch\n")
		if err == nil || !strings.Contains(err.Error(), "is no plain text") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if len(d.Changed()) != 0 {
		t.Error(d.Changed())
	}
}

// TestDraftWrite: what a command leaves behind, with its mode.
func TestDraftWrite(t *testing.T) {
	dir := workspace(t, map[string]string{"a": "a\n", "b": "b\n"})
	draft := agent.NewDraft(scan(t, dir), &agent.Gate{})
	run := filepath.Join(dir, "run.sh")
	draft.Write(run, []byte("#!/bin/sh\n"), 0o755)
	draft.Write(filepath.Join(dir, "a"), []byte("a\n"), 0)
	draft.Remove(filepath.Join(dir, "b"))
	if _, err := draft.ReadFile(t.Context(), filepath.Join(dir, "b")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a removed file reads as %v", err)
	}
	cs, err := draft.ChangeSet(t.Context(), "id", "title")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"delete b", "create run.sh"}, summary(dir, cs)); diff != "" {
		t.Error(diff)
	}
	if mode := cs.Files[1].Mode; mode != 0o755 {
		t.Errorf("mode is %v", mode)
	}
	draft.Write(run, []byte{0, 1, 2}, 0)
	cs, err = draft.ChangeSet(t.Context(), "id", "title")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"delete b", "left out run.sh: it is no text, or was none"}, summary(dir, cs)); diff != "" {
		t.Errorf("a binary file takes the rest along: %s", diff)
	}
}

// A oneCall is a model that makes one call and then answers.
type oneCall struct{ call agent.ToolCall }

func (oneCall) Name() string { return "one call" }

func (m oneCall) Respond(_ context.Context, req *agent.Request) iter.Seq2[agent.ModelEvent, error] {
	return func(yield func(agent.ModelEvent, error) bool) {
		done := agent.ItemDone{Item: agent.ModelItem{Raw: json.RawMessage("{}")}, Call: &m.call}
		if _, answered := req.Items[len(req.Items)-1].(agent.ToolOutput); answered {
			done = agent.ItemDone{Text: "done"}
		}
		if yield(done, nil) {
			yield(agent.Completed{}, nil)
		}
	}
}

// FuzzTools: whatever a model calls, with whatever arguments, is answered.
func FuzzTools(f *testing.F) {
	for _, seed := range [][2]string{
		{"read_file", `{"path": "sum.go", "offset": -5, "limit": 9223372036854775807}`},
		{"read_file", `{"path": "\u0000"}`},
		{"list_dir", `{"path": "//"}`},
		{"grep", `{"pattern": "(a*)*", "path": "sum.go/x"}`},
		{"symbol_find", `{"query": "/:."}`},
		{"symbol_refs", `{"path": "sum.go", "line": 6, "symbol": "."}`},
		{"symbol_refs", `{"path": "sum.go", "line": 9223372036854775807}`},
		{"apply_patch", `{"patch": "*** Begin Patch\n*** Update File: sum.go\n@@\n*** End of File\n*** End Patch"}`},
		{"apply_patch", `{"patch": "*** Begin Patch\n*** Add File: .\n+x\n*** End Patch"}`},
		{"glob", `{"pattern": "{a,[b"}`},
		{"glob", `{"pattern": "**/**/*?[!x-]", "path": ".."}`},
		{"edit", `{"path": "sum.go", "old": "\r\n", "new": "x", "all": true}`},
		{"replace_symbol", `{"symbol": "sum.go#Sum", "hash": "", "content": "\n\t}"}`},
		{"symbol_rename", `{"symbol": "sum.go#Sum", "new_name": "Add"}`},
		{"diagnostics", `{"path": "sum.go"}`},
		{"edit", `{"path": "sum.go", "old": "package", "new": "\u0000"}`},
		{"replace_symbol", `{"symbol": "sum.go#Sum", "hash": "", "content": "\u0000"}`},
		{"apply_patch", `{"patch": "*** Begin Patch\n*** Delete File: binary\n*** End Patch"}`},
		{"apply_patch", `{"patch": "*** Begin Patch\n*** Add File: binary\n+x\n*** End Patch"}`},
		{"read_file", `{"path": "` + strings.Repeat("x", 300) + `"}`},
		{"shell", `{"command": "echo \u0000"}`},
		{"x", `null`},
	} {
		f.Add(seed[0], seed[1])
	}
	dir := f.TempDir()
	for name, content := range offlineFiles {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			f.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "binary"), []byte{0, 1}, 0o644); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, input string) {
		model := oneCall{agent.ToolCall{ID: "1", Name: name, Input: input}}
		task := agent.Task{Mode: agent.Edit, Prompt: "x"}
		res, err := agent.New(agent.Options{Model: model}).Run(t.Context(), scan(t, dir), task, func(agent.Event) {})
		if err != nil || res.Answer != "done" {
			t.Errorf("%s %s gives %v, %v", name, input, res, err)
		}
	})
}

// TestImports: the core has no network, no processes, no clock.
func TestImports(t *testing.T) {
	allowed := map[string]bool{
		"github.com/agentls/agentls/agent/secrets": true,
		"github.com/agentls/agentls/edits":         true,
		"github.com/agentls/agentls/edits/text":    true,
		"github.com/agentls/agentls/index":         true,
	}
	forbidden := map[string]bool{"net/http": true, "os/exec": true, "math/rand": true, "math/rand/v2": true}
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if forbidden[path] || strings.Contains(path, ".") && !allowed[path] {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}
