package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ErrDamaged is in the errors of a bundle that cannot be read, or does not
// hold what it should.
var ErrDamaged = errors.New("the bundle is damaged")

// An Entry is one file of a commit.
type Entry struct {
	Mode string // 100644, 100755, 120000 (a link) or 160000 (a submodule)
	Hash string // of the blob, hexadecimal
	Path string // relative to the top folder, with slashes
}

// Tree returns the files of commit in the repository around dir.
func Tree(ctx context.Context, dir, commit string) ([]Entry, error) {
	out, err := run(ctx, dir, nil, "ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, line := range split(out) {
		head, path, ok := strings.Cut(line, "\t")
		fields := strings.Fields(head)
		if !ok || len(fields) != 3 {
			return nil, fmt.Errorf("git ls-tree: %q is no entry", line)
		}
		entries = append(entries, Entry{Mode: fields[0], Hash: fields[2], Path: path})
	}
	return entries, nil
}

// Blob returns the content of the file at path, relative to the top folder and
// with slashes, in commit. The error is fs.ErrNotExist where it has none.
func Blob(ctx context.Context, dir, commit, path string) ([]byte, error) {
	out, err := run(ctx, dir, nil, "cat-file", "blob", commit+":"+path)
	if exited(err, 128) {
		return nil, fmt.Errorf("%s in %.10s: %w", path, commit, fs.ErrNotExist)
	}
	return out, err
}

// Commits returns the newest commits up to HEAD, at most limit; none where
// there is no commit yet.
func Commits(ctx context.Context, dir string, limit int) ([]string, error) {
	out, err := run(ctx, dir, nil, "rev-list", "-n", strconv.Itoa(limit), "HEAD")
	if exited(err, 128) {
		return nil, nil
	}
	return strings.Fields(string(out)), err
}

// Branch returns the name of the branch that is checked out, "" for none.
func Branch(ctx context.Context, dir string) (string, error) {
	out, err := run(ctx, dir, nil, "symbolic-ref", "--quiet", "--short", "HEAD")
	if exited(err, 1) || exited(err, 128) {
		return "", nil
	}
	return strings.TrimSpace(string(out)), err
}

// Deleted returns the tracked files below dir that are gone from the disk:
// relative to dir, with slashes. Those that a sparse checkout leaves out are
// not gone.
func Deleted(ctx context.Context, dir string) ([]string, error) {
	out, err := run(ctx, dir, nil, "ls-files", "--deleted", "-z")
	return split(out), err
}

// Bundle writes what leads from the commits in known to HEAD into a new file.
// It reads the repository around dir, and changes nothing in it.
func Bundle(ctx context.Context, dir, file string, known []string) error {
	revisions := []string{"HEAD"}
	for _, commit := range known {
		revisions = append(revisions, "^"+commit)
	}
	_, err := run(ctx, dir, strings.NewReader(strings.Join(revisions, "\n")+"\n"), "bundle", "create", "--quiet", file, "--stdin")
	return err
}

// Create makes an empty bare repository in dir, unless one is there.
func Create(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	_, err := run(ctx, dir, nil, "init", "--quiet", "--bare", "--template=", ".")
	return err
}

