package sandbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The attacks are carried out by this test binary itself, started with
// attackArg, the name of an attack and the targets, in the sandbox or not.
const attackArg = "attack"

// How an attack ended.
const (
	exitDone   = 0
	exitDenied = 3
	exitHost   = 4 // this machine denies it to everybody, or to this user
)

// errHost wraps the error of an attack that is hopeless outside, too.
var errHost = errors.New("the host denies it")

// Targets are what attacks are made on. All of it lies outside the sandbox.
type targets struct {
	Root, Home, State string // Root is the user's; attacks begin in what shows as the workspace
	File              string // a file of the user's, outside the workspace
	Linked            string // one that has a hard link in the workspace: root/hard
	Secret            string // root/secret is a link to it
	Spare             string // an empty folder
	Victim            int    // a process to ptrace
	Other             int    // a process to kill
	Tester            int    // the process that started the sandbox
	TCP, UDP          int    // ports on 127.0.0.1
	Abstract          string
	Sockets           []string
	Mark              string // what the daemon is recognised by
}

// An attack is one thing that a command may try. It returns nil if it worked,
// as far as it can tell from inside.
type attack struct {
	name string
	do   func(t targets) error
}

var attacks = []attack{
	{"write: a file of the user's", func(t targets) error { return deface(t.File) }},
	{"write: the user's workspace", func(t targets) error { return deface(t.Root + "/a.txt") }},
	{"write: through a symbolic link", func(t targets) error { return deface("outlink") }},
	{"write: through a link to a folder", func(t targets) error { return deface("outdir/file") }},
	{"write: through a hard link that is there", func(t targets) error { return deface("hard") }},
	{"write: through a hard link that is made", linkAndDeface},
	{"write: /proc/self/root", func(t targets) error { return deface("/proc/self/root" + t.File) }},
	{"write: /proc/PID/root of a parent", defaceThroughParents},
	{"write: the state of agentls", func(t targets) error { return create(t.State + "/attacked") }},
	{"write: the home", func(t targets) error { return create(t.Home + "/.attacked") }},
	{"write: /tmp of the machine", func(t targets) error { return create("/tmp/attacked-" + t.Mark) }},
	{"mount", mountSpare},
	{"remount writable", remountRoot},
	{"user namespace", newUserNamespace},
	{"ptrace", func(t targets) error { return ptrace(t.Victim) }},
	{"signal", func(t targets) error { return unix.Kill(t.Other, unix.SIGKILL) }},
	{"TCP", func(t targets) error { return connectTo(t.TCP, unix.IPPROTO_TCP) }},
	{"UDP", sendDatagram},
	{"MPTCP", func(t targets) error { return connectTo(t.TCP, unix.IPPROTO_MPTCP) }},
	{"abstract socket", func(t targets) error { return dialUnix(t.Abstract) }},
	{"socket in the workspace", func(t targets) error { return dialUnix(t.Sockets[0]) }},
	{"socket in the home", func(t targets) error { return dialUnix(t.Sockets[1]) }},
	{"socket elsewhere", func(t targets) error { return dialUnix(t.Sockets[2]) }},
	{"secret: direct", func(t targets) error { return readSecret(t.Secret) }},
	{"secret: through a symbolic link", func(t targets) error { return readSecret("secret") }},
	{"secret: /proc/PID/root of a parent", readSecretThroughParents},
	{"secret: a masked file of the workspace", readMasked},
	{"secret: a hard link to a masked file", linkMasked},
	{"secret: a masked folder, moved", func(t targets) error { return readMoved("keys") }},
	{"write: a masked file of the workspace", func(t targets) error { return deface(t.Root + "/.env") }},
	{"write: a masked file, replaced", func(t targets) error { return replace(t.Root + "/.env") }},
	{"environment", readEnvironment},
	{"git hook", func(t targets) error { return create(t.Root + "/.git/hooks/pre-commit") }},
	{"git configuration", func(t targets) error { return deface(t.Root + "/.git/config") }},
	{"fork bomb of 50", forkBomb},
	{"disk fill of 50 MB", fillDisk},
	{"memory of 200 MB", fillMemory},
	{"daemon that stays", startDaemon},
	{"output of 50 MB", floodOutput},
	{"terminal escape codes", func(targets) error { _, err := fmt.Print("\x1b]0;owned\a\x1b[2J"); return err }},
	{"inherited descriptor", readInherited},
	{"vsock", openVsock},
	{"io_uring", func(targets) error {
		return hostCall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&[120]byte{})))
	}},
	{"bpf", createMap},
	{"keyctl", func(targets) error { return hostCall(unix.SYS_KEYCTL, unix.KEYCTL_GET_KEYRING_ID, ^uintptr(2)) }},
	{"core_pattern", func(targets) error { return openForWriting("/proc/sys/kernel/core_pattern") }},
	{"sysrq", func(targets) error { return openForWriting("/proc/sysrq-trigger") }},
	{"block device", openBlockDevice},
}

