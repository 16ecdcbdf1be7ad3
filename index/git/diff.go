package git

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
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
	return diff(ctx, dir, since, "-U5")
}

func diff(ctx context.Context, dir string, since Range, around string) (string, error) {
	args := []string{"diff", "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", around}
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
	isNoCommit := failed.Code == 129 && strings.HasPrefix(failed.Stderr, "usage:") // a file, as in HEAD:a.go
	if isNoCommit || strings.Contains(failed.Stderr, "bad revision") {
		return fmt.Errorf("%q: %w", string(since), ErrNoRevision)
	}
	return err
}

// Lines are consecutive lines of a file, from 0.
type Lines struct{ First, End int } // without End

// Hunks returns the lines of each file that a diff with three lines of context,
// which is what code hosts show, has on its right side: those of its hunks, by
// the name in the repository, with slashes. The errors are those of UnifiedDiff.
func Hunks(ctx context.Context, dir string, since Range) (map[string][]Lines, error) {
	patch, err := diff(ctx, dir, since, "-U3")
	if err != nil {
		return nil, err
	}
	out := map[string][]Lines{}
	name, old, added := "", 0, 0 // the lines that are left of a hunk
	for line := range strings.Lines(patch) {
		switch {
		case old > 0 || added > 0:
			if line[0] != '+' && line[0] != '\\' {
				old--
			}
			if line[0] != '-' && line[0] != '\\' {
				added--
			}
		case strings.HasPrefix(line, "+++ "):
			name = nameIn(line)
		case strings.HasPrefix(line, "@@ "):
			var right Lines
			if old, right, err = parseHunk(line); err != nil {
				return nil, fmt.Errorf("diff of %s: %q: %w", name, line, err)
			}
			if added = right.End - right.First; added > 0 {
				out[name] = append(out[name], right)
			}
		}
	}
	return out, nil
}

// nameIn returns the name of a file in the header of its new side. Git quotes
// unusual names as C does, and puts a tab behind one with a blank.
func nameIn(header string) string {
	name := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(header, "+++ "), "\n"), "\t")
	if plain, err := strconv.Unquote(name); err == nil {
		name = plain
	}
	return strings.TrimPrefix(name, "b/")
}

var hunkHeader = regexp.MustCompile(`^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@`)

// parseHunk returns how many lines a hunk has on its left side, and which on its
// right.
func parseHunk(header string) (old int, right Lines, err error) {
	m := hunkHeader.FindStringSubmatch(header)
	if m == nil {
		return 0, Lines{}, errors.New("no header of a hunk")
	}
	var n [3]int
	for i, s := range m[1:] {
		n[i] = 1 // where no count is written
		if s != "" {
			if n[i], err = strconv.Atoi(s); err != nil {
				return 0, Lines{}, err
			}
		}
	}
	return n[0], Lines{First: n[1] - 1, End: n[1] - 1 + n[2]}, nil
}
