//go:build peers

// The measurements behind BENCHMARKS.md: bench.sh runs them.
package index_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	sitter "github.com/tree-sitter/go-tree-sitter"
	golang "github.com/tree-sitter/tree-sitter-go/bindings/go"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// A report is BENCHMARKS.md in the making.
type report struct {
	t      *testing.T
	rounds int
	out    strings.Builder
}

// A cost is what one run of a program took.
type cost struct {
	wall, cpu time.Duration
	rss       int64 // bytes
}

func TestPeers(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("BENCH_ROUNDS"))
	if err != nil {
		t.Fatal(err)
	}
	r := &report{t: t, rounds: rounds}
	only := regexp.MustCompile(os.Getenv("BENCH_ONLY"))
	for _, part := range []struct {
		name    string
		measure func()
	}{{"header", r.header}, {"cold", r.cold}, {"warm", r.warm}, {"inside", r.inside}, {"servers", r.servers}, {"growth", r.growth}, {"large", r.large}} {
		if part.name != "header" && !only.MatchString(part.name) {
			continue
		}
		part.measure()
		if err := os.WriteFile(os.Getenv("BENCH_OUT"), []byte(r.out.String()), 0o644); err != nil { // what there is so far
			t.Fatal(err)
		}
	}
}

func (r *report) printf(format string, args ...any) { fmt.Fprintf(&r.out, format, args...) }

func (r *report) header() {
	r.printf("# Benchmarks of the index\n\nWritten by `make bench-index`: %s, %s/%s, %d cores, %s.", time.Now().Format(time.DateOnly),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		r.printf(" Load average at the beginning: %s.", strings.Join(strings.Fields(string(load))[:3], " "))
	}
	if note := os.Getenv("BENCH_NOTE"); note != "" {
		r.printf(" **%s**", note)
	}
	r.printf("\nMedian of %d rounds, runs of a pair one behind the other; the range in brackets.\n\n", r.rounds)
	for _, peer := range []struct{ env, flag string }{{"BENCH_CTAGS", "--version"}, {"BENCH_ASTGREP", "--version"}, {"BENCH_GOPLS", "version"}} {
		version, err := exec.Command(os.Getenv(peer.env), peer.flag).Output()
		first, _, _ := strings.Cut(string(version), "\n")
		if err != nil {
			first = peer.env + ": not measured, it is not there"
		}
		r.printf("- %s\n", first)
	}
}

