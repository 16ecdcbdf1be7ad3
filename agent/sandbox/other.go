//go:build !linux

package sandbox

import (
	"context"
	"os/exec"
	"sync"
)

// A Sandbox is where the commands of one run are run, one at a time. On this
// system nothing confines them yet: each needs the user's word, and runs in a
// copy of the workspace. It may be used by several goroutines.
type Sandbox struct {
	opts Options

	mu     sync.Mutex // one command at a time
	closed bool       // guarded by mu
}

// Probe says that every command asks.
func Probe(context.Context, Options) Level {
	return Level{Kind: None, Refused: []Refusal{{Kind: Namespaces, Step: "look at the system", Reason: "commands are confined on Linux only"}}}
}

// New returns a sandbox that runs what the user consented to.
func New(opts Options) (*Sandbox, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	return &Sandbox{opts: opts}, nil
}

// Run runs cmd in a copy of view, if the user consented. The error is
// ErrUnconfined where they did not.
func (s *Sandbox) Run(ctx context.Context, view View, cmd Command) (*Result, error) {
	argv, err := cmd.argv()
	if err != nil {
		return nil, err
	}
	if cmd.Consent != Given {
		return nil, ErrUnconfined
	}
	if cmd.Shell != "" {
		if argv[0], err = exec.LookPath("sh"); err != nil { // it is in no fixed place everywhere
			return nil, &SetupError{Step: "find a shell", Err: err}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	cmd.Limits = cmd.Limits.filled()
	return runOpen(ctx, &s.opts, view, &cmd, argv)
}

// Hide leaves paths out of the copies that the commands get that follow.
func (s *Sandbox) Hide(_ context.Context, paths []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.hide(paths)
}

// Close waits for the command that runs, and lets no other begin.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
