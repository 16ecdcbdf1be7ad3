package edits_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits"
)

// The environment by which the tests run this binary again, to kill it.
const (
	crashTree  = "EDITS_CRASH_TREE"
	crashState = "EDITS_CRASH_STATE"
	crashWhat  = "EDITS_CRASH_WHAT"
	crashAt    = "EDITS_CRASH_AT"

	tortureTask = "EDITS_TORTURE_TASK"
)

func TestMain(m *testing.M) {
	if os.Getenv(tortureTask) != "" {
		torturedProcess()
	}
	if os.Getenv(crashWhat) != "" {
		if err := crash(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killSelf ends this process at once, without a last word.
func killSelf() error {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	return self.Kill()
}

// crash is what the killed process does.
func crash() error {
	ctx := context.Background()
	at, err := strconv.Atoi(os.Getenv(crashAt))
	if err != nil {
		return err
	}
	b := &bench{t: &mustNotFail{}, root: os.Getenv(crashTree), state: os.Getenv(crashState)}
	b.journal = openJournal(b.state)
	to := &stepwise{left: at, stop: killSelf}
	if at < 0 {
		b.disk = edits.NewDirectory()
	} else {
		b.disk = to
	}
	switch what := os.Getenv(crashWhat); what {
	case "undo":
		_, err = b.journal.Undo(ctx, b.disk, "", edits.Selection{})
	case "redo":
		_, err = b.journal.Redo(ctx, b.disk, "", edits.Selection{})
	case "apply":
		_, change, _ := everything()
		_, err = b.journal.Apply(ctx, b.disk, b.changes("all", change))
	case "many":
		countdown(at, killSelf)
		_, err = b.journal.Apply(ctx, edits.NewDirectory(), b.changedMany())
	default: // the name of a file that only this process changes
		err = b.contend(ctx, what)
	}
	return err
}

// mustNotFail is the testing.TB of the killed process.
type mustNotFail struct{ testing.TB }

func (*mustNotFail) Helper()           {}
func (*mustNotFail) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// stepwise is the disk, one path at a time. Before path number left, from 0,
// and behind the last one, it stops, once.
type stepwise struct {
	edits.Directory
	left    int
	stop    func() error
	stopped bool
}

func (s *stepwise) Apply(ctx context.Context, cs *edits.ChangeSet) error {
	for _, f := range cs.Files {
		for _, one := range pathwise(f) {
			if err := s.step(); err != nil {
				return err
			}
			if err := s.Directory.Apply(ctx, &edits.ChangeSet{Files: []edits.FileChange{one}}); err != nil {
				return err
			}
		}
	}
	return s.step()
}

func (s *stepwise) step() error {
	if s.left--; s.left >= 0 || s.stopped {
		return nil
	}
	s.stopped = true
	return s.stop()
}

// pathwise returns f as changes of one path each.
func pathwise(f edits.FileChange) []edits.FileChange {
	if f.Op != edits.Rename {
		return []edits.FileChange{f}
	}
	made, err := edits.NewCreate(f.To, f.After(), 0)
	if err != nil {
		panic(err)
	}
	removed, err := edits.NewDelete(f.Path, f.Before)
	if err != nil {
		panic(err)
	}
	return []edits.FileChange{made, removed}
}

// killed runs what in a process that is killed at a step, and reports whether
// it got that far.
func (b *bench) killed(what string, at int) bool {
	b.t.Helper()
	cmd := exec.CommandContext(b.t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashTree+"="+b.root, crashState+"="+b.state, crashWhat+"="+what, crashAt+"="+strconv.Itoa(at))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signal() == syscall.SIGKILL {
			return true
		}
	}
	if err != nil {
		b.t.Fatalf("%v: %s", err, out)
	}
	return false
}

// TestKill kills an apply, an undo and a redo before every path they write:
// after the recovery all files are as before or all are as planned.
func TestKill(t *testing.T) {
	before, change, after := everything()
	for _, what := range []string{"apply", "undo", "redo"} {
		steps := 0
		for at := 0; ; at++ {
			b := newBench(t, before)
			from, to := before, after
			switch what {
			case "redo":
				b.apply(b.changes("all", change))
				b.undo("", edits.Selection{})
			case "undo":
				b.apply(b.changes("all", change))
				from, to = after, before
			}
			if !b.killed(what, at) {
				b.is(to)
				break
			}
			steps++
			got, err := b.journal.Recover(t.Context(), b.disk)
			if err != nil || len(got) != 1 {
				t.Fatalf("%s killed at %d: recoveries %+v, %v", what, at, got, err)
			}
			switch got[0].Outcome {
			case edits.RolledBack:
				b.is(from)
			case edits.RolledForward:
				b.is(to)
			case edits.LeftOver:
				t.Errorf("%s killed at %d: %+v", what, at, got[0].Files)
			}
			if open, err := b.journal.Open(t.Context()); err != nil || len(open) > 0 {
				t.Errorf("%s killed at %d: still open: %+v, %v", what, at, open, err)
			}
			b.roundTrip(what, before, after)
		}
		if steps != 9 { // eight paths, and the end
			t.Errorf("%s was killed at %d steps", what, steps)
		}
	}
}

// roundTrip checks that the journal still works after a recovery.
func (b *bench) roundTrip(what string, before, after map[string]string) {
	b.t.Helper()
	tree := readTree(b.t, b.root)
	if cmp.Equal(tree, before) {
		if what == "apply" {
			return // it is as if there had been nothing
		}
		b.redo()
		b.is(after)
		return
	}
	b.undo("", edits.Selection{})
	b.is(before)
}

// TestRecoverLeavesUsersText: a file that somebody changed after the crash is
// reported and not written.
func TestRecoverLeavesUsersText(t *testing.T) {
	before, change, _ := everything()
	b := newBench(t, before)
	if !b.killed("apply", 4) {
		t.Fatal("was not killed")
	}
	writeTree(t, b.root, map[string]string{"a": "I\n2\nmine\n4\nV\n"})
	b.journal = openJournal(b.state)

	if _, err := b.journal.Apply(t.Context(), b.disk, b.changes("more", map[string]string{"crlf": "x\n"})); !errors.Is(err, edits.ErrOpenIntent) {
		t.Errorf("apply before the recovery: %v", err)
	}
	b.apply(b.changes("elsewhere", map[string]string{"other": "changed\n"}))

	got, err := b.journal.Recover(t.Context(), b.disk)
	if err != nil || len(got) != 1 || got[0].Outcome != edits.LeftOver || len(got[0].Files) != 1 {
		t.Fatalf("recoveries %+v, %v", got, err)
	}
	left := got[0].Files[0]
	if left.Path != b.path("a") || *left.Now != "I\n2\nmine\n4\nV\n" || *left.Before != before["a"] || *left.Planned != change["a"] {
		t.Errorf("left over: %+v", left)
	}
	before["a"], before["other"] = "I\n2\nmine\n4\nV\n", "changed\n"
	b.is(before)
	if got[0].Entry.State != edits.EntryPartlyApplied {
		t.Errorf("the entry is %s", got[0].Entry.State)
	}
	b.undo(got[0].Entry.ID, edits.Selection{}) // what is left of ours goes, theirs stays: no overlap
	before["a"] = "1\n2\nmine\n4\n5\n"
	b.is(before)
}

// TestRecoverSweeps: what a killed process was about to rename is removed.
func TestRecoverSweeps(t *testing.T) {
	before, _, _ := everything()
	b := newBench(t, before)
	if !b.killed("apply", 2) {
		t.Fatal("was not killed")
	}
	writeTree(t, b.root, map[string]string{".agentls-1-1.tmp": "half", "sub/.agentls-1-2.tmp": "half"})
	if err := os.WriteFile(b.state+"/contents/nobody.change", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.journal.Recover(t.Context(), b.disk); err != nil {
		t.Fatal(err)
	}
	b.is(before)
	if left, err := os.ReadDir(b.state + "/contents"); err != nil || len(left) > 0 {
		t.Errorf("contents left: %v, %v", left, err)
	}
}

func TestRecoverWithoutContents(t *testing.T) {
	before, _, _ := everything()
	b := newBench(t, before)
	if !b.killed("apply", 0) {
		t.Fatal("was not killed")
	}
	if err := os.RemoveAll(b.state + "/contents"); err != nil {
		t.Fatal(err)
	}
	got, err := b.journal.Recover(t.Context(), b.disk)
	if err != nil || len(got) != 1 || got[0].Outcome != edits.LeftOver || len(got[0].Files) != 7 {
		t.Errorf("recoveries %+v, %v", got, err)
	}
	b.is(before)
}

// TestTornInPlace: a file with two names is written in place. What a cut off
// write left is brought back; the user's text is not.
func TestTornInPlace(t *testing.T) {
	old := strings.Repeat("a line of text\n", 200)
	_, change, _ := everything()
	for now, outcome := range map[string]edits.Outcome{
		change["a"] + old[len(change["a"]):]: edits.RolledBack, // written, not shortened
		change["a"][:3] + old[3:]:            edits.RolledBack,
		old:                                  edits.RolledBack,
		change["a"]:                          edits.RolledBack,
		change["a"] + "mine\n":               edits.LeftOver,
		"mine\n" + old:                       edits.LeftOver,
	} {
		before, _, _ := everything()
		before["a"] = old
		b := newBench(t, before)
		if err := os.Link(b.path("a"), b.path("b")); err != nil {
			t.Fatal(err)
		}
		if !b.killed("apply", 1) {
			t.Fatal("was not killed")
		}
		writeTree(t, b.root, map[string]string{"a": now})
		got, err := b.journal.Recover(t.Context(), b.disk)
		if err != nil || len(got) != 1 || got[0].Outcome != outcome {
			t.Fatalf("recoveries %+v, %v, want %s", got, err, outcome)
		}
		before["a"], before["b"] = old, old
		if outcome == edits.LeftOver {
			before["a"], before["b"] = now, now
		}
		b.is(before)
	}
}

func TestFailAtEveryStep(t *testing.T) {
	before, change, after := everything()
	broken := errors.New("disk on fire")
	for at := range 9 {
		b := newBench(t, before)
		to := &stepwise{left: at, stop: func() error { return broken }}
		_, err := b.journal.Apply(t.Context(), to, b.changes("all", change))
		var partial *edits.PartialError
		if !errors.Is(err, broken) || errors.As(err, &partial) {
			t.Fatalf("failing at %d: %v", at, err)
		}
		b.is(before)
		b.entries(0)
		b.apply(b.changes("all", change))

		to = &stepwise{left: at, stop: func() error { return broken }}
		if _, err := b.journal.Undo(t.Context(), to, "", edits.Selection{}); !errors.Is(err, broken) {
			t.Fatalf("undo failing at %d: %v", at, err)
		}
		b.is(after)
		b.undo("", edits.Selection{})
		b.is(before)
	}
}

func (b *bench) entries(want int) {
	b.t.Helper()
	if got, err := b.journal.Entries(b.t.Context(), 99); err != nil || len(got) != want {
		b.t.Errorf("entries %+v, %v, want %d", got, err, want)
	}
}

// TestFailLeavesUsersText: while an apply fails, the user writes a file.
func TestFailLeavesUsersText(t *testing.T) {
	before, change, _ := everything()
	b := newBench(t, before)
	broken := errors.New("disk on fire")
	to := &stepwise{left: 5}
	to.stop = func() error {
		writeTree(t, b.root, map[string]string{"a": "I\n2\nmine\n4\nV\n"})
		return broken
	}
	_, err := b.journal.Apply(t.Context(), to, b.changes("all", change))
	var partial *edits.PartialError
	if !errors.As(err, &partial) || !errors.Is(err, broken) || len(partial.Files) != 1 || *partial.Files[0].Now != "I\n2\nmine\n4\nV\n" {
		t.Fatalf("%v", err)
	}
	before["a"] = "I\n2\nmine\n4\nV\n"
	b.is(before)
	b.entries(1)
	b.undo("", edits.Selection{})
	before["a"] = "1\n2\nmine\n4\n5\n"
	b.is(before)
}

// TestLock: while one process applies, another waits, and says so.
func TestLock(t *testing.T) {
	b := newBench(t, map[string]string{"a": "1\n", "b": "1\n"})
	cs := b.changes("one", map[string]string{"a": "2\n"})
	other := b.changes("two", map[string]string{"b": "2\n"})
	var waited error
	to := &stepwise{left: 0}
	to.stop = func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, waited = openJournal(b.state).Apply(ctx, b.disk, other)
		return nil
	}
	if _, err := b.journal.Apply(t.Context(), to, cs); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(waited, context.DeadlineExceeded) || !strings.Contains(waited.Error(), "lock") {
		t.Errorf("the second one said %v", waited)
	}
	b.is(map[string]string{"a": "2\n", "b": "1\n"})
}

// TestTwoProcesses lets two processes change the same file at once.
func TestTwoProcesses(t *testing.T) {
	lines := strings.Repeat("-\n", 40)
	b := newBench(t, map[string]string{"shared": lines})
	var group sync.WaitGroup
	for _, name := range []string{"one", "two"} {
		group.Go(func() { b.killed(name, -1) })
	}
	group.Wait()
	b.is(map[string]string{
		"shared": strings.Repeat("one\n-\n", 5) + strings.Repeat("-\n", 10) + strings.Repeat("two\n-\n", 5) + strings.Repeat("-\n", 10),
		"one":    "4\n", "two": "4\n",
	})
	b.entries(10)
	for range 10 {
		b.undo("", edits.Selection{})
	}
	b.is(map[string]string{"shared": lines})
}

// contend changes every second line of a part of the shared file, and a file
// of its own.
func (b *bench) contend(ctx context.Context, name string) error {
	from := map[string]int{"one": 0, "two": 20}[name]
	for i := range 5 {
		shared, err := b.disk.ReadFile(ctx, b.path("shared"))
		if err != nil {
			return err
		}
		lines := strings.SplitAfter(string(shared), "\n")
		lines[from+2*i] = name + "\n"
		f, err := edits.NewModify(b.path("shared"), shared, []byte(strings.Join(lines, "")))
		if err != nil {
			return err
		}
		own, err := b.own(ctx, name, strconv.Itoa(i)+"\n")
		if err != nil {
			return err
		}
		n := 0
		newID := func() string { n++; return fmt.Sprintf("%s-%d-%d", name, i, n) }
		journal := edits.OpenJournal(b.state, func() time.Time { return time.Unix(1_700_000_000, 0) }, newID)
		if _, err := journal.Apply(ctx, b.disk, changeSet(f, own)); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) own(ctx context.Context, name, content string) (edits.FileChange, error) {
	before, err := b.disk.ReadFile(ctx, b.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return edits.NewCreate(b.path(name), []byte(content), 0)
	}
	return edits.NewModify(b.path(name), before, []byte(content))
}
