package edits_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

// files is a Source, by path.
type files map[string]string

func (f files) ReadFile(_ context.Context, path string) ([]byte, error) {
	content, ok := f[path]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
	}
	return []byte(content), nil
}

// modify returns a change of /w/f.
func modify(t *testing.T, before, after string) edits.FileChange {
	t.Helper()
	f, err := edits.NewModify("/w/f", []byte(before), []byte(after))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func must(t *testing.T) func(f edits.FileChange, err error) edits.FileChange {
	t.Helper()
	return func(f edits.FileChange, err error) edits.FileChange {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
}

func changeSet(files ...edits.FileChange) *edits.ChangeSet {
	return &edits.ChangeSet{ID: "c1", Title: "a change", Files: files}
}

func TestNewModify(t *testing.T) {
	got := modify(t, "a\nb\nc\r\nd", "a\nB\nc\r\nd\n")
	want := edits.FileChange{
		Op: edits.Modify, Path: "/w/f", Base: text.HashOf([]byte("a\nb\nc\r\nd")), Before: []byte("a\nb\nc\r\nd"),
		Hunks: []edits.Hunk{
			{ID: 1, Edit: text.Edit{Span: text.Span{Start: 2, End: 4}, New: "B\n"}, State: edits.Pending},
			{ID: 2, Edit: text.Edit{Span: text.Span{Start: 7, End: 8}, New: "d\n"}, State: edits.Pending},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if after := string(got.After()); after != "a\nB\nc\r\nd\n" {
		t.Errorf("leads to %q", after)
	}
	got.Hunks[0].State = edits.Rejected
	if after := string(got.After()); after != "a\nb\nc\r\nd\n" {
		t.Errorf("without the first hunk it leads to %q", after)
	}
}

func TestConstructorsRefuse(t *testing.T) {
	change := func(_ edits.FileChange, err error) error { return err }
	for name, c := range map[string]struct {
		got  error
		want error
		says string
	}{
		"no difference": {change(edits.NewModify("/w/f", []byte("a"), []byte("a"))), edits.ErrNoChange, "/w/f"},
		"binary before": {change(edits.NewModify("/w/f", []byte("a\x00"), []byte("a"))), text.ErrBinary, "/w/f"},
		"binary after":  {change(edits.NewModify("/w/f", []byte("a"), []byte("a\x00"))), text.ErrBinary, "/w/f"},
		"not UTF-8":     {change(edits.NewCreate("/w/f", []byte("\xff"), 0)), text.ErrNotUTF8, "/w/f"},
		"delete binary": {change(edits.NewDelete("/w/f", []byte("\x00"))), text.ErrBinary, "/w/f"},
		"relative path": {change(edits.NewCreate("w/f", nil, 0)), nil, "not absolute"},
		"unclean path":  {change(edits.NewCreate("/w/../f", nil, 0)), nil, "not absolute"},
		"onto itself":   {change(edits.NewRename("/w/f", "/w/f", nil, nil)), nil, "cannot go to /w/f"},
	} {
		if c.got == nil || c.want != nil && !errors.Is(c.got, c.want) || !strings.Contains(c.got.Error(), c.says) {
			t.Errorf("%s: %v", name, c.got)
		}
	}
}

func TestCheck(t *testing.T) {
	good := func() edits.FileChange { return modify(t, "a\nb\nc\n", "A\nb\nC\n") }
	for name, spoil := range map[string]func(f *edits.FileChange){
		"relative":       func(f *edits.FileChange) { f.Path = "f" },
		"unknown op":     func(f *edits.FileChange) { f.Op = "chmod" },
		"other content":  func(f *edits.FileChange) { f.Before = []byte("A\nB\nC\n") },
		"overlap":        func(f *edits.FileChange) { f.Hunks[1].Edit.Span.Start = 1 },
		"outside":        func(f *edits.FileChange) { f.Hunks[1].Edit.Span.End = 99 },
		"reversed":       func(f *edits.FileChange) { f.Hunks[0].Edit.Span = text.Span{Start: 2, End: 0} },
		"half a line":    func(f *edits.FileChange) { f.Hunks[0].Edit.Span.End = 1 },
		"unfinished":     func(f *edits.FileChange) { f.Hunks[0].Edit.New = "A" },
		"same ID":        func(f *edits.FileChange) { f.Hunks[1].ID = 1 },
		"ID 0":           func(f *edits.FileChange) { f.Hunks[0].ID = 0 },
		"binary":         func(f *edits.FileChange) { f.Hunks[0].Edit.New = "\x00\n" },
		"To of a modify": func(f *edits.FileChange) { f.To = "/w/g" },
		"no hunks":       func(f *edits.FileChange) { f.Hunks = nil },
		"create":         func(f *edits.FileChange) { f.Op = edits.Create },
		"delete":         func(f *edits.FileChange) { f.Op, f.Hunks = edits.Delete, f.Hunks[:1] },
		"rename":         func(f *edits.FileChange) { f.Op, f.To = edits.Rename, "/w/g" },
	} {
		f := good()
		if err := changeSet(f).Check(); err != nil {
			t.Fatal(err)
		}
		spoil(&f)
		if err := changeSet(f).Check(); err == nil {
			t.Errorf("%s: was accepted", name)
		}
	}
	if err := changeSet(good(), good()).Check(); err == nil {
		t.Error("a file changed twice was accepted")
	}
}

func TestSelect(t *testing.T) {
	rename := must(t)(edits.NewRename("/w/g", "/w/h", []byte("1\n2\n3\n"), []byte("I\n2\nIII\n")))
	cs := changeSet(modify(t, "a\nb\nc\n", "A\nA\nb\nC\n"), rename)
	cs.Files[0].Hunks[0].State = edits.Applied

	got := cs.Select(func(f *edits.FileChange, h *edits.Hunk) bool { return f.Path == "/w/f" || h.ID == 3 })
	second := rename
	second.Hunks = []edits.Hunk{rename.Hunks[0], rename.Hunks[2]}
	rest := edits.FileChange{
		Op: edits.Modify, Path: "/w/f", Base: text.HashOf([]byte("A\nA\nb\nc\n")), Before: []byte("A\nA\nb\nc\n"),
		Hunks: []edits.Hunk{{ID: 2, Edit: text.Edit{Span: text.Span{Start: 6, End: 8}, New: "C\n"}, State: edits.Pending}},
	}
	if diff := cmp.Diff(changeSet(rest, second), got); diff != "" {
		t.Error(diff)
	}
	cs.Mark(got, edits.Applied)
	want := edits.Counts{Files: 2, Pending: 1, Applied: 4, Added: 5, Removed: 4}
	if diff := cmp.Diff(want, cs.Counts()); diff != "" {
		t.Error(diff)
	}
	left := cs.Select(func(*edits.FileChange, *edits.Hunk) bool { return true })
	if f := left.Files[0]; len(left.Files) != 1 || f.Op != edits.Modify || f.Path != "/w/h" || string(f.Before) != "1\n2\nIII\n" {
		t.Errorf("what is left of an applied renaming is %+v", left.Files)
	}
}

func TestInverse(t *testing.T) {
	cs := changeSet(
		modify(t, "a\nb\nc\n", "A\nA\nb\n"),
		must(t)(edits.NewCreate("/w/new", []byte("n\n"), 0o755)),
		must(t)(edits.NewDelete("/w/old", []byte("o\n"))),
		must(t)(edits.NewRename("/w/g", "/w/h", []byte("1\n2\n"), []byte("1\nII\n"))),
	)
	cs.Files[2].Was = 0o700
	inverse := cs.Inverse()
	if err := inverse.Check(); err != nil {
		t.Fatal(err)
	}
	created := must(t)(edits.NewCreate("/w/old", []byte("o\n"), 0o700))
	deleted := must(t)(edits.NewDelete("/w/new", []byte("n\n")))
	deleted.Was = 0o755
	want := changeSet(
		modify(t, "A\nA\nb\n", "a\nb\nc\n"), deleted, created,
		must(t)(edits.NewRename("/w/h", "/w/g", []byte("1\nII\n"), []byte("1\n2\n"))),
	)
	if diff := cmp.Diff(want, inverse); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(cs, inverse.Inverse()); diff != "" {
		t.Errorf("the inverse of the inverse is another one: %s", diff)
	}
}

// TestUnified lets git apply what Unified writes.
func TestUnified(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewSource(1))
	for i := range 60 {
		before, after, _ := gen(r, i%3)
		cs := &edits.ChangeSet{}
		add := func(f edits.FileChange, err error) {
			if errors.Is(err, edits.ErrNoChange) {
				return
			}
			cs.Files = append(cs.Files, must(t)(f, err))
		}
		add(edits.NewModify(filepath.Join(dir, "a file"), []byte(before), []byte(after)))
		add(edits.NewRename(filepath.Join(dir, "x", `q"\uote`), filepath.Join(dir, "x", "grün\t2"), []byte(before), []byte(after)))
		add(edits.NewCreate(filepath.Join(dir, "empty"), nil, 0o755))
		add(edits.NewCreate(filepath.Join(dir, "new"), []byte(after), 0))
		add(edits.NewDelete(filepath.Join(dir, "gone"), []byte(before)))
		add(edits.NewDelete(filepath.Join(dir, "void"), nil))
		writeTree(t, dir, map[string]string{"a file": before, `x/q"\uote`: before, "gone": before, "void": ""})
		want := map[string]string{"a file": after, "x/grün\t2": after, "new": after, "empty": ""}

		patch := cs.Unified(func(path string) string {
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				t.Fatal(err)
			}
			return rel
		})
		cmd := exec.CommandContext(t.Context(), "git", "apply", "--whitespace=nowarn", "-")
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(patch)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s\n%s", err, out, patch)
		}
		if diff := cmp.Diff(want, readTree(t, dir)); diff != "" {
			t.Fatalf("%s\n%s", diff, patch)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// writeTree writes files by their slash-separated names below dir.
func writeTree(tb testing.TB, dir string, files map[string]string) {
	tb.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}

// readTree returns the files below dir, and its empty folders with a slash.
func readTree(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	tree := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if to, err := os.Stat(path); !d.IsDir() && err == nil && to.IsDir() {
			return nil // a link to a folder
		}
		if d.IsDir() {
			below, err := os.ReadDir(path)
			if len(below) == 0 {
				tree[filepath.ToSlash(name)+"/"] = ""
			}
			return err
		}
		content, err := os.ReadFile(path)
		tree[filepath.ToSlash(name)] = string(content)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return tree
}

// gen returns a text and two changed copies, which may make the same change.
// Mode 1 has CRLF, mode 2 no final newline.
func gen(r *rand.Rand, mode int) (base, ours, theirs string) {
	lines := make([]string, 5+r.Intn(40))
	for i := range lines {
		lines[i] = "line " + string(rune('a'+i%26)) + " " + string(rune('0'+r.Intn(9)))
		if r.Intn(4) == 0 {
			lines[i] = []string{"}", "", "\treturn err", "{"}[r.Intn(4)]
		}
	}
	tag := "B"
	if r.Intn(5) == 0 {
		tag = "A"
	}
	return joined(lines, mode), joined(mutated(r, lines, "A"), mode), joined(mutated(r, lines, tag), mode)
}

func mutated(r *rand.Rand, lines []string, tag string) []string {
	out := append([]string(nil), lines...)
	for range 1 + r.Intn(4) {
		if len(out) == 0 {
			out = append(out, tag)
			continue
		}
		i, n := r.Intn(len(out)), string(rune('0'+r.Intn(3)))
		switch r.Intn(3) {
		case 0:
			out[i] = tag + " edit " + n
		case 1:
			out = append(out[:i], out[i+1:]...)
		case 2:
			out = append(out[:i], append([]string{tag + " ins " + n}, out[i:]...)...)
		}
	}
	return out
}

func joined(lines []string, mode int) string {
	newline := "\n"
	if mode == 1 {
		newline = "\r\n"
	}
	s := strings.Join(lines, newline)
	if mode != 2 && len(lines) > 0 {
		s += newline
	}
	return s
}

// gitMerge returns what `git merge-file` makes of it, and whether cleanly.
func gitMerge(t *testing.T, dir, base, ours, theirs string) (merged string, clean bool) {
	t.Helper()
	writeTree(t, dir, map[string]string{"base": base, "ours": ours, "theirs": theirs})
	cmd := exec.CommandContext(t.Context(), "git", "merge-file", "-p", "-q", "ours", "base", "theirs")
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout = &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), err == nil
}
