package index

import (
	"cmp"
	"context"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A Focus says what a task is about. Any part may be empty.
type Focus struct {
	Words     string     // of the task
	Symbols   []Symbol   // that are in view
	Files     []string   // that are in view, absolute
	Edited    []string   // that were edited lately, the last first, absolute
	Histories []*History // of the roots, as far as they are known

	Hidden func(path string) bool // the files that must not be named; nil: none
	Seen   []string               // files that count, and are not answered: they are shown already
}

// A Ranked is a file that a task may need.
type Ranked struct {
	Path    string
	Score   int      // comparable within one ranking
	Reasons []string // the strongest first, at most maxReasons
}

const maxReasons = 3

// What speaks for a file beside its words, of which the best match has 1. The
// values are round: none was fitted closely.
const (
	weightNamed    = 0.7 // declares what the task names
	weightPath     = 1.0 // is named in the task
	weightFocus    = 2.0 // is in view, or declares what is
	weightUses     = 1.0 // uses what is in view, or is used by it
	weightEdited   = 0.4 // was edited by the user, the last
	nextEdited     = 0.8 // of that: the one before
	weightAlike    = 0.6 // was changed for tasks like this
	weightFresh    = 0.15
	weightTogether = 0.25
	weightTwin     = 0.2  // of the score of the file that it tests, or that tests it
	weightLink     = 0.06 // of the score of the file that it is tied to
	weightAside    = 0.8  // of its own score

	seeds = 5 // files that speak for others
)

// A ranker ranks the files of one snapshot for one focus. Files have numbers:
// those of the base, then those that lie over it.
type ranker struct {
	snap  *Snapshot
	focus *Focus
	query *query
	words *words
	files []*file
	score []float64
	notes map[int][]note
}

// A note is something that speaks for a file.
type note struct {
	points float64
	kind   noteKind
	text   string
}

// A noteKind tells notes apart: the strongest of each kind is shown.
type noteKind uint8

const (
	saysWords noteKind = iota
	isInFocus
	isNamed
	isTied
	isTwin
	wasChanged
	wasFresh
	wasTogether
)

// Rank returns the files that a task with that focus may need, best first, at
// most limit. The same snapshot and focus give the same answer. On cancel the
// error is the context's cause.
func (s *Snapshot) Rank(ctx context.Context, focus Focus, limit int) ([]Ranked, error) {
	r, err := s.rank(ctx, &focus)
	if err != nil {
		return nil, err
	}
	var out []Ranked
	for _, i := range r.best(limit) {
		out = append(out, r.ranked(i))
	}
	return out, nil
}

// rank scores all files.
func (s *Snapshot) rank(ctx context.Context, focus *Focus) (*ranker, error) {
	words, err := s.words(ctx)
	if err != nil {
		return nil, err
	}
	r := &ranker{
		snap: s, focus: focus, query: newQuery(focus.Words), words: words,
		files: slices.Concat(s.disk.base.files, s.overlay()), notes: map[int][]note{},
	}
	r.score = make([]float64, len(r.files))
	r.byWords(ctx)
	r.byMention()
	r.byFocus()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for _, h := range focus.Histories {
		r.byHistory(h)
	}
	r.byKin()
	r.putAside()
	for _, path := range focus.Seen {
		if i := r.find(path); i >= 0 {
			r.score[i] = 0
		}
	}
	return r, nil
}

// favour adds to the score of file i, and says why.
func (r *ranker) favour(i int, kind noteKind, points float64, reason string) {
	r.score[i] += points
	r.notes[i] = append(r.notes[i], note{points, kind, reason})
}

// points returns the score of file i in steps, so that what changes a score a
// little does not change the order of files.
func (r *ranker) points(i int) int { return int(math.Round(r.score[i] * 100)) }

// best returns the numbers of the best files.
func (r *ranker) best(limit int) []int {
	var order []int
	for i := range r.score {
		if r.points(i) > 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(r.points(b)-r.points(a), strings.Compare(r.files[a].path, r.files[b].path))
	})
	return order[:r.shown(order, limit)]
}

// shown moves those of order that may be named to its front, limit at most, and
// returns how many they are. (Asking is slow: the rest is not asked about.)
func (r *ranker) shown(order []int, limit int) (n int) {
	for _, i := range order {
		if n == limit {
			break
		}
		if r.focus.Hidden != nil && r.focus.Hidden(r.files[i].path) {
			r.score[i] = 0
			continue
		}
		order[n] = i
		n++
	}
	return n
}

func (r *ranker) ranked(i int) Ranked {
	return Ranked{Path: r.files[i].path, Score: r.points(i), Reasons: r.reasons(i)}
}

// reasons returns the strongest notes on file i, one of each kind.
func (r *ranker) reasons(i int) []string {
	notes := slices.Clone(r.notes[i])
	slices.SortStableFunc(notes, func(a, b note) int { return cmp.Compare(b.points, a.points) })
	seen := map[noteKind]bool{}
	var out []string
	for _, n := range notes {
		if !seen[n.kind] && len(out) < maxReasons {
			seen[n.kind] = true
			out = append(out, n.text)
		}
	}
	return out
}

