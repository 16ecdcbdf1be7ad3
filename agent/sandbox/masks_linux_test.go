package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent/sandbox"
)

// maskedPlace is a repository with secrets in it, all of them masked, and one
// in the draft.
func maskedPlace(t *testing.T, kind sandbox.Kind) (*place, sandbox.View) {
	t.Helper()
	secret := secretText + "\n"
	p := newPlace(t, map[string]string{
		".env": secret, "keys/a.pem": secret, "keys/sub/b.pem": secret, "config/prod.env": secret, "config/open.txt": "open\n", "a.txt": "a\n",
		"tracked.env": secret,
	})
	p.opts.Level.Kind = kind
	p.write(p.home+"/outside/c.pem", secret)
	p.git("init", "-q")
	p.git("add", "a.txt", "tracked.env")
	p.write(p.root+"/.git/token", secret)
	for name, to := range map[string]string{"link.env": "config/prod.env", "out.pem": p.home + "/outside/c.pem", "dangling": "nowhere", "keys2": "keys"} {
		if err := os.Symlink(to, filepath.Join(p.root, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{".env", "keys2", "link.env", "out.pem", "dangling", "none.env", "no/such/folder", ".git/token", "draft.env", "tracked.env"} {
		p.opts.Masks = append(p.opts.Masks, filepath.Join(p.root, name))
	}
	return p, sandbox.View{Files: map[string]sandbox.File{p.root + "/draft.env": {Content: []byte(secret)}, p.root + "/b.txt": {Content: []byte("b\n")}}}
}

// TestMasks: what is masked in the workspace, or behind a link in it, cannot be
// read, written, moved or deleted, and is never told of.
func TestMasks(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p, view := maskedPlace(t, kind)
			before := files(t, p.root)
			res := p.run(view, sandbox.Command{Shell: `
				cat .env keys/a.pem keys/sub/b.pem keys2/a.pem config/prod.env link.env out.pem .git/token draft.env tracked.env ` + p.root + `/.env ` + p.home + `/outside/c.pem 2>/dev/null
				ln .env hard 2>/dev/null && cat hard && rm hard
				for f in .env link.env draft.env config/prod.env tracked.env dangling keys/new; do echo overwritten 2>/dev/null > $f; done
				rm -rf .env keys keys2 config/prod.env link.env out.pem dangling .git/token draft.env tracked.env 2>/dev/null
				mv .env moved 2>/dev/null && mv moved .env
				echo own > none.env; mkdir -p no/such/folder; echo own > no/such/folder/x
				cat a.txt b.txt config/open.txt; echo more >> a.txt`})
			if strings.Contains(res.Output, secretText) || !strings.HasSuffix(res.Output, "a\nb\nopen\n") {
				t.Errorf("output %q", res.Output)
			}
			if diff := cmp.Diff([]string{"modify a.txt"}, summary(p, res)); diff != "" {
				t.Error(diff)
			}
			later := p.run(view, sandbox.Command{Shell: "cat .env keys/a.pem config/prod.env draft.env tracked.env 2>/dev/null; cat a.txt; git log 2>&1 | head -1"})
			if diff := cmp.Diff("a\nfatal: your current branch 'master' does not have any commits yet\n", later.Output); diff != "" || len(later.Changes) > 0 {
				t.Errorf("changes %v\n%s", summary(p, later), diff)
			}
			if diff := cmp.Diff(before, files(t, p.root)); diff != "" {
				t.Errorf("the user's files: %s", diff)
			}
		})
	}
}

