package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/commands"
	"github.com/agentls/agentls/agent/permissions"
	"github.com/agentls/agentls/agent/sandbox"
	"github.com/agentls/agentls/index/git"
)

// A confinement finds how commands are confined in a workspace, once.
type confinement struct {
	mu    sync.Mutex
	found map[string]func() sandbox.Level // by workspaceKey; guarded by mu
}

// level returns what sandbox.Probe finds for opts, and waits for it.
func (c *confinement) level(ctx context.Context, opts sandbox.Options) sandbox.Level {
	key := workspaceKey(opts.Roots)
	c.mu.Lock()
	if c.found == nil {
		c.found = map[string]func() sandbox.Level{}
	}
	find, ok := c.found[key]
	if !ok {
		find = sync.OnceValue(func() sandbox.Level { return sandbox.Probe(context.WithoutCancel(ctx), opts) })
		c.found[key] = find
	}
	c.mu.Unlock()
	return find()
}

// commandsFor returns what runs the commands of one run in the workspace of
// these folders; nil where there is none.
func (a *app) commandsFor(roots []string) agent.Sandbox {
	opts, err := sandboxOptions(roots)
	if err != nil {
		a.log().Warn("the agent has no commands", "err", err)
		return nil
	}
	return commands.New(commands.Options{
		Roots: roots, Sandbox: opts, Tracked: trackedByGit,
		Level: func(ctx context.Context) sandbox.Level { return a.confined.level(ctx, opts) },
	})
}

// confinementOf says how commands are confined in the workspace of these
// folders.
func (a *app) confinementOf(ctx context.Context, roots []string) string {
	opts, err := sandboxOptions(roots)
	if err != nil {
		return "none: " + err.Error()
	}
	return a.confined.level(ctx, opts).String()
}

// sandboxOptions describes the workspace of these folders, and this machine, to
// package sandbox.
func sandboxOptions(roots []string) (sandbox.Options, error) {
	if len(roots) == 0 {
		return sandbox.Options{}, errors.New("the workspace has no folder")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // a command then has none either
	}
	opts := sandbox.Options{
		Home: home, Env: os.Environ(), Now: time.Now,
		Ignored: ignoredByGit, Masks: []string{stateDir(), cacheDir()},
	}
	if file := configFile(); file != "" {
		opts.Masks = append(opts.Masks, filepath.Dir(file))
	}
	for _, root := range roots {
		real, err := filepath.EvalSymlinks(root)
		if err != nil {
			return opts, err
		}
		if !slices.Contains(opts.Roots, real) {
			opts.Roots = append(opts.Roots, real)
		}
	}
	opts.State, err = filepath.Abs(filepath.Join(stateDir(), "workspaces", workspaceKey(opts.Roots), "sandbox"))
	return opts, err
}

// ignoredByGit is git.Ignored, and nothing where there is no repository.
func ignoredByGit(ctx context.Context, dir string, names []string) (map[string]bool, error) {
	return whereThereIsGit(git.Ignored(ctx, dir, names))
}

// trackedByGit is git.Tracked, and nothing where there is no repository.
func trackedByGit(ctx context.Context, dir string, names []string) (map[string]bool, error) {
	return whereThereIsGit(git.Tracked(ctx, dir, names))
}

func whereThereIsGit(answer map[string]bool, err error) (map[string]bool, error) {
	const noRepository = 128 // git's exit code
	var failure *git.Failure
	if errors.Is(err, git.ErrNoGit) || errors.As(err, &failure) && failure.Code == noRepository {
		return nil, nil
	}
	return answer, err
}

// checks returns the command lines that check a change in the workspace of these
// folders: what its user chose there, where no configuration says which.
func (a *app) checks(roots []string, sources ...settings) []string {
	if lines := verifyWith(roots, sources...); lines != nil {
		return lines
	}
	lines, err := permissions.Open(permissionsFile(stateOf(roots)), time.Now).VerifyWith()
	if err != nil {
		a.log().Warn("the workspace's own verify commands are not known", "error", err)
	}
	return lines
}

// verifyWith returns the command lines that check a change in the workspace of
// these folders: the first of sources that names some wins. Those of a workspace
// may be none.
func verifyWith(roots []string, sources ...settings) []string {
	for _, s := range sources {
		for path, ws := range s.Workspaces {
			if ws.Verify != nil && slices.ContainsFunc(roots, func(root string) bool { return isSameFolder(root, path) }) {
				return ws.Verify
			}
		}
		if len(s.Verify) > 0 {
			return s.Verify
		}
	}
	return nil
}

// checkVerify returns an error for a command line that cannot be one.
func (s *settings) checkVerify() error {
	lines := slices.Clone(s.Verify)
	for _, ws := range s.Workspaces {
		lines = append(lines, ws.Verify...)
	}
	for _, line := range lines {
		if !agent.IsCommandLine(line) {
			return fmt.Errorf("%s: verify: %q is no command", s.Source, line)
		}
	}
	return nil
}

// isSameFolder compares a root with a path of the configuration, which may
// begin with ~ and lead through symbolic links.
func isSameFolder(root, path string) bool {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return false
		}
		path = filepath.Join(home, rest)
	}
	a, err := os.Stat(root)
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}
