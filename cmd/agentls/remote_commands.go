package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/commands"
	"github.com/agentls/agentls/agent/sandbox"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/remote"
	"github.com/agentls/agentls/remote/server"
)

// environments runs the commands of a task service's environments in
// sandboxes, one for each attempt.
type environments struct {
	data    string        // the service's folder, without symbolic links
	hidden  []string      // from commands, beside what the sandbox knows
	level   sandbox.Level // its State is a folder that the environments share
	timeout time.Duration // of a command
}

// environments returns what runs the commands of environments, for a service
// that keeps everything in data, unless nothing confines them. Secrets are files
// to hide.
func (a *app) environments(ctx context.Context, data string, timeout time.Duration, secrets ...string) (*environments, error) {
	scratch := filepath.Join(data, "scratch")
	if err := os.MkdirAll(scratch, 0o700); err != nil {
		return nil, err
	}
	real, err := realPath(data)
	if err != nil {
		return nil, err
	}
	e := &environments{data: real, timeout: timeout}
	for _, path := range append(secrets, stateDir(), cacheDir(), filepath.Dir(configFile()), real) {
		if path, err := realPath(path); err == nil { // what is not there needs no hiding
			e.hidden = append(e.hidden, path)
		}
	}
	state := filepath.Join(real, "sandbox", workspaceKey([]string{real}))
	e.level = sandbox.Probe(ctx, e.options(filepath.Join(real, "scratch"), state))
	if !e.level.Confines() {
		a.log().Warn("environments with commands are refused", "sandbox", e.level.String())
	}
	return e, nil
}

// forgetKilled removes what attempts without an environment left when the service
// before this one was killed.
func (e *environments) forgetKilled() {
	_ = os.RemoveAll(filepath.Join(e.level.State, onceKey)) // tried again at the next start
}

