package sandbox_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent/sandbox"
)

// withTools gives a place the toolchains of whoever runs the tests.
func (p *place) withTools() *place {
	home, err := os.UserHomeDir()
	if err != nil {
		p.t.Fatal(err)
	}
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		p.t.Fatal(err)
	}
	rustup := os.Getenv("RUSTUP_HOME")
	if rustup == "" {
		rustup = filepath.Join(home, ".rustup")
	}
	p.opts.Env = append(os.Environ(), "RUSTUP_HOME="+rustup, "CARGO_HOME=", "GOCACHE="+strings.TrimSpace(string(goCache)), "GOPATH=", "GOTOOLCHAIN=local")
	return p
}

// TestGoBuild: a module is built and tested, what the build cache gains is
// kept for the next run, and the user's cache and home stay as they are.
func TestGoBuild(t *testing.T) {
	p := newPlace(t, map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.21\n", "m.go": "package m\n\nfunc One() int { return 1 }\n",
		"m_test.go": "package m\n\nimport \"testing\"\n\nfunc TestOne(t *testing.T) {\n\tif One() != 1 {\n\t\tt.Fatal()\n\t}\n}\n",
	}).withTools()
	if res := p.sh("go test ./... && go vet ./..."); !strings.HasPrefix(res.Output, "ok  \texample.com/m") || len(res.Changes) > 0 {
		t.Errorf("%q, changes %v", res.Output, summary(p, res))
	}
	other := &place{t: t, base: p.base, home: p.home, root: p.root, opts: p.opts}
	if res := other.sh("go test ./..."); !strings.Contains(res.Output, "(cached)") {
		t.Errorf("another run built it again: %q", res.Output)
	}
	if entries, err := os.ReadDir(p.home); err != nil || len(entries) != 2 { // the project and the state
		t.Errorf("the home holds %v, %v", entries, err)
	}
}

// TestCachesAreKept: what a tool adds to its cache in the home is there in the
// next run, and the home is as it was.
func TestCachesAreKept(t *testing.T) {
	p := newPlace(t, nil)
	p.write(p.home+"/.npm/theirs", "theirs\n")
	p.sh("cd ~/.npm && cat theirs && echo ours > ours && mkdir -p a/b && echo x > a/b/x && chmod 555 a/b && rm theirs && echo lost > ~/.lost")
	other := &place{t: t, base: p.base, home: p.home, root: p.root, opts: p.opts}
	if res := other.sh("cd ~ && find .npm -type f | sort && chmod 755 .npm/a/b && echo y > .npm/a/b/y"); res.Output != ".npm/a/b/x\n.npm/ours\n.npm/theirs\n" {
		t.Errorf("another run saw %q", res.Output)
	}
	third := &place{t: t, base: p.base, home: p.home, root: p.root, opts: p.opts}
	if res := third.sh("cat ~/.npm/a/b/*"); res.Output != "x\ny\n" {
		t.Errorf("a third run saw %q", res.Output)
	}
	if res := third.sh("cat ~/.npm/theirs"); res.Output != "theirs\n" {
		t.Errorf("what one run deleted, another lacks: %q", res.Output)
	}
	if got := p.read(p.home + "/.npm/theirs"); got != "theirs\n" {
		t.Errorf("the user's cache holds %q", got)
	}
}

// TestNpmBuild: npm installs from a folder and runs a script.
func TestNpmBuild(t *testing.T) {
	p := newPlace(t, map[string]string{
		".gitignore":       "node_modules/\n",
		"package.json":     `{"name":"m","version":"1.0.0","scripts":{"test":"node test.js"},"dependencies":{"dep":"file:./dep"}}`,
		"dep/package.json": `{"name":"dep","version":"1.0.0","main":"i.js"}`, "dep/i.js": "module.exports = 42\n", "test.js": "console.log(require('dep'))\n",
	}).withTools()
	p.git("init", "-q")
	res := p.sh("npm install --no-audit --no-fund >/dev/null && npm test --silent")
	if diff := cmp.Diff([]string{"create package-lock.json"}, summary(p, res)); diff != "" || res.Output != "42\n" {
		t.Errorf("%q\n%s", res.Output, diff)
	}
	view := sandbox.View{Files: map[string]sandbox.File{res.Changes[0].Path: {Content: res.Changes[0].Content}}}
	if res := p.run(view, sandbox.Command{Shell: "npm test --silent"}); res.Output != "42\n" || len(res.Changes) > 0 {
		t.Errorf("the second command: %q, changes %v", res.Output, summary(p, res))
	}
}

// TestCargoBuild: cargo builds and tests without the network.
func TestCargoBuild(t *testing.T) {
	p := newPlace(t, map[string]string{
		".gitignore": "target\n", "Cargo.toml": "[package]\nname = \"m\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
		"src/lib.rs": "pub fn one() -> i32 { 1 }\n#[test]\nfn t() { assert_eq!(one(), 1) }\n",
	}).withTools()
	p.git("init", "-q")
	res := p.sh("cargo test -q 2>&1 | grep 'test result' | head -1")
	if diff := cmp.Diff([]string{"create Cargo.lock"}, summary(p, res)); diff != "" || !strings.HasPrefix(res.Output, "test result: ok. 1 passed") {
		t.Errorf("%q\n%s", res.Output, diff)
	}
}

