package sandbox_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
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

// printMachine says once on what the figures were taken.
var printMachine = sync.OnceFunc(func() {
	kernel, err := exec.Command("uname", "-srm").Output()
	load, loadErr := os.ReadFile("/proc/loadavg")
	fmt.Printf("machine: %d cores, %s, load %.14s, %v\n", runtime.NumCPU(), strings.TrimSpace(string(kernel)), load, errors.Join(err, loadErr))
})

// measured returns how long f takes.
func measured(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

// reportAll reports the least, the median and the most of each, in
// milliseconds: the mean of a shared machine says little.
func reportAll(b *testing.B, name string, each []time.Duration) {
	b.Helper()
	printMachine()
	slices.Sort(each)
	for what, d := range map[string]time.Duration{"min": each[0], "p50": each[len(each)/2], "max": each[len(each)-1]} {
		b.ReportMetric(float64(d.Microseconds())/1000, name+what+"-ms")
	}
}

// reportEach measures f one by one.
func reportEach(b *testing.B, f func()) {
	b.Helper()
	var each []time.Duration
	for b.Loop() {
		each = append(each, measured(f))
	}
	reportAll(b, "", each)
}

// reportPairs measures outside and inside in turns, so that what else the
// machine does hits both.
func reportPairs(b *testing.B, outside, inside func()) {
	b.Helper()
	var out, in, over []time.Duration
	for b.Loop() {
		out = append(out, measured(outside))
		in = append(in, measured(inside))
		over = append(over, in[len(in)-1]-out[len(out)-1])
	}
	reportAll(b, "outside-", out)
	reportAll(b, "inside-", in)
	reportAll(b, "over-", over)
	b.ReportMetric(float64(in[len(in)/2])/float64(out[len(out)/2]), "p50-ratio")
	b.ReportMetric(float64(in[0])/float64(out[0]), "min-ratio")
}

// BenchmarkOverhead is a command that does nothing, outside and in the
// sandbox, with everything on, in workspaces of different sizes.
func BenchmarkOverhead(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("%d-files", n), func(b *testing.B) { benchmarkOverhead(b, bigPlace(b, n)) })
	}
	b.Run("50-masks", func(b *testing.B) {
		p := bigPlace(b, 5000)
		for i := range 50 {
			p.opts.Masks = append(p.opts.Masks, fmt.Sprintf("%s/d%d/f%d.txt", p.root, i, 100*i))
		}
		benchmarkOverhead(b, p)
	})
}

func benchmarkOverhead(b *testing.B, p *place) {
	b.Helper()
	p.git("init", "-q")
	box := p.sandbox()
	reportPairs(b, func() {
		if err := exec.Command("/bin/true").Run(); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if _, err := box.Run(b.Context(), sandbox.View{}, sandbox.Command{Argv: []string{"/bin/true"}}); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkOpen is a new sandbox, its first command that looks at a file, and
// its end.
func BenchmarkOpen(b *testing.B) {
	p := bigPlace(b, 100_000)
	reportEach(b, func() {
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
	reportAll(b, "changes-", after)
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
	p := newPlace(b, nil).withTools()
	p.opts.Roots = []string{root}
	box := p.sandbox()
	inside := func() {
		res, err := box.Run(b.Context(), sandbox.View{}, sandbox.Command{Argv: argv})
		if err != nil || res.Code != 0 {
			b.Fatalf("%+v, %v", res, err)
		}
	}
	inside()
	reportPairs(b, func() {
		if err := cmd().Run(); err != nil {
			b.Fatal(err)
		}
	}, inside)
}
