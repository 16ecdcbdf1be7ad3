package sandbox

import (
	"io"
	"strings"
)

// A live gives output to somebody who watches while it comes. It holds back
// what may be the beginning of something else: of a character, of an escape
// sequence, of a path that has another name. It is used by one goroutine.
type live struct {
	to    io.Writer // nil once it refused a write: nobody watches any more
	raw   string    // held back as it came
	named string    // held back without control sequences
	names renaming
}

func (l *live) write(s string) {
	s = l.raw + s
	var b strings.Builder
	for len(s) > 0 {
		t := firstToken(s)
		if t.open {
			break
		}
		b.WriteString(t.text)
		s = s[t.size:]
	}
	l.raw = s
	l.show(b.String())
}

// flush gives out what was held back as it came: nothing follows that could
// change it.
func (l *live) flush() {
	raw := l.raw
	l.raw = ""
	l.show(plain(raw))
}

// show gives out text that is plain, but for an end that may be that of a path.
func (l *live) show(text string) {
	text, l.named = l.names.scan(l.named + text)
	l.give(text)
}

func (l *live) end() { l.give(l.named) }

func (l *live) give(text string) {
	if l.to == nil || text == "" {
		return
	}
	if _, err := io.WriteString(l.to, text); err != nil {
		l.to = nil // whoever it was knows; the command goes on
	}
}

// A renaming gives the folders of a copy their names in the workspace.
type renaming []renamed

type renamed struct{ from, to string }

// in returns text with the new names.
func (r renaming) in(text string) string {
	text, open := r.scan(text)
	return text + open
}

// scan returns text with the new names, and apart what of its end may be the
// beginning of an old one.
func (r renaming) scan(text string) (done, open string) {
	var b strings.Builder
	for {
		at, next := len(text), renamed{}
		for _, n := range r {
			if i := strings.Index(text, n.from); i >= 0 && i < at {
				at, next = i, n
			}
		}
		if at == len(text) {
			break
		}
		b.WriteString(text[:at])
		b.WriteString(next.to)
		text = text[at+len(next.from):]
	}
	at := len(text) - r.begun(text)
	b.WriteString(text[:at])
	return b.String(), text[at:]
}

// begun returns how much of text's end may be the beginning of an old name.
func (r renaming) begun(text string) int {
	longest := 0
	for _, n := range r {
		for size := min(len(n.from)-1, len(text)); size > longest; size-- {
			if strings.HasSuffix(text, n.from[:size]) {
				longest = size
			}
		}
	}
	return longest
}
