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
	for _, d := range slid(x, y, diff.Hunks(x, y, diff.Context(0))) {
		diffs = append(diffs, lineDiff{
			before: text.Span{Start: xs[d.before.Start], End: xs[d.before.End]},
			after:  text.Span{Start: ys[d.after.Start], End: ys[d.after.End]},
		})
	}
	return diffs
}

// slid returns the differences of x and y, in lines. Where lines were only
// taken out, or only put in, there is often a choice of which of several like
// ones. It is made as git makes it, so that both merge the same: those that
// touch another difference, else the last ones.
func slid(x, y []string, hunks []diff.Hunk[string]) []lineDiff {
	var diffs []lineDiff
	for i, h := range hunks {
		d := lineDiff{before: text.Span{Start: h.PosX, End: h.EndX}, after: text.Span{Start: h.PosY, End: h.EndY}}
		next := len(x)
		if i+1 < len(hunks) {
			next = hunks[i+1].PosX
		}
		d = d.slidDown(x, y, next)
		if n := len(diffs); n > 0 && d.before.End < next {
			if one, ok := d.joined(x, y, diffs[n-1]); ok {
				diffs, d = diffs[:n-1], one.slidDown(x, y, next)
			}
		}
		diffs = append(diffs, d)
	}
	return diffs
}

// run returns the lines that d takes out or puts in; ok is false where it does
// both, so that nothing can slide.
func (d lineDiff) run(x, y []string) (lines []string, run text.Span, ok bool) {
	if d.after.Len() == 0 {
		return x, d.before, true
	}
	return y, d.after, d.before.Len() == 0
}

// slidDown returns d as far down as it goes, to line next of x at most.
func (d lineDiff) slidDown(x, y []string, next int) lineDiff {
	lines, run, ok := d.run(x, y)
	for n := 0; ok && d.before.End < next && lines[run.Start+n] == lines[run.End+n]; n++ {
		d = lineDiff{before: d.before.Shift(1), after: d.after.Shift(1)}
	}
	return d
}

// joined returns d and the difference before it as one, if d can slide up to
// that.
func (d lineDiff) joined(x, y []string, before lineDiff) (one lineDiff, ok bool) {
	lines, run, ok := d.run(x, y)
	gap := d.before.Start - before.before.End
	for n := 1; n <= gap; n++ {
		if !ok || lines[run.Start-n] != lines[run.End-n] {
			return d, false
		}
	}
	one = lineDiff{
		before: text.Span{Start: before.before.Start, End: d.before.End - gap},
		after:  text.Span{Start: before.after.Start, End: d.after.End - gap},
	}
	return one, true
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
