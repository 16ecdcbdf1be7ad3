package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/index/git"
	"github.com/agentls/agentls/lsp"
)

// open returns the workspace of dir, indexed: the repository dir lies in, else
// dir itself.
func (a *app) open(ctx context.Context, dir string) (lsp.Home, index.Stats, error) {
	root, err := workspaceRoot(ctx, dir)
	if err != nil {
		return lsp.Home{}, index.Stats{}, err
	}
	home := a.home([]string{root})
	bar := newBar("indexing "+root, "files")
	stats, err := home.Workspace.Scan(ctx, func(p index.Progress) {
		if p.Phase == index.Parsing {
			bar.update(p.Done, p.Total)
		}
	})
	bar.clear()
	return home, stats, err
}

// openConfigured is open, with what runs there.
func (a *app) openConfigured(ctx context.Context, dir string) (lsp.Setup, lsp.Home, error) {
	setup := a.configure(ctx, nil, a.commandsFor)
	if setup.Err != nil {
		return setup, lsp.Home{}, setup.Err
	}
	home, _, err := a.open(ctx, dir)
	return setup, home, err
}

// workspaceRoot returns the absolute path of the workspace that dir belongs
// to, links resolved: an editor and a shell must mean the same one.
func workspaceRoot(ctx context.Context, dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return "", err
	}
	stat, err := os.Stat(abs)
	if err != nil {
		return "", err
	}
	if !stat.IsDir() {
		return "", fmt.Errorf("%s is not a folder", abs)
	}
	root, ok, err := git.Root(ctx, abs)
	if err != nil && !errors.Is(err, git.ErrNoGit) {
		return "", err
	}
	if !ok || root == abs {
		return abs, nil
	}
	return outermost(ctx, root, abs)
}

// outermost returns root, a repository, or dir in it if that is ignored there:
// a checkout of something else, a vendored tree, a corpus.
func outermost(ctx context.Context, root, dir string) (string, error) {
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return "", err
	}
	rel = filepath.ToSlash(rel)
	ignored, err := git.Ignored(ctx, root, []string{rel})
	if err != nil {
		return "", err
	}
	if ignored[rel] {
		return dir, nil
	}
	return root, nil
}

// A location is FILE, FILE:LINE or FILE:LINE:COLUMN, numbers from 1, the
// column in bytes.
type location struct {
	path         string
	line, column int // from 0; line is -1 where none was given
}

func parseLocation(arg string) (location, error) {
	at := location{path: arg, line: -1}
	if arg == "" {
		return at, usageError("no file is named: FILE, FILE:LINE or FILE:LINE:COLUMN")
	}
	parts := strings.Split(arg, ":")
	numbers := []*int{&at.line, &at.column}
	for i := len(parts) - 1; i > 0 && len(parts)-i <= 2; i-- {
		if _, err := strconv.Atoi(parts[i]); err != nil {
			break
		}
		at.path = strings.Join(parts[:i], ":")
	}
	rest := strings.Split(strings.TrimPrefix(strings.TrimPrefix(arg, at.path), ":"), ":")
	for i, s := range rest {
		if s == "" {
			continue
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return at, usageError("%q: lines and columns are numbers from 1", arg)
		}
		*numbers[i] = n - 1
	}
	abs, err := filepath.Abs(at.path)
	if err != nil {
		return at, err
	}
	if at.path, err = filepath.EvalSymlinks(abs); err != nil {
		return at, err
	}
	return at, nil
}

// parseLocationIn is parseLocation for a file that is looked for from here, and
// where there is none, from dir.
func parseLocationIn(dir, arg string) (location, error) {
	at, err := parseLocation(arg)
	if errors.Is(err, fs.ErrNotExist) {
		return parseLocation(filepath.Join(dir, arg))
	}
	return at, err
}

// span returns the bytes of the location's line, or the empty span at its
// column, in snap.
func (l location) span(ctx context.Context, snap *index.Snapshot) (text.Span, error) {
	src, err := snap.ReadFile(ctx, l.path)
	if err != nil {
		return text.Span{}, err
	}
	lines := text.NewLines(src)
	offset, ok := lines.Offset(text.Point{Line: max(l.line, 0), Column: l.column}, text.UTF8)
	if !ok {
		return text.Span{}, fmt.Errorf("%s has %d lines, not %d", l.path, lines.Count(), l.line+1)
	}
	return text.Span{Start: offset, End: offset}, nil
}
