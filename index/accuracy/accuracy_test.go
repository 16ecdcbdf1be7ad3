//go:build peers

// The comparisons behind ACCURACY.md: accuracy.sh runs them.
package accuracy_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// seed makes every run sample the same.
const seed = 7

// shown is how many misses of each kind a table is followed by.
const shown = 10

// An accuracy is ACCURACY.md in the making.
type accuracy struct {
	t      *testing.T
	corpus string
	out    strings.Builder
}

func TestAccuracy(t *testing.T) {
	a := &accuracy{t: t, corpus: os.Getenv("ACCURACY_CORPUS")}
	only := regexp.MustCompile(os.Getenv("ACCURACY_ONLY"))
	a.header()
	for _, part := range []struct {
		name string
		run  func()
	}{{"definitions", a.definitions}, {"references", a.references}, {"renames", a.renames}} {
		if !only.MatchString(part.name) {
			continue
		}
		part.run()
		if err := os.WriteFile(os.Getenv("ACCURACY_OUT"), []byte(a.out.String()), 0o644); err != nil { // what there is so far
			t.Fatal(err)
		}
	}
}

func (a *accuracy) printf(format string, args ...any) { fmt.Fprintf(&a.out, format, args...) }

func (a *accuracy) header() {
	a.printf("# How right the index is\n\nWritten by `make bench-accuracy`: %s, %s/%s, %s; samples drawn with seed %d.\nPrecision: how many of ours the peer has; recall: how many of the peer's are ours.\n\n",
		time.Now().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.Version(), seed)
	a.printf("- %s\n", firstLine(os.Getenv("BENCH_CTAGS"), "--version"))
	a.printf("- %s\n", firstLine(os.Getenv("BENCH_GOPLS"), "version"))
	for _, name := range []string{"typescript", "pyright"} {
		a.printf("- %s %s\n", name, firstLine("node", "-p", fmt.Sprintf("require(%q).version", filepath.Join(os.Getenv("BENCH_NPM"), name, "package.json"))))
	}
}

func firstLine(program string, args ...string) string {
	out, err := exec.Command(program, args...).Output()
	line, _, _ := strings.Cut(string(out), "\n")
	if err != nil {
		return program + ": " + err.Error()
	}
	return line
}

// A score counts what two sides have.
type score struct{ both, ours, theirs int }

func (s score) precision() float64 { return share(s.both, s.both+s.ours) }
func (s score) recall() float64    { return share(s.both, s.both+s.theirs) }

// share returns part/all, 1 of nothing.
func share(part, all int) float64 {
	if all == 0 {
		return 1
	}
	return float64(part) / float64(all)
}

func (s *score) add(t score) {
	s.both, s.ours, s.theirs = s.both+t.both, s.ours+t.ours, s.theirs+t.theirs
}

// compare counts, and returns what only one side has, sorted.
func compare[T comparable](ours, theirs map[T]bool, order func(a, b T) int) (s score, onlyOurs, onlyTheirs []T) {
	for x := range ours {
		if theirs[x] {
			s.both++
		} else {
			onlyOurs = append(onlyOurs, x)
		}
	}
	for x := range theirs {
		if !ours[x] {
			onlyTheirs = append(onlyTheirs, x)
		}
	}
	s.ours, s.theirs = len(onlyOurs), len(onlyTheirs)
	slices.SortFunc(onlyOurs, order)
	slices.SortFunc(onlyTheirs, order)
	return s, onlyOurs, onlyTheirs
}

func byPlace(a, b place) int {
	return cmp.Or(strings.Compare(a.path, b.path), a.line-b.line, a.column-b.column)
}

// indexed returns the index of a folder.
func indexed(t testing.TB, dir string) *index.Snapshot {
	t.Helper()
	ws := index.New(index.Options{Roots: []string{dir}, Now: time.Now})
	t.Cleanup(func() { _ = ws.Close() })
	if _, err := ws.Scan(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return ws.Snapshot()
}

// sample draws n of all, or all of fewer.
func sample[T any](all []T, n int) []T {
	all = slices.Clone(all)
	random := rand.New(rand.NewPCG(seed, seed))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(n, len(all))]
}

// A liner finds lines and columns. It reads each file once.
type liner struct {
	snap  *index.Snapshot
	lines map[string]*text.Lines
}

func newLiner(snap *index.Snapshot) *liner { return &liner{snap, map[string]*text.Lines{}} }

func (l *liner) place(ctx context.Context, path string, offset int) place {
	lines := l.lines[path]
	if lines == nil {
		src, _ := l.snap.ReadFile(ctx, path)
		lines = text.NewLines(src)
		l.lines[path] = lines
	}
	at := lines.Point(offset, text.UTF16)
	return place{path, at.Line, at.Column}
}

// isComment reports whether the line of a place is one of a comment. (tsserver
// counts the names in those.)
func (l *liner) isComment(p place) bool {
	lines := l.lines[p.path]
	if lines == nil {
		src, _ := os.ReadFile(p.path)
		lines = text.NewLines(src)
		l.lines[p.path] = lines
	}
	begins := strings.TrimSpace(string(lines.Text(lines.Line(p.line))))
	return strings.HasPrefix(begins, "*") || strings.HasPrefix(begins, "/*") || strings.HasPrefix(begins, "//")
}

func unescape(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return uri
	}
	return u.Path
}

func goroot(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "src")
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
