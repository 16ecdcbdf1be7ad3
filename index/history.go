package index

import (
	"cmp"
	"context"
	"math"
	"path/filepath"
	"slices"
	"sync"

	"github.com/agentls/agentls/index/git"
)

// A History says which files were changed together and in what words, newest
// first. It never changes.
type History struct {
	commits []commit
	changed map[string][]int32 // path → commits that changed the file, newest first
}

// A commit is what a ranking knows of one.
type commit struct {
	hash    string
	parents []string
	terms   []string          // of the message, each once
	named   []string          // the files it changed, absolute, as they are named after it
	moved   map[string]string // of those, as it was named before → as it is after
	files   []string          // as named, as they are named after the newest commit
}

// maxHistory is the number of commits that count.
const maxHistory = 2000

// ReadHistory returns the history of the repository around root up to what is
// checked out; an empty one where there is none. Paths are as in a Snapshot of
// a workspace whose root is root.
func ReadHistory(ctx context.Context, root string) (*History, error) {
	top, ok, err := git.Root(ctx, root)
	if err != nil || !ok {
		return &History{}, err
	}
	revisions, err := git.Log(ctx, top, maxHistory)
	if err != nil {
		return &History{}, err
	}
	return NewHistory(top, revisions), nil
}

// Histories are the histories of trees, each read again once another commit is
// checked out. It is safe for concurrent use.
type Histories struct {
	mu   sync.Mutex
	read map[string]*readHistory // by root
}

// A readHistory is one that was read, or is being read.
type readHistory struct {
	head string
	done chan struct{} // closed once it was read
	is   *History      // written before that
}

// Of returns the histories around roots, as far as they are known when ctx ends:
// reading goes on then, and a later call finds what came of it.
func (h *Histories) Of(ctx context.Context, roots []string) []*History {
	var out []*History
	for _, root := range roots {
		head, ok, err := git.Head(ctx, root)
		if err != nil || !ok {
			continue // no repository, no commit, or no time
		}
		entry := h.entry(ctx, root, head)
		select {
		case <-entry.done:
			out = append(out, entry.is)
		case <-ctx.Done():
		}
	}
	return out
}

// entry returns the history of root at head, which it has read if it is new.
func (h *Histories) entry(ctx context.Context, root, head string) *readHistory {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known := h.read[root]; known != nil && known.head == head {
		return known
	}
	if h.read == nil {
		h.read = map[string]*readHistory{}
	}
	made := &readHistory{head: head, done: make(chan struct{}), is: &History{}}
	h.read[root] = made
	go func() {
		defer close(made.done)
		if is, err := ReadHistory(context.WithoutCancel(ctx), root); err == nil {
			made.is = is
		}
	}()
	return made
}

// NewHistory returns the history that revisions, which are sorted newest first,
// are of the tree at root.
func NewHistory(root string, revisions []git.Revision) *History {
	commits := make([]commit, len(revisions))
	for i := range revisions {
		r := &revisions[i]
		c := commit{hash: r.Hash, parents: r.Parents, terms: Terms(aboutCode(r.Message))}
		slices.Sort(c.terms)
		c.terms = slices.Compact(c.terms)
		for _, change := range r.Changes {
			path := filepath.Join(root, filepath.FromSlash(change.Path))
			c.named = append(c.named, path)
			if change.From != "" {
				if c.moved == nil {
					c.moved = map[string]string{}
				}
				c.moved[filepath.Join(root, filepath.FromSlash(change.From))] = path
			}
		}
		commits[i] = c
	}
	return historyOf(commits)
}

// historyOf gives the files of commits the names that they have after the
// newest.
func historyOf(commits []commit) *History {
	h := &History{commits: commits, changed: map[string][]int32{}}
	now := map[string]string{}
	for i := range commits {
		c := &h.commits[i]
		if c.files = c.named; len(now) > 0 {
			c.files = slices.Clone(c.named)
			for j, path := range c.files {
				if name, moved := now[path]; moved {
					c.files[j] = name
				}
			}
		}
		for was, is := range c.moved {
			if later, moved := now[is]; moved {
				is = later
			}
			now[was] = is
		}
		for _, path := range c.files {
			h.changed[path] = append(h.changed[path], int32(i))
		}
	}
	return h
}

