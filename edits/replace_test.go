package edits_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

func TestReplace(t *testing.T) {
	for name, c := range map[string]struct{ content, old, added, want string }{
		"within a line":      {"a b c\n", "b", "B", "a B c\n"},
		"lines":              {"a\nb\nc\n", "a\nb\n", "x\n", "x\nc\n"},
		"no newline at end":  {"a\nb", "b", "B", "a\nB"},
		"CRLF":               {"a\r\nb\r\nc\r\n", "a\nb\n", "x\ny\n", "x\r\ny\r\nc\r\n"},
		"BOM":                {"\ufeffa\nb\n", "a\n", "A\n", "\ufeffA\nb\n"},
		"deleted":            {"a\nb\n", "a\n", "", "b\n"},
		"trailing space":     {"a  \nb\n", "a\nb\n", "x\n", "x\n"},
		"indentation":        {"\t\ta()\n\t\tb()\n", "a()\nb()\n", "\t\tc()\n", "\t\tc()\n"},
		"typography":         {"say “hi”\n", "say \"hi\"\n", "say hi\n", "say hi\n"},
		"later exact counts": {" b\nb\n", "\nb\n", "\nB\n", " b\nB\n"},
	} {
		got, err := edits.Replace([]byte(c.content), c.old, c.added)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestReplaceRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		content, old, added string
		want                error
		says                string
	}{
		"nowhere":            {"func add(a int) {\nx\n", "func add(a, b int) {\n", "y", edits.ErrMisfit, "from line 1 on:\nfunc add(a int) {"},
		"nothing like it":    {"x\n", "something else\n", "y", edits.ErrMisfit, "failed to find"},
		"twice":              {"a\nb\na\n", "a\n", "x\n", edits.ErrMisfit, "lines 1, 3"},
		"leniently twice":    {" a\nb\n  a\n", "\ta\n", "x\n", edits.ErrMisfit, "lines 1, 3"},
		"empty":              {"a", "", "x", edits.ErrNoChange, "replace"},
		"same":               {"a", "a", "a", edits.ErrNoChange, "replace"},
		"binary":             {"a\x00", "a", "b", text.ErrBinary, "binary"},
		"not UTF-8":          {"a", "a", "\xff", text.ErrNotUTF8, "UTF-8"},
		"more lines than is": {"a\n", "a\nb\nc\n", "x", edits.ErrMisfit, "failed to find"},
	} {
		_, err := edits.Replace([]byte(c.content), c.old, c.added)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMisfitNamesTheNearestLines: a patch that does not fit says what is like
// what it sought.
func TestMisfitNamesTheNearestLines(t *testing.T) {
	_, err := patched(t, update("@@", "-func add(a, b int) int {", "-\treturn a+b", "+x"), files{"/w/f": "x\n\nfunc add(a, b int64) int64 {\n\treturn a + b\n}\n"})
	if !errors.Is(err, edits.ErrMisfit) || !strings.Contains(err.Error(), "from line 3 on:\nfunc add(a, b int64) int64 {\n\treturn a + b") {
		t.Errorf("%v", err)
	}
}
