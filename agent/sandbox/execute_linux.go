package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/agentls/agentls/agent/sandbox/stage"
)

// killDelay is how long a stage that was told to end may take: without a
// namespace it looks for what it started, and if it is killed first that stays.
const killDelay = 10 * time.Second

// outputDelay is how long the output of a stage that ended may stay open.
const outputDelay = 2 * time.Second

// errTimeout is the cause of a context whose command took too long.
var errTimeout = errors.New("the command took too long")

// execute starts a stage, gives it the plan that prepare makes, and waits for
// its end. The two overlap: a stage takes two milliseconds to read its plan.
// The disk limit counts the files beneath the folders that prepare returns.
func (s *Sandbox) execute(ctx context.Context, cmd *Command, a attributes, prepare func() (*stage.Plan, []string, error)) (*Result, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("run: %w", context.Cause(ctx))
	}
	limited := ctx
	if cmd.Timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeoutCause(ctx, cmd.Timeout, errTimeout)
		defer cancel()
	}
	running, err := s.start(a, newRecorder(cmd.Limits.Output, a.names, cmd.Stream))
	if err != nil {
		return nil, err
	}
	plan, uppers, err := prepare()
	if err != nil {
		running.abandon()
		return nil, err
	}
	disk := newDiskWatch(uppers, cmd.Limits.Disk, s.opts.Now)
	if a.mode != stage.Namespaces {
		disk.passOver() // the copy
	}
	running.send(plan)
	report, stop := running.wait(limited, disk)
	running.output.end()
	if report.Err != "" {
		return nil, &SetupError{Step: report.Step, Err: errors.New(report.Err)}
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("run %s: %w", plan.Argv[0], context.Cause(ctx))
	}
	res := &Result{
		Code: report.Code, Signal: report.Signal, Stop: stop, Level: s.opts.Level,
		Output: running.output.text(), Cut: running.output.cut(),
	}
	if report.Limit != "" {
		res.Stop = Stop(report.Limit)
	}
	return res, nil
}

// A runningStage is a stage that was started.
type runningStage struct {
	cmd      *exec.Cmd
	attr     attributes
	plan     *os.File
	lifeline *os.File // its end of file ends the stage
	report   *os.File
	output   *recorder
	sent     sync.WaitGroup // the plan
}

// pipes are the three that a stage is started with: the far ends go to it.
type pipes struct{ planR, planW, lifelineR, lifelineW, reportR, reportW *os.File }

func openPipes() (p pipes, err error) {
	for _, ends := range [][2]**os.File{{&p.planR, &p.planW}, {&p.lifelineR, &p.lifelineW}, {&p.reportR, &p.reportW}} {
		if *ends[0], *ends[1], err = os.Pipe(); err != nil {
			p.close(p.planR, p.planW, p.lifelineR, p.lifelineW, p.reportR, p.reportW)
			return p, err
		}
	}
	return p, nil
}

func (pipes) close(ends ...*os.File) {
	for _, f := range ends {
		if f != nil {
			_ = f.Close() // of pipes, nothing is lost
		}
	}
}

// attributes are what a stage is started with, and cannot be changed by its
// plan.
type attributes struct {
	mode    stage.Mode
	network stage.Network
	names   renaming // of the output
	wrapper []string // the command line that the stage is started by; nil: it is started itself
}

// wrappedStage is how a wrapper starts the stage, which is the descriptor
// behind the three pipes: its path may be of this process alone, or lead to
// nothing among the wrapper's mounts.
const wrappedStage = "/proc/self/fd/6"

func (s *Sandbox) start(a attributes, output *recorder) (*runningStage, error) {
	p, err := openPipes()
	if err != nil {
		return nil, &SetupError{Step: "open pipes", Err: err}
	}
	r := &runningStage{attr: a, plan: p.planW, lifeline: p.lifelineW, report: p.reportR, output: output}
	r.cmd = &exec.Cmd{
		Path: s.program.path, Args: []string{s.program.path}, Env: []string{}, Dir: "/",
		Stdout: r.output, Stderr: r.output,
		ExtraFiles:  []*os.File{p.planR, p.lifelineR, p.reportW},
		SysProcAttr: a.system(),
		WaitDelay:   outputDelay,
	}
	if err = s.wrap(r.cmd, a.wrapper); err == nil {
		err = r.cmd.Start()
	}
	p.close(r.cmd.ExtraFiles...)
	if err != nil {
		p.close(p.planW, p.lifelineW, p.reportR)
		var failed *fs.PathError // "fork/exec …", of a name that means nothing to anybody
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, &SetupError{Step: "clone", Err: err}
	}
	return r, nil
}

