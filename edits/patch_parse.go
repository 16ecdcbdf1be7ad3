package edits

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/agentls/agentls/edits/text"
)

// A Patch is a parsed patch in the format that models are taught as
// "apply_patch" (V4A): sections that add, delete and update files. It names
// old text by its lines, not by line numbers.
type Patch struct {
	sections []section
}

// A section is what a patch does to one file.
type section struct {
	line   int // of its header in the patch, from 1
	op     Op  // Create, Delete, or Modify; a Move is a Modify with a moveTo
	name   string
	moveTo string
	added  string // content of a Create
	chunks []chunk
}

// A chunk replaces one block of lines.
type chunk struct {
	line      int    // of its first line in the patch, from 1
	header    string // a line that stands before the block; "" for none
	lines     []chunkLine
	endOfFile bool // the block stands at the end of the file
}

// A chunkLine is one line of a chunk, without its terminator.
type chunkLine struct {
	mark lineMark
	text string
}

// A lineMark says what becomes of a line.
type lineMark byte

// The marks, as they are written.
const (
	kept    lineMark = ' '
	removed lineMark = '-'
	added   lineMark = '+'
)

// The markers of the format.
const (
	beginPatch  = "*** Begin Patch"
	endPatch    = "*** End Patch"
	environment = "*** Environment ID:"
	addFile     = "*** Add File:"
	deleteFile  = "*** Delete File:"
	updateFile  = "*** Update File:"
	moveTo      = "*** Move to:"
	endOfFile   = "*** End of File"
	chunkMark   = "@@"
)

// ParsePatch parses patch. Errors name its line, from 1, or are
// text.ErrNotUTF8.
func ParsePatch(patch string) (*Patch, error) {
	if !utf8.ValidString(patch) {
		return nil, fmt.Errorf("patch: %w", text.ErrNotUTF8)
	}
	lines, first := patchLines(patch)
	p := patchParser{lines: lines, first: first}
	if err := p.envelope(); err != nil {
		return nil, err
	}
	if err := p.environment(); err != nil {
		return nil, err
	}
	var sections []section
	for !p.done() {
		s, err := p.section()
		if err != nil {
			return nil, err
		}
		sections = append(sections, s)
	}
	if len(sections) == 0 {
		return nil, p.errorf("the patch changes no file")
	}
	return &Patch{sections: sections}, nil
}

// patchLines returns the lines of patch without blank ones around it and
// without a shell's heredoc, and the number of the first one, from 1.
func patchLines(patch string) (lines []string, first int) {
	patch = strings.ReplaceAll(patch, "\r\n", "\n")
	body := strings.TrimSpace(strings.TrimPrefix(patch, byteOrderMark))
	start := strings.Index(patch, body)
	first = 1 + strings.Count(patch[:start], "\n")
	lines = strings.Split(body, "\n")
	n := len(lines)
	switch lines[0] {
	case "<<EOF", "<<'EOF'", `<<"EOF"`:
		if n > 2 && strings.HasSuffix(lines[n-1], "EOF") {
			return lines[1 : n-1], first + 1
		}
	}
	return lines, first
}

// A patchParser reads the lines of a patch from the first to the last.
type patchParser struct {
	lines []string
	first int // number of lines[0] in the patch
	pos   int
}

func (p *patchParser) done() bool { return p.pos == len(p.lines) }

// number returns the line number of what is read next.
func (p *patchParser) number() int { return p.first + p.pos }

func (p *patchParser) errorf(format string, args ...any) error {
	return fmt.Errorf("patch line %d: %s", p.number(), fmt.Sprintf(format, args...))
}

// envelope takes the first and the last line off.
func (p *patchParser) envelope() error {
	if strings.TrimSpace(p.lines[0]) != beginPatch {
		return p.errorf("the first line must be %q", beginPatch)
	}
	last := len(p.lines) - 1
	if last == 0 || strings.TrimSpace(p.lines[last]) != endPatch {
		p.pos = last
		return p.errorf("the last line must be %q", endPatch)
	}
	p.lines, p.pos = p.lines[:last], 1
	return nil
}

// environment skips the line that names one; here there is only one.
func (p *patchParser) environment() error {
	if p.done() {
		return nil
	}
	id, ok := after(p.lines[p.pos], environment)
	if !ok {
		return nil
	}
	if id == "" {
		return p.errorf("the environment ID is empty")
	}
	p.pos++
	return nil
}