// attackMain carries out an attack and exits.
func attackMain(name string, args []string) {
	var t targets
	if err := json.Unmarshal([]byte(args[0]), &t); err != nil {
		panic(err)
	}
	for _, a := range attacks {
		if a.name != name {
			continue
		}
		err := a.do(t)
		switch {
		case err == nil:
			os.Exit(exitDone)
		case errors.Is(err, errHost):
			fmt.Println(err)
			os.Exit(exitHost)
		}
		fmt.Println(err)
		os.Exit(exitDenied)
	}
	panic("no such attack: " + name)
}

// byHost marks an error with which a kernel refuses what the user may not do,
// or does not have.
func byHost(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errHost, err)
}

func hostCall(number, a, b uintptr) error {
	if _, _, errno := unix.Syscall(number, a, b, 0); errno != 0 {
		return byHost(errno)
	}
	return nil
}

func deface(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("attacked")
	return errors.Join(err, f.Close())
}

func create(path string) error { return os.WriteFile(path, []byte("attacked"), 0o600) }

func linkAndDeface(t targets) error {
	mine := "mine"
	if err := os.Link(t.File, mine); err != nil {
		return err
	}
	return deface(mine)
}

// parents are processes whose view of the file system is that of the machine.
func parents(t targets) []string {
	return []string{strconv.Itoa(t.Tester), strconv.Itoa(os.Getppid()), "1"}
}

func defaceThroughParents(t targets) error {
	var errs []error
	for _, pid := range parents(t) {
		err := deface("/proc/" + pid + "/root" + t.File)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func readSecretThroughParents(t targets) error {
	var errs []error
	for _, pid := range parents(t) {
		err := readSecret("/proc/" + pid + "/root" + t.Secret)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func readSecret(path string) error {
	b, err := os.ReadFile(path)
	if err == nil && !bytes.Contains(b, []byte(secretText)) {
		return errors.New("not the secret")
	}
	return err
}

func mountSpare(t targets) error {
	if err := unix.Mount("none", t.Spare, "tmpfs", 0, ""); err != nil {
		return byHost(err)
	}
	return unix.Unmount(t.Spare, unix.MNT_DETACH)
}

// remountRoot makes "/" writable, which it is already outside.
func remountRoot(targets) error {
	return byHost(unix.MountSetattr(unix.AT_FDCWD, "/", 0, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}))
}

func newUserNamespace(targets) error {
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS}
	return byHost(cmd.Run())
}

func ptrace(pid int) error {
	runtime.LockOSThread()
	if err := unix.PtraceAttach(pid); err != nil {
		return err
	}
	if _, err := unix.Wait4(pid, nil, unix.WALL, nil); err != nil {
		return err
	}
	return unix.PtraceDetach(pid)
}

func connectTo(port, protocol int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, protocol)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return byHost(err)
	}
	if err != nil {
		return err
	}
	return unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
}

func sendDatagram(t targets) error {
	c, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", t.UDP))
	if err != nil {
		return err
	}
	_, err = c.Write([]byte("attacked"))
	return err
}

