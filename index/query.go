package index

import (
	"math"
	"path"
	"regexp"
	"strings"
)

// A query is the words of a task as a ranking looks for them.
type query struct {
	terms []term
	names []string // that are spelled like identifiers
	paths []string // that are spelled like paths

	weights map[string]float64 // of terms, by word
}

// A term is a word that is looked for.
type term struct {
	word   string // as Terms returns it
	said   string // as the task says it, in lower case
	weight float64
}

// What a word counts that stands elsewhere than in the first line.
const (
	inScope   = 5.0
	laterLine = 0.85
)

// maxTerms bounds what one query looks for.
const maxTerms = 200

// scopePrefix is what many projects begin the first line of a task with: the part of
// the tree that it is about, as in "index: keep the tree" and "fix(parser): …".
var scopePrefix = regexp.MustCompile(`^[\w./ ,{}*@-]{1,40}(?:\(([\w./ ,@-]{1,40})\))?!?:`)

// newQuery reads the words of a task. Those of the first line count more than
// those of the rest, and those of its scope most.
func newQuery(task string) *query {
	task = aboutCode(task)
	q := &query{weights: map[string]float64{}}
	first, rest, _ := strings.Cut(task, "\n")
	prefix := scopePrefix.FindStringSubmatch(first)
	if prefix != nil && !issueNumber.MatchString(prefix[0]) {
		if prefix[1] != "" { // the word before the parentheses says what kind of change it is
			prefix[0] = prefix[1]
		}
		q.add(prefix[0], max(1, inScope/float64(len(Terms(prefix[0])))))
	}
	q.add(first, 1)
	q.add(rest, laterLine)
	q.mentions(task)
	return q
}

// add looks for the words of text too, those that are known already aside.
func (q *query) add(text string, weight float64) {
	eachTerm(text, func(said, word string) {
		if _, known := q.weights[word]; !known && len(q.terms) < maxTerms {
			q.weights[word] = weight
			q.terms = append(q.terms, term{word, said, weight})
		}
	})
}

var (
	pathLike = regexp.MustCompile(`^[\w.@+-]*(/[\w.@+-]+)+/?$|^[\w@+-]+\.[A-Za-z][A-Za-z0-9]{0,4}$`)
	nameLike = regexp.MustCompile(`^\w+$`)
	nameCase = regexp.MustCompile(`[a-z0-9][A-Z]|\w_\w`)
)

const maxMentions = 20

// mentions finds what is spelled like a path or an identifier.
func (q *query) mentions(task string) {
	for word := range strings.FieldsSeq(task) {
		quoted := strings.HasPrefix(word, "`") || strings.HasSuffix(word, "()")
		word = strings.Trim(word, "`'\"()[]{}<>,;:!?.*")
		if pathLike.MatchString(word) && len(q.paths) < maxMentions {
			q.paths = append(q.paths, path.Clean(word))
		}
		for _, name := range strings.FieldsFunc(word, func(r rune) bool { return r == '.' || r == ':' || r == '#' || r == '(' }) {
			isName := nameLike.MatchString(name) && len(name) > 2 && (quoted || nameCase.MatchString(name) || strings.Contains(word, "."+name))
			if isName && len(q.names) < maxMentions {
				q.names = append(q.names, name)
			}
		}
	}
}

// inverse returns how much a term says that occurs in some of all documents.
// The numbers are rounded, so that one document more changes nothing.
func inverse(some, all int) float64 {
	n, of := rounded(some), rounded(all)
	return math.Log(1 + (max(of, n)-n+0.5)/(n+0.5))
}

// rounded keeps four binary digits of n.
func rounded(n int) float64 {
	shift := 0
	for n>>shift > 15 {
		shift++
	}
	return float64(n >> shift << shift)
}
