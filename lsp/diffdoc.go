package lsp

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

// diffContext is the number of unchanged lines around a hunk.
const diffContext = 3

// A diffPage is a proposal as a unified diff, one section a hunk, and where
// each hunk stands in it.
type diffPage struct {
	text  string
	spans []text.Span
}

// renderDiff writes the hunks of cs, which are sorted by file.
func renderDiff(cs *edits.ChangeSet, hunks []placed, rel func(string) string) diffPage {
	var b strings.Builder
	var page diffPage
	fmt.Fprintf(&b, "# %s\n# Accept or reject a hunk by a code action on it.\n", cs.Title)
	for i := range cs.Checks {
		renderCheck(&b, &cs.Checks[i])
	}
	for _, left := range cs.LeftOut {
		fmt.Fprintf(&b, "# left out: %s: %s\n", rel(left.Path), left.Why)
	}
	for i, h := range hunks {
		if i == 0 || hunks[i-1].file != h.file {
			b.WriteString(diffHeader(h.file, rel))
		}
		start := b.Len()
		renderHunk(&b, h)
		page.spans = append(page.spans, text.Span{Start: start, End: b.Len()})
	}
	page.text = b.String()
	return page
}

// renderCheck says how a check went, and what one said that failed.
func renderCheck(b *strings.Builder, c *edits.Check) {
	fmt.Fprintf(b, "# %s\n", c)
	if c.Passed {
		return
	}
	for line := range strings.Lines(c.Output) {
		b.WriteString("#   " + strings.TrimRight(line, "\r\n") + "\n")
	}
}

func diffHeader(f *edits.FileChange, rel func(string) string) string {
	from, to := "a/"+rel(f.Path), "b/"+rel(f.Target())
	switch f.Op {
	case edits.Create:
		from = "/dev/null"
	case edits.Delete:
		to = "/dev/null"
	case edits.Modify, edits.Rename:
	}
	mode := ""
	if f.Mode != 0 && f.Was != 0 && f.Mode != f.Was {
		mode = fmt.Sprintf("old mode %o\nnew mode %o\n", f.Was.Perm(), f.Mode.Perm())
	}
	return fmt.Sprintf("\n%s--- %s\n+++ %s\n", mode, from, to)
}

func renderHunk(b *strings.Builder, h placed) {
	lines := text.NewLines(h.file.Before)
	span := h.hunk.Edit.Span
	first := lines.LineAt(span.Start)
	removed := lineCount(string(lines.Text(span)))
	fmt.Fprintf(b, "@@ line %d: hunk %d, %s @@\n", first+1, h.hunk.ID, h.hunk.State)
	for i := max(0, first-diffContext); i < first; i++ {
		fmt.Fprintf(b, " %s\n", lines.Text(lines.Line(i)))
	}
	prefixed(b, "-", string(lines.Text(span)))
	prefixed(b, "+", h.hunk.Edit.New)
	for i := first + removed; i < min(first+removed+diffContext, lines.Count()-1); i++ {
		fmt.Fprintf(b, " %s\n", lines.Text(lines.Line(i)))
	}
}

func prefixed(b *strings.Builder, mark, s string) {
	for line := range strings.Lines(s) {
		b.WriteString(mark + strings.TrimRight(line, "\r\n") + "\n")
	}
	if s != "" && !strings.HasSuffix(s, "\n") {
		b.WriteString("\\ No newline at end of file\n")
	}
}

// isDiff reports whether path is one of our diff documents.
func (r *review) isDiff(path string) bool {
	return filepath.Dir(path) == filepath.Join(r.server.home.State, "diffs")
}

func (r *review) isDiffOf(path, changeSet string) bool {
	return r.isDiff(path) && filepath.Base(path) == changeSet+".diff"
}

type diffResult struct {
	Path string `json:"path"` // of the diff document
	Text string `json:"text"`
}

// diffChanges writes the diff document of a proposal and opens it.
func (s *Server) diffChanges(ctx context.Context, p *changeSetParams) (*diffResult, error) {
	snap := snapshot(ctx)
	cs, err := s.review.find(p.ChangeSet)
	if err != nil {
		return nil, err
	}
	hunks, err := placeOf(ctx, cs, snap)
	if err != nil {
		return nil, err
	}
	page := renderDiff(cs, hunks, snap.Rel)
	path, err := s.keep("diffs", cs.ID+".diff", []byte(page.text))
	if err != nil {
		return nil, err
	}
	if !s.client.events {
		s.spawn(func(ctx context.Context) { s.client.show(ctx, path, "The diff") })
	}
	return &diffResult{Path: path, Text: page.text}, nil
}
