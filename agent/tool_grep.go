package agent

import (
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
type grep struct{}

type grepArgs struct {
	Pattern string `json:"pattern"`
	Path    string `json:"path"`
}

const maxMatches = 200

func (grep) Spec() ToolSpec {
	return ToolSpec{
		Name:        "grep",
		Description: "Find lines by a regular expression (RE2). For uses of a symbol, symbol_refs is more exact.",
		Parameters: json.RawMessage(`{"type":"object","properties":{` +
			`"pattern":{"type":"string","description":"(?i) in front ignores case"},` +
			`"path":{"type":"string","description":"a file or folder to search; omit for everything"}},` +
			`"required":["pattern"],"additionalProperties":false}`),
	}
}

func (grep) Title(args json.RawMessage) string {
	a, _ := decode[grepArgs](args)
	return about("search for", a.Pattern)
}

func (grep) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[grepArgs](raw)
	if err != nil {
		return "", err
	}
	re, err := regexp.Compile(args.Pattern)
	switch {
	case args.Pattern == "":
		return "", Fail("the pattern is empty")
	case err != nil:
		return "", Fail("the pattern cannot be used: %v", err)
	}
	under := ""
	if args.Path != "" && d.rootFolders(args.Path) == nil {
		if under, err = d.Resolve(args.Path); err != nil {
			return "", Fail("%v", err)
		}
	}
	found, err := d.snap.Grep(ctx, re, under, maxMatches+1)
	if err != nil {
		return "", err
	}
	matches := slices.DeleteFunc(d.withChanges(found, re, under), func(m index.Match) bool {
		_, withheld := d.Withheld(m.Path) // not even that there is a match: a model could ask letter by letter
		return withheld
	})
	out := d.renderMatches(matches)
	if len(matches) > maxMatches {
		out += "[there are more: narrow the pattern or the path]\n"
	}
	return out, nil
}

// withChanges returns found, which are matches in the snapshot, as they are in
// the draft.
func (d *Draft) withChanges(found []index.Match, re *regexp.Regexp, under string) []index.Match {
	matches := slices.DeleteFunc(slices.Clone(found), func(m index.Match) bool {
		_, changed := d.changed[m.Path]
		return changed
	})
	for _, path := range d.Changed() {
		if f := d.changed[path]; !f.gone && isUnder(path, under) {
			matches = append(matches, grepContent(re, path, f.content)...)
		}
	}
	slices.SortStableFunc(matches, func(a, b index.Match) int { return strings.Compare(a.Path, b.Path) })
	return matches
}

func isUnder(path, under string) bool {
	if under == "" {
		return true
	}
	rel, err := filepath.Rel(under, path)
	return err == nil && filepath.IsLocal(rel)
}

func grepContent(re *regexp.Regexp, path string, content []byte) []index.Match {
	if text.Check(content) != nil {
		return nil
	}
	var matches []index.Match
	lines := text.NewLines(content)
	for i := range lines.Count() {
		line := lines.Line(i)
		if at := re.FindIndex(lines.Text(line)); at != nil {
			span := text.Span{Start: line.Start + at[0], End: line.Start + at[1]}
			matches = append(matches, index.Match{Path: path, Line: i, Span: span, Text: string(lines.Text(line))})
		}
	}
	return matches
}

// renderMatches writes matches as file:line: text.
func (d *Draft) renderMatches(matches []index.Match) string {
	if len(matches) == 0 {
		return "no matches\n"
	}
	var b strings.Builder
	for _, m := range matches[:min(len(matches), maxMatches)] {
		d.Show(m.Path)
		fmt.Fprintf(&b, "%s:%d: %s\n", d.snap.Rel(m.Path), m.Line+1, abbreviate(m.Text, 300))
	}
	return b.String()
}
