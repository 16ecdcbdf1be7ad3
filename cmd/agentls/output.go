package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/agentls/agentls/edits"
)

// printJSON prints v for programs.
func printJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// A palette colours text on a terminal, and leaves it plain elsewhere.
type palette struct{ on bool }

// paletteFor returns the palette of w. NO_COLOR turns colours off.
// (no-color.org)
func paletteFor(w io.Writer) palette {
	f, ok := w.(*os.File)
	return palette{on: ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (p palette) paint(code, s string) string {
	if !p.on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p palette) bold(s string) string  { return p.paint("1", s) }
func (p palette) dim(s string) string   { return p.paint("2", s) }
func (p palette) red(s string) string   { return p.paint("31", s) }
func (p palette) green(s string) string { return p.paint("32", s) }
func (p palette) cyan(s string) string  { return p.paint("36", s) }

// plain has a mark in place of each control character, which could hide text on
// a terminal, and of what turns the direction of text around.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Bidi_Control) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// diff colours a unified diff, and the words that differ in changed lines.
func (p palette) diff(s string) string {
	s = plain(strings.ReplaceAll(s, "\r\n", "\n"))
	if !p.on {
		return s
	}
	var b strings.Builder
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	changed := p.words(lines)
	for i, text := range lines {
		switch {
		case changed[i] != "":
			text = changed[i]
		case strings.HasPrefix(text, "---"), strings.HasPrefix(text, "+++"), strings.HasPrefix(text, "diff "):
			text = p.bold(text)
		case strings.HasPrefix(text, "@@"):
			text = p.cyan(text)
		case strings.HasPrefix(text, "+"):
			text = p.green(text)
		case strings.HasPrefix(text, "-"):
			text = p.red(text)
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}

// check says in a line how a check went.
func (p palette) check(c *edits.Check) string {
	if c.Passed {
		return p.green(plain(c.String()))
	}
	return p.red(plain(c.String()))
}

// A bar is a line of progress on a terminal. It shows nothing elsewhere, and
// nothing for work that ends at once.
type bar struct {
	title   string
	noun    string // of what is counted, in the plural
	began   time.Time
	drawn   time.Time
	visible bool
}

func newBar(title, noun string) *bar {
	return &bar{title: title, noun: noun, began: time.Now(), visible: term.IsTerminal(int(os.Stderr.Fd()))}
}

func (b *bar) update(done, total int) {
	now := time.Now()
	if !b.visible || now.Sub(b.began) < 300*time.Millisecond || now.Sub(b.drawn) < 50*time.Millisecond {
		return
	}
	b.drawn = now
	fmt.Fprintf(os.Stderr, "\r\x1b[K%s: %d of %d %s", b.title, done, total, b.noun)
}

func (b *bar) clear() {
	if !b.drawn.IsZero() {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}

// count says a number of things: "1 file", "2 files".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
