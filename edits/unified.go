package edits

import (
	"fmt"
	"strings"
)

// unifiedContext is how many lines a unified diff shows around a change.
const unifiedContext = 3

// Unified returns the pending hunks of cs as a unified diff with git's
// headers, which `git apply` takes. rel gives the name that a path has in it,
// with slashes.
func (cs *ChangeSet) Unified(rel func(path string) string) string {
	var b strings.Builder
	pending := cs.Select(func(*FileChange, *Hunk) bool { return true })
	for i := range pending.Files {
		pending.Files[i].unified(&b, rel)
	}
	return b.String()
}

// unified writes f, all of whose hunks are pending.
func (f *FileChange) unified(b *strings.Builder, rel func(string) string) {
	from, to := rel(f.Path), rel(f.Target())
	before, after := quoted("a/", from), quoted("b/", to)
	fmt.Fprintf(b, "diff --git %s %s\n", before, after)
	hunks := f.Hunks
	mode := f.Mode.Perm()
	switch f.Op {
	case Create:
		if mode == 0 {
			mode = 0o644
		}
		fmt.Fprintf(b, "new file mode 100%03o\n", gitMode(uint32(mode)))
		before = "/dev/null"
	case Delete:
		fmt.Fprintf(b, "deleted file mode 100%03o\n", gitMode(uint32(f.Was.Perm())))
		after = "/dev/null"
	case Rename:
		fmt.Fprintf(b, "rename from %s\nrename to %s\n", quoted("", from), quoted("", to))
		hunks = hunks[1:]
	case Modify:
		was, is := gitMode(uint32(f.Was.Perm())), gitMode(uint32(mode))
		if mode != 0 && f.Was != 0 && was != is {
			fmt.Fprintf(b, "old mode 100%03o\nnew mode 100%03o\n", was, is)
		}
		if f.ChangesMode() {
			return
		}
	}
	lines := f.unifiedHunks(hunks)
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "--- %s\n+++ %s\n", tabbed(before), tabbed(after))
	for _, l := range lines {
		b.WriteString(l)
	}
}

// gitMode returns the mode git keeps for a file: executable or not.
func gitMode(perm uint32) uint32 {
	if perm&0o100 != 0 {
		return 0o755
	}
	return 0o644
}

// unifiedHunks returns the text of the hunks, those together that are close.
func (f *FileChange) unifiedHunks(hunks []Hunk) []string {
	lines := splitLines(f.Before)
	at := offsets(lines)
	lineOf := make(map[int]int, len(at))
	for i, offset := range at {
		lineOf[offset] = i
	}
	var out []string
	delta := 0 // lines that the result has more
	for len(hunks) > 0 {
		n := 1
		for n < len(hunks) && lineOf[hunks[n].Edit.Span.Start]-lineOf[hunks[n-1].Edit.Span.End] <= 2*unifiedContext {
			n++
		}
		body, grown := unifiedHunk(lines, lineOf, hunks[:n], delta)
		if body != "" {
			out = append(out, body)
		}
		hunks, delta = hunks[n:], delta+grown
	}
	return out
}

// unifiedHunk returns the text of hunks that share their context, and how many
// lines they add. The result is delta lines longer before them.
func unifiedHunk(lines []string, lineOf map[int]int, hunks []Hunk, delta int) (body string, grown int) {
	first := max(0, lineOf[hunks[0].Edit.Span.Start]-unifiedContext)
	end := min(len(lines), lineOf[hunks[len(hunks)-1].Edit.Span.End]+unifiedContext)
	var b strings.Builder
	put := func(mark string, lines []string) {
		for _, l := range lines {
			b.WriteString(mark + l)
			if !strings.HasSuffix(l, "\n") {
				b.WriteString("\n\\ No newline at end of file\n")
			}
		}
	}
	pos := first
	for _, h := range hunks {
		from, to := lineOf[h.Edit.Span.Start], lineOf[h.Edit.Span.End]
		added := splitLines([]byte(h.Edit.New))
		put(" ", lines[pos:from])
		put("-", lines[from:to])
		put("+", added)
		pos = to
		grown += len(added) - (to - from)
	}
	put(" ", lines[pos:end])
	if b.Len() == 0 {
		return "", 0 // an empty file is made or removed
	}
	count := end - first
	return fmt.Sprintf("@@ -%s +%s @@\n", lineRange(first, count), lineRange(first+delta, count+grown)) + b.String(), grown
}

// lineRange returns what stands in a hunk's header for count lines behind the
// first ones: an empty range names the line before it.
func lineRange(first, count int) string {
	switch count {
	case 0:
		return fmt.Sprintf("%d,0", first)
	case 1:
		return fmt.Sprintf("%d", first+1)
	}
	return fmt.Sprintf("%d,%d", first+1, count)
}

// quoted returns a name as git writes it in a header.
func quoted(side, name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f }) {
		return side + name
	}
	var b strings.Builder
	b.WriteString(`"` + side)
	for _, c := range []byte(name) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + `"`
}

// tabbed ends a name with a space in it by a tab, as git does.
func tabbed(name string) string {
	if strings.ContainsRune(name, ' ') && !strings.HasPrefix(name, `"`) {
		return name + "\t"
	}
	return name
}
