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
// them, and that is none of the system's. No part of its path begins with a dot:
// there programs keep what they do. It holds no repository as far as repositoryIn
// looks: git runs what its hooks and configuration say.
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
	case home != "" && within(home, real), real == "/home":
		return wrong("the home is in it")
	case hasDot(real):
		return wrong("it is where programs keep what they do")
	case (home == "" || !within(real, home)) && slices.ContainsFunc(neverOpened, func(dir string) bool { return within(real, dir) || within(dir, real) }):
		return wrong("it is the system's")
	}
	if git := repositoryIn(real, repositoryDepth); git != "" {
		return wrong("commands that git would run could be put into " + git + "; open a folder in that repository")
	}
	return nil
}

// repositoryDepth is how many folders deep a repository is looked for.
const repositoryDepth = 3

// repositoryIn returns the .git of the first repository in dir, at most depth
// folders below it, or "".
func repositoryIn(dir string, depth int) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); strings.EqualFold(e.Name(), ".git") {
			return path
		} else if e.IsDir() && depth > 0 {
			if git := repositoryIn(path, depth-1); git != "" {
				return git
			}
		}
	}
	return ""
}

// hasDot reports whether a folder of path begins with a dot.
func hasDot(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(name string) bool { return strings.HasPrefix(name, ".") })
}
