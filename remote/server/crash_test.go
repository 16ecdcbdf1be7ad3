package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/remote"
	"github.com/agentls/agentls/remote/server"
)

// asService makes the test binary be a service, as its value says.
const asService = "AGENTLS_TEST_AS_SERVICE"

// A serviceSpec is the value of asService.
type serviceSpec struct{ Dir, Listen, Model string }

func TestMain(m *testing.M) {
	if spec := os.Getenv(asService); spec != "" {
		if err := serve(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve is the service process. It prints its address once it listens.
func serve(raw string) error {
	var spec serviceSpec
	if err := json.Unmarshal([]byte(raw), &spec); err != nil {
		return err
	}
	newID := func() string { return fmt.Sprintf("id%d", time.Now().UnixNano()) }
	s, err := server.Open(context.Background(), server.Options{Dir: spec.Dir, Runner: runner(spec.Model), Commands: commands{}, Now: time.Now, NewID: newID})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", spec.Listen)
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return s.Serve(context.Background(), listener)
}

// A process is a service that can be killed.
type process struct {
	t    *testing.T
	spec serviceSpec
	cmd  *exec.Cmd
	wrap []string // a command to start it with
}

// start starts the service and waits until it listens.
func (p *process) start() {
	p.t.Helper()
	raw, err := json.Marshal(p.spec)
	noError(p.t, err)
	args := append(append([]string{}, p.wrap...), os.Args[0])
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Env = append(os.Environ(), asService+"="+string(raw))
	p.cmd.Stderr = p.t.Output()
	out, err := p.cmd.StdoutPipe()
	noError(p.t, err)
	noError(p.t, p.cmd.Start())
	p.t.Cleanup(p.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	noError(p.t, err)
	p.spec.Listen = strings.TrimSpace(line)
}

// kill kills it as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// newProcess starts a service in a process of its own, and returns a bench
// with a client of it.
func newProcess(t *testing.T, scripts ...string) (*process, *bench) {
	t.Helper()
	return newProcessIn(t, t.TempDir(), nil, scripts...)
}

// newProcessIn is newProcess with the service's folder, and a command that the
// service is started by.
func newProcessIn(t *testing.T, dir string, wrap []string, scripts ...string) (*process, *bench) {
	t.Helper()
	b := &bench{t: t, project: newProject(t)}
	p := &process{t: t, wrap: wrap, spec: serviceSpec{Dir: dir, Listen: "127.0.0.1:0", Model: b.play(scripts)}}
	p.start()
	b.url = "http://" + p.spec.Listen
	b.client = b.newClient("")
	return p, b
}

// newSmallDisk is newProcess with a disk of this size for the service, which
// only it sees, and its folder there.
func newSmallDisk(t *testing.T, size string, scripts ...string) (disk string, b *bench) {
	t.Helper()
	disk = t.TempDir()
	mount := fmt.Sprintf(`mount -t tmpfs -o size=%s none %[2]s && mkdir %[2]s/data && exec "$0"`, size, disk)
	_, b = newProcessIn(t, filepath.Join(disk, "data"), []string{"unshare", "-Urm", "sh", "-c", mount}, scripts...)
	return disk, b
}

// stalled is a model that begins to answer and then says nothing more.
const stalled = `
-- turn1.reply --
message: I will change it.
call read_file {"path":"math.go"}
-- turn2.fault --
stall 1
`

// TestKilledInTheMiddle: one Follow sees the task through the death of the
// service, and ends with what it would have had without.
func TestKilledInTheMiddle(t *testing.T) {
	p, b := newProcess(t, stalled, change)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sent, err := b.client.Submit(ctx, b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "shout"})
	noError(t, err)
	var said strings.Builder
	var numbers []uint64
	killed := false
	done, err := b.client.Follow(ctx, sent.Task.ID, 0, func(ev remote.Event) {
		numbers = append(numbers, ev.Seq)
		if ev.Void > 0 {
			kept := said.String()[:said.Len()-ev.Void]
			said.Reset()
			said.WriteString(kept)
		}
		if ev.Kind == remote.Text {
			said.WriteString(ev.Text)
		}
		if ev.Kind == remote.StepDone && !killed {
			killed = true
			p.kill()
			p.start()
		}
	}, nil)
	noError(t, err)
	b.wantNoScratch(p.spec.Dir)
	if !killed || said.String() != "I will change it.\n\nDone." || done.Attempts[0].Tries != 2 {
		t.Errorf("killed %v, said %q, %d tries", killed, said.String(), done.Attempts[0].Tries)
	}
	for i, n := range numbers {
		if n != uint64(i+1) {
			t.Fatalf("events lost or repeated: %v", numbers)
		}
	}
	cs, err := b.client.ChangeSet(ctx, b.project, done, 1)
	noError(t, err)
	b.apply(cs)
	if got, want := b.read("math.go"), strings.Replace(mathGo, "the sum", "the SUM", 1); got != want {
		t.Errorf("math.go is %q", got)
	}
}

// TestKilledWhileVerifying: what the agent did is kept, and not paid for again.
func TestKilledWhileVerifying(t *testing.T) {
	p, b := newProcess(t, change)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	release := filepath.Join(t.TempDir(), "release")
	line := "while ! test -f " + release + "; do sleep 0.02; done; grep -c SUM math.go"
	noError(t, b.client.Declare(ctx, remote.Environment{Name: "e", Verify: []string{line}}))
	sent, err := b.client.Submit(ctx, b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "shout", Environment: "e"})
	noError(t, err)
	killed := false
	done, err := b.client.Follow(ctx, sent.Task.ID, 0, func(ev remote.Event) {
		if strings.HasPrefix(ev.Text, "verifying: ") && !killed {
			killed = true
			p.kill()
			noError(t, os.WriteFile(release, nil, 0o600))
			p.start()
		}
	}, nil)
	noError(t, err)
	noError(t, b.model.Done())
	res := done.Attempts[0].Result
	if !killed || len(res.Verified) != 1 || res.Verified[0].Output != "1\n" || res.Answer != "Done." || len(b.model.Requests()) != 2 {
		t.Errorf("killed %v, %+v, %d requests", killed, res, len(b.model.Requests()))
	}
}

// TestAcceptedCallsSurvive: what was answered is there after a kill -9.
func TestAcceptedCallsSurvive(t *testing.T) {
	p, b := newProcess(t, stalled, stalled)
	noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "e"}))
	sent, err := b.client.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "shout", Attempts: 4})
	noError(t, err)
	p.kill()
	p.start()
	cancelled, err := b.client.Cancel(t.Context(), sent.Task.ID)
	noError(t, err)
	p.kill()
	p.start()
	for _, task := range []*remote.Task{cancelled, b.task(sent.Task.ID)} {
		if task.State != remote.Cancelled || len(task.Attempts) != 4 {
			t.Errorf("it is %s with %d attempts", task.State, len(task.Attempts))
		}
	}
	all, err := b.client.Environments(t.Context())
	if err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
	again, err := b.client.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "shout", Attempts: 4})
	if err != nil || again.Task.ID != sent.Task.ID {
		t.Errorf("the key is forgotten: %v", err)
	}
}

