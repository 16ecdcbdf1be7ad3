// Package git asks the git command about a repository, and carries commits
// between repositories. It is the only place that starts git.
//
// Invariant: a repository is a stranger. Nothing in its configuration, its
// attributes or its files makes git run a command, reach a network, ask the
// user or write. (Commits go into repositories of our own making.)
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrNoGit means that there is no git command.
	ErrNoGit = errors.New("git is not installed")
	// ErrTooMuch means that git said more than maxOutput.
	ErrTooMuch = errors.New("git printed too much")
)

const (
	maxOutput    = 256 << 20 // bytes; the paths of some million files
	maxComplaint = 2 << 10   // bytes of standard error that go into an error
	killDelay    = time.Second
)

// pinned overrides what a repository's configuration could make git run.
// Settings given by -c win over every file.
var pinned = []string{
	"core.hooksPath=/dev/null",
	"core.fsmonitor=false",
	"core.untrackedCache=false",
	"core.pager=cat",
	"core.editor=false",
	"core.askPass=false",
	"core.sshCommand=false",
	"core.gitProxy=false",
	"core.quotePath=false",
	"core.attributesFile=/dev/null",
	"credential.helper=",
	"diff.external=",
	"gpg.program=false",
	"log.showSignature=false",
	"log.mailmap=false",
	"protocol.allow=never",
	"submodule.recurse=false",
	"maintenance.auto=false",
	"gc.auto=0",
}

// environment returns this process's own, without what steers git elsewhere.
func environment() []string {
	env := make([]string, 0, len(os.Environ())+8)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "GIT_") && !strings.HasPrefix(kv, "LC_") && !strings.HasPrefix(kv, "LANG") {
			env = append(env, kv)
		}
	}
	return append(env,
		"GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=false", "SSH_ASKPASS=false",
		"GIT_NO_LAZY_FETCH=1", "GIT_ATTR_NOSYSTEM=1", "GIT_PAGER=cat", "LC_ALL=C")
}

// A Failure is a git command that ended with an error.
type Failure struct {
	Args   []string // without the pinned configuration
	Code   int      // exit code; -1 when killed
	Stderr string   // its beginning
}

// Error says what was run and what git complained about.
func (f *Failure) Error() string {
	return fmt.Sprintf("git %s: exit %d: %s", strings.Join(f.Args, " "), f.Code, strings.TrimSpace(f.Stderr))
}

// run starts git in dir and returns what it printed. The errors are ErrNoGit,
// ErrTooMuch, a *Failure, or the context's cause.
func run(ctx context.Context, dir string, stdin io.Reader, args ...string) ([]byte, error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return nil, ErrNoGit
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	full := make([]string, 0, 2*len(pinned)+len(args)+1)
	for _, setting := range pinned {
		full = append(full, "-c", setting)
	}
	cmd := exec.CommandContext(ctx, program, append(append(full, "--no-pager"), args...)...)
	stdout := &bounded{max: maxOutput, full: func() { cancel(ErrTooMuch) }}
	stderr := &bounded{max: maxComplaint, full: func() {}}
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, environment(), stdin, stdout, stderr
	cmd.WaitDelay = killDelay
	if err := cmd.Run(); err != nil {
		return nil, failure(ctx, err, args, stderr.buf.String())
	}
	return stdout.buf.Bytes(), nil
}

func failure(ctx context.Context, err error, args []string, stderr string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("git %s: %w", args[0], context.Cause(ctx))
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &Failure{Args: args, Code: exit.ExitCode(), Stderr: stderr}
	}
	return fmt.Errorf("git %s: %w", args[0], err)
}

// bounded keeps the first max bytes, and calls full when there are more.
type bounded struct {
	buf  bytes.Buffer
	max  int
	full func()
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.max - b.buf.Len(); len(p) > room {
		b.buf.Write(p[:room])
		b.full()
		return len(p), nil // git must not die of a closed pipe before it is told
	}
	return b.buf.Write(p)
}

// exited reports whether err is git ending with code.
func exited(err error, code int) bool {
	var f *Failure
	return errors.As(err, &f) && f.Code == code
}

// Root returns the top folder of the working tree around dir, with links
// resolved, and whether there is one.
func Root(ctx context.Context, dir string) (root string, ok bool, err error) {
	out, err := run(ctx, dir, nil, "rev-parse", "--show-toplevel")
	switch {
	case exited(err, 128): // no repository, a bare one, or one that belongs to another user
		return "", false, nil
	case err != nil:
		return "", false, err
	}
	root = strings.TrimSuffix(string(out), "\n")
	return root, root != "", nil
}

