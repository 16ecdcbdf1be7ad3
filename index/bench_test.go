package index_test

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// netSource returns the folder of Go's own package net.
func netSource(b *testing.B) string {
	b.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "src", "net")
}

func BenchmarkScan(b *testing.B) {
	dir := netSource(b)
	for b.Loop() {
		ws := index.New(index.Options{Roots: []string{dir}})
		stats, err := ws.Scan(context.Background(), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(stats.Bytes)
	}
}

func BenchmarkWarmScan(b *testing.B) {
	dir, cache := netSource(b), b.TempDir()
	scan := func() {
		ws := index.New(index.Options{Roots: []string{dir}, CacheDir: cache})
		stats, err := ws.Scan(context.Background(), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(stats.Bytes)
		if err := ws.Close(); err != nil {
			b.Fatal(err)
		}
	}
	scan()
	for b.Loop() {
		scan()
	}
}

func scanned(b *testing.B) *index.Workspace {
	b.Helper()
	ws := index.New(index.Options{Roots: []string{netSource(b)}})
	if _, err := ws.Scan(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	return ws
}

func BenchmarkSearch(b *testing.B) {
	snap := scanned(b).Snapshot()
	for b.Loop() {
		if syms, err := snap.Search(b.Context(), "rtrip", 100); err != nil || len(syms) == 0 {
			b.Fatal(syms, err)
		}
	}
}

func BenchmarkReferences(b *testing.B) {
	snap := scanned(b).Snapshot()
	syms, err := snap.Search(b.Context(), "http/request.go:NewRequest", 1)
	if err != nil || len(syms) != 1 {
		b.Fatal(syms, err)
	}
	for b.Loop() {
		if refs, err := snap.ReferencesTo(b.Context(), syms[0]); err != nil || len(refs) < 10 {
			b.Fatal(refs, err)
		}
	}
}

// BenchmarkKeystroke types into a file of 270 KB.
func BenchmarkKeystroke(b *testing.B) {
	ws := scanned(b)
	path := filepath.Join(netSource(b), "http", "h2_bundle.go")
	src, err := ws.Snapshot().ReadFile(b.Context(), path)
	if err != nil {
		path = filepath.Join(netSource(b), "http", "server.go")
		if src, err = ws.Snapshot().ReadFile(b.Context(), path); err != nil {
			b.Fatal(err)
		}
	}
	if err := ws.Change(index.Modification{Action: index.Open, Path: path, Version: 1, Text: src}); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(src)))
	version := int32(1)
	for b.Loop() {
		version++
		at := text.Span{Start: len(src) / 2, End: len(src)/2 + 1}
		err := ws.Change(index.Modification{Action: index.Edit, Path: path, Version: version, Edits: []text.Edit{{Span: at, New: "x"}}})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTyping types letters into the middle of a file of 5,000 lines, and
// asks for its outline after each.
func BenchmarkTyping(b *testing.B) {
	ws := scanned(b)
	path := filepath.Join(netSource(b), "http", "serve_test.go")
	src, err := ws.Snapshot().ReadFile(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	at := bytes.LastIndexByte(src[:len(src)/2], '\n') + 1
	typed := []byte("x := 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9; ")
	if err := ws.Change(index.Modification{Action: index.Open, Path: path, Text: src}); err != nil {
		b.Fatal(err)
	}
	version := int32(0)
	var took []time.Duration
	for b.Loop() {
		n := int(version) % (2 * len(typed)) // there and back
		edit := text.Edit{Span: text.Span{Start: at + n, End: at + n}, New: string(typed[n%len(typed)])}
		if n >= len(typed) {
			n = 2*len(typed) - n
			edit = text.Edit{Span: text.Span{Start: at + n - 1, End: at + n}}
		}
		version++
		start := time.Now()
		if err := ws.Change(index.Modification{Action: index.Edit, Path: path, Version: version, Edits: []text.Edit{edit}}); err != nil {
			b.Fatal(err)
		}
		if syms, err := ws.Snapshot().Symbols(b.Context(), path); err != nil || len(syms) == 0 {
			b.Fatal(syms, err)
		}
		took = append(took, time.Since(start))
	}
	percentiles(b, took)
}

// percentiles reports the median and the 99th percentile in milliseconds.
func percentiles(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	at := func(share float64) float64 { return took[int(share*float64(len(took)-1))].Seconds() * 1e3 }
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
}

// BenchmarkMap makes the map of a task on all of Go's source, warm: p50 and p99
// in ms, and what the words that it looks in take, in MB. The first map, which
// makes those, is first-ms.
func BenchmarkMap(b *testing.B) {
	ws := index.New(index.Options{Roots: []string{filepath.Dir(netSource(b))}})
	if _, err := ws.Scan(context.Background(), nil); err != nil {
		b.Fatal(err)
	}
	snap := ws.Snapshot()
	tasks := []string{
		"close idle connections when the http server shuts down", "fix the parser of composite literals for empty ranges",
		"speed up map iteration in the runtime", "crypto/tls: reject certificates with a negative serial number",
	}
	ask := func(i int) time.Duration {
		begin := time.Now()
		if _, err := snap.Map(context.Background(), index.Focus{Words: tasks[i%len(tasks)]}, 4000); err != nil {
			b.Fatal(err)
		}
		return time.Since(begin)
	}
	before, first := heap(), ask(0)
	after := heap()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		took = append(took, ask(i))
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
	b.ReportMetric(first.Seconds()*1000, "first-ms")
	b.ReportMetric(float64(after-before)/1e6, "words-MB")
	runtime.KeepAlive(ws)
}

// heap returns what is alive on the heap, in bytes.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
