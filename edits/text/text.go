// Package text holds the vocabulary every other package counts in: byte
// spans, content hashes, lines, and edits of one text.
//
// Invariant: offsets are bytes. Code units of another encoding exist only in
// a [Point], on their way from or to a client.
package text

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// A Span is a half-open range of bytes, [Start, End).
type Span struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// Len returns the number of bytes in s.
func (s Span) Len() int { return s.End - s.Start }

// Contains reports whether offset lies in s. An offset at the end of s counts:
// a cursor behind the last letter of a name is still on that name.
func (s Span) Contains(offset int) bool { return s.Start <= offset && offset <= s.End }

// Encloses reports whether other lies wholly in s.
func (s Span) Encloses(other Span) bool { return s.Start <= other.Start && other.End <= s.End }

// Touches reports whether s and other share a byte or a border.
func (s Span) Touches(other Span) bool { return s.Start <= other.End && other.Start <= s.End }

// Shift returns s moved by delta bytes.
func (s Span) Shift(delta int) Span { return Span{s.Start + delta, s.End + delta} }

// A Hash is the SHA-256 of a file's content. The zero Hash means that there is
// no such file.
type Hash [sha256.Size]byte

// HashOf returns the hash of content, which may be empty but exists.
func HashOf(content []byte) Hash { return sha256.Sum256(content) }

// IsZero reports whether h stands for a file that does not exist.
func (h Hash) IsZero() bool { return h == Hash{} }

// String returns h in hexadecimal, or "none".
func (h Hash) String() string {
	if h.IsZero() {
		return "none"
	}
	return hex.EncodeToString(h[:])
}

// MarshalText encodes h as String does.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText decodes what MarshalText wrote.
func (h *Hash) UnmarshalText(in []byte) error {
	*h = Hash{}
	if string(in) == "none" {
		return nil
	}
	if hex.DecodedLen(len(in)) != len(h) {
		return fmt.Errorf("content hash of %d digits, want %d", len(in), 2*len(h))
	}
	_, err := hex.Decode(h[:], in)
	return err
}

// What makes a file's content unfit for editing as text.
var (
	ErrBinary  = errors.New("binary file")
	ErrNotUTF8 = errors.New("not UTF-8")
)

// Check returns ErrBinary for content with a NUL byte in its first 8 KiB,
// which is git's rule, and ErrNotUTF8 for content that is not valid UTF-8.
func Check(content []byte) error {
	if bytes.IndexByte(content[:min(len(content), 8<<10)], 0) >= 0 {
		return ErrBinary
	}
	if !utf8.Valid(content) {
		return ErrNotUTF8
	}
	return nil
}

// An Edit replaces the bytes of Span by New.
type Edit struct {
	Span Span   `json:"span"`
	New  string `json:"new"`
}

// Delta returns by how many bytes e makes its text longer.
func (e Edit) Delta() int { return len(e.New) - e.Span.Len() }

// ErrOverlap is returned by Apply for edits that overlap or lie outside.
var ErrOverlap = errors.New("edits overlap or lie outside the text")

// Apply returns src with edits made, all of them counted in src. Edits may
// come in any order; two insertions at one place keep theirs. src is not
// changed. The error is ErrOverlap.
func Apply(src []byte, edits []Edit) ([]byte, error) {
	sorted := slices.Clone(edits)
	slices.SortStableFunc(sorted, func(a, b Edit) int { return a.Span.Start - b.Span.Start })
	out := make([]byte, 0, len(src)+growth(edits))
	pos := 0
	for _, e := range sorted {
		if e.Span.Start < pos || e.Span.End < e.Span.Start || e.Span.End > len(src) {
			return nil, fmt.Errorf("edit of bytes %d to %d: %w", e.Span.Start, e.Span.End, ErrOverlap)
		}
		out = append(out, src[pos:e.Span.Start]...)
		out = append(out, e.New...)
		pos = e.Span.End
	}
	return append(out, src[pos:]...), nil
}

func growth(edits []Edit) int {
	n := 0
	for _, e := range edits {
		n += max(0, e.Delta())
	}
	return n
}
