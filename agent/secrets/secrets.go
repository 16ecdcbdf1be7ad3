// Package secrets finds secrets in text: keys, tokens and passwords, by the
// rules of gitleaks and by some of its own.
package secrets

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/agentls/agentls/edits/text"
)

// A Found secret is part of a line of a text. One of several lines, such as a
// private key, is found line by line: what takes its place leaves the lines as
// they are.
type Found struct {
	Rule string // that found it: "github-pat"
	Span text.Span
}

// A Detector finds secrets. It may be used by several goroutines.
type Detector struct {
	rules    []rule
	general  allowlist
	keywords *keywordTree
	users    [][]int32 // the rules of each keyword

	mu    sync.Mutex
	found map[text.Hash][]Found // by content; guarded by mu
}

// maxCached is how many texts a Detector knows the answer for.
const maxCached = 8192

// Default returns the detector of this process. Its first call takes some
// milliseconds.
var Default = sync.OnceValue(func() *Detector {
	d, err := New()
	if err != nil {
		panic(err) // our own files
	}
	return d
})

// New returns a detector of its own.
func New() (*Detector, error) {
	d := &Detector{found: map[text.Hash][]Found{}}
	var err error
	if d.rules, d.general, err = load(); err != nil {
		return nil, err
	}
	var words []string
	number := map[string]int{}
	for i := range d.rules {
		for _, word := range d.rules[i].Keywords {
			word = strings.ToLower(word)
			n, known := number[word]
			if !known {
				n = len(words)
				number[word] = n
				words, d.users = append(words, word), append(d.users, nil)
			}
			d.users[n] = append(d.users[n], int32(i)) //nolint:gosec // some hundred
		}
	}
	d.keywords = newKeywordTree(words)
	return d, nil
}

// Find returns the secrets in s, in order; none overlaps another. The same text
// has the same secrets each time. The slice is shared: it must not be changed.
func (d *Detector) Find(s string) []Found {
	key := text.HashOf([]byte(s))
	d.mu.Lock()
	found, known := d.found[key]
	d.mu.Unlock()
	if known {
		return found
	}
	found = d.encoded(s, d.scan(plain(s)))
	if shown := disguised(s); shown != nil {
		found = shown.found(s, d.scan(plain(shown.text)), found)
	}
	found = disjoint(found)
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.found) >= maxCached {
		clear(d.found)
	}
	d.found[key] = found
	return found
}

// scan finds secrets, perhaps the same ones several times.
func (d *Detector) scan(s string) []Found {
	found := blocks(s)
	for i, windows := range d.windows(s) {
		for _, w := range windows {
			found = d.search(&d.rules[i], s, w, found)
		}
	}
	return found
}

// How far from a keyword a secret may be, in bytes.
const (
	before = 400
	behind = 4400
)

// windows returns for each rule where in s its secrets may be: the lines of its
// keywords and the ones that follow them.
func (d *Detector) windows(s string) map[int32][]text.Span {
	out := map[int32][]text.Span{}
	d.keywords.each(s, func(word, end int) {
		checked, isAssigned := false, false
		var around text.Span
		for _, i := range d.users[word] {
			if d.rules[i].assigns {
				if !checked {
					checked, isAssigned = true, assigned(s, end)
				}
				if !isAssigned {
					continue
				}
			}
			if around.End == 0 {
				around = linesAround(s, end)
			}
			if last := len(out[i]) - 1; last >= 0 && around.Start <= out[i][last].End {
				out[i][last].End = max(out[i][last].End, around.End)
				continue
			}
			out[i] = append(out[i], around)
		}
	})
	return out
}

// linesAround returns the line of at and the one behind it, cut where they are
// very long.
func linesAround(s string, at int) text.Span {
	from, to := max(at-before, 0), min(at+behind, len(s))
	if i := strings.LastIndexByte(s[from:at], '\n'); i >= 0 {
		from += i + 1
	}
	if i := strings.IndexByte(s[at:to], '\n'); i >= 0 {
		if k := strings.IndexByte(s[at+i+1:to], '\n'); k >= 0 {
			to = at + i + 1 + k + 1
		}
	}
	return text.Span{Start: from, End: to}
}

