package remote

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agentls/agentls/index/git"
)

// What is read of commits that are about to be sent.
const (
	maxCommits     = 20_000
	maxCommitted   = 64 << 20 // bytes of all files
	maxCommitFile  = 1 << 20  // bytes of one
	maxSaid        = 5        // secrets that are named
	committedBatch = 256      // files read at a time
)

// A Committed secret is one that a commit has which is sent: git's objects
// cannot go with placeholders in them.
type Committed struct {
	Commit string // hexadecimal
	Path   string // relative to the top folder, with slashes
	Rule   string
}

// A HistoryError is the refusal to send commits with secrets in them.
type HistoryError struct{ Found []Committed }

// Error names the first of them, and what to do.
func (e *HistoryError) Error() string {
	return "the commits that the service lacks hold what looks like secrets, and are not sent: " + describe(e.Found) +
		"; take them out of the history, or set refuse_secrets = false under [remote]"
}

// describe names the first of found.
func describe(found []Committed) string {
	var said []string
	for _, f := range found[:min(len(found), maxSaid)] {
		said = append(said, fmt.Sprintf("%s of %.10s (%s)", f.Path, f.Commit, f.Rule))
	}
	if more := len(found) - len(said); more > 0 {
		said = append(said, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(said, ", ")
}

// committedSecrets returns the secrets in what the commits up to HEAD change that
// known, which the service has, do not lead to: the newest first, in the first 64
// MiB, of files of at most 1 MiB. Files that are kept from models count as one.
func (t *tree) committedSecrets(ctx context.Context, known []string) ([]Committed, error) {
	revisions, err := git.LogSince(ctx, t.top, known, maxCommits)
	if err != nil {
		return nil, err
	}
	s := &committedScan{tree: t, seen: map[string]bool{}}
	for i := range revisions {
		for _, change := range revisions[i].Changes {
			if change.After == "" || s.seen[change.After] {
				continue
			}
			s.seen[change.After] = true
			at := Committed{Commit: revisions[i].Hash, Path: change.Path}
			if rule, withheld := t.gate.Withheld("/" + change.Path); withheld {
				at.Rule = rule
				s.found = append(s.found, at)
				continue
			}
			s.hashes, s.at = append(s.hashes, change.After), append(s.at, at)
		}
		if len(s.hashes) >= committedBatch || i == len(revisions)-1 {
			if err := s.read(ctx); err != nil {
				return nil, err
			}
		}
		if s.bytes >= maxCommitted {
			break
		}
	}
	return s.found, nil
}

// A committedScan is under way through commits.
type committedScan struct {
	tree   *tree
	seen   map[string]bool // blobs
	hashes []string        // to be read
	at     []Committed     // of these
	bytes  int
	found  []Committed
}

// read looks at the blobs that wait.
func (s *committedScan) read(ctx context.Context) error {
	blobs, err := git.Blobs(ctx, s.tree.top, s.hashes, maxCommitFile)
	if err != nil {
		return err
	}
	for i, hash := range s.hashes {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		content := blobs[hash]
		s.bytes += len(content)
		for _, rule := range s.tree.screen.Rules(string(content)) {
			at := s.at[i]
			at.Rule = rule
			s.found = append(s.found, at)
		}
	}
	s.hashes, s.at = s.hashes[:0], s.at[:0]
	s.found = slices.Compact(s.found)
	return nil
}
