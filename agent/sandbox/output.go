package sandbox

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A recorder keeps the beginning and the end of what is written to it. It
// never refuses a write: a command must not block on its output. It is used by
// one goroutine.
type recorder struct {
	head []byte // until it is full
	tail []byte // then the last bytes, as a ring
	next int    // where the ring goes on
	half int    // capacity of each
	all  int64  // bytes written
}

// newRecorder keeps limit bytes; 0 keeps all.
func newRecorder(limit int) *recorder { return &recorder{half: limit / 2} }

func (r *recorder) Write(p []byte) (int, error) {
	written := len(p)
	r.all += int64(written)
	if r.half == 0 {
		r.head = append(r.head, p...)
		return written, nil
	}
	n := min(len(p), r.half-len(r.head))
	r.head, p = append(r.head, p[:n]...), p[n:]
	if len(p) > r.half {
		p = p[len(p)-r.half:]
	}
	for len(p) > 0 {
		n := r.ring(p)
		p = p[n:]
	}
	return written, nil
}

// ring puts what fits before the ring's end, and returns how much that was.
func (r *recorder) ring(p []byte) int {
	if len(r.tail) < r.half {
		n := min(len(p), r.half-len(r.tail))
		r.tail = append(r.tail, p[:n]...)
		return n
	}
	n := copy(r.tail[r.next:], p)
	r.next = (r.next + n) % r.half
	return n
}

// cut returns how many bytes were left out.
func (r *recorder) cut() int64 { return r.all - int64(len(r.head)) - int64(len(r.tail)) }

// text returns what was kept, with a line where something was left out.
func (r *recorder) text() string {
	tail := string(r.tail[r.next:]) + string(r.tail[:r.next])
	if r.cut() == 0 {
		return plain(string(r.head) + tail)
	}
	return plain(string(r.head)) + fmt.Sprintf("\n[%d bytes of output left out]\n", r.cut()) + plain(tail)
}

// plain returns s as valid UTF-8 without what a terminal obeys: escape
// sequences go, other control characters too, and a carriage return begins a
// line. A command's output is shown to people and to models, and is a
// stranger's.
func plain(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\x1b' || r == '\u009b' || r == '\u009d' || r == '\u0090':
			i += escapeLength(s[i:], r, size)
			continue
		case r == '\r':
			if i+1 >= len(s) || s[i+1] != '\n' {
				b.WriteByte('\n')
			}
		case r == '\n' || r == '\t' || r >= ' ' && r != 0x7f && !isHidden(r):
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

func isPlain(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || r < ' ' && r != '\n' && r != '\t' || r == 0x7f || isHidden(r) {
			return false
		}
	}
	return true
}

// isHidden reports whether r is a control of the second block, or turns the
// direction of the text around so that it reads as something else.
func isHidden(r rune) bool {
	return r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// escapeLength returns how long the escape sequence is that s begins with: its
// introducer r has size bytes. One that never ends is only its introducer.
// (ECMA-48, 5.4 and 8.3)
func escapeLength(s string, r rune, size int) int {
	kind := byte('[')
	switch r {
	case '\x1b':
		if len(s) < 2 {
			return 1
		}
		kind, size = s[1], 2
	case '\u009d', '\u0090':
		kind = ']'
	}
	switch kind {
	case '[':
		for i := size; i < len(s); i++ {
			if s[i] < ' ' || s[i] >= 0x7f {
				return size
			}
			if s[i] >= '@' {
				return i + 1
			}
		}
	case ']', 'P', 'X', '^', '_':
		if end := stringEnd(s[size:]); end >= 0 {
			return size + end
		}
	default:
		if kind < ' ' || kind >= 0x7f {
			return 1
		}
	}
	return size
}

// maxEscape bounds how much a sequence may hide, in bytes.
const maxEscape = 4 << 10

// stringEnd returns where the text of a control string ends, behind its
// terminator; -1 if it does not.
func stringEnd(s string) int {
	s = s[:min(len(s), maxEscape)]
	for i := range len(s) {
		switch {
		case s[i] == '\a':
			return i + 1
		case strings.HasPrefix(s[i:], "\x1b\\"), strings.HasPrefix(s[i:], "\u009c"):
			return i + 2
		}
	}
	return -1
}
