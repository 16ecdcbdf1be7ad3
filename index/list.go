package index

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	gitignore "github.com/denormal/go-gitignore"

	"github.com/agentls/agentls/index/git"
)

// An entry is a file as it lies on disk.
type entry struct {
	path    string // absolute
	size    int64  // bytes
	modTime int64  // Unix nanoseconds
}

// skippedFolders are not looked into where no git says what is ignored.
var skippedFolders = map[string]bool{
	"node_modules": true, ".venv": true, "venv": true, "__pycache__": true,
	".git": true, ".hg": true, ".svn": true, ".idea": true, ".cache": true,
}

// builtFolders are skipped too, where one of the files beside them says that a
// tool makes them. (Go's source has a go/build and a cmd/dist.)
var builtFolders = map[string][]string{
	"target": {"Cargo.toml", "pom.xml", "build.sbt"},
	"dist":   {"package.json", "pyproject.toml", "setup.py"},
	"build":  {"package.json", "pyproject.toml", "setup.py", "build.gradle", "build.gradle.kts", "CMakeLists.txt", "configure", "meson.build"},
}

// isSkipped reports whether the folder at path is one of either kind.
func isSkipped(path string) bool {
	dir, name := filepath.Split(path)
	return skippedFolders[name] || slices.ContainsFunc(builtFolders[name], func(beside string) bool {
		_, err := os.Lstat(filepath.Join(dir, beside))
		return err == nil
	})
}

// A tree is a folder whose files belong to the workspace: git's choice where
// there is a repository, the rules of .gitignore files elsewhere.
type tree struct {
	root   string
	hasGit bool
}

// openTree asks git about root. Without git the tree still lists.
func openTree(ctx context.Context, root string) (tree, error) {
	_, ok, err := git.Root(ctx, root)
	if errors.Is(err, git.ErrNoGit) {
		return tree{root: root}, nil
	}
	if err != nil || !ok {
		return tree{root: root}, err
	}
	// A folder that the repository around it ignores has rules of its own.
	ignored, err := git.Ignored(ctx, filepath.Dir(root), []string{filepath.Base(root)})
	if err != nil && ctx.Err() != nil {
		return tree{}, err
	}
	return tree{root: root, hasGit: !ignored[filepath.Base(root)]}, nil
}

// list returns the regular files of the tree; only those at or below one of
// paths, which are relative to the root, if there are any.
func (t tree) list(ctx context.Context, paths ...string) ([]entry, error) {
	if !t.hasGit {
		return t.walk(ctx, paths)
	}
	rels, err := git.List(ctx, t.root, paths...)
	if err != nil {
		return nil, err
	}
	for i, rel := range rels {
		rels[i] = filepath.Join(t.root, filepath.FromSlash(rel))
	}
	entries := make([]entry, 0, len(rels))
	for i, at := range lstats(rels) {
		switch path := rels[i]; {
		case at == nil: // tracked, and deleted
		case at.Mode().IsRegular():
			entries = append(entries, entryOf(path, at))
		case at.IsDir(): // a repository in the repository
			inner, err := tree{root: path, hasGit: true}.list(ctx)
			if ctx.Err() != nil {
				return nil, err
			}
			entries = append(entries, inner...) // of a broken one: none
		}
	}
	return entries, nil
}

// lstats looks at each of paths; of one that is gone there is nil. It takes as
// long as the system does, on every CPU: of a start when nothing changed, that
// is most.
func lstats(paths []string) []fs.FileInfo {
	found := make([]fs.FileInfo, len(paths))
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() {
			for i := len(paths) * w / workers; i < len(paths)*(w+1)/workers; i++ {
				if at, err := os.Lstat(paths[i]); err == nil {
					found[i] = at
				}
			}
		})
	}
	group.Wait()
	return found
}

func entryOf(path string, at fs.FileInfo) entry {
	return entry{path: path, size: at.Size(), modTime: at.ModTime().UnixNano()}
}

// rules are those of the .gitignore of one folder, and of the folders around.
type rules struct {
	dir   string
	own   gitignore.GitIgnore // nil: no file
	outer *rules
}

const maxRules = 1 << 20 // bytes of a .gitignore