// assigned reports whether what begins at an offset may be the rest of a name,
// an operator and a value, as the rules of gitleaks want it. It lets more pass
// than they do.
func assigned(s string, at int) bool {
	at = skip(s, at, 20, func(c byte) bool { return isWord(c) || c == ' ' || c == '\t' || c == '.' || c == '-' })
	at = skip(s, at, 3, isGap)
	operator := skip(s, at, 4, func(c byte) bool { return strings.IndexByte("=>:|?,", c) >= 0 })
	if operator == at {
		return false
	}
	at = skip(s, operator, 6, func(c byte) bool { return isGap(c) || c == '`' || c == '=' })
	const shortest = 8 // bytes of a value
	return skip(s, at, shortest, func(c byte) bool { return isWord(c) || strings.IndexByte(".=-+/~@", c) >= 0 })-at == shortest
}

// skip returns the first offset from at on, at most limit behind it, of what is
// not wanted.
func skip(s string, at, limit int, wanted func(byte) bool) int {
	end := min(at+limit, len(s))
	for at < end && wanted(s[at]) {
		at++
	}
	return at
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func isGap(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\'' || c == '"'
}

// search adds what r finds in the part w of s to found.
func (d *Detector) search(r *rule, s string, w text.Span, found []Found) []Found {
	part := s[w.Start:w.End]
	for _, at := range r.regex().FindAllStringSubmatchIndex(part, -1) {
		group := groupOf(at, r.Group)
		span := trimmed(part, text.Span{Start: group[0], End: group[1]})
		secret := part[span.Start:span.End]
		if secret == "" || isPlaceholder(secret) || strings.Contains(secret, "\n") {
			continue
		}
		match, line := part[at[0]:at[1]], lineOf(part, at[0])
		if r.Named && settingAt(part, span).isCode() {
			continue
		}
		if r.accepts(secret, match, line) && !d.general.allows(secret, match, line) && !isExample(secret) {
			found = append(found, Found{r.ID, text.Span{Start: w.Start + span.Start, End: w.Start + span.End}})
		}
	}
	return found
}

// groupOf returns the wanted group of a match, or the first that is not empty,
// or all of it.
func groupOf(match []int, wanted int) []int {
	if wanted > 0 {
		return match[2*wanted : 2*wanted+2]
	}
	for i := 2; i < len(match); i += 2 {
		if match[i] >= 0 && match[i+1] > match[i] {
			return match[i : i+2]
		}
	}
	return match[:2]
}

func trimmed(s string, span text.Span) text.Span {
	if span.Start < 0 {
		return text.Span{}
	}
	for span.Start < span.End && strings.IndexByte(" \t\r\n\"'`", s[span.Start]) >= 0 {
		span.Start++
	}
	for span.Start < span.End && strings.IndexByte(" \t\r\n\"'`", s[span.End-1]) >= 0 {
		span.End--
	}
	return span
}

func lineOf(s string, at int) string {
	line := s[strings.LastIndexByte(s[:at], '\n')+1:]
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	return line
}

// vagueness orders rules: the one that tells least of a secret comes last.
func vagueness(rule string) int {
	if rule == "generic-api-key" {
		return 1
	}
	return 0
}

// disjoint returns found in order, with what overlaps made one.
func disjoint(found []Found) []Found {
	slices.SortStableFunc(found, func(a, b Found) int {
		return cmp.Or(cmp.Compare(a.Span.Start, b.Span.Start), cmp.Compare(b.Span.End, a.Span.End), cmp.Compare(vagueness(a.Rule), vagueness(b.Rule)), cmp.Compare(a.Rule, b.Rule))
	})
	var out []Found
	for _, f := range found {
		last := len(out) - 1
		if last < 0 || f.Span.Start >= out[last].Span.End {
			out = append(out, f)
			continue
		}
		out[last].Span.End = max(out[last].Span.End, f.Span.End)
	}
	return slices.Clip(out)
}
