package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Main is the whole program: it carries out the plan it is given and exits as
// the command did. With the argument "probe" it is a command that attacks the
// sandbox it runs in; see Probe.
func Main() {
	if len(os.Args) > 1 && os.Args[1] == probeArg {
		os.Exit(probe(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == fenceArg {
		fence()
	}
	if !isStarted() {
		fmt.Fprintln(os.Stderr, "agentls-sandbox is started by agentls; see agentls sandbox exec --help")
		os.Exit(CodeRefused)
	}
	runtime.LockOSThread() // capabilities, Landlock and seccomp are of a thread, and this one forks
	report := os.NewFile(reportFD, "report")
	rep := carryOut()
	_ = json.NewEncoder(report).Encode(rep) // who would read it is gone otherwise
	if rep.Err != "" {
		os.Exit(CodeRefused)
	}
	os.Exit(rep.Code)
}

// isStarted reports whether the descriptors are those that a stage is given.
func isStarted() bool {
	var st unix.Stat_t
	for _, fd := range []int{planFD, lifelineFD, reportFD} {
		if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
			return false
		}
	}
	return true
}

// A stage is a plan being carried out.
type stage struct {
	plan    *Plan
	limit   chan string // the limit that was hit
	forking sync.Mutex  // held while the command is started
}

type step struct {
	name string
	do   func() error
}

// carryOut does the steps, runs the command and says how it ended.
func carryOut() Report {
	s := &stage{limit: make(chan string, 1)}
	for _, st := range append([]step{{"close what was inherited", closeInherited}, {"read the plan", s.readPlan}}, s.steps()...) {
		if err := st.do(); err != nil {
			return Report{Step: st.name, Err: err.Error()}
		}
	}
	pid, err := s.start()
	if err != nil {
		return Report{Step: "start the command", Err: err.Error()}
	}
	go s.watch()
	return s.reap(pid)
}

// closeInherited keeps what the parent of our parent left open from the
// command: not all programs open their files with O_CLOEXEC.
func closeInherited() error {
	return unix.CloseRange(3, 1<<31-1, unix.CLOSE_RANGE_CLOEXEC)
}

func (s *stage) readPlan() error {
	in := os.NewFile(planFD, "plan")
	defer in.Close() //nolint:errcheck // only read
	plan, err := ReadPlan(in)
	if err != nil {
		return err
	}
	s.plan = plan
	if len(s.plan.Argv) == 0 {
		return errors.New("the plan names no command")
	}
	go s.hangOn()
	return nil
}

// hangOn ends this process, and with pid 1 all others of the namespace, when
// whoever started it is gone. (The signal of PR_SET_PDEATHSIG comes at the end
// of the thread that forked, which in Go may be any time.)
func (s *stage) hangOn() {
	var b [1]byte
	for {
		n, err := unix.Read(lifelineFD, b[:])
		if n == 0 || (err != nil && !errors.Is(err, unix.EINTR)) {
			s.forking.Lock() // for good: what were started behind our back would outlive us
			killDescendants()
			os.Exit(128 + int(unix.SIGKILL))
		}
	}
}

// steps returns what comes before the command. Each looks at the plan when it
// is done, not before.
func (s *stage) steps() []step {
	mounted := func(do func() error) func() error {
		return func() error {
			if s.plan.Mode != Namespaces {
				return nil
			}
			return do()
		}
	}
	return []step{
		{"make the mounts private", mounted(makePrivate)},
		{"mount the view", mounted(s.mountView)},
		{"bring up loopback", mounted(s.bringUpLoopback)},
		{"name the machine", mounted(nameMachine)},
		{"adopt orphans", adoptOrphans},
		{"set the limits", s.setLimits},
		{"become the owner of the workspace", mounted(s.becomeOwner)},
		{"drop privileges", mounted(s.dropPrivileges)},
		{"restrict by Landlock", mounted(s.restrict)},
		{"filter system calls", mounted(s.filterCalls)},
	}
}

// start starts the command in a session of its own.
func (s *stage) start() (pid int, err error) {
	if s.plan.Mode != Namespaces {
		return s.startFenced()
	}
	path, err := s.lookPath()
	if err != nil {
		return 0, err
	}
	pid, err = syscall.ForkExec(path, s.plan.Argv, &syscall.ProcAttr{
		Dir: s.plan.Dir, Env: s.plan.Env, Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, fmt.Errorf("%s in %s: %w", path, s.plan.Dir, err)
	}
	return pid, nil
}

// lookPath finds the command on the PATH that it will have itself.
func (s *stage) lookPath() (string, error) {
	name := s.plan.Argv[0]
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, kv := range s.plan.Env {
		dirs, ok := strings.CutPrefix(kv, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(dirs) {
			path := filepath.Join(dir, name)
			if stat, err := os.Stat(path); err == nil && stat.Mode().IsRegular() && unix.Access(path, unix.X_OK) == nil {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("%s: %w", name, exec.ErrNotFound)
}

// reap waits for everything until the command itself ends. What is left then
// is killed: by the kernel where this is pid 1, which is about to exit.
func (s *stage) reap(command int) Report {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return Report{Step: "wait for the command", Err: err.Error()}
		case pid != command:
			continue
		}
		if s.plan.Mode != Namespaces {
			killDescendants()
		}
		rep := Report{Done: true, Code: status.ExitStatus()}
		if status.Signaled() {
			rep.Signal = int(status.Signal())
			rep.Code = 128 + rep.Signal
		}
		select {
		case rep.Limit = <-s.limit:
		default:
		}
		return rep
	}
}
