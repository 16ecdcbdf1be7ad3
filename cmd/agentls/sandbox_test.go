package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// buildStage puts the confined stage beside the test binary, where agentls
// looks for it when none is embedded.
var buildStage = sync.OnceValue(func() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(filepath.Dir(self), "agentls-sandbox"), "github.com/agentls/agentls/cmd/agentls-sandbox")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the stage: %w\n%s", err, out)
	}
	return nil
})

// sandboxUser is a user with a repository and what sandbox exec needs.
func sandboxUser(t *testing.T) *user {
	t.Helper()
	if err := buildStage(); err != nil {
		t.Fatal(err)
	}
	u := newUser(t, map[string]string{"a.txt": "a\n", "sub/b.txt": "b\n", ".gitignore": "out/\n"})
	if out, err := exec.Command("git", "init", "-q", u.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return u
}

// sh runs a script by sandbox exec, with flags before it.
func (u *user) sandboxed(script string, flags ...string) printed {
	u.t.Helper()
	return u.run(append(append([]string{"sandbox", "exec"}, flags...), "--", "sh", "-c", script)...)
}

// untouched fails if the user's files are not as sandboxUser wrote them, or
// something of the run is left.
func (u *user) untouched() {
	u.t.Helper()
	for name, want := range map[string]string{"a.txt": "a\n", "sub/b.txt": "b\n"} {
		if got := u.read(name); got != want {
			u.t.Errorf("%s is %q", name, got)
		}
	}
	for _, env := range u.env {
		state, ok := strings.CutPrefix(env, "XDG_STATE_HOME=")
		if !ok {
			continue
		}
		if left, err := filepath.Glob(state + "/agentls/workspaces/*/sandbox/runs/*"); err != nil || len(left) > 0 {
			u.t.Errorf("left of the run: %v, %v", left, err)
		}
	}
}

// changing is a script that changes files in every way, and ignored ones.
const changing = "echo more >> a.txt; rm sub/b.txt; echo new > new.txt; mkdir out; echo x > out/x"

func TestSandboxExec(t *testing.T) {
	u := sandboxUser(t)
	got := u.sandboxed(changing + "; echo said; echo badly >&2")
	got.want(t, 0, "exit code 0 after ", "; 3 files would change, none has\n", "sandbox: ")
	if diff := cmp.Diff([]string{"modify  a.txt", "create  new.txt", "delete  sub/b.txt"}, lines(got.out)[4:]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"said", "badly"}, lines(got.out)[:2]); diff != "" {
		t.Error(diff)
	}
	u.untouched()
	u.sandboxed("exit 3").want(t, 1, "exit code 3 after ", "0 files would change")
	u.sandboxed("kill -9 $$").want(t, 1, "ended by signal 9 after ")
	u.run("sandbox", "exec", "--", "no-such-program").want(t, 1, "no-such-program: executable file not found")
	u.run("sandbox", "exec").want(t, 2, "agentls sandbox exec")
	u.run("sandbox", "exec", "--dir", "nowhere", "--", "true").want(t, 1, "nowhere: no such file or directory")
	u.untouched()
}

func lines(s string) []string { return strings.Split(strings.TrimSuffix(s, "\n"), "\n") }

func TestSandboxExecDiff(t *testing.T) {
	u := sandboxUser(t)
	got := u.sandboxed(changing, "--diff")
	want := `diff --git a/a.txt b/a.txt
--- a/a.txt
+++ b/a.txt
@@ -1 +1,2 @@
 a
+more
diff --git a/new.txt b/new.txt
new file mode 100644
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+new
diff --git a/sub/b.txt b/sub/b.txt
deleted file mode 100644
--- a/sub/b.txt
+++ /dev/null
@@ -1 +0,0 @@
-b
`
	if diff := cmp.Diff(lines(want), lines(got.out)[2:]); diff != "" || got.code != 0 {
		t.Errorf("exit code %d: %s\n%s", got.code, got.errOut, diff)
	}
	u.untouched()
}

