package git

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDiffAndStatus: what is changed, what is staged, and since when; no
// revision is an option of git.
func TestDiffAndStatus(t *testing.T) {
	dir := repository(t, map[string]string{"a.txt": "one\n", "b.txt": "one\n"})
	write(t, filepath.Join(dir, "a.txt"), "staged\n")
	command(t, dir, "add", "a.txt")
	write(t, filepath.Join(dir, "b.txt"), "working\n")
	write(t, filepath.Join(dir, "new.txt"), "new\n")
	for since, want := range map[Range][]string{Working: {"+staged", "+working"}, Staged: {"+staged"}, "HEAD": {"+staged", "+working"}} {
		diff, err := UnifiedDiff(t.Context(), dir, since)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"+staged", "+working", "+new"} {
			if got := strings.Contains(diff, "\n"+line+"\n"); got != slices.Contains(want, line) {
				t.Errorf("since %q: %s is in it: %v\n%s", since, line, got, diff)
			}
		}
	}
	if _, err := UnifiedDiff(t.Context(), dir, "--output=x"); err == nil {
		t.Error("an option is taken for a revision")
	}
	status, err := ReadStatus(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"M  a.txt", " M b.txt", "?? new.txt"}; !slices.Equal(status.Changed, want) || status.Branch == "" {
		t.Errorf("status is %+v", status)
	}
}

// TestNoDiff: what is missing is said by name.
func TestNoDiff(t *testing.T) {
	full, empty := repository(t, map[string]string{"a.txt": "one\n"}), t.TempDir()
	command(t, empty, "init", "-q")
	for _, c := range []struct {
		dir   string
		since Range
		want  error
	}{
		{t.TempDir(), Working, ErrNoRepository},
		{t.TempDir(), Staged, ErrNoRepository},
		{t.TempDir(), "main", ErrNoRepository},
		{empty, Working, ErrNoCommit},
		{empty, Staged, nil},
		{empty, "nope", ErrNoRevision},
		{full, "nope", ErrNoRevision},
		{full, "HEAD..nope", ErrNoRevision},
		{full, "HEAD:a.txt", ErrNoRevision},
	} {
		if _, err := UnifiedDiff(t.Context(), c.dir, c.since); !errors.Is(err, c.want) {
			t.Errorf("since %q: %v, not %v", c.since, err, c.want)
		}
	}
}

// TestHunks: the lines that a code host shows, whatever the text of the lines
// and the names are.
func TestHunks(t *testing.T) {
	twenty := strings.Repeat("line\n", 20)
	dir := repository(t, map[string]string{"a b.txt": twenty, "gone.txt": "x\n", "q\".txt": twenty})
	write(t, filepath.Join(dir, "a b.txt"), "++ b/c.txt\n@@ -1 +1 @@\n"+strings.Repeat("line\n", 17)+"last")
	write(t, filepath.Join(dir, "q\".txt"), strings.Repeat("line\n", 9)+"new\n"+strings.Repeat("line\n", 11))
	write(t, filepath.Join(dir, "new.txt"), "new\n")
	command(t, dir, "rm", "-q", "gone.txt")
	command(t, dir, "add", "new.txt")
	got, err := Hunks(t.Context(), dir, Working)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]Lines{"a b.txt": {{0, 5}, {16, 20}}, "q\".txt": {{6, 13}}, "new.txt": {{0, 1}}}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}
