package sandbox

import (
	"bufio"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agentls/agentls/agent/sandbox/stage"
)

// homeSecrets are paths in the home that no command reads.
var homeSecrets = []string{
	".ssh", ".aws", ".gnupg", ".config/gh", ".config/hub", ".config/glab-cli", ".config/gcloud", ".azure", ".kube", ".docker", ".oci",
	".netrc", ".git-credentials", ".config/git/credentials", ".npmrc", ".yarnrc.yml", ".pypirc", ".config/pip", ".pip",
	".cargo/credentials.toml", ".cargo/credentials", ".gem/credentials", ".m2/settings.xml", ".gradle/gradle.properties",
	".terraform.d", ".vault-token", ".password-store", ".local/share/keyrings", ".local/share/kwalletd", ".pgpass", ".my.cnf",
	".mozilla", ".thunderbird", ".config/google-chrome", ".config/chromium", ".config/BraveSoftware", ".config/microsoft-edge",
	".bash_history", ".zsh_history", ".python_history", ".psql_history", ".node_repl_history",
	".config/agentls", ".local/state/agentls", ".local/share/agentls", ".claude", ".codex", ".config/openai",
}

// systemSecrets are those of root.
var systemSecrets = []string{
	"/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/ssh", "/etc/ssl/private", "/etc/wireguard",
	"/etc/NetworkManager/system-connections", "/etc/kubernetes", "/var/lib/docker", "/var/lib/kubelet", "/var/spool/cron",
}

// Hide hides paths from the commands that follow, as those of Options.Masks are.
// It waits for the one that runs.
func (s *Sandbox) Hide(ctx context.Context, paths []string) error {
	select {
	case <-s.turn:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { s.turn <- struct{}{} }()
	return s.opts.hide(paths)
}

// findMasks finds what the next command must not see: s.hidden of the workspace,
// by Options.Masks or because a home is part of it, and s.masked elsewhere:
// secrets, our own state and the sockets of this machine. (A read-only mount
// does not stop connect(2).) Of those that hold a root, s.covered, all but the
// roots is hidden, also what is made there while a command runs.
func (s *Sandbox) findMasks() {
	s.hidden, s.masked, s.covered = s.rootMasks(), nil, nil
	known := make(map[string]bool, len(s.hidden))
	for _, path := range s.hidden {
		known[path] = true
	}
	for _, path := range s.secretPaths() {
		stat, err := os.Lstat(path) // most are not there
		if err != nil || known[path] && stat.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		real, err := filepath.EvalSymlinks(path) // a ~/.ssh that is a link: hide what it leads to
		if err != nil || known[real] || slices.Contains(s.opts.Roots, real) {
			continue
		}
		known[real] = true
		switch {
		case s.holdsRoot(real):
			s.covered = append(s.covered, real)
		case s.scratch.treeOf(real) != nil:
			s.hidden = append(s.hidden, real)
		default:
			s.masked = append(s.masked, real)
		}
	}
	s.covered = withoutNested(s.covered)
	s.hidden = withoutNested(s.hidden)
}

// covers returns the mounts of s.covered: the workspace is put in its place in
// them after that.
func (s *Sandbox) covers() []stage.Overlay {
	var covers []stage.Overlay
	for _, dir := range s.covered {
		covers = append(covers, stage.Overlay{At: dir})
	}
	return covers
}

func (s *Sandbox) secretPaths() []string {
	paths := slices.Concat(s.opts.Masks, systemSecrets, []string{s.opts.State})
	homes := []string{s.opts.Home, s.home}
	if s.home == s.opts.Home {
		homes = homes[:1]
	}
	for _, home := range homes {
		if home == "" {
			continue
		}
		for _, name := range homeSecrets {
			paths = append(paths, filepath.Join(home, name))
		}
	}
	return append(paths, boundSockets("/proc/net/unix")...)
}

// uncovered returns those of s.masked that no scratch folder covers.
func (s *Sandbox) uncovered() []string {
	return slices.DeleteFunc(slices.Clone(s.masked), func(path string) bool {
		covers := func(dir string) bool { return within(path, dir) }
		return slices.ContainsFunc(scratchDirs, covers) && !s.shows(path)
	})
}

// rootMasks returns the paths in the workspace that Options.Masks hide: each at
// its own place, and what it leads to if it is a link. Nothing need be there.
func (s *Sandbox) rootMasks() []string {
	var hidden []string
	hide := func(path string) {
		if s.scratch.treeOf(path) != nil && !s.holdsRoot(path) && !slices.Contains(hidden, path) {
			hidden = append(hidden, path)
		}
	}
	for _, path := range s.opts.Masks {
		path = filepath.Clean(path)
		if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
			path = filepath.Join(dir, filepath.Base(path))
		}
		hide(path)
		if stat, err := os.Lstat(path); err == nil && stat.Mode()&fs.ModeSymlink != 0 {
			for _, target := range existing(path) {
				hide(target)
			}
		}
	}
	return withoutNested(hidden)
}

// shownMasks returns those of s.hidden that the workspace, or the draft, has
// something at: there is nothing to hide at the others, and what a command
// puts there is its own.
func (s *Sandbox) shownMasks() ([]string, error) {
	var shown []string
	for _, path := range s.hidden {
		t := s.scratch.treeOf(path)
		there, err := lookUp(t.lowers(), t.rel(path))
		if err != nil {
			return nil, err
		}
		if there.stat != nil {
			shown = append(shown, path)
		}
	}
	return shown, nil
}

// hides reports whether path is hidden, or lies in what is.
func (s *Sandbox) hides(path string) bool {
	return slices.ContainsFunc(s.hidden, func(mask string) bool { return within(path, mask) })
}

// shows reports whether path lies in what is mounted over the scratch
// folders.
func (s *Sandbox) shows(path string) bool {
	shown := func(root string) bool { return within(path, root) }
	return slices.ContainsFunc(s.opts.Roots, shown) || s.home != "" && within(path, s.home)
}

// holdsRoot reports whether the user works in dir, so that to mask it would
// mask the workspace.
func (s *Sandbox) holdsRoot(dir string) bool {
	return slices.ContainsFunc(s.opts.Roots, func(root string) bool { return within(root, dir) })
}

// boundSockets returns the sockets that have a path, from a file like
// /proc/net/unix. (proc(5): the path is the last field, and
// the only one with a slash)
func boundSockets(file string) []string {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // only read
	var paths []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if _, path, ok := strings.Cut(lines.Text(), " /"); ok {
			paths = append(paths, "/"+path)
		}
	}
	return paths
}