func rulesOf(dir string, outer *rules) *rules {
	path := filepath.Join(dir, ".gitignore")
	at, err := os.Lstat(path)
	if err != nil || !at.Mode().IsRegular() || at.Size() > maxRules {
		return &rules{dir: dir, outer: outer}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return &rules{dir: dir, outer: outer}
	}
	skipBad := func(gitignore.Error) bool { return true }
	return &rules{dir: dir, outer: outer, own: gitignore.New(strings.NewReader(string(content)), dir, skipBad)}
}

// ignores reports whether the rules, the innermost first, say that d is out.
func (r *rules) ignores(path string, d fs.DirEntry) bool {
	if d.IsDir() && isSkipped(path) {
		return true
	}
	for ; r != nil; r = r.outer {
		if r.own == nil {
			continue
		}
		rel, err := filepath.Rel(r.dir, path)
		if err != nil {
			return false
		}
		if match := r.own.Relative(rel, d.IsDir()); match != nil {
			return match.Ignore()
		}
	}
	return false
}

// walk lists without git.
func (t tree) walk(ctx context.Context, paths []string) ([]entry, error) {
	var found []string
	err := t.visit(ctx, func(path string, d fs.DirEntry) error {
		if d.Type().IsRegular() && wanted(t.root, path, paths) {
			found = append(found, path)
		}
		return nil
	})
	entries := make([]entry, 0, len(found))
	for i, at := range lstats(found) {
		if at != nil && at.Mode().IsRegular() {
			entries = append(entries, entryOf(found[i], at))
		}
	}
	return entries, err
}

func wanted(root, path string, paths []string) bool {
	for _, rel := range paths {
		if below(path, filepath.Join(root, filepath.FromSlash(rel))) {
			return true
		}
	}
	return len(paths) == 0
}

// visit calls f for every file and folder of the tree that the .gitignore
// files do not ignore. Folders that cannot be read are left out.
func (t tree) visit(ctx context.Context, f func(path string, d fs.DirEntry) error) error {
	folders := map[string]*rules{}
	return filepath.WalkDir(t.root, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		outer := folders[filepath.Dir(path)]
		switch {
		case err != nil && path == t.root:
			return err
		case err != nil:
			return nil //nolint:nilerr // a folder that is gone or closed to us is not part of the workspace
		case path != t.root && outer.ignores(path, d):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			folders[path] = rulesOf(path, outer)
		}
		return f(path, d)
	})
}

// folders returns the folders at or below dir that are worth watching: those
// that are not ignored, whether they hold files yet or not.
func (t tree) folders(ctx context.Context, dir string) ([]string, error) {
	if !t.hasGit {
		var found []string
		err := t.visit(ctx, func(path string, d fs.DirEntry) error {
			if d.IsDir() && below(path, dir) {
				found = append(found, path)
			}
			return nil
		})
		return found, err
	}
	found := []string{dir}
	for level := found; len(level) > 0; { // one question to git for each level
		var next []string
		for _, parent := range level {
			next = append(next, subfolders(parent)...)
		}
		var err error
		if level, err = t.kept(ctx, next); err != nil {
			return found, err
		}
		found = append(found, level...)
	}
	return found, nil
}

func subfolders(dir string) []string {
	list, err := os.ReadDir(dir)
	if err != nil { // gone meanwhile
		return nil
	}
	var found []string
	for _, d := range list {
		if d.IsDir() && d.Name() != ".git" {
			found = append(found, filepath.Join(dir, d.Name()))
		}
	}
	return found
}

// kept returns the folders that git does not ignore.
func (t tree) kept(ctx context.Context, dirs []string) ([]string, error) {
	rels := make([]string, len(dirs))
	for i, dir := range dirs {
		rel, err := filepath.Rel(t.root, dir)
		if err != nil {
			return nil, err
		}
		rels[i] = filepath.ToSlash(rel)
	}
	ignored, err := git.Ignored(ctx, t.root, rels)
	var refused *git.Failure
	if err != nil && !errors.As(err, &refused) { // it refuses folders of a submodule
		return nil, err
	}
	kept := dirs[:0]
	for i, dir := range dirs {
		if !ignored[rels[i]] && (refused == nil || !isSkipped(dir)) {
			kept = append(kept, dir)
		}
	}
	return kept, nil
}
