package main

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/agentls/agentls/index"
)

// wordPeers are what the map is measured against. They know the same words as
// the map, and the paths of files too.
type wordPeers struct {
	files map[string]*wordFile
	terms int // in all files
}

// A wordFile is a file as the peers see it.
type wordFile struct {
	terms  map[string]int // split and cut as the map has them
	length int            // in terms
	words  map[string]int // as they stand, in lower case
}

func newWordPeers() *wordPeers { return &wordPeers{files: map[string]*wordFile{}} }

// set gives a file its content; nil is gone.
func (p *wordPeers) set(path string, content []byte) {
	if old := p.files[path]; old != nil {
		p.terms -= old.length
	}
	if content == nil {
		delete(p.files, path)
		return
	}
	if bytes.IndexByte(content[:min(len(content), 8<<10)], 0) >= 0 {
		content = nil // binary
	}
	f := &wordFile{terms: map[string]int{}, words: map[string]int{}}
	for _, term := range index.Terms(path + "\n" + string(content)) {
		f.terms[term]++
		f.length++
	}
	for _, word := range wholeWords(string(content)) {
		f.words[word]++
	}
	p.files[path] = f
	p.terms += f.length
}

func wholeWords(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

// The usual constants of BM25.
const (
	bm25K1 = 1.2
	bm25B  = 0.75
)

// bm25 returns the best files for the words of a message.
func (p *wordPeers) bm25(message string, limit int) []string {
	average := float64(p.terms) / float64(max(1, len(p.files)))
	scores := map[string]float64{}
	for _, term := range distinct(index.Terms(message)) {
		docs := 0.0
		for _, f := range p.files {
			if f.terms[term] > 0 {
				docs++
			}
		}
		idf := math.Log(1 + (float64(len(p.files))-docs+0.5)/(docs+0.5))
		for path, f := range p.files {
			if n := float64(f.terms[term]); n > 0 {
				scores[path] += idf * n * (bm25K1 + 1) / (n + bm25K1*(1-bm25B+bm25B*float64(f.length)/average))
			}
		}
	}
	return best(scores, limit)
}

// count returns the files in which the words of a message stand most often.
// Words like "the" are left out.
func (p *wordPeers) count(message string, limit int) []string {
	scores := map[string]float64{}
	for _, word := range distinct(wholeWords(message)) {
		if len(index.Terms(word)) == 0 {
			continue
		}
		for path, f := range p.files {
			if n := f.words[word]; n > 0 {
				scores[path] += float64(n)
			}
		}
	}
	return best(scores, limit)
}

func distinct(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}

// best returns the paths with the highest scores, of equal ones the first.
func best(scores map[string]float64, limit int) []string {
	paths := make([]string, 0, len(scores))
	for path := range scores {
		paths = append(paths, path)
	}
	slices.SortFunc(paths, func(a, b string) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), strings.Compare(a, b)) })
	return paths[:min(limit, len(paths))]
}
