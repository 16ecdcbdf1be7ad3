package edits_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits"
)

const (
	packageP  = "package p\n\n"
	changedA  = "func a() {\n\tONE()\n\ttwo()\n\tTHREE()\n}\n"
	changedB  = "func b() {\n\tx()\n\ty()\n\tZ()\n\tlonger()\n\tthan(a)\n}\n"
	anotherA  = "func a() {\n\tsomething()\n\tquite()\n\tdifferent()\n\tthree()\n}\n"
	userB     = "// b is mine.\nfunc b() {\n\tx()\n\ty()\n\tz()\n\tlonger()\n\tthan(c)\n}\n"
	changedUB = "// b is mine.\nfunc b() {\n\tx()\n\ty()\n\tZ()\n\tlonger()\n\tthan(c)\n}\n"
)

// TestRebaseFollowsToAnotherFile: a change of a function that the user moved to
// another file is a change of that file, if there can be no doubt about it.
func TestRebaseFollowsToAnotherFile(t *testing.T) {
	mine := modify(t, packageP+funcA+"\n"+funcB, packageP+changedA+"\n"+changedB)
	other := must(t)(edits.NewModify("/w/g", []byte(packageP), []byte(packageP+"// g\n")))
	for name, c := range map[string]struct {
		changes []edits.FileChange
		now     files
		want    files // nil: a conflict
	}{
		"moved":             {now: files{"/w/f": packageP + funcB, "/w/g": packageP + funcA}, want: files{"/w/f": packageP + changedB, "/w/g": packageP + changedA}},
		"moved, edited":     {now: files{"/w/f": packageP + funcA, "/w/g": packageP + userB}, want: files{"/w/f": packageP + changedA, "/w/g": packageP + changedUB}},
		"all of it":         {now: files{"/w/g": funcB + "\n" + funcA}, want: files{"/w/g": changedB + "\n" + changedA}},
		"to two files":      {now: files{"/w/h": funcB, "/w/g": funcA}, want: files{"/w/h": changedB, "/w/g": changedA}},
		"there already":     {now: files{"/w/f": packageP + funcB, "/w/g": changedA}, want: files{"/w/f": packageP + changedB, "/w/g": changedA}},
		"beside a stranger": {now: files{"/w/f": packageP + funcB, "/w/g": funcA, "/w/h": anotherA}, want: files{"/w/f": packageP + changedB, "/w/g": changedA, "/w/h": anotherA}},
		"twice":             {now: files{"/w/f": packageP + funcB, "/w/g": funcA, "/w/h": funcA}},
		"a stranger":        {now: files{"/w/f": packageP + funcB, "/w/g": anotherA}},
		"nowhere":           {now: files{"/w/f": packageP + funcB, "/w/g": packageP}},
		"one of them gone":  {now: files{"/w/g": funcA}},
		"the same lines":    {now: files{"/w/f": packageP + funcB, "/w/g": "func a() {\n\tuno()\n\ttwo()\n\tthree()\n}\n"}},
		"to a changed one":  {changes: []edits.FileChange{other}, now: files{"/w/f": packageP + funcB, "/w/g": packageP + funcA}},
		"kept, and copied":  {now: files{"/w/f": packageP + "func a() {\n}\n\n" + funcB, "/w/g": funcA}},
	} {
		cs := changeSet(append(c.changes, mine)...)
		got, conflicts, err := edits.Rebase(t.Context(), cs, declarations{files: c.now})
		if err != nil || got.Check() != nil {
			t.Fatal(name, err, got.Check())
		}
		if (c.want == nil) != (len(conflicts) > 0) {
			t.Errorf("%s: conflicts %+v", name, conflicts)
		}
		if c.want == nil {
			continue
		}
		if diff := cmp.Diff(c.want, made(got, c.now)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for _, f := range got.Files {
			if f.Path != "/w/f" && f.Proposed() != "/w/f" {
				t.Errorf("%s: %s was proposed for %s", name, f.Path, f.Proposed())
			}
		}
		done := cs.Clone()
		if done.Mark(got, edits.Applied); name != "there already" && done.Pending() > 0 {
			t.Errorf("%s: %d hunks still wait", name, done.Pending())
		}
	}
}

// TestTwoFilesIntoOne: only one file's hunks can follow into another, since two
// hunks of one file must not have the same ID.
func TestTwoFilesIntoOne(t *testing.T) {
	g := must(t)(edits.NewModify("/w/g", []byte(funcB), []byte(changedB)))
	cs := changeSet(modify(t, funcA, changedA), g)
	got, conflicts, err := edits.Rebase(t.Context(), cs, declarations{files: files{"/w/h": funcA + "\n" + funcB}})
	if err != nil || got.Check() != nil || len(conflicts) != 1 || conflicts[0].Path != "/w/g" {
		t.Errorf("%+v, %v, %v", conflicts, err, got.Check())
	}
	if after := string(got.Files[0].After()); after != changedA+"\n"+funcB {
		t.Errorf("h becomes %q", after)
	}
}

// declaredDisk is the disk with functions that are found again.
type declaredDisk struct {
	edits.Directory
	root string
}

func (d *declaredDisk) Anchors(ctx context.Context, path string, content []byte) ([]edits.Anchor, error) {
	return declarations{}.Anchors(ctx, path, content)
}

func (d *declaredDisk) Declaring(ctx context.Context, name string) ([]string, error) {
	all := files{}
	err := filepath.WalkDir(d.root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			var content []byte
			content, err = os.ReadFile(path)
			all[path] = string(content)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return declarations{files: all}.Declaring(ctx, name)
}

// TestUndoFollowsToAnotherFile, and redo does; and what a crash left there is
// known to be ours.
func TestUndoFollowsToAnotherFile(t *testing.T) {
	b := newBench(t, map[string]string{"f": packageP + funcA + "\n" + funcB, "g": packageP})
	disk := &declaredDisk{root: b.root}
	b.disk = disk
	b.apply(b.changes("all", map[string]string{"f": packageP + changedA + "\n" + changedB}))
	writeTree(t, b.root, map[string]string{"f": packageP + changedB, "g": packageP + changedA})

	entry := b.undo("", edits.Selection{})
	b.is(map[string]string{"f": packageP + funcB, "g": packageP + funcA})
	if entry.State != edits.EntryUndone {
		t.Errorf("the entry is %s", entry.State)
	}
	b.redo()
	b.is(map[string]string{"f": packageP + changedB, "g": packageP + changedA})

	b.disk = &dying{declaredDisk: disk}
	if _, err := b.journal.Undo(t.Context(), b.disk, "", edits.Selection{}); !errors.Is(err, errDying) {
		t.Fatal(err)
	}
	b.disk = disk
	if _, err := b.journal.Apply(t.Context(), disk, b.changes("g", map[string]string{"g": "mine\n"})); !errors.Is(err, edits.ErrOpenIntent) {
		t.Errorf("a change of what is half undone: %v", err)
	}
	if got, err := b.journal.Recover(t.Context(), disk); err != nil || len(got) != 1 || got[0].Outcome != edits.RolledForward {
		t.Errorf("recoveries %+v, %v", got, err)
	}
	b.is(map[string]string{"f": packageP + funcB, "g": packageP + funcA})
}

var errDying = errors.New("dying")

// dying is a disk that does everything, says that it failed, and can do nothing
// any more: like a process that is killed.
type dying struct {
	*declaredDisk
	dead bool
}

func (d *dying) ReadFile(ctx context.Context, path string) ([]byte, error) {
	if d.dead {
		return nil, &fs.PathError{Op: "read", Path: path, Err: syscall.EIO}
	}
	return d.declaredDisk.ReadFile(ctx, path)
}

func (d *dying) Apply(ctx context.Context, cs *edits.ChangeSet) error {
	if !d.dead {
		d.dead = true
		if err := d.declaredDisk.Apply(ctx, cs); err != nil {
			return err
		}
	}
	return errDying
}
