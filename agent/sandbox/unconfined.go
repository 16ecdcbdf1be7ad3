package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agentls/agentls/edits/text"
)

// An openCopy is a copy of the workspace for one command that nothing confines:
// on systems that have no other way, and only after the user said so. What the
// command writes in the workspace is still a change and not on the user's disk.
type openCopy struct {
	opts   *Options
	dir    string
	before map[string]copied // by path in the workspace
	budget int64             // bytes that may still be loaded
}

// A copied file is as the command found it.
type copied struct {
	stat    fs.FileInfo
	content []byte // of one that the view has; nil: that of the disk
}

// runOpen runs argv in a copy of the workspace and compares the two.
func runOpen(ctx context.Context, opts *Options, view View, cmd *Command, argv []string) (*Result, error) {
	began := opts.Now()
	if err := os.MkdirAll(opts.State, 0o700); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(opts.State, "copy-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck,forbidigo // our own scratch folder
	c := &openCopy{opts: opts, dir: dir, before: map[string]copied{}, budget: maxTexts}
	if err := c.fill(ctx, view); err != nil {
		return nil, fmt.Errorf("copy the workspace: %w", err)
	}
	res, err := c.execute(ctx, cmd, argv)
	if err != nil {
		return nil, err
	}
	if res.Changes, err = c.changes(ctx); err != nil {
		return nil, fmt.Errorf("read what the command changed: %w", err)
	}
	res.Level, res.Elapsed = opts.Level, opts.Now().Sub(began)
	return res, nil
}

// root returns where the copy of the i-th root is.
func (c *openCopy) root(i int) string {
	return filepath.Join(c.dir, strconv.Itoa(i), filepath.Base(c.opts.Roots[i]))
}

// of returns the path in the copy for one in the workspace.
func (c *openCopy) of(path string) string {
	for i, root := range c.opts.Roots {
		if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
			return filepath.Join(c.root(i), rel)
		}
	}
	return path
}

func (c *openCopy) names() renaming {
	var names renaming
	for i, root := range c.opts.Roots {
		names = append(names, renamed{from: c.root(i), to: root})
	}
	return names
}

func (c *openCopy) fill(ctx context.Context, view View) error {
	for i, root := range c.opts.Roots {
		if err := c.copyTree(ctx, root, c.root(i)); err != nil {
			return err
		}
	}
	for path, file := range view.Files {
		if err := c.lay(path, file); err != nil {
			return err
		}
	}
	return nil
}

func (c *openCopy) copyTree(ctx context.Context, root, to string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(root, path)
		switch at := filepath.Join(to, rel); {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil || relErr != nil:
			return errors.Join(err, relErr)
		case slices.Contains(c.opts.Masks, path), entry.Name() == ".git":
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case entry.IsDir():
			return os.MkdirAll(at, 0o755)
		case entry.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			return errors.Join(err, os.Symlink(target, at))
		case entry.Type().IsRegular():
			return c.copyOne(path, at)
		}
		return nil // a socket or a pipe is somebody else's
	})
}

// copyOne copies content, mode and time.
func (c *openCopy) copyOne(path, to string) error {
	src, err := os.Open(path)
	if err != nil {
		return err
	}
	defer src.Close() //nolint:errcheck // only read
	stat, err := src.Stat()
	if err != nil {
		return err
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, stat.Mode().Perm()|0o200)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if err := errors.Join(err, dst.Close(), os.Chtimes(to, time.Time{}, stat.ModTime())); err != nil {
		return err
	}
	return c.note(path, to, nil)
}

// note keeps how the file at path looks in the copy.
func (c *openCopy) note(path, to string, content []byte) error {
	stat, err := os.Lstat(to)
	c.before[path] = copied{stat: stat, content: content}
	return err
}

// lay makes a file of the copy as the view has it.
func (c *openCopy) lay(path string, file File) error {
	to := c.of(path)
	if file.Deleted {
		delete(c.before, path)
		return os.RemoveAll(to) //nolint:forbidigo // our own scratch folder
	}
	mode := file.Mode.Perm()
	if known, ok := c.before[path]; ok && mode == 0 {
		mode = known.stat.Mode().Perm()
	}
	if mode == 0 {
		mode = 0o644
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.RemoveAll(to)); err != nil { //nolint:forbidigo // our own scratch folder
		return err
	}
	if err := os.WriteFile(to, file.Content, mode|0o200); err != nil { //nolint:forbidigo // our own scratch folder
		return err
	}
	return c.note(path, to, file.Content)
}

