//go:build linux

package edits_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/agentls/agentls/edits"
)

// The environment of the torture. The number of runs is set by whoever starts
// the tests, the others by the torture for the processes it ends.
const (
	tortureRuns = "EDITS_TORTURE"
	tortureDir  = "EDITS_TORTURE_DIR"
	tortureAt   = "EDITS_TORTURE_AT" // see crash_test.go for the task
)

const (
	fewRuns   = 120                   // where the environment does not say
	beginning = "torture-begins-here" // a path that strace shows
	committed = "committed"           // beside the journal: the task had returned
)

// The tasks that are tortured.
var tasks = []string{"apply", "undo", "redo", "recover"}

// A torture is one tree, the journal for it, and what must become of it.
type torture struct {
	*bench
	task     string
	from, to map[string]string // the only trees that may be there in the end
	cs       *edits.ChangeSet
	litter   bool // temporary files were found in the end
}

// tortured is a tree and a change of every kind, a file written in place too.
func tortured(tb testing.TB, dir string) *torture {
	tb.Helper()
	before, _, _ := everything()
	before["twin"] = strings.Repeat("a line of text\n", 200)
	before["locked"], before["run"], before["swap/a"], before["mode"] = "locked\n", "run\n", "a\n", "mode\n"
	b := &bench{t: tb, root: filepath.Join(dir, "tree"), state: filepath.Join(dir, "state"), disk: edits.NewDirectory()}
	if err := os.MkdirAll(b.root, 0o755); err != nil {
		tb.Fatal(err)
	}
	writeTree(tb, b.root, before)
	for _, err := range []error{
		os.Link(b.path("twin"), b.path("twin2")), os.Chmod(b.path("locked"), 0o444), os.Chmod(b.path("run"), 0o750),
	} {
		if err != nil {
			tb.Fatal(err)
		}
	}
	b.journal = openJournal(b.state)
	return &torture{bench: b}
}

// change returns the change set of the torture.
func (x *torture) change() *edits.ChangeSet {
	_, change, _ := everything()
	change["twin"] = strings.Repeat("another line, which is longer\n", 180)
	change["locked"], change["run"], change["swap/a"], change["swap"] = "unlocked\n", "ran\n", gone, "a file for a folder\n"
	cs := x.changes("all", change)
	for i := range cs.Files {
		if cs.Files[i].Path == x.path("run") {
			cs.Files[i].Mode = 0o700
		}
	}
	mode, err := edits.NewModeChange(x.path("mode"), []byte("mode\n"), 0o644, 0o755)
	if err != nil {
		x.t.Fatal(err)
	}
	cs.Files = append(cs.Files, mode)
	return cs
}

// newTorture returns a torture that is ready for task.
func newTorture(tb testing.TB, dir, task string) *torture {
	tb.Helper()
	x := tortured(tb, dir)
	x.task = task
	before := x.tree()
	if task == "apply" {
		done := tortured(tb, filepath.Join(dir, "done"))
		done.apply(done.change())
		x.from, x.to, x.cs = before, done.tree(), x.change()
		return x
	}
	cs := x.change()
	if task == "recover" {
		x.from, x.to = before, newTorture(tb, filepath.Join(dir, "apply"), "apply").to
		x.crash(cs)
		return x
	}
	x.apply(cs)
	x.from, x.to = x.tree(), before
	if task == "redo" {
		x.undo("", edits.Selection{})
		x.from, x.to = x.to, x.from
	}
	return x
}

// crash leaves an apply of cs half done: from the sixth renaming on nothing
// works any more.
func (x *torture) crash(cs *edits.ChangeSet) {
	x.t.Helper()
	renamings, broken := 0, false
	off := edits.Fault(func(op, _ string) error {
		if op == "rename" {
			renamings++
		}
		if broken = broken || renamings > 5; broken {
			return syscall.EIO
		}
		return nil
	})
	defer off()
	if _, err := x.journal.Apply(x.t.Context(), x.disk, cs); err == nil {
		x.t.Fatal("the apply that was to crash did not")
	}
}