// Before returns the history as it was before the commit with that hash: its
// ancestors, as far as h knows them.
func (h *History) Before(hash string) *History {
	ancestors := map[string]bool{}
	var commits []commit
	for i := range h.commits { // a parent comes after its children
		c := h.commits[i]
		if c.hash != hash && !ancestors[c.hash] {
			continue
		}
		for _, parent := range c.parents {
			ancestors[parent] = true
		}
		if c.hash != hash {
			commits = append(commits, c)
		}
	}
	return historyOf(commits)
}

// How a history counts.
const (
	freshCommits = 40.0  // after so many commits a change is half as fresh,
	oldCommits   = 600.0 // and says half as much of what belongs together
	fewFiles     = 6.0   // a commit of more files says less of each
	fewAlike     = 20    // commits that a task is compared with in the end
	enoughAlike  = 0.05  // alike to so much is half of all there can be
	enoughFresh  = 5.0   // changes that are half of all there can be
	maxScope     = 2.0   // a message has words, and no paths
)

// size returns how much c says of each of its files.
func (c *commit) size() float64 { return fewFiles / (fewFiles + float64(len(c.files))) }

func fading(age int, half float64) float64 { return math.Exp2(-float64(age) / half) }

// An alike is a commit whose message is like a task.
type alike struct {
	at    int // in commits
	share float64
}

// alike returns for each file, from 0 to 1, how alike to the task the messages
// were of the commits that changed it.
func (h *History) alike(q *query) map[string]float64 {
	found := h.nearest(q)
	slices.SortStableFunc(found, func(a, b alike) int { return cmp.Compare(b.share, a.share) })
	scores := map[string]float64{}
	for _, a := range found[:min(fewAlike, len(found))] {
		c := &h.commits[a.at]
		for _, path := range c.files {
			scores[path] += a.share * c.size()
		}
	}
	return saturated(scores, enoughAlike)
}

// nearest returns the commits that share words with the task, newest first.
func (h *History) nearest(q *query) []alike {
	weights, most := h.worth(q)
	words := 0
	for i := range h.commits {
		words += len(h.commits[i].terms)
	}
	average := float64(words) / max(1, float64(len(h.commits)))
	var found []alike
	for i := range h.commits {
		c := &h.commits[i]
		share := 0.0
		for _, term := range c.terms {
			share += weights[term]
		}
		if share > 0 {
			share *= 1.7 / (1 + 0.7*float64(len(c.terms))/average) / most // long messages share words by chance
			found = append(found, alike{i, math.Pow(share, 1.5) * fading(i, oldCommits)})
		}
	}
	return found
}

// worth returns what each word of the task says of a commit, and their sum.
func (h *History) worth(q *query) (weights map[string]float64, most float64) {
	counts := map[string]int{}
	for i := range h.commits {
		for _, term := range h.commits[i].terms {
			if _, wanted := q.weights[term]; wanted {
				counts[term]++
			}
		}
	}
	weights = make(map[string]float64, len(q.terms))
	for _, t := range q.terms {
		weights[t.word] = min(t.weight, maxScope) * inverse(counts[t.word], len(h.commits))
		most += weights[t.word]
	}
	return weights, most
}

// fresh returns for each file, from 0 to 1, how often and how lately it was
// changed.
func (h *History) fresh() map[string]float64 {
	scores := map[string]float64{}
	for i := range h.commits {
		c := &h.commits[i]
		share := c.size() * fading(i, freshCommits)
		for _, path := range c.files {
			scores[path] += share
		}
	}
	return saturated(scores, enoughFresh)
}

// saturated maps scores to shares: half is the score that becomes a half.
func saturated(scores map[string]float64, half float64) map[string]float64 {
	for path, score := range scores {
		scores[path] = score / (score + half)
	}
	return scores
}

// together returns for each file, from 0 to 1, how likely it changes when path
// does.
func (h *History) together(path string) map[string]float64 {
	scores := map[string]float64{}
	all := 1.0
	for _, i := range h.changed[path] {
		c := &h.commits[i]
		share := fading(int(i), oldCommits)
		all += share
		for _, other := range c.files {
			if other != path {
				scores[other] += share * c.size()
			}
		}
	}
	for other := range scores {
		scores[other] /= all
	}
	return scores
}
