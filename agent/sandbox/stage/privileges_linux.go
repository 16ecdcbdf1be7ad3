package stage

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bringUpLoopback lets tests listen: a new network namespace has a loopback
// that is down, and nothing else.
func (s *stage) bringUpLoopback() error {
	if s.plan.Network == Host {
		return nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // a socket that carried nothing
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

func nameMachine() error { return unix.Sethostname([]byte("sandbox")) }

// adoptOrphans makes what a command leaves behind a child of this process, so
// that killDescendants finds it. Pid 1 is that anyway.
func adoptOrphans() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// setLimits sets what the kernel itself can bound; watch bounds the rest.
func (s *stage) setLimits() error {
	// The first to go when memory ends. What cannot be written bounds nothing.
	_ = writeFile("/proc/self/oom_score_adj", "900")
	limits := []struct {
		resource int
		value    uint64
		set      bool
	}{
		{unix.RLIMIT_CORE, 0, true},
		{unix.RLIMIT_FSIZE, uint64(s.plan.Limits.FileSize), s.plan.Limits.FileSize > 0},
		// Counted for a user in a user namespace (Linux 5.14); without one what
		// the user runs outside counts as well. Root is exempt: pid_max.
		{unix.RLIMIT_NPROC, s.processLimit(), s.plan.Limits.Processes > 0},
	}
	for _, l := range limits {
		if !l.set {
			continue
		}
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return fmt.Errorf("rlimit %d: %w", l.resource, err)
		}
	}
	return nil
}

// processLimit returns how many threads the user of the command may have.
func (s *stage) processLimit() uint64 {
	limit := s.plan.Limits.Processes
	if s.plan.Mode == Fenced || s.plan.Mode == Open {
		limit += threadsOf(s.plan.UID)
	}
	return uint64(limit)
}

// becomeOwner makes root the owner of the workspace where that is somebody
// else: without capabilities root could not write the files.
func (s *stage) becomeOwner() error {
	if unix.Getuid() == s.plan.UID {
		return nil
	}
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("give up groups: %w", err)
	}
	if err := syscall.Setresgid(s.plan.GID, s.plan.GID, s.plan.GID); err != nil {
		return fmt.Errorf("become group %d: %w", s.plan.GID, err)
	}
	// Capabilities are still needed to drop the bounding set.
	if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := syscall.Setresuid(s.plan.UID, s.plan.UID, s.plan.UID); err != nil {
		return fmt.Errorf("become user %d: %w", s.plan.UID, err)
	}
	return raiseCapabilities()
}

// raiseCapabilities makes effective in this thread what is permitted.
func raiseCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return err
	}
	for i := range sets {
		sets[i].Effective = sets[i].Permitted
	}
	return unix.Capset(&header, &sets[0])
}

// lockedSecurebits keeps user 0 from meaning anything, for good: NOROOT,
// NO_SETUID_FIXUP and NO_CAP_AMBIENT_RAISE, each locked.
const lockedSecurebits = 0x01 | 0x02 | 0x04 | 0x08 | 0x40 | 0x80

// dropPrivileges leaves every thread without capabilities and without a way
// to gain any.
func (s *stage) dropPrivileges() error {
	// Closes /proc/1/{root,fd,mem,environ} to the command.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	if err := dropBounding(); err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var nothing [2]unix.CapUserData
	// Ambient capabilities go with the permitted ones. (capabilities(7))
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&nothing)), 0)
	runtime.KeepAlive(&header)
	runtime.KeepAlive(&nothing)
	if errors.Is(errno, syscall.ENOTSUP) {
		return errors.New("the stage was built with cgo: build it with CGO_ENABLED=0")
	}
	if errno != 0 {
		return fmt.Errorf("drop capabilities: %w", errno)
	}
	return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) // of this thread, which forks
}

// dropBounding empties the bounding set and locks the securebits. A process
// without capabilities, as one without namespaces is, cannot and need not:
// no_new_privs is enough there.
func dropBounding() error {
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EPERM) {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: an older kernel has fewer
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	return unix.Prctl(unix.PR_SET_SECUREBITS, lockedSecurebits, 0, 0, 0)
}
