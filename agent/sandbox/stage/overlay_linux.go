package stage

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A mount is a detached mount: it is in no namespace's tree until attach.
type mount int

// none is the mount of something that is not there.
const none mount = -1

// maxCover is what an empty folder may hold, in bytes: the folders that others
// are mounted at.
const maxCover = 1 << 20

// mountLayers returns o as a detached mount.
func mountLayers(o Overlay) (mount, error) {
	if !o.IsEmpty() {
		return mountOverlay(o)
	}
	m, err := mountTmpfs(maxCover, 0o755, 0)
	if err != nil {
		return none, fmt.Errorf("cover %s: %w", o.At, err)
	}
	return m, nil
}

// mountOverlay returns o, which has layers, as a detached mount.
//
// The layers are named by /proc/self/fd/N, so that colons, commas and the
// length of a path mean nothing. userxattr lets an ordinary user mount it;
// volatile leaves out the syncs of each copy, whose result nobody needs after
// a crash.
func mountOverlay(o Overlay) (mount, error) {
	layers := &layerFDs{}
	defer layers.close()
	lowers := make([]string, 0, len(o.Lowers))
	for _, dir := range o.Lowers {
		lowers = append(lowers, layers.open(dir))
	}
	settings := [][2]string{
		{"source", "agentls"},
		{"lowerdir", strings.Join(lowers, ":")},
		{"upperdir", layers.open(o.Upper)},
		{"workdir", layers.open(o.Work)},
		{"userxattr", ""},
		{"volatile", ""},
	}
	if layers.err != nil {
		return none, layers.err
	}
	m, err := newMount("overlay", settings, 0)
	if err != nil {
		return none, fmt.Errorf("overlay over %s: %w", o.At, err)
	}
	return m, nil
}

// layerFDs are folders held open while an overlay is made of them.
type layerFDs struct {
	fds []int
	err error // the first
}

func (l *layerFDs) open(dir string) string {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		if l.err == nil {
			l.err = fmt.Errorf("layer %s: %w", dir, err)
		}
		return ""
	}
	l.fds = append(l.fds, fd)
	return "/proc/self/fd/" + strconv.Itoa(fd)
}

func (l *layerFDs) close() {
	for _, fd := range l.fds {
		_ = unix.Close(fd)
	}
}

// newMount makes a file system of kind. A setting without a value is a flag.
// Set user ids and devices never count in it; attr adds to that.
func newMount(kind string, settings [][2]string, attr int) (mount, error) {
	fs, err := unix.Fsopen(kind, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return none, fmt.Errorf("fsopen %s: %w", kind, err)
	}
	defer unix.Close(fs) //nolint:errcheck // the mount holds what it needs
	for _, kv := range settings {
		if err := configure(fs, kv[0], kv[1]); err != nil {
			return none, fmt.Errorf("%s=%s: %w%s", kv[0], kv[1], err, complaints(fs))
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return none, fmt.Errorf("create: %w%s", err, complaints(fs))
	}
	fd, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, attr|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
	return mount(fd), err
}

func configure(fs int, key, value string) error {
	if value == "" {
		return unix.FsconfigSetFlag(fs, key)
	}
	return unix.FsconfigSetString(fs, key, value)
}

// complaints returns what the kernel itself says of a refused setting.
func complaints(fs int) string {
	var said strings.Builder
	b := make([]byte, 512)
	for {
		n, err := unix.Read(fs, b)
		if err != nil || n <= 0 {
			return said.String()
		}
		said.WriteString("; " + strings.TrimSpace(string(b[:n])))
	}
}

// mountTmpfs returns an empty file system in memory, of at most size bytes.
func mountTmpfs(size int64, mode os.FileMode, attr int) (mount, error) {
	return newMount("tmpfs", [][2]string{
		{"size", strconv.FormatInt(size, 10)},
		{"nr_inodes", "200000"},
		{"mode", strconv.FormatUint(uint64(mode), 8)},
	}, attr)
}

// cloneMount returns what is at path now as a mount of its own.
func cloneMount(path string) (mount, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return none, fmt.Errorf("clone %s: %w", path, err)
	}
	return mount(fd), nil
}

// cloneTree is cloneMount with all that is mounted beneath path.
func cloneTree(path string) (mount, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return none, fmt.Errorf("clone %s: %w", path, err)
	}
	return mount(fd), nil
}

// cloneTreeAt is cloneTree of what path itself names: no part of it may have
// become a symbolic link since it was looked at.
func cloneTreeAt(path string) (mount, error) {
	at, err := unix.Openat2(unix.AT_FDCWD, path, &unix.OpenHow{Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS})
	if err != nil {
		return none, fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { _ = unix.Close(at) }()
	fd, err := unix.OpenTree(at, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE|unix.AT_EMPTY_PATH)
	if err != nil {
		return none, fmt.Errorf("clone %s: %w", path, err)
	}
	return mount(fd), nil
}

// protect makes m read-only, with all beneath it.
func (m mount) protect() error {
	return unix.MountSetattr(int(m), "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &unix.MountAttr{
		Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV,
	})
}

// harmless keeps programs in m from gaining rights, and devices from being used.
func (m mount) harmless() error {
	return unix.MountSetattr(int(m), "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &unix.MountAttr{
		Attr_set: unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV,
	})
}

// attach puts m at path and gives up the descriptor.
func (m mount) attach(path string) error {
	err := unix.MoveMount(int(m), "", unix.AT_FDCWD, path, unix.MOVE_MOUNT_F_EMPTY_PATH)
	_ = unix.Close(int(m))
	if err != nil {
		return fmt.Errorf("attach %s: %w", path, err)
	}
	return nil
}

// place is attach for a folder that may be missing because a scratch folder
// covers what it lies in.
func (m mount) place(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return m.attach(path)
}
