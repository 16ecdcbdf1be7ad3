package main

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/remote"
)

// A service is a running task service of a user.
type service struct {
	u    *user
	args []string
	cmd  *exec.Cmd
	url  string
}

// service starts a task service, and configures it in the environment. Its
// model is the one that was configured before.
func (u *user) service(args ...string) *service {
	u.t.Helper()
	u.data = u.t.TempDir()
	s := &service{u: u, args: append([]string{"remote", "serve", "--data", u.data}, args...)}
	s.start("127.0.0.1:0")
	u.env = append(u.env, "AGENTLS_REMOTE_URL="+s.url)
	return s
}

func (s *service) start(listen string) {
	s.u.t.Helper()
	s.cmd = s.u.command(s.u.t.Context(), append(s.args, "--listen", listen)...)
	s.cmd.Stderr = s.u.t.Output()
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.u.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.u.t.Fatal(err)
	}
	s.u.t.Cleanup(s.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.u.t.Fatalf("the service does not start: %v", err)
	}
	s.url = strings.TrimSuffix(strings.Fields(line)[3], ",")
}

// restart kills the service as kill -9 does and starts it again.
func (s *service) restart() {
	s.u.t.Helper()
	s.kill()
	s.start(strings.TrimPrefix(s.url, "http://"))
}

func (s *service) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// remoteUser has a project under git, a model, and a task service.
func remoteUser(t *testing.T, scripts string) (*user, *service) {
	t.Helper()
	u := mathUser(t)
	u.commit()
	u.model(scripts)
	return u, u.service()
}

// commit puts the project under git.
func (u *user) commit() {
	u.t.Helper()
	u.git("init", "-q")
	u.git("add", "-A")
	u.git("commit", "-qm", "one")
}

// git runs git in the project.
func (u *user) git(args ...string) {
	u.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=Ann", "-c", "user.email=a@example.org"}, args...)...)
	cmd.Dir = u.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		u.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func TestSubmitFollowDiffApplyUndo(t *testing.T) {
	u, s := remoteUser(t, shout)
	u.write("notes.md", "not committed\n")
	u.write(".env", "SECRET=1\n")
	sent := u.run("task", "submit", "do it")
	sent.want(t, 0, "task_", "agentls task follow", "not sent", ".env")
	id := strings.TrimSpace(sent.out)
	u.run("task", "follow", id).want(t, 0, "Plan: say it louder.", "Done.", "attempt 1: done", "2 files, +2 −1 lines")
	s.restart()
	u.run("task", "logs", id).want(t, 0, "preparing the checkout", "Plan: say it louder.")
	u.run("task", "list").want(t, 0, id, "done", "do it")
	u.run("task", "show", s.url+"/codex/tasks/"+id).want(t, 0, "attempt 1", "Done.")
	u.run("task", "diff", id).want(t, 0, "diff --git a/math.go b/math.go", "+// Add returns the SUM of a and b.")
	u.write("math.go", mathGo+"// typed later\n")
	u.run("task", "apply", id).want(t, 0, "kept as a proposal")
	u.run("task", "apply", id, "--yes").want(t, 0, "applied to 2 files")
	if got, want := u.read("math.go"), strings.Replace(mathGo, "the sum", "the SUM", 1)+"// typed later\n"; got != want {
		t.Errorf("math.go is %q", got)
	}
	u.run("changes", "undo").want(t, 0, "undone: ")
	if got := u.read("math.go"); got != mathGo+"// typed later\n" {
		t.Errorf("math.go after undo is %q", got)
	}
	u.write("math.go", strings.Replace(mathGo, "the sum", "MY sum", 1))
	u.run("task", "apply", id, "--yes").want(t, 3, "math.go")
	var listed remote.Page
	if err := json.Unmarshal([]byte(u.run("task", "list", "--json").out), &listed); err != nil || len(listed.Tasks) != 1 || listed.Tasks[0].ID != id {
		t.Errorf("list --json: %v, %+v", err, listed)
	}
}

func TestFollowThroughAKill(t *testing.T) {
	u, s := remoteUser(t, "-- turn1.reply --\nmessage: Never to be seen again.\ncall list_dir {\"path\":\".\"}\n-- turn2.fault --\nstall 1\n")
	id := strings.TrimSpace(u.run("task", "submit", "do it").out)
	u.until("the first words", func() bool { return strings.Contains(u.run("task", "logs", id).out, "Never to be seen again.") })
	u.model(shout) // which the service started anew is configured with
	s.restart()
	u.run("task", "follow", id).want(t, 0, "the attempt begins again", "Done.", "attempt 1: done")
	u.run("task", "apply", id, "-y").want(t, 0, "applied to 2 files")
}

func TestCancelATask(t *testing.T) {
	u, _ := remoteUser(t, "-- turn1.fault --\nstall 1\n")
	id := strings.TrimSpace(u.run("task", "submit", "do it").out)
	u.run("task", "cancel", id).want(t, 0, "cancelled")
	u.run("task", "follow", id).want(t, 1, "did not succeed", "cancelled")
	u.run("task", "apply", id, "-y").want(t, 1, "it is cancelled")
}

func TestEnvironments(t *testing.T) {
	u, _ := remoteUser(t, shout)
	u.run("remote", "env").want(t, 0, "no environments yet")
	u.run("remote", "env", "add", "demo", "--repo", ".", "--verify", "go test ./...").want(t, 0, "declared")
	u.run("remote", "env", "list").want(t, 0, "demo  "+u.dir, "verify  go test ./...")
	u.run("task", "submit", "--env", "nowhere", "do it").want(t, 1, "no such environment")
	u.run("remote", "env", "remove", "demo").want(t, 0)
	u.run("remote", "env", "add", "a b").want(t, 1, "no name for an environment")
}

func TestTokens(t *testing.T) {
	u := mathUser(t)
	tokens := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(tokens, []byte("# mine\nright-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := u.service("--token-file", tokens)
	u.run("task", "list").want(t, 1, "refuses the token", "401")
	u.env = append(u.env, "AGENTLS_REMOTE_TOKEN=wrong-token")
	u.run("task", "list").want(t, 1, "refuses the token", "check the token")
	u.env = append(u.env, "AGENTLS_REMOTE_TOKEN=right-token")
	u.run("task", "list").want(t, 0, "no tasks yet")
	u.run("task", "list", "--url", s.url).want(t, 1, "401") // the token is for the address beside it
	if err := os.Chmod(tokens, 0o644); err != nil {
		t.Fatal(err)
	}
	u.run("remote", "serve", "--token-file", tokens).want(t, 1, "chmod 600")
	u.run("remote", "serve", "--listen", "0.0.0.0:0", "--data", t.TempDir()).want(t, 2, "--token-file")
}

// TestBadServices: what can be wrong with an address is said, and nothing is
// lost by it.
func TestBadServices(t *testing.T) {
	u := mathUser(t)
	u.run("task", "list").want(t, 1, "no task service is configured", "AGENTLS_REMOTE_URL")
	u.run("task", "list", "--url", "ftp://x").want(t, 1, "no http(s) address")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	u.run("task", "submit", "--url", "http://"+address, "do it").want(t, 1, "cannot be reached", address, "refused")
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>Log in"))
	}))
	defer html.Close()
	u.run("task", "list", "--url", html.URL).want(t, 1, "no task service", "is the address right?")
	if u.read("math.go") != mathGo {
		t.Error("the project was changed")
	}
}

