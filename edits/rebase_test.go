package edits_test

import (
	"context"
	"errors"
	"math/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits"
)

// TestRebaseLikeGit compares Rebase with `git merge-file`: the same conflicts,
// and the same bytes where there are none.
func TestRebaseLikeGit(t *testing.T) {
	dir := t.TempDir()
	for mode := range 3 {
		r := rand.New(rand.NewSource(42))
		clean := 0
		for range 200 {
			base, ours, theirs := gen(r, mode)
			f, err := edits.NewModify("/w/f", []byte(base), []byte(ours))
			if errors.Is(err, edits.ErrNoChange) {
				continue
			}
			must(t)(f, err)
			want, wantClean := gitMerge(t, dir, base, ours, theirs)
			got, conflicts := rebased(t, changeSet(f), files{"/w/f": theirs})
			if (len(conflicts) == 0) != wantClean {
				t.Fatalf("base %q\nours %q\ntheirs %q\ngit says clean: %t, conflicts %+v", base, ours, theirs, wantClean, conflicts)
			}
			if !wantClean {
				continue
			}
			clean++
			if after := made(got, files{"/w/f": theirs})["/w/f"]; after != want {
				t.Fatalf("base %q\nours %q\ntheirs %q\ngot %q\ngit %q", base, ours, theirs, after, want)
			}
		}
		if clean < 20 || clean > 180 {
			t.Errorf("mode %d: %d of 200 cases are clean, which tests little", mode, clean)
		}
	}
}

