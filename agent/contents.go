package agent

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

// A Body is a content as a transcript keeps it: whole; or, where Sum says so, as
// the edits that make it of another one, so that a long run does not keep a file
// again each time it changes a line of it.
type Body struct {
	Content []byte      `json:"content,omitempty"`
	Of      string      `json:"of,omitempty"`    // the path whose last content in the transcript Edits are of
	Edits   []text.Edit `json:"edits,omitempty"` // counted in that
	Sum     *text.Hash  `json:"sum,omitempty"`   // of what Edits make
}

// errUnlike is in the error of a Body that cannot be what was kept.
var errUnlike = errors.New("the transcript is damaged")

// editOverhead is about what an edit costs in a transcript, beside its text.
const editOverhead = 60 // bytes

// contents are those that a transcript tells, the last one of each path. What
// writes it and what reads it keep the same.
type contents map[string][]byte

// tell returns content, which path has from now on, by the last one of path; or
// by that of from, if that is all there is.
func (c contents) tell(path, from string, content []byte) Body {
	of := path
	was, known := c[of]
	if !known {
		of = from
		was, known = c[of]
	}
	c[path] = content
	if !known {
		return Body{Content: content}
	}
	made, ok := differences(path, was, content)
	if !ok {
		return Body{Content: content}
	}
	sum := text.HashOf(content)
	return Body{Of: of, Edits: made, Sum: &sum}
}

// read returns the content that b tells, which path has from now on.
func (c contents) read(path string, b *Body) ([]byte, error) {
	if b.Sum == nil {
		c[path] = b.Content
		return b.Content, nil
	}
	was, known := c[b.Of]
	if !known {
		return nil, fmt.Errorf("%s is told by a content of %q that is not there: %w", path, b.Of, errUnlike)
	}
	content, err := text.Apply(was, b.Edits)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w: %w", path, errUnlike, err)
	case text.HashOf(content) != *b.Sum:
		return nil, fmt.Errorf("%s is not what it was: %w", path, errUnlike)
	}
	c[path] = content
	return content, nil
}

// differences returns the edits that make after of before, if both are text and
// the edits are less than after.
func differences(path string, before, after []byte) (made []text.Edit, ok bool) {
	f, err := edits.NewModify(path, before, after)
	if err != nil {
		return nil, errors.Is(err, edits.ErrNoChange)
	}
	size := 0
	for i := range f.Hunks {
		e := trimmed(before, f.Hunks[i].Edit)
		made = append(made, e)
		size += len(e.New) + editOverhead
	}
	return made, size < len(after)
}

// trimmed returns e, which is of whole lines, without what it leaves as it is at
// both ends.
func trimmed(before []byte, e text.Edit) text.Edit {
	old := string(before[e.Span.Start:e.Span.End])
	head := 0
	for head < min(len(old), len(e.New)) && old[head] == e.New[head] {
		head++
	}
	for head > 0 && !startsRune(e.New, head) {
		head--
	}
	tail := 0
	for tail < min(len(old), len(e.New))-head && old[len(old)-1-tail] == e.New[len(e.New)-1-tail] {
		tail++
	}
	for tail > 0 && !startsRune(e.New, len(e.New)-tail) {
		tail--
	}
	e.Span = text.Span{Start: e.Span.Start + head, End: e.Span.End - tail}
	e.New = e.New[head : len(e.New)-tail]
	return e
}

// startsRune reports whether no character of s goes across offset i.
func startsRune(s string, i int) bool { return i == len(s) || utf8.RuneStart(s[i]) }
