package stage

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// deviceNames are the devices a command has.
var deviceNames = []string{"null", "zero", "full", "random", "urandom", "tty"}

// deviceLinks are the links that programs expect beside them.
var deviceLinks = [][2]string{
	{"/proc/self/fd", "/dev/fd"},
	{"/proc/self/fd/0", "/dev/stdin"},
	{"/proc/self/fd/1", "/dev/stdout"},
	{"/proc/self/fd/2", "/dev/stderr"},
	{"pts/ptmx", "/dev/ptmx"},
}

// putDevices replaces /dev by one that holds deviceNames, terminals of its
// own and shared memory of its own.
func (v *view) putDevices() error {
	dev, err := mountTmpfs(1<<16, 0o755, 0)
	if err != nil {
		return fmt.Errorf("mount /dev: %w", err)
	}
	if err := dev.attach("/dev"); err != nil {
		return err
	}
	for i, name := range deviceNames {
		if err := placeFile(v.devices[i], "/dev/"+name); err != nil {
			return err
		}
	}
	for _, link := range deviceLinks {
		if err := os.Symlink(link[0], link[1]); err != nil {
			return err
		}
	}
	if err := v.putShared(); err != nil {
		return err
	}
	return unix.MountSetattr(unix.AT_FDCWD, "/dev", 0, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
}

func (v *view) putShared() error {
	shm, err := mountTmpfs(v.scratchSize(), 0o1777, 0)
	if err != nil {
		return fmt.Errorf("mount /dev/shm: %w", err)
	}
	if err := shm.place("/dev/shm"); err != nil {
		return err
	}
	if err := os.Mkdir("/dev/pts", 0o755); err != nil {
		return err
	}
	// Without it a command has no terminals, which few need.
	_ = unix.Mount("devpts", "/dev/pts", "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620")
	return nil
}
