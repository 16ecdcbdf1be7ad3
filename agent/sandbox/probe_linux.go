package sandbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/agentls/agentls/agent/sandbox/stage"
)

// probeTimeout is far above the milliseconds that a probe takes.
const probeTimeout = 20 * time.Second

// Probe finds the strongest way of confining commands that works here: it runs
// a command in the workspace that attacks its sandbox, and takes the first
// kind that denies it everything. It is meant to be called once, at the start.
// Of opts, Level is not read.
func Probe(ctx context.Context, opts Options) Level {
	level := Level{Kind: None}
	if err := opts.check(); err != nil {
		level.Refused = []Refusal{{Kind: Namespaces, Step: "look at the options", Reason: err.Error()}}
		return level
	}
	if _, err := openProgram(opts.Stage); err != nil {
		level.Refused = []Refusal{refusal(Level{Kind: Namespaces, State: opts.State}, err)}
		return level
	}
	if len(candidates(opts)) == 0 {
		level.Refused = []Refusal{{Kind: Namespaces, Step: "look at the options", Reason: opts.checkState(opts.State).Error()}}
	}
	for _, candidate := range candidates(opts) {
		err := try(ctx, opts, candidate)
		if err == nil {
			candidate.Refused = level.Refused
			return candidate
		}
		if candidate.State != opts.State { // nothing is left where nothing will be
			_ = removeTree(candidate.State)
			_ = unix.Rmdir(filepath.Dir(candidate.State)) // unless another workspace has something there
		}
		level.Refused = append(level.Refused, refusal(candidate, err))
	}
	return level
}

// candidates are the kinds, the strongest first. The folder for scratch is
// moved before a weaker kind is taken: an overlay cannot lie on every file
// system. It is moved, too, where it is part of the workspace, as the home may
// be.
func candidates(opts Options) []Level {
	var states []string
	inWorkspace := opts.checkState(opts.State) != nil
	if !inWorkspace {
		states = append(states, opts.State)
	}
	name := fmt.Sprintf("%.6x", sha256.Sum256([]byte(opts.State))) // of this workspace alone
	for _, dir := range []string{"/var/tmp", os.TempDir(), "/dev/shm"} {
		state := filepath.Join(dir, "agentls-"+strconv.Itoa(os.Getuid()), name)
		if (inWorkspace || onOtherDevice(dir, opts.State)) && opts.checkState(state) == nil {
			states = append(states, state)
		}
	}
	if len(states) == 0 {
		return nil
	}
	var levels []Level
	for _, state := range states {
		levels = append(levels, Level{Kind: Namespaces, State: state})
	}
	return append(levels, Level{Kind: Bubblewrap, State: states[0]}, Level{Kind: Copied, State: states[0]})
}

// onOtherDevice reports whether dir is on another file system than state, or
// than the folder that state will be made in.
func onOtherDevice(dir, state string) bool {
	var a, b unix.Stat_t
	if unix.Stat(dir, &a) != nil {
		return false
	}
	for unix.Stat(state, &b) != nil {
		if state == "/" {
			return false
		}
		state = filepath.Dir(state)
	}
	return a.Dev != b.Dev
}

func refusal(l Level, err error) Refusal {
	r := Refusal{Kind: l.Kind, State: l.State, Step: "run the probe", Reason: err.Error()}
	var setup *SetupError
	if errors.As(err, &setup) {
		r.Step, r.Reason = setup.Step, setup.Err.Error()
	}
	return r
}

// try runs the probe as level says and returns what was not denied.
func try(ctx context.Context, opts Options, level Level) error {
	if level.State != opts.State {
		if err := ownFolder(filepath.Dir(level.State)); err != nil {
			return &SetupError{Step: "make a folder for scratch", Err: err}
		}
	}
	target, err := newTarget(level.State)
	if err != nil {
		return &SetupError{Step: "make what the probe attacks", Err: err}
	}
	defer target.remove()
	opts.Level = level
	opts.Masks = append([]string{target.Secret}, opts.Masks...)
	s, err := New(opts)
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // swept the next time
	res, err := s.Run(ctx, View{}, Command{Argv: stage.ProbeCommand(target.Target), Timeout: probeTimeout})
	if err != nil {
		return err
	}
	if res.Code != 0 {
		return &SetupError{Step: "negative probe", Err: errors.New(describe(res))}
	}
	return target.check()
}

func describe(res *Result) string {
	if said := strings.TrimSpace(res.Output); said != "" {
		return "a command " + strings.Join(strings.Split(said, "\n"), ", ")
	}
	return fmt.Sprintf("exit code %d", res.Code)
}

// ownFolder makes a folder in a place that others can write to, and refuses
// one that is not ours alone.
func ownFolder(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	stat, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if uid, _ := owner(stat); !stat.IsDir() || uid != os.Getuid() || stat.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is not a folder of this user alone", dir)
	}
	return nil
}

// A probeTarget is what a probe attacks.
type probeTarget struct {
	stage.Target
	dir    string
	socket int
}

const untouched = "untouched"

func newTarget(state string) (*probeTarget, error) {
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(state, "probe-")
	if err != nil {
		return nil, err
	}
	t := &probeTarget{dir: dir, socket: -1}
	t.File, t.Secret, t.PID = filepath.Join(dir, "file"), filepath.Join(dir, "secret"), os.Getpid()
	for _, path := range []string{t.File, t.Secret} {
		if err := os.WriteFile(path, []byte(untouched), 0o600); err != nil { //nolint:forbidigo // the state folder of this package
			return nil, errors.Join(err, removeTree(dir))
		}
	}
	if err := t.listen(); err != nil {
		t.remove()
		return nil, err
	}
	return t, nil
}

// listen opens a TCP port on the loopback of this machine. (By system calls:
// this package has no business with package net.)
func (t *probeTarget) listen() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	t.socket = fd
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	if err := unix.Listen(fd, 1); err != nil {
		return err
	}
	name, err := unix.Getsockname(fd)
	if addr, ok := name.(*unix.SockaddrInet4); ok {
		t.Port = addr.Port
	}
	return err
}

// check looks at what the probe was not to change.
func (t *probeTarget) check() error {
	content, err := os.ReadFile(t.File)
	if err != nil || string(content) != untouched {
		return &SetupError{Step: "negative probe", Err: errors.New("a command wrote a file outside")}
	}
	return nil
}

func (t *probeTarget) remove() {
	_ = removeTree(t.dir) // a few bytes
	if t.socket >= 0 {
		_ = unix.Close(t.socket)
	}
}
