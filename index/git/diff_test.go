package git

import (
	"errors"
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
	} {
		if _, err := UnifiedDiff(t.Context(), c.dir, c.since); !errors.Is(err, c.want) {
			t.Errorf("since %q: %v, not %v", c.since, err, c.want)
		}
	}
}