// run runs a program in dir. A program that is not there costs nothing.
func (r *report) run(dir, program string, args ...string) (cost, []byte) {
	r.t.Helper()
	if _, err := os.Stat(program); err != nil {
		return cost{}, nil
	}
	// A child's largest resident set counts from its parent's; time is small.
	peak := filepath.Join(r.t.TempDir(), "peak")
	if timer, err := exec.LookPath("time"); err == nil {
		program, args = timer, append([]string{"-f", "%M", "-o", peak, program}, args...)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout = &out
	start := time.Now()
	if err := cmd.Run(); err != nil {
		r.t.Fatalf("%s %v: %v", program, args, err)
	}
	c := cost{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if said, err := os.ReadFile(peak); err == nil {
		kilobytes, _ := strconv.ParseInt(strings.TrimSpace(string(said)), 10, 64)
		c.rss = kilobytes << 10
	}
	return c, out.Bytes()
}

// medianOf returns the median of what f makes of costs, and the range.
func medianOf(costs []cost, f func(cost) float64) (median float64, says string) {
	values := make([]float64, len(costs))
	for i, c := range costs {
		values[i] = f(c)
	}
	slices.Sort(values)
	median = values[len(values)/2]
	return median, fmt.Sprintf("%.2f [%.2f–%.2f]", median, values[0], values[len(values)-1])
}

func seconds(c cost) float64      { return c.wall.Seconds() }
func milliseconds(c cost) float64 { return c.wall.Seconds() * 1e3 }
func cpu(c cost) float64          { return c.cpu.Seconds() }
func megabytes(c cost) float64    { return float64(c.rss) / 1e6 }

// row prints one line of a table: ours, the peer's and the ratio.
func (r *report) row(what string, ours, theirs []cost, f func(cost) float64) {
	a, says := medianOf(ours, f)
	b, others := medianOf(theirs, f)
	if b == 0 {
		r.printf("| %s | %s | not measured | |\n", what, says)
		return
	}
	r.printf("| %s | %s | %s | %.2f |\n", what, says, others, a/b)
}

func goroot(t testing.TB) string { return filepath.Join(goEnv(t, "GOROOT"), "src") }

func goEnv(t testing.TB, name string) string {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// cold measures a first run over Go's source.
func (r *report) cold() {
	dir := goroot(r.t)
	rule := filepath.Join(r.t.TempDir(), "rule.yml")
	write(r.t, rule, "id: d\nlanguage: go\nrule:\n  any:\n    - kind: function_declaration\n    - kind: method_declaration\n    - kind: type_spec\n")
	var ours, astgrep, ctags, first []cost
	var figures map[string]any
	for range r.rounds {
		c, out := r.run(dir, os.Getenv("BENCH_AGENTLS"), "index", dir, "--fresh", "--json")
		if err := json.Unmarshal(out, &figures); err != nil {
			r.t.Fatal(err)
		}
		ours = append(ours, c)
		c, _ = r.run(dir, os.Getenv("BENCH_ASTGREP"), "scan", "-r", rule, "--threads", "2", "--json=stream", dir)
		astgrep = append(astgrep, c)
		c, _ = r.run(dir, os.Getenv("BENCH_CTAGS"), "-R", "-f", "-", dir)
		ctags = append(ctags, c)
		first = append(first, cost{wall: firstAnswer(r.t, dir)})
	}
	r.printf("\n## Cold, over Go's source (%v files, %.0f MB parsed, %v symbols, %v references), 2 workers\n\n| | agentls | peer | ratio |\n|---|---|---|---|\n",
		figures["files"], figures["bytes"].(float64)/1e6, int(figures["symbols"].(float64)), int(figures["references"].(float64)))
	r.row("everything, to disk; ast-grep, three kinds of nodes: s (goal: 1.00 of it)", ours, astgrep, seconds)
	r.row("the same, CPU: s", ours, astgrep, cpu)
	r.row("the same, memory: MB", ours, astgrep, megabytes)
	r.row("everything; universal-ctags, no references: s (goal: 5 of it)", ours, ctags, seconds)
	r.row("first answer for any name; ctags: s (goals: 0.6, 0.35 of it)", first, ctags, seconds)
}

// firstAnswer returns how long it takes from nothing to the answer of a search
// for a name that was not parsed yet.
func firstAnswer(t *testing.T, dir string) time.Duration {
	ws := index.New(index.Options{Roots: []string{dir}, CacheDir: t.TempDir(), Now: time.Now})
	defer ws.Close()
	start := time.Now()
	var took time.Duration
	if _, err := ws.Scan(t.Context(), func(p index.Progress) {
		if p.Phase == index.Parsing && took == 0 {
			if syms, err := ws.Snapshot().Search(t.Context(), "NewRequestWithContext", 1); err != nil || len(syms) != 1 {
				t.Error(syms, err)
			}
			took = time.Since(start)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return took
}

// warm measures a run when nothing changed.
func (r *report) warm() {
	dir := goroot(r.t)
	var ours, gopls []cost
	for range r.rounds {
		c, _ := r.run(dir, os.Getenv("BENCH_AGENTLS"), "symbols", "--dir", dir, "--json", "NewRequest")
		ours = append(ours, c)
		c, _ = r.run(filepath.Join(dir, "net", "http"), os.Getenv("BENCH_GOPLS"), "workspace_symbol", "-matcher=fuzzy", "NewRequest")
		gopls = append(gopls, c)
	}
	r.printf("\n## Warm: start, look, answer a fuzzy search; gopls with its cache filled\n\n| | agentls | gopls | ratio |\n|---|---|---|---|\n")
	r.row("a whole process: s (goal: 0.04 of it)", ours, gopls, seconds)
	r.row("CPU: s", ours, gopls, cpu)
	r.row("memory: MB", ours, gopls, megabytes)
}

// inside measures what a server does, in this process.
func (r *report) inside() {
	ws := index.New(index.Options{Roots: []string{goroot(r.t)}, CacheDir: r.t.TempDir(), Now: time.Now})
	defer ws.Close()
	if _, err := ws.Scan(r.t.Context(), nil); err != nil {
		r.t.Fatal(err)
	}
	r.printf("\n## Inside a server, on Go's source\n\n| | p50 | p99 | max |\n|---|---|---|---|\n")
	ours, theirs := r.keystrokes(ws)
	r.percentiles("keystroke to fresh symbols, a file of 5,088 lines: ms (goals: 0.6, 3; 1/15 of the next row)", ours)
	r.percentiles("the binding's parse and Matches on the same: ms", theirs)
	r.percentiles("search, best 200: ms", r.searches(ws.Snapshot(), queries(r.t, goroot(r.t))))
	r.percentiles("references: ms", r.references(ws.Snapshot()))
}

func (r *report) percentiles(what string, took []time.Duration) {
	r.printf("| %s | %.2f | %.2f | %.2f |\n", what, percentile(took, 0.5), percentile(took, 0.99), percentile(took, 1))
}

// percentile returns the time, in milliseconds, that a share of took is not
// above. It sorts took.
func percentile(took []time.Duration, share float64) float64 {
	slices.Sort(took)
	return took[int(share*float64(len(took)-1))].Seconds() * 1e3
}

// keystrokes types into the middle of a file: letters, and away again. Peers
// take every tenth.
func (r *report) keystrokes(ws *index.Workspace) (ours, theirs []time.Duration) {
	path := filepath.Join(goroot(r.t), "database", "sql", "sql_test.go")
	src, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	module := strings.TrimSpace(string(must(exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tree-sitter/tree-sitter-go").Output())))
	tags := must(os.ReadFile(filepath.Join(module, "queries", "tags.scm")))
	lang := sitter.NewLanguage(golang.Language())
	query, queryErr := sitter.NewQuery(lang, string(tags))
	if queryErr != nil {
		r.t.Fatal(queryErr)
	}
	parser := sitter.NewParser()
	_ = parser.SetLanguage(lang)
	at := bytes.LastIndexByte(src[:len(src)/2], '\n') + 1
	change(r.t, ws, index.Modification{Action: index.Open, Path: path, Text: src})
	typed := strings.Repeat("x := f(1, 2); ", 20)
	for i := range 1000 {
		edit := text.Edit{Span: text.Span{Start: at + i%200, End: at + i%200}, New: typed[i%200 : i%200+1]}
		start := time.Now()
		change(r.t, ws, index.Modification{Action: index.Edit, Path: path, Version: int32(i + 1), Edits: []text.Edit{edit}})
		if syms, err := ws.Snapshot().Symbols(r.t.Context(), path); err != nil || len(syms) == 0 {
			r.t.Fatal(syms, err)
		}
		ours = append(ours, time.Since(start))
		if i%10 == 0 {
			doc, _ := ws.Snapshot().Document(path)
			theirs = append(theirs, matches(parser, query, doc.Text))
		}
	}
	change(r.t, ws, index.Modification{Action: index.Close, Path: path})
	return ours, theirs
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func matches(parser *sitter.Parser, query *sitter.Query, src []byte) time.Duration {
	start := time.Now()
	tree := parser.Parse(src, nil)
	defer tree.Close()
	cursor := sitter.NewQueryCursor()
	defer cursor.Close()
	found := cursor.Matches(query, tree.RootNode(), src)
	for found.Next() != nil {
	}
	return time.Since(start)
}

// queries are what people type: names of the tree, cut, abbreviated and mixed
// up.
func queries(t *testing.T, dir string) []string {
	random := rand.New(rand.NewPCG(1, 1))
	out := []string{"a", "s", "http", "rtrip", "newreq", "ctx", "hndlr", "xyzzy", "Type", "getState", "json", "mutex"}
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, strings.TrimSuffix(d.Name(), filepath.Ext(d.Name())))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for len(out) < 300 {
		if base := files[random.IntN(len(files))]; len(base) > 3 {
			out = append(out, base[:2+random.IntN(len(base)-2)])
		}
	}
	return out
}

func (r *report) searches(snap *index.Snapshot, queries []string) (took []time.Duration) {
	for _, q := range queries {
		start := time.Now()
		if _, err := snap.Search(r.t.Context(), q, 200); err != nil {
			r.t.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	return took
}

func (r *report) references(snap *index.Snapshot) (took []time.Duration) {
	for _, q := range queries(r.t, goroot(r.t))[:100] {
		syms, err := snap.Search(r.t.Context(), q, 1)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, sym := range syms {
			start := time.Now()
			if _, err := snap.ReferencesTo(r.t.Context(), sym); err != nil {
				r.t.Fatal(err)
			}
			took = append(took, time.Since(start))
		}
	}
	return took
}

// growth measures 1, 10 and 100 percent of the big corpus.
func (r *report) growth() {
	big := os.Getenv("BENCH_BIG")
	if _, err := os.Stat(big); err != nil {
		r.printf("\nThe big corpus is not there: growth is not measured.\n")
		return
	}
	r.printf("\n## Growth\n\n| of the big corpus | files | MB | symbols | references | cold, s | MB/s | heap, MB | on disk, MB | warm scan, s | search p50, ms | p99, ms |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	percents := []int{1, 10, 100}
	if os.Getenv("BENCH_QUICK") != "" {
		percents = percents[:2]
	}
	for _, percent := range percents {
		r.grow(share(r.t, big, percent), percent)
	}
}

func (r *report) grow(dir string, percent int) {
	cache := r.t.TempDir()
	scan := func() (*index.Workspace, index.Stats) {
		ws := index.New(index.Options{Roots: []string{dir}, CacheDir: cache, Now: time.Now})
		stats, err := ws.Scan(r.t.Context(), nil)
		if err != nil {
			r.t.Fatal(err)
		}
		return ws, stats
	}
	ws, cold := scan()
	if err := ws.Close(); err != nil {
		r.t.Fatal(err)
	}
	ws, warm := scan()
	defer ws.Close()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	took := r.searches(ws.Snapshot(), queries(r.t, dir))
	slices.Sort(took)
	r.printf("| %d %% | %d | %.0f | %d | %d | %.1f | %.1f | %d | %d | %.2f | %.2f | %.2f |\n", percent, cold.Files, float64(cold.Bytes)/1e6,
		cold.Symbols, cold.References, cold.Elapsed.Seconds(), float64(cold.Bytes)/1e6/cold.Elapsed.Seconds(), memory.HeapAlloc>>20, cold.OnDisk>>20,
		warm.Elapsed.Seconds(), took[len(took)/2].Seconds()*1e3, took[len(took)*99/100].Seconds()*1e3)
}

// share returns a folder with every so-manyth file of dir.
func share(t *testing.T, dir string, percent int) string {
	if percent == 100 {
		return dir
	}
	part, n := t.TempDir(), 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if n++; n%(100/percent) != 0 {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		write(t, filepath.Join(part, rel), string(content))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return part
}
