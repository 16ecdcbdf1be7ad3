package edits

import (
	"bytes"
	"strings"

	"znkr.io/diff"

	"github.com/agentls/agentls/edits/text"
)

// A lineDiff is one difference between two texts: the whole lines that stand
// in the one and those that stand in the other.
type lineDiff struct{ before, after text.Span }

// diffLines returns what differs between two texts, in order, without context.
// Differences never touch. Lines keep their terminators, so that a CR or a
// missing final newline is a difference; a lone CR ends no line, as in git.
func diffLines(before, after []byte) []lineDiff {
	if bytes.Equal(before, after) {
		return nil
	}
	x, y := splitLines(before), splitLines(after)
	xs, ys := offsets(x), offsets(y)
	var diffs []lineDiff
	for _, h := range diff.Hunks(x, y, diff.Context(0)) {
		diffs = append(diffs, lineDiff{
			before: text.Span{Start: xs[h.PosX], End: xs[h.EndX]},
			after:  text.Span{Start: ys[h.PosY], End: ys[h.EndY]},
		})
	}
	return diffs
}

// splitLines returns the lines of src with their terminators. An empty text
// has none.
func splitLines(src []byte) []string {
	lines := strings.SplitAfter(string(src), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// offsets returns where each line begins, and where the last one ends.
func offsets(lines []string) []int {
	at := make([]int, len(lines)+1)
	for i, l := range lines {
		at[i+1] = at[i] + len(l)
	}
	return at
}

// newHunks returns the pending hunks that lead from before to after, with IDs
// from first.
func newHunks(before, after []byte, first int) []Hunk {
	var hunks []Hunk
	for i, d := range diffLines(before, after) {
		hunks = append(hunks, Hunk{
			ID:    first + i,
			Edit:  text.Edit{Span: d.before, New: string(after[d.after.Start:d.after.End])},
			State: Pending,
		})
	}
	return hunks
}

// trim returns e without the whole lines at its ends that it replaces by
// themselves; old is what it replaces.
func trim(e text.Edit, old string) text.Edit {
	for {
		line := firstLine(old)
		if line == "" || firstLine(e.New) != line {
			break
		}
		old, e.New = old[len(line):], e.New[len(line):]
		e.Span.Start += len(line)
	}
	for {
		line := lastLine(old)
		if line == "" || lastLine(e.New) != line {
			break
		}
		old, e.New = old[:len(old)-len(line)], e.New[:len(e.New)-len(line)]
		e.Span.End -= len(line)
	}
	return e
}

func firstLine(s string) string { return s[:strings.IndexByte(s, '\n')+1] }

func lastLine(s string) string {
	if !strings.HasSuffix(s, "\n") {
		return s // the last line of the text
	}
	return s[strings.LastIndexByte(s[:len(s)-1], '\n')+1:]
}

// apply makes edits that are known to fit.
func apply(src []byte, edits []text.Edit) []byte {
	out, err := text.Apply(src, edits)
	if err != nil {
		panic("edits: hunks of a checked change overlap: " + err.Error())
	}
	return out
}
