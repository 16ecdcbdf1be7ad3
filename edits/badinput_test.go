package edits_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agentls/agentls/edits"
)

// refuses lays a patch, and a diff of the same, on the files of b, and sees
// that nothing comes of it.
func (b *bench) refuses(name, patch string, want error) {
	b.t.Helper()
	was := readTree(b.t, b.root)
	cs, err := b.laid(patch)
	if err == nil {
		_, err = b.journal.Apply(b.t.Context(), b.disk, cs)
	}
	if err == nil || want != nil && !errors.Is(err, want) {
		b.t.Errorf("%s: %v", name, err)
	}
	b.is(was)
}

func (b *bench) laid(patch string) (*edits.ChangeSet, error) {
	confine := edits.Confine([]string{b.root})
	if strings.HasPrefix(patch, "diff ") {
		d, err := edits.ParseGitDiff(patch)
		if err != nil {
			return nil, err
		}
		return d.ChangeSet(b.t.Context(), b.disk, confine)
	}
	p, err := edits.ParsePatch(patch)
	if err != nil {
		return nil, err
	}
	return p.ChangeSet(b.t.Context(), b.disk, confine)
}

func TestPathsThatLeadOut(t *testing.T) {
	b := newBench(t, map[string]string{"f": "1\n", ".git/config": "[core]\n", "sub/.git/hooks/x": "x\n"})
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.Mkdir(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"out": outside, "git": ".git"} {
		if err := os.Symlink(to, b.path(link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"../x", "a/../../x", outside + "/x", "/etc/x", "out/x", "git/x", ".git/x", ".GIT/x", "sub/.git/hooks/y", ".git",
	} {
		b.refuses(name, body("*** Add File: "+name, "+x"), edits.ErrOutside)
		b.refuses("to "+name, body("*** Update File: f", "*** Move to: "+name, "-1", "+2"), edits.ErrOutside)
		b.refuses("diff of "+name, "diff --git a/"+name+" b/"+name+"\nnew file mode 100644\n--- /dev/null\n+++ b/"+name+"\n@@ -0,0 +1 @@\n+x\n", nil)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("written outside: %v, %v", left, err)
	}
}

func TestPatchesWithOddContent(t *testing.T) {
	b := newBench(t, map[string]string{"f": "1\n", "binary": "a\x00b\n", "latin1": "gr\xfcn\n"})
	b.refuses("NUL in a name", body("*** Add File: a\x00b", "+x"), nil)
	b.refuses("NUL in a new file", body("*** Add File: n", "+a\x00b"), nil)
	b.refuses("NUL in an update", body("*** Update File: f", "-1", "+a\x00b"), nil)
	b.refuses("a binary file", body("*** Update File: binary", "-b", "+c"), nil)
	b.refuses("not UTF-8", body("*** Update File: latin1", "-x", "+c"), nil)
	b.refuses("a patch that is not UTF-8", body("*** Update File: f", "-1", "+\xff"), nil)
	b.refuses("another case", body("*** Update File: F", "-1", "+2"), os.ErrNotExist)
	b.refuses("below a file", body("*** Add File: f/g", "+x"), edits.ErrStale)
}

// TestIgnoredFiles: undo does not need git, so what git ignores is a file as
// any other.
func TestIgnoredFiles(t *testing.T) {
	b := newBench(t, map[string]string{".gitignore": "*.log\n", "x.log": "1\n"})
	cs, err := b.laid(body("*** Update File: x.log", "-1", "+2", "*** Add File: y.log", "+new"))
	if err != nil {
		t.Fatal(err)
	}
	b.apply(cs)
	b.is(map[string]string{".gitignore": "*.log\n", "x.log": "2\n", "y.log": "new\n"})
	b.undo("", edits.Selection{})
	b.is(map[string]string{".gitignore": "*.log\n", "x.log": "1\n"})
}

// TestLargePatches: 10 MB, and 100,000 hunks, exact and lenient, are made and
// undone in seconds.
func TestLargePatches(t *testing.T) {
	var old, now strings.Builder
	exact, lenient := []string{"*** Update File: f"}, []string{"*** Update File: f"}
	for i := range 200_000 {
		line := fmt.Sprintf("line %d", i)
		old.WriteString(line + " \n")
		if i%2 == 1 {
			now.WriteString(line + " \n")
			continue
		}
		now.WriteString(line + " changed\n")
		exact = append(exact, "@@", "-"+line+" ", "+"+line+" changed")
		lenient = append(lenient, "@@", "-"+line, "+"+line+" changed")
	}
	long := strings.Repeat("x", 10<<20)
	for name, c := range map[string]struct {
		patch []string
		want  map[string]string
	}{
		"100,000 hunks":          {exact, map[string]string{"f": now.String()}},
		"100,000 lenient hunks":  {lenient, map[string]string{"f": now.String()}},
		"one line of 10 MB":      {[]string{"*** Add File: g", "+" + long}, map[string]string{"f": old.String(), "g": long + "\n"}},
		"100,000 hunks, last no": {append(exact[:len(exact):len(exact)], "@@", "-nothing", "+x"), nil},
	} {
		start := time.Now()
		b := newBench(t, map[string]string{"f": old.String()})
		if c.want == nil {
			b.refuses(name, body(c.patch...), edits.ErrMisfit)
			continue
		}
		cs, err := b.laid(body(c.patch...))
		if err != nil {
			t.Fatal(name, err)
		}
		b.apply(cs)
		b.is(c.want)
		b.undo("", edits.Selection{})
		b.is(map[string]string{"f": old.String()})
		t.Logf("%s: %v", name, time.Since(start).Round(time.Millisecond))
	}
}
