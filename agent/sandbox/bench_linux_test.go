package sandbox_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agentls/agentls/agent/sandbox"
)

// sizes are the workspaces that the benchmarks are run on, by their files.
var sizes = []int{10, 100_000}

// bigPlace has a workspace of n files, a hundred in a folder.
func bigPlace(b *testing.B, n int) *place {
	b.Helper()
	p := newPlace(b, nil)
	for i := range n {
		dir := filepath.Join(p.root, fmt.Sprintf("d%d", i/100))
		if i%100 == 0 {
			p.mkdir(dir)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d.txt", i)), []byte("text\n"), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return p
}

// reportMedian measures f one by one: the mean of a shared machine says
// little.
func reportMedian(b *testing.B, f func()) {
	b.Helper()
	var each []time.Duration
	for b.Loop() {
		began := time.Now()
		f()
		each = append(each, time.Since(began))
	}
	slices.Sort(each)
	b.ReportMetric(float64(each[len(each)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(each[0].Microseconds())/1000, "best-ms")
}

// BenchmarkOverhead is a command that does nothing, outside and in the
// sandbox, with everything on, in workspaces of different sizes.
func BenchmarkOverhead(b *testing.B) {
	b.Run("outside", func(b *testing.B) {
		reportMedian(b, func() {
			if err := exec.Command("/bin/true").Run(); err != nil {
				b.Fatal(err)
			}
		})
	})
	for _, n := range sizes {
		b.Run(fmt.Sprintf("inside/%d-files", n), func(b *testing.B) {
			p := bigPlace(b, n)
			p.git("init", "-q")
			box := p.sandbox()
			reportMedian(b, func() {
				if _, err := box.Run(b.Context(), sandbox.View{}, sandbox.Command{Argv: []string{"/bin/true"}}); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkOpen is a new sandbox, its first command that looks at a file, and
// its end.
func BenchmarkOpen(b *testing.B) {
	p := bigPlace(b, 100_000)
	reportMedian(b, func() {
		box, err := sandbox.New(p.opts)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := box.Run(b.Context(), sandbox.View{}, sandbox.Command{Argv: []string{"/bin/cat", "d500/f50050.txt"}}); err != nil {
			b.Fatal(err)
		}
		if err := box.Close(); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkChanges is the time from the end of a command until its changes are
// there, contents and all.
func BenchmarkChanges(b *testing.B) {
	const files = 2000
	p := bigPlace(b, files)
	p.write(p.root+"/.gitignore", "*.out\n")
	p.git("init", "-q")
	box := p.sandbox()
	var after []time.Duration
	for b.Loop() {
		res, err := box.Run(b.Context(), sandbox.View{}, sandbox.Command{Shell: "for f in d*/*.txt; do echo more >> $f; done; date +%s%N > ended.out"})
		returned := time.Now()
		if err != nil || len(res.Changes) != files {
			b.Fatalf("%+v, %v", res, err)
		}
		after = append(after, returned.Sub(p.ended(box)))
	}
	slices.Sort(after)
	b.ReportMetric(float64(after[len(after)/2].Microseconds())/1000, "changes-p50-ms")
	b.ReportMetric(float64(after[0].Microseconds())/1000, "changes-best-ms")
}

// ended returns when the script before said that it ended.
func (p *place) ended(box *sandbox.Sandbox) time.Time {
	p.t.Helper()
	res, err := box.Run(p.t.Context(), sandbox.View{}, sandbox.Command{Shell: "cat ended.out"})
	if err != nil {
		p.t.Fatal(err)
	}
	var nanoseconds int64
	if _, err := fmt.Sscan(res.Output, &nanoseconds); err != nil {
		p.t.Fatal(err)
	}
	return time.Unix(0, nanoseconds)
}

// BenchmarkGoTest tests real packages of the standard library, outside and
// inside, with warm caches and the tests run each time.
func BenchmarkGoTest(b *testing.B) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(goroot)), "src")
	argv := []string{"go", "test", "-count=1", "sort", "path", "bufio", "container/list", "encoding/csv", "text/tabwriter"}
	cmd := func() *exec.Cmd {
		c := exec.Command(argv[0], argv[1:]...)
		c.Dir = root
		return c
	}
	if out, err := cmd().CombinedOutput(); err != nil { // warms the caches
		b.Fatalf("%v\n%s", err, out)
	}
	b.Run("outside", func(b *testing.B) {
		reportMedian(b, func() {
			if err := cmd().Run(); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("inside", func(b *testing.B) {
		p := newPlace(b, nil).withTools()
		p.opts.Roots = []string{root}
		box := p.sandbox()
		run := func() {
			res, err := box.Run(b.Context(), sandbox.View{}, sandbox.Command{Argv: argv})
			if err != nil || res.Code != 0 {
				b.Fatalf("%+v, %v", res, err)
			}
		}
		run()
		reportMedian(b, run)
	})
}