// find returns the number of the file at path, or -1.
func (r *ranker) find(path string) int {
	n := len(r.snap.disk.base.files)
	over, ok := slices.BinarySearchFunc(r.files[n:], path, func(f *file, path string) int { return strings.Compare(f.path, path) })
	if ok {
		return n + over
	}
	if i, ok := r.snap.disk.base.search(path); ok && !r.snap.covered(path) {
		return i
	}
	return -1
}

// byMention favours what the task names: files that declare its identifiers,
// and those at its paths. Where many do, none is meant more than the others.
func (r *ranker) byMention() {
	for _, name := range r.query.names {
		var found []int
		for _, t := range r.snap.declared(name) {
			if i := r.find(t.path); i >= 0 && !slices.Contains(found, i) {
				found = append(found, i)
			}
		}
		for _, i := range found {
			r.favour(i, isNamed, weightNamed/float64(len(found)), "declares "+name+", named in the task")
		}
	}
	for _, path := range r.query.paths {
		var found []int
		suffix := string(filepath.Separator) + filepath.FromSlash(path)
		for i, f := range r.files {
			if strings.HasSuffix(f.path, suffix) && r.find(f.path) == i {
				found = append(found, i)
			}
		}
		for _, i := range found {
			r.favour(i, isNamed, weightPath/float64(len(found)), "named in the task")
		}
	}
}

// byFocus favours what is in view and what was edited.
func (r *ranker) byFocus() {
	for _, path := range r.focus.Files {
		if i := r.find(path); i >= 0 {
			r.favour(i, isInFocus, weightFocus, "in focus")
		}
	}
	for i := range r.focus.Symbols {
		r.byFocused(&r.focus.Symbols[i])
	}
	points := weightEdited
	for _, path := range r.focus.Edited {
		if i := r.find(path); i >= 0 {
			r.favour(i, wasFresh, points, "edited lately")
		}
		points *= nextEdited
	}
}

// byFocused favours the file of a symbol that is in view, and those that it is
// tied to.
func (r *ranker) byFocused(sym *Symbol) {
	own := r.find(sym.Path)
	if own < 0 {
		return
	}
	r.favour(own, isInFocus, weightFocus, "declares "+sym.Qualified()+", in focus")
	users := newLinks(r, own, r.snap.Rel(sym.Path))
	users.tieOwn(sym.Name)
	users.favour(weightUses)
	used := newLinks(r, own, sym.Qualified())
	if o := r.files[own].outline(); o != nil {
		for i, occ := range o.occs {
			if !occ.has(isLocal|isDefinition) && sym.Span.Encloses(o.span(i)) {
				used.tieUsed(o.name(i))
			}
		}
	}
	used.favour(weightUses)
}

// byHistory favours what was changed for the like, lately, and together with
// the best so far.
func (r *ranker) byHistory(h *History) {
	favour := func(shares map[string]float64, weight float64, kind noteKind, reason string) {
		for path, share := range shares {
			if i := r.find(path); i >= 0 {
				r.favour(i, kind, weight*share, reason)
			}
		}
	}
	favour(h.alike(r.query), weightAlike, wasChanged, "changed for tasks like this")
	favour(h.fresh(), weightFresh, wasFresh, "changed lately")
	files, scores := r.seeds()
	for k, i := range files {
		for path, share := range h.together(r.files[i].path) {
			if to := r.find(path); to >= 0 {
				r.favour(to, wasTogether, weightTogether*share*scores[k], "changed together with "+r.snap.Rel(r.files[i].path))
			}
		}
	}
}

// seeds returns the files that what they are tied to is favoured for, and their
// scores.
func (r *ranker) seeds() (files []int, scores []float64) {
	files = r.best(seeds)
	for _, i := range files {
		scores = append(scores, float64(r.points(i))/100)
	}
	return files, scores
}

// byKin favours the tests of the best so far, what these test, and what is tied
// to them by names.
func (r *ranker) byKin() {
	files, scores := r.seeds()
	for k, i := range files {
		rel := r.snap.Rel(r.files[i].path)
		for _, to := range r.twins(i) {
			reason := "test of " + rel
			if _, isTest := stemOf(r.files[i].path); isTest {
				reason = "tested by " + rel
			}
			r.favour(to, isTwin, weightTwin*scores[k], reason)
		}
		links := newLinks(r, i, rel)
		links.tieAll()
		links.favour(weightLink * scores[k])
	}
}

var aside = regexp.MustCompile(`/(vendor|node_modules|third_party|testdata|fixtures|__snapshots__|dist)/|` +
	`\.(min\.js|min\.css|lock|snap|golden|sum|svg|map)$|package-lock\.json$`)

// putAside lowers what is seldom meant: other people's code, data, and what
// tools write.
func (r *ranker) putAside() {
	for i := range r.score {
		if r.points(i) > 0 && aside.MatchString(filepath.ToSlash(r.files[i].path)) {
			r.score[i] *= weightAside
		}
	}
}
