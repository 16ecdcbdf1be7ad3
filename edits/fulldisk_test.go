//go:build linux

package edits_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// fullDisk is the environment of TestFullDisk in its own namespace: the folder
// to mount a small disk on.
const fullDisk = "EDITS_FULL_DISK"

// diskSize is the size of that disk, in bytes.
const diskSize = 2 << 20

// TestFullDisk does everything on a small disk of its own that has a page left,
// two pages, three, until it fits.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv(fullDisk); dir != "" {
		onSmallDisk(t, dir)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), fullDisk+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Logf("no disk can be mounted here (%v): only the errors of TestTorture stand for a full one", err)
		return
	}
	if err != nil || !bytes.Contains(out, []byte("PASS")) {
		t.Fatalf("%v: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "pages left") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

func onSmallDisk(t *testing.T, dir string) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+strconv.Itoa(diskSize)); err != nil {
		t.Fatal(err)
	}
	page, ended := os.Getpagesize(), 0
	for _, task := range tasks {
		var s score
		for free := 0; ; free += page {
			x := newTorture(t, filepath.Join(dir, "run"), task)
			fill := filepath.Join(dir, "fill")
			fillDisk(t, fill, free)
			err := x.do(t.Context())
			_, _ = openJournal(x.state).Recover(t.Context(), x.disk) // the disk is still full: it may fail
			if err := os.Remove(fill); err != nil {
				t.Fatal(err)
			}
			s.add(x.judge(err, err == nil), err != nil)
			if err := os.RemoveAll(filepath.Join(dir, "run")); err != nil {
				t.Fatal(err)
			}
			if err == nil && free > 16*page {
				break
			}
		}
		t.Logf("%s on a disk with 0, 1, 2, … pages left: runs %d, without space %d, torn %d, lost %d, mute %d, litter %d",
			task, s.runs, s.ended, s.torn, s.lost, s.mute, s.litter)
		ended += s.ended
	}
	if ended < 50 {
		t.Errorf("the space ran out %d times, which tests little", ended)
	}
}

// fillDisk leaves free bytes on the disk of path.
func fillDisk(t *testing.T, path string, free int) {
	t.Helper()
	var stat unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &stat); err != nil {
		t.Fatal(err)
	}
	left := int(stat.Bavail)*int(stat.Bsize) - free
	if err := os.WriteFile(path, make([]byte, max(0, left)), 0o600); err != nil {
		t.Fatal(err)
	}
}
