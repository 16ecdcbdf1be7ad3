package index_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/agentls/agentls/index"
)

// manyFiles makes a folder of files that declare F0, F1 and so on.
func manyFiles(t *testing.T, n int) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		write(t, filepath.Join(dir, fmt.Sprintf("p%d", i/100), fmt.Sprintf("f%d.go", i)), fmt.Sprintf("package p\n\nfunc F%d() { G%d() }\n", i, i))
	}
	return dir
}

// cachedScan scans dir with a cache, and returns what was found and logged.
func cachedScan(t *testing.T, dir, cache string) (index.Stats, string) {
	t.Helper()
	var log bytes.Buffer
	ws := index.New(index.Options{Roots: []string{dir}, CacheDir: cache, Log: slog.New(slog.NewTextHandler(&log, nil))})
	stats, err := ws.Scan(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.Close(); err != nil {
		t.Fatal(err)
	}
	return stats, log.String()
}

// Whatever is damaged, the answer is right, and the next start begins anew.
func TestDamagedCache(t *testing.T) {
	dir, cache := manyFiles(t, 300), t.TempDir()
	cachedScan(t, dir, cache)
	path := filepath.Join(cache, "index.db")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 15 {
		bad := bytes.Clone(good)
		switch round % 3 {
		case 0: // a page of noise
			at := random.IntN(len(bad)/4096) * 4096
			for i := range 4096 {
				bad[at+i] = byte(random.Uint32())
			}
		case 1: // cut off
			bad = bad[:random.IntN(len(bad))]
		default: // single bytes
			for range 200 {
				bad[random.IntN(len(bad))] ^= byte(1 + random.IntN(255))
			}
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 3 { // damage may show when something is stored, and again in what that wrote
			stats, log := cachedScan(t, dir, cache)
			if stats.Symbols != 300 || stats.References != 600 {
				t.Fatalf("round %d: %+v\n%s", round, stats, log)
			}
		}
		if stats, log := cachedScan(t, dir, cache); stats.Cached != 300 {
			t.Fatalf("round %d: not healed after three starts: %+v\n%s", round, stats, log)
		}
	}
}

// TestChild is what the tests below run in a process of its own.
func TestChild(t *testing.T) {
	dir, cache := os.Getenv("INDEX_TEST_DIR"), os.Getenv("INDEX_TEST_CACHE")
	if dir == "" {
		return // it is nobody's child
	}
	if os.Getenv("INDEX_TEST_FULL") != "" {
		signal.Ignore(syscall.SIGXFSZ)
		limit := syscall.Rlimit{Cur: 128 << 10, Max: 128 << 10}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
	}
	stats, log := cachedScan(t, dir, cache)
	fmt.Printf("symbols %d\n%s", stats.Symbols, log)
}

func child(t *testing.T, dir, cache string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v")
	cmd.Env = append(append(os.Environ(), "INDEX_TEST_DIR="+dir, "INDEX_TEST_CACHE="+cache), env...)
	return cmd
}

// On a full disk (here: no file may grow beyond 128 KB) the index works in
// memory and says so.
func TestFullDisk(t *testing.T) {
	dir := manyFiles(t, 800)
	out, err := child(t, dir, t.TempDir(), "INDEX_TEST_FULL=1").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "symbols 800") || strings.Count(string(out), "the index goes on in memory") != 1 {
		t.Errorf("%s", out)
	}
}

// A process that is killed while it writes leaves a cache that works.
func TestKilled(t *testing.T) {
	dir, cache := manyFiles(t, 800), t.TempDir()
	for round := range 8 {
		cmd := child(t, dir, cache)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		await(t, func() bool { // it has begun to write the cache, and in the later rounds the segment
			at, err := os.Stat(filepath.Join(cache, "index.db"))
			segments, _ := filepath.Glob(filepath.Join(cache, "index.segment*"))
			return round < 4 && err == nil && at.Size() > int64(128<<10*round) || round >= 4 && len(segments) > 0
		})
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		if stats, log := cachedScan(t, dir, cache); stats.Symbols != 800 || strings.Contains(log, "broken") {
			t.Fatalf("round %d: %+v\n%s", round, stats, log)
		}
		for _, name := range []string{"index.db", "index.segment"} {
			if err := os.Remove(filepath.Join(cache, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// await polls until done is true, a second at most: what is awaited need not
// happen.
func await(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Second); !done() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}
