package stage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// defaultScratch is what a scratch folder may hold without a limit, in bytes.
const defaultScratch = 512 << 20

// makePrivate keeps what is mounted from here on from the machine.
func makePrivate() error {
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
}

// A view is what the command will see, in detached mounts.
type view struct {
	plan     *Plan
	overlays []mount
	kept     []mount // of Plan.Keep
	opened   []mount
	readOnly []mount
	empty    mount // Plan.Empty
	devices  []mount
}

// mountView builds the view. What must stay writable is mounted or cloned
// first, detached; then all of "/" becomes read-only at once, which would
// reach the upper folders through their paths but does not reach mounts that
// have none; then the detached mounts go to their places.
func (s *stage) mountView() error {
	v := &view{plan: s.plan}
	if err := v.collect(); err != nil {
		return err
	}
	// No user namespaces in this one: they are the way to most kernel faults.
	// It is given up where /proc/sys cannot be written; privileges are dropped
	// all the same.
	_ = writeFile("/proc/sys/user/max_user_namespaces", "0")
	if err := protectRoot(); err != nil {
		return err
	}
	for _, put := range []func() error{v.putScratch, v.putDevices, v.putProc, v.putOverlays, v.putOpened, v.putReadOnly, v.putMasks} {
		if err := put(); err != nil {
			return err
		}
	}
	return nil
}

func (v *view) collect() error {
	for _, o := range v.plan.Overlays {
		m, err := mountLayers(o)
		if err != nil {
			return err
		}
		v.overlays = append(v.overlays, m)
	}
	for _, path := range v.plan.Opened {
		m, err := cloneTreeAt(path)
		if err != nil {
			return err
		}
		if err := m.harmless(); err != nil {
			return fmt.Errorf("open %s: %w", path, err)
		}
		v.opened = append(v.opened, m)
	}
	var err error
	if v.readOnly, err = protectedClones(v.plan.ReadOnly); err != nil {
		return err
	}
	if v.kept, err = protectedClones(v.plan.Keep); err != nil {
		return err
	}
	if len(v.plan.Masks) > 0 {
		empty, err := protectedClones([]string{v.plan.Empty})
		if err != nil {
			return err
		}
		v.empty = empty[0]
	}
	for _, name := range deviceNames {
		device, err := cloneMount("/dev/" + name)
		if err != nil {
			return err
		}
		v.devices = append(v.devices, device)
	}
	return nil
}

func protectedClones(paths []string) ([]mount, error) {
	var clones []mount
	for _, path := range paths {
		m, err := cloneTree(path)
		if err != nil {
			return nil, err
		}
		if err := m.protect(); err != nil {
			return nil, fmt.Errorf("protect %s: %w", path, err)
		}
		clones = append(clones, m)
	}
	return clones, nil
}

func protectRoot() error {
	err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &unix.MountAttr{
		Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV,
	})
	if err != nil {
		return fmt.Errorf("protect /: %w", err)
	}
	return nil
}

func (v *view) putScratch() error {
	for _, dir := range v.plan.Scratch {
		if stat, err := os.Lstat(dir); err != nil || !stat.IsDir() {
			continue // not every system has each of them
		}
		m, err := mountTmpfs(v.scratchSize(), 0o1777, 0)
		if err != nil {
			return fmt.Errorf("scratch %s: %w", dir, err)
		}
		if err := m.attach(dir); err != nil {
			return err
		}
	}
	for i, path := range v.plan.Keep {
		if err := placeFile(v.kept[i], path); err != nil {
			return err
		}
	}
	return nil
}

func (v *view) scratchSize() int64 {
	if v.plan.Limits.Scratch > 0 {
		return v.plan.Limits.Scratch
	}
	return defaultScratch
}

// placeFile attaches the mount of a file at path, where a file is made to
// attach it to.
func placeFile(m mount, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := writeFile(path, ""); err != nil {
		return err
	}
	return m.attach(path)
}

func (v *view) putOverlays() error {
	for i, o := range v.plan.Overlays {
		if err := v.overlays[i].place(o.At); err != nil {
			return err
		}
	}
	return nil
}

// putOpened shows folders of the machine in the overlays and scratch folders that
// cover them.
func (v *view) putOpened() error {
	for i, path := range v.plan.Opened {
		if err := v.opened[i].place(path); err != nil {
			return err
		}
	}
	return nil
}

func (v *view) putReadOnly() error {
	for i, path := range v.plan.ReadOnly {
		if err := v.putProtected(v.readOnly[i], path); err != nil {
			return err
		}
	}
	return nil
}

// putProtected attaches m at path unless the draft has something else there,
// or nothing: a file cannot be attached to a folder.
func (v *view) putProtected(m mount, path string) error {
	stat, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) { // beneath a scratch folder
		return m.place(path)
	}
	if err != nil {
		return err
	}
	if stat.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("protect %s: it is a symbolic link", path)
	}
	return m.attach(path)
}

// putMasks comes last, so that it also covers what the overlays show. A link
// is covered itself: nothing here is followed.
func (v *view) putMasks() error {
	file, folder := mask{first: v.empty}, mask{first: none}
	for _, path := range v.plan.Masks {
		stat, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // covered by something else, or gone
			continue
		case err == nil && stat.IsDir():
			err = folder.cover(path)
		case err == nil:
			err = file.cover(path)
		}
		if err != nil {
			return fmt.Errorf("mask %s: %w", path, err)
		}
	}
	return nil
}

// A mask is what shows in place of something else: the first time itself, then
// clones of it, which cost less than another.
type mask struct {
	first mount // none: an empty folder, to be made
	at    string
}

func (m *mask) cover(path string) (err error) {
	next := m.first
	switch {
	case m.at != "":
		next, err = cloneMount(m.at)
	case next == none:
		next, err = mountTmpfs(4096, 0o555, unix.MOUNT_ATTR_RDONLY)
	}
	if err != nil {
		return err
	}
	m.at = path
	return next.attach(path)
}

// putProc shows the processes of this namespace only.
func (v *view) putProc() error {
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	// Before 6.14 there is one pid_max for the machine, and root would change it.
	if n := v.plan.Limits.Processes; n > 0 && kernelAtLeast(6, 14) {
		_ = writeFile("/proc/sys/kernel/pid_max", strconv.Itoa(max(n, leastPIDMax)))
	}
	for _, path := range KernelFiles {
		if err := protectInPlace(path); err != nil {
			return err
		}
	}
	return nil
}

// leastPIDMax is the least that the kernel takes. (include/linux/threads.h:
// RESERVED_PIDS is 300)
const leastPIDMax = 301

// protectInPlace makes path read-only for root, who owns what is in it.
func protectInPlace(path string) error {
	m, err := cloneMount(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := m.protect(); err != nil {
		return fmt.Errorf("protect %s: %w", path, err)
	}
	return m.attach(path)
}

// kernelAtLeast reports whether the running kernel is major.minor or later.
func kernelAtLeast(major, minor int) bool {
	var name unix.Utsname
	var a, b int
	if unix.Uname(&name) != nil {
		return false
	}
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &a, &b); err != nil {
		return false
	}
	return a > major || a == major && b >= minor
}

// writeFile writes what the kernel is told through its files, and the files
// that mounts are attached to.
func writeFile(path, content string) error {
	return os.WriteFile(path, []byte(content), 0o666) //nolint:forbidigo,gosec // in the stage's own mounts only
}
