package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent/sandbox"
)

// TestOpenedFolder: what the user granted is written for real, and nothing
// beside it.
func TestOpenedFolder(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, map[string]string{"a.txt": "a\n"})
			p.opts.Level.Kind = kind
			top := filepath.Join(p.base, "outside")
			granted, beside := filepath.Join(top, "granted"), filepath.Join(top, "beside")
			p.mkdir(granted)
			p.mkdir(beside)
			res := p.run(sandbox.View{}, sandbox.Command{
				Shell:  "echo out > " + granted + "/x; echo no > " + beside + "/x; ln -s " + beside + " " + granted + "/link; echo no > " + granted + "/link/y; echo b > a.txt",
				Opened: granted,
			})
			if got, err := os.ReadFile(filepath.Join(granted, "x")); err != nil || string(got) != "out\n" {
				t.Errorf("granted: %q, %v\n%s", got, err, res.Output)
			}
			for _, name := range []string{"x", "y"} {
				if _, err := os.Stat(filepath.Join(beside, name)); err == nil {
					t.Errorf("%s was written beside it", name)
				}
			}
			if got := summary(p, res); len(got) != 1 || got[0] != "modify a.txt" {
				t.Errorf("changes: %v", got)
			}
			p.sh("echo again > " + granted + "/x || true")
			if got, _ := os.ReadFile(filepath.Join(granted, "x")); string(got) != "out\n" {
				t.Errorf("without the word: %q", got)
			}
		})
	}
}

// TestNeverOpened: some folders are opened to nobody, and the error says why.
func TestNeverOpened(t *testing.T) {
	p := newPlace(t, map[string]string{"dir/a.txt": "a\n"})
	top := filepath.Join(p.base, "outside")
	p.mkdir(filepath.Join(top, "real"))
	p.mkdir(filepath.Join(p.home, ".config"))
	if err := os.Symlink(filepath.Join(top, "real"), filepath.Join(top, "link")); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"repo/.git/hooks", "many/a/b/one/.git", ".cache/x"} {
		p.mkdir(filepath.Join(p.base, "other", dir))
	}
	other := filepath.Join(p.base, "other")
	masked := filepath.Join(top, "masked")
	p.mkdir(masked)
	p.opts.Masks = append(p.opts.Masks, masked)
	box := p.sandbox()
	for path, why := range map[string]string{
		"relative": "no absolute path", top + "/../x": "no absolute path", top + "/none": "not there", top + "/link": "leads to", p.root + "/dir/a.txt": "no folder",
		p.root: "proposals alone", p.root + "/dir": "proposals alone", filepath.Dir(p.root): "proposals alone",
		p.opts.Home + "/.config": "programs keep", masked: "hidden", top: "hidden",
		other + "/repo": "open a folder in that repository", other + "/many": "open a folder in that repository",
		other + "/repo/.git/hooks": "programs keep", other + "/.cache/x": "programs keep", "/home": "the home",
		"/etc": "the system's", "/usr/lib": "the system's", "/": "proposals alone",
	} {
		_, err := box.Run(t.Context(), sandbox.View{}, sandbox.Command{Shell: "true", Opened: path})
		if !errors.Is(err, sandbox.ErrNotOpened) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", path, err, why)
		}
	}
}
