package main

import (
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

// stats says, a line per file, what happens to it and how many lines come and
// go.
func (p palette) stats(cs *edits.ChangeSet, rel func(string) string) string {
	var b strings.Builder
	for i := range cs.Files {
		f := &cs.Files[i]
		name := plain(rel(f.Path))
		if f.Op == edits.Rename {
			name += " → " + plain(rel(f.To))
		}
		added, removed := f.Lines()
		what := string(f.Op)
		if f.ChangesMode() {
			what = fmt.Sprintf("mode %o → %o", f.Was.Perm(), f.Mode.Perm())
		}
		fmt.Fprintf(&b, "%s %s  %s %s\n", p.bold(name), p.dim(what), p.green(fmt.Sprintf("+%d", added)), p.red(fmt.Sprintf("-%d", removed)))
	}
	return b.String()
}

// pairs returns the lines of a diff that were taken out and put in, in turn, for
// runs of as many of both: those are changed lines.
func pairs(lines []string) map[int]int {
	out := map[int]int{}
	for i := 0; i < len(lines); {
		gone := run(lines[i:], '-')
		come := run(lines[i+gone:], '+')
		if gone == come {
			for k := range gone {
				out[i+k], out[i+gone+k] = i+gone+k, i+k
			}
		}
		i += max(1, gone+come)
	}
	return out
}

// run returns how many lines at the beginning have a mark, headers aside.
func run(lines []string, mark byte) (n int) {
	header := strings.Repeat(string(mark), 3) + " "
	for n < len(lines) && lines[n] != "" && lines[n][0] == mark && !strings.HasPrefix(lines[n], header) {
		n++
	}
	return n
}

// reversed shows spans of s in reverse, and s in a colour.
func (p palette) reversed(code, s string, spans []text.Span) string {
	if !p.on {
		return s
	}
	var b strings.Builder
	at := 0
	for _, span := range spans {
		b.WriteString(s[at:span.Start] + "\x1b[7m" + s[span.Start:span.End] + "\x1b[27m")
		at = span.End
	}
	return p.paint(code, b.String()+s[at:])
}

// words colours the changed lines of a diff, with the words that differ in
// reverse; it returns those lines by their index.
func (p palette) words(lines []string) map[int]string {
	out := map[int]string{}
	for i, other := range pairs(lines) {
		if i > other {
			continue
		}
		old, added := edits.ChangedWords(lines[i][1:], lines[other][1:])
		out[i] = p.paint("31", "-") + p.reversed("31", lines[i][1:], old)
		out[other] = p.paint("32", "+") + p.reversed("32", lines[other][1:], added)
	}
	return out
}

// terminalWidth returns the columns of the terminal, or those of a wide page.
func terminalWidth() int {
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && width >= 40 {
		return width
	}
	return 160
}

// sideBySide shows a unified diff in two columns, old and new.
func (p palette) sideBySide(diff string, width int) string {
	lines := strings.Split(strings.TrimSuffix(plain(strings.ReplaceAll(diff, "\r\n", "\n")), "\n"), "\n")
	column := (width - 3) / 2
	var b strings.Builder
	row := func(left, right, leftColor, rightColor string) {
		b.WriteString(strings.TrimRight(p.paint(leftColor, fitted(left, column))+" │ "+p.paint(rightColor, strings.TrimRight(fitted(right, column), " ")), " ") + "\n")
	}
	for i := 0; i < len(lines); {
		gone := run(lines[i:], '-')
		come := run(lines[i+gone:], '+')
		for k := range max(gone, come) {
			left, right := "", ""
			if k < gone {
				left = lines[i+k][1:]
			}
			if k < come {
				right = lines[i+gone+k][1:]
			}
			row(left, right, "31", "32")
		}
		i += gone + come
		if gone+come > 0 || i >= len(lines) {
			continue
		}
		switch line := lines[i]; {
		case strings.HasPrefix(line, " "):
			row(line[1:], line[1:], "0", "0")
		case strings.HasPrefix(line, "@@"):
			b.WriteString(p.cyan(line) + "\n")
		case strings.HasPrefix(line, `\`):
			b.WriteString(p.dim(line) + "\n")
		default:
			b.WriteString(p.bold(line) + "\n")
		}
		i++
	}
	return b.String()
}

// fitted returns line with tabs as blanks, cut or filled to a width in
// characters.
func fitted(line string, width int) string {
	line = strings.ReplaceAll(line, "\t", "    ")
	n := utf8.RuneCountInString(line)
	if n <= width {
		return line + strings.Repeat(" ", width-n)
	}
	return string([]rune(line)[:width-1]) + "…"
}
