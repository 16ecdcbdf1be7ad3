package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/agent/script"
)

const mathGo = `package math

// Add returns the sum of a and b.
func Add(a, b int) int { return a + b }

func twice(n int) int { return Add(n, n) }
`

func mathUser(t *testing.T) *user {
	t.Helper()
	return newUser(t, map[string]string{"go.mod": "module example.com/math\n", "math.go": mathGo})
}

// shout is a model that changes math.go and adds a file.
const shout = `
-- turn1.expect --
do it
-- turn1.reply --
message: Plan: say it louder.
patch:
*** Begin Patch
*** Update File: math.go
@@
-// Add returns the sum of a and b.
+// Add returns the SUM of a and b.
*** Add File: new.go
+package math
*** End Patch
-- turn2.reply --
message: Done.
`

func TestRunApplyUndoRedo(t *testing.T) {
	u := mathUser(t)
	model := u.model(shout)
	u.run("run", "do it", "--yes").want(t, 0, "Plan: say it louder.", "+// Add returns the SUM of a and b.", "new.go", "agentls changes undo")
	if err := model.Done(); err != nil {
		t.Error(err)
	}
	after := strings.Replace(mathGo, "the sum", "the SUM", 1)
	if got := u.read("math.go"); got != after {
		t.Fatalf("math.go is %q", got)
	}
	u.write("math.go", after+"// typed later\n")
	u.run("changes", "undo").want(t, 0, "undone: ")
	if got := u.read("math.go"); got != mathGo+"// typed later\n" {
		t.Errorf("math.go after undo is %q", got)
	}
	if got := u.read("new.go"); !strings.Contains(got, "no such file") {
		t.Errorf("new.go after undo is %q", got)
	}
	u.run("changes", "redo").want(t, 0, "made again: ")
	if got := u.read("new.go"); got != "package math\n" {
		t.Errorf("new.go after redo is %q", got)
	}
	u.run("changes").want(t, 0, "applied", "do it")
}

func TestRunKeepsAProposal(t *testing.T) {
	u := mathUser(t)
	u.model(shout)
	u.run("run", "do it").want(t, 0, "kept as a proposal: agentls changes apply")
	if u.read("math.go") != mathGo {
		t.Fatal("it was applied without a yes")
	}
	u.run("changes", "list").want(t, 0, "proposal", "2 hunks in 2 files")
	u.run("changes", "show").want(t, 0, "+++ b/math.go", "+package math")
	u.run("changes", "apply").want(t, 0, "applied to 2 files")
	u.run("changes", "apply").want(t, 1, "agentls changes list")
}

func TestConflictExitsWith3(t *testing.T) {
	u := mathUser(t)
	u.model(shout)
	u.run("run", "do it").want(t, 0)
	mine := strings.Replace(mathGo, "the sum", "MY OWN sum", 1)
	u.write("math.go", mine)
	u.run("changes", "apply").want(t, 3, "math.go")
	if u.read("math.go") != mine {
		t.Error("the user's line was overwritten")
	}
}

func TestAskWithoutAModel(t *testing.T) {
	u := mathUser(t)
	u.run("ask", "math.go:4").want(t, 0, "func Add(a, b int) int", "Add returns the sum", "twice", "OPENAI_API_KEY", "(index)")
	u.run("run", "do it").want(t, 1, "OPENAI_API_KEY")
}

func TestQueries(t *testing.T) {
	u := mathUser(t)
	u.run("index").want(t, 0, "2 files", "symbols")
	u.run("index").want(t, 0, "2 from the cache")
	u.run("symbols", "tw").want(t, 0, "math.go:6: function twice")
	u.run("outline", "math.go").want(t, 0, "function Add", "function twice")
	u.run("refs", "math.go:4:6").want(t, 0, "math.go:4:6: certain", "math.go:6:32: certain")
	u.run("doctor").want(t, 0, "model", "index", "journal", "the index answers")
	u.run("version").want(t, 0, "agentls dev")
}

