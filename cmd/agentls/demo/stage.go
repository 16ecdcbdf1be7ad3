package demo

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agentls/agentls/agent/script"
	"github.com/agentls/agentls/editors/nvimtest"
	"github.com/agentls/agentls/edits"
)

// The project that the demo works on: 16,000 lines of Go that none of us
// wrote, with tests.
const (
	module  = "github.com/spf13/cobra"
	version = "v1.10.2"
)

//go:embed scripts/*.txtar
var scripts embed.FS

// A stage is what the steps play on, and what they remember for each other.
type stage struct {
	opts       Options
	dir        string // the scratch folder
	root       string // the project's copy
	project    string
	editorName string
	editor     *nvimtest.Editor
	model      *script.Server
	service    *service
	endModel   context.CancelFunc

	original  map[string]string // of the project's files, by name, as copied
	changeSet string
	entry     string
}

// newStage prepares the scratch folder. It needs go, git and Neovim.
func newStage(opts Options) (*stage, error) {
	for _, name := range []string{"go", "git"} {
		if _, err := exec.LookPath(name); err != nil {
			return nil, fmt.Errorf("the demo needs %s: install it", name)
		}
	}
	if opts.Nvim == "" {
		found, err := nvimtest.Find()
		if err != nil {
			return nil, fmt.Errorf("the demo needs Neovim 0.7.2 or later as its editor: run make demo, or install neovim: %w", err)
		}
		opts.Nvim = found[0]
	}
	dir, err := os.MkdirTemp("", "agentls-demo-")
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	st := &stage{opts: opts, dir: dir, root: filepath.Join(dir, "cobra"), project: module + " " + version}
	if err := st.loadModel(); err != nil {
		st.close()
		return nil, err
	}
	return st, nil
}

// loadModel reads what the scripted model says.
func (st *stage) loadModel() error {
	var all []*script.Script
	for _, name := range []string{"ask", "change", "conflict", "remote-killed", "remote"} {
		s, err := script.Load(scripts, "scripts/"+name+".txtar")
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	st.model = script.New(all...)
	return nil
}

// close ends everything the demo started.
func (st *stage) close() {
	if st.editor != nil {
		_ = st.editor.Close() // it is over either way
	}
	if st.service != nil {
		st.service.kill()
	}
	if st.endModel != nil {
		st.endModel()
	}
	if !st.opts.Keep {
		_ = os.RemoveAll(st.dir) // a scratch folder
	}
}

// fetch copies the project's source into the scratch folder, as a repository.
func (st *stage) fetch(ctx context.Context) error {
	out, err := st.command(ctx, st.dir, "go", "mod", "download", "-json", module+"@"+version)
	if err != nil {
		return err
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(out, &downloaded); err != nil {
		return fmt.Errorf("go mod download: %w", err)
	}
	if st.original, err = copyTree(downloaded.Dir, st.root); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"init", "-q"},
		{"add", "."},
		{"-c", "user.name=demo", "-c", "user.email=demo@localhost", "commit", "-qm", "Import " + st.project},
	} {
		if _, err := st.command(ctx, st.root, "git", args...); err != nil {
			return err
		}
	}
	// What it is built and tested with: the sandbox has no network.
	_, err = st.command(ctx, st.root, "go", "list", "-mod=readonly", "-deps", "-test", ".")
	return err
}

// command runs a program in dir and returns what it printed.
func (st *stage) command(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GIT_CONFIG_GLOBAL=/dev/null")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return out, nil
}

// copyTree copies the regular files of a folder, writable, and returns their
// contents by name.
func copyTree(from, to string) (map[string]string, error) {
	contents := make(map[string]string)
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		contents[filepath.ToSlash(rel)] = string(content)
		return os.WriteFile(filepath.Join(to, rel), content, 0o644)
	})
	return contents, err
}

// configuration is the user's file: what a change must pass, here and at the
// task service.
const configuration = "verify = ['go vet .']\n[remote]\nenvironment = '" + environment + "'\n"