func (c *openCopy) execute(ctx context.Context, cmd *Command, argv []string) (*Result, error) {
	if cmd.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, cmd.Timeout, errSlow)
		defer cancel()
	}
	dir := c.opts.Roots[0]
	if cmd.Dir != "" {
		dir = cmd.Dir
	}
	output := newRecorder(cmd.Limits.Output, c.names(), cmd.Stream)
	run := exec.CommandContext(ctx, argv[0], argv[1:]...)
	run.Dir, run.Env = c.of(dir), cleanEnv(c.opts.Env, c.opts.Home, c.of(dir), cmd)
	run.Stdout, run.Stderr, run.WaitDelay = output, output, 2*time.Second
	killGroup(run)
	err := run.Run()
	output.end()
	res := &Result{Output: output.text(), Cut: output.cut()}
	var exit *exec.ExitError
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errSlow):
		res.Stop, res.Code = StopTime, 128+9
	case cause != nil:
		return nil, fmt.Errorf("run %s: %w", argv[0], cause)
	case errors.As(err, &exit):
		res.Code, res.Signal = exitOf(exit.ProcessState)
	case err != nil:
		return nil, &SetupError{Step: "start the command", Err: err}
	}
	return res, nil
}

// errSlow is the cause of a context whose command took too long.
var errSlow = errors.New("the command took too long")

// changes compares the copy with what it was before the command.
func (c *openCopy) changes(ctx context.Context) ([]Change, error) {
	var found []Change
	for i, root := range c.opts.Roots {
		err := filepath.WalkDir(c.root(i), func(at string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			rel, err := filepath.Rel(c.root(i), at)
			if err != nil {
				return err
			}
			change, ok, err := c.compare(filepath.Join(root, rel), at, entry)
			if ok {
				found = append(found, change)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for path, was := range c.before { // those that were seen are gone from it
		found = append(found, Change{Op: Delete, Path: path, Was: was.stat.Mode().Perm(), Size: was.stat.Size()})
	}
	return c.unignored(ctx, found)
}

// compare returns how the file at differs from what it was, and takes it out
// of before.
func (c *openCopy) compare(path, at string, entry fs.DirEntry) (Change, bool, error) {
	was, known := c.before[path]
	delete(c.before, path)
	stat, err := entry.Info()
	if err != nil || !stat.Mode().IsRegular() {
		return Change{}, false, err // links are told by no content
	}
	change := Change{Op: Create, Path: path, Mode: stat.Mode().Perm(), Size: stat.Size()}
	if known {
		change.Op, change.Was = Modify, was.stat.Mode().Perm()
		if stat.Size() == was.stat.Size() && stat.ModTime().Equal(was.stat.ModTime()) && stat.Mode() == was.stat.Mode() {
			return change, false, nil
		}
	}
	if change.Huge = change.Size > min(maxText, c.budget); change.Huge {
		return change, true, nil
	}
	content, err := os.ReadFile(at)
	if err != nil {
		return change, false, err
	}
	if known && change.Mode == change.Was && c.isSame(path, was, content) {
		return change, false, nil
	}
	if change.Binary = text.Check(content) != nil; !change.Binary {
		change.Content = content
		c.budget -= change.Size
	}
	return change, true, nil
}

// isSame reports whether a file had this content before.
func (c *openCopy) isSame(path string, was copied, content []byte) bool {
	before := was.content
	if before == nil {
		var err error
		if before, err = os.ReadFile(path); err != nil {
			return false
		}
	}
	return bytes.Equal(before, content)
}

// unignored leaves out what version control ignores, and sorts.
func (c *openCopy) unignored(ctx context.Context, found []Change) ([]Change, error) {
	slices.SortFunc(found, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	if c.opts.Ignored == nil {
		return found, nil
	}
	var kept []Change
	for _, root := range c.opts.Roots {
		names := map[string]Change{}
		var asked []string
		for _, change := range found {
			if rel, err := filepath.Rel(root, change.Path); err == nil && filepath.IsLocal(rel) {
				names[filepath.ToSlash(rel)] = change
				asked = append(asked, filepath.ToSlash(rel))
			}
		}
		ignored, err := c.opts.Ignored(ctx, root, asked)
		if err != nil {
			return nil, err
		}
		for _, name := range asked {
			if !ignored[name] {
				kept = append(kept, names[name])
			}
		}
	}
	return kept, nil
}
