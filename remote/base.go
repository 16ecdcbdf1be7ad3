package remote

import (
	"context"
	"crypto/sha1" //nolint:gosec // git's, not ours
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/index/git"
)

const (
	maxFile    = 16 << 20  // bytes; larger ones are not sent
	maxOverlay = 256 << 20 // bytes of all files of an overlay
	asked      = 1000      // commits that the service is asked about
)

// ErrTooMuch is the end of a task whose tree differs too much from its commit.
var ErrTooMuch = fmt.Errorf("more than %d MiB differ from the last commit: commit them, or have git ignore them", maxOverlay>>20)

// A tree is a working tree as a snapshot has it: a commit, and how it differs.
type tree struct {
	gate    *agent.Gate
	screen  *agent.Screen
	top     string // the folder that all paths are relative to
	commit  string // "" where there is no repository, or no commit in it
	overlay Overlay
	left    []string // differs too, but is not sent: what may hold secrets, and what is too large

	committed []Committed // secrets in the commits that were sent
}

// readTree looks how the folder around root, seen through snap, differs from
// its last commit. What differs is as gate and screen let it pass: the secrets
// that are not committed are placeholders.
func readTree(ctx context.Context, snap *index.Snapshot, root string, gate *agent.Gate, screen *agent.Screen) (*tree, error) {
	top, ok, err := git.Root(ctx, root)
	if errors.Is(err, git.ErrNoGit) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	if !ok {
		t := &tree{top: root, gate: gate.In(ctx, snap), screen: screen}
		return t, t.compare(ctx, snap, filesBelow(snap, root), nil, nil)
	}
	t := &tree{top: top, gate: gate.In(ctx, snap), screen: screen}
	if t.commit, ok, err = git.Head(ctx, top); err != nil {
		return nil, err
	}
	var committed []git.Entry
	if ok {
		if committed, err = git.Tree(ctx, top, t.commit); err != nil {
			return nil, err
		}
	}
	listed, err := git.List(ctx, top)
	if err != nil {
		return nil, err
	}
	deleted, err := git.Deleted(ctx, top)
	if err != nil {
		return nil, err
	}
	return t, t.compare(ctx, snap, listed, deleted, committed)
}

// filesBelow returns the files of snap below root, relative to it.
func filesBelow(snap *index.Snapshot, root string) []string {
	var names []string
	for path := range snap.Files() {
		if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
			names = append(names, filepath.ToSlash(rel))
		}
	}
	return names
}

// compare fills the overlay: with what differs from committed among the files
// that are listed or open, and with those that are gone.
func (t *tree) compare(ctx context.Context, snap *index.Snapshot, listed, deleted []string, committed []git.Entry) error {
	root, err := os.OpenRoot(t.top)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // only read
	known := map[string]git.Entry{}
	for _, entry := range committed {
		known[entry.Path] = entry
	}
	for _, doc := range snap.Documents() {
		if rel, err := filepath.Rel(t.top, doc.Path); err == nil && filepath.IsLocal(rel) {
			listed = append(listed, filepath.ToSlash(rel))
		}
	}
	slices.Sort(listed)
	listed = slices.Compact(listed)
	size := 0
	for _, name := range listed {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := t.add(ctx, snap, root, name, known[name])
		if err != nil {
			return err
		}
		if size += n; size > maxOverlay {
			return ErrTooMuch
		}
	}
	t.remove(listed, deleted, committed)
	return nil
}

// add puts the file name into the overlay if it differs from entry, which is
// empty where it was not committed, and returns its size.
func (t *tree) add(ctx context.Context, snap *index.Snapshot, root *os.Root, name string, entry git.Entry) (size int, err error) {
	if CheckPath(name) != nil || entry.Mode == "120000" || entry.Mode == "160000" {
		return 0, nil
	}
	content, mode, err := readAt(snap, root, t.top, name)
	switch {
	case errors.Is(err, errNotSent):
		t.left = append(t.left, name)
		return 0, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNotPlain):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	if entry.Hash == blobHash(content, len(entry.Hash)) && (mode&0o100 != 0) == (entry.Mode == "100755") {
		return 0, nil
	}
	if t.withholds(name) {
		t.left = append(t.left, name)
		return 0, nil
	}
	if content, err = t.clean(ctx, name, content, entry); err != nil {
		return 0, err
	}
	t.overlay.Files = append(t.overlay.Files, OverlayFile{Path: name, Mode: mode, Content: content})
	return len(content), nil
}