func TestUsageExitsWith2(t *testing.T) {
	u := mathUser(t)
	for _, args := range [][]string{{"symbols"}, {"ask"}, {"serve", "x"}, {"index", "--fly"}, {"refs", "math.go"}, {"refs", "math.go:0:1"}} {
		got := u.run(args...)
		if got.code != 2 {
			t.Errorf("%v: exit code %d: %s", args, got.code, got.errOut)
		}
	}
	u.run("refs", "math.go:99:1").want(t, 1, "has 7 lines")
	u.run("outline", "nothing.go").want(t, 1, "nothing.go")
}

// TestPatchIsATransaction: one section that does not fit keeps all from being
// written.
func TestPatchIsATransaction(t *testing.T) {
	u := mathUser(t)
	u.write("p.patch", "*** Begin Patch\n*** Add File: new.go\n+package math\n*** Update File: math.go\n@@\n-nothing like this\n+x\n*** End Patch\n")
	u.run("patch", "p.patch").want(t, 3, "math.go", "nothing was changed")
	if got := u.read("new.go"); !strings.Contains(got, "no such file") {
		t.Errorf("new.go was written: %q", got)
	}
	u.write("p.patch", "*** Begin Patch\n*** Add File: new.go\n+package math\n*** End Patch\n")
	u.run("patch", "p.patch").want(t, 0, "applied to 1 file;")
}

// TestNewestAndNearest: without an ID the newest proposal is meant, and the
// last change of this workspace.
func TestNewestAndNearest(t *testing.T) {
	u := mathUser(t)
	u.model(shout)
	u.run("run", "do it", "first").want(t, 0)
	u.model(shout)
	u.run("run", "do it", "second").want(t, 0)
	u.run("changes", "show", "--json").want(t, 0, "second")

	other := mathUser(t)
	other.env = u.env
	for _, one := range []*user{u, other} {
		one.write("p.patch", "*** Begin Patch\n*** Add File: new.go\n+package math\n*** End Patch\n")
		one.run("patch", "p.patch").want(t, 0)
	}
	u.run("changes", "undo").want(t, 0, "undone")
	if u.read("new.go") == "package math\n" || other.read("new.go") != "package math\n" {
		t.Errorf("undo reached into another project: %q, %q", u.read("new.go"), other.read("new.go"))
	}
}

// TestNoHome: nothing is read from a folder that others can write.
func TestNoHome(t *testing.T) {
	u := mathUser(t)
	u.env = []string{asMain + "=1", "PATH=/usr/bin"}
	u.run("symbols", "Add").want(t, 1, "set HOME")
}

// TestControlCharacters: a model cannot hide a line from the user's terminal.
func TestControlCharacters(t *testing.T) {
	if got := plain("a\x1b[2K\rb\n\tc\u202e\u2066d"); got != "a\uFFFD[2K\uFFFDb\n\tc\uFFFD\uFFFDd" {
		t.Errorf("%q", got)
	}
}

// TestHelp: each command shows how it is used.
func TestHelp(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		bare := cmd.HasSubCommands() || cmd.Name() == "version" // it says what there is beneath
		if cmd.HasParent() && !bare && cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
}

// TestUsage: what cannot be meant is refused, with what could be.
func TestUsage(t *testing.T) {
	u := mathUser(t)
	for line, want := range map[string]string{
		"run":                     "agentls run takes TASK, and was given 0 arguments; see agentls run --help",
		"runs show a b":           "agentls runs show takes ID, and was given 2 arguments; see agentls runs show --help",
		"runs resume":             "agentls runs resume takes ID [MESSAGE], and was given 0 arguments",
		"run x --turns -1":        "--turns is a number from 1, not -1",
		"run x --time -5m":        "--time is a time such as 20m, not -5m0s",
		"run x --cost NaN":        "--cost is a number of US dollars, not NaN",
		"runs resume x --cost -1": "--cost is a number of US dollars, not -1",
	} {
		u.run(strings.Fields(line)...).want(t, 2, want)
	}
	u.run("run", " ").want(t, 2, "the task is empty: say what is to be done")
	u.run("").want(t, 2, `there is no command ""; see agentls --help`)
}

func TestUnknownCommand(t *testing.T) {
	u := mathUser(t)
	u.run("bogus").want(t, 2, `there is no command "bogus"; see agentls --help`)
	u.run("chang").want(t, 2, "did you mean changes?")
	u.run().want(t, 0, "Available Commands")
}

