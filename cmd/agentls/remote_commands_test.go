//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// serviceUser is a remoteUser whose service has a sandbox.
func serviceUser(t *testing.T, args ...string) *user {
	t.Helper()
	return serviceUserOf(t, shout, args...)
}

// serviceUserOf is serviceUser with a model of its own.
func serviceUserOf(t *testing.T, script string, args ...string) *user {
	t.Helper()
	if err := buildStage(); err != nil {
		t.Fatal(err)
	}
	u := mathUser(t)
	u.write(".gitignore", "node_modules/\n")
	u.write(".env", "PASSWORD=sesame\n")
	u.commit()
	u.model(script)
	u.service(args...)
	return u
}

// environment declares an environment: its name, and flags.
func (u *user) environment(name string, flags ...string) {
	u.t.Helper()
	u.run(append([]string{"remote", "env", "add", name}, flags...)...).want(u.t, 0, "declared")
}

// TestEnvironmentCommands: the set-up leaves what it makes for the verify
// commands, and nothing else; they see the change, and reach nothing outside.
func TestEnvironmentCommands(t *testing.T) {
	u := serviceUser(t)
	service := strings.TrimPrefix(u.variable("AGENTLS_REMOTE_URL"), "http://127.0.0.1:")
	outside := filepath.Join(t.TempDir(), "outside")
	attack := "echo x >" + outside + "; echo x >~/evil; bash -c 'exec 3<>/dev/tcp/127.0.0.1/" + service + "' && echo reached; cat " +
		filepath.Join(u.data, "tasks.db") + " && echo read; echo harmless"
	u.environment("demo", "--setup", "mkdir node_modules; echo dep >node_modules/dep; echo gen >gen.go; echo spoilt >math.go",
		"--verify", "cat node_modules/dep gen.go && grep -c SUM math.go && ls new.go",
		"--verify", attack,
		"--verify", "echo no tests >&2; exit 3")
	sent := u.run("task", "submit", "--env", "demo", "--follow", "do it")
	sent.want(t, 0, "setting up: mkdir", "not kept: 1 file of the checkout", "dep\ngen\n1\nnew.go\n", "harmless", "done")
	id := u.onlyTask()
	shown := u.run("task", "show", id)
	shown.want(t, 0, "✓ cat node_modules/dep", "✗ echo no tests >&2; exit 3  exit code 3 after", "no tests\n")
	for _, word := range []string{"\nreached\n", "\nread\n"} {
		if strings.Contains(sent.out, word) {
			t.Errorf("a command says %q:\n%s", word, sent.out)
		}
	}
	for _, path := range []string{outside, filepath.Join(u.variable("HOME"), "evil")} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was written", path)
		}
	}
	diff := u.run("task", "diff", id)
	diff.want(t, 0, "+// Add returns the SUM")
	if strings.Contains(diff.out, "gen.go") || strings.Contains(diff.out, "spoilt") || strings.Contains(diff.out, "node_modules") {
		t.Errorf("what the set-up did is in the diff:\n%s", diff.out)
	}
}

// TestAgentInAnAttempt: its commands see what the set-up made, what they change
// is the agent's change, and what it keeps from models stays hidden.
func TestAgentInAnAttempt(t *testing.T) {
	u := serviceUserOf(t, `
canary: sesame
-- turn1.expect --
{"tools": [{"name": "shell"}]}
-- turn1.reply --
call shell {"command": "cat node_modules/dep .env; sed -i s/sum/SUM/ math.go"}
-- turn2.expect --
exit code 0
dep
[changed math.go]
-- turn2.reply --
message: Done.
`)
	u.environment("demo", "--setup", "mkdir node_modules; echo dep >node_modules/dep", "--verify", "grep SUM math.go")
	u.run("task", "submit", "--env", "demo", "--follow", "do it").want(t, 0, "run cat node_modules/dep", "done")
	id := u.onlyTask()
	u.run("task", "show", id).want(t, 0, "✓ grep SUM math.go")
	u.run("task", "apply", id, "--yes").want(t, 0, "applied to 1 file")
	if got := u.read("math.go"); !strings.Contains(got, "the SUM of") {
		t.Errorf("math.go is %q", got)
	}
	if left, err := os.ReadDir(filepath.Join(u.variable("XDG_STATE_HOME"), "agentls", "workspaces")); err == nil && len(left) > 1 {
		t.Errorf("the attempt left folders among the user's workspaces: %v", left)
	}
}

// TestWhatTheSetUpMade: the agent's commands may change it, and that is no change
// of the task; what they add beside it is.
func TestWhatTheSetUpMade(t *testing.T) {
	u := serviceUserOf(t, `
-- turn1.reply --
call shell {"command": "cat gen.go; echo '// more' >>gen.go; echo package math >shell.go"}
-- turn2.expect --
/exit code 0\n// gen\n/
created shell.go
! gen.go: 
-- turn2.reply --
message: Done.
`)
	u.environment("demo", "--setup", "echo // gen >gen.go", "--verify", "cat shell.go")
	u.run("task", "submit", "--env", "demo", "--follow", "do it").want(t, 0, "verifying: cat shell.go\npackage math\n", "done")
	diff := u.run("task", "diff", u.onlyTask())
	if want := "diff --git a/shell.go b/shell.go\nnew file mode 100644\n--- /dev/null\n+++ b/shell.go\n@@ -0,0 +1 @@\n+package math\n"; diff.out != want {
		t.Errorf("the diff is\n%s", diff.out)
	}
}