// tree returns the files with their modes.
func (x *torture) tree() map[string]string {
	tree := readTree(x.t, x.root)
	x.litter = false
	for name, content := range tree {
		if strings.HasSuffix(name, "/") { // an empty folder; sub was there before
			x.litter = x.litter || name != "sub/"
			delete(tree, name)
			continue
		}
		if strings.Contains(name, ".agentls-") {
			x.litter = true
			delete(tree, name)
			continue
		}
		stat, err := os.Stat(x.path(name))
		if err != nil {
			x.t.Fatal(err)
		}
		if stat.Mode().IsRegular() {
			tree[name] = fmt.Sprintf("%04o %s", stat.Mode().Perm(), content)
		}
	}
	return tree
}

// do does the task.
func (x *torture) do(ctx context.Context) (err error) {
	switch x.task {
	case "undo":
		_, err = x.journal.Undo(ctx, x.disk, "", edits.Selection{})
	case "redo":
		_, err = x.journal.Redo(ctx, x.disk, "", edits.Selection{})
	case "recover":
		_, err = x.journal.Recover(ctx, x.disk)
	case "apply":
		_, err = x.journal.Apply(ctx, x.disk, x.cs)
	case "control":
		err = x.disk.Apply(ctx, x.cs)
	default:
		err = fmt.Errorf("no task %q", x.task)
	}
	return err
}

// A verdict says what is wrong after a recovery.
type verdict struct{ torn, lost, mute, litter bool }

// judge recovers and looks. Err is what the task returned, and done that it
// returned none; of a process only its own mark says so.
func (x *torture) judge(err error, done bool) (v verdict) {
	x.t.Helper()
	x.journal = openJournal(x.state)
	recoveries, recoverErr := x.journal.Recover(x.t.Context(), x.disk)
	tree := x.tree()
	v.litter = x.litter
	asTo, asFrom := cmp.Equal(tree, x.to), cmp.Equal(tree, x.from)
	v.torn = !asTo && !asFrom || recoverErr != nil
	done = done || err == nil && x.isDone()
	v.lost = done && !asTo && x.task != "recover" || !v.torn && !x.agrees()
	v.mute = err != nil && !errors.Is(err, syscall.EIO) && !errors.Is(err, syscall.ENOSPC)
	if v.torn || v.lost || v.mute {
		x.t.Errorf("%s: %+v: error %v; done %t; recoveries %+v, %v; as planned %t, as before %t\n%s",
			x.task, v, err, done, recoveries, recoverErr, asTo, asFrom, cmp.Diff(x.from, tree))
	}
	return v
}

// agrees reports whether the journal says what the tree shows, and still works.
func (x *torture) agrees() bool {
	asTo := cmp.Equal(x.tree(), x.to)
	entries, err := x.journal.Entries(x.t.Context(), 9)
	if err != nil {
		x.t.Log(err)
		return false
	}
	made := x.task != "undo" == asTo // whether the change is there now
	switch {
	case !made && len(entries) == 0:
		return x.task == "apply" || x.task == "recover"
	case len(entries) != 1 || made != (entries[0].State == edits.EntryApplied) || made == (entries[0].State == edits.EntryUndone):
		x.t.Logf("entries %+v", entries)
		return false
	case made:
		_, err = x.journal.Undo(x.t.Context(), x.disk, "", edits.Selection{})
	default:
		_, err = x.journal.Redo(x.t.Context(), x.disk, "", edits.Selection{})
	}
	want := x.to
	if asTo {
		want = x.from
	}
	if diff := cmp.Diff(want, x.tree()); err != nil || diff != "" {
		x.t.Logf("back again: %v\n%s", err, diff)
		return false
	}
	return true
}

// A score counts what happened in one way of torturing.
type score struct{ runs, ended, torn, lost, mute, litter int }

