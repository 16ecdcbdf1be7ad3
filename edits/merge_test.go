package edits_test

import (
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"testing"
)

// merges is the environment's number of cases for TestMergeLikeGit.
const merges = "EDITS_MERGES"

// TestMergeLikeGit compares Rebase with `git merge-file` over random texts with
// LF, CRLF and both: the same conflicts, and the same bytes where there are
// none, in 99.8 % of the cases. No line that one side wrote is lost in any.
func TestMergeLikeGit(t *testing.T) {
	cases := 300
	if given := os.Getenv(merges); given != "" {
		var err error
		if cases, err = strconv.Atoi(given); err != nil {
			t.Fatal(err)
		}
	}
	r, dir := rand.New(rand.NewSource(11)), t.TempDir()
	var clean, others int
	for n := range cases {
		base, ours, theirs := texts(r, n%3)
		if base == ours {
			continue
		}
		want, wantClean := gitMerge(t, dir, base, ours, theirs)
		now := files{"/w/f": theirs}
		got, conflicts := rebased(t, changeSet(modify(t, base, ours)), now)
		if len(conflicts) > 0 {
			if wantClean {
				others++
				t.Logf("case %d: %s\nbase %q\nours %q\ntheirs %q\ngit %q", n, "git merges it, we do not", base, ours, theirs, want)
			}
			continue
		}
		clean++
		merged := made(got, now)["/w/f"]
		if lost := lostLines(base, ours, theirs, merged); len(lost) > 0 {
			t.Errorf("case %d: lines %q are lost\nbase %q\nours %q\ntheirs %q\ngot %q", n, lost, base, ours, theirs, merged)
		}
		if !wantClean || merged != want {
			others++
			t.Logf("case %d: git is clean: %t\nbase %q\nours %q\ntheirs %q\ngot %q\ngit %q", n, wantClean, base, ours, theirs, merged, want)
		}
	}
	t.Logf("%d cases, %d clean, %d (%.2f %%) as git", cases, clean, cases-others, 100*float64(cases-others)/float64(cases))
	if others*500 > cases {
		t.Errorf("%d of %d are not as git's", others, cases)
	}
	if clean < cases/5 || clean > cases*9/10 {
		t.Errorf("%d of %d cases are clean, which tests little", clean, cases)
	}
}

// texts returns a text of many like lines and two changed copies, whose new
// lines say whose they are. Style 0 has LF, 1 CRLF, 2 both.
func texts(r *rand.Rand, style int) (base, ours, theirs string) {
	lines := make([]string, 3+r.Intn(60))
	for i := range lines {
		lines[i] = fmt.Sprintf("\tline %d", r.Intn(40)) + terminator(r, style)
		if r.Intn(3) == 0 {
			lines[i] = []string{"}", "", "\treturn err", "\t}"}[r.Intn(4)] + terminator(r, style)
		}
	}
	own := 0
	side := func(name string) string {
		out := append([]string(nil), lines...)
		for range r.Intn(5) {
			i, n := r.Intn(len(out)), 1+r.Intn(3)
			end := min(i+r.Intn(4), len(out))
			var added []string
			for range r.Intn(n + 1) {
				own++
				added = append(added, fmt.Sprintf("%s %d", name, own)+terminator(r, style))
			}
			out = append(out[:i:i], append(added, out[end:]...)...)
			if len(out) == 0 {
				break
			}
		}
		text := strings.Join(out, "")
		if r.Intn(6) == 0 {
			text = strings.TrimRight(text, "\r\n")
		}
		return text
	}
	return strings.Join(lines, ""), side("ours"), side("theirs")
}

func terminator(r *rand.Rand, style int) string {
	if style == 1 || style == 2 && r.Intn(2) == 0 {
		return "\r\n"
	}
	return "\n"
}

// lostLines returns the lines that one side wrote and that a clean merge has
// not, and those of base that neither side took out and that are there less
// often.
func lostLines(base, ours, theirs, merged string) (lost []string) {
	have, in := countLines(merged), countLines(base)
	mine, yours := countLines(ours), countLines(theirs)
	for _, side := range []map[string]int{mine, yours} {
		for line, n := range side {
			if n > in[line] && have[line] < n && (strings.HasPrefix(line, "ours") || strings.HasPrefix(line, "theirs")) {
				lost = append(lost, line)
			}
		}
	}
	for line, n := range in {
		taken := max(0, n-mine[line]) + max(0, n-yours[line])
		if have[line] < n-taken {
			lost = append(lost, line)
		}
	}
	return lost
}

// countLines counts lines without their terminators.
func countLines(s string) map[string]int {
	count := map[string]int{}
	for line := range strings.Lines(s) {
		count[strings.TrimRight(line, "\r\n")]++
	}
	return count
}
