package edits_test

import (
	"context"
	"errors"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

// declarations are files whose functions are found again: from "func NAME" to
// the next "}" in the first column.
type declarations struct {
	files
	err error
}

var function = regexp.MustCompile(`(?ms)^func (\w+).*?^}`)

func (d declarations) Anchors(_ context.Context, _ string, content []byte) (anchors []edits.Anchor, err error) {
	for _, m := range function.FindAllSubmatchIndex(content, -1) {
		anchors = append(anchors, edits.Anchor{Name: string(content[m[2]:m[3]]), Span: text.Span{Start: m[0], End: m[1]}})
	}
	return anchors, d.err
}

func (d declarations) Declaring(_ context.Context, name string) (paths []string, err error) {
	for path, content := range d.files {
		if regexp.MustCompile(`(?m)^func ` + name + `\b`).MatchString(content) {
			paths = append(paths, path)
		}
	}
	return paths, d.err
}

const (
	funcA = "func a() {\n\tone()\n\ttwo()\n\tthree()\n}\n"
	funcB = "func b() {\n\tx()\n\ty()\n\tz()\n\tlonger()\n\tthan(a)\n}\n"
)

func TestRebaseFollowsDeclarations(t *testing.T) {
	base := "package p\n\n" + funcA + "\n" + funcB
	ours := "package p\n\n" + "func a() {\n\tONE()\n\ttwo()\n\tTHREE()\n}\n" + "\n" + funcB
	changedA := "func a() {\n\tONE()\n\ttwo()\n\tTHREE()\n}\n"
	for name, c := range map[string]struct{ now, want string }{
		"moved down":             {"package p\n\n" + funcB + "\n" + funcA, "package p\n\n" + funcB + "\n" + changedA},
		"moved and changed":      {"package p\n\n" + funcB + "\nfunc a() {\n\tone()\n\ttwo()\n\tthree()\n\tmine()\n\tmine()\n}\n", ""},
		"moved, changed in it":   {"package p\n\n" + funcB + "\nfunc a() {\n\tmine()\n\n\tone()\n\ttwo()\n\tthree()\n}\n", ""},
		"moved, untouched lines": {"package p\n\n" + funcB + "\n// a is mine.\n" + funcA, "package p\n\n" + funcB + "\n// a is mine.\n" + changedA},
		"gone":                   {"package p\n\n" + funcB, ""},
		"at the end, unfinished": {"package p\n\n" + funcB + "\n" + funcA[:len(funcA)-1], ""},
	} {
		cs := changeSet(modify(t, base, ours))
		now := files{"/w/f": c.now}
		if _, conflicts := rebased(t, cs, now); len(conflicts) == 0 {
			t.Errorf("%s: without declarations there is no conflict: this shows nothing", name)
		}
		got, conflicts, err := edits.Rebase(t.Context(), cs, declarations{files: now})
		if err != nil || got.Check() != nil {
			t.Fatal(name, err, got.Check())
		}
		if c.want == "" {
			if len(conflicts) == 0 {
				t.Errorf("%s: it leads to %q", name, made(got, now)["/w/f"])
			}
			continue
		}
		if diff := cmp.Diff(c.want, made(got, now)["/w/f"]); diff != "" || len(conflicts) > 0 {
			t.Errorf("%s: %+v\n%s", name, conflicts, diff)
		}
		if _, conflicts, err := edits.Rebase(t.Context(), cs, declarations{now, errors.New("cannot parse")}); err != nil || len(conflicts) != 2 {
			t.Errorf("%s: without a parser: %+v, %v", name, conflicts, err)
		}
	}
}

// TestUndoFollowsDeclarations: undo of a change in a function that the user
// moved since.
func TestUndoFollowsDeclarations(t *testing.T) {
	before := "package p\n\n" + funcA + "\n" + funcB
	cs := changeSet(modify(t, before, "package p\n\nfunc a() {\n\tone()\n\ttwo()\n\tTHREE()\n}\n\n"+funcB))
	now := files{"/w/f": "package p\n\n" + funcB + "\nfunc a() {\n\tone()\n\ttwo()\n\tTHREE()\n}\n"}
	got, conflicts, err := edits.Rebase(t.Context(), cs.Inverse(), declarations{files: now})
	if err != nil || len(conflicts) > 0 {
		t.Fatal(conflicts, err)
	}
	if diff := cmp.Diff("package p\n\n"+funcB+"\n"+funcA, made(got, now)["/w/f"]); diff != "" {
		t.Error(diff)
	}
}