// TestNothingYet: programs get empty lists, not null.
func TestNothingYet(t *testing.T) {
	p := mathUser(t).run("changes", "list", "--json")
	p.want(t, 0, `"proposals": []`, `"entries": []`)
}

// TestLongFolderName: the longest name that a file system has.
func TestLongFolderName(t *testing.T) {
	u := mathUser(t)
	u.write(strings.Repeat("ä", 125)+"/math.go", mathGo)
	u.dir = u.path(strings.Repeat("ä", 125))
	u.run("index").want(t, 0, "1 file")
	u.run("sandbox", "exec", "--", "true").want(t, 0)
}

// TestRunCommandsAndChecks: the agent's commands work on its draft, checks are
// shown with the change, and a failing one does not keep it from being offered.
func TestRunCommandsAndChecks(t *testing.T) {
	u := mathUser(t)
	u.model(`
-- turn1.expect --
{"tools": [{"name": "shell"}]}
-- turn1.reply --
call shell {"command": "sed -i s/sum/SUM/ math.go && echo hello && exit 4"}
call shell {"command": "true", "network": true}
-- turn2.expect --
exit code 4
hello
[changed math.go]
error: the network needs the user's word
-- turn2.reply --
message: Done.
-- turn3.expect --
$ echo never; false
never
[exit code 1]
-- turn3.reply --
message: It cannot be.
-- turn4.reply --
message: It cannot be.
`)
	u.run("run", "do it", "--verify", "grep SUM math.go", "--verify", "echo never; false").want(t, 0,
		"• run sed -i s/sum/SUM/", ", sandbox: ", "• verify: grep SUM math.go", "+// Add returns the SUM of a and b.",
		"✓ grep SUM math.go  ", "✗ echo never; false  exit code 1 after", "  never\n", "kept as a proposal")
	if u.read("math.go") != mathGo {
		t.Error("it was applied without a yes")
	}
	u.run("changes", "show").want(t, 0, "✓ grep SUM math.go", "✗ echo never; false")
}

// TestOutput: what a command printed goes with a task.
func TestOutput(t *testing.T) {
	u := mathUser(t)
	u.write("out.txt", "panic: a sum of \x1b[31mred\x1b[0m things\n")
	u.model("-- turn1.expect --\npanic: a sum of red things\n-- turn1.reply --\nmessage: It is red.\n",
		"-- turn1.expect --\npanic: a sum of red things\n-- turn1.reply --\nmessage: It stays red.\n")
	u.run("ask", "math.go:4", "why?", "--output", "out.txt").want(t, 0, "It is red.")
	u.run("run", "make it green", "--output", "out.txt").want(t, 0, "It stays red.")
	u.run("run", "make it green", "--output", "none.txt").want(t, 1, "none.txt")
}

// TestSuggestedChecks: what could check a change is said, and checks all that
// follow once the user says so; a configuration comes first.
func TestSuggestedChecks(t *testing.T) {
	u := mathUser(t)
	u.write("go.mod", "module math\n\ngo 1.26\n")
	change := func(args ...string) printed {
		t.Helper()
		u.model(`-- turn1.reply --
call shell {"command": "sed -i s/sum/SUM/ math.go"}
-- turn2.reply --
message: Done.
-- turn3.reply --
message: It stays.
-- turn4.reply --
message: It stays.
`)
		return u.run(append([]string{"run", "do it"}, args...)...)
	}
	change().want(t, 0, `one that could: --verify "go test ./...", and for every change here: agentls permissions verify "go test ./..."`)
	u.run("permissions", "verify", "grep SUM math.go", "").want(t, 1, `"" is no command`)
	u.run("permissions", "verify", "grep SUM math.go").want(t, 0, "1  ", "  checks every change: grep SUM math.go")
	change().want(t, 0, "✓ grep SUM math.go  ")
	if got := change("--verify", "true"); strings.Contains(got.out, "grep") {
		t.Errorf("a flag comes first: %s", got.out)
	}
	u.run("permissions", "revoke", "1").want(t, 0, "checks no more: grep SUM math.go")
	if got := change(); strings.Contains(got.out, "grep") {
		t.Errorf("revoked: %s", got.out)
	}
}

