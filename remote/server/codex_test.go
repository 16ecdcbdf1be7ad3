package server_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agentls/agentls/remote"
)

// A codex is the real client, with a home and a made-up login of its own.
type codex struct {
	t    *testing.T
	path string
	dir  string // where it works
	env  []string
}

// newCodex returns the client that testdata/codex pins, which speaks to the
// service at address.
func newCodex(t *testing.T, address, dir string) *codex {
	t.Helper()
	get := exec.Command("testdata/codex/get.sh")
	get.Stderr = t.Output()
	path, err := get.Output()
	noError(t, err)
	home := t.TempDir()
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	token := strings.Join([]string{
		part(`{"alg":"none","typ":"JWT"}`),
		part(`{"email":"ann@example.org","exp":4102444800,"https://api.openai.com/auth":{"chatgpt_account_id":"account","chatgpt_plan_type":"pro","chatgpt_user_id":"ann"}}`),
		part("unsigned"),
	}, ".")
	auth := fmt.Sprintf(`{"OPENAI_API_KEY":null,"tokens":{"id_token":%q,"access_token":%q,"refresh_token":"none","account_id":"account"},"last_refresh":%q}`,
		token, token, time.Now().UTC().Format(time.RFC3339))
	root, _, _ := strings.Cut(address, "/backend-api")
	write(t, home, map[string]string{"auth.json": auth, "config.toml": fmt.Sprintf("chatgpt_base_url = %q\n", root+"/backend-api")})
	return &codex{t: t, path: strings.TrimSpace(string(path)), dir: dir, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "CODEX_HOME=" + home, "CODEX_CLOUD_TASKS_BASE_URL=" + address,
		"NO_PROXY=127.0.0.1", "TERM=dumb", "GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.org",
	}}
}

// run runs codex, and returns its exit code and what it printed.
func (c *codex) run(args ...string) (code int, printed string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, c.path, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.dir, c.env, &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// want fails unless codex ends with code and says each of parts.
func (c *codex) want(code int, args []string, parts ...string) string {
	c.t.Helper()
	got, printed := c.run(args...)
	for _, part := range parts {
		if !strings.Contains(printed, part) {
			c.t.Errorf("codex %v does not say %q", args, part)
		}
	}
	if got != code || c.t.Failed() {
		c.t.Fatalf("codex %v: exit %d, want %d\n%s", args, got, code, printed)
	}
	return printed
}

// TestTheRealClient: list, exec, status, diff and apply, with two attempts, on
// both prefixes.
func TestTheRealClient(t *testing.T) {
	for _, base := range []string{"", "/backend-api"} {
		t.Run("base "+base, func(t *testing.T) {
			other := strings.ReplaceAll(change, "the SUM", "the TOTAL")
			b := newBench(t, nil, change, other)
			git(t, b.project, "add", "-A")
			git(t, b.project, "commit", "-qm", "two")
			noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "demo", Repo: b.project}))
			c := newCodex(t, b.url+base, b.project)
			c.want(0, []string{"cloud", "list"}, "No tasks found")
			printed := c.want(0, []string{"cloud", "exec", "--env", "demo", "--branch", "work", "--attempts", "2", "shout"}, b.url+"/codex/tasks/task_")
			id := filepath.Base(strings.TrimSpace(printed))
			_, err := b.client.Follow(t.Context(), id, 0, func(remote.Event) {}, nil)
			noError(t, err)
			c.want(0, []string{"cloud", "status", id}, "READY", "shout", "demo")
			c.want(0, []string{"cloud", "status", b.url + "/codex/tasks/" + id}, "READY")
			c.want(0, []string{"cloud", "list"}, id, "shout")
			c.want(0, []string{"cloud", "diff", id}, "+// Add returns the SUM.", "new.go")
			c.want(0, []string{"cloud", "diff", "--attempt", "2", id}, "+// Add returns the TOTAL.")
			c.want(0, []string{"cloud", "apply", "--attempt", "2", id}, "Applied")
			if got, want := b.read("math.go"), strings.Replace(mathGo, "the sum", "the TOTAL", 1); got != want {
				t.Errorf("math.go is %q", got)
			}
			if got := b.read("new.go"); got != "package math\n" {
				t.Errorf("new.go is %q", got)
			}
			git(t, b.project, "reset", "-q", "--hard")
			c.want(0, []string{"apply", id}) // the older command, which has a form of its own
			if got, want := b.read("math.go"), strings.Replace(mathGo, "the sum", "the SUM", 1); got != want {
				t.Errorf("math.go is %q", got)
			}
		})
	}
}

// TestTheRealClientIsToldWhatIsWrong: a task that failed, and an environment
// that is not there.
func TestTheRealClientIsToldWhatIsWrong(t *testing.T) {
	b := newBench(t, nil)
	noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "demo", Repo: b.project, Verify: []string{"true"}}))
	c := newCodex(t, b.url, b.project)
	printed := c.want(0, []string{"cloud", "exec", "--env", "demo", "--branch", "work", "shout"})
	id := filepath.Base(strings.TrimSpace(printed))
	_, err := b.client.Follow(t.Context(), id, 0, func(remote.Event) {}, nil)
	noError(t, err)
	c.want(1, []string{"cloud", "status", id}, "ERROR")
	c.want(1, []string{"cloud", "diff", id})
	c.want(1, []string{"cloud", "exec", "--env", "nowhere", "shout"}, "nowhere")
}