func dialUnix(path string) error {
	c, err := net.Dial("unix", path)
	if err != nil {
		return err
	}
	return c.Close()
}

// readMasked reads .env here, and in the user's workspace, which is another
// place for a command in a copy.
func readMasked(t targets) error {
	if err := readSecret(t.Root + "/.env"); err == nil {
		return nil
	}
	return readSecret(".env")
}

func linkMasked(t targets) error {
	err := os.Link(t.Root+"/.env", "mine")
	if err != nil {
		err = os.Link(".env", "mine")
	}
	if err != nil {
		return err
	}
	return readSecret("mine")
}

// readMoved reads what is in a folder from another place, and moves it back.
func readMoved(dir string) error {
	if err := os.Rename(dir, "moved"); err != nil {
		return err
	}
	defer os.Rename("moved", dir) //nolint:errcheck // a folder of this test
	return readSecret("moved/key")
}

func replace(path string) error {
	if err := create("mine"); err != nil {
		return err
	}
	return os.Rename("mine", path)
}

func readEnvironment(t targets) error {
	files := []string{"/proc/self/environ"}
	for _, pid := range parents(t) {
		files = append(files, "/proc/"+pid+"/environ")
	}
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil && bytes.Contains(b, []byte(secretText)) {
			return nil
		}
	}
	return errors.New("no secret in any environment")
}

func forkBomb(targets) error {
	var started []*exec.Cmd
	defer func() {
		for _, cmd := range started {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}()
	for range 50 {
		cmd := exec.Command("/bin/sleep", "10")
		if err := cmd.Start(); err != nil {
			return err
		}
		started = append(started, cmd)
	}
	time.Sleep(500 * time.Millisecond) // what is stopped for it is stopped by now
	return nil
}

func fillDisk(targets) error {
	for i := range 50 {
		path := fmt.Sprintf("fill-%d", i)
		if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
			return err
		}
		defer os.Remove(path) //nolint:errcheck // it is gone, or goes with the folder
		time.Sleep(12 * time.Millisecond)
	}
	return nil
}

func fillMemory(targets) error {
	b := make([]byte, 200<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	time.Sleep(500 * time.Millisecond)
	runtime.KeepAlive(b)
	return nil
}

// startDaemon leaves a process behind that is in another session and has
// another parent.
func startDaemon(t targets) error {
	return exec.Command("/bin/sh", "-c", "setsid sh -c 'trap \"\" TERM HUP; sleep "+t.Mark+" & sleep "+t.Mark+"' >/dev/null 2>&1 </dev/null & sleep 0.1").Run()
}

func floodOutput(targets) error {
	line := []byte(strings.Repeat("x", 1023) + "\n")
	for range 50 << 10 {
		if _, err := os.Stdout.Write(line); err != nil {
			return err
		}
	}
	return nil
}

func readInherited(targets) error {
	for fd := 3; fd < 64; fd++ {
		var b [64]byte
		if n, err := unix.Pread(fd, b[:], 0); err == nil && bytes.Contains(b[:n], []byte(secretText)) {
			return nil
		}
	}
	return errors.New("no secret in any descriptor")
}

func openVsock(targets) error {
	fd, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)
	if err != nil {
		return byHost(err)
	}
	return unix.Close(fd)
}

// createMap makes an array of one number.
func createMap(targets) error {
	attr := [18]uint32{unix.BPF_MAP_TYPE_ARRAY, 4, 4, 1}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_MAP_CREATE, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return byHost(errno)
	}
	return unix.Close(int(fd))
}

// openForWriting opens a file of the kernel's and writes nothing.
func openForWriting(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return byHost(err)
	}
	return f.Close()
}

func openBlockDevice(targets) error {
	devices, _ := filepath.Glob("/dev/[svn][dv]*")
	err := error(unix.ENOENT)
	for _, device := range append(devices, "/dev/nvme0n1") {
		var f *os.File
		if f, err = os.Open(device); err == nil {
			return f.Close()
		}
	}
	return byHost(err)
}
