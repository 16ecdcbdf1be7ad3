package index

import (
	"context"
	"math"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// What BM25 is made with. (Robertson and Zaragoza, The Probabilistic Relevance
// Framework: BM25 and Beyond; several fields as in BM25F)
const (
	saturation  = 1.5 // k1
	lengthShare = 0.75
	inNames     = 2.0 // what an occurrence counts in the name of a declaration
	inPaths     = 6.0 // and in the path
	isName      = 0.6 // what a term is worth besides that is the whole name of a file
	ofProse     = 0.9 // what those of prose count, which says shortly what code says at length
	ofNotes     = 0.5 // those of the notes of releases, where past tasks had the words of this one
)

var (
	proseFile    = regexp.MustCompile(`(?i)\.(?:md|rst|txt|adoc)$`)
	releaseNotes = regexp.MustCompile(`(?i)(?:^|/)(?:changes?|change[-_]?logs?|news|history|releases?|release[-_]?notes?|what[-_]?s[-_]?new|` +
		`news\.d|changelog\.d|news[-_]?fragments|\.changeset)(?:/|[-_.\d][^/]*$|$)`)
)

// prior returns what the words of the file at rel count.
func prior(rel string) float64 {
	rel = filepath.ToSlash(rel)
	switch isProse := proseFile.MatchString(rel); {
	case isProse && releaseNotes.MatchString(rel), path.Ext(rel) == "" && releaseNotes.MatchString(path.Base(rel)):
		return ofNotes
	case isProse:
		return ofProse
	default:
		return 1
	}
}

// A matching scores all files of a ranker by BM25 over three fields: their
// text, the names they declare, and their paths.
type matching struct {
	*ranker
	bags    []*bag // of the files that lie over the base
	norm    []float64
	found   []float64 // how often the present term occurs in each file, weighted
	named   []float64 // how much of the name of each file the present term is
	touched []int     // files with found
	score   []float64
	tops    [][2]hitTerm // the terms that say most of each file
}

// A hitTerm is a term that a file has, and what that is worth.
type hitTerm struct {
	term   int32 // 1 + its place in the query; 0 is none
	points float32
}

// byWords gives each file its score for the words of the task: 1 for about the
// best.
func (r *ranker) byWords(ctx context.Context) {
	n := len(r.files)
	m := &matching{ranker: r, norm: make([]float64, n), found: make([]float64, n), named: make([]float64, n), score: make([]float64, n), tops: make([][2]hitTerm, n)}
	m.measure(ctx)
	for i := range r.query.terms {
		m.look(i)
	}
	most := 0.0
	for i := range m.score {
		if i < len(r.words.lengths) && r.snap.covered(r.files[i].path) {
			m.score[i] = 0
		}
		if m.score[i] > 0 {
			m.score[i] *= prior(r.snap.Rel(r.files[i].path))
		}
		most = max(most, m.score[i])
	}
	if most == 0 {
		return
	}
	most = math.Exp2(math.Ceil(4*math.Log2(most)) / 4) // in steps: one file's edit must not move all others
	for i, score := range m.score {
		r.score[i] = score / most
		if r.points(i) > 0 {
			r.notes[i] = append(r.notes[i], note{r.score[i], saysWords, m.says(i)})
		}
	}
}

// measure finds how long the files are, in relation to others.
func (m *matching) measure(ctx context.Context) {
	base := len(m.words.lengths)
	for i := range m.norm {
		var length uint32
		if i < base {
			length = m.words.lengths[i]
		} else {
			m.bags = append(m.bags, m.words.bag(ctx, m.snap, m.files[i]))
			length = m.bags[i-base].length
		}
		m.norm[i] = 1 - lengthShare + lengthShare*float64(length)/max(1, rounded(int(m.words.average)))
	}
}

// look scores the files for one term.
func (m *matching) look(place int) {
	t := m.query.terms[place]
	number, known := m.words.numbers[t.word]
	docs, base := 0, len(m.words.lengths)
	weight := t.weight
	if weight > 1 && (!known || len(m.words.paths.list(int(number))) == 0) {
		weight = 1 // no part of the tree is called so
	}
	inPath := inPaths * max(1, weight)
	if known {
		docs = len(m.words.text.list(int(number)))
		for _, p := range m.words.text.list(int(number)) {
			m.note(p.file(), p.count()/m.norm[p.file()])
		}
		for _, p := range m.words.names.list(int(number)) {
			m.note(p.file(), inNames*p.count()/m.norm[p.file()])
		}
		for _, p := range m.words.paths.list(int(number)) {
			m.notePath(p.file(), inPath, p.count())
		}
	}
	for i, b := range m.bags {
		m.note(base+i, (float64(b.text[t.word])+inNames*float64(b.names[t.word]))/m.norm[base+i])
		m.notePath(base+i, inPath, float64(b.paths[t.word]))
	}
	m.settle(place, weight*inverse(docs, base))
}

// note takes in that file i has the present term.
func (m *matching) note(i int, count float64) {
	if m.found[i] == 0 && count > 0 {
		m.touched = append(m.touched, i)
	}
	m.found[i] += count
}

// notePath takes in what pathTerms says of the term in the path of file i.
func (m *matching) notePath(i int, weight, count float64) {
	if count == 0 {
		return
	}
	m.note(i, weight)
	m.named[i] = (count - 1) / nameShares
}

// settle adds what the present term is worth to the files that have it.
func (m *matching) settle(place int, worth float64) {
	for _, i := range m.touched {
		points := worth * (m.found[i]/(m.found[i]+saturation) + isName*m.named[i])
		m.found[i], m.named[i] = 0, 0
		m.score[i] += points
		hit := hitTerm{int32(place + 1), float32(points)}
		for k := range m.tops[i] {
			if hit.points > m.tops[i][k].points {
				m.tops[i][k], hit = hit, m.tops[i][k]
			}
		}
	}
	m.touched = m.touched[:0]
}

// says names the terms that say most of file i.
func (m *matching) says(i int) string {
	var said []string
	for _, top := range m.tops[i] {
		if top.term > 0 {
			said = append(said, m.query.terms[top.term-1].said)
		}
	}
	return "says " + strings.Join(said, ", ")
}