// TestVerifyOfAWorkspace: the user's file names checks for one workspace, by a
// path that leads through a link; a workspace's own file names none.
func TestVerifyOfAWorkspace(t *testing.T) {
	u := mathUser(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(u.dir, link); err != nil {
		t.Fatal(err)
	}
	u.write("config.toml", "verify = ['echo from the workspace']\n")
	u.configure("verify = ['echo general']\n[workspaces.'" + link + "']\nverify = ['echo special']\n")
	u.model(shout)
	out := u.run("run", "do it")
	out.want(t, 0, "✓ echo special")
	if strings.Contains(out.out, "general") || strings.Contains(out.out, "from the workspace") {
		t.Error(out.out)
	}
}

// TestAttempts: a task is tried several times, each as a run of its own; one is
// offered, the others are kept.
func TestAttempts(t *testing.T) {
	u := mathUser(t)
	model := u.model(shout)
	model.Many = true
	p := u.run("run", "do it", "--attempts", "3", "--verify", "true", "--yes")
	p.want(t, 0, "attempt 1: ", "attempt 3: ", "all 1 checks passed  best: it is offered", "agentls changes show ", "applied to 2 files")
	if n := len(model.Requests()); n != 6 {
		t.Errorf("%d requests", n)
	}
	if strings.Count(p.out, "best: it is offered") != 1 || strings.Count(p.out, "agentls changes show ") != 2 {
		t.Errorf("%s", p.out)
	}
	runs := u.run("runs", "list")
	if strings.Count(runs.out, "do it") != 3 {
		t.Errorf("%s", runs.out)
	}
	u.run("changes").want(t, 0, "proposal", "applied")
	for _, wrong := range [][]string{{"--attempts", "0"}, {"--attempts", "9"}, {"--attempts", "2", "--plan"}} {
		u.run(append([]string{"run", "do it"}, wrong...)...).want(t, 2, "--attempts")
	}
	u.run("run", "do it", "--attempts", "2", "--json").want(t, 0, `"attempts": [`, `"kept": true`, `"kept": false`)
}

// TestDelegatedRuns: a part that a run hands out is a run of its own in the list,
// which does not go on by itself.
func TestDelegatedRuns(t *testing.T) {
	u := mathUser(t)
	parent, err := script.Parse("parent", []byte("-- turn1.expect --\nfor all of it\n-- turn1.reply --\ncall delegate {\"task\": \"shout in math.go\"}\n"+
		"-- turn2.expect --\nit says: I shouted.\nchanged math.go\n-- turn2.reply --\nmessage: Done.\n"))
	if err != nil {
		t.Fatal(err)
	}
	u.model(shout)
	part, err := script.Parse("part", []byte(strings.Replace(strings.Replace(shout, "do it\n", "shout in math.go\n", 1), "message: Done.", "message: I shouted.", 1)))
	if err != nil {
		t.Fatal(err)
	}
	server := script.New(parent, part)
	server.Many = true
	url, err := server.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u.env = append(u.env, "OPENAI_BASE_URL="+url)
	u.run("run", "for all of it", "--yes").want(t, 0, "delegate shout in math.go", "applied to 2 files")
	runs := u.run("runs", "list")
	runs.want(t, 0, "shout in math.go", ", a part of ")
	id := runs.out[strings.Index(runs.out, ", a part of ")+len(", a part of "):]
	id = id[:strings.IndexByte(id, '\n')]
	u.run("runs", "resume", id+".1", "again").want(t, 1, "is a part of run "+id)
}

// TestImagesOfATask: what is no image, and a model that sees none, are said.
func TestImagesOfATask(t *testing.T) {
	u := mathUser(t)
	u.model(shout)
	u.write("a.png", "\x89PNG\r\n\x1a\n...")
	u.run("ask", "math.go:4", "why?", "--image", "math.go").want(t, 1, "no PNG, JPEG, GIF or WebP")
	u.run("run", "do it", "--image", "none.png").want(t, 1, "none.png")
	u.run("run", "do it", "--image", "a.png").want(t, 1, "not known to see images")
}
