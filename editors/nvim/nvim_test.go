// Package nvim_test runs the tests of the Neovim plugin: each Lua file of
// test, in every Neovim there is, with the real server and a scripted model.
package nvim_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agentls/agentls/agent/script"
	"github.com/agentls/agentls/editors/nvimtest"
)

// patience bounds one test file in one Neovim; none should need a tenth of it.
const patience = 60 * time.Second

// server is the path of agentls, built by TestMain.
var server string

func TestMain(m *testing.M) {
	os.Exit(withServer(m))
}

// withServer builds the server as make does, and runs the tests.
func withServer(m *testing.M) int {
	dir, err := os.MkdirTemp("", "agentls-nvim-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a scratch folder
	server = filepath.Join(dir, "agentls")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", server, "../../cmd/agentls")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build agentls: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func TestPlugin(t *testing.T) {
	nvims, err := nvimtest.Find()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("test/*_test.lua")
	if err != nil || len(files) == 0 {
		t.Fatal("no test/*_test.lua", err)
	}
	for _, nvim := range nvims {
		version := versionOf(t, nvim)
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), "_test.lua")
			t.Run(name+"/"+version, func(t *testing.T) {
				t.Parallel()
				newDesk(t, name).run(t, nvim, file)
			})
		}
	}
}

// versionOf returns a Neovim's version, such as "v0.7.2".
func versionOf(t *testing.T, nvim string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), nvim, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimPrefix(line, "NVIM ")
}

// A desk is where one test sits: a project, a home folder and a model.
type desk struct {
	dir, home string
	env       []string
	scripts   []*script.Script // the model's conversations: test/NAME.txtar, test/NAME.2.txtar and so on
	model     *script.Server
}

// newDesk prepares the desk of a test. A test without a script has no model.
func newDesk(t *testing.T, name string) *desk {
	t.Helper()
	d := &desk{dir: realTempDir(t), home: realTempDir(t)}
	paths, err := filepath.Glob("test/" + name + ".*txtar")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	for _, path := range paths {
		s, err := script.Load(os.DirFS("."), path)
		if err != nil {
			t.Fatal(err)
		}
		d.scripts = append(d.scripts, s)
		d.write(t, s.Files)
	}
	d.write(t, map[string]string{".git/HEAD": "ref: refs/heads/main\n"}) // marks the root
	plugin, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	d.env = []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TERM=xterm-256color", "HOME=" + d.home, "TMPDIR=" + d.home,
		"XDG_CONFIG_HOME=" + filepath.Join(d.home, "config"), "XDG_DATA_HOME=" + filepath.Join(d.home, "data"),
		"XDG_STATE_HOME=" + filepath.Join(d.home, "state"), "XDG_CACHE_HOME=" + filepath.Join(d.home, "cache"),
		"XDG_RUNTIME_DIR=" + d.home,
		"AGENTLS_PLUGIN=" + plugin, "AGENTLS_SERVER=" + server, "AGENTLS_DIR=" + d.dir,
	}
	if len(d.scripts) > 0 {
		d.startModel(t)
	}
	return d
}

// realTempDir returns a folder without links in its path. It is removed once
// the server, which ends a little after its editor, writes no more.
func realTempDir(t *testing.T) string {
	t.Helper()
	made, err := os.MkdirTemp("", "agentls-nvim-") //nolint:usetesting // that one is removed at once
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		deadline := time.Now().Add(10 * time.Second)
		for err := os.RemoveAll(made); err != nil; err = os.RemoveAll(made) {
			if time.Now().After(deadline) {
				t.Errorf("remove the scratch folder: %v", err)
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	dir, err := filepath.EvalSymlinks(made)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// write writes files, "name" → content, into the project.
func (d *desk) write(t *testing.T, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(d.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *desk) startModel(t *testing.T) {
	t.Helper()
	d.model = script.New(d.scripts...)
	url, err := d.model.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.env = append(d.env, "OPENAI_BASE_URL="+url, "OPENAI_API_KEY=sk-test-secret", "AGENTLS_MODEL=scripted")
}

// run runs a Lua file in Neovim, then checks the files and the model's side.
func (d *desk) run(t *testing.T, nvim, file string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, nvim, "--headless", "--clean", "-n", "-i", "NONE",
		"--cmd", "set runtimepath^=$AGENTLS_PLUGIN", "--cmd", "luafile $AGENTLS_PLUGIN/test/begin.lua")
	cmd.Dir = d.dir
	cmd.Env = append(slices.Clone(d.env), "AGENTLS_TEST="+filepath.Base(file))
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s%s", err, out, d.log())
	}
	for _, s := range d.scripts {
		if err := s.Check(func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(d.dir, name)) }); err != nil {
			t.Error(err)
		}
	}
	if d.model == nil {
		return
	}
	if err := d.model.Done(); err != nil {
		t.Error(err)
	}
}

// log returns Neovim's log of the language server, which holds the server's
// own stderr.
func (d *desk) log() string {
	var all strings.Builder
	for _, folder := range []string{"cache", "state"} { // of 0.7.2, and later
		if text, err := os.ReadFile(filepath.Join(d.home, folder, "nvim", "lsp.log")); err == nil {
			all.Write(text)
		}
	}
	return all.String()
}