// TestSandboxExecJSON: the shape that programs rely on.
func TestSandboxExecJSON(t *testing.T) {
	u := sandboxUser(t)
	got := u.sandboxed("echo said; echo more >> a.txt; mv sub/b.txt c.txt; ln -s a.txt l; head -c 5000000 /dev/zero > huge; exit 3", "--json")
	if got.code != 1 || !json.Valid([]byte(got.out)) {
		t.Fatalf("%+v", got)
	}
	out := strings.ReplaceAll(got.out, u.dir, "ROOT")
	for _, volatile := range []struct{ pattern, stable string }{
		{`"elapsed": \d+`, `"elapsed": 1`},
		{`"level": "[^"]*"`, `"level": "says"`}, // before the next, which makes such a one
		{`"level": \{\s*"kind": [^}]*\}`, `"level": {}`},
	} {
		out = regexp.MustCompile(volatile.pattern).ReplaceAllString(out, volatile.stable)
	}
	want := `{
  "root": "ROOT",
  "level": "says",
  "result": {
    "code": 3,
    "signal": 0,
    "output": "said\n",
    "cut": 0,
    "changes": [
      {
        "op": "modify",
        "path": "ROOT/a.txt",
        "content": "YQptb3JlCg==",
        "mode": 420,
        "was": 420,
        "size": 7
      },
      {
        "op": "create",
        "path": "ROOT/huge",
        "mode": 420,
        "was": 0,
        "size": 5000000,
        "huge": true
      },
      {
        "op": "create",
        "path": "ROOT/l",
        "mode": 134218239,
        "was": 0,
        "link": "a.txt",
        "size": 5
      },
      {
        "op": "rename",
        "path": "ROOT/sub/b.txt",
        "to": "ROOT/c.txt",
        "content": "Ygo=",
        "mode": 420,
        "was": 420,
        "size": 2
      }
    ],
    "level": {},
    "elapsed": 1
  },
  "named": [
    "ROOT/huge: 5000000 bytes are too many to show",
    "ROOT/l: a symbolic link to a.txt"
  ]
}
`
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
	u.untouched()
}

// TestSandboxExecKeep: what a command changed is a proposal, which is applied
// and taken back like any other.
func TestSandboxExecKeep(t *testing.T) {
	u := sandboxUser(t)
	u.sandboxed(changing, "--keep").want(t, 0, "kept as proposal ", "agentls changes show ")
	u.untouched()
	u.run("changes", "show").want(t, 0, "+more", "+++ b/new.txt", "-b")
	u.run("changes", "apply").want(t, 0, "applied to 3 files")
	if got := u.read("a.txt") + u.read("new.txt") + u.read("sub/b.txt"); !strings.HasPrefix(got, "a\nmore\nnew\n(") {
		t.Errorf("after apply: %q", got)
	}
	u.run("changes", "undo").want(t, 0, "undone: ")
	u.untouched()
	if got := u.read("new.txt"); !strings.Contains(got, "no such file") {
		t.Errorf("new.txt after undo: %q", got)
	}
	if got := u.sandboxed("true", "--keep"); strings.Contains(got.out, "kept") || got.code != 0 {
		t.Errorf("nothing was kept: %+v", got)
	}
}

func TestSandboxExecTimeout(t *testing.T) {
	u := sandboxUser(t)
	u.sandboxed("echo begun; echo x > a.txt; exec sleep 60", "--timeout", "500ms").want(t, 1, "begun\n", "stopped: its limit of time was reached", "modify  a.txt")
	u.untouched()
}

