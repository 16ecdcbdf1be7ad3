package stage

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const probeArg = "probe"

// A Target is what a probe attacks, from outside the sandbox: all of it must
// stay out of reach.
type Target struct {
	File   string // that it would write; whether it did is seen outside
	Secret string // a masked file that it would read
	PID    int    // a process that it would signal
	Port   int    // of a TCP listener on 127.0.0.1
}

// ProbeCommand returns the command that makes a stage attack t from inside.
// It prints a line for each attack that succeeded, and exits 0 if none did.
func ProbeCommand(t Target) []string {
	return []string{"/proc/self/exe", probeArg, t.File, t.Secret, strconv.Itoa(t.PID), startTime(t.PID), strconv.Itoa(t.Port)}
}

// probe carries out what ProbeCommand asks for.
func probe(args []string) int {
	if len(args) != 5 {
		return CodeRefused
	}
	pid, err := strconv.Atoi(args[2])
	port, errPort := strconv.Atoi(args[4])
	if errors.Join(err, errPort) != nil {
		return CodeRefused
	}
	_ = appendTo(args[0])
	open := 0
	for _, attack := range []struct {
		name string
		err  error
	}{
		{"read a masked file", readSome(args[1])},
		{"reached a process outside", signalOther(pid, args[3])},
		{"connected to the network", dial(port)},
		{"mounted a file system", unix.Mount("none", "/tmp", "tmpfs", 0, "")},
		{"used io_uring", ioURing()},
	} {
		if attack.err == nil {
			open++
			_, _ = fmt.Fprintln(os.Stdout, attack.name) //nolint:forbidigo // a program of its own
		}
	}
	return min(open, 1)
}

func appendTo(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("x")
	return errors.Join(err, f.Close())
}

func readSome(path string) error {
	b, err := os.ReadFile(path)
	if err == nil && len(b) == 0 {
		return errors.New("empty")
	}
	return err
}

// signalOther looks whether the process that started then can be signalled: in
// a namespace of its own the number may be that of another one.
func signalOther(pid int, started string) error {
	if err := unix.Kill(pid, 0); err != nil {
		return err
	}
	if startTime(pid) != started {
		return errors.New("another process")
	}
	return nil
}

// startTime returns when a process began, as the kernel counts it; "" if there
// is none to be seen. (proc(5): field 22)
func startTime(pid int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}

func dial(port int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was sent
	limit := unix.NsecToTimeval(time.Second.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit); err != nil {
		return err
	}
	return unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
}

func ioURing() error {
	if _, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0); errno == unix.ENOSYS {
		return errno
	}
	return nil // any other answer comes from io_uring itself
}
