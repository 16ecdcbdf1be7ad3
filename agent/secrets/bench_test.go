package secrets_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent/secrets"
)

// BenchmarkStart is what the first text of a process pays before it is read.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		if _, err := secrets.New(); err != nil {
			b.Fatal(err)
		}
	}
}

// realCode returns n bytes of code: of the Go tree, or of what the variable
// names, a folder of packages.
func realCode(b *testing.B, n int) [][]byte {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "src")
	if dir := os.Getenv("AGENTLS_BENCH_CODE"); dir != "" {
		root = dir
	}
	var files [][]byte
	size := 0
	_ = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil || size >= n:
			return filepath.SkipAll
		case d.IsDir() || !strings.Contains(".go .js .ts .tsx .py", filepath.Ext(path)) || filepath.Ext(path) == "":
			return nil
		}
		content, err := os.ReadFile(path)
		if err == nil && len(content) < 1<<20 && bytes.IndexByte(content, 0) < 0 {
			files, size = append(files, content), size+len(content)
		}
		return nil
	})
	return files
}

// BenchmarkFind reads 24 MiB of real code, each file for the first time, and
// counts the alarms in it, all of which are taken for false.
func BenchmarkFind(b *testing.B) {
	files := realCode(b, 24<<20)
	size, alarms, byRule := 0, 0, map[string]int{}
	b.ResetTimer()
	for b.Loop() {
		d, err := secrets.New()
		if err != nil {
			b.Fatal(err)
		}
		size, alarms, byRule = 0, 0, map[string]int{}
		for _, content := range files {
			found := d.Find(string(content))
			size += len(content)
			for i, f := range found {
				if isNextLine := i > 0 && f.Rule == "private-key" && found[i-1].Rule == f.Rule && f.Span.Start-found[i-1].Span.End < 8; isNextLine {
					continue // one key is one alarm, however many lines it has
				}
				alarms++
				byRule[f.Rule]++
			}
		}
	}
	b.Logf("alarms: %v", byRule)
	mib := float64(size) / (1 << 20)
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/mib, "s/MiB")
	b.ReportMetric(float64(alarms)/mib, "alarms/MiB")
	b.ReportMetric(0, "ns/op")
}
