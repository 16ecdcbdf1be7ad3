package sandbox

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzOutput: whatever a command prints, and however it comes, what is kept is
// short, is text, and has nothing in it that a terminal obeys; and whoever
// watched saw the same.
func FuzzOutput(f *testing.F) {
	for _, seed := range []string{
		"", "plain\n", "a\r\nb\rc", "\x1b[31mred\x1b[0m", "\x1b]0;title\a", "\x1b]8;;http://x\x1b\\link", "\x1bP$q\x1b\\", "\x1b", "\x1b[", "\x1b[38;5",
		"\u009b31m", "\u009d0;x\u009c", "\xff\xfe", "a\x00b\x7f", "\u202eevil", strings.Repeat("x", 300), "\x1b]" + strings.Repeat("x", 5000),
		"\x1b[" + strings.Repeat("1", 5000) + "m", "a\x1b(Bb\x1b[m", "\x1b(", "at /a/copy/a/copy/a/x.go:1 and /a/copy/b, /a/cop", "\xe2\x82", "end\r",
	} {
		f.Add([]byte(seed), 64, 7)
	}
	f.Fuzz(func(t *testing.T, in []byte, limit, piece int) {
		limit = max(1, min(limit, 1<<16))
		piece = max(1, piece)
		var stream strings.Builder
		r := newRecorder(limit, renaming{{"/a/copy/a", "/work"}, {"/a/copy/b", "/b"}}, &stream)
		for rest := in; len(rest) > 0; rest = rest[min(piece, len(rest)):] {
			if n, err := r.Write(rest[:min(piece, len(rest))]); err != nil || n != min(piece, len(rest)) {
				t.Fatalf("wrote %d, %v", n, err)
			}
		}
		if want := max(0, int64(len(in)-limit-limit%2)); r.cut() != want {
			t.Errorf("cut %d of %d, want %d", r.cut(), len(in), want)
		}
		got := r.text()
		if r.end(); stream.String() != got {
			t.Errorf("the stream is\n%q, the text\n%q", stream.String(), got)
		}
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f || isHidden(r) }) {
			t.Errorf("not plain: %q", got)
		}
		if len(got) > 3*(limit+1)+100 { // what is no UTF-8 takes three bytes
			t.Errorf("%d bytes are kept, the limit is %d", len(got), limit)
		}
	})
}

// TestPlain: what is left of what terminals obey.
func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b[1;31mred\x1b(B\x1b[m":  "red", // tput sgr0
		"\x1b]0;title\adone":         "done",
		"50%\r100%\r\n":              "50%\n100%\n",
		"a\bb\x00\u202ec":            "abc",
		"\xffend\xe2\x82":            "\uFFFDend\uFFFD\uFFFD",
		"\x1b]8;;http://x\x1b\\link": "link",
	} {
		if got := plain(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