// startEditor starts Neovim on the project, with these variables for it and
// its language server, and opens args.go.
func (st *stage) startEditor(ctx context.Context, env ...string) error {
	config := filepath.Join(st.dir, "home", ".config", "agentls")
	if err := os.MkdirAll(config, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(config, "config.toml"), []byte(configuration), 0o600); err != nil {
		return err
	}
	caches, err := st.caches(ctx)
	if err != nil {
		return err
	}
	editor, err := nvimtest.Start(context.WithoutCancel(ctx), nvimtest.Options{
		Nvim: st.opts.Nvim, Dir: st.root, Home: filepath.Join(st.dir, "home"), Server: st.opts.Server, Env: append(env, caches...),
	})
	if err != nil {
		return err
	}
	st.editor, st.editorName = editor, "Neovim "+editor.Version()
	return editor.Open(ctx, "args.go")
}

// caches returns the variables by which Go finds the machine's caches.
func (st *stage) caches(ctx context.Context) ([]string, error) {
	out, err := st.command(ctx, st.root, "go", "env", "GOCACHE", "GOMODCACHE")
	var env []string
	for i, dir := range strings.Fields(string(out)) {
		env = append(env, []string{"GOCACHE=", "GOMODCACHE="}[i]+dir)
	}
	return env, err
}

// witnesses returns what the editor showed and logged, for a step that failed.
func (st *stage) witnesses() string {
	if st.editor == nil {
		return ""
	}
	said := ""
	if messages, err := st.editor.Messages(); err == nil {
		for _, m := range messages {
			said += "\nthe server said: " + m.Message
		}
	}
	events := st.editor.Events()
	for _, ev := range events[max(0, len(events)-5):] {
		said += "\nthe last events: " + string(ev)
	}
	if log := st.editor.Log(); log != "" {
		said += "\nthe editor logged:\n" + log
	}
	return said
}

// An event is what the demo reads of agentls/event. (lsp/COMMANDS.md)
type event struct {
	Kind, Run, Text, Answer, Source, Error string
	ChangeSet                              string
	Checks                                 []edits.Check
	Files, Parsed, Symbols, Void           int
	Step                                   struct{ ID, Tool, State, Error, Detail string }
}

// await returns the first event of a kind about a run. A run that failed is an
// error.
func (st *stage) await(ctx context.Context, kind, run string) (event, error) {
	var found event
	_, err := st.editor.WaitEvent(ctx, func(params json.RawMessage) bool {
		var ev event
		if json.Unmarshal(params, &ev) != nil || ev.Run != run {
			return false
		}
		found = ev
		return ev.Kind == kind || ev.Kind == "run.failed"
	})
	switch {
	case err != nil:
		return event{}, fmt.Errorf("waited for %s: %w", kind, err)
	case found.Kind != kind:
		return event{}, errors.New(found.Error)
	}
	return found, nil
}

// eventsOf returns the events so far about a run.
func (st *stage) eventsOf(run string) []event {
	var out []event
	for _, params := range st.editor.Events() {
		var ev event
		if json.Unmarshal(params, &ev) == nil && ev.Run == run {
			out = append(out, ev)
		}
	}
	return out
}

// buffer returns the text of an open document.
func (st *stage) buffer(name string) (string, error) {
	lines, err := st.editor.Lines(name)
	return strings.Join(lines, "\n") + "\n", err
}

// differences returns an error that names what a file is and should be.
func differences(name, got, want string) error {
	if got == want {
		return nil
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Errorf("%s differs in line %d: is %q, should be %q", name, i+1, g[i], w[i])
		}
	}
	return fmt.Errorf("%s has %d lines, should have %d", name, len(g), len(w))
}

// checkDisk compares the project's files on disk with the original, but for
// those that want names; an empty want means that the file is not there.
func (st *stage) checkDisk(want map[string]string) error {
	now := make(map[string]string)
	err := filepath.WalkDir(st.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == ".git" {
			return filepath.SkipDir
		}
		if d.IsDir() {
			return nil
		}
		content, err := os.ReadFile(path)
		rel, _ := filepath.Rel(st.root, path)
		now[filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil {
		return err
	}
	for name, content := range st.original {
		if _, own := want[name]; !own {
			want[name] = content
		}
	}
	for _, name := range slices.Sorted(mapKeys(now, want)) {
		if err := differences(name, now[name], want[name]); err != nil {
			return err
		}
	}
	return nil
}
