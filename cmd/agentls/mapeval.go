package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/index/git"
)

const (
	evalDepth   = 10      // files of an answer that count
	evalHistory = 2000    // commits before the first that is asked about
	evalBlob    = 1 << 20 // bytes; what is larger counts by its path
	maxEval     = 1 << 20 // commits; more are as many
)

// An evaluation goes back through a history and asks before each commit for the
// files that its message is about. Trees are read out of the repository and
// held in memory; nothing is checked out.
type evaluation struct {
	dir     string
	history *index.History
	commits []git.Revision // to ask about, newest first
	past    *index.Past
	at      string // the commit whose tree past is; "" is none
	peers   *wordPeers
}

// newEvaluation asks about the newest commits that have one parent, but for the
// first skip of them.
func newEvaluation(ctx context.Context, dir string, commits, skip int) (*evaluation, error) {
	root, err := historyRoot(ctx, dir)
	if err != nil {
		return nil, err
	}
	commits, skip = min(commits, maxEval), min(skip, maxEval)
	revisions, err := revisionsOf(ctx, root, evalHistory+commits+skip)
	if err != nil {
		return nil, err
	}
	e := &evaluation{dir: root, history: index.NewHistory(root, revisions), past: index.NewPast(root), peers: newWordPeers()}
	for _, r := range revisions {
		if len(r.Parents) == 1 && len(e.commits) < commits+skip {
			e.commits = append(e.commits, r)
		}
	}
	e.commits = e.commits[min(skip, len(e.commits)):]
	return e, nil
}

// An outcome is what was found of the files of one commit.
type outcome struct {
	Commit  string   `json:"commit"`
	Subject string   `json:"subject"`
	Files   []string `json:"files"` // that it changed, and that were there before
	Found   found    `json:"found"`
	Missed  []string `json:"missed"` // by the map
	Top     []string `json:"top"`    // what the map answered
}

// Found counts the files of a commit among the first ten of each answer.
type found struct {
	Map   int `json:"map"`
	BM25  int `json:"bm25"`
	Words int `json:"words"`
}

// ask asks about one commit; ok is false where it changed no file that was
// there.
func (e *evaluation) ask(ctx context.Context, r *git.Revision) (o outcome, ok bool, err error) {
	if err := e.move(ctx, r.Parents[0]); err != nil {
		return o, false, err
	}
	o.Commit, o.Missed = r.Hash, []string{}
	o.Subject, _, _ = strings.Cut(r.Message, "\n")
	for _, c := range r.Changes {
		if path := cmp.Or(c.From, c.Path); e.peers.files[path] != nil {
			o.Files = append(o.Files, path)
		}
	}
	if len(o.Files) == 0 {
		return o, false, nil
	}
	if o.Top, err = e.top(ctx, r); err != nil {
		return o, false, err
	}
	for _, path := range o.Files {
		if !slices.Contains(o.Top, path) {
			o.Missed = append(o.Missed, path)
		}
	}
	o.Found = found{
		Map:  len(o.Files) - len(o.Missed),
		BM25: common(e.peers.bm25(r.Message, evalDepth), o.Files), Words: common(e.peers.count(r.Message, evalDepth), o.Files),
	}
	return o, true, nil
}

// top returns what the map answers to the message of r, before r.
func (e *evaluation) top(ctx context.Context, r *git.Revision) ([]string, error) {
	ranked, err := e.past.Snapshot().Rank(ctx, index.Focus{Words: r.Message, Histories: []*index.History{e.history.Before(r.Hash)}}, evalDepth)
	if err != nil {
		return nil, err
	}
	top := make([]string, len(ranked))
	for i, f := range ranked {
		rel, err := filepath.Rel(e.dir, f.Path)
		if err != nil {
			return nil, err
		}
		top[i] = filepath.ToSlash(rel)
	}
	return top, nil
}

func common(answer, wanted []string) int {
	n := 0
	for _, path := range wanted {
		if slices.Contains(answer, path) {
			n++
		}
	}
	return n
}

// move makes the tree that is held that of commit to.
func (e *evaluation) move(ctx context.Context, to string) error {
	changes, err := e.changes(ctx, to)
	if err != nil {
		return err
	}
	var hashes []string
	for _, c := range changes {
		if c.After != "" {
			hashes = append(hashes, c.After)
		}
	}
	blobs, err := blobsOf(ctx, e.dir, hashes)
	if err != nil {
		return err
	}
	files := make(map[string][]byte, len(changes))
	for _, c := range changes {
		files[c.Path] = nil
		if c.After != "" {
			files[c.Path] = append([]byte{}, blobs[c.After]...) // of one that is too large: empty, not gone
		}
		e.peers.set(c.Path, files[c.Path])
	}
	e.at = to
	return e.past.Set(ctx, files)
}

// changes returns what leads from the tree that is held to that of commit to.
func (e *evaluation) changes(ctx context.Context, to string) ([]git.Change, error) {
	if e.at != "" {
		return git.Diff(ctx, e.dir, e.at, to)
	}
	entries, err := git.Tree(ctx, e.dir, to)
	if err != nil {
		return nil, err
	}
	var changes []git.Change
	for _, entry := range entries {
		if entry.Mode != "160000" { // a submodule has no text here
			changes = append(changes, git.Change{Path: entry.Path, After: entry.Hash})
		}
	}
	return changes, nil
}

