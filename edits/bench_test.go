package edits_test

import (
	"fmt"
	"math/rand"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agentls/agentls/edits"
)

// times are how long the rounds of a benchmark took.
type times []time.Duration

// report prints the least, the middle and the most.
func (d times) report(b *testing.B, what string) {
	b.Helper()
	slices.Sort(d)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.Logf("%-24s min %8.1f  p50 %8.1f  max %8.1f ms, %d rounds", what, ms(d[0]), ms(d[len(d)/2]), ms(d[len(d)-1]), len(d))
	b.ReportMetric(ms(d[len(d)/2]), "ms/"+strings.ReplaceAll(what, " ", "-"))
}

func (d *times) measure(f func()) {
	start := time.Now()
	f()
	*d = append(*d, time.Since(start))
}

// thousand returns 1,000 files of 10 KB, and them with a line more.
func thousand() (files, want map[string]string) {
	files, want = map[string]string{}, map[string]string{}
	for i := range 1000 {
		name := fmt.Sprintf("d%d/f%d.go", i/100, i)
		lines := strings.Repeat(fmt.Sprintf("the line of file %d\n", i), 500)
		files[name] = lines
		want[name] = lines[:len(lines)/2/20*20] + "changed\n" + lines[len(lines)/2/20*20:]
	}
	return files, want
}

// onDisk brings everything to the disk: the files of a workspace have lain there
// since long before, and nobody is to wait for what another one wrote.
func onDisk(b *testing.B) {
	b.Helper()
	if err := exec.CommandContext(b.Context(), "sync").Run(); err != nil {
		b.Log("the files are not synced before:", err)
	}
}

// BenchmarkApply1000 changes one line in each of 1,000 files of 10 KB, by the
// journal, durably, and by `git apply`, which syncs nothing; and takes it back.
func BenchmarkApply1000(b *testing.B) {
	files, want := thousand()
	var apply, undo, git times
	for range b.N {
		bench := newBench(b, files)
		cs := bench.changes("all", want)
		patch := cs.Unified(func(path string) string {
			rel, _ := filepath.Rel(bench.root, path)
			return rel
		})
		again := newBench(b, files)
		cmd := exec.CommandContext(b.Context(), "git", "apply", "-")
		cmd.Dir, cmd.Stdin = again.root, strings.NewReader(patch)
		onDisk(b)
		git.measure(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		})
		again.is(want)
		onDisk(b)
		apply.measure(func() { bench.apply(cs) })
		bench.is(want)
		onDisk(b)
		undo.measure(func() { bench.undo("", edits.Selection{}) })
		bench.is(files)
	}
	git.report(b, "git apply")
	apply.report(b, "apply")
	undo.report(b, "undo")
	b.ReportMetric(float64(apply[len(apply)/2])/float64(git[len(git)/2]), "times-git")
}

// BenchmarkDiff10000 compares 10,000 lines with some changes and a moved block.
func BenchmarkDiff10000(b *testing.B) {
	r := rand.New(rand.NewSource(3))
	lines := make([]string, 10_000)
	for i := range lines {
		lines[i] = fmt.Sprintf("line %d of some text %d\n", r.Intn(6000), r.Intn(3))
	}
	after := slices.Clone(lines)
	block := slices.Clone(after[2000:2300])
	after = slices.Insert(slices.Delete(after, 2000, 2300), 7000, block...)
	for range 100 {
		after[r.Intn(len(after))] = "changed\n"
	}
	x, y := []byte(strings.Join(lines, "")), []byte(strings.Join(after, ""))
	var diff times
	for range b.N {
		diff.measure(func() {
			if _, err := edits.NewModify("/w/f", x, y); err != nil {
				b.Fatal(err)
			}
		})
	}
	diff.report(b, "diff")
}

// BenchmarkRebase100 rebases a change of 100 files of 10 KB that the user has
// changed elsewhere.
func BenchmarkRebase100(b *testing.B) {
	now, cs := files{}, &edits.ChangeSet{ID: "c"}
	before, after := thousand()
	for name := range before {
		if len(cs.Files) == 100 {
			break
		}
		f, err := edits.NewModify("/w/"+name, []byte(before[name]), []byte(after[name]))
		if err != nil {
			b.Fatal(err)
		}
		cs.Files = append(cs.Files, f)
		now[f.Path] = "the user's line\n" + before[name]
	}
	var rebase times
	for range b.N {
		rebase.measure(func() {
			if _, conflicts, err := edits.Rebase(b.Context(), cs, now); err != nil || len(conflicts) > 0 {
				b.Fatal(conflicts, err)
			}
		})
	}
	rebase.report(b, "rebase")
}
