package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module   = "github.com/agentls/agentls/"
	anything = "*"
)

// allowed is the table of ARCHITECTURE.md: what each package may import beside
// the standard library. Names without a host are packages of this module; a
// name that ends in a slash stands for all below it. The standard library's
// network packages, os/exec and cgo ("C") are listed too: most packages may not
// have them.
var allowed = map[string][]string{
	"edits/text": {},
	"edits": {
		"edits/text", "znkr.io/diff", "znkr.io/diff/", "github.com/google/renameio/v2", "go.etcd.io/bbolt", "go.etcd.io/bbolt/",
		"golang.org/x/sys/",
	},
	"index/git":    {"os/exec"}, // the only place that starts git
	"index/syntax": {"C", "github.com/tree-sitter/"},
	"index/lang":   {"index/syntax", "github.com/tree-sitter/", "github.com/tree-sitter-grammars/"},
	"index": {
		"edits/text", "index/git", "index/lang", "index/syntax", "go.etcd.io/bbolt", "go.etcd.io/bbolt/",
		"github.com/fsnotify/fsnotify", "github.com/denormal/go-gitignore", "golang.org/x/sync/",
	},
	"agent":               {"agent/secrets", "edits", "edits/text", "index"},
	"agent/secrets":       {"edits/text", "github.com/pelletier/go-toml/v2"},
	"agent/commands":      {"agent", "agent/sandbox", "edits/text"},
	"agent/permissions":   {"agent"},
	"agent/transcripts":   {"agent", "golang.org/x/sys/"},
	"agent/sandbox":       {"edits/text", "agent/sandbox/stage", "golang.org/x/sys/", "os/exec"},
	"agent/sandbox/stage": {"golang.org/x/sys/", "os/exec"},
	"cmd/agentls-sandbox": {"agent/sandbox/stage"},
	"agent/openai":        {"agent", "net", "net/http", "net/http/", "github.com/openai/openai-go/v3", "github.com/openai/openai-go/v3/", "golang.org/x/"},
	"agent/script":        {"net", "net/http", "net/http/", "golang.org/x/tools/txtar"},
	"remote":              {"agent", "edits", "edits/text", "index", "index/git", "net/http"},
	"remote/server": {
		"remote", "agent", "index", "index/git", "edits", "edits/text", "net", "net/http", "go.etcd.io/bbolt", "go.etcd.io/bbolt/",
	},
	"lsp/rpc": {"go.lsp.dev/"},
	"lsp":     {"lsp/rpc", "agent", "agent/permissions", "agent/transcripts", "edits", "edits/text", "index", "index/git", "remote", "go.lsp.dev/"},

	"editors/model":    {"agent/script"},
	"editors/nvimtest": {"os/exec", "github.com/neovim/go-client/"},
	"cmd/agentls/demo": {"os/exec", "edits", "edits/text", "index", "agent", "agent/script", "editors/nvimtest", "github.com/neovim/go-client/"},
	"cmd/agentls":      {anything},
}

// TestImports fails when a package imports what allowed does not list, or is
// not in it. It parses the files itself, so that those of every platform
// count. Test files may import anything.
func TestImports(t *testing.T) {
	root := os.DirFS("../..")
	for _, name := range goFiles(t, root) {
		may, known := allowed[path.Dir(name)]
		if !known {
			t.Errorf("%s: package %s is not in the table of ARCHITECTURE.md: add it there and in allowed", name, path.Dir(name))
			continue
		}
		for _, imported := range imports(t, root, name) {
			if !permits(may, imported) {
				t.Errorf("%s imports %s: ARCHITECTURE.md does not allow it", name, imported)
			}
		}
	}
}

// TestPermits pins the rules that TestImports goes by.
func TestPermits(t *testing.T) {
	may := []string{"edits", "go.lsp.dev/", "golang.org/x/tools/txtar"}
	cases := map[string]bool{
		"strings":                   true,
		"go/parser":                 true,
		"net/url":                   true,
		"net":                       false,
		"net/http":                  false,
		"net/http/httptest":         false,
		"net/rpc":                   false,
		"C":                         false,
		"os/exec":                   false,
		module + "edits":            true,
		module + "edits/text":       false,
		module + "edit":             false,
		"go.lsp.dev/protocol":       true,
		"go.lsp.device/x":           false,
		"golang.org/x/tools/txtar":  true,
		"golang.org/x/tools/txtar2": false,
	}
	for imported, want := range cases {
		if got := permits(may, imported); got != want {
			t.Errorf("permits(%q) = %v, want %v", imported, got, want)
		}
	}
	if !permits([]string{anything}, "net/http") || !permits([]string{"C", "net/http/"}, "net/http/httptest") {
		t.Error("a listed network package is refused")
	}
}

// permits reports whether a package that may import the names in may may
// import imported.
func permits(may []string, imported string) bool {
	return slices.ContainsFunc(may, func(name string) bool {
		below := strings.HasSuffix(name, "/") && strings.HasPrefix(imported, name)
		return name == anything || imported == name || imported == module+name || below
	}) || isPlainStandard(imported)
}

// isPlainStandard reports whether imported is of the standard library and
// neither reaches the network nor starts programs nor is cgo. (net/url, net/netip, net/mail and
// net/textproto only parse.)
func isPlainStandard(imported string) bool {
	switch {
	case imported == "C", imported == "os/exec", imported == "net", imported == "net/http", imported == "net/rpc", imported == "net/smtp":
		return false
	case strings.HasPrefix(imported, "net/http/"), strings.HasPrefix(imported, "net/rpc/"):
		return false
	}
	host, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(host, ".")
}

// goFiles returns the Go files of this module that are not tests.
func goFiles(t *testing.T, root fs.FS) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return skipForeign(root, name)
		case path.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go"):
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// skipForeign returns fs.SkipDir for folders whose Go files are not of this
// module: those the go command ignores, and modules of their own.
func skipForeign(root fs.FS, dir string) error {
	base := path.Base(dir)
	if dir == "." {
		return nil
	}
	if base[0] == '.' || base[0] == '_' || base == "testdata" || base == "node_modules" {
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, path.Join(dir, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func imports(t *testing.T, root fs.FS, name string) []string {
	t.Helper()
	source, err := fs.ReadFile(root, name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, imported)
	}
	return paths
}
