package edits_test

import (
	"testing"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

func TestChangedWords(t *testing.T) {
	for _, c := range []struct{ before, after, old, added string }{
		{"return a + b", "return a - b", "return a «+» b", "return a «-» b"},
		{"func f(a int) {", "func f(a, b int) {", "func f(a int) {", "func f(a«, b» int) {"},
		{"größe := 1", "größe_2 := 1", "«größe» := 1", "«größe_2» := 1"},
		{"all new", "nothing like it", "all new", "nothing like it"},
		{"same", "same", "same", "same"},
		{"", "x", "", "x"},
	} {
		old, added := edits.ChangedWords(c.before, c.after)
		if got := marked(c.before, old); got != c.old {
			t.Errorf("%q to %q: before %q", c.before, c.after, got)
		}
		if got := marked(c.after, added); got != c.added {
			t.Errorf("%q to %q: after %q", c.before, c.after, got)
		}
	}
}

// marked shows spans of s.
func marked(s string, spans []text.Span) (out string) {
	at := 0
	for _, span := range spans {
		out += s[at:span.Start] + "«" + s[span.Start:span.End] + "»"
		at = span.End
	}
	return out + s[at:]
}