// wheelBackend builds a wheel with nothing but Python, so that pip needs no
// network for what builds it. (PEP 517)
const wheelBackend = `import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "m-1.0-py3-none-any.whl"
    info = "m-1.0.dist-info/"
    with zipfile.ZipFile(folder + "/" + name, "w") as z:
        z.write("m.py")
        z.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: m\nVersion: 1.0\n")
        z.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr(info + "RECORD", "")
    return name
`

// TestPipBuild: pip builds a wheel and installs it, without the network.
func TestPipBuild(t *testing.T) {
	python, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output() // behind wrappers that keep lists of their own
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, map[string]string{
				".gitignore": "lib/\n__pycache__/\n", "backend.py": wheelBackend, "m.py": "answer = 42\n",
				"pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n",
			}).withTools()
			p.opts.Level.Kind = kind
			p.git("init", "-q")
			res := p.sh(strings.TrimSpace(string(python)) + " -m pip install -q --disable-pip-version-check --root-user-action ignore --target lib . && cd lib && python3 -c 'import m; print(m.answer, m.__file__)'")
			if res.Output != "42 "+p.root+"/lib/m.py\n" || len(res.Changes) > 0 {
				t.Errorf("output %q, changes %v", res.Output, summary(p, res))
			}
		})
	}
}

// TestWorktree: git works in a linked worktree, and cannot write the
// repository it belongs to.
func TestWorktree(t *testing.T) {
	p := newPlace(t, map[string]string{"a.txt": "a\n", ".gitignore": "out\n"})
	p.git("init", "-q")
	p.git("add", ".")
	p.git("commit", "-q", "-m", "first")
	linked := filepath.Join(p.base, "linked")
	p.git("worktree", "add", "-q", linked)
	p.opts.Roots, p.root = []string{linked}, linked
	res := p.sh("echo b >> a.txt; touch out; git status --short; git log --format=%s; git commit -qam second 2>&1 | grep -c 'Read-only'; true")
	if want := " M a.txt\nfirst\n1\n"; res.Output != want {
		t.Errorf("output %q, want %q", res.Output, want)
	}
	if diff := cmp.Diff([]string{"modify a.txt"}, summary(p, res)); diff != "" {
		t.Error(diff)
	}
}

// TestSubmodule: what changes in a submodule comes out, by its own rules of
// what is ignored.
func TestSubmodule(t *testing.T) {
	inner := newPlace(t, map[string]string{"b.txt": "b\n", ".gitignore": "out\n"})
	inner.git("init", "-q")
	inner.git("add", ".")
	inner.git("commit", "-q", "-m", "inner")
	p := newPlace(t, map[string]string{"a.txt": "a\n"})
	p.git("init", "-q")
	p.git("submodule", "--quiet", "add", inner.root, "sub")
	res := p.sh("cd sub && echo c >> b.txt && touch out && git status --short && git log --format=%s")
	if want := " M b.txt\ninner\n"; res.Output != want {
		t.Errorf("output %q, want %q", res.Output, want)
	}
	if diff := cmp.Diff([]string{"modify sub/b.txt"}, summary(p, res)); diff != "" {
		t.Error(diff)
	}
}

// TestSymlinkedFolders: links inside of the workspace and to it work.
func TestSymlinkedFolders(t *testing.T) {
	p := newPlace(t, map[string]string{"real/a.txt": "a\n", ".gitignore": "x\n"})
	p.git("init", "-q")
	if err := os.Symlink("real", filepath.Join(p.root, "link")); err != nil {
		t.Fatal(err)
	}
	alias := filepath.Join(p.base, "alias")
	if err := os.Symlink(p.root, alias); err != nil {
		t.Fatal(err)
	}
	res := p.run(sandbox.View{}, sandbox.Command{Shell: "pwd; echo b > link/b.txt; rm link; mkdir link; echo c > link/c.txt", Dir: alias})
	if diff := cmp.Diff([]string{"delete link", "create link/c.txt", "create real/b.txt"}, summary(p, res)); diff != "" {
		t.Error(diff)
	}
	if res.Output != alias+"\n" && res.Output != p.root+"\n" {
		t.Errorf("output %q", res.Output)
	}
}

// TestManyRoots: each folder of a workspace is a view of its own, also one in
// another.
func TestManyRoots(t *testing.T) {
	p := newPlace(t, map[string]string{"a.txt": "a\n", "in/b.txt": "b\n"})
	second := filepath.Join(p.base, "second")
	p.write(second+"/c.txt", "c\n")
	p.opts.Roots = []string{p.root, p.root + "/in", second}
	res := p.sh("echo x >> a.txt; echo x >> in/b.txt; echo x >> " + second + "/c.txt")
	want := []string{"modify " + second + "/c.txt", "modify a.txt", "modify in/b.txt"}
	if diff := cmp.Diff(want, sorted(summary(p, res))); diff != "" {
		t.Error(diff)
	}
}

// TestRootOnOthersTree: as root in somebody's workspace a command is that
// somebody.
func TestRootOnOthersTree(t *testing.T) {
	p := newPlace(t, map[string]string{"a.txt": "a\n"})
	want := fmt.Sprint(os.Getuid())
	if os.Getuid() == 0 {
		want = fmt.Sprint(ordinaryUser)
		if out, err := exec.Command("chown", "-R", want, p.base).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	res := p.sh("id -u; echo b >> a.txt; echo c > c.txt; stat -c %u a.txt c.txt")
	if diff := cmp.Diff(strings.Repeat(want+"\n", 3), res.Output); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"modify a.txt", "create c.txt"}, summary(p, res)); diff != "" {
		t.Error(diff)
	}
}