// after returns what follows a marker on a line, padding removed.
func after(line, marker string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(strings.TrimSpace(line), marker)
	return strings.TrimSpace(rest), ok
}

func (p *patchParser) section() (section, error) {
	line := p.lines[p.pos]
	for _, h := range []struct {
		marker string
		op     Op
		body   func(*section) error
	}{
		{addFile, Create, p.addBody},
		{deleteFile, Delete, func(*section) error { return nil }},
		{updateFile, Modify, p.updateBody},
	} {
		name, ok := after(line, h.marker)
		if !ok {
			continue
		}
		if name == "" {
			return section{}, p.errorf("%q names no file", h.marker)
		}
		s := section{line: p.number(), op: h.op, name: name}
		p.pos++
		return s, h.body(&s)
	}
	return section{}, p.errorf("%q is not the header of a file: %q, %q or %q", line, addFile, deleteFile, updateFile)
}

// addBody reads the lines of a new file, up to the next header.
func (p *patchParser) addBody(s *section) error {
	var content strings.Builder
	for !p.done() {
		line := p.lines[p.pos]
		if strings.HasPrefix(strings.TrimSpace(line), "***") {
			break
		}
		added, ok := strings.CutPrefix(line, "+")
		if !ok {
			return p.errorf("every line of an added file begins with %q, not %q", "+", line)
		}
		content.WriteString(added + "\n")
		p.pos++
	}
	s.added = content.String()
	return nil
}

// updateBody reads where a file moves and its chunks.
func (p *patchParser) updateBody(s *section) error {
	if !p.done() {
		if to, ok := after(p.lines[p.pos], moveTo); ok {
			if to == "" {
				return p.errorf("%q names no file", moveTo)
			}
			s.moveTo = to
			p.pos++
		}
	}
	for !p.done() && !strings.HasPrefix(p.lines[p.pos], "***") {
		if strings.TrimSpace(p.lines[p.pos]) == "" && len(s.chunks) > 0 {
			p.pos++
			continue
		}
		c, err := p.chunk(len(s.chunks))
		if err != nil {
			return err
		}
		s.chunks = append(s.chunks, c)
	}
	if len(s.chunks) == 0 {
		return fmt.Errorf("patch line %d: the update of %s has no change", s.line, s.name)
	}
	return nil
}

// chunk reads one chunk; before counts those of the section so far. Only the
// first one may omit its mark.
func (p *patchParser) chunk(before int) (chunk, error) {
	c := chunk{line: p.number()}
	header, marked, err := p.chunkHeader()
	if err != nil {
		return c, err
	}
	if !marked && before > 0 {
		return c, p.errorf("%q was expected, not %q", chunkMark, p.lines[p.pos])
	}
	c.header = header
	if marked {
		p.pos++
	}
	start := p.pos
	for !p.done() && !p.atMark() {
		if err := p.chunkLine(&c); err != nil {
			return c, err
		}
	}
	if p.pos == start {
		return c, fmt.Errorf("patch line %d: a chunk without lines", c.line)
	}
	if !p.done() && strings.TrimRight(p.lines[p.pos], " \t") == endOfFile {
		c.endOfFile = true
		p.pos++
	}
	return c, nil
}

// chunkHeader reads the line of context that a chunk's mark may carry.
func (p *patchParser) chunkHeader() (header string, marked bool, err error) {
	rest, marked := strings.CutPrefix(p.lines[p.pos], chunkMark)
	if !marked || strings.TrimSpace(rest) == "" {
		return "", marked, nil
	}
	header, ok := strings.CutPrefix(rest, " ")
	if !ok {
		return "", true, p.errorf("a space must follow %q in %q", chunkMark, p.lines[p.pos])
	}
	return header, true, nil
}

// atMark reports whether the next line ends a chunk.
func (p *patchParser) atMark() bool {
	line := p.lines[p.pos]
	return strings.HasPrefix(line, chunkMark) || strings.HasPrefix(line, "***")
}

// chunkLine reads one line of a chunk. An empty line is an empty line of
// context.
func (p *patchParser) chunkLine(c *chunk) error {
	line := p.lines[p.pos]
	l := chunkLine{mark: kept}
	if line != "" {
		l = chunkLine{mark: lineMark(line[0]), text: line[1:]}
	}
	switch l.mark {
	case kept, removed, added:
	default:
		return p.errorf("a line of an update begins with a space, %q or %q, not %q", "+", "-", line)
	}
	c.lines = append(c.lines, l)
	p.pos++
	return nil
}
