package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const fenceArg = "fence"

// Without a pid namespace the stage must outlive the command to kill what it
// left, and the command must not reach the stage: Landlock keeps signals and
// ptrace from what is outside of a fence, so the stage stays outside, and a
// second process, the fence, goes in and becomes the command.

// The descriptors of the fence.
const (
	fencePlanFD   = 3
	fenceReportFD = 4
)

// startFenced starts the fence and returns when it became the command.
func (s *stage) startFenced() (pid int, err error) {
	plan, err := inMemory(s.plan)
	if err != nil {
		return 0, err
	}
	defer plan.Close() //nolint:errcheck // the fence has its own descriptor
	reportR, reportW, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer reportR.Close() //nolint:errcheck // only read
	keepThreads()
	s.forking.Lock()
	pid, err = syscall.ForkExec("/proc/self/exe", []string{os.Args[0], fenceArg}, &syscall.ProcAttr{
		Dir: "/", Files: []uintptr{0, 1, 2, plan.Fd(), reportW.Fd()},
		Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}, // of this thread, which lives as long as we do
	})
	s.forking.Unlock()
	_ = reportW.Close()
	if err != nil {
		return 0, err
	}
	var rep Report
	if json.NewDecoder(reportR).Decode(&rep) == nil { // otherwise exec closed it
		return 0, fmt.Errorf("%s: %s", rep.Step, rep.Err)
	}
	return pid, nil
}

// keepThreads makes the threads that ending the command takes: once it has used
// up the machine's processes none could be made, and we would end before it.
func keepThreads() {
	var made sync.WaitGroup
	for range 6 {
		made.Go(func() {
			pause := unix.NsecToTimespec(time.Millisecond.Nanoseconds())
			_ = unix.Nanosleep(&pause, nil) // a call that blocks takes a thread, which is kept
		})
	}
	made.Wait()
}

// inMemory returns a file that holds plan.
func inMemory(plan *Plan) (*os.File, error) {
	fd, err := unix.MemfdCreate("plan", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "plan")
	err = plan.Write(f)
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// fence is the second process: it gives up what it must and becomes the
// command. It returns only when something is refused.
func fence() {
	runtime.LockOSThread()
	unix.CloseOnExec(fencePlanFD)
	unix.CloseOnExec(fenceReportFD)
	s := &stage{}
	step, err := s.goBehindFence()
	rep := Report{Step: step, Err: fmt.Sprint(err)}
	_ = json.NewEncoder(os.NewFile(fenceReportFD, "report")).Encode(rep) // the stage says it then
	os.Exit(CodeRefused)
}

func (s *stage) goBehindFence() (string, error) {
	plan, err := ReadPlan(os.NewFile(fencePlanFD, "plan"))
	if err != nil {
		return "read the plan", err
	}
	s.plan = plan
	path, err := s.lookPath()
	if err != nil {
		return "find the command", err
	}
	steps := []step{
		{"become the owner of the workspace", s.becomeOwner},
		{"drop privileges", s.dropPrivileges},
		{"restrict by Landlock", s.restrict},
		{"filter system calls", s.filterCalls},
		{"enter the folder", func() error { return os.Chdir(s.plan.Dir) }},
	}
	if s.plan.Mode == Open {
		steps = steps[len(steps)-1:]
	}
	for _, st := range steps {
		if err := st.do(); err != nil {
			return st.name, err
		}
	}
	return "start the command", unix.Exec(path, s.plan.Argv, s.plan.Env)
}
