package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agentls/agentls/agent/script"
)

// asMain makes the test binary be agentls.
const asMain = "AGENTLS_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(dying) != "" {
		dieInApply()
	}
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A user is somebody with a home folder of their own and a project.
type user struct {
	t   *testing.T
	dir string // the project
	env []string

	data string // of the task service
}

// newUser writes the project's files, "name" → content.
func newUser(t *testing.T, files map[string]string) *user {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	u := &user{t: t, dir: dir, env: []string{
		asMain + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + home, "TERM=dumb",
		"XDG_STATE_HOME=" + filepath.Join(home, "state"),
		"XDG_CACHE_HOME=" + filepath.Join(home, "cache"),
		"XDG_CONFIG_HOME=" + filepath.Join(home, "config"),
	}}
	for name, content := range files {
		u.write(name, content)
	}
	return u
}

func (u *user) path(name string) string { return filepath.Join(u.dir, name) }

func (u *user) write(name, content string) {
	u.t.Helper()
	if err := os.MkdirAll(filepath.Dir(u.path(name)), 0o755); err != nil {
		u.t.Fatal(err)
	}
	if err := os.WriteFile(u.path(name), []byte(content), 0o644); err != nil {
		u.t.Fatal(err)
	}
}

func (u *user) read(name string) string {
	content, err := os.ReadFile(u.path(name))
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return string(content)
}

// configure writes the user's configuration file.
func (u *user) configure(toml string) {
	u.t.Helper()
	dir := filepath.Join(u.variable("XDG_CONFIG_HOME"), "agentls")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		u.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(toml), 0o600); err != nil {
		u.t.Fatal(err)
	}
}

// variable returns the value of a variable of the user's environment.
func (u *user) variable(name string) string {
	for _, v := range u.env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// model starts a scripted model, of a conversation for each archive, and
// configures it in the environment.
func (u *user) model(archives ...string) *script.Server {
	u.t.Helper()
	var scripts []*script.Script
	for _, archive := range archives {
		s, err := script.Parse(u.t.Name(), []byte(archive))
		if err != nil {
			u.t.Fatal(err)
		}
		scripts = append(scripts, s)
	}
	server := script.New(scripts...)
	url, err := server.Start(u.t.Context())
	if err != nil {
		u.t.Fatal(err)
	}
	u.env = append(u.env, "OPENAI_BASE_URL="+url, "OPENAI_API_KEY=sk-test-secret", "AGENTLS_MODEL=scripted")
	return server
}

func (u *user) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Dir, cmd.Env = u.dir, u.env
	return cmd
}

// A printed is how a command ended.
type printed struct {
	code        int
	out, errOut string
}

// run runs agentls.
func (u *user) run(args ...string) printed {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.t.Context(), time.Minute)
	defer cancel()
	var out, errOut bytes.Buffer
	cmd := u.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		u.t.Fatal(err)
	}
	return printed{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// want fails unless the command ended with code and said each of parts.
func (p printed) want(t *testing.T, code int, parts ...string) {
	t.Helper()
	if p.code != code {
		t.Errorf("exit code %d, want %d", p.code, code)
	}
	for _, part := range parts {
		if !strings.Contains(p.out+p.errOut, part) {
			t.Errorf("it does not say %q", part)
		}
	}
	if t.Failed() {
		t.Fatalf("stdout:\n%s\nstderr:\n%s", p.out, p.errOut)
	}
}

// A wire is a running server and the bytes to and from it.
type wire struct {
	t      *testing.T
	in     io.WriteCloser
	out    *bufio.Reader
	passed []message // notifications that came before an answer was there
	errOut logged
	cmd    *exec.Cmd
}

// A logged is what a process says while a test reads it.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (u *user) serve() *wire {
	u.t.Helper()
	w := &wire{t: u.t, cmd: u.command(context.Background(), "serve")}
	w.cmd.Stderr = &w.errOut
	in, err := w.cmd.StdinPipe()
	if err != nil {
		u.t.Fatal(err)
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		u.t.Fatal(err)
	}
	w.in, w.out = in, bufio.NewReader(out)
	if err := w.cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(w.end)
	return w
}

