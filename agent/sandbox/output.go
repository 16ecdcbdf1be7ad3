package sandbox

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A recorder keeps the beginning and the end of what is written to it. It
// never refuses a write: a command must not block on its output. It is used by
// one goroutine.
type recorder struct {
	head  []byte // until it is full
	tail  []byte // then the last bytes, as a ring
	next  int    // where the ring goes on
	half  int    // capacity of each; 0: the head has no end
	all   int64  // bytes written
	live  *live  // is told all of text, the head while it comes; nil: nobody watches
	names renaming
}

// newRecorder keeps limit bytes, or with 0 all, and gives what it keeps to
// stream as well, unless that is nil.
func newRecorder(limit int, names renaming, stream io.Writer) *recorder {
	r := &recorder{half: (limit + 1) / 2, names: names}
	if stream != nil {
		r.live = &live{to: stream, names: names}
	}
	return r
}

func (r *recorder) Write(p []byte) (int, error) {
	written := len(p)
	r.all += int64(written)
	n := len(p)
	if r.half > 0 {
		n = min(n, r.half-len(r.head))
	}
	if r.head = append(r.head, p[:n]...); r.live != nil {
		r.live.write(string(p[:n]))
	}
	if p = p[n:]; len(p) == 0 {
		return written, nil
	}
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
	if r.cut() == 0 {
		return r.names.in(plain(string(r.head) + r.last()))
	}
	return r.names.in(plain(string(r.head)) + r.gap() + plain(r.last()))
}

// end tells whoever watches what is left of text.
func (r *recorder) end() {
	if r.live == nil {
		return
	}
	if r.cut() > 0 {
		r.live.flush()
		r.live.write(r.gap())
	}
	r.live.write(r.last())
	r.live.flush()
	r.live.end()
}

func (r *recorder) last() string { return string(r.tail[r.next:]) + string(r.tail[:r.next]) }

func (r *recorder) gap() string { return fmt.Sprintf("\n[%d bytes of output left out]\n", r.cut()) }

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
	for len(s) > 0 {
		t := firstToken(s)
		b.WriteString(t.text)
		s = s[t.size:]
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

// A token is a character of output, or an escape sequence.
type token struct {
	size int    // bytes
	text string // what stays of it
	open bool   // what follows may make it another token
}

// firstToken returns the token that s, which is not empty, begins with.
func firstToken(s string) token {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r == '\x1b' || r == '\u009b' || r == '\u009d' || r == '\u0090':
		return escape(s, r, size)
	case r == utf8.RuneError && size == 1:
		return token{size: 1, text: string(utf8.RuneError), open: !utf8.FullRuneInString(s)}
	case r == '\r' && strings.HasPrefix(s, "\r\n"):
		return token{size: 1}
	case r == '\r':
		return token{size: 1, text: "\n", open: len(s) == 1}
	case r == '\n' || r == '\t' || r >= ' ' && r != 0x7f && !isHidden(r):
		return token{size: size, text: s[:size]}
	}
	return token{size: size}
}

// maxEscape bounds how much a sequence may hide, in bytes.
const maxEscape = 4 << 10

// escape returns the escape sequence that s begins with: its introducer r has
// size bytes. One that never ends is only its introducer. (ECMA-48, 5.4 and
// 8.3; ECMA-35, 13.2)
func escape(s string, r rune, size int) token {
	kind := byte('[')
	switch r {
	case '\x1b':
		if len(s) < 2 {
			return token{size: 1, open: true}
		}
		kind, size = s[1], 2
	case '\u009d', '\u0090':
		kind = ']'
	}
	end, open := 0, false
	switch {
	case kind == '[':
		end, open = finalByte(s[size:], '@')
	case strings.IndexByte("]PX^_", kind) >= 0:
		end, open = stringEnd(s[size:])
	case kind >= ' ' && kind < '0': // such as that of a character set
		end, open = finalByte(s[size:], '0')
	case kind < ' ' || kind >= 0x7f:
		size = 1
	}
	return token{size: size + end, open: open}
}

// finalByte returns the length of the intermediate bytes that s begins with
// and of the final one, which is least or above it; 0 if there is none.
func finalByte(s string, least byte) (end int, open bool) {
	s = s[:min(len(s), maxEscape)]
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return 0, false
		}
		if s[i] >= least {
			return i + 1, false
		}
	}
	return 0, len(s) < maxEscape
}

// stringEnd returns where the text of a control string ends, behind the first
// of its terminators; 0 if it does not.
func stringEnd(s string) (end int, open bool) {
	s = s[:min(len(s), maxEscape)]
	for _, terminator := range []string{"\a", "\x1b\\", "\u009c"} {
		if at := strings.Index(s, terminator); at >= 0 {
			end = at + len(terminator)
			s = s[:at]
		}
	}
	return end, end == 0 && len(s) < maxEscape
}
