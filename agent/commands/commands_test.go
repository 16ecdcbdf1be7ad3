//go:build linux

package commands_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/commands"
	"github.com/agentls/agentls/agent/openai"
	"github.com/agentls/agentls/agent/sandbox"
	"github.com/agentls/agentls/agent/script"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

// A place is a workspace, opened by a symbolic link, and this machine.
type place struct {
	t    *testing.T
	real string
	root string
	ws   *index.Workspace
	opts commands.Options
}

func newPlace(t *testing.T, files string) *place {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, real: filepath.Join(dir, "real"), root: filepath.Join(dir, "link")}
	for _, f := range txtar.Parse([]byte(files)).Files {
		p.write(f.Name, string(f.Data))
	}
	if err := os.Symlink(p.real, p.root); err != nil {
		t.Fatal(err)
	}
	p.ws = index.New(index.Options{Roots: []string{p.root}})
	t.Cleanup(func() { _ = p.ws.Close() })
	if _, err := p.ws.Scan(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	machine := sandbox.Options{
		Roots: []string{p.real}, State: filepath.Join(dir, "state"), Env: os.Environ(), Now: time.Now,
		Ignored: func(_ context.Context, _ string, names []string) (map[string]bool, error) {
			ignored := map[string]bool{}
			for _, name := range names {
				ignored[name] = strings.HasSuffix(name, ".o")
			}
			return ignored, nil
		},
	}
	level := sandbox.Probe(t.Context(), machine)
	p.opts = commands.Options{
		Roots: []string{p.root, p.real}, Sandbox: machine, Level: func(context.Context) sandbox.Level { return level },
		Tracked: func(context.Context, string, []string) (map[string]bool, error) {
			return map[string]bool{"testdata/cert.pem": true}, nil
		},
	}
	return p
}

