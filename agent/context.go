package agent

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

const (
	maxFocusLines = 300
	aroundFocus   = 30 // lines before and after a focus that is in no declaration
)

// opening returns the items that a conversation begins with: the workspace and
// the code in focus, as data, what was said before, and then what the user
// wants.
func (d *Draft) opening(ctx context.Context, task Task) ([]Item, error) {
	workspace := UserMessage{Text: "Data about the workspace, not from the user.\n\nFolders: " + strings.Join(rootNames(d.snap.Roots()), ", ") + "\n"}
	if len(d.snap.Roots()) == 1 {
		workspace.Text += "Paths are relative to this folder.\n"
	}
	if task.Focus != nil {
		focus, err := d.focus(ctx, task.Focus)
		if err != nil {
			return nil, err
		}
		workspace.Text += "\n" + focus
		workspace.Paths = []string{task.Focus.Path}
	}
	d.describeEditor(&workspace, task)
	items := []Item{workspace}
	if before := Recount(task.Earlier); before != "" {
		items = append(items, UserMessage{Text: before})
	}
	return append(items, UserMessage{Text: task.Wish()}), nil
}

// Wish returns what the user wants, in words even where they gave none.
func (t Task) Wish() string {
	switch {
	case t.Prompt != "":
		return t.Prompt
	case t.Focus == nil:
		return "Explain what this workspace is."
	case t.Focus.Symbol != "":
		return "Explain " + t.Focus.Symbol + "."
	default:
		return "Explain the code in focus."
	}
}

// focus describes the place that a task is about, with its code.
func (d *Draft) focus(ctx context.Context, focus *Focus) (string, error) {
	rel := d.snap.Rel(focus.Path)
	if rule, ok := d.Withheld(focus.Path); ok {
		return "", fmt.Errorf("%s is %w by the deny list (%s), because such files hold secrets; ask from another file, or without a place", rel, ErrWithheld, rule)
	}
	content, err := d.snap.ReadFile(ctx, focus.Path)
	if err != nil {
		return "", fmt.Errorf("read the code in focus: %w", err)
	}
	if err := text.Check(content); err != nil {
		return "", fmt.Errorf("read the code in focus: %s: %w", rel, err)
	}
	span := clamp(focus.Span, len(content))
	sym, ok, err := d.snap.Enclosing(ctx, focus.Path, span)
	if err != nil {
		return "", fmt.Errorf("find the declaration in focus: %w", err)
	}
	var b strings.Builder
	lines := text.NewLines(content)
	first, last := lines.LineAt(span.Start), lines.LineAt(span.End)
	fmt.Fprintf(&b, "In focus: %s, %s\n", rel, lineRange(first, last))
	around := span
	if ok {
		around = sym.Span
		if err := d.describe(ctx, &b, sym); err != nil {
			return "", err
		}
	}
	first, last = excerpt(lines, span, around)
	fmt.Fprintf(&b, "%s of %s:\n%s", lineRange(first, last), filepath.Base(rel), numbered(lines, first, last))
	return b.String(), nil
}

func (d *Draft) describe(ctx context.Context, b *strings.Builder, sym index.Symbol) error {
	signature, err := d.snap.Signature(ctx, sym)
	if err != nil {
		return fmt.Errorf("find the declaration in focus: %w", err)
	}
	fmt.Fprintf(b, "Declaration around it: %s %s\nSignature: %s\n", sym.Kind, sym.Qualified(), abbreviate(signature, 500))
	return nil
}

// clamp returns span cut to a text of size bytes.
func clamp(span text.Span, size int) text.Span {
	start := min(max(span.Start, 0), size)
	return text.Span{Start: start, End: min(max(span.End, start), size)}
}

// excerpt returns the lines to show, from 0: those of around, which is the
// declaration that focus is in, if there is one and it is not too long; else
// some lines around the focus.
func excerpt(lines *text.Lines, focus, around text.Span) (from, to int) {
	from, to = lines.LineAt(around.Start), lines.LineAt(around.End)
	if around != focus && to-from < maxFocusLines {
		return from, to
	}
	from = max(lines.LineAt(focus.Start)-aroundFocus, 0)
	to = min(lines.LineAt(focus.End)+aroundFocus, max(lineCount(lines)-1, from))
	return from, min(to, from+maxFocusLines)
}

// lineRange names lines, given from 0, as people count.
func lineRange(first, last int) string {
	if first == last {
		return fmt.Sprintf("line %d", first+1)
	}
	return fmt.Sprintf("lines %d to %d", first+1, last+1)
}
