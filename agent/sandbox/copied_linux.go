package sandbox

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/agentls/agentls/agent/sandbox/stage"
)

// runCopied runs a command in a copy of the workspace: the way out where an
// overlay is refused. The copy is made for each command, which takes a time
// that grows with the workspace.
func (s *Sandbox) runCopied(ctx context.Context, view View, cmd *Command, argv []string) (*Result, error) {
	began := s.opts.Now()
	if err := s.scratch.show(view); err != nil {
		return nil, fmt.Errorf("lay the draft over the workspace: %w", err)
	}
	s.findMasks()
	c := s.newCopy()
	if s.opts.Level.Kind == Bubblewrap {
		c.git = gitMount
	}
	defer c.remove() //nolint:errcheck // goes with the run
	if err := c.fill(ctx); err != nil {
		return nil, fmt.Errorf("copy the workspace: %w", err)
	}
	res, err := s.runIn(ctx, c, cmd, argv)
	if err != nil {
		return nil, err
	}
	if res.Changes, err = c.changes(ctx, s.opts.Ignored); err != nil {
		return nil, fmt.Errorf("read what the command changed: %w", err)
	}
	res.Elapsed = s.opts.Now().Sub(began)
	return res, nil
}

func (s *Sandbox) runIn(ctx context.Context, c *treeCopy, cmd *Command, argv []string) (*Result, error) {
	if s.opts.Level.Kind == Bubblewrap {
		return s.runBubblewrapped(ctx, c, cmd, argv)
	}
	mode := stage.Fenced
	if s.opts.Level.Kind != Copied {
		mode = stage.Open
	}
	prepare := func() (*stage.Plan, []string, error) {
		return s.fencedPlan(c, cmd, argv, mode), []string{c.dir, c.home}, nil
	}
	return s.execute(ctx, cmd, attributes{mode: mode, network: cmd.network(), names: c.names()}, prepare)
}

// fencedPlan says where the command may write, and that it may read all but
// what is masked.
func (s *Sandbox) fencedPlan(c *treeCopy, cmd *Command, argv []string, mode stage.Mode) *stage.Plan {
	plan := s.newPlan(cmd, argv)
	plan.Mode = mode
	plan.Dir = c.of(plan.Dir)
	plan.Env = lastOfEach(append(plan.Env, "HOME="+c.home, "TMPDIR="+c.tmp, "PWD="+plan.Dir, "GOTMPDIR="+c.tmp))
	plan.Writable = append([]string{c.dir, c.home, "/dev/null", "/dev/zero", "/dev/full", "/dev/tty"}, plan.Opened...)
	masks := slices.Concat(s.masked, s.hidden, s.covered)
	plan.Readable = append(readableBeneath("/", slices.Concat(masks, scratchDirs, []string{"/dev/shm"})), keptPaths(plan.Env, cmd.Network)...)
	if !within(s.program.path, "/proc") { // the probe starts it again
		plan.Readable = append(plan.Readable, s.program.path)
	}
	for _, root := range s.opts.Roots {
		for _, dir := range gitDirs(root) {
			plan.Readable = append(plan.Readable, readableBeneath(dir, masks)...)
		}
	}
	return plan
}

// readableBeneath returns paths that together hold all of dir but what is
// hidden: Landlock can give, not take away.
func readableBeneath(dir string, hidden []string) []string {
	holds := false
	for _, path := range hidden {
		if within(dir, path) {
			return nil
		}
		holds = holds || within(path, dir)
	}
	if !holds {
		return []string{dir}
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil // the command cannot read it either
	}
	var paths []string
	for _, name := range names {
		if name.Type()&fs.ModeSymlink == 0 { // what it leads to is in another place
			paths = append(paths, readableBeneath(filepath.Join(dir, name.Name()), hidden)...)
		}
	}
	return paths
}
