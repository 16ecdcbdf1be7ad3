package edits_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// synced is a call of strace -y that brings a file or folder to the disk.
var synced = regexp.MustCompile(`(fsync|fdatasync)\(\d+<([^>]*)>`)

// TestOrderOnDisk: what a power cut would leave is not tried here, but its
// ground is: the contents and the intent are on the disk before the first file
// of the user's changes, so are the new files before they are renamed, and the
// folders before the journal says that it is done.
func TestOrderOnDisk(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Log("there is no strace here: the order is not looked at")
		return
	}
	dir := t.TempDir()
	x := newTorture(t, dir, "apply")
	trace := filepath.Join(dir, "trace")
	if _, err := x.child(-1, []string{"strace", "-f", "-qq", "-y", "-s", "4096", "-e", "trace=fsync,fdatasync,syncfs,rename,renameat,renameat2,unlinkat", "-o", trace}); err != nil {
		t.Log("strace cannot be used here:", err)
		return
	}
	raw, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	tree, journal := x.root+string(filepath.Separator), filepath.Join(x.state, "journal.db")
	at := map[string]int{}
	seen := func(what string, i int) {
		if _, ok := at["first "+what]; !ok {
			at["first "+what] = i
		}
		at["last "+what] = i
	}
	for i, line := range strings.Split(string(raw), "\n") {
		m := synced.FindStringSubmatch(line)
		switch {
		case strings.Contains(line, "rename") && strings.Contains(line, tree), strings.Contains(line, "unlinkat") && strings.Contains(line, tree):
			seen("change", i)
		case m == nil:
		case m[2] == journal:
			seen("commit", i)
		case strings.Contains(m[2], filepath.Join(x.state, "contents")):
			seen("contents", i)
		case strings.HasSuffix(m[2], ".tmp") && strings.HasPrefix(m[2], tree):
			seen("new file", i)
		case strings.HasPrefix(m[2]+string(filepath.Separator), tree) && !strings.HasSuffix(m[2], "twin"):
			seen("folder", i)
		}
	}
	for _, order := range [][2]string{
		{"last contents", "first commit"},
		{"first commit", "first change"},
		{"last new file", "first change"},
		{"last change", "last folder"},
		{"last folder", "last commit"},
	} {
		before, ok := at[order[0]]
		after, too := at[order[1]]
		if !ok || !too || before > after {
			t.Errorf("%s is call %d, %s is call %d\n%s", order[0], before, order[1], after, raw)
		}
	}
}
