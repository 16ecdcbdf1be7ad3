package edits

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// A level is one way to compare a line of a patch with one of the file: both
// are normalised, then they must be equal. A more lenient level is only tried
// where a stricter one found nothing up to the end of the file.
type level func(line string) string

var levels = [...]level{
	func(line string) string { return line },
	func(line string) string { return strings.TrimRightFunc(line, unicode.IsSpace) },
	strings.TrimSpace,
	func(line string) string { return strings.Map(folded, strings.TrimSpace(line)) },
}

// folded returns the ASCII character a typographic one stands for.
func folded(r rune) rune {
	switch {
	case r >= 0x2010 && r <= 0x2015, r == 0x2212:
		return '-'
	case r >= 0x2018 && r <= 0x201B:
		return '\''
	case r >= 0x201C && r <= 0x201F:
		return '"'
	case r == 0x00A0, r >= 0x2002 && r <= 0x200A, r == 0x202F, r == 0x205F, r == 0x3000:
		return ' '
	}
	return r
}

// An ambiguousError says that a block fits in several places.
type ambiguousError struct {
	lines []int // from 1
	exact bool  // at all of them
}

// Is reports that such a block does not fit.
func (e *ambiguousError) Is(target error) bool { return target == ErrMisfit }

// Error names the lines.
func (e *ambiguousError) Error() string {
	at := make([]string, len(e.lines))
	for i, l := range e.lines {
		at[i] = fmt.Sprint(l)
	}
	if e.exact {
		return "is at lines " + strings.Join(at, ", ") + "; give more context"
	}
	return "fits at lines " + strings.Join(at, ", ") + ", at none of them exactly; give more context"
}

// A matcher finds blocks of lines in one file. Blocks are in file order and do
// not overlap.
type matcher struct {
	lines  []string
	cursor int                   // where the search begins
	normal [len(levels)][]string // the lines as each level sees them, made when first asked for
	where  [len(levels)]map[string][]int
}

func (m *matcher) normalised(l int) []string {
	if m.normal[l] == nil {
		m.normal[l] = normalised(m.lines, levels[l])
	}
	return m.normal[l]
}

func normalised(lines []string, l level) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = l(line)
	}
	return out
}

// ErrMisfit is returned where lines that a patch or an edit names are not in the
// file, or in several places.
var ErrMisfit = errors.New("does not fit")

// errNotFound says that a block stands nowhere.
var errNotFound = errors.New("not found")

// A misfitError says which lines were not found.
type misfitError struct{ message string }

func (e *misfitError) Error() string        { return e.message }
func (e *misfitError) Is(target error) bool { return target == ErrMisfit }

// find returns where block stands at or after the cursor. An exact match may
// be the first of several; a lenient one must be the only one of its level.
// The error is errNotFound or an ambiguousError.
func (m *matcher) find(block []string) (at int, err error) {
	return m.search(block, m.cursor)
}

// findLast is find for a block that stands at the end of the file.
func (m *matcher) findLast(block []string) (at int, err error) {
	from := len(m.lines) - len(block)
	if from < m.cursor {
		return 0, errNotFound
	}
	return m.search(block, from)
}

func (m *matcher) search(block []string, from int) (at int, err error) {
	for l, normal := range levels {
		most := mostPlaces
		if l == 0 {
			most = 1
		}
		found := m.places(l, normalised(block, normal), from, most)
		if l > 0 && len(found) > 1 {
			return 0, &ambiguousError{lines: found}
		}
		if len(found) > 0 {
			return found[0] - 1, nil
		}
	}
	return 0, errNotFound
}

// mostPlaces bounds the places that an error names.
const mostPlaces = 20

// places returns the line numbers, from 1, at which block stands at or after
// from as level l sees it, most at most. Only lines like the first one of block
// are looked at: a patch can have 100,000 blocks.
func (m *matcher) places(l int, block []string, from, most int) []int {
	lines := m.normalised(l)
	if m.where[l] == nil {
		m.where[l] = map[string][]int{}
		for i, line := range lines {
			m.where[l][line] = append(m.where[l][line], i)
		}
	}
	like := m.where[l][block[0]]
	first, _ := slices.BinarySearch(like, from)
	var found []int
	for _, i := range like[first:] {
		if i+len(block) <= len(lines) && slices.Equal(lines[i:i+len(block)], block) {
			if found = append(found, i+1); len(found) == most {
				break
			}
		}
	}
	return found
}

// nearest returns where in the file the lines most like block are, from 1, and
// those; 0 where nothing is half as like.
func (m *matcher) nearest(block []string) (line int, lines []string) {
	folded, sought := m.normalised(len(levels)-1), normalised(block, levels[len(levels)-1])
	best := float64(len(block)) / 2
	for i := 0; i+len(block) <= len(folded) && len(folded)*len(block) < mostCompared; i++ {
		like := 0.0
		for k, l := range sought {
			like += likeness(folded[i+k], l)
		}
		if like > best {
			best, line = like, i+1
		}
	}
	if line == 0 {
		return 0, nil
	}
	return line, m.lines[line-1 : line-1+len(block)]
}

// mostCompared bounds the comparisons for an error.
const mostCompared = 4 << 20

// likeness returns how much of two lines is the same at their ends, 1 for all.
func likeness(a, b string) float64 {
	if a == b {
		return 1
	}
	n, most := min(len(a), len(b)), max(len(a), len(b))
	head := 0
	for head < n && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < n-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return float64(head+tail) / float64(most)
}

// misfit returns the error for a block that was not found, which tells what is
// most like it.
func (m *matcher) misfit(what string, block []string) error {
	message := what
	if line, lines := m.nearest(block); line > 0 {
		message += fmt.Sprintf("\nThe nearest lines, from line %d on:\n%s", line, strings.Join(lines[:min(len(lines), mostShown)], "\n"))
	}
	return &misfitError{message}
}

// mostShown bounds the lines in an error.
const mostShown = 20