// Store returns the absolute path of the repository itself that dir lies in or
// is: the .git of a working tree, or a bare one. The error is a *Failure where
// there is none, or none that git reads.
func Store(ctx context.Context, dir string) (string, error) {
	out, err := run(ctx, dir, nil, "rev-parse", "--absolute-git-dir")
	return strings.TrimSuffix(string(out), "\n"), err
}

// List returns the files below dir that git tracks, or would if they were
// added: relative to dir, with slashes. Paths, which are relative to dir and
// literal, narrow it. A tracked file that was
// deleted may be among them, and one in a merge conflict more than once.
func List(ctx context.Context, dir string, paths ...string) ([]string, error) {
	args := []string{"--literal-pathspecs", "ls-files", "-c", "-o", "--exclude-standard", "-z", "--"}
	out, err := run(ctx, dir, nil, append(args, paths...)...)
	if err != nil {
		return nil, err
	}
	return split(out), nil
}

// Tracked returns which of paths, relative to dir, are in git's index.
func Tracked(ctx context.Context, dir string, paths []string) (map[string]bool, error) {
	tracked := map[string]bool{}
	for batch := range slices.Chunk(paths, 500) { // a command line has an end
		args := append([]string{"--literal-pathspecs", "ls-files", "-z", "--cached", "--"}, batch...)
		out, err := run(ctx, dir, nil, args...)
		if err != nil {
			return nil, err
		}
		for _, path := range split(out) {
			tracked[path] = true
		}
	}
	return tracked, nil
}

// Ignored returns which of paths, relative to dir, git ignores. Tracked files
// are not ignored, whatever the rules say.
func Ignored(ctx context.Context, dir string, paths []string) (map[string]bool, error) {
	ignored := map[string]bool{}
	if len(paths) == 0 {
		return ignored, nil
	}
	// "./" in front, because ":" at the beginning of a path means something
	stdin := strings.NewReader("./" + strings.Join(paths, "\x00./") + "\x00")
	out, err := run(ctx, dir, stdin, "check-ignore", "-z", "--stdin")
	if err != nil && !exited(err, 1) { // 1: none is ignored
		return nil, err
	}
	for _, path := range split(out) {
		ignored[strings.TrimPrefix(path, "./")] = true
	}
	return ignored, nil
}

func split(out []byte) []string {
	if len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// Head returns the hash of the commit that is checked out, and whether there
// is one.
func Head(ctx context.Context, dir string) (hash string, ok bool, err error) {
	out, err := run(ctx, dir, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", "HEAD^{commit}")
	switch {
	case exited(err, 1), exited(err, 128):
		return "", false, nil
	case err != nil:
		return "", false, err
	}
	return strings.TrimSpace(string(out)), true, nil
}

// A Commit is one entry of the history.
type Commit struct {
	Hash    string // hexadecimal
	Author  string
	Time    time.Time // of authorship
	Subject string    // the first line of the message
}

// lineHistory is how long git may follow lines through the history.
const lineHistory = 3 * time.Second

const format = "--format=%H%x00%an%x00%at%x00%s%x00"

// LastChange returns the last commit that changed lines first to last, from 1,
// of the file at path, relative to dir; where following the lines takes more
// than three seconds, the last that changed the file. It is not found where
// the file has no history.
func LastChange(ctx context.Context, dir, path string, first, last int) (c Commit, ok bool, err error) {
	if first < 1 || last < first {
		return Commit{}, false, fmt.Errorf("lines %d to %d of %q are no range of a file", first, last, path)
	}
	short, cancel := context.WithTimeout(ctx, lineHistory)
	defer cancel()
	lines := fmt.Sprintf("-L%d,%d:%s", first, last, path)
	out, err := run(short, dir, nil, "log", "-1", "--no-patch", "--no-ext-diff", "--no-textconv", format, lines)
	if err == nil {
		return parseCommit(out)
	}
	if errors.Is(err, ErrNoGit) || ctx.Err() != nil {
		return Commit{}, false, err
	}
	out, err = run(ctx, dir, nil, "log", "-1", "--no-patch", "--no-ext-diff", "--no-textconv", format, "--", ":(literal)"+path)
	if exited(err, 128) { // no commit yet
		return Commit{}, false, nil
	}
	if err != nil {
		return Commit{}, false, err
	}
	return parseCommit(out)
}

// parseCommit reads one entry written by format.
func parseCommit(out []byte) (Commit, bool, error) {
	fields := bytes.SplitN(out, []byte{0}, 5)
	if len(fields) < 5 {
		return Commit{}, false, nil
	}
	seconds, err := strconv.ParseInt(string(fields[2]), 10, 64)
	if err != nil {
		return Commit{}, false, fmt.Errorf("git log: time of commit: %w", err)
	}
	return Commit{
		Hash: strings.TrimSpace(string(fields[0])), Author: string(fields[1]),
		Time: time.Unix(seconds, 0), Subject: string(fields[3]),
	}, true, nil
}