// Contains reports whether the repository dir has commit and all it needs.
func Contains(ctx context.Context, dir, commit string) (bool, error) {
	_, err := run(ctx, dir, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", baseRef(commit))
	if exited(err, 1) || exited(err, 128) {
		return false, nil
	}
	return err == nil, err
}

// Bases returns the commits that the repository dir has with all they need.
func Bases(ctx context.Context, dir string) (map[string]bool, error) {
	out, err := run(ctx, dir, nil, "for-each-ref", "--format=%(refname)", baseRef(""))
	if err != nil {
		return nil, err
	}
	bases := map[string]bool{}
	for ref := range strings.FieldsSeq(string(out)) {
		bases[strings.TrimPrefix(ref, baseRef(""))] = true
	}
	return bases, nil
}

// baseRef is the name under which a bare repository keeps a commit.
func baseRef(commit string) string { return "refs/bases/" + commit }

// Unbundle takes commit out of the bundle in file into the bare repository
// dir. The error is ErrDamaged for a bundle that is broken, that needs commits
// which are not there, or whose HEAD is another one.
func Unbundle(ctx context.Context, dir, file, commit string) error {
	incoming := "refs/incoming/" + commit
	_, err := run(ctx, dir, nil, "-c", "protocol.file.allow=always", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--force", file, "HEAD:"+incoming)
	if err != nil {
		return damaged(err)
	}
	defer run(context.WithoutCancel(ctx), dir, nil, "update-ref", "-d", incoming) //nolint:errcheck // only litter
	out, err := run(ctx, dir, nil, "rev-parse", incoming)
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(string(out)); got != commit {
		return fmt.Errorf("%w: it holds %.10s, not %.10s", ErrDamaged, got, commit)
	}
	_, err = run(ctx, dir, nil, "update-ref", baseRef(commit), commit)
	return err
}

// damaged marks a failure as the bundle's, unless the disk is full.
func damaged(err error) error {
	var failed *Failure
	if !errors.As(err, &failed) {
		return err
	}
	if strings.Contains(failed.Stderr, "No space left") {
		return fmt.Errorf("%w: %w", syscall.ENOSPC, err)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// remotes are the protocols of repositories that an operator declares.
var remotes = []string{
	"-c", "protocol.file.allow=always", "-c", "protocol.http.allow=always", "-c", "protocol.https.allow=always",
	"-c", "protocol.ssh.allow=always", "-c", "core.sshCommand=ssh -oBatchMode=yes",
}

// Fetch takes a branch, HEAD where it is "", of the repository at url, or at a
// path of this machine, into the bare repository dir, and returns its commit.
// Unlike everything else here it uses the network: url must come from
// somebody who is trusted.
func Fetch(ctx context.Context, dir, url, branch string) (commit string, err error) {
	source := "HEAD"
	if branch != "" {
		source = "refs/heads/" + branch
	}
	incoming := "refs/incoming/" + strings.ReplaceAll(branch, "/", "-") + "-fetched"
	fetch := append(append([]string{}, remotes...), "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--force", "--end-of-options", url, source+":"+incoming)
	if _, err := run(ctx, dir, nil, fetch...); err != nil {
		return "", err
	}
	out, err := run(ctx, dir, nil, "rev-parse", incoming)
	if err != nil {
		return "", err
	}
	commit = strings.TrimSpace(string(out))
	_, err = run(ctx, dir, nil, "update-ref", baseRef(commit), commit)
	return commit, err
}

// exact keeps git from converting what it checks out: files are as they were
// committed. (gitattributes(5): this file wins over those in the tree)
const exact = "* -text -ident -filter !eol !working-tree-encoding\n"

// How a checkout gets its objects: by the commit's name, whether a ref leads to
// it or not, and with as many commits as show what is new.
const (
	anyCommit     = "--upload-pack=git -c uploadpack.allowAnySHA1InWant=true upload-pack"
	checkoutDepth = "--depth=50"
)

// Checkout makes a working tree of a commit of the bare repository dir in the
// folder to, over what is there: other files stay. It makes a .git there, which
// must not exist, with objects of its own: those of the commit and of the latest
// before it, and nothing else of dir.
func Checkout(ctx context.Context, dir, commit, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	if _, err := run(ctx, to, nil, "init", "--quiet", "--template=", "."); err != nil {
		return err
	}
	from, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	fetch := []string{"-c", "protocol.file.allow=always", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", checkoutDepth, anyCommit, "--end-of-options", from, commit}
	if _, err := run(ctx, to, nil, fetch...); err != nil {
		return err
	}
	if err := writeInfo(to, "info", "attributes", exact); err != nil {
		return err
	}
	_, err = run(ctx, to, nil, "checkout", "--quiet", "--force", "--detach", commit)
	return err
}

// writeInfo writes a file of a repository that we have just made.
func writeInfo(to, folder, name, content string) error {
	folder = filepath.Join(to, ".git", filepath.FromSlash(folder))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600) //nolint:forbidigo // our own repository, nobody else's
}