// TestAServiceCannotTypeIntoTheTerminal: what it says is text.
func TestAServiceCannotTypeIntoTheTerminal(t *testing.T) {
	evil := "\x1b]0;evil\a\x1b[2J"
	task := remote.Task{ID: "t" + evil, Title: evil, State: "x" + remote.State(evil), Attempts: []remote.Attempt{{Number: 1, State: remote.Done, Result: &remote.Result{
		Answer: evil, Diff: evil, Files: 1, Failure: &remote.Failure{Code: evil, Message: evil},
		Verified: []edits.Check{{Command: evil, Output: evil}},
	}}}}
	fake := http.NewServeMux()
	answer := func(path, kind, before string, v any) {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		fake.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(append([]byte(before), append(raw, "\n\n"...)...))
		})
	}
	answer("/v1/{$}", "application/json", "", remote.Service{Name: remote.ServiceName})
	answer("/v1/tasks", "application/json", "", remote.Page{Tasks: []remote.Task{task}})
	answer("/v1/tasks/t", "application/json", "", task)
	events := ""
	for seq, kind := range []remote.Kind{remote.Text, remote.Output, remote.Stage, remote.Step, remote.StepDone, remote.Verified} {
		raw, err := json.Marshal(remote.Event{Seq: uint64(seq + 1), Attempt: 1, Kind: kind, Text: evil, Title: evil, Failed: evil, Detail: evil, Check: &edits.Check{Command: evil, Output: evil}})
		if err != nil {
			t.Fatal(err)
		}
		events += "data: " + string(raw) + "\n\n"
	}
	answer("/v1/tasks/t/events", "text/event-stream", events+"event: end\ndata: ", task)
	service := httptest.NewServer(fake)
	defer service.Close()
	u := mathUser(t)
	for _, args := range [][]string{{"list"}, {"show", "t"}, {"follow", "t"}, {"diff", "t"}, {"apply", "t"}} {
		got := u.run(append([]string{"task", "--url", service.URL}, args...)...)
		if said := got.out + got.errOut; strings.Contains(said, "\x1b") || strings.Contains(said, "\a") || said == "" {
			t.Errorf("task %s prints %q", args[0], said)
		}
	}
}

// TestApplyElsewhere: a result is not laid on another project, nor on one that
// has lost the commit it began at.
func TestApplyElsewhere(t *testing.T) {
	u, _ := remoteUser(t, shout)
	u.run("task", "submit", "--follow", "do it").want(t, 0, "done")
	id := u.onlyTask()
	other := newUser(t, map[string]string{"math.go": mathGo, "other.go": "package math\n"})
	other.commit()
	other.env = u.env
	other.run("task", "apply", id, "-y").want(t, 1, id+" began at the commit", "which this repository does not have", "fetch it")
	if _, err := os.Stat(other.path("new.go")); err == nil || other.read("math.go") != mathGo {
		t.Error("another project was changed")
	}
	u.write("math.go", mathGo+"// mine\n")
	u.git("commit", "-q", "-a", "--amend", "-m", "two")
	u.run("task", "apply", id).want(t, 0, "+// Add returns the SUM") // git still has it
	u.git("reflog", "expire", "--expire=now", "--all")
	u.git("gc", "-q", "--prune=now")
	u.run("task", "apply", id, "-y").want(t, 1, "which this repository does not have")
	if got := u.read("math.go"); got != mathGo+"// mine\n" {
		t.Errorf("math.go is %q", got)
	}
}

// onlyTask returns the ID of the newest task.
func (u *user) onlyTask() string {
	u.t.Helper()
	listed := u.run("task", "list")
	listed.want(u.t, 0, "task_")
	return strings.Fields(listed.out)[0]
}

// until waits until done, for twenty seconds at most.
func (u *user) until(what string, done func() bool) {
	u.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			u.t.Fatalf("waited in vain for: %s", what)
		}
	}
}