// A report is the outcome over all commits.
type report struct {
	Commits int       `json:"commits"` // that changed a file which was there before
	Files   int       `json:"files"`   // that these changed, in sum
	At      int       `json:"at"`      // files of an answer that count
	Map     peer      `json:"map"`
	BM25    peer      `json:"bm25"`
	Words   peer      `json:"words"`
	Misses  []outcome `json:"misses,omitempty"`
}

// A peer is how one way of ranking did.
type peer struct {
	Recall float64 `json:"recall"` // the mean over the commits
	Found  int     `json:"found"`  // files
	All    int     `json:"all"`    // commits of which all files were found
}

// add takes in that so many of a commit's files were found.
func (p *peer) add(found, files int) {
	p.Recall += float64(found) / float64(files)
	p.Found += found
	if found == files {
		p.All++
	}
}

func (r *report) add(o *outcome) {
	r.Commits++
	r.Files += len(o.Files)
	r.Map.add(o.Found.Map, len(o.Files))
	r.BM25.add(o.Found.BM25, len(o.Files))
	r.Words.add(o.Found.Words, len(o.Files))
}

// run asks about all commits.
func (e *evaluation) run(ctx context.Context, progress func(done, total int)) (*report, error) {
	out := &report{At: evalDepth}
	for i := range e.commits {
		o, ok, err := e.ask(ctx, &e.commits[i])
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("stopped after %d of %d commits: %w", i, len(e.commits), context.Cause(ctx))
		case err != nil:
			return nil, fmt.Errorf("before commit %.10s: %w", e.commits[i].Hash, err)
		}
		progress(i+1, len(e.commits))
		if !ok {
			continue
		}
		out.add(&o)
		if len(o.Missed) > 0 {
			out.Misses = append(out.Misses, o)
		}
	}
	for _, p := range []*peer{&out.Map, &out.BM25, &out.Words} {
		p.Recall /= float64(max(1, out.Commits))
	}
	return out, nil
}

func (a *app) mapEvalCommand() *cobra.Command {
	var dir string
	var commits, skip int
	var misses bool
	cmd := &cobra.Command{
		Use:   "map-eval",
		Short: "Measure the map on a real history",
		Long: `Measure the map on a real history: before each of the newest commits, do the words
of its message find the files that it changed? Recall@10 is the share of them that
is among the first ten; files that did not exist before do not count. Beside the map
stand BM25 over the split identifiers and paths of the whole files, and the number
of the message's words in each file, as ripgrep counts them. Merges are left out.

The repository is only read. The trees are held in memory, and what a ranking is
told of the history ends before the commit.`,
		Example: `  agentls map-eval --commits 100
  agentls map-eval --repo ~/src/project --commits 300 --json
  agentls map-eval --commits 20 --misses   with the files that the map did not find`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if commits < 1 {
				return usageError("--commits %d: a number from 1 is needed", commits)
			}
			if skip < 0 {
				return usageError("--skip %d: a number from 0 is needed", skip)
			}
			e, err := newEvaluation(cmd.Context(), dir, commits, skip)
			if err != nil {
				return err
			}
			bar := newBar("asking", "commits")
			out, err := e.run(cmd.Context(), bar.update)
			bar.clear()
			if err != nil {
				return err
			}
			if !misses {
				out.Misses = nil
			}
			return a.printReport(cmd, out)
		},
	}
	cmd.Flags().StringVar(&dir, "repo", ".", "the repository")
	cmd.Flags().IntVar(&commits, "commits", 100, "how many commits to ask about")
	cmd.Flags().IntVar(&skip, "skip", 0, "how many of the newest to leave out")
	cmd.Flags().BoolVar(&misses, "misses", false, "print what the map did not find")
	return cmd
}

func (a *app) printReport(cmd *cobra.Command, r *report) error {
	if a.json {
		if err := printJSON(cmd, r); err != nil {
			return err
		}
	}
	switch {
	case r.Commits == 0:
		return errors.New("nothing was measured: no commit changed a file that was there before; ask about more --commits, or --skip fewer")
	case a.json:
		return nil
	}
	for i := range r.Misses {
		o := &r.Misses[i]
		cmd.Printf("%.10s %s\n", o.Commit, plain(o.Subject))
		for _, path := range o.Missed {
			cmd.Printf("  missed %s\n", plain(path))
		}
		cmd.Printf("  found %d of %d in %s\n", o.Found.Map, len(o.Files), plain(strings.Join(o.Top, " ")))
	}
	cmd.Printf("%d commits, %d files\n\n%-8s %9s %12s %16s\n", r.Commits, r.Files, "", fmt.Sprintf("recall@%d", r.At), "files found", "commits in full")
	for _, line := range []struct {
		name string
		peer
	}{{"map", r.Map}, {"BM25", r.BM25}, {"words", r.Words}} {
		cmd.Printf("%-8s %9.3f %12d %16d\n", line.name, line.Recall, line.Found, line.All)
	}
	return nil
}
