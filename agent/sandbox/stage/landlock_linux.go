package stage

import (
	"errors"
	"fmt"
	"io/fs"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	readRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR

	writeRights = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM | unix.LANDLOCK_ACCESS_FS_REFER

	// fileRights are those that a rule about a file, not a folder, may give.
	fileRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE |
		unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
)

// rulePathBeneath is LANDLOCK_RULE_PATH_BENEATH. (linux/landlock.h)
const rulePathBeneath = 1

// The versions of Landlock that brought what is used here.
const (
	abiRefer    = 2 // files may be moved between folders
	abiTruncate = 3
	abiScope    = 6 // signals and abstract sockets
)

// LandlockABI returns the version of Landlock that the kernel has, 0 for none.
func LandlockABI() int {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(abi)
}

// restrict lets the command write beneath Plan.Writable only, and reach no
// process outside by a signal or an abstract socket. With Fenced it also reads
// beneath Plan.Readable only. There Landlock is the fence, and one that leaves
// a gap is refused; with mounts it is the second one, and may be missing.
func (s *stage) restrict() error {
	abi := LandlockABI()
	if s.plan.Mode == Fenced && abi < abiScope {
		return fmt.Errorf("Landlock is of version %d: below %d signals reach the user's processes", abi, abiScope) //nolint:staticcheck // a name
	}
	if abi < abiRefer {
		return nil
	}
	rules, err := newRuleset(s.plan, abi)
	if err != nil {
		return err
	}
	defer unix.Close(rules.fd) //nolint:errcheck // its rules hold
	if err := rules.allow(s.plan.Writable, rules.handled); err != nil {
		return err
	}
	if err := rules.allow(s.plan.Readable, rules.handled&readRights); err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(rules.fd), 0, 0); errno != 0 {
		return fmt.Errorf("restrict self: %w", errno)
	}
	return nil
}

type ruleset struct {
	fd      int
	handled uint64 // the rights that need a rule
}

func newRuleset(p *Plan, abi int) (*ruleset, error) {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: writeRights}
	size := unsafe.Sizeof(attr.Handled_access_fs)
	if abi >= abiTruncate {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if p.Mode == Fenced {
		attr.Handled_access_fs |= readRights
	}
	if abi >= abiScope {
		attr.Scoped = unix.LANDLOCK_SCOPE_SIGNAL | unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
		size = unsafe.Offsetof(attr.Scoped) + unsafe.Sizeof(attr.Scoped)
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return nil, fmt.Errorf("create ruleset: %w", errno)
	}
	return &ruleset{fd: int(fd), handled: attr.Handled_access_fs}, nil
}

// allow gives rights beneath paths; those that do not exist need none.
func (r *ruleset) allow(paths []string, rights uint64) error {
	for _, path := range paths {
		err := r.allowOne(path, rights)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("allow %s: %w", path, err)
		}
	}
	return nil
}

func (r *ruleset) allowOne(path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // only a name
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= fileRights
	}
	// The kernel's structure is packed; the longer one of Go begins the same.
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r.fd), rulePathBeneath,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
