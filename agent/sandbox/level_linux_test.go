package sandbox_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/agentls/agentls/agent/sandbox"
)

// TestProbe: this machine gives a level, and every weaker one has a reason.
func TestProbe(t *testing.T) {
	p := newPlace(t, nil)
	level := sandbox.Probe(t.Context(), p.opts)
	t.Log(level)
	if level.Kind != sandbox.Namespaces && len(level.Refused) == 0 {
		t.Errorf("level %q without a reason", level)
	}
	if left, err := os.ReadDir(p.opts.State); err != nil || len(left) != 3 { // runs, their lock, and caches
		t.Errorf("the probe left %v, %v", left, err)
	}
}

// The machines that TestFallbacks is run on.
const (
	withoutNamespaces = "without namespaces"
	withoutLandlock   = "without namespaces and Landlock"
	stateOnOverlay    = "state on an overlay"
)

// TestFallbacks: where a step is refused, the next kind is taken, and the
// level says which step it was.
func TestFallbacks(t *testing.T) {
	for machine, want := range map[string]struct {
		kind  sandbox.Kind
		says  []string
		moved bool
	}{
		withoutNamespaces: {kind: sandbox.Copied, says: []string{"namespaces: clone: ", "bubblewrap: "}},
		withoutLandlock:   {kind: sandbox.None, says: []string{"namespaces: clone: ", "copied: start the command: restrict by Landlock: "}},
		stateOnOverlay:    {kind: sandbox.Namespaces, says: []string{"namespaces: mount the view: overlay over "}, moved: true},
	} {
		t.Run(machine, func(t *testing.T) {
			p := newPlace(t, nil)
			level := probeOn(t, p, machine)
			if level.Kind != want.kind || level.Kind == sandbox.Namespaces && (level.State == p.opts.State) == want.moved {
				t.Errorf("level %v, state %s", level, level.State)
			}
			for _, says := range want.says {
				if !strings.Contains(level.String(), says) {
					t.Errorf("level %q does not say %q", level, says)
				}
			}
		})
	}
}

// probeOn runs Probe in a process that is refused something.
func probeOn(t *testing.T, p *place, machine string) sandbox.Level {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestProbeOnMachine$")
	cmd.Env = append(os.Environ(), "AGENTLS_TEST_STAGE="+stagePath, "AGENTLS_TEST_MACHINE="+machine, "AGENTLS_TEST_PLACE="+p.base)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	b, readErr := os.ReadFile(filepath.Join(p.base, "level.json"))
	var level sandbox.Level
	if err != nil || readErr != nil || json.Unmarshal(b, &level) != nil {
		t.Fatalf("%v, %v\n%s", err, readErr, out)
	}
	return level
}

// TestProbeOnMachine is the process that probeOn starts.
func TestProbeOnMachine(t *testing.T) {
	base := os.Getenv("AGENTLS_TEST_PLACE")
	machine := os.Getenv("AGENTLS_TEST_MACHINE")
	if machine == "" {
		return // it is not meant
	}
	p := newPlace(t, nil)
	runtime.LockOSThread()
	switch machine {
	case withoutLandlock:
		denyLandlock(t)
		fallthrough
	case withoutNamespaces:
		p.write("/proc/sys/user/max_user_namespaces", "0")
	case stateOnOverlay:
		p.overlayState()
	}
	level := sandbox.Probe(t.Context(), p.opts)
	if level.State != p.opts.State && level.State != "" {
		_ = os.RemoveAll(filepath.Dir(level.State)) // made for the test: its name has the id that this process sees
	}
	b, err := json.Marshal(level)
	if err != nil {
		t.Fatal(err)
	}
	if level.State == p.opts.State {
		b = []byte(strings.ReplaceAll(string(b), p.base, base))
	}
	p.write(filepath.Join(base, "level.json"), string(b))
}

// overlayState makes the state folder one of an overlay, as in a container.
func (p *place) overlayState() {
	p.t.Helper()
	p.mkdir(p.opts.State)
	for _, name := range []string{"lower", "upper", "work"} {
		p.mkdir(filepath.Join(p.base, name))
	}
	options := "userxattr,lowerdir=" + p.base + "/lower,upperdir=" + p.base + "/upper,workdir=" + p.base + "/work"
	if err := unix.Mount("overlay", p.opts.State, "overlay", 0, options); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = unix.Unmount(p.opts.State, unix.MNT_DETACH) })
}

// denyLandlock makes Landlock missing, as on an older kernel, for this process
// and those it starts.
func denyLandlock(t *testing.T) {
	t.Helper()
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_LANDLOCK_CREATE_RULESET},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0x00050000 | uint32(unix.ENOSYS)},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0x7fff0000},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, 1, 1, uintptr(unsafe.Pointer(&program))); errno != 0 { // SET_MODE_FILTER, TSYNC
		t.Fatal(errno)
	}
}

// TestCopiedLevel: where no overlay can be mounted, a command runs in a copy
// and its changes come out all the same.
func TestCopiedLevel(t *testing.T) {
	p := newPlace(t, map[string]string{"a.txt": "a\n", "dir/b.txt": "b\n", "gone.txt": "gone\n", "same.txt": "same\n", ".gitignore": "out/\n"})
	p.git("init", "-q")
	p.git("add", ".")
	p.opts.Level = sandbox.Level{Kind: sandbox.Copied}
	view := sandbox.View{Files: map[string]sandbox.File{p.root + "/draft.txt": {Content: []byte("draft\n")}, p.root + "/same.txt": {Deleted: true}}}
	res := p.run(view, sandbox.Command{Shell: "git status --short | grep -v '^A '; ls; echo more >> a.txt; mv dir/b.txt moved.txt; rm gone.txt; touch draft.txt; mkdir out; echo x > out/x; pwd"})
	want := []sandbox.Change{
		{Op: sandbox.Modify, Path: p.root + "/a.txt", Content: []byte("a\nmore\n"), Mode: 0o644, Was: 0o644, Size: 7},
		{Op: sandbox.Rename, Path: p.root + "/dir/b.txt", To: p.root + "/moved.txt", Content: []byte("b\n"), Mode: 0o644, Was: 0o644, Size: 2},
		{Op: sandbox.Delete, Path: p.root + "/gone.txt", Was: 0o644, Size: 5},
	}
	if diff := cmp.Diff(want, res.Changes); diff != "" {
		t.Error(diff)
	}
	wantOutput := "AD same.txt\n?? draft.txt\na.txt\ndir\ndraft.txt\ngone.txt\n" + p.root + "\n"
	if diff := cmp.Diff(wantOutput, res.Output); diff != "" {
		t.Error(diff)
	}
}
