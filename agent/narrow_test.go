package agent

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/agentls/agentls/index"
)

// TestNarrowed: a check of all becomes one of what is touched, or stays.
func TestNarrowed(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"crates/one/src/lib.rs", "crates/two/src/lib.rs", "Cargo.toml", "test_flat.py", "pkg/tests/test_mod.py", "pkg/mod.py", "flat.py"} {
		write(t, filepath.Join(dir, name), "")
	}
	for _, name := range []string{"d.go", "a/b.go", "a/c.go", "a b/c.go", "1/a.go", "2/a.go", "3/a.go", "4/a.go", "5/a.go", "6/a.go", "7/a.go", "8/a.go", "9/a.go", "nested/in/a.go", "a/testdata/a.go", "tests/a_test.go", "other/a_plan9.go"} {
		write(t, filepath.Join(dir, name), "package p\n")
	}
	write(t, filepath.Join(dir, "nested/go.mod"), "module nested\n")
	write(t, filepath.Join(dir, "never/a.go"), "//go:build never\n\npackage p\n")
	write(t, filepath.Join(dir, "crates/one/Cargo.toml"), "[package]\nedition = \"2024\"\nname = \"one-crate\"\n")
	write(t, filepath.Join(dir, "crates/two/Cargo.toml"), "[lib]\nname = \"none\"\n")
	ws := index.New(index.Options{Roots: []string{dir}})
	if _, err := ws.Scan(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line    string
		changed []string
		want    string
	}{
		{"go test ./...", []string{"a/b.go", "a/c.go", "d.go"}, "go test . ./a"},
		{"go test -race -run=X ./...", []string{"a/b.go"}, "go test -race -run=X ./a"},
		{"golangci-lint run ./...", []string{"a/b.go"}, "golangci-lint run ./a"},
		{"go test ./...", []string{"a/b.go", "go.mod"}, ""},
		{"go test ./...", []string{"a b/c.go"}, ""},
		{"go test ./...", []string{"a/gone.go"}, "go test ./a"},
		{"go vet ./...", []string{"gone/a.go", "a/b.go"}, ""},
		{"go vet ./...", []string{"nested/in/a.go"}, ""},
		{"go vet ./...", []string{"a/testdata/a.go"}, ""},
		{"go vet ./...", []string{"never/a.go"}, ""},
		{"go vet ./...", []string{"other/a_plan9.go"}, ""},
		{"go build ./...", []string{"tests/a_test.go"}, ""},
		{"go vet -tags never ./...", []string{"a/b.go"}, ""},
		{"go test ./... && rm -rf x", []string{"a/b.go"}, ""},
		{"go test ./sub", []string{"a/b.go"}, ""},
		{"gotest ./...", []string{"a/b.go"}, ""},
		{"go test ./...", []string{"1/a.go", "2/a.go", "3/a.go", "4/a.go", "5/a.go", "6/a.go", "7/a.go", "8/a.go", "9/a.go"}, ""},
		{"cargo test --all-features", []string{"crates/one/src/lib.rs"}, "cargo test -p one-crate --all-features"},
		{"cargo test", []string{"crates/two/src/lib.rs"}, ""},
		{"cargo test", []string{"src/lib.rs"}, ""},
		{"cargo test -p x", []string{"crates/one/src/lib.rs"}, ""},
		{"python -m pytest -q", []string{"pkg/mod.py", "flat.py"}, "python -m pytest -q pkg/tests/test_mod.py test_flat.py"},
		{"pytest", []string{"pkg/tests/test_mod.py"}, "pytest pkg/tests/test_mod.py"},
		{"pytest", []string{"pkg/none.py"}, ""},
		{"pytest", []string{"test_gone.py", "flat.py"}, ""},
		{"cargo test", []string{"crates/one/src/gone.rs"}, ""},
		{"pytest tests/unit", []string{"flat.py"}, ""},
		{"npm test", []string{"a.js"}, ""},
		{"", []string{"a.go"}, ""},
		{"go test ./...", []string{"../out/a.go"}, ""},
	} {
		var changed []string
		for _, name := range c.changed {
			changed = append(changed, filepath.Join(dir, name))
		}
		if got := narrowed(t.Context(), ws.Snapshot(), c.line, changed); got != c.want {
			t.Errorf("%q of %q: %q, want %q", c.line, c.changed, got, c.want)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
