// Package commands gives a run of the agent its commands: it lays the draft
// over the workspace as the view of a sandbox, and takes what a command
// changed into the draft.
package commands

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/sandbox"
	"github.com/agentls/agentls/edits/text"
)

// Options describe the machine and the workspace.
type Options struct {
	Roots []string // the workspace's folders, as the drafts have them

	// Sandbox describes the machine. Its Roots and Level are not read.
	Sandbox sandbox.Options

	// Level returns what sandbox.Probe found. It may wait for it.
	Level func(ctx context.Context) sandbox.Level

	Tracked Tracked
}

// A Sandbox runs the commands of one run. It makes nothing before the first.
type Sandbox struct {
	opts Options
	told map[string]bool // what was said of files that stay; of the run's goroutine
	scan *scan           // for what is hidden; nil: the sandbox hides it all; of the run's goroutine

	mu     sync.Mutex
	box    *sandbox.Sandbox // nil before the first command; guarded by mu
	closed bool             // guarded by mu
}

var _ agent.Sandbox = (*Sandbox)(nil)

// New returns the sandbox of one run.
func New(opts Options) *Sandbox { return &Sandbox{opts: opts, told: map[string]bool{}} }

// In returns the sandbox of one run on the workspace of roots, whose commands
// run in box, which hides what Secrets finds. Close closes box.
func In(box *sandbox.Sandbox, level sandbox.Level, roots []string) *Sandbox {
	s := New(Options{Roots: roots, Level: func(context.Context) sandbox.Level { return level }})
	s.box = box
	return s
}

// Confinement implements agent.Sandbox.
func (s *Sandbox) Confinement(ctx context.Context) agent.Confinement {
	level := s.opts.Level(ctx)
	return agent.Confinement{Says: level.String(), Holds: level.Confines()}
}

// Run implements agent.Sandbox. Files that the draft keeps from models are
// hidden from the command, because a model reads what it prints.
func (s *Sandbox) Run(ctx context.Context, draft *agent.Draft, cmd agent.Command) (*agent.CommandResult, error) {
	roots, err := realRoots(s.opts.Roots)
	if err != nil {
		return nil, err
	}
	box, err := s.open(ctx, draft, roots)
	if err != nil {
		return nil, err
	}
	command := sandbox.Command{Shell: cmd.Line, Dir: roots.real(cmd.Dir), Timeout: cmd.Timeout}
	if cmd.Network {
		command.Network = sandbox.NetworkOpen
	}
	if cmd.Unconfined {
		command.Consent = sandbox.Given
	}
	command.Opened = cmd.Writes
	done, err := box.Run(ctx, viewOf(draft, roots), command)
	if err != nil {
		return nil, err
	}
	res := &agent.CommandResult{Exit: done.Code, Stopped: string(done.Stop), Output: done.Output, Elapsed: done.Elapsed}
	takeAll(ctx, draft, roots, done.Changes, res)
	res.Left = slices.DeleteFunc(res.Left, s.wasTold)
	return res, nil
}

// wasTold reports whether what was said before. Files that a draft cannot hold
// stay for the later commands, and would be named after each.
func (s *Sandbox) wasTold(what string) bool {
	was := s.told[what]
	s.told[what] = true
	return was
}

// How much of a draft commands may change: more is nothing that anybody
// reviews, and a run has all of it in memory.
const (
	maxFiles = 5000
	maxBytes = 64 << 20
)

// takeAll makes changes in draft, and says so in res.
func takeAll(ctx context.Context, draft *agent.Draft, roots rootNames, changes []sandbox.Change, res *agent.CommandResult) {
	if n := len(changes) + len(draft.Changed()); n > maxFiles {
		res.Left = append(res.Left, fmt.Sprintf("all of the %d files that it changed: a proposal holds %d files; have version control ignore what is generated", len(changes), maxFiles))
		return
	}
	for i := range changes {
		changes[i] = *roots.given(&changes[i])
	}
	if sizeWith(ctx, draft, changes) > maxBytes {
		res.Left = append(res.Left, fmt.Sprintf("all of the %d files that it changed: a proposal holds %d MB; have version control ignore what is generated", len(changes), maxBytes>>20))
		return
	}
	for i := range changes {
		take(ctx, draft, &changes[i], res)
	}
}

// sizeWith returns how many bytes the files have that draft changed, once
// changes are made in it.
func sizeWith(ctx context.Context, draft *agent.Draft, changes []sandbox.Change) int {
	size := 0
	replaced := map[string]bool{}
	for i := range changes {
		size += len(changes[i].Content)
		replaced[changes[i].Path], replaced[changes[i].To] = true, true
	}
	for _, path := range draft.Changed() {
		if content, err := draft.ReadFile(ctx, path); err == nil && !replaced[path] {
			size += len(content)
		}
	}
	return size
}

// open returns the sandbox, which it makes the first time, with all hidden from
// commands that is to be: the user may have written a secret just now.
func (s *Sandbox) open(ctx context.Context, draft *agent.Draft, roots rootNames) (*sandbox.Sandbox, error) {
	opts := s.opts.Sandbox
	opts.Level = s.opts.Level(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, sandbox.ErrClosed
	case s.box != nil && s.scan == nil:
		return s.box, nil
	}
	opts.Roots = roots.distinct()
	if s.scan == nil {
		s.scan = newScan(draft.Gate(), opts.Roots, s.opts.Tracked)
	}
	hidden, err := s.scan.secrets(ctx)
	switch {
	case err != nil:
		return nil, err
	case s.box != nil:
		return s.box, s.box.Hide(ctx, hidden)
	}
	opts.Masks = append(hidden, opts.Masks...)
	s.box, err = sandbox.New(opts)
	return s.box, err
}

