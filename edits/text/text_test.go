package text_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/agentls/agentls/edits/text"
)

func TestApply(t *testing.T) {
	for name, c := range map[string]struct {
		edits []text.Edit
		want  string
	}{
		"none":                {nil, "hello world"},
		"replace":             {[]text.Edit{{Span: text.Span{Start: 0, End: 5}, New: "goodbye"}}, "goodbye world"},
		"any order":           {[]text.Edit{{Span: text.Span{Start: 6, End: 11}, New: "you"}, {Span: text.Span{Start: 0, End: 5}, New: "hi"}}, "hi you"},
		"two at one place":    {[]text.Edit{{Span: text.Span{Start: 5, End: 5}, New: ","}, {Span: text.Span{Start: 5, End: 5}, New: " dear"}}, "hello, dear world"},
		"delete all":          {[]text.Edit{{Span: text.Span{Start: 0, End: 11}}}, ""},
		"insert, then remove": {[]text.Edit{{Span: text.Span{Start: 6, End: 6}, New: "my "}, {Span: text.Span{Start: 6, End: 11}, New: "friend"}}, "hello my friend"},
	} {
		got, err := text.Apply([]byte("hello world"), c.edits)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
	}
}

func TestApplyRefuses(t *testing.T) {
	for name, edits := range map[string][]text.Edit{
		"overlap":  {{Span: text.Span{Start: 0, End: 5}}, {Span: text.Span{Start: 4, End: 6}}},
		"outside":  {{Span: text.Span{Start: 4, End: 99}}},
		"negative": {{Span: text.Span{Start: -1, End: 2}}},
		"reversed": {{Span: text.Span{Start: 4, End: 2}}},
	} {
		if _, err := text.Apply([]byte("hello"), edits); !errors.Is(err, text.ErrOverlap) {
			t.Errorf("%s: %v, want ErrOverlap", name, err)
		}
	}
}

func TestHash(t *testing.T) {
	for _, h := range []text.Hash{{}, text.HashOf(nil), text.HashOf([]byte("x"))} {
		out, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		var back text.Hash
		if err := json.Unmarshal(out, &back); err != nil || back != h {
			t.Errorf("%s came back as %v, %v", out, back, err)
		}
	}
	if !(text.Hash{}).IsZero() || text.HashOf(nil).IsZero() {
		t.Error("an empty file exists, a missing one does not")
	}
	var h text.Hash
	if err := h.UnmarshalText([]byte("abc")); err == nil {
		t.Error("a short hash was accepted")
	}
}

func TestCheck(t *testing.T) {
	for in, want := range map[string]error{"": nil, "grün": nil, "a\x00b": text.ErrBinary, "\xff\xfe": text.ErrNotUTF8} {
		if err := text.Check([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
}

func TestSpan(t *testing.T) {
	s := text.Span{Start: 2, End: 4}
	if !s.Contains(2) || !s.Contains(4) || s.Contains(5) || s.Contains(1) {
		t.Error("Contains: want 2 to 4")
	}
	if !s.Touches(text.Span{Start: 4, End: 4}) || s.Touches(text.Span{Start: 5, End: 6}) {
		t.Error("Touches: a border counts, a gap does not")
	}
}