func TestSandboxExecNetwork(t *testing.T) {
	u := sandboxUser(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // a test's
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	script := "bash -c 'exec 3<>/dev/tcp/127.0.0.1/" + port + "' && echo connected"
	if got := u.sandboxed(script); got.code != 1 || strings.Contains(got.out, "connected") {
		t.Errorf("%+v", got)
	}
	u.sandboxed(script, "--network").want(t, 0, "connected\n")
}

// TestSandboxExecFolders: a command runs where it was asked for, in a view of
// the whole workspace, which may be no repository.
func TestSandboxExecFolders(t *testing.T) {
	u := sandboxUser(t)
	got := u.sandboxed("pwd; cat b.txt ../a.txt; echo x >> ../a.txt", "--dir", "sub")
	got.want(t, 0, u.path("sub")+"\nb\na\n", "modify  a.txt")
	plain := newUser(t, map[string]string{"f.txt": "f\n"})
	plain.sandboxed("pwd; cat f.txt; echo x >> f.txt").want(t, 0, plain.dir+"\nf\n", "modify  f.txt")
	plain.run("sandbox", "exec", "--dir", "f.txt", "--", "true").want(t, 1, "f.txt is not a folder")
	if got := plain.read("f.txt"); got != "f\n" {
		t.Errorf("f.txt is %q", got)
	}
	u.untouched()
}

// TestSandboxExecNamed: what no proposal can hold is named, and the rest kept.
func TestSandboxExecNamed(t *testing.T) {
	u := sandboxUser(t)
	got := u.sandboxed(`printf '\377\376' > latin; head -c 5000000 /dev/zero > huge; ln -s a.txt link; chmod 755 a.txt; echo new > new.txt`, "--keep")
	got.want(t, 0, "latin: a binary file of 2 bytes", "huge: 5000000 bytes are too many to show", "link: a symbolic link to a.txt",
		"modify  a.txt", "create  new.txt", "kept as proposal ")
	u.run("changes", "apply").want(t, 0, "applied to 2 files")
	if stat, err := os.Stat(u.path("a.txt")); err != nil || stat.Mode() != 0o755 {
		t.Errorf("the mode of a.txt is %v, %v", stat.Mode(), err)
	}
	u.run("changes", "undo").want(t, 0, "undone")
	if stat, err := os.Stat(u.path("a.txt")); err != nil || stat.Mode() != 0o644 {
		t.Errorf("after undo the mode of a.txt is %v, %v", stat.Mode(), err)
	}
}

// TestSandboxExecTerminal: a command cannot steer the user's terminal.
func TestSandboxExecTerminal(t *testing.T) {
	u := sandboxUser(t)
	script := `printf '\033]0;owned\007\033[2Jred\033[0m\r\n'; echo x > "$(printf 'n\033[2Jam\ne')"`
	for _, flags := range [][]string{nil, {"--diff"}, {"--keep"}, {"--json"}} {
		if got := u.sandboxed(script, flags...); strings.ContainsAny(got.out+got.errOut, "\x1b\a") || !strings.Contains(got.out, "red") || got.code != 0 {
			t.Errorf("%v: exit code %d, %q, %q", flags, got.code, got.out, got.errOut)
		}
	}
}

// TestSandboxExecNames: the name of a file cannot look like a line about
// another one.
func TestSandboxExecNames(t *testing.T) {
	u := sandboxUser(t)
	u.sandboxed("echo x > \"$(printf 'n\\ndelete  a.txt')\"").want(t, 0, "create  n\uFFFDdelete  a.txt\n", "1 file would change")
}

// TestSandboxExecInterrupt: what a command prints is seen at once, and Ctrl-C
// ends it with all it started.
func TestSandboxExecInterrupt(t *testing.T) {
	u := sandboxUser(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	mark := fmt.Sprint("67.", os.Getpid())
	cmd := u.command(ctx, "sandbox", "exec", "--", "sh", "-c", "trap '' INT TERM; setsid sleep "+mark+" & echo begun; sleep "+mark)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "begun\n" {
		t.Fatalf("%q, %v\n%s", line, err, errOut.String())
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(errOut.String(), "interrupt") {
		t.Errorf("exit code %d\n%s", code, errOut.String())
	}
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if line, err := os.ReadFile(name); err == nil && bytes.Contains(line, []byte("sleep\x00"+mark)) {
			t.Errorf("%s is left: %q", name, line)
		}
	}
	u.untouched()
}

// TestSandboxExecRefuses: where nothing confines a command it does not run, and
// what was refused is said.
func TestSandboxExecRefuses(t *testing.T) {
	u := sandboxUser(t)
	u.sandboxed("echo x > "+u.path("a.txt")+"; echo ran", "--dir", "/").want(t, 1, "nothing was run; sandbox level none: every command asks", "all of / cannot be a workspace")
	u.untouched()
}

// TestSandboxExecInHome: the home itself can be the workspace, although our
// state is in it.
func TestSandboxExecInHome(t *testing.T) {
	u := sandboxUser(t)
	u.env = append(u.env, "HOME="+u.dir, "XDG_STATE_HOME=", "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=")
	u.write(".ssh/id", "secret")
	got := u.sandboxed("cat ~/.ssh/id .ssh/id; ls ~/.local/state/agentls; echo more >> a.txt", "--json")
	if got.code != 0 || strings.Contains(got.out, "secret") || !strings.Contains(got.out, "modify") {
		t.Errorf("%+v", got)
	}
	var report struct {
		Result struct {
			Level struct {
				State string `json:"state"`
			} `json:"level"`
		} `json:"result"`
	}
	if err := json.Unmarshal([]byte(got.out), &report); err != nil || report.Result.Level.State == "" {
		t.Fatal(err, got.out)
	}
	t.Cleanup(func() { _ = os.RemoveAll(report.Result.Level.State) })
	u.untouched()
}