// end hangs up, so that the server ends what it has begun; a server that does
// not end is killed.
func (w *wire) end() {
	_ = w.in.Close()
	late := time.AfterFunc(10*time.Second, func() { _ = w.cmd.Process.Kill() })
	defer late.Stop()
	_ = w.cmd.Wait()
}

// initialize begins the session on the user's project.
func (w *wire) initialize(u *user) {
	w.t.Helper()
	w.initializeWith(u, `"capabilities":{}`)
}

// initializeWith is initialize with further parameters, as JSON.
func (w *wire) initializeWith(u *user, params string) {
	w.t.Helper()
	w.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"processId":null,"rootUri":"file://%s",%s}}`, u.dir, params))
	w.answer(0)
	w.send(`{"jsonrpc":"2.0","method":"initialized","params":{}}`)
}

func (w *wire) send(body string) {
	w.t.Helper()
	w.raw(fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body))
}

func (w *wire) raw(s string) {
	w.t.Helper()
	if _, err := io.WriteString(w.in, s); err != nil {
		w.t.Fatalf("the server is gone: %v\n%s", err, w.errOut.String())
	}
}

// A message is what the server sent.
type message struct {
	ID     *int            `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// next returns the next message from the server.
func (w *wire) next() message {
	w.t.Helper()
	got := make(chan message, 1)
	failed := make(chan error, 1)
	go func() {
		m, err := w.receive()
		if err != nil {
			failed <- err
			return
		}
		got <- m
	}()
	select {
	case m := <-got:
		return m
	case err := <-failed:
		w.t.Fatalf("the server is gone: %v\n%s", err, w.errOut.String())
	case <-time.After(20 * time.Second):
		w.t.Fatalf("no answer\n%s", w.errOut.String())
	}
	return message{}
}

func (w *wire) receive() (m message, err error) {
	length := 0
	for {
		line, err := w.out.ReadString('\n')
		if err != nil {
			return m, err
		}
		line = strings.TrimSpace(line)
		if line == "" {
			break
		}
		if value, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			if length, err = strconv.Atoi(value); err != nil {
				return m, err
			}
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(w.out, body); err != nil {
		return m, err
	}
	return m, json.Unmarshal(body, &m)
}

// answer returns the answer to the request with id.
func (w *wire) answer(id int) message {
	w.t.Helper()
	for {
		m := w.next()
		switch {
		case m.Method == "" && m.ID != nil && *m.ID == id:
			return m
		case m.ID == nil:
			w.passed = append(w.passed, m)
		}
	}
}

// call sends a request and returns its answer.
func (w *wire) call(id int, method string, params any) message {
	w.t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	if err != nil {
		w.t.Fatal(err)
	}
	w.send(string(body))
	return w.answer(id)
}

// notify sends a notification.
func (w *wire) notify(method string, params any) {
	w.t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": method, "params": params})
	if err != nil {
		w.t.Fatal(err)
	}
	w.send(string(body))
}

// wantEnd waits until the server has ended by itself.
func (w *wire) wantEnd(otherwise string) {
	w.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- w.cmd.Wait() }()
	select {
	case err := <-ended:
		w.t.Log("the server ended:", err)
	case <-time.After(10 * time.Second):
		w.t.Fatal(otherwise)
	}
}

// ready waits until the index is complete: the server is up and works.
func (w *wire) ready() {
	w.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for id := 1000; time.Now().Before(deadline); id++ {
		m := w.call(id, "workspace/executeCommand", map[string]any{"command": "agentls.status"})
		if strings.Contains(string(m.Result), `"ready":true`) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.t.Fatal("the index did not become ready")
}
