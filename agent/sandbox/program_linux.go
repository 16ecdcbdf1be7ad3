package sandbox

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// built holds the stage, where it was built before this package was.
//
//go:embed bin
var built embed.FS

// A program is the stage, ready to be started.
type program struct{ path string }

// openProgram returns the stage at path, or with "" the embedded one, or the
// one beside the program that runs.
func openProgram(path string) (*program, error) {
	if path != "" {
		return &program{path: path}, nil
	}
	embedded, err := embeddedPath()
	if err == nil {
		return &program{path: embedded}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, &SetupError{Step: "unpack the stage", Err: err}
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), "agentls-sandbox")
		if unix.Access(beside, unix.X_OK) == nil {
			return &program{path: beside}, nil
		}
	}
	return nil, &SetupError{Step: "find the stage", Err: errors.New(
		"this agentls was built without it: build with make, or put agentls-sandbox, built with CGO_ENABLED=0, beside it")}
}

// firstFree is above the descriptors that a stage is started with: those are
// put in their places before the program is opened by its own.
const firstFree = 64

// embeddedPath returns the path of the embedded stage: a file in memory that
// lives as long as this process and that nobody can change.
var embeddedPath = sync.OnceValues(func() (string, error) {
	content, err := built.ReadFile("bin/agentls-sandbox-" + runtime.GOARCH)
	if err != nil {
		return "", err
	}
	low, err := unix.MemfdCreate("agentls-sandbox", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return "", fmt.Errorf("memfd: %w", err)
	}
	defer unix.Close(low) //nolint:errcheck // fd is the same file
	fd, err := unix.FcntlInt(uintptr(low), unix.F_DUPFD_CLOEXEC, firstFree)
	if err != nil {
		return "", fmt.Errorf("memfd: %w", err)
	}
	if _, err := unix.Write(fd, content); err != nil {
		return "", fmt.Errorf("memfd: %w", err)
	}
	seals := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return "", fmt.Errorf("memfd: %w", err)
	}
	return "/proc/self/fd/" + strconv.Itoa(fd), nil
})
