package agent

import (
	"bytes"
	"context"
	"go/build"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/agentls/agentls/index"
)

// A narrowing makes of a command that checks all of a workspace one that checks
// what a change touches, which fails sooner. It returns the words of that, or
// none where it cannot say what is touched.
type narrowing struct {
	begins []string // the words of the commands that it knows
	narrow func(t *touched, words []string) []string
}

// narrowings are by the tool that checks. What a test reaches is known best by
// it: package.json and Makefiles name no part of it.
var narrowings = []narrowing{
	{[]string{"go test", "go vet", "go build", "staticcheck", "golangci-lint run"}, narrowGo},
	{[]string{"cargo test", "cargo check", "cargo clippy", "cargo build"}, narrowCargo},
	{[]string{"pytest", "python -m pytest", "python3 -m pytest"}, narrowPytest},
}

// maxNarrow is how many packages or files a narrowed command names: of more, all
// are checked.
const maxNarrow = 8

// touched are the files of a change, relative to the folder that commands run
// in, with slashes.
type touched struct {
	ctx   context.Context //nolint:containedctx // of the one call that it lives for
	snap  *index.Snapshot
	root  string
	files []string
}

// narrowed returns line for the files of a change, absolute, alone; "" where it
// cannot be narrowed. A line that a shell does more with than run it is left as
// it is.
func narrowed(ctx context.Context, snap *index.Snapshot, line string, changed []string) string {
	words := strings.Fields(line)
	if len(words) == 0 || !plainWords.MatchString(line) {
		return ""
	}
	t := &touched{ctx: ctx, snap: snap, root: snap.Roots()[0]}
	for _, file := range changed {
		rel, err := filepath.Rel(t.root, file)
		if err != nil || !filepath.IsLocal(rel) {
			return ""
		}
		t.files = append(t.files, filepath.ToSlash(rel))
	}
	for _, n := range narrowings {
		for _, begins := range n.begins {
			if line == begins || strings.HasPrefix(line, begins+" ") {
				return strings.Join(n.narrow(t, words), " ")
			}
		}
	}
	return ""
}

var plainWords = regexp.MustCompile(`^[\w./=,:@+ -]+$`)

// narrowGo names the packages of the files in place of "./...", where all of them
// are packages that this stands for: the go command fails on one that is gone, of
// another module, or built elsewhere only.
func narrowGo(t *touched, words []string) []string {
	at := slices.Index(words, "./...")
	if at < 0 || slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(strings.TrimLeft(w, "-"), "tags") }) {
		return nil
	}
	var packages []string
	for _, file := range t.files {
		dir := path.Dir(file)
		if path.Ext(file) != ".go" || !t.isPackage(dir) { // go.mod, what is embedded, what was the last of its package
			return nil
		}
		if dir != "." {
			dir = "./" + dir
		}
		packages = append(packages, dir)
	}
	packages = distinct(packages)
	if isTooMany(packages) {
		return nil
	}
	return slices.Replace(slices.Clone(words), at, at+1, packages...)
}

// isPackage reports whether dir is a package of the root's Go module that is built
// here: what "./..." finds.
func (t *touched) isPackage(dir string) bool {
	for d := dir; d != "."; d = path.Dir(d) {
		if base := path.Base(d); base == "testdata" || base == "vendor" || base[0] == '_' || base[0] == '.' || t.has(d+"/go.mod") {
			return false
		}
	}
	at := build.Default
	at.OpenFile = func(name string) (io.ReadCloser, error) {
		src, err := t.snap.ReadFile(t.ctx, name)
		return io.NopCloser(bytes.NewReader(src)), err
	}
	abs := filepath.Join(t.root, filepath.FromSlash(dir))
	return slices.ContainsFunc(t.snap.List(abs), func(e index.Entry) bool {
		if path.Ext(e.Name) != ".go" || strings.HasSuffix(e.Name, "_test.go") {
			return false
		}
		built, err := at.MatchFile(abs, e.Name)
		return built && err == nil
	})
}

// narrowCargo names the crates of the files, where the workspace has several.
func narrowCargo(t *touched, words []string) []string {
	if slices.ContainsFunc(words, func(w string) bool { return w == "-p" || strings.HasPrefix(w, "--package") }) {
		return nil
	}
	var crates []string
	for _, file := range t.files {
		if !t.has(file) {
			return nil // it may be the last of its crate
		}
		dir := path.Dir(file)
		for dir != "." && !t.has(dir+"/Cargo.toml") {
			dir = path.Dir(dir)
		}
		name := t.crate(dir)
		if dir == "." || name == "" {
			return nil
		}
		crates = append(crates, name)
	}
	crates = distinct(crates)
	if isTooMany(crates) {
		return nil
	}
	out := slices.Clone(words[:2])
	for _, crate := range crates {
		out = append(out, "-p", crate)
	}
	return append(out, words[2:]...)
}

var crateName = regexp.MustCompile(`(?m)^\[package\][^\[]*?^name *= *"([\w-]+)"`)

// crate returns the name of the crate in dir, or "".
func (t *touched) crate(dir string) string {
	src, err := t.snap.ReadFile(t.ctx, filepath.Join(t.root, filepath.FromSlash(dir), "Cargo.toml"))
	if err != nil {
		return ""
	}
	if m := crateName.FindSubmatch(src); m != nil {
		return string(m[1])
	}
	return ""
}

// narrowPytest names the test files that were changed, and those of the others by
// their usual names.
func narrowPytest(t *touched, words []string) []string {
	if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, ".py") || strings.Contains(w, "/") }) {
		return nil
	}
	var tests []string
	for _, file := range t.files {
		base := path.Base(file)
		switch {
		case path.Ext(file) != ".py":
			return nil
		case !t.has(file): // what imported it is not known
			return nil
		case strings.HasPrefix(base, "test_") || strings.HasSuffix(base, "_test.py"):
			tests = append(tests, file)
			continue
		}
		for _, candidate := range []string{"test_" + base, path.Join(path.Dir(file), "test_"+base), path.Join(path.Dir(file), "tests", "test_"+base), "tests/test_" + base} {
			if t.has(candidate) {
				tests = append(tests, candidate)
			}
		}
	}
	tests = distinct(tests)
	if isTooMany(tests) {
		return nil
	}
	return append(slices.Clone(words), tests...)
}

func (t *touched) has(rel string) bool {
	return t.snap.Has(filepath.Join(t.root, filepath.FromSlash(rel)))
}

func distinct(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// isTooMany reports whether names are too many to name, none, or such that mean
// more to a shell than themselves.
func isTooMany(names []string) bool {
	return len(names) == 0 || len(names) > maxNarrow || needQuotes(names)
}