// wrap makes cmd, which starts the stage, one that starts wrapper with it.
func (s *Sandbox) wrap(cmd *exec.Cmd, wrapper []string) error {
	if wrapper == nil {
		return nil
	}
	program, err := os.Open(s.program.path)
	if err != nil {
		return err
	}
	cmd.Path, cmd.Args, cmd.ExtraFiles = wrapper[0], append(wrapper, wrappedStage), append(cmd.ExtraFiles, program)
	return nil
}

// send gives the stage its plan, while it already runs.
func (r *runningStage) send(plan *stage.Plan) {
	r.sent.Go(func() {
		_ = plan.Write(r.plan) // a stage that ended says why itself
		_ = r.plan.Close()
	})
}

// abandon ends a stage that got no plan.
func (r *runningStage) abandon() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	pipes{}.close(r.plan, r.lifeline, r.report)
}

// system makes the namespaces, if the mode asks for them. Ids are
// mapped to themselves, so that what git and builds remember about files stays
// true; root maps all, to copy files of other owners.
func (a attributes) system() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if a.mode != stage.Namespaces {
		return attr
	}
	attr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
	if a.network == stage.Off {
		attr.Cloneflags |= unix.CLONE_NEWNET
	}
	attr.UidMappings = sameIDs("/proc/self/uid_map", os.Getuid())
	attr.GidMappings = sameIDs("/proc/self/gid_map", os.Getgid())
	attr.GidMappingsEnableSetgroups = maySetGroups()
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ { // exec would drop those of an ordinary user
		attr.AmbientCaps = append(attr.AmbientCaps, c)
	}
	return attr
}

// sameIDs maps the ids that file, which is like /proc/self/uid_map, says there
// are, to themselves. An ordinary user may map only its own.
func sameIDs(file string, own int) []syscall.SysProcIDMap {
	only := []syscall.SysProcIDMap{{ContainerID: own, HostID: own, Size: 1}}
	content, err := os.ReadFile(file)
	if err != nil || os.Getuid() != 0 {
		return only
	}
	var all []syscall.SysProcIDMap
	for line := range strings.Lines(string(content)) {
		var first, outside, size int
		if _, err := fmt.Sscan(line, &first, &outside, &size); err != nil {
			return only
		}
		all = append(all, syscall.SysProcIDMap{ContainerID: first, HostID: first, Size: size})
	}
	return all
}

// maySetGroups reports whether groups can be given up: only root may, and not
// in a namespace that denies it.
func maySetGroups() bool {
	allowed, err := os.ReadFile("/proc/self/setgroups")
	return err == nil && os.Getuid() == 0 && strings.TrimSpace(string(allowed)) == "allow"
}

// wait waits until the stage, and with it all that it started, is gone. It
// ends it when ctx does and when the disk fills; stop says which.
func (r *runningStage) wait(ctx context.Context, disk *diskWatch) (stage.Report, Stop) {
	var stop Stop
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		full, cancel := disk.start()
		defer cancel()
		select {
		case <-ended:
			return
		case <-full:
			stop = StopDisk
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errTimeout) {
				stop = StopTime
			}
		}
		r.end(ended)
	})
	var report stage.Report
	decodeErr := json.NewDecoder(r.report).Decode(&report)
	waitErr := r.cmd.Wait()
	close(ended)
	watching.Wait()
	r.sent.Wait()
	_ = r.report.Close()
	_ = r.lifeline.Close()
	if decodeErr != nil {
		report = killedReport(waitErr, r.output.text())
	}
	return report, stop
}

// end ends the stage. Killing pid 1 of a namespace kills all in it; without
// one the stage itself must kill what it started.
func (r *runningStage) end(ended <-chan struct{}) {
	if r.attr.mode != stage.Namespaces {
		_ = r.lifeline.Close()
		grace := time.NewTimer(killDelay)
		defer grace.Stop()
		select {
		case <-ended:
			return
		case <-grace.C:
		}
	}
	_ = r.cmd.Process.Kill() // or it ended meanwhile
}

// killedReport is that of a stage that could not write one: it was killed, or
// its lifeline cut, unless what wraps it never got so far.
func killedReport(err error, said string) stage.Report {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return stage.Report{Step: "wait for the stage", Err: fmt.Sprintf("it ended without a report: %v", err)}
	}
	signal := unix.SIGKILL
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		signal = status.Signal()
	} else if exit.ExitCode() != 128+int(signal) {
		return stage.Report{Step: "start the stage", Err: strings.TrimSpace(fmt.Sprintf("%v without a report; %s", err, said))}
	}
	return stage.Report{Done: true, Code: 128 + int(signal), Signal: int(signal)}
}
