package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/agentls/agentls/agent/sandbox/stage"
)

// A Sandbox is where the commands of one run are run, one at a time: two
// mounts over one upper folder are undefined to the kernel. What they write to
// ignored files, and to the home, stays for the later ones and goes with
// Close. It may be used by several goroutines.
type Sandbox struct {
	opts    Options
	program *program
	first   string // the root that commands begin in
	scratch *scratch
	caches  []*cache
	home    string // "" if there is none that the command may have
	uid     int    // of the command
	gid     int

	turn chan struct{} // holds one token: whose turn it is

	// Whoever has the turn has these.
	unsettled []func() error
	hidden    []string // of the workspace, from the last command
	masked    []string // the same elsewhere
	covered   []string // folders of which only the workspace in them shows
	closed    bool
}

// New makes the scratch folders of a run. Close removes them; those of a
// process that died before it could are removed too.
func New(opts Options) (*Sandbox, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	state := opts.Level.State
	if state == "" {
		state = opts.State
	}
	if err := opts.checkState(state); err != nil {
		return nil, err
	}
	program, err := openProgram(opts.Stage)
	if err != nil && opts.Level.Confines() {
		return nil, err
	}
	s := &Sandbox{opts: opts, program: program, first: opts.Roots[0], turn: make(chan struct{}, 1)}
	s.opts.State = state
	s.opts.Roots = slices.Clone(opts.Roots) // an inner one is mounted after the one around it
	slices.SortStableFunc(s.opts.Roots, func(a, b string) int { return len(a) - len(b) })
	if s.uid, s.gid, err = commandOwner(opts.Roots[0]); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	s.home = usableHome(opts, s.uid)
	if s.scratch, err = newScratch(s); err != nil {
		return nil, fmt.Errorf("sandbox: make scratch folders: %w", err)
	}
	s.caches = knownCaches(s)
	s.turn <- struct{}{}
	return s, nil
}

// Run runs cmd in view and waits until it and all it started are gone. An
// exit code other than 0 is no error, nor is a Stop: what had been changed by
// then is in the Result. The error is ErrUnconfined, a *SetupError, or the
// context's cause; the command did not run, or does no more.
func (s *Sandbox) Run(ctx context.Context, view View, cmd Command) (*Result, error) {
	argv, err := cmd.argv()
	if err != nil {
		return nil, err
	}
	if !s.opts.Level.Confines() && cmd.Consent != Given {
		return nil, ErrUnconfined
	}
	select {
	case <-s.turn:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the command before: %w", context.Cause(ctx))
	}
	defer func() { s.turn <- struct{}{} }()
	if s.closed {
		return nil, ErrClosed
	}
	if err := s.checkOpened(&cmd); err != nil { // after the command before, which may have made it a link
		return nil, err
	}
	cmd.Limits = cmd.Limits.filled()
	if s.opts.Level.Kind == Namespaces {
		return s.runMounted(ctx, view, &cmd, argv)
	}
	return s.runCopied(ctx, view, &cmd, argv)
}

// Close removes the scratch folders, after the command that runs.
func (s *Sandbox) Close() error {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.scratch.remove()
}

// runMounted runs a command over copy-on-write mounts.
func (s *Sandbox) runMounted(ctx context.Context, view View, cmd *Command, argv []string) (*Result, error) {
	began := s.opts.Now()
	release := func() {}
	prepare := func() (plan *stage.Plan, uppers []string, err error) {
		if err := errors.Join(s.settle(), s.scratch.show(view)); err != nil {
			return nil, nil, fmt.Errorf("lay the draft over the workspace: %w", err)
		}
		if plan, release, err = s.mountedPlan(cmd, argv); err != nil {
			return nil, nil, err
		}
		for _, o := range plan.Overlays {
			if !o.IsEmpty() {
				uppers = append(uppers, o.Upper)
			}
		}
		return plan, uppers, nil
	}
	res, err := s.execute(ctx, cmd, attributes{mode: stage.Namespaces, network: cmd.network()}, prepare)
	release()
	if err != nil {
		s.discardLater(ctx)
		return nil, err
	}
	if res.Changes, err = s.mountedChanges(ctx); err != nil {
		s.discardLater(ctx)
		return nil, fmt.Errorf("read what the command changed: %w", err)
	}
	if err := s.keepCaches(); err != nil {
		return nil, err
	}
	res.Elapsed = s.opts.Now().Sub(began)
	return res, nil
}

// scratchDirs are what a command has to itself: empty, and gone after it.
var scratchDirs = []string{"/tmp", "/var/tmp", "/run", "/mnt", "/media"}

// mountedPlan says what the stage mounts. Release lets others change the caches.
func (s *Sandbox) mountedPlan(cmd *Command, argv []string) (_ *stage.Plan, release func(), err error) {
	s.findMasks()
	plan := s.newPlan(cmd, argv)
	plan.Mode = stage.Namespaces
	plan.Scratch = scratchDirs
	overlays, release, err := s.homeOverlays()
	if err != nil {
		return nil, func() {}, err
	}
	roots, err := s.scratch.rootOverlays()
	if err != nil {
		release()
		return nil, func() {}, err
	}
	plan.Overlays = slices.Concat(overlays, s.covers(), roots)
	for _, root := range s.opts.Roots {
		plan.ReadOnly = append(plan.ReadOnly, gitDirs(root)...)
	}
	shown, err := s.shownMasks()
	if err != nil {
		release()
		return nil, func() {}, err
	}
	plan.Masks = withoutNested(append(s.uncovered(), shown...))
	plan.Empty = s.scratch.empty()
	plan.Keep = keptPaths(plan.Env, cmd.Network)
	plan.Writable = append(append([]string{"/dev", "/proc"}, scratchDirs...), plan.Opened...)
	for _, o := range plan.Overlays {
		if !o.IsEmpty() {
			plan.Writable = append(plan.Writable, o.At)
		}
	}
	return plan, release, nil
}

// newPlan returns what is the same at every level.
func (s *Sandbox) newPlan(cmd *Command, argv []string) *stage.Plan {
	dir := s.first
	if cmd.Dir != "" {
		dir = cmd.Dir
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real // in the view the workspace is at its real path only
	}
	home := s.home
	if home == "" {
		home = "/tmp"
	}
	plan := &stage.Plan{
		Version: stage.Version,
		Argv:    argv, Dir: dir, Env: cleanEnv(s.opts.Env, home, dir, cmd),
		UID: s.uid, GID: s.gid,
		Limits: stage.Limits{
			Processes: cmd.Limits.Processes, Memory: cmd.Limits.Memory,
			FileSize: cmd.Limits.Disk, Scratch: cmd.Limits.Scratch,
		},
	}
	plan.Network = cmd.network()
	if cmd.Opened != "" {
		plan.Opened = []string{cmd.Opened}
	}
	return plan
}

func (c *Command) network() stage.Network {
	if c.Network == NetworkOpen {
		return stage.Host
	}
	return stage.Off
}

// isMissing reports whether err says that there is nothing at a path, also
// because what it leads through is a file.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir)
}
