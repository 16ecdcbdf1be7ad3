package edits

import (
	"bytes"
	"slices"
	"strings"
)

// patchedLines are the lines of a file under a patch.
type patchedLines struct {
	texts   []string // without terminators
	ends    []string // the terminator of each; "" for an unfinished last line
	newline string   // what added lines end with: the first terminator of the file
	changes []lineChange
}

// A lineChange replaces count lines from at on by lines that end already.
type lineChange struct {
	at, count int
	lines     []string
}

// newPatchedLines splits content behind "\n" and "\r\n" or, where there is no
// "\n" at all, behind "\r".
func newPatchedLines(content []byte) *patchedLines {
	l := &patchedLines{newline: "\n"}
	sep := "\n"
	if !bytes.Contains(content, []byte("\n")) && bytes.Contains(content, []byte("\r")) {
		sep = "\r"
	}
	for line := range strings.SplitAfterSeq(string(content), sep) {
		if line == "" {
			break
		}
		text, finished := strings.CutSuffix(line, sep)
		if finished && sep == "\n" {
			text = strings.TrimSuffix(text, "\r")
		}
		l.texts = append(l.texts, text)
		l.ends = append(l.ends, line[len(text):])
	}
	if len(l.ends) > 0 && l.ends[0] != "" {
		l.newline = l.ends[0]
	}
	return l
}

// replace notes that c was found at a line. What is context in c keeps the
// file's bytes, however leniently it was matched. A c without old lines is
// inserted there.
func (l *patchedLines) replace(at int, c []chunkLine) {
	change := lineChange{at: at}
	for _, line := range c {
		own := at + change.count
		switch line.mark {
		case added:
			change.lines = append(change.lines, line.text+l.newline)
		case removed:
			change.count++
		case kept:
			change.lines = append(change.lines, l.line(own))
			change.count++
		}
	}
	l.changes = append(l.changes, change)
}

// line returns line i with a terminator.
func (l *patchedLines) line(i int) string {
	if l.ends[i] == "" {
		return l.texts[i] + l.newline
	}
	return l.texts[i] + l.ends[i]
}

// end returns where added lines go that name no place: to the end, before a
// final empty line.
func (l *patchedLines) end() int {
	n := len(l.texts)
	if n > 0 && l.texts[n-1] == "" {
		return n - 1
	}
	return n
}

// bytes returns the content with all changes made, which may be empty but is
// never nil. Its last line is finished.
func (l *patchedLines) bytes() []byte {
	slices.SortStableFunc(l.changes, func(a, b lineChange) int { return a.at - b.at })
	out := []byte{}
	pos := 0
	for _, c := range l.changes {
		for ; pos < c.at; pos++ {
			out = append(out, l.line(pos)...)
		}
		for _, line := range c.lines {
			out = append(out, line...)
		}
		pos = max(pos, c.at+c.count)
	}
	for ; pos < len(l.texts); pos++ {
		out = append(out, l.line(pos)...)
	}
	return out
}