// TestNetworkOfTheSetUp: where the environment grants it the set-up reaches the
// network, and nothing after it does.
func TestNetworkOfTheSetUp(t *testing.T) {
	u := serviceUser(t)
	service := strings.TrimPrefix(u.variable("AGENTLS_REMOTE_URL"), "http://127.0.0.1:")
	reach := "bash -c 'exec 3<>/dev/tcp/127.0.0.1/" + service + "' && echo reached || echo nothing there"
	u.environment("open", "--network", "--setup", reach, "--verify", "echo verify; "+reach)
	sent := u.run("task", "submit", "--env", "open", "--follow", "do it")
	sent.want(t, 0, "reached\n", "verify\n")
	if strings.Count(sent.out, "\nreached\n") != 1 || !strings.Contains(sent.out, "nothing there\n") {
		t.Errorf("it says:\n%s", sent.out)
	}
	u.run("remote", "env", "list").want(t, 0, "network open for the set-up")
}

// TestNoForgedCheck: what the agent's commands leave beside its change does not
// make a check pass.
func TestNoForgedCheck(t *testing.T) {
	u := serviceUserOf(t, `
-- turn1.reply --
call shell {"command": "mkdir -p node_modules; echo exit 0 >node_modules/check; sed -i s/sum/SUM/ math.go; cat node_modules/dep"}
-- turn2.expect --
exit code 0
dep
-- turn2.reply --
message: Done.
`)
	u.environment("demo", "--setup", "mkdir node_modules; echo dep >node_modules/dep", "--verify", "cat node_modules/dep && sh node_modules/check", "--verify", "cat node_modules/dep && grep SUM math.go")
	u.run("task", "submit", "--env", "demo", "--follow", "do it").want(t, 0, "done")
	u.run("task", "show", u.onlyTask()).want(t, 0, "✗ cat node_modules/dep && sh node_modules/check", "✓ cat node_modules/dep && grep SUM math.go")
}

// TestATaskSeesNoOther: neither the code nor the objects of other repositories,
// and a repository of its own.
func TestATaskSeesNoOther(t *testing.T) {
	u := serviceUserOf(t, `
-- turn1.reply --
call shell {"command": "git log --oneline | wc -l; git status --short; git cat-file --batch-check --batch-all-objects | grep -c blob; ls .git/objects/info; ls -A ../..; ls -A .."}
-- turn2.expect --
/exit code 0\n1\n M \.env\n4\nscratch\ntask_\w+-1-1\n$/
-- turn2.reply --
message: Done.
`)
	u.run("task", "submit", "--follow", "do it").want(t, 0, "done")
}

// TestFailedSetUp: the task fails with what the command said.
func TestFailedSetUp(t *testing.T) {
	u := serviceUser(t)
	u.environment("demo", "--setup", "echo no such package; exit 7")
	u.run("task", "submit", "--env", "demo", "--follow", "do it").want(t, 1, "no such package", "failed")
	u.run("task", "show", u.onlyTask()).want(t, 0, "SETUP_FAILED", "exit code 7", "no such package")
}

// TestCommandTimeout: a command that does not end is ended.
func TestCommandTimeout(t *testing.T) {
	u := serviceUser(t, "--command-timeout", "300ms")
	u.environment("demo", "--verify", "echo begun; sleep 60")
	u.run("task", "submit", "--env", "demo", "--follow", "do it").want(t, 0, "begun")
	u.run("task", "show", u.onlyTask()).want(t, 0, "✗ echo begun; sleep 60  stopped after 0.", "the limit of time")
}

// TestCancelDuringSetUp: what a command prints is seen while it runs, and a
// cancel ends it, removes its checkout and frees the service for the next task.
func TestCancelDuringSetUp(t *testing.T) {
	u := serviceUser(t, "--workers", "1")
	u.environment("demo", "--setup", "echo begun; sleep 600")
	id := strings.TrimSpace(u.run("task", "submit", "--env", "demo", "do it").out)
	u.until("the set-up's output", func() bool { return strings.Contains(u.run("task", "logs", id).out, "\nbegun\n") })
	u.run("task", "cancel", id).want(t, 0, "cancelled")
	u.run("task", "submit", "--follow", "do it").want(t, 0, "done")
	u.run("task", "show", id).want(t, 0, "cancelled")
	u.until("the checkouts to go", func() bool {
		left, err := os.ReadDir(filepath.Join(u.data, "scratch"))
		return err == nil && len(left) == 0
	})
}

// TestCachesOfAnEnvironment: they are there for its next task, and not for
// those of another one.
func TestCachesOfAnEnvironment(t *testing.T) {
	u := serviceUser(t)
	if err := os.Mkdir(filepath.Join(u.variable("HOME"), ".npm"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two"} {
		u.environment(name, "--setup", "cat ~/.npm/kept || echo cold; echo warm >~/.npm/kept; exit 1")
	}
	for _, c := range []struct{ environment, says string }{{"one", "cold"}, {"one", "warm"}, {"two", "cold"}} {
		u.run("task", "submit", "--env", c.environment, "--follow", "do it").want(t, 1, c.says+"\n")
	}
}
