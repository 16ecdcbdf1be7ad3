package main

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/agentls/agentls/edits"
)

// dying makes the test binary end in the middle of an apply to the file that
// the variable names.
const dying = "AGENTLS_TEST_DYING"

// A grave is a disk whose process ends once the files are written and before
// anybody could note that.
type grave struct{ *edits.Directory }

func (g grave) Apply(ctx context.Context, cs *edits.ChangeSet) error {
	if err := g.Directory.Apply(ctx, cs); err != nil {
		return err
	}
	os.Exit(137)
	return nil
}

func dieInApply() {
	path := os.Getenv(dying)
	before, err := os.ReadFile(path)
	if err == nil {
		var f edits.FileChange
		f, err = edits.NewModify(path, before, append(before, "cut off\n"...))
		cs := &edits.ChangeSet{ID: "x", Title: "Cut off", Files: []edits.FileChange{f}}
		if err == nil {
			_, err = (&app{}).journal().Apply(context.Background(), grave{edits.NewDirectory()}, cs)
		}
	}
	panic(errors.Join(errors.New("still alive"), err))
}

// TestCutOff: the next command settles what a killed one left, and undo works.
func TestCutOff(t *testing.T) {
	u := mathUser(t)
	env := u.env
	u.env = append(u.env, dying+"="+u.path("math.go"))
	u.run().want(t, 137)
	u.env = env
	u.run("doctor").want(t, 0, "1 change cut off")
	u.run("changes").want(t, 0, `"Cut off" was cut off, and rolled forward`, "Cut off")
	u.run("changes", "undo").want(t, 0, "undone: Cut off")
	if got := u.read("math.go"); got != mathGo {
		t.Errorf("math.go is %q", got)
	}
}

// TestPatchAfterACutOff: a patch is held against the files that were settled.
func TestPatchAfterACutOff(t *testing.T) {
	u := mathUser(t)
	env := u.env
	u.env = append(u.env, dying+"="+u.path("math.go"))
	u.run().want(t, 137)
	u.env = env
	u.write("wrong.patch", "*** Begin Patch\n*** Update File: math.go\n@@\n-nowhere\n+x\n*** End Patch\n")
	u.run("patch", "wrong.patch").want(t, 3, `"Cut off" was cut off`, "nothing was changed")
}