func (s *score) add(v verdict, ended bool) {
	s.runs++
	for n, yes := range map[*int]bool{&s.ended: ended, &s.torn: v.torn, &s.lost: v.lost, &s.mute: v.mute, &s.litter: v.litter} {
		if yes {
			*n++
		}
	}
}

// A way is one way of torturing: run number n of a task; ended says whether
// the fault came at all.
type way struct {
	name string
	run  func(x *torture, n int) (v verdict, ended bool)
}

// TestTorture ends and hinders applies, undos, redos and recoveries in every
// way, and looks what is left. EDITS_TORTURE is the number of runs.
func TestTorture(t *testing.T) {
	runs := fewRuns
	if given := os.Getenv(tortureRuns); given != "" {
		var err error
		if runs, err = strconv.Atoi(given); err != nil {
			t.Fatal(err)
		}
	}
	dir := scratch(t)
	ways := []way{
		{"killed at a point", killAtPoint},
		{"EIO at a point", failAtPoint(syscall.EIO, 1)},
		{"EIO from a point on", failAtPoint(syscall.EIO, 1<<30)},
		{"ENOSPC at a point", failAtPoint(syscall.ENOSPC, 1)},
		{"ENOSPC from a point on", failAtPoint(syscall.ENOSPC, 1<<30)},
	}
	if calls, ok := systemCalls(t, dir); ok {
		ways = append(ways,
			way{"killed at a system call", calls.kill},
			way{"EIO at a system call", calls.fail("EIO", "")},
			way{"EIO from a system call on", calls.fail("EIO", "+")},
			way{"ENOSPC at a system call", calls.fail("ENOSPC", "")},
			way{"ENOSPC from a system call on", calls.fail("ENOSPC", "+")},
		)
	} else {
		t.Log("strace cannot be used here: in-process points only")
	}
	t.Logf("%-30s %6s %6s %6s %6s %6s %6s", "", "runs", "hit", "torn", "lost", "mute", "litter")
	var sum score
	for _, w := range ways {
		s := w.score(t, dir, max(1, runs/len(ways)))
		t.Log(s.line(w.name))
		sum = score{
			sum.runs + s.runs, sum.ended + s.ended, sum.torn + s.torn, sum.lost + s.lost, sum.mute + s.mute, sum.litter + s.litter,
		}
	}
	t.Log(sum.line("all"))
	control(t, dir, max(20, runs/10))
}

func (s *score) line(name string) string {
	return fmt.Sprintf("%-30s %6d %6d %6d %6d %6d %6d", name, s.runs, s.ended, s.torn, s.lost, s.mute, s.litter)
}

