package stage

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// deniedCalls have no use in builds and tests, and are either not confined by
// namespaces or the usual way into a kernel. They answer ENOSYS, so that
// programs fall back as on an older kernel.
var deniedCalls = []uint32{
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL, unix.SYS_BPF,
	unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_KEXEC_LOAD,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_MOVE_MOUNT,
	unix.SYS_OPEN_TREE, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
	unix.SYS_SETNS, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_SWAPON, unix.SYS_REBOOT,
	unix.SYS_IO_URING_SETUP, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_SYSLOG, unix.SYS_KEXEC_FILE_LOAD,
}

// The BPF that the filter is written in. (linux/bpf_common.h, linux/seccomp.h,
// linux/audit.h)
const (
	opLoad         = 0x20 // a word of seccomp_data
	opEqual        = 0x15
	opAtLeast      = 0x35
	opAnySet       = 0x45
	opReturn       = 0x06
	atCall         = 0
	atArch         = 4
	atFirst        = 16 // the low half of the first argument
	atSecond       = 24
	retAllow       = 0x7fff0000
	retKill        = 0x80000000
	retErrno       = 0x00050000
	firstX32       = 0x40000000
	archAMD64      = 0xC000003E
	archARM64      = 0xC00000B7
	maxFilterJumps = 255
)

// A program is a filter being written.
type program []unix.SockFilter

func (p *program) load(offset uint32) { *p = append(*p, unix.SockFilter{Code: opLoad, K: offset}) }

func (p *program) ret(action uint32) { *p = append(*p, unix.SockFilter{Code: opReturn, K: action}) }

// skipUnless passes over the next n instructions unless the word equals k.
func (p *program) skipUnless(k uint32, n int) {
	*p = append(*p, unix.SockFilter{Code: opEqual, Jf: uint8(min(n, maxFilterJumps)), K: k})
}

// filterCalls installs the filter in this thread; the command inherits it.
func (s *stage) filterCalls() error {
	filter, err := newFilter(s.plan)
	if err != nil {
		return err
	}
	fprog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&fprog)), 0, 0)
}

func newFilter(plan *Plan) (program, error) {
	arch, ok := map[string]uint32{"amd64": archAMD64, "arm64": archARM64}[runtime.GOARCH]
	if !ok {
		return nil, fmt.Errorf("no filter for %s", runtime.GOARCH)
	}
	var p program
	p.load(atArch)
	p = append(p, unix.SockFilter{Code: opEqual, Jt: 1, K: arch})
	p.ret(retKill) // the calls of another architecture have other numbers
	p.load(atCall)
	if arch == archAMD64 {
		p = append(p, unix.SockFilter{Code: opAtLeast, Jf: 1, K: firstX32})
		p.ret(retErrno | uint32(unix.ENOSYS))
	}
	for _, call := range deniedCalls {
		p.skipUnless(call, 1)
		p.ret(retErrno | uint32(unix.ENOSYS))
	}
	p.addNamespaces()
	p.addSockets(plan)
	p.addTerminal()
	p.ret(retAllow)
	return p, nil
}

// addNamespaces denies new user namespaces, in which a command would have
// every capability. The flags of clone3 are in memory, where a filter does not
// see them: programs fall back to clone.
func (p *program) addNamespaces() {
	p.skipUnless(unix.SYS_CLONE3, 1)
	p.ret(retErrno | uint32(unix.ENOSYS))
	for _, call := range []uint32{unix.SYS_CLONE, unix.SYS_UNSHARE} {
		p.skipUnless(call, 4)
		p.load(atFirst)
		*p = append(*p, unix.SockFilter{Code: opAnySet, Jf: 1, K: unix.CLONE_NEWUSER})
		p.ret(retErrno | uint32(unix.EPERM))
		p.ret(retAllow)
	}
}

// addSockets lets only some families through. AF_VSOCK reaches the hypervisor
// from any network namespace; AF_ALG, AF_PACKET and the like are only ways in.
func (p *program) addSockets(plan *Plan) {
	families := socketFamilies(plan)
	p.skipUnless(unix.SYS_SOCKET, 2+2*len(families))
	p.load(atFirst)
	for _, family := range families {
		p.skipUnless(family, 1)
		p.ret(retAllow)
	}
	p.ret(retErrno | uint32(unix.EAFNOSUPPORT))
}

// socketFamilies are those a command may open. Without a network namespace
// only the families stand between it and the network, and a socket of the
// user's, such as that of an ssh-agent, is one path away.
func socketFamilies(plan *Plan) []uint32 {
	inet := []uint32{unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}
	switch {
	case plan.Mode != Fenced:
		return append(inet, unix.AF_UNIX)
	case plan.Network == Host:
		return inet
	default:
		return nil
	}
}

// addTerminal denies the ioctls that type into a terminal.
func (p *program) addTerminal() {
	p.skipUnless(unix.SYS_IOCTL, 5)
	p.load(atSecond)
	for _, request := range []uint32{unix.TIOCSTI, unix.TIOCLINUX} {
		p.skipUnless(request, 1)
		p.ret(retErrno | uint32(unix.EPERM))
	}
}
