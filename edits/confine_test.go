package edits_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentls/agentls/edits"
)

func TestConfine(t *testing.T) {
	top := t.TempDir()
	root, second, outside := filepath.Join(top, "root"), filepath.Join(top, "second"), filepath.Join(top, "outside")
	writeTree(t, root, map[string]string{"a": "", "dir/b": "", ".git/config": "", "dir/.git/HEAD": ""})
	writeTree(t, second, map[string]string{"c": ""})
	writeTree(t, outside, map[string]string{"secret": ""})
	for link, to := range map[string]string{
		"root/in": "dir", "root/out": "../outside", "root/file": "../outside/secret", "root/lost": "../nowhere",
		"root/git": ".git", "root/other": "../second", "root/loop": "loop", "alias": "root", "root/abs": outside,
	} {
		if err := os.Symlink(to, filepath.Join(top, link)); err != nil {
			t.Fatal(err)
		}
	}
	resolve := edits.Confine([]string{root, second})
	for name, want := range map[string]string{
		"a":                             filepath.Join(root, "a"),
		"./dir/../a":                    filepath.Join(root, "a"),
		filepath.Join(root, "a"):        filepath.Join(root, "a"),
		filepath.Join(second, "c"):      filepath.Join(second, "c"),
		"new/deep/file":                 filepath.Join(root, "new/deep/file"),
		"in/b":                          filepath.Join(root, "dir/b"),
		"in/new/file":                   filepath.Join(root, "dir/new/file"),
		"other/c":                       filepath.Join(second, "c"),
		"..a":                           filepath.Join(root, "..a"),
		"a/below":                       filepath.Join(root, "a/below"), // the file may go first
		".gitignore":                    filepath.Join(root, ".gitignore"),
		".github/a":                     filepath.Join(root, ".github/a"),
		"git~2":                         filepath.Join(root, "git~2"),
		"../second/c":                   filepath.Join(second, "c"),
		filepath.Join(second, "d/../c"): filepath.Join(second, "c"),
	} {
		if got, err := resolve(name); err != nil || got != want {
			t.Errorf("%q is %q, %v, want %q", name, got, err, want)
		}
	}
	for _, name := range []string{
		"", ".", "..", "/", "../outside/secret", "../../etc/passwd", "/etc/passwd", filepath.Join(outside, "secret"), "dir/../../outside/x",
		"out", "out/secret", "out/new", "out/new/deep", "file", "lost", "lost/x", "abs/secret", "a\x00b",
		".git/config", ".git", ".GIT/config", "dir/.git/hooks/x", "git/config", ".git./config", ".git /config", ".git::$INDEX_ALLOCATION/config", "git~1/config",
		"GIT~1/hooks/x", ".g\u200cit/config", "\ufeff.git/config", "new/.git/config", root, filepath.Join(top, "alias/a"),
	} {
		if got, err := resolve(name); !errors.Is(err, edits.ErrOutside) {
			t.Errorf("%q is %q, %v, want ErrOutside", name, got, err)
		}
	}
	for name, why := range map[string]string{
		".git/config": "a repository's own .git", "git/config": "a repository's own .git", "": "no name", "a\x00b": "no name", "../x": "outside the workspace",
	} {
		if _, err := resolve(name); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %q", name, err, why)
		}
	}
	for _, name := range []string{"loop"} {
		if got, err := resolve(name); err == nil {
			t.Errorf("%q is %q", name, got)
		}
	}
	if got, err := edits.Confine(nil)("a"); err == nil {
		t.Errorf("without roots: %q", got)
	}
	alias := filepath.Join(top, "alias")
	if got, err := edits.Confine([]string{alias})("in/b"); err != nil || got != filepath.Join(alias, "dir/b") {
		t.Errorf("the root's own name is lost: %q, %v", got, err)
	}
}
