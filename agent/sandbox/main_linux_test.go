package sandbox_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/agentls/agentls/agent/sandbox"
	"github.com/agentls/agentls/index/git"
)

// stagePath is the stage that all tests use: built from the present sources,
// whatever is embedded.
var stagePath string

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == attackArg {
		attackMain(os.Args[2], os.Args[3:])
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	if stagePath = os.Getenv("AGENTLS_TEST_STAGE"); stagePath != "" {
		return m.Run() // somebody of less rights, started by a test
	}
	dir, err := os.MkdirTemp("", "agentls-stage-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is gone, or goes with the folder
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	stagePath = filepath.Join(dir, "agentls-sandbox")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", stagePath, "github.com/agentls/agentls/cmd/agentls-sandbox")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the stage: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// A place is a user with a home and a workspace in it.
type place struct {
	t    testing.TB
	base string
	home string
	root string
	opts sandbox.Options
	box  *sandbox.Sandbox
}

// newPlace writes the workspace's files, "name" → content. The folders are not
// in /tmp, which a command has to itself, but where homes are.
func newPlace(tb testing.TB, files map[string]string) *place {
	tb.Helper()
	base, err := os.MkdirTemp(testBase(tb), "place-") //nolint:usetesting // not in /tmp, which commands have to themselves
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = exec.Command("chmod", "-R", "u+rwX", base).Run()
		_ = os.RemoveAll(base)
	})
	p := &place{t: tb, base: base, home: filepath.Join(base, "home"), root: filepath.Join(base, "home", "project")}
	p.mkdir(p.root)
	for name, content := range files {
		p.write(filepath.Join(p.root, name), content)
	}
	p.opts = sandbox.Options{
		Roots: []string{p.root}, State: filepath.Join(p.home, ".local/state/agentls/project"), Home: p.home,
		Env:   append(os.Environ(), "HOME="+p.home, "GOCACHE=", "GOMODCACHE=", "GOPATH=", "CARGO_HOME="),
		Stage: stagePath, Ignored: ignored, Now: time.Now,
		Level: sandbox.Level{Kind: sandbox.Namespaces},
	}
	return p
}

// confiningKinds are the kinds that confine commands on this machine.
func confiningKinds() []sandbox.Kind {
	kinds := []sandbox.Kind{sandbox.Namespaces, sandbox.Copied}
	if _, err := os.Stat("/usr/bin/bwrap"); err == nil {
		kinds = append(kinds, sandbox.Bubblewrap)
	}
	return kinds
}

// testBase is a folder for places on a file system that overlays can lie on.
func testBase(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv("AGENTLS_TEST_BASE"); dir != "" {
		return dir
	}
	return "/var/tmp"
}

func ignored(ctx context.Context, dir string, names []string) (map[string]bool, error) {
	if _, ok, err := git.Root(ctx, dir); err != nil || !ok {
		return nil, err
	}
	return git.Ignored(ctx, dir, names)
}

func (p *place) mkdir(path string) {
	p.t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) write(path, content string) {
	p.t.Helper()
	p.mkdir(filepath.Dir(path))
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) read(path string) string {
	p.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

// git runs git in the workspace, as the user would.
func (p *place) git(args ...string) {
	p.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always", "-C", p.root}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// sandbox returns the sandbox of the place, made when it is first needed.
func (p *place) sandbox() *sandbox.Sandbox {
	p.t.Helper()
	if p.box == nil {
		box, err := sandbox.New(p.opts)
		if err != nil {
			p.t.Fatal(err)
		}
		p.box = box
		p.t.Cleanup(func() {
			if err := box.Close(); err != nil {
				p.t.Error(err)
			}
		})
	}
	return p.box
}

// sh runs a script in the workspace and fails the test unless it exits 0.
func (p *place) sh(script string) *sandbox.Result {
	p.t.Helper()
	return p.run(sandbox.View{}, sandbox.Command{Shell: script})
}

func (p *place) run(view sandbox.View, cmd sandbox.Command) *sandbox.Result {
	p.t.Helper()
	if cmd.Timeout == 0 {
		cmd.Timeout = 30 * time.Second
	}
	res, err := p.sandbox().Run(p.t.Context(), view, cmd)
	if err != nil {
		p.t.Fatal(err)
	}
	if res.Code != 0 {
		p.t.Fatalf("exit code %d, stop %q\n%s", res.Code, res.Stop, res.Output)
	}
	return res
}
