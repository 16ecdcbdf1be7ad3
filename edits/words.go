package edits

import (
	"unicode"
	"unicode/utf8"

	"znkr.io/diff"

	"github.com/agentls/agentls/edits/text"
)

// ChangedWords returns the spans of two lines in which they differ, by words:
// runs of letters and digits, and everything else one by one. Where less than
// a third is the same, the lines have nothing to do with each other, and there
// are none.
func ChangedWords(before, after string) (old, added []text.Span) {
	x, y := splitWords(before), splitWords(after)
	xs, ys := offsets(x), offsets(y)
	same := len(before)
	for _, h := range diff.Hunks(x, y, diff.Context(0)) {
		from, to := text.Span{Start: xs[h.PosX], End: xs[h.EndX]}, text.Span{Start: ys[h.PosY], End: ys[h.EndY]}
		same -= from.Len()
		if from.Len() > 0 {
			old = append(old, from)
		}
		if to.Len() > 0 {
			added = append(added, to)
		}
	}
	if 3*same < max(len(before), len(after)) {
		return nil, nil
	}
	return old, added
}

// splitWords returns the words of line, none left out.
func splitWords(line string) (words []string) {
	for len(line) > 0 {
		n := 0
		for n < len(line) {
			r, size := utf8.DecodeRuneInString(line[n:])
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' {
				break
			}
			n += size
		}
		if n == 0 {
			_, n = utf8.DecodeRuneInString(line)
		}
		words, line = append(words, line[:n]), line[n:]
	}
	return words
}
