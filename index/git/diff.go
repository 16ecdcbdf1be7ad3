package git

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// What a diff may lack.
var (
	ErrNoRepository = errors.New("no git repository")
	ErrNoCommit     = errors.New("no commit yet")
	ErrNoRevision   = errors.New("no such revision")
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
// ranges above. Files that git does not know are not in it. The errors are
// ErrNoRepository, ErrNoCommit and ErrNoRevision, wrapped, and those of git.
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
	if err != nil {
		err = undiffable(ctx, dir, since, err)
	}
	return string(out), err
}

// undiffable says in our words why there is no diff; where it does not know
// better, it is git's own error.
func undiffable(ctx context.Context, dir string, since Range, err error) error {
	var failed *Failure
	if !errors.As(err, &failed) || failed.Code < 0 {
		return err
	}
	if _, ok, rootErr := Root(ctx, dir); rootErr == nil && !ok {
		return fmt.Errorf("%s: %w", dir, ErrNoRepository)
	}
	if _, ok, headErr := Head(ctx, dir); headErr == nil && !ok && since == Working {
		return fmt.Errorf("%s: %w", dir, ErrNoCommit)
	}
	if strings.Contains(failed.Stderr, "bad revision") {
		return fmt.Errorf("%q: %w", string(since), ErrNoRevision)
	}
	return err
}
