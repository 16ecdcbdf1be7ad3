package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// grep finds lines by a regular expression.
type grep struct{ reads }

type grepArgs struct {
	Pattern    string `json:"pattern"`
	Path       string `json:"path"`
	Glob       string `json:"glob"`
	IgnoreCase bool   `json:"ignore_case"`
	Context    int    `json:"context"` // lines before and after
	Output     string `json:"output"`
	HeadLimit  int    `json:"head_limit"`
}

const (
	maxMatches = 200    // unless the model wants more
	maxScanned = 20_000 // matches, in all
	maxContext = 20     // lines before and after
	maxLine    = 400    // bytes of a line that are shown
)

func (grep) Spec() ToolSpec { return spec("grep") }

func (grep) Title(args json.RawMessage) string {
	a, _ := decode[grepArgs](args)
	return about("search for", a.Pattern)
}

func (grep) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[grepArgs](raw)
	if err != nil {
		return "", err
	}
	limit := min(orDefault(args.HeadLimit, maxMatches), maxScanned)
	switch cmp.Or(args.Output, "lines") {
	case "lines":
		matches, err := d.grep(ctx, args, limit+1)
		if err != nil {
			return "", err
		}
		return d.renderMatches(ctx, matches, limit, min(max(args.Context, 0), maxContext))
	case "files", "count":
		matches, err := d.grep(ctx, args, maxScanned)
		if err != nil {
			return "", err
		}
		return d.renderFiles(matches, limit, args.Output), nil
	}
	return "", Fail("output is %q; it is lines, files or count", abbreviate(args.Output, 60))
}

// grep returns at most limit matches in the draft, by path and line.
func (d *Draft) grep(ctx context.Context, args grepArgs, limit int) ([]index.Match, error) {
	expression := args.Pattern
	if args.IgnoreCase {
		expression = "(?i)" + expression
	}
	re, err := regexp.Compile(expression)
	switch {
	case args.Pattern == "":
		return nil, Fail("the pattern is empty")
	case err != nil:
		return nil, Fail("the pattern cannot be used: %s; put a backslash before what is meant literally", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	under, err := d.under(args.Path)
	if err != nil {
		return nil, err
	}
	found, err := d.grepIn(ctx, re, under, args.Glob, limit)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(m index.Match) bool {
		_, withheld := d.Withheld(m.Path) // not even that there is a match: a model could ask letter by letter
		return withheld
	}), nil
}

func (d *Draft) grepIn(ctx context.Context, re *regexp.Regexp, under, pattern string, limit int) ([]index.Match, error) {
	if pattern == "" {
		return d.Now().Grep(ctx, re, under, limit)
	}
	matches, err := globPattern(pattern)
	if err != nil {
		return nil, err
	}
	var paths []string
	for path := range d.Now().Files() {
		if isUnder(path, under) && matches(d.relTo(under, path)) {
			paths = append(paths, path)
		}
	}
	return d.Now().GrepFiles(ctx, re, paths, limit)
}

func isUnder(path, under string) bool {
	if under == "" {
		return true
	}
	rel, err := filepath.Rel(under, path)
	return err == nil && filepath.IsLocal(rel)
}

const noMatches = "no matches\n"

// renderFiles writes the files that matches are in, with their number for
// "count".
func (d *Draft) renderFiles(matches []index.Match, limit int, output string) string {
	var lines []string
	for len(matches) > 0 {
		path, n := matches[0].Path, 1
		for n < len(matches) && matches[n].Path == path {
			n++
		}
		matches = matches[n:]
		line := d.snap.Rel(path)
		if output == "count" {
			line += fmt.Sprintf(":%d", n)
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return noMatches
	}
	return head(lines, limit, "narrow path or glob, or say head_limit")
}

// renderMatches writes matches as rg does: file:line:text, and around lines
// before and after them as file-line-text.
func (d *Draft) renderMatches(ctx context.Context, matches []index.Match, limit, around int) (string, error) {
	if len(matches) == 0 {
		return noMatches, nil
	}
	var b strings.Builder
	shown := matches[:min(len(matches), limit)]
	for len(shown) > 0 {
		path, n := shown[0].Path, 1
		for n < len(shown) && shown[n].Path == path {
			n++
		}
		if err := d.renderMatched(ctx, &b, shown[:n], around); err != nil {
			return "", err
		}
		shown = shown[n:]
	}
	if len(matches) > limit {
		fmt.Fprintf(&b, "[there are more than %d matches: narrow the pattern, path or glob, or say head_limit]\n", limit)
	}
	return b.String(), nil
}

// renderMatched writes the matches in one file.
func (d *Draft) renderMatched(ctx context.Context, b *strings.Builder, matches []index.Match, around int) error {
	path := matches[0].Path
	d.Show(path)
	name := d.snap.Rel(path)
	if around == 0 {
		for _, m := range matches {
			fmt.Fprintf(b, "%s:%d:%s\n", name, m.Line+1, shortLine(m.Text))
		}
		return nil
	}
	content, err := d.ReadFile(ctx, path)
	if err != nil {
		return err
	}
	lines, next := text.NewLines(content), 0
	for i, m := range matches {
		first := max(m.Line-around, next)
		if first > next && (i > 0 || b.Len() > 0) {
			b.WriteString("--\n")
		}
		last := min(m.Line+around, lineCount(lines)-1)
		if i+1 < len(matches) {
			last = min(last, matches[i+1].Line-1)
		}
		for l := first; l <= last; l++ {
			mark := "-"
			if l == m.Line {
				mark = ":"
			}
			fmt.Fprintf(b, "%s%s%d%s%s\n", name, mark, l+1, mark, shortLine(string(lines.Text(lines.Line(l)))))
		}
		next = last + 1
	}
	return nil
}

// shortLine returns a line, cut where it is too long to show.
func shortLine(s string) string {
	if len(s) <= maxLine {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return fmt.Sprintf("%s… (%d bytes more)", strings.ToValidUTF8(s[:maxLine], "\uFFFD"), len(s)-maxLine)
}
