package edits

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/agentls/agentls/edits/text"
)

// Replace returns content with old, which must stand in exactly one place,
// replaced by added. Where it stands nowhere exactly, whole lines are sought as
// a patch's are: without trailing space, without indentation, with typographic
// characters folded. New lines end as the file's do. content is not changed.
//
// The error is ErrMisfit, and names the lines where old stands or those most
// like it; ErrNoChange where old and added are the same or old is empty; or
// text.ErrBinary or text.ErrNotUTF8.
func Replace(content []byte, old, added string) ([]byte, error) {
	if old == "" || old == added {
		return nil, fmt.Errorf("replace %q: %w", abbreviated(old), ErrNoChange)
	}
	for _, part := range [][]byte{content, []byte(added)} {
		if err := text.Check(part); err != nil {
			return nil, err
		}
	}
	if newPatchedLines(content).newline == "\r\n" && !strings.Contains(old, "\r") {
		old, added = strings.ReplaceAll(old, "\n", "\r\n"), strings.ReplaceAll(added, "\n", "\r\n")
	}
	switch bytes.Count(content, []byte(old)) {
	case 0:
		return replaceLines(content, old, added)
	case 1:
		return bytes.Replace(content, []byte(old), []byte(added), 1), nil
	}
	return nil, fmt.Errorf("the text to replace %w", &ambiguousError{lines: linesOf(content, old), exact: true})
}

// linesOf returns the lines, from 1, that old begins in.
func linesOf(content []byte, old string) (lines []int) {
	for at := 0; ; {
		next := bytes.Index(content[at:], []byte(old))
		if next < 0 {
			return lines
		}
		at += next
		lines = append(lines, 1+bytes.Count(content[:at], []byte("\n")))
		at += len(old)
	}
}

// replaceLines is Replace by whole lines, found more leniently.
func replaceLines(content []byte, old, replacement string) ([]byte, error) {
	c := &chunk{}
	for line := range strings.Lines(old) {
		c.lines = append(c.lines, chunkLine{mark: removed, text: strings.TrimRight(line, "\r\n")})
	}
	for line := range strings.Lines(replacement) {
		c.lines = append(c.lines, chunkLine{mark: added, text: strings.TrimRight(line, "\r\n")})
	}
	lines := newPatchedLines(content)
	m := &matcher{lines: lines.texts}
	at, err := m.find(c.old())
	if errors.Is(err, errNotFound) {
		return nil, m.misfit("failed to find the text to replace:\n"+strings.TrimRight(old, "\r\n"), c.old())
	}
	if err != nil {
		return nil, fmt.Errorf("the text to replace %w", err)
	}
	lines.replace(at, c.lines)
	return lines.bytes(), nil
}