// realPath returns path, absolute and without symbolic links.
func realPath(path string) (string, error) {
	if path == "" {
		return "", fs.ErrNotExist
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// options describes a checkout, and this machine, to package sandbox.
func (e *environments) options(dir, state string) sandbox.Options {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // a command then has none either
	}
	return sandbox.Options{
		Roots: []string{dir}, State: state, Home: home, Env: os.Environ(), Now: time.Now,
		Ignored: ignoredByGit, Masks: slices.Clone(e.hidden),
	}
}

// Confinement implements server.Commands.
func (e *environments) Confinement() string { return e.level.String() }

// Open implements server.Commands. The caches of build tools are those of the
// environment.
func (e *environments) Open(ctx context.Context, dir string, env remote.Environment) (server.Sandbox, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	s := &attemptSandbox{network: setUpNetwork(env), made: map[string]bool{}, timeout: e.timeout, level: e.level, dir: dir}
	opts := e.options(real, e.level.State)
	secrets, err := commands.Secrets(ctx, &agent.Gate{}, opts.Roots, allTracked)
	if err != nil {
		return nil, err
	}
	opts.Masks = append(opts.Masks, secrets...)
	opts.Level, opts.Ignored = e.level, s.stays
	opts.Level.State = filepath.Join(e.level.State, environmentKey(env.Name))
	if env.Name == "" { // a task of any repository: what one leaves in caches is no other's
		opts.Level.State = filepath.Join(e.level.State, onceKey, filepath.Base(real))
		s.forget = opts.Level.State
	}
	s.box, err = sandbox.New(opts)
	return s, err
}

// onceKey is the folder of the attempts without an environment: each has caches
// of its own, which go with it.
const onceKey = "once"

// allTracked holds that all keys of a checkout are fixtures: it has nothing that
// was not committed, or sent as what is not withheld.
func allTracked(_ context.Context, _ string, names []string) (map[string]bool, error) {
	tracked := map[string]bool{}
	for _, name := range names {
		tracked[name] = true
	}
	return tracked, nil
}

// environmentKey names the folder of an environment.
func environmentKey(name string) string {
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%s-%x", strings.Trim(strings.ReplaceAll(name, "/", "-"), "."), sum[:6])
}

// An attemptSandbox is the sandbox of one attempt.
type attemptSandbox struct {
	box     *sandbox.Sandbox
	level   sandbox.Level
	dir     string // the checkout
	timeout time.Duration
	network sandbox.Network // of the set-up
	setting bool            // a set-up command runs
	made    map[string]bool // what set-up commands made, by path
	forget  string          // a folder that goes with it; "" for none
}

// SetUp implements server.Sandbox.
func (s *attemptSandbox) SetUp(ctx context.Context, line string, output io.Writer) (*server.Ended, error) {
	s.setting = true
	res, err := s.run(ctx, sandbox.View{}, sandbox.Command{Shell: line, Stream: output, Network: s.network})
	s.setting = false
	if err != nil {
		return nil, err
	}
	if len(res.Changes) > 0 {
		_, _ = fmt.Fprintf(output, "[not kept: %s of the checkout that it changed]\n", count(len(res.Changes), "file")) // nobody may watch
	}
	return ended(res), nil
}

// Verify implements server.Sandbox.
func (s *attemptSandbox) Verify(ctx context.Context, change *edits.ChangeSet, line string, output io.Writer) (*server.Ended, error) {
	res, err := s.run(ctx, viewOf(change), sandbox.Command{Shell: line, Stream: output})
	if err != nil {
		return nil, err
	}
	return ended(res), nil
}

// Agent implements server.Sandbox.
func (s *attemptSandbox) Agent() agent.Sandbox { return commands.In(s.box, s.level, []string{s.dir}) }

func (s *attemptSandbox) run(ctx context.Context, view sandbox.View, cmd sandbox.Command) (*sandbox.Result, error) {
	cmd.Timeout = s.timeout
	return s.box.Run(ctx, view, cmd)
}

// setUpNetwork returns what the set-up of env reaches.
func setUpNetwork(env remote.Environment) sandbox.Network {
	if env.Network {
		return sandbox.NetworkOpen
	}
	return sandbox.NetworkOff
}

func ended(res *sandbox.Result) *server.Ended {
	return &server.Ended{Exit: res.Code, Stopped: string(res.Stop), Elapsed: res.Elapsed}
}

// Close implements server.Sandbox.
func (s *attemptSandbox) Close() error {
	err := s.box.Close()
	if s.forget != "" {
		err = errors.Join(err, os.RemoveAll(s.forget))
	}
	return err
}

// stays tells the sandbox which of names stay for later commands without being
// a change: what git ignores, and all that a set-up made beside the checkout.
func (s *attemptSandbox) stays(ctx context.Context, dir string, names []string) (map[string]bool, error) {
	stays := map[string]bool{}
	if !s.setting {
		ignored, err := ignoredByGit(ctx, dir, names)
		if err != nil {
			return nil, err
		}
		stays = ignored
	}
	answer := make(map[string]bool, len(names))
	for _, name := range names {
		path := filepath.Join(dir, name)
		if s.setting && !isThere(path) {
			s.made[path] = true
		}
		answer[name] = stays[name] || s.made[path]
	}
	return answer, nil
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// viewOf returns the files that change leaves behind, and those it takes away.
func viewOf(change *edits.ChangeSet) sandbox.View {
	view := sandbox.View{Files: map[string]sandbox.File{}}
	if change == nil {
		return view
	}
	for i := range change.Files {
		f := &change.Files[i]
		mode := f.Mode
		if f.Op == edits.Delete || f.Op == edits.Rename {
			view.Files[f.Path] = sandbox.File{Deleted: true}
		}
		if stat, err := os.Stat(f.Path); err == nil && f.Op == edits.Rename && mode == 0 {
			mode = stat.Mode().Perm()
		}
		if f.Op != edits.Delete {
			view.Files[f.Target()] = sandbox.File{Content: f.After(), Mode: mode}
		}
	}
	return view
}