// wantNoScratch fails unless the service in dir has removed its checkouts.
func (b *bench) wantNoScratch(dir string) {
	b.t.Helper()
	var left []os.DirEntry
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if left, _ = os.ReadDir(filepath.Join(dir, "scratch")); len(left) == 0 { // it may be gone
			return
		}
	}
	b.t.Errorf("checkouts are left: %v", left)
}

func (b *bench) task(id string) *remote.Task {
	b.t.Helper()
	task, err := b.client.Task(b.t.Context(), id)
	noError(b.t, err)
	return task
}

func TestTwoServicesInOneFolder(t *testing.T) {
	b := newBench(t, nil)
	if _, err := server.Open(t.Context(), b.opts); !errors.Is(err, server.ErrInUse) {
		t.Errorf("the error is %v", err)
	}
}

// TestTheDiskIsFull: a service on a disk without room says so, takes nothing
// it cannot keep, and goes on with what has room.
func TestTheDiskIsFull(t *testing.T) {
	_, b := newSmallDisk(t, "6m", change)
	write(t, b.project, map[string]string{"big.txt": strings.Repeat("0123456789abcdef", 512<<10)})
	_, err := b.client.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "shout"})
	if err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Fatalf("the error is %v", err)
	}
	noError(t, os.Remove(filepath.Join(b.project, "big.txt")))
	sent, err := b.client.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "shout"})
	noError(t, err)
	done, err := b.client.Follow(t.Context(), sent.Task.ID, 0, func(remote.Event) {}, nil)
	if err != nil || done.State != remote.Done {
		t.Errorf("a small task after it: %v, %+v", err, done)
	}
}

// TestTheDiskFillsUpMeanwhile: what the agent did is not lost when there is no
// room to write down what follows; it goes on once there is.
func TestTheDiskFillsUpMeanwhile(t *testing.T) {
	disk, b := newSmallDisk(t, "16m", change)
	// The first time, the command takes all the room there is, for a while, and
	// says more than the service's reserve holds.
	line := fmt.Sprintf(`cd %s; test -f once || { touch once; (sleep 1; rm -f ballast) >/dev/null 2>&1 & head -c 32m /dev/zero >ballast 2>/dev/null; seq 1 600000; }; echo fine`, disk)
	noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "e", Verify: []string{line}}))
	sent, err := b.client.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "shout", Environment: "e"})
	noError(t, err)
	done, err := b.client.Follow(t.Context(), sent.Task.ID, 0, func(remote.Event) {}, nil)
	noError(t, err)
	noError(t, b.model.Done())
	a := done.Attempts[0]
	if done.State != remote.Done || a.Tries < 2 || a.Result.Answer != "Done." || a.Result.Verified[0].Output != "fine\n" {
		t.Errorf("it is %s after %d tries, answer %q, %d bytes of output", done.State, a.Tries, a.Result.Answer, len(a.Result.Verified[0].Output))
	}
}