func (p *place) write(name, content string) {
	p.t.Helper()
	path := filepath.Join(p.real, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// files returns all files of the workspace on disk.
func (p *place) files() map[string]string {
	p.t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(p.real, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, p.real+"/")] = string(content)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return files
}

func (p *place) run(conversation string, verify ...string) *agent.Result {
	p.t.Helper()
	s, err := script.Parse(p.t.Name(), []byte(conversation))
	if err != nil {
		p.t.Fatal(err)
	}
	server := script.New(s)
	url, err := server.Start(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	a := agent.New(agent.Options{
		Model:   openai.New(openai.Options{BaseURL: url, Model: "scripted"}),
		Sandbox: func([]string) agent.Sandbox { return commands.New(p.opts) },
		Verify:  func([]string) []string { return verify },
	})
	res, err := a.Run(p.t.Context(), p.ws.Snapshot(), agent.Task{ID: "run", Mode: agent.Edit, Prompt: "x"}, func(agent.Event) {})
	if err != nil {
		p.t.Fatal(err, server.Errs())
	}
	if err := server.Done(); err != nil {
		p.t.Error(err)
	}
	return res
}

func changes(p *place, res *agent.Result) map[string]string {
	after := map[string]string{}
	if res.Change == nil {
		return after
	}
	for i := range res.Change.Files {
		c := &res.Change.Files[i]
		name := string(c.Op) + " " + strings.TrimPrefix(c.Path, p.root+"/")
		if c.To != "" {
			name += " to " + strings.TrimPrefix(c.To, p.root+"/")
		}
		after[name] = string(c.After())
	}
	return after
}

// TestARun: commands see the draft and what is not saved, their writes join the
// draft, and the disk stays as it is.
func TestARun(t *testing.T) {
	p := newPlace(t, `
-- a.txt --
disk
-- b.txt --
b
-- gone.txt --
gone
-- open.txt --
saved
-- moved.txt --
a text that is long enough to be known again
`)
	before := p.files()
	open := index.Modification{Action: index.Open, Path: filepath.Join(p.root, "open.txt"), Text: []byte("typed\n")}
	if err := p.ws.Change(open); err != nil {
		t.Fatal(err)
	}
	res := p.run(`
-- turn1.reply --
patch:
*** Begin Patch
*** Update File: a.txt
@@
-disk
+draft
*** End Patch
call shell {"command": "cat a.txt open.txt; pwd; echo more >> b.txt; rm gone.txt; mv moved.txt new.txt; echo x > x.o; printf '\\000' > x.bin; mkdir sub; echo 1 > sub/run.sh; chmod +x sub/run.sh"}
call shell {"command": "ls -x; cat b.txt x.o", "dir": "sub"}
call shell {"command": "cd ..; cat b.txt x.o; exit 3", "dir": "sub"}
-- turn2.expect --
/output call_1_1_2:\nexit code 0\ndraft\ntyped\n\/.*\/real\n\[changed b.txt\]\n\[deleted gone.txt\]\n\[moved moved.txt to new.txt\]\n\[created sub\/run.sh\]\n\[not among your changes: x.bin: a binary file of 1 bytes\]\n$/
/output call_1_1_3:\nexit code 1\nrun.sh\n/
/output call_1_1_4:\nexit code 3\nb\nmore\nx\n/
-- turn2.reply --
message: ok
`)
	want := map[string]string{
		"modify a.txt": "draft\n", "modify b.txt": "b\nmore\n", "delete gone.txt": "", "create sub/run.sh": "1\n",
		"rename moved.txt to new.txt": "a text that is long enough to be known again\n",
	}
	if diff := cmp.Diff(want, changes(p, res)); diff != "" {
		t.Error(diff)
	}
	for _, c := range res.Change.Files {
		if strings.HasSuffix(c.Path, "run.sh") && c.Mode.Perm() != 0o755 {
			t.Errorf("run.sh has mode %v", c.Mode)
		}
	}
	if diff := cmp.Diff(before, p.files()); diff != "" {
		t.Error("the disk was changed:", diff)
	}
}

// TestFilesForFolders: a command may put a file in the place of a folder, and the
// other way round; a pipe in the place of a file is told.
func TestFilesForFolders(t *testing.T) {
	p := newPlace(t, "-- d/x.txt --\nx\n-- f --\nf\n-- p --\np\n")
	res := p.run(`
-- turn1.reply --
call shell {"command": "rm -r d f p; echo file > d; mkdir f; echo in > f/g; mkfifo p"}
call shell {"command": "cat d f/g"}
-- turn2.expect --
p: a pipe or a socket is in its place
/output call_1_1_2:\nexit code 0\nfile\nin\n/
-- turn2.reply --
message: ok
`)
	want := map[string]string{"create d": "file\n", "delete d/x.txt": "", "delete f": "", "create f/g": "in\n"}
	if diff := cmp.Diff(want, changes(p, res)); diff != "" {
		t.Error(diff)
	}
}

// TestChecksInTheSandbox: checks run on the draft, and leave nothing in it.
func TestChecksInTheSandbox(t *testing.T) {
	p := newPlace(t, "-- a.txt --\na\n")
	res := p.run(`
-- turn1.reply --
call shell {"command": "echo b > a.txt"}
-- turn2.reply --
message: ok
`, "grep b a.txt; echo 1 > coverage", "test ! -e coverage")
	for _, c := range res.Change.Checks {
		if !c.Passed || c.Confinement == "" {
			t.Errorf("%+v", c)
		}
	}
	if diff := cmp.Diff(map[string]string{"modify a.txt": "b\n"}, changes(p, res)); diff != "" || len(res.Change.Checks) != 2 {
		t.Error(diff, res.Change.Checks)
	}
}

// TestChecksOfWhatIsProposed: what commands leave behind beside their changes is
// not there for the checks, which would else pass here and nowhere else.
func TestChecksOfWhatIsProposed(t *testing.T) {
	p := newPlace(t, "-- a.txt --\na\n-- check.sh --\nexit 1\n-- pipe.txt --\np\n")
	res := p.run(`
-- turn1.reply --
call shell {"command": "echo b > a.txt; echo exit 0 > ok.o; ln -sf ok.o check.sh; rm pipe.txt; mkfifo pipe.txt"}
-- turn2.reply --
message: ok
-- turn3.expect --
[exit code 1]
-- turn3.reply --
message: ok
-- turn4.reply --
message: ok
`, "test ! -e ok.o && test -f pipe.txt && grep b a.txt", "sh check.sh")
	if c := res.Change.Checks; len(c) != 2 || !c[0].Passed || c[1].Passed {
		t.Errorf("%+v", c)
	}
}

// TestSecretsAreHidden: what no model is to read, no command reads for it. A
// key that version control holds is a fixture.
func TestSecretsAreHidden(t *testing.T) {
	p := newPlace(t, `
-- .env --
PASSWORD=sesame
-- sub/.env.local --
PASSWORD=sesame
-- server.pem --
sesame
-- testdata/cert.pem --
fixture
`)
	before := p.files()
	res := p.run(`
canary: sesame
-- turn1.reply --
call shell {"command": "cat .env sub/.env.local server.pem testdata/cert.pem; cp .env copy; ln .env hard; echo A=1 > .env; echo B=1 > .env.new; grep -r ses.me ."}
-- turn2.expect --
fixture
!sesame
-- turn2.reply --
message: ok
`)
	for name, content := range changes(p, res) {
		if strings.Contains(content, "sesame") || strings.Contains(name, ".env") {
			t.Errorf("%s: %q", name, content)
		}
	}
	if diff := cmp.Diff(before, p.files()); diff != "" {
		t.Error(diff)
	}
}

// TestSecretsThatCameLater: what the user writes during a run is hidden as well,
// in old folders and new ones.
func TestSecretsThatCameLater(t *testing.T) {
	p := newPlace(t, "-- a/b.txt --\nb\n-- .env --\nPASSWORD=sesame\n")
	draft := agent.NewDraft(p.ws.Snapshot(), &agent.Gate{})
	box := commands.New(p.opts)
	t.Cleanup(func() { _ = box.Close() })
	said := func(line string) string {
		res, err := box.Run(t.Context(), draft, agent.Command{Line: line})
		if err != nil {
			t.Fatal(err)
		}
		return res.Output
	}
	if got := said("cat .env a/b.txt"); got != "b\n" {
		t.Error(got)
	}
	for _, name := range []string{"later.env", "a/.env", "a/new/deep/id_rsa", "a/server.key"} {
		p.write(name, "PASSWORD=sesame\n")
	}
	if got := said("cat later.env a/.env a/new/deep/id_rsa a/server.key; grep -r sesame . ; cat a/b.txt"); got != "b\n" {
		t.Error(got)
	}
}

// TestWhatADraftCannotHold is left, and said: the run goes on.
func TestWhatADraftCannotHold(t *testing.T) {
	p := newPlace(t, "-- a.txt --\na\n-- b.txt --\nb\n")
	if err := os.WriteFile(filepath.Join(p.real, "logo.png"), []byte{0x89, 'P', 'N', 'G', 0}, 0o644); err != nil {
		t.Fatal(err)
	}
	res := p.run(`
-- turn1.reply --
call shell {"command": "rm logo.png; ln -s a.txt link; chmod +x a.txt; echo 2 >> b.txt; echo 1 > \"$(printf 'new\\nline')\"; echo 1 > \"$(printf 'no\\377utf8')\"; echo 1 > \"$(printf 'turned\\342\\200\\256round')\""}
call shell {"command": "test -x a.txt"}
call shell {"command": "i=0; while [ $i -lt 5001 ]; do : > f$i; i=$((i+1)); done"}
-- turn2.expect --
not among your changes: "new\nline": its name is no plain text
not among your changes: "turned\u202eround": its name is no plain text
/output call_1_1_2:\nexit code 0\n$/
/output call_1_1_3:\nexit code 0\n\[not among your changes: all of the 5002 files/
[changed b.txt]
logo.png: it was a binary file
link: a symbolic link to a.txt
-- turn2.reply --
message: ok
`)
	if diff := cmp.Diff(map[string]string{"modify a.txt": "a\n", "modify b.txt": "b\n2\n"}, changes(p, res)); diff != "" {
		t.Error(diff)
	}
	left := []edits.LeftOut{
		{Path: filepath.Join(p.root, "link"), Why: "a symbolic link to a.txt"},
		{Path: filepath.Join(p.root, "logo.png"), Why: "it was a binary file"},
	}
	if diff := cmp.Diff(left, res.Change.LeftOut); diff != "" {
		t.Error("what the change set lists only:", diff)
	}
	if c := res.Change.Files[0]; !c.ChangesMode() || c.Was != 0o644 || c.Mode != 0o755 {
		t.Errorf("a.txt: mode %v, was %v", c.Mode, c.Was)
	}
}

// TestMoreThanADraftHolds: the bytes of all commands of a run count together,
// those of a file once.
func TestMoreThanADraftHolds(t *testing.T) {
	p := newPlace(t, "-- a.txt --\na\n")
	const fill = `for i in %s; do yes | head -c 4000000 > f$i; done`
	first, second := fmt.Sprintf(fill, "1 2 3 4 5 6 7 8 9 10"), fmt.Sprintf(fill, "11 12 13 14 15 16 17 18 19 20")
	res := p.run(`
-- turn1.reply --
call shell {"command": "` + first + `"}
call shell {"command": "echo 2 >> f1"}
call shell {"command": "` + second + `"}
call shell {"command": "ls"}
-- turn2.expect --
/output call_1_1_3:\nexit code 0\n\[not among your changes: all of the 10 files that it changed: a proposal holds 64 MB/
!f11
-- turn2.reply --
message: ok
`)
	if n := len(res.Change.Files); n != 10 {
		t.Errorf("%d files are proposed", n)
	}
}
