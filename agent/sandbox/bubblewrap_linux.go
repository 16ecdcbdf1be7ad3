package sandbox

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"

	"github.com/agentls/agentls/agent/sandbox/stage"
)

// bubblewrapPath is where a distribution installs it: one that the PATH leads
// to may be anybody's.
const bubblewrapPath = "/usr/bin/bwrap"

// runBubblewrapped runs a command in a copy of the workspace that bubblewrap
// shows at the workspace's own place. It is for systems that let bubblewrap
// alone make namespaces.
func (s *Sandbox) runBubblewrapped(ctx context.Context, c *treeCopy, cmd *Command, argv []string) (*Result, error) {
	if _, err := exec.LookPath(bubblewrapPath); err != nil {
		return nil, &SetupError{Step: "find bubblewrap", Err: errors.New(bubblewrapPath + " is not installed")}
	}
	if s.uid != os.Getuid() {
		return nil, &SetupError{Step: "become the owner of the workspace", Err: errors.New("bubblewrap has no other user than the one that starts it")}
	}
	home := s.home
	if home == "" {
		home = "/tmp"
	}
	plan := s.newPlan(cmd, argv)
	plan.Mode = stage.Inside
	plan.Env = lastOfEach(append(plan.Env, "HOME="+home))
	plan.Writable = append([]string{"/dev", "/proc", home}, scratchDirs...)
	plan.Writable = append(append(plan.Writable, s.opts.Roots...), plan.Opened...)
	prepare := func() (*stage.Plan, []string, error) { return plan, []string{c.dir, c.home}, nil }
	a := attributes{mode: stage.Inside, network: cmd.network(), wrapper: s.bubblewrap(c, home, cmd)}
	return s.execute(ctx, cmd, a, prepare)
}

// bubblewrap returns the command line up to the stage.
func (s *Sandbox) bubblewrap(c *treeCopy, home string, cmd *Command) []string {
	args := []string{
		bubblewrapPath, "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try",
		"--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox",
		"--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
	}
	for _, path := range stage.KernelFiles {
		args = append(args, "--ro-bind-try", path, path)
	}
	if cmd.Network == NetworkOff {
		args = append(args, "--unshare-net")
	}
	var size []string // of the tmpfs that follows
	if cmd.Limits.Scratch > 0 {
		size = []string{"--size", strconv.FormatInt(cmd.Limits.Scratch, 10)}
	}
	for _, dir := range scratchDirs {
		if stat, err := os.Lstat(dir); err == nil && stat.IsDir() {
			args = append(append(args, size...), "--tmpfs", dir)
		}
	}
	for _, path := range keptPaths(s.opts.Env, cmd.Network) {
		args = append(args, "--ro-bind", path, path)
	}
	args = append(args, "--bind", c.home, home)
	for _, dir := range s.covered {
		args = append(args, "--tmpfs", dir)
	}
	for _, t := range c.trees {
		args = append(args, "--bind", c.root(t), t.root)
	}
	if cmd.Opened != "" {
		args = append(args, "--bind", cmd.Opened, cmd.Opened)
	}
	for _, root := range s.opts.Roots {
		for _, path := range gitDirs(root) {
			args = append(args, "--ro-bind", path, path)
		}
	}
	return append(append(args, s.bubblewrapMasks()...), "--")
}

func (s *Sandbox) bubblewrapMasks() []string {
	var git []string
	for _, root := range s.opts.Roots {
		git = append(git, gitDirs(root)...)
	}
	var args []string
	for _, path := range withoutNested(append(s.uncovered(), s.hidden...)) {
		inGit := slices.ContainsFunc(git, func(dir string) bool { return within(path, dir) })
		if s.shows(path) && !inGit {
			continue // nothing of the home shows, and what is hidden was not copied
		}
		stat, err := os.Lstat(path)
		switch {
		case err != nil, stat.Mode()&fs.ModeSymlink != 0:
		case stat.IsDir():
			args = append(args, "--tmpfs", path, "--remount-ro", path)
		default:
			args = append(args, "--ro-bind", s.scratch.empty(), path)
		}
	}
	return args
}
