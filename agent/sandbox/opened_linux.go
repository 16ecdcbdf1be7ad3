package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// neverOpened are folders that no command may write in, whatever the user says:
// what is there steers the machine.
var neverOpened = []string{"/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/usr", "/var/lib", "/var/run", "/var/spool"}

// checkOpened returns an error, which is ErrNotOpened, unless the folder of cmd may
// be written for real: one that is there, at its own path, that neither holds the
// workspace, the home, this program's state or what is hidden, nor lies in one of
// them, and that is none of the system's. Of the home it is a folder whose name
// begins with no dot: those hold what other programs do.
func (s *Sandbox) checkOpened(cmd *Command) error {
	if cmd.Opened == "" {
		return nil
	}
	wrong := func(why string) error { return fmt.Errorf("%s: %w: %s", cmd.Opened, ErrNotOpened, why) }
	real, err := filepath.EvalSymlinks(cmd.Opened)
	switch {
	case !filepath.IsAbs(cmd.Opened) || filepath.Clean(cmd.Opened) != cmd.Opened:
		return wrong("it is no absolute path")
	case err != nil:
		return wrong("it is not there")
	case real != cmd.Opened:
		return wrong("it leads to " + real)
	}
	if stat, err := os.Stat(real); err != nil || !stat.IsDir() {
		return wrong("it is no folder")
	}
	meets := func(path string) bool { return path != "" && (within(real, path) || within(path, real)) }
	switch home, _ := filepath.EvalSymlinks(s.opts.Home); {
	case slices.ContainsFunc(s.opts.Roots, meets):
		return wrong("the workspace is changed by proposals alone")
	case meets(s.opts.State), slices.ContainsFunc(s.opts.Masks, meets):
		return wrong("it belongs to agentls, or is hidden from commands")
	case home != "" && within(home, real):
		return wrong("the home is in it")
	case home != "" && within(real, home) && hasDot(strings.TrimPrefix(real, home)):
		return wrong("it is where programs keep what they do")
	case (home == "" || !within(real, home)) && slices.ContainsFunc(neverOpened, func(dir string) bool { return within(real, dir) || within(dir, real) }):
		return wrong("it is the system's")
	}
	return nil
}

// hasDot reports whether a folder of path begins with a dot.
func hasDot(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(name string) bool { return strings.HasPrefix(name, ".") })
}
