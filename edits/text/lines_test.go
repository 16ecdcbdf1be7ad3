package text_test

import (
	"testing"

	"github.com/agentls/agentls/edits/text"
)

func TestOffset(t *testing.T) {
	const src = "aé𝄞b\r\n\rlast"
	lines := text.NewLines([]byte(src))
	if lines.Count() != 3 {
		t.Fatalf("%d lines, want 3", lines.Count())
	}
	for name, c := range map[string]struct {
		at   text.Point
		enc  text.Encoding
		want int
		ok   bool
	}{
		"start":                    {text.Point{}, text.UTF16, 0, true},
		"behind é":                 {text.Point{Column: 2}, text.UTF16, 3, true},
		"behind 𝄞, UTF-16":         {text.Point{Column: 4}, text.UTF16, 7, true},
		"behind 𝄞, UTF-32":         {text.Point{Column: 3}, text.UTF32, 7, true},
		"behind 𝄞, UTF-8":          {text.Point{Column: 7}, text.UTF8, 7, true},
		"inside 𝄞":                 {text.Point{Column: 3}, text.UTF16, 3, true},
		"past the end":             {text.Point{Column: 99}, text.UTF16, 8, true},
		"empty line, lone CR":      {text.Point{Line: 1, Column: 4}, text.UTF16, 10, true},
		"last line":                {text.Point{Line: 2, Column: 4}, text.UTF16, 15, true},
		"a line that is not there": {text.Point{Line: 3}, text.UTF16, 15, false},
		"a negative line":          {text.Point{Line: -1}, text.UTF16, 0, false},
	} {
		if got, ok := lines.Offset(c.at, c.enc); got != c.want || ok != c.ok {
			t.Errorf("%s: %d, %t, want %d, %t", name, got, ok, c.want, c.ok)
		}
	}
}

func TestEmptyText(t *testing.T) {
	lines := text.NewLines(nil)
	if at := lines.Point(0, text.UTF16); lines.Count() != 1 || at != (text.Point{}) {
		t.Errorf("%d lines, %v, want one line at its start", lines.Count(), at)
	}
}

// FuzzLines: every offset at the start of a character, but those inside a line
// ending, comes back from its point.
func FuzzLines(f *testing.F) {
	for _, s := range []string{"", "a", "a\nb", "a\r\nb\r", "é𝄞\n", "\xff\n", "\r\r\n\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		lines := text.NewLines([]byte(src))
		for offset := range src {
			for _, enc := range []text.Encoding{text.UTF8, text.UTF16, text.UTF32} {
				p := lines.Point(offset, enc)
				if offset > lines.Line(p.Line).End {
					continue
				}
				if back, ok := lines.Offset(p, enc); !ok || back != offset {
					t.Fatalf("%q: offset %d is %v and comes back as %d, %t", src, offset, p, back, ok)
				}
			}
		}
	})
}
