package edits_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/agentls/agentls/edits"
)

// manyFiles returns so many files that several goroutines write them, some in
// each folder to be made, and what they become.
func manyFiles() (before, after map[string]string) {
	before, after = map[string]string{}, map[string]string{}
	for i := range 60 {
		name := fmt.Sprintf("d%d/f%02d", i/10, i)
		if i%10 == 0 {
			name = fmt.Sprintf("new%d/f%02d", i/20, i)
		}
		text := fmt.Sprintf("the first line of file %d\nthe second one\n", i)
		if i%10 != 0 {
			before[name] = text
		}
		if i%10 != 5 {
			after[name] = text + "changed\n"
		}
	}
	return before, after
}

// changedMany returns the change that makes the many files what they become.
func (b *bench) changedMany() *edits.ChangeSet {
	before, after := manyFiles()
	want := map[string]string{}
	for name := range before {
		want[name] = gone
	}
	for name, text := range after {
		want[name] = text
	}
	return b.changes("many", want)
}

// countdown lets the fault come that is number left, from 0, in whichever
// goroutine, and stay.
func countdown(left int, fault func() error) (off func()) {
	var n atomic.Int64
	return edits.Fault(func(string, string) error {
		if n.Add(1) <= int64(left) {
			return nil
		}
		return fault()
	})
}

// TestKillManyFiles kills an apply whose files several goroutines write.
func TestKillManyFiles(t *testing.T) {
	before, after := manyFiles()
	killed := 0
	for at := 3; ; at += 11 {
		b := newBench(t, before)
		if !b.killed("many", at) {
			b.is(after)
			break
		}
		killed++
		b.settledWhole(fmt.Sprintf("killed at %d", at), before, after)
	}
	if killed < 10 {
		t.Errorf("killed at %d points: that shows little", killed)
	}
}

// TestFailManyFiles: the disk refuses something of many files, once or from
// there on; once it takes everything again all of them are as before.
func TestFailManyFiles(t *testing.T) {
	before, after := manyFiles()
	for at := 3; ; at += 13 {
		b := newBench(t, before)
		cs := b.changedMany()
		off := countdown(at, func() error { return syscall.EIO })
		_, err := b.journal.Apply(t.Context(), b.disk, cs)
		off()
		if err == nil {
			b.is(after)
			break
		}
		if !errors.Is(err, syscall.EIO) {
			t.Fatalf("at %d the error is %v", at, err)
		}
		b.settledWhole(fmt.Sprintf("failed at %d", at), before, after)
	}
}

// settledWhole recovers, and checks that all files are as the journal says.
func (b *bench) settledWhole(when string, before, after map[string]string) {
	b.t.Helper()
	got, err := b.journal.Recover(b.t.Context(), b.disk)
	if err != nil || len(got) > 1 || len(got) == 1 && got[0].Outcome == edits.LeftOver {
		b.t.Fatalf("%s: recoveries %+v, %v", when, got, err)
	}
	entries, err := b.journal.Entries(b.t.Context(), 2)
	switch {
	case err != nil:
		b.t.Fatal(when, err)
	case len(entries) == 1 && entries[0].State == edits.EntryApplied:
		b.is(after)
	case len(entries) == 0:
		b.is(before)
	default:
		b.t.Errorf("%s: entries %+v", when, entries)
	}
}