// withholds reports whether the file name is not sent, because it may hold
// secrets. The folders above the tree do not count.
func (t *tree) withholds(name string) bool {
	rule, withheld := t.gate.Withheld("/" + name)
	if !withheld {
		rule, withheld = t.gate.Ignored(filepath.Join(t.top, filepath.FromSlash(name)))
	}
	if withheld && t.gate.Record != nil {
		t.gate.Record(agent.Withholding{Rule: rule, Path: name, Count: 1})
	}
	return withheld
}

// clean returns content with placeholders for the secrets that the commit does
// not have in this file.
func (t *tree) clean(ctx context.Context, name string, content []byte, entry git.Entry) ([]byte, error) {
	in, committed := string(content), ""
	if entry.Hash != "" {
		blob, err := git.Blob(ctx, t.top, t.commit, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		committed = string(blob)
	}
	if out := t.screen.CleanSince(committed, in, name); out != in {
		return []byte(out), nil
	}
	return content, nil
}

var (
	errNotPlain = errors.New("not a plain file")
	errNotSent  = errors.New("too large to be sent")
)

// readAt returns the content of a file as snap has it, and its permission
// bits. Closed files are read past snap, which would keep them all.
func readAt(snap *index.Snapshot, root *os.Root, top, name string) ([]byte, fs.FileMode, error) {
	name = filepath.FromSlash(name)
	mode := fs.FileMode(0o644)
	stat, err := root.Lstat(name)
	if err == nil {
		mode = stat.Mode().Perm()
	}
	if doc, ok := snap.Document(filepath.Join(top, name)); ok {
		return doc.Text, mode, nil
	}
	switch {
	case err != nil:
		return nil, 0, err
	case !stat.Mode().IsRegular():
		return nil, 0, errNotPlain
	case stat.Size() > maxFile:
		return nil, 0, errNotSent
	}
	content, err := root.ReadFile(name)
	return content, mode, err
}

// remove puts those of committed into the overlay that are gone.
func (t *tree) remove(listed, deleted []string, committed []git.Entry) {
	there := map[string]bool{}
	for _, name := range listed {
		there[name] = true
	}
	for _, name := range deleted {
		there[name] = false
	}
	for _, f := range t.overlay.Files {
		there[f.Path] = true // open in an editor, gone from the disk
	}
	for _, entry := range committed {
		if !there[entry.Path] && CheckPath(entry.Path) == nil {
			t.overlay.Files = append(t.overlay.Files, OverlayFile{Path: entry.Path, Gone: true})
		}
	}
}

// blobHash returns what git calls content, in this many digits.
func blobHash(content []byte, digits int) string {
	named := append(fmt.Appendf(nil, "blob %d\x00", len(content)), content...)
	if digits == hex.EncodedLen(sha256.Size) {
		sum := sha256.Sum256(named)
		return hex.EncodeToString(sum[:])
	}
	sum := sha1.Sum(named) //nolint:gosec // git's, not ours
	return hex.EncodeToString(sum[:])
}

// send gives the service what it needs of t, and returns it as a base.
func (c *Client) sendTree(ctx context.Context, t *tree) (Base, error) {
	base := Base{Commit: t.commit}
	var err error
	if t.commit != "" {
		if base.Bundle, err = c.sendCommits(ctx, t); err != nil {
			return base, fmt.Errorf("send the commits: %w", err)
		}
	}
	if len(t.overlay.Files) == 0 && t.commit != "" {
		return base, nil
	}
	raw, err := json.Marshal(t.overlay)
	if err != nil {
		return base, err
	}
	if len(raw) > MaxOverlay {
		return base, ErrTooMuch
	}
	if base.Overlay, err = c.uploadBytes(ctx, raw); err != nil {
		return base, fmt.Errorf("send what is not committed: %w", err)
	}
	return base, nil
}

// sendCommits uploads what leads to t's commit, HEAD of its repository, as far as
// the service lacks it. The hash is zero where it has all. The secrets in them
// are noted in t or, where they are not to leave, a *HistoryError.
func (c *Client) sendCommits(ctx context.Context, t *tree) (text.Hash, error) {
	recent, err := git.Commits(ctx, t.top, asked)
	if err != nil {
		return text.Hash{}, err
	}
	var known Commits
	if err := c.call(ctx, "POST", Prefix+"/commits", Commits{recent}, &known); err != nil {
		return text.Hash{}, err
	}
	if slices.Contains(known.Commits, t.commit) {
		return text.Hash{}, nil
	}
	if t.committed, err = t.committedSecrets(ctx, among(known.Commits, recent)); err != nil {
		return text.Hash{}, err
	}
	if c.opts.RefuseSecrets && len(t.committed) > 0 {
		return text.Hash{}, &HistoryError{t.committed}
	}
	dir, err := os.MkdirTemp("", "agentls-bundle-")
	if err != nil {
		return text.Hash{}, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck,forbidigo // our own temporary folder
	file := filepath.Join(dir, "bundle")
	if err := git.Bundle(ctx, t.top, file, known.Commits); err != nil {
		return text.Hash{}, err
	}
	return c.uploadFile(ctx, file)
}

// among returns those of hashes, which a stranger said, that are in known.
func among(hashes, known []string) []string {
	return slices.DeleteFunc(slices.Clone(hashes), func(hash string) bool { return !slices.Contains(known, hash) })
}

func (c *Client) uploadFile(ctx context.Context, name string) (text.Hash, error) {
	file, err := os.Open(name)
	if err != nil {
		return text.Hash{}, err
	}
	defer file.Close() //nolint:errcheck // only read
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return text.Hash{}, err
	}
	hash := text.Hash(sum.Sum(nil))
	return hash, c.upload(ctx, hash, file)
}

// diff returns t's overlay as a unified diff from its commit, for endpoints
// that take no overlays.
func (t *tree) diff(ctx context.Context) (string, error) {
	cs := &edits.ChangeSet{}
	at := commitSource{top: t.top, commit: t.commit}
	for _, f := range t.overlay.Files {
		path := filepath.Join(t.top, filepath.FromSlash(f.Path))
		before, err := at.ReadFile(ctx, path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		var change edits.FileChange
		switch {
		case f.Gone:
			change, err = edits.NewDelete(path, before)
		case err != nil:
			change, err = edits.NewCreate(path, f.Content, f.Mode)
		default:
			change, err = edits.NewModify(path, before, f.Content)
		}
		if errors.Is(err, edits.ErrNoChange) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("send what is not committed: %w", err)
		}
		cs.Files = append(cs.Files, change)
	}
	return cs.Unified(func(path string) string {
		rel, _ := filepath.Rel(t.top, path) // it was joined to it
		return filepath.ToSlash(rel)
	}), nil
}

// A commitSource is the files of a commit; of none at all where it is "".
type commitSource struct{ top, commit string }

// ReadFile implements edits.Source.
func (s commitSource) ReadFile(ctx context.Context, path string) ([]byte, error) {
	rel, err := filepath.Rel(s.top, path)
	if err != nil {
		return nil, err
	}
	if s.commit == "" {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
	}
	return git.Blob(ctx, s.top, s.commit, filepath.ToSlash(rel))
}

// A baseSource is the files of a base: those laid over a commit.
type baseSource struct {
	commitSource
	laid map[string]OverlayFile // by absolute path
}

// ReadFile implements edits.Source.
func (s *baseSource) ReadFile(ctx context.Context, path string) ([]byte, error) {
	if f, ok := s.laid[path]; ok {
		if f.Gone {
			return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
		}
		return f.Content, nil
	}
	return s.commitSource.ReadFile(ctx, path)
}

// newBaseSource returns the files of a base of the working tree top.
func newBaseSource(ctx context.Context, top, commit string, overlay *Overlay, diff string) (*baseSource, error) {
	s := &baseSource{commitSource: commitSource{top, commit}, laid: map[string]OverlayFile{}}
	for _, f := range overlay.Files {
		s.laid[filepath.Join(top, filepath.FromSlash(f.Path))] = f
	}
	if diff == "" {
		return s, nil
	}
	parsed, err := edits.ParseGitDiff(diff)
	if err != nil {
		return nil, err
	}
	cs, err := parsed.ChangeSet(ctx, s, edits.Confine([]string{top}))
	if err != nil {
		return nil, err
	}
	for i := range cs.Files {
		f := &cs.Files[i]
		s.laid[f.Path] = OverlayFile{Gone: true}
		if f.Op != edits.Delete {
			s.laid[f.Target()] = OverlayFile{Content: f.After()}
		}
	}
	return s, nil
}