// score tortures in one way.
func (w *way) score(t *testing.T, dir string, runs int) (s score) {
	t.Helper()
	order := rand.New(rand.NewSource(1)).Perm(runs)
	for _, n := range order {
		own := filepath.Join(dir, "run")
		x := newTorture(t, own, tasks[n%len(tasks)])
		v, ended := w.run(x, n/len(tasks)*spread(runs))
		s.add(v, ended)
		if err := os.RemoveAll(own); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// spread returns a step at which few runs come to points far apart: the ways
// take it modulo the number of points.
func spread(runs int) int {
	if runs < 400 {
		return 7
	}
	return 1
}

// control lets the same change be killed without a journal: that must tear
// some trees, or the torture shows nothing.
func control(t *testing.T, dir string, runs int) {
	t.Helper()
	torn := 0
	for n := range runs {
		own := filepath.Join(dir, "control")
		x := newTorture(t, own, "apply")
		at := x.point(n * 7)
		x.task = "control"
		if _, err := x.child(at, nil); err != nil {
			t.Fatal(err)
		}
		if tree := x.tree(); !cmp.Equal(tree, x.from) && !cmp.Equal(tree, x.to) {
			torn++
		}
		if err := os.RemoveAll(own); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%-30s %6d %6s %6d", "the control, without a journal", runs, "", torn)
	if torn == 0 {
		t.Error("the control without a journal is never torn: this shows nothing")
	}
}

// scratch returns a folder for many small trees, in memory where there is one:
// what is killed is the process, not the machine.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "edits-torture-") //nolint:usetesting // in memory: 20 times as fast
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// points returns how many points the task comes to.
func (x *torture) points() int {
	n := 0
	off := edits.Fault(func(string, string) error { n++; return nil })
	defer off()
	if err := x.do(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
	return n
}

// pointsOf has the number of points of each task.
var pointsOf = map[string]int{}

// point returns the point of run n.
func (x *torture) point(n int) int {
	if pointsOf[x.task] == 0 {
		dir := filepath.Join(filepath.Dir(x.root), "points")
		pointsOf[x.task] = newTorture(x.t, dir, x.task).points()
	}
	return n % pointsOf[x.task]
}

// failAtPoint fails some points from one on.
func failAtPoint(with syscall.Errno, times int) func(x *torture, n int) (verdict, bool) {
	return func(x *torture, n int) (verdict, bool) {
		left, hit := x.point(n), 0
		off := edits.Fault(func(op, path string) error {
			if left--; left >= 0 || hit == times {
				return nil
			}
			hit++
			return &fs.PathError{Op: op, Path: path, Err: with}
		})
		err := x.do(x.t.Context())
		off()
		return x.judge(err, err == nil), hit > 0
	}
}

// killAtPoint kills a process of its own at a point.
func killAtPoint(x *torture, n int) (verdict, bool) {
	killed, err := x.child(x.point(n), nil)
	return x.judge(err, false), killed
}

// isDone reports whether the task returned without an error in its process.
func (x *torture) isDone() bool {
	_, err := os.Stat(filepath.Join(x.state, committed))
	return err == nil
}

// child does the task in a process of its own, which is killed at a point; -1
// is none. Before come the words before its command.
func (x *torture) child(at int, before []string) (killed bool, err error) {
	x.t.Helper()
	words := append(slices.Clone(before), os.Args[0])
	cmd := exec.CommandContext(x.t.Context(), words[0], words[1:]...)
	cmd.Env = append(os.Environ(), tortureTask+"="+x.task, tortureDir+"="+filepath.Dir(x.root), tortureAt+"="+strconv.Itoa(at), "GOGC=off")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status, ok := exit.Sys().(syscall.WaitStatus)
		if ok && status.Signal() == syscall.SIGKILL {
			return true, nil
		}
		if exit.ExitCode() == exitWithError {
			return false, said(out)
		}
		x.t.Fatalf("%v: %s", err, out)
	}
	if err != nil {
		x.t.Fatal(err)
	}
	return false, nil
}

// exitWithError is the exit code of a process whose task returned an error.
const exitWithError = 7

// said returns what a process said as the error it said.
func said(out []byte) error {
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC} {
		if strings.Contains(string(out), errno.Error()) {
			return fmt.Errorf("%s: %w", out, errno)
		}
	}
	return errors.New(string(out))
}

// torturedProcess is what that process does.
func torturedProcess() {
	runtime.LockOSThread() // strace counts by thread
	dir := os.Getenv(tortureDir)
	x := &torture{task: os.Getenv(tortureTask), bench: &bench{
		t: &mustNotFail{}, root: filepath.Join(dir, "tree"), state: filepath.Join(dir, "state"), disk: edits.NewDirectory(),
	}}
	x.journal = openJournal(x.state)
	if x.task == "apply" || x.task == "control" {
		x.cs = x.change()
	}
	left, err := strconv.Atoi(os.Getenv(tortureAt))
	if err != nil {
		panic(err)
	}
	if left >= 0 {
		edits.Fault(func(op, path string) error {
			if left--; left >= 0 {
				return nil
			}
			x.half(op, path)
			return killSelf()
		})
	}
	_, _ = os.Stat(beginning)
	if err := x.do(context.Background()); err != nil {
		_, _ = unix.Writev(2, [][]byte{[]byte(err.Error())}) // a call of its own, which never fails here
		syscall.Exit(exitWithError)
	}
	_ = unix.Mknod(filepath.Join(x.state, committed), unix.S_IFREG|0o600, 0)
	syscall.Exit(0)
}

// half does half of an overwriting before it is cut off.
func (x *torture) half(op, path string) {
	if op != "overwrite" {
		return
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return
	}
	half := strings.Repeat("another line, which is longer\n", 90)
	if now := make([]byte, 10); x.task != "apply" && x.task != "redo" {
		half = strings.Repeat("a line of text\n", 100)
	} else if _, err := file.ReadAt(now, 0); err != nil {
		return
	}
	_, _ = file.WriteAt([]byte(half), 0)
}

// A callTable has the system calls that each task makes, in its own process.
type callTable map[string][]call

// A call is the n-th system call of a name in a thread, from 1.
type call struct {
	name string
	n    int
}

// systemCalls lists them with strace; ok is false where that cannot be used.
func systemCalls(t *testing.T, dir string) (table callTable, ok bool) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		return nil, false
	}
	table = callTable{}
	for _, task := range tasks {
		x := newTorture(t, filepath.Join(dir, "calls"), task)
		trace := filepath.Join(dir, "trace")
		if _, err := x.child(-1, []string{"strace", "-f", "-qq", "-o", trace}); err != nil {
			t.Log(err)
			return nil, false
		}
		table[task] = readCalls(t, trace)
		if err := os.RemoveAll(filepath.Join(dir, "calls")); err != nil {
			t.Fatal(err)
		}
	}
	return table, true
}

