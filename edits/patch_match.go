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

// An ambiguousError says that a block fits in several places, none exactly.
type ambiguousError struct {
	lines []int // from 1
}

func (e *ambiguousError) Error() string {
	at := make([]string, len(e.lines))
	for i, l := range e.lines {
		at[i] = fmt.Sprint(l)
	}
	return "fits at lines " + strings.Join(at, ", ") + ", at none of them exactly; give more context"
}

// A matcher finds blocks of lines in one file. Blocks are in file order and do
// not overlap.
type matcher struct {
	lines  []string
	cursor int                   // where the search begins
	normal [len(levels)][]string // the lines as each level sees them, made when first asked for
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

// errNotFound says that a block stands nowhere.
var errNotFound = errors.New("not found")

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
		found := places(m.normalised(l), normalised(block, normal), from)
		if l > 0 && len(found) > 1 {
			return 0, &ambiguousError{lines: found}
		}
		if len(found) > 0 {
			return found[0] - 1, nil
		}
	}
	return 0, errNotFound
}

// places returns the line numbers, from 1, at which block stands at or after
// from.
func places(lines, block []string, from int) []int {
	var found []int
	for i := from; i+len(block) <= len(lines); i++ {
		if slices.Equal(lines[i:i+len(block)], block) {
			found = append(found, i+1)
		}
	}
	return found
}
