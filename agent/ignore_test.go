package agent_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
)

// TestIgnoreLikeGit compares with what git makes of the same patterns.
func TestIgnoreLikeGit(t *testing.T) {
	patterns := "*.sql\n# no pattern\n!keep.sql\ncustomers/\n/top\ndocs/*.md\n**/deep/x\na/**/z\nb/**\n\\!bang\nfoo[0-9].txt\nq?.c\n!b/kept\ntrailing  \nsrc/[!a]*.go\n\\#hash\nc/**/\n"
	names := []string{
		"a.sql", "keep.sql", "d/a.sql", "d/keep.sql", "customers/x", "d/customers/y/z", "top", "d/top", "docs/a.md", "docs/d/a.md",
		"deep/x", "d/deep/x", "a/z", "a/b/c/z", "b/q", "b/kept", "!bang", "foo1.txt", "fooa.txt", "q1.c", "q12.c", "trailing", "src/b.go", "src/a.go", "#hash", "c/d/e", "c/f", "plain.go", "customers",
	}
	dir := workspace(t, map[string]string{agent.IgnoreFile: patterns, ".gitignore": patterns})
	git := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		return cmd
	}
	if err := git("init", "-q").Run(); err != nil {
		t.Fatal(err)
	}
	gate := (&agent.Gate{}).In(t.Context(), scan(t, dir))
	for _, name := range names {
		want := git("check-ignore", "-q", "--no-index", name).Run() == nil
		if rule, got := gate.Withheld(filepath.Join(dir, filepath.FromSlash(name))); got != want {
			t.Errorf("%s: withheld %v (%s), git says %v", name, got, rule, want)
		}
	}
}

// TestIgnoreWithholdsMore: a workspace's file lets nothing through.
func TestIgnoreWithholdsMore(t *testing.T) {
	dir := workspace(t, map[string]string{agent.IgnoreFile: "!.env\n!data.sql\n/private\n"})
	gate := (&agent.Gate{Withhold: []string{"*.sql"}}).In(t.Context(), scan(t, dir))
	for name, want := range map[string]string{
		".env": ".env", "data.sql": "your settings: *.sql", "private/x.go": agent.IgnoreFile + ": /private", "x.go": "",
	} {
		if rule, _ := gate.Withheld(filepath.Join(dir, name)); rule != want {
			t.Errorf("%s is withheld by %q, want %q", name, rule, want)
		}
	}
}

// TestIgnoreTooLong: what cannot be read as a whole withholds everything.
func TestIgnoreTooLong(t *testing.T) {
	dir := workspace(t, map[string]string{agent.IgnoreFile: strings.Repeat("#", 65<<10)})
	if _, ok := (&agent.Gate{}).In(t.Context(), scan(t, dir)).Withheld(filepath.Join(dir, "x.go")); !ok {
		t.Error("a file is let through")
	}
}
