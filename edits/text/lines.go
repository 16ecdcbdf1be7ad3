package text

import (
	"sort"
	"unicode/utf8"
)

// An Encoding is the unit a client counts columns in. (LSP 3.17,
// PositionEncodingKind)
type Encoding uint8

// The encodings of LSP. UTF16 is what a client means that says nothing.
const (
	UTF16 Encoding = iota
	UTF8
	UTF32
)

// A Point is a place in a text as clients name it: a line and a column in code
// units of an Encoding, both from 0.
type Point struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Lines knows where the lines of one text begin. It borrows the text, which
// must not change.
type Lines struct {
	src    []byte
	starts []int
}

// NewLines finds the lines of src. A line ends with "\n", "\r\n" or a lone
// "\r" (LSP, "Text Documents"); a text always has at least one.
func NewLines(src []byte) *Lines {
	starts := []int{0}
	for i, b := range src {
		if b == '\n' || b == '\r' && (i+1 == len(src) || src[i+1] != '\n') {
			starts = append(starts, i+1)
		}
	}
	return &Lines{src: src, starts: starts}
}

// Count returns the number of lines, the empty one behind a final line ending
// included.
func (l *Lines) Count() int { return len(l.starts) }

// Line returns the span of line i, from 0, without its ending. Lines outside
// the text are empty, at its nearer end.
func (l *Lines) Line(i int) Span {
	switch {
	case i < 0:
		return Span{}
	case i >= len(l.starts):
		return Span{len(l.src), len(l.src)}
	}
	end := len(l.src)
	if i+1 < len(l.starts) {
		end = l.starts[i+1]
	}
	for end > l.starts[i] && (l.src[end-1] == '\n' || l.src[end-1] == '\r') {
		end--
	}
	return Span{l.starts[i], end}
}

// Start returns the offset at which line i begins, or the end of the text.
func (l *Lines) Start(i int) int { return l.Line(i).Start }

// Text returns the bytes of s. They belong to the text.
func (l *Lines) Text(s Span) []byte { return l.src[s.Start:s.End] }

// LineAt returns the line, from 0, that offset lies on.
func (l *Lines) LineAt(offset int) int {
	return sort.Search(len(l.starts), func(i int) bool { return l.starts[i] > offset }) - 1
}

// Offset returns the byte offset of p, clamped to the end of its line, and
// whether the line exists. A column inside a character means its beginning.
// (LSP, "Position": a column past the end of a line means its end.)
func (l *Lines) Offset(p Point, enc Encoding) (offset int, ok bool) {
	line := l.Line(p.Line)
	if p.Line < 0 || p.Line >= len(l.starts) {
		return line.Start, false
	}
	offset = line.Start
	for units := 0; offset < line.End; {
		r, size := utf8.DecodeRune(l.src[offset:line.End])
		if units += width(r, size, enc); units > p.Column {
			break
		}
		offset += size
	}
	return offset, true
}

// Point returns the place of offset, which is clamped to the text.
func (l *Lines) Point(offset int, enc Encoding) Point {
	offset = min(max(offset, 0), len(l.src))
	p := Point{Line: l.LineAt(offset)}
	for at := l.starts[p.Line]; at < offset; {
		r, size := utf8.DecodeRune(l.src[at:offset])
		p.Column += width(r, size, enc)
		at += size
	}
	return p
}

// width returns the code units of one character of size bytes.
func width(r rune, size int, enc Encoding) int {
	switch {
	case enc == UTF8:
		return size
	case enc == UTF16 && r > 0xFFFF:
		return 2
	default:
		return 1
	}
}
