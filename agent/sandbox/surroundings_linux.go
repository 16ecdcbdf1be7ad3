package sandbox

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// commandOwner returns who runs the commands: whoever we are, but the owner
// of the workspace where we are root, because root without capabilities cannot
// write the files of others.
func commandOwner(root string) (uid, gid int, err error) {
	stat, err := os.Stat(root)
	if err != nil {
		return 0, 0, err
	}
	if !stat.IsDir() {
		return 0, 0, fmt.Errorf("%s is not a folder", root)
	}
	if os.Getuid() != 0 {
		return os.Getuid(), os.Getgid(), nil
	}
	uid, gid = owner(stat)
	return uid, gid, nil
}

// usableHome returns the home that a command gets a copy-on-write view of: ""
// where there is none, where it is somebody else's, where it is part of the
// workspace, and where something is mounted in it.
func usableHome(opts Options, uid int) string {
	home, err := filepath.EvalSymlinks(opts.Home)
	if opts.Home == "" || err != nil || home == "/" {
		return ""
	}
	stat, err := os.Stat(home)
	if err != nil || !stat.IsDir() {
		return ""
	}
	if id, _ := owner(stat); id != uid {
		return ""
	}
	inRoot := slices.ContainsFunc(opts.Roots, func(root string) bool { return within(home, root) })
	if inRoot || holdsMount("/proc/self/mountinfo", home) {
		return ""
	}
	return home
}

// holdsMount reports whether something is mounted beneath dir, by a file like
// /proc/self/mountinfo: an overlay over such a folder would show what is below
// the mount, and the kernel refuses it. (proc(5): the fifth field, with spaces
// and the like as octal numbers)
func holdsMount(file, dir string) bool {
	content, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	spaces := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		if at := spaces.Replace(fields[4]); at != dir && within(at, dir) {
			return true
		}
	}
	return false
}

// keptPaths returns what is shown although a scratch folder covers it: the
// folders that programs are in, and, with the network open, the file that
// names are looked up by.
func keptPaths(env []string, network Network) []string {
	candidates := append(filepath.SplitList(variable(env, "PATH")), variable(env, "GOROOT"))
	if network == NetworkOpen {
		candidates = append(candidates, "/etc/resolv.conf")
	}
	var kept []string
	for _, path := range candidates {
		real, err := filepath.EvalSymlinks(path)
		if err != nil || !filepath.IsAbs(real) {
			continue
		}
		covered := func(dir string) bool { return within(real, dir) && real != dir }
		if slices.ContainsFunc(scratchDirs, covered) && !slices.Contains(kept, real) {
			kept = append(kept, real)
		}
	}
	return kept
}

// gitDirs returns what git writes in the repository of root: .git, or for a
// worktree or a submodule the file of that name, the folder it leads to and
// the one that shares with others. It reads what git would; nothing is run.
func gitDirs(root string) []string {
	dotGit := filepath.Join(root, ".git")
	stat, err := os.Lstat(dotGit)
	switch {
	case err != nil:
		return nil
	case stat.Mode()&fs.ModeSymlink != 0:
		return repository(dotGit)
	case stat.IsDir():
		return []string{dotGit}
	}
	dirs := []string{dotGit}
	target, ok := pointer(dotGit, "gitdir: ")
	if !ok {
		return dirs
	}
	dirs = append(dirs, repository(target)...)
	if common, ok := pointer(filepath.Join(target, "commondir"), ""); ok {
		dirs = append(dirs, repository(common)...)
	}
	return withoutNested(dirs)
}

// pointer returns the path that a file of git's holds behind prefix.
func pointer(file, prefix string) (string, bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", false
	}
	path, ok := strings.CutPrefix(strings.TrimSpace(string(b)), prefix)
	if !ok || path == "" {
		return "", false
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(file), path)
	}
	return path, true
}

// repository returns path with its links resolved, or nothing if git has nothing
// there: a file of the workspace must not open any folder to its commands.
func repository(path string) []string {
	if stat, err := os.Stat(filepath.Join(path, "HEAD")); err != nil || !stat.Mode().IsRegular() {
		return nil
	}
	return existing(path)
}

// existing returns path with its links resolved, or nothing.
func existing(path string) []string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil
	}
	return []string{real}
}

// withoutNested leaves out the paths that lie in another one of them.
func withoutNested(paths []string) []string {
	var out []string
	for _, path := range paths {
		nested := func(other string) bool { return other != path && within(path, other) }
		if !slices.ContainsFunc(paths, nested) && !slices.Contains(out, path) {
			out = append(out, path)
		}
	}
	return out
}
