package sandbox_test

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent/sandbox"
)

// TestRandomCommands runs random scripts in a sandbox and in a plain folder.
// After each, the view is brought up to date from the changes, as a draft
// would be; files and listings must agree, whatever stood in whose place.
func TestRandomCommands(t *testing.T) {
	for seed := range int64(8) {
		for _, kind := range confiningKinds() {
			t.Run(fmt.Sprint(seed, kind), func(t *testing.T) { compareWithModel(t, rand.New(rand.NewSource(seed)), kind) })
		}
	}
}

func compareWithModel(t *testing.T, r *rand.Rand, kind sandbox.Kind) {
	t.Helper()
	p := newPlace(t, nil)
	p.opts.Level.Kind = kind
	for i := range 12 {
		path := filepath.Join(p.root, randomName(r))
		if os.MkdirAll(filepath.Dir(path), 0o755) == nil {
			_ = os.WriteFile(path, fmt.Appendf(nil, "w%d", i), 0o644)
		}
	}
	model := filepath.Join(p.base, "model")
	p.shell("cp -a " + p.root + " " + model)
	before := files(t, p.root)
	view := sandbox.View{Files: map[string]sandbox.File{}}
	history := ""
	for range 4 {
		script := randomScript(r)
		history += script + "\n"
		cmd := exec.Command("/bin/sh", "-c", script)
		cmd.Dir = model
		_ = cmd.Run()
		res, err := p.sandbox().Run(t.Context(), view, sandbox.Command{Shell: script})
		if err != nil {
			t.Fatal(err)
		}
		if kind != sandbox.Namespaces { // whose copy ends with the command: a draft holds no empty folders
			p.shell("find " + model + " -mindepth 1 -type d -empty -delete")
		}
		follow(view, res.Changes)
		shown := maps.Clone(before)
		for path, file := range view.Files {
			name := strings.TrimPrefix(path, p.root+"/")
			if delete(shown, name); !file.Deleted {
				shown[name] = string(file.Content)
			}
		}
		if diff := cmp.Diff(files(t, model), shown); diff != "" {
			t.Fatalf("%s\nfiles: %s", history, diff)
		}
		listing := p.run(view, sandbox.Command{Shell: "find . -type f | LC_ALL=C sort | while read -r f; do echo $f $(cat $f); done"})
		if diff := cmp.Diff(list(files(t, model)), listing.Output); diff != "" || len(listing.Changes) > 0 {
			t.Fatalf("%s\nlisting: %s\nchanges %v", history, diff, listing.Changes)
		}
	}
	if diff := cmp.Diff(before, files(t, p.root)); diff != "" {
		t.Fatalf("the user's files: %s", diff)
	}
}

func (p *place) shell(script string) {
	p.t.Helper()
	if out, err := exec.Command("/bin/sh", "-c", script).CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// randomName returns one of few names, so that they meet.
func randomName(r *rand.Rand) string {
	parts := make([]string, 1+r.Intn(3))
	for i := range parts {
		parts[i] = string(rune('a' + r.Intn(3)))
	}
	return strings.Join(parts, "/")
}

func randomScript(r *rand.Rand) string {
	var lines []string
	for range 5 {
		name, other := randomName(r), randomName(r)
		if strings.HasPrefix(other, name) { // cp into itself copies what it finds, in the order of the folder
			other = "c/" + other
			name = "a"
		}
		lines = append(lines, []string{
			fmt.Sprintf("mkdir -p %s 2>/dev/null && echo t%d > %s", filepath.Dir(name), r.Intn(5), name),
			"rm -rf " + name,
			"mkdir -p " + name + " && echo in > " + name + "/a",
			fmt.Sprintf("mv %s %s", name, other),
			fmt.Sprintf("cp -r %s %s", name, other),
			"rm -rf " + name + " && mkdir -p " + name,
		}[r.Intn(6)]+" 2>/dev/null")
	}
	return strings.Join(lines, "\n")
}

// follow brings a view up to date as a draft does.
func follow(view sandbox.View, changes []sandbox.Change) {
	for _, c := range changes {
		switch c.Op {
		case sandbox.Delete:
			view.Files[c.Path] = sandbox.File{Deleted: true}
		case sandbox.Rename:
			view.Files[c.Path] = sandbox.File{Deleted: true}
			view.Files[c.To] = sandbox.File{Content: c.Content, Mode: c.Mode}
		default:
		}
	}
	for _, c := range changes {
		if c.Op == sandbox.Create || c.Op == sandbox.Modify {
			view.Files[c.Path] = sandbox.File{Content: c.Content, Mode: c.Mode}
		}
	}
}

// files returns the content of all files beneath dir, and where links lead to,
// by name.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, dir+"/")
		if entry.Type()&fs.ModeSymlink != 0 {
			found[name], err = os.Readlink(path)
			return err
		}
		b, err := os.ReadFile(path)
		found[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func list(files map[string]string) string {
	var b strings.Builder
	for _, name := range sorted(keys(files)) {
		fmt.Fprintf(&b, "./%s %s\n", name, strings.TrimSpace(files[name]))
	}
	return b.String()
}

func keys(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}