// rebased returns cs on now; the result keeps all invariants.
func rebased(t *testing.T, cs *edits.ChangeSet, now files) (*edits.ChangeSet, []edits.Conflict) {
	t.Helper()
	got, conflicts, err := edits.Rebase(t.Context(), cs, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Check(); err != nil {
		t.Fatal(err)
	}
	return got, conflicts
}

// made returns now with the pending hunks of cs made.
func made(cs *edits.ChangeSet, now files) files {
	out := files{}
	for path, content := range now {
		out[path] = content
	}
	for i := range cs.Files {
		f := &cs.Files[i]
		if f.Op == edits.Delete || f.Op == edits.Rename {
			delete(out, f.Path)
		}
		if f.Op != edits.Delete {
			out[f.Target()] = string(f.After())
		}
	}
	return out
}

func TestRebaseFiles(t *testing.T) {
	create := must(t)(edits.NewCreate("/w/f", []byte("new\n"), 0))
	remove := must(t)(edits.NewDelete("/w/f", []byte("old\n")))
	rename := must(t)(edits.NewRename("/w/f", "/w/g", []byte("1\n2\n3\n"), []byte("1\n2\nIII\n")))
	change := modify(t, "1\n2\n3\n", "1\n2\nIII\n")
	for name, c := range map[string]struct {
		change edits.FileChange
		now    files
		want   files
		reason string // "" for no conflict
	}{
		"create":                    {create, files{}, files{"/w/f": "new\n"}, ""},
		"create, already there":     {create, files{"/w/f": "new\n"}, files{"/w/f": "new\n"}, ""},
		"create, another there":     {create, files{"/w/f": "mine\n"}, nil, "another content is there"},
		"delete":                    {remove, files{"/w/f": "old\n"}, files{}, ""},
		"delete, already gone":      {remove, files{}, files{}, ""},
		"delete, changed":           {remove, files{"/w/f": "mine\n"}, nil, "changed meanwhile"},
		"rename":                    {rename, files{"/w/f": "0\n1\n2\n3\n"}, files{"/w/g": "0\n1\n2\nIII\n"}, ""},
		"rename, already done":      {rename, files{"/w/g": "1\n2\nIII\n"}, files{"/w/g": "1\n2\nIII\n"}, ""},
		"rename, target exists":     {rename, files{"/w/f": "1\n2\n3\n", "/w/g": ""}, nil, "/w/g exists now"},
		"rename, gone":              {rename, files{}, nil, "no longer there"},
		"rename, lines changed":     {rename, files{"/w/f": "1\n2\nthree\n"}, nil, "the same lines"},
		"modify":                    {change, files{"/w/f": "one\n2\n3\n"}, files{"/w/f": "one\n2\nIII\n"}, ""},
		"modify, already there":     {change, files{"/w/f": "one\n2\nIII\n"}, files{"/w/f": "one\n2\nIII\n"}, ""},
		"modify, gone":              {change, files{}, nil, "no longer there"},
		"modify, binary now":        {change, files{"/w/f": "\x00"}, nil, "binary file"},
		"modify, not UTF-8 now":     {change, files{"/w/f": "\xff"}, nil, "not UTF-8"},
		"modify, touching":          {change, files{"/w/f": "1\ntwo\n3\n"}, nil, "the same lines"},
		"modify, final newline off": {change, files{"/w/f": "1\n2\n3"}, nil, "the same lines"},
		"modify, emptied":           {change, files{"/w/f": ""}, nil, "the same lines"},
	} {
		got, conflicts := rebased(t, changeSet(c.change), c.now)
		if c.reason != "" {
			if len(conflicts) != 1 || !strings.Contains(conflicts[0].Reason, c.reason) {
				t.Errorf("%s: conflicts %+v, want %q", name, conflicts, c.reason)
			}
			continue
		}
		if len(conflicts) > 0 {
			t.Errorf("%s: conflicts %+v", name, conflicts)
		}
		if diff := cmp.Diff(c.want, made(got, c.now)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestRebaseConflict(t *testing.T) {
	const base = "1\n2\n3\n4\n5\n6\n7\n8\n"
	cs := changeSet(modify(t, base, "1\nII\n3\nIV\n5\n6\n7\nVIII\n"))
	got, conflicts := rebased(t, cs, files{"/w/f": "0\n1\n2\nmine\n4\n5\n6\n7\n8\n"})
	want := []edits.Conflict{
		{Path: "/w/f", Hunk: 1, Reason: "the same lines were changed meanwhile", Ours: "II\n3\nIV\n", Theirs: "2\nmine\n4\n"},
		{Path: "/w/f", Hunk: 2, Reason: "the same lines were changed meanwhile", Ours: "II\n3\nIV\n", Theirs: "2\nmine\n4\n"},
	}
	for i := range want {
		want[i].Span.Start, want[i].Span.End = 4, 13
	}
	if diff := cmp.Diff(want, conflicts); diff != "" {
		t.Error(diff)
	}
	if after := string(got.Files[0].After()); after != "0\n1\n2\nmine\n4\n5\n6\n7\nVIII\n" {
		t.Errorf("the hunk that fits leads to %q", after)
	}

	again, conflicts := rebased(t, got, files{"/w/f": "0\n1\n2\nstill mine\n4\n5\n6\n7\n8\n"})
	if len(conflicts) != 2 {
		t.Errorf("conflicts %+v, want the same two", conflicts)
	}
	back, conflicts := rebased(t, again, files{"/w/f": base})
	if len(conflicts) != 0 {
		t.Errorf("conflicts %+v after the user took the change back", conflicts)
	}
	if diff := cmp.Diff(cs, back); diff != "" {
		t.Errorf("after a conflict and back: %s", diff)
	}
}

// TestRebaseKeepsTrying: a change set that was in conflict is as good as new
// once what it collided with is gone.
func TestRebaseKeepsTrying(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	for i := range 600 {
		base, ours, theirs := gen(r, i%3)
		f, err := edits.NewModify("/w/f", []byte(base), []byte(ours))
		if errors.Is(err, edits.ErrNoChange) {
			continue
		}
		now := files{"/w/f": theirs}
		got, conflicts := rebased(t, changeSet(must(t)(f, err)), now)
		if len(conflicts) == 0 {
			continue
		}
		if _, again := rebased(t, got, now); len(again) != len(conflicts) {
			t.Fatalf("base %q\nours %q\ntheirs %q\n%d conflicts, tried again %d", base, ours, theirs, len(conflicts), len(again))
		}
		if len(got.Files[0].Hunks) < len(f.Hunks) {
			continue // a part was there already
		}
		before := files{"/w/f": base}
		back, again := rebased(t, got, before)
		if len(again) > 0 || made(back, before)["/w/f"] != ours {
			t.Fatalf("base %q\nours %q\ntheirs %q\nback on base it leads to %q, conflicts %+v",
				base, ours, theirs, made(back, before)["/w/f"], again)
		}
	}
}

func TestRebaseAfterApplying(t *testing.T) {
	cs := changeSet(modify(t, "1\n2\n3\n4\n5\n", "I\nI\n2\nIII\n4\nV\n"))
	cs.Files[0].Hunks[0].State = edits.Applied
	cs.Files[0].Hunks[1].State = edits.Rejected
	got, conflicts := rebased(t, cs, files{"/w/f": "I\nI\n2\n3 mine\n4\n5\n"})
	if len(conflicts) > 0 {
		t.Fatalf("conflicts %+v", conflicts)
	}
	if after := string(got.Files[0].After()); after != "I\nI\n2\n3 mine\n4\nV\n" {
		t.Errorf("leads to %q", after)
	}
}

func TestRebaseReportsErrors(t *testing.T) {
	broken := errors.New("disk on fire")
	_, _, err := edits.Rebase(t.Context(), changeSet(modify(t, "a\n", "b\n")), failing{broken})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "/w/f") {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) ReadFile(context.Context, string) ([]byte, error) { return nil, f.err }

// FuzzRebase: the result keeps all invariants, and what is clean goes back.
func FuzzRebase(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nB\nc\n", "0\na\nb\nc\n")
	f.Add("a\r\nb", "a\r\nb\r\n", "a\r\n")
	f.Add("", "a", "b\n")
	f.Fuzz(func(t *testing.T, before, after, theirs string) {
		change, err := edits.NewModify("/w/f", []byte(before), []byte(after))
		if err != nil {
			return
		}
		now := files{"/w/f": theirs}
		got, conflicts := rebased(t, changeSet(change), now)
		if len(conflicts) > 0 {
			return
		}
		merged := made(got, now)
		back, conflicts := rebased(t, got.Inverse(), merged)
		if len(conflicts) > 0 || made(back, merged)["/w/f"] != theirs {
			t.Fatalf("%q, %+v", made(back, merged), conflicts)
		}
	})
}
