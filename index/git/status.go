package git

import (
	"context"
	"strings"
)

// A Status is how a working tree differs from its last commit.
type Status struct {
	Branch  string   // that is checked out; "" for none
	Changed []string // a line each: two letters as of git status --short, and a name relative to the repository
}

// ReadStatus returns the status of the repository around dir. A folder of new
// files alone is one line.
func ReadStatus(ctx context.Context, dir string) (*Status, error) {
	out, err := run(ctx, dir, nil, "status", "--porcelain=v1", "--branch", "-z", "--no-renames", "--untracked-files=normal", "--ignore-submodules=all")
	if err != nil {
		return nil, err
	}
	s := &Status{}
	for _, line := range split(out) {
		head, isHead := strings.CutPrefix(line, "## ")
		if !isHead {
			s.Changed = append(s.Changed, line)
			continue
		}
		head = strings.TrimPrefix(head, "No commits yet on ")
		if s.Branch, _, _ = strings.Cut(head, "..."); strings.HasPrefix(s.Branch, "HEAD (") {
			s.Branch = ""
		}
	}
	return s, nil
}