// Close implements agent.Sandbox.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	box := s.box
	s.box, s.closed = nil, true
	s.mu.Unlock()
	if box == nil {
		return nil
	}
	return box.Close()
}

// rootNames are the folders of the workspace by the names that drafts have for
// them, and by those without symbolic links that the sandbox wants.
type rootNames []struct{ given, real string }

func realRoots(roots []string) (rootNames, error) {
	names := make(rootNames, len(roots))
	for i, root := range roots {
		real, err := filepath.EvalSymlinks(root)
		if err != nil {
			return nil, err
		}
		names[i].given, names[i].real = filepath.Clean(root), real
	}
	return names, nil
}

// distinct returns the folders by their names without symbolic links, each once.
func (n rootNames) distinct() (dirs []string) {
	for _, r := range n {
		if !slices.Contains(dirs, r.real) {
			dirs = append(dirs, r.real)
		}
	}
	return dirs
}

func (n rootNames) real(path string) string {
	for _, r := range n {
		if rest, ok := below(path, r.given); ok {
			return r.real + rest
		}
	}
	return path
}

// given returns c by the names of drafts.
func (n rootNames) given(c *sandbox.Change) *sandbox.Change {
	out := *c
	for _, path := range []*string{&out.Path, &out.To} {
		for _, r := range n {
			if rest, ok := below(*path, r.real); ok {
				*path = r.given + rest
				break
			}
		}
	}
	return &out
}

// below returns what follows dir in path, which is dir or lies in it.
func below(path, dir string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, dir)
	return rest, ok && (rest == "" || os.IsPathSeparator(rest[0]))
}

// viewOf returns how draft differs from the disk. An open document that is as
// its file is none: its file keeps the time that builds go by.
func viewOf(draft *agent.Draft, roots rootNames) sandbox.View {
	files := map[string]sandbox.File{}
	for path, f := range draft.Overlay() {
		path = roots.real(path)
		if f.Mode == 0 && !f.Gone && isOnDisk(path, f.Content) {
			continue
		}
		files[path] = sandbox.File{Content: f.Content, Mode: f.Mode, Deleted: f.Gone}
	}
	return sandbox.View{Files: files}
}

func isOnDisk(path string, content []byte) bool {
	stat, err := os.Lstat(path)
	if err != nil || !stat.Mode().IsRegular() || stat.Size() != int64(len(content)) {
		return false
	}
	there, err := os.ReadFile(path)
	return err == nil && bytes.Equal(there, content)
}

var words = map[sandbox.Op]string{sandbox.Create: "created", sandbox.Modify: "changed", sandbox.Delete: "deleted", sandbox.Rename: "moved"}

// take makes c in draft and says so in res, or why it cannot be made.
func take(ctx context.Context, draft *agent.Draft, c *sandbox.Change, res *agent.CommandResult) {
	name := draft.Snapshot().Rel(c.Path)
	before, err := draft.Base(ctx, c.Path)
	if why := unfit(draft, c, before, err); why != nil {
		if !agent.IsPlain(name) {
			name = strconv.Quote(name)
		}
		res.Left = append(res.Left, name+": "+why.Error())
		if _, withheld := draft.Withheld(c.Path); !withheld && agent.IsPlain(c.Path) {
			draft.LeaveOut(c.Path, why.Error())
		}
		return
	}
	line := words[c.Op] + " " + name
	switch c.Op {
	case sandbox.Delete:
		draft.Remove(c.Path)
	case sandbox.Rename:
		draft.Move(c.Path, c.To, c.Content)
		draft.SetMode(c.To, c.Was, c.Mode)
		line += " to " + draft.Snapshot().Rel(c.To)
	case sandbox.Create:
		draft.Write(c.Path, c.Content, c.Mode)
	case sandbox.Modify:
		draft.Write(c.Path, c.Content, 0)
		draft.SetMode(c.Path, c.Was, c.Mode)
	}
	res.Changes = append(res.Changes, line)
}

// unfit says why a draft cannot hold c; nil if it can. Before is what the
// snapshot has at its path, unless err says why it has nothing.
func unfit(draft *agent.Draft, c *sandbox.Change, before []byte, err error) error {
	for _, path := range []string{c.Path, c.To} {
		if _, withheld := draft.Withheld(path); withheld {
			return errors.New("it is withheld from you, and stays as it is")
		}
		if !agent.IsPlain(path) {
			return errors.New("its name is no plain text")
		}
	}
	switch {
	case c.Huge:
		return fmt.Errorf("%d bytes are too many", c.Size)
	case c.Binary:
		return fmt.Errorf("a binary file of %d bytes", c.Size)
	case c.Mode&fs.ModeSymlink != 0:
		return errors.New("a symbolic link to " + c.Link)
	case c.Mode&fs.ModeType != 0:
		return errors.New("a pipe or a socket is in its place, for later commands too")
	case c.Was&fs.ModeSymlink != 0:
		return errors.New("it was a symbolic link")
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case text.Check(before) != nil:
		return errors.New("it was a binary file")
	}
	return nil
}
