package lsp

import (
	"testing"

	"github.com/agentls/agentls/edits/text"
)

// TestAwayFromEnd: an edit that reaches the end of the text is replaced by one
// that does not, with the same result.
func TestAwayFromEnd(t *testing.T) {
	span := func(start, end int) text.Span { return text.Span{Start: start, End: end} }
	for name, c := range map[string]struct {
		src  string
		edit text.Edit
		want text.Edit
	}{
		"append a line":      {"a\nb\n", text.Edit{Span: span(4, 4), New: "c\n"}, text.Edit{Span: span(3, 3), New: "\nc"}},
		"append, CRLF":       {"a\r\n", text.Edit{Span: span(3, 3), New: "c\r\n"}, text.Edit{Span: span(1, 1), New: "\r\nc"}},
		"the last line":      {"a\nb\n", text.Edit{Span: span(2, 4), New: "c\n"}, text.Edit{Span: span(1, 3), New: "\nc"}},
		"remove the last":    {"a\nb\n", text.Edit{Span: span(2, 4)}, text.Edit{Span: span(1, 3)}},
		"in the middle":      {"a\nb\n", text.Edit{Span: span(0, 2), New: "c\n"}, text.Edit{Span: span(0, 2), New: "c\n"}},
		"all there is":       {"a\n", text.Edit{Span: span(0, 2), New: "c\n"}, text.Edit{Span: span(0, 2), New: "c\n"}},
		"no ending any more": {"a\nb\n", text.Edit{Span: span(2, 4), New: "c"}, text.Edit{Span: span(2, 4), New: "c"}},
		"no ending before":   {"a\nb", text.Edit{Span: span(3, 3), New: "c\n"}, text.Edit{Span: span(3, 3), New: "c\n"}},
		"an ending gained":   {"a\nb", text.Edit{Span: span(2, 3), New: "c\n"}, text.Edit{Span: span(2, 3), New: "c\n"}},
		"an empty text":      {"", text.Edit{New: "c\n"}, text.Edit{New: "c\n"}},
	} {
		got := awayFromEnd([]byte(c.src), c.edit)
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		before, err1 := text.Apply([]byte(c.src), []text.Edit{c.edit})
		after, err2 := text.Apply([]byte(c.src), []text.Edit{got})
		if string(before) != string(after) || err1 != nil || err2 != nil {
			t.Errorf("%s: the result is %q, want %q", name, after, before)
		}
	}
}