// TestMaskAroundARoot: nothing shows of the folder but the workspace in it, also
// not what is put there while the command runs.
func TestMaskAroundARoot(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, map[string]string{"a.txt": "a\n"})
			p.opts.Level.Kind = kind
			p.opts.Masks = append(p.opts.Masks, p.base, p.root)
			before, after := p.base+"/before.txt", p.base+"/after.txt"
			p.write(before, secretText)
			cmd := sandbox.Command{
				Shell:  "echo begun; sleep 0.2; cat " + before + " " + after + " 2>/dev/null; echo x 2>/dev/null > " + p.base + "/x; cat a.txt; echo more >> a.txt; cat a.txt",
				Stream: writer(func([]byte) { p.write(after, secretText) }),
			}
			res := p.run(sandbox.View{}, cmd)
			if diff := cmp.Diff("begun\na\na\nmore\n", res.Output); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"modify a.txt"}, summary(p, res)); diff != "" {
				t.Error(diff)
			}
			if _, err := os.Stat(p.base + "/x"); err == nil {
				t.Error("it wrote outside")
			}
		})
	}
}

// A writer calls itself at each write.
type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

// TestHomeIsWorkspace: the state goes elsewhere, and the home's secrets are
// hidden in the workspace, and in what a link in the home leads to.
func TestHomeIsWorkspace(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, map[string]string{"a.txt": "a\n", "aws": secretText})
			p.write(p.home+"/.ssh/id", secretText)
			p.shell("ln -s project/aws " + p.home + "/.aws")
			p.opts.Roots = []string{p.home}
			level := sandbox.Probe(t.Context(), p.opts)
			t.Cleanup(func() { _ = os.RemoveAll(level.State) })
			if !level.Confines() || strings.HasPrefix(level.State, p.home) {
				t.Fatalf("%v, state %s", level, level.State)
			}
			p.opts.Level = sandbox.Level{Kind: kind, State: level.State}
			script := "cat .ssh/id " + p.home + "/.ssh/id project/aws .aws 2>/dev/null; cd project; cat a.txt; echo more >> a.txt; rm -rf ../.ssh aws 2>/dev/null; true"
			res := p.sh(script)
			if diff := cmp.Diff([]string{"modify a.txt"}, summary(p, res)); diff != "" || res.Output != "a\n" {
				t.Errorf("output %q\n%s", res.Output, diff)
			}
			p.opts = sandbox.Options{Roots: []string{p.root}, State: level.State, Home: p.home, Env: p.opts.Env, Stage: stagePath, Now: p.opts.Now, Level: p.opts.Level}
			dotfiles := &place{t: t, base: p.base, home: p.home, root: p.root, opts: p.opts}
			if res := dotfiles.sh("cat aws ~/.aws 2>/dev/null; cat a.txt"); res.Output != "a\n" || len(res.Changes) > 0 {
				t.Errorf("output %q, changes %v", res.Output, summary(p, res))
			}
		})
	}
}

// TestMaskFromDraft: a mask hides what comes to be there with the draft, and
// what a command itself makes where nothing was is the command's.
func TestMaskFromDraft(t *testing.T) {
	p := newPlace(t, nil)
	p.opts.Masks = []string{p.root + "/.env", p.root + "/dir"}
	p.sh("echo own > .env; mkdir dir; echo own > dir/x")
	if res := p.sh("cat .env dir/x"); res.Output != "own\nown\n" || len(res.Changes) > 0 {
		t.Errorf("output %q, changes %v", res.Output, summary(p, res))
	}
	view := sandbox.View{Files: map[string]sandbox.File{p.root + "/.env": {Content: []byte(secretText)}, p.root + "/dir/y": {Content: []byte(secretText)}}}
	if res := p.run(view, sandbox.Command{Shell: "cat .env; ls -A dir; touch .env dir/z 2>/dev/null; rm .env 2>/dev/null; ls -A"}); res.Output != ".env\ndir\n" || len(res.Changes) > 0 {
		t.Errorf("output %q, changes %v", res.Output, summary(p, res))
	}
}

// TestBadMask: a path that hides nothing where it was meant to is refused.
func TestBadMask(t *testing.T) {
	p := newPlace(t, nil)
	p.opts.Masks = []string{".env"}
	if _, err := sandbox.New(p.opts); err == nil || !strings.Contains(err.Error(), `".env" is no absolute path`) {
		t.Errorf("error %v", err)
	}
}
