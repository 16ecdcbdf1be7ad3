package git

import (
	"context"
	"strings"
)

// A Range says which change of a working tree is meant.
type Range string

// The ranges that are no revision.
const (
	Working Range = ""         // what differs from the last commit
	Staged  Range = "--cached" // what is in the index
)

// UnifiedDiff returns the change in the repository around dir as a unified diff, with
// five lines around each hunk: what differs from a revision, or one of the
// ranges above. Files that git does not know are not in it.
func UnifiedDiff(ctx context.Context, dir string, since Range) (string, error) {
	args := []string{"diff", "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "-U5"}
	switch {
	case since == Working:
		args = append(args, "HEAD")
	case since == Staged:
		args = append(args, string(Staged))
	case strings.HasPrefix(string(since), "-"):
		return "", &Failure{Args: args, Code: 129, Stderr: "a revision does not begin with a dash"}
	default:
		args = append(args, string(since))
	}
	out, err := run(ctx, dir, nil, append(args, "--")...)
	return string(out), err
}
