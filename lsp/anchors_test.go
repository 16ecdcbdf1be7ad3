package lsp

import (
	"context"
	"io/fs"
	"testing"

	"github.com/agentls/agentls/edits"
)

// oneFile is a source of one file.
type oneFile struct{ path, content string }

func (f oneFile) ReadFile(_ context.Context, path string) ([]byte, error) {
	if path != f.path {
		return nil, fs.ErrNotExist
	}
	return []byte(f.content), nil
}

// TestRebaseFollowsAMethod that the user moved below another one.
func TestRebaseFollowsAMethod(t *testing.T) {
	const (
		path  = "/w/a.go"
		sum   = "// Sum adds.\nfunc (t T) Sum() int {\n\treturn 1 +\n\t\t2\n}\n"
		other = "func (t T) Product() int {\n\ta := 1\n\tb := 2\n\tc := 3\n\treturn a * b * c\n}\n"
		after = "// Sum adds.\nfunc (t T) Sum() int {\n\treturn 1 +\n\t\t3\n}\n"
	)
	f, err := edits.NewModify(path, []byte("package a\n\n"+sum+"\n"+other), []byte("package a\n\n"+after+"\n"+other))
	if err != nil {
		t.Fatal(err)
	}
	cs := &edits.ChangeSet{Files: []edits.FileChange{f}}
	now := oneFile{path, "package a\n\n" + other + "\n" + sum}
	if _, conflicts, err := edits.Rebase(t.Context(), cs, now); err != nil || len(conflicts) == 0 {
		t.Fatal("without the index it is no conflict: this shows nothing")
	}
	got, conflicts, err := edits.Rebase(t.Context(), cs, anchored{now})
	if err != nil || len(conflicts) > 0 {
		t.Fatal(conflicts, err)
	}
	if after := string(got.Files[0].After()); after != "package a\n\n"+other+"\n// Sum adds.\nfunc (t T) Sum() int {\n\treturn 1 +\n\t\t3\n}\n" {
		t.Errorf("it leads to %q", after)
	}
}
