package sandbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestRunOpen: what other systems do with a command that the user consented
// to: it runs in a copy, and what it writes there is told as changes.
func TestRunOpen(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "ws")
	for name, content := range map[string]string{
		"a.txt": "a\n", "b.txt": "b\n", "gone.txt": "x\n", "same.txt": "same\n", "deleted.txt": "d\n", ".env": "SECRET\n", ".git/config": "[core]\n", "sub/c.txt": "c\n",
	} {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	opts := &Options{
		Roots: []string{root}, State: filepath.Join(dir, "state"), Home: dir, Env: os.Environ(), Now: time.Now, Masks: []string{filepath.Join(root, ".env")},
		Ignored: func(_ context.Context, _ string, names []string) (map[string]bool, error) {
			ignored := map[string]bool{}
			for _, name := range names {
				ignored[name] = strings.HasSuffix(name, ".o")
			}
			return ignored, nil
		},
	}
	view := View{Files: map[string]File{
		filepath.Join(root, "a.txt"):       {Content: []byte("draft\n")},
		filepath.Join(root, "new/d.txt"):   {Content: []byte("d\n"), Mode: 0o755},
		filepath.Join(root, "deleted.txt"): {Deleted: true},
	}}
	script := "cat a.txt new/d.txt; ls -A; pwd; echo more >> b.txt; rm gone.txt; touch same.txt; echo 1 > sub/made.txt; echo 2 > x.o; " +
		"printf '\\000' > bin; chmod +x sub/c.txt; exit 3"
	res, err := runOpen(t.Context(), opts, view, &Command{Limits: DefaultLimits}, []string{"/bin/sh", "-c", script})
	if err != nil {
		t.Fatal(err)
	}
	if want := "draft\nd\na.txt\nb.txt\ngone.txt\nnew\nsame.txt\nsub\n" + root + "\n"; res.Output != want || res.Code != 3 {
		t.Errorf("code %d, output %q, want %q", res.Code, res.Output, want)
	}
	want := []Change{
		{Op: Modify, Path: filepath.Join(root, "b.txt"), Content: []byte("b\nmore\n"), Mode: 0o644, Was: 0o644},
		{Op: Create, Path: filepath.Join(root, "bin"), Mode: 0o644, Binary: true},
		{Op: Delete, Path: filepath.Join(root, "gone.txt"), Was: 0o644},
		{Op: Modify, Path: filepath.Join(root, "sub/c.txt"), Content: []byte("c\n"), Mode: 0o755, Was: 0o644},
		{Op: Create, Path: filepath.Join(root, "sub/made.txt"), Content: []byte("1\n"), Mode: 0o644},
	}
	if diff := cmp.Diff(want, res.Changes, cmpopts.IgnoreFields(Change{}, "Size")); diff != "" {
		t.Error(diff)
	}
	if content, err := os.ReadFile(filepath.Join(root, "b.txt")); err != nil || string(content) != "b\n" {
		t.Errorf("the user's file is %q, %v", content, err)
	}
	if left, err := os.ReadDir(opts.State); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// TestRunOpenEnds: a command that takes too long, or that nobody waits for,
// ends with what it started.
func TestRunOpenEnds(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "ws")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	opts := &Options{Roots: []string{root}, State: filepath.Join(dir, "state"), Env: os.Environ(), Now: time.Now}
	argv := []string{"/bin/sh", "-c", "echo begun; sleep 60 & sleep 60"}
	res, err := runOpen(t.Context(), opts, View{}, &Command{Timeout: 300 * time.Millisecond, Limits: DefaultLimits}, argv)
	if err != nil || res.Stop != StopTime || res.Output != "begun\n" {
		t.Errorf("%+v, %v", res, err)
	}
	why := errors.New("nobody waits")
	ctx, cancel := context.WithCancelCause(t.Context())
	cmd := &Command{Limits: DefaultLimits, Stream: writer(func() { cancel(why) })}
	if _, err := runOpen(ctx, opts, View{}, cmd, argv); !errors.Is(err, why) {
		t.Error(err)
	}
}

// writer calls itself at each write.
type writer func()

func (w writer) Write(p []byte) (int, error) { w(); return len(p), nil }