var traced = regexp.MustCompile(`^(\d+) +([a-z0-9_]+)\(`)

// readCalls returns the calls of the first thread from where the task begins.
func readCalls(t *testing.T, trace string) (calls []call) {
	t.Helper()
	file, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // only read
	count, main, begun := map[string]int{}, "", false
	for lines := bufio.NewScanner(file); lines.Scan(); {
		m := traced.FindStringSubmatch(lines.Text())
		if m == nil || main != "" && m[1] != main {
			continue
		}
		main = m[1]
		count[m[2]]++
		begun = begun || strings.Contains(lines.Text(), beginning)
		if begun {
			calls = append(calls, call{m[2], count[m[2]]})
		}
	}
	if len(calls) < 100 {
		t.Fatalf("only %d system calls were seen", len(calls))
	}
	return calls
}

func (c callTable) kill(x *torture, n int) (verdict, bool) {
	calls := c[x.task]
	at := calls[n%len(calls)]
	killed, err := x.child(-1, inject(at, "signal=KILL", ""))
	return x.judge(err, false), killed
}

// writes are the calls that can fail for want of space, or on a bad disk.
var writes = []string{
	"write", "pwrite64", "openat", "ftruncate", "fsync", "fdatasync", "syncfs", "renameat", "renameat2", "rename", "linkat", "unlinkat",
	"mkdirat", "fchmod", "fchmodat", "fallocate",
}

func (c callTable) fail(with, more string) func(x *torture, n int) (verdict, bool) {
	return func(x *torture, n int) (verdict, bool) {
		calls := slices.DeleteFunc(slices.Clone(c[x.task]), func(at call) bool { return !slices.Contains(writes, at.name) })
		at := calls[n%len(calls)]
		_, err := x.child(-1, inject(at, "error="+with, more))
		return x.judge(err, false), true
	}
}

// inject returns the words that let strace do something to a call, or from it
// on.
func inject(at call, what, more string) []string {
	return []string{
		"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + at.name,
		"-e", fmt.Sprintf("inject=%s:%s:when=%d%s", at.name, what, at.n, more),
	}
}
