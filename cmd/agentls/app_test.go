package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestWorkspaceKey: an editor and the command line mean the same workspace,
// whichever way leads there.
func TestWorkspaceKey(t *testing.T) {
	dir, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if a, b := workspaceKey([]string{dir}), workspaceKey([]string{link}); a != b {
		t.Errorf("%s by its name, %s by a link", a, b)
	}
	if a, b := workspaceKey([]string{dir}), workspaceKey([]string{dir, "/"}); a == b {
		t.Errorf("%s for two workspaces", a)
	}
}
