package agent

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

const (
	maxFocusLines = 300
	aroundFocus   = 30 // lines before and after a focus that is in no declaration
)

// opening returns the items that a conversation begins with.
func (r *run) opening(ctx context.Context) ([]Item, error) {
	m, err := r.manifest(ctx)
	if err != nil {
		return nil, err
	}
	r.tellLeftOut(m)
	items := m.items()
	return items, r.attach(items)
}

// tellLeftOut says to the user what does not fit.
func (r *run) tellLeftOut(m *Manifest) {
	left := m.leftOut()
	if left == "" {
		return
	}
	step := StepStarted{ID: "context", Tool: "context", Title: fmt.Sprintf("context: about %d tokens", m.Tokens)}
	r.sink(step)
	r.sink(StepDone{ID: step.ID, Tool: step.Tool, Title: step.Title, Detail: strings.TrimSpace(left)})
}

// gather returns all that could be sent, the most important first: the
// workspace and the code in focus, as data, what was said before, and what the
// user wants.
func (r *run) gather(ctx context.Context) ([]Piece, error) {
	d, task := r.draft, r.task
	workspace := Piece{ID: "workspace", Title: "Workspace", Why: "what paths are relative to", Fixed: true}
	workspace.Text = "Data about the workspace, not from the user.\n\nFolders: " + strings.Join(rootNames(d.snap.Roots()), ", ") + "\n"
	if len(d.snap.Roots()) == 1 {
		workspace.Text += "Paths are relative to this folder.\n"
	}
	pieces := []Piece{workspace}
	if task.Focus != nil {
		focus, err := d.focus(ctx, task.Focus)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, Piece{ID: "focus", Title: "Focus: " + d.snap.Rel(task.Focus.Path), Why: "it is what you asked about", Text: focus, Fixed: true, paths: []string{task.Focus.Path}})
	}
	pieces = append(pieces, d.reviewed(task.Diff), d.handedOver(task.Output))
	pieces = append(pieces, d.editorPieces(task)...)
	pieces = append(pieces, d.guidance(ctx, task.Focus, r.agent.guidance))
	if task.Focus != nil {
		related, err := d.relations(ctx, task.Focus)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, related...)
	}
	state, err := r.versions(ctx)
	if err != nil {
		return nil, err
	}
	pieces = append(pieces, state)
	pieces = append(pieces, r.overview(ctx, pieces), Piece{ID: "earlier", Title: "What was said before", Why: "your question goes on from it", Text: Recount(task.Earlier), Fixed: true},
		Piece{ID: "wish", Title: "What you want", Why: "it is the task", Text: task.Wish(), Fixed: true})
	return slices.DeleteFunc(pieces, func(p Piece) bool { return p.Text == "" && p.Dropped == "" }), nil
}

// versions says what version control says of the whole.
func (r *run) versions(ctx context.Context) (Piece, error) {
	state := Piece{ID: "git", Title: "State of version control", Why: "what is changed and not committed"}
	if r.agent.state == nil {
		return state, nil
	}
	said, err := r.agent.state(ctx, r.draft.snap)
	if err != nil {
		return state, fmt.Errorf("ask version control: %w", err)
	}
	if said != "" {
		state.Text = "Version control says:\n" + said
	}
	return state, nil
}

// maxReviewed is how many bytes of a change are shown; the rest is looked up.
const maxReviewed = 96 << 10

// reviewed shows the change that a review is about. What it says of files that
// are kept from models is left out.
func (d *Draft) reviewed(diff string) Piece {
	p := Piece{ID: "change", Title: "The change under review", Why: "it is what is reviewed", Fixed: true}
	var shown strings.Builder
	for _, file := range splitDiff(diff) {
		rest, _ := strings.CutPrefix(file, "diff --git a/")
		name, _, _ := strings.Cut(rest, " b/")
		if rule, withheld := d.withheldIn(name); withheld {
			shown.WriteString("[" + name + " is withheld from models (" + rule + ")]\n")
			continue
		}
		shown.WriteString(file)
	}
	if shown.Len() > 0 {
		p.Text = "The change to review:\n" + cut(shown.String(), maxReviewed) + "\n"
	}
	return p
}

// withheldIn is Withheld for a file that a diff names.
func (d *Draft) withheldIn(name string) (rule string, ok bool) {
	for _, root := range d.snap.Roots() {
		if rule, ok := d.gate.Withheld(filepath.Join(root, filepath.FromSlash(name))); ok {
			return rule, true
		}
	}
	return "", false
}

// splitDiff returns the files of a diff.
func splitDiff(diff string) []string {
	var files []string
	for diff != "" {
		i := strings.Index(diff[1:], "\ndiff --git ")
		if i < 0 {
			return append(files, diff)
		}
		files, diff = append(files, diff[:i+2]), diff[i+2:]
	}
	return files
}

// maxHandedOver is how many bytes of output that the user hands over are sent.
const maxHandedOver = 16 << 10

var controls = regexp.MustCompile(`\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)|\r`)

// handedOver describes output of a terminal that the user points at.
func (d *Draft) handedOver(output string) Piece {
	p := Piece{ID: "output", Title: "Output that you handed over", Why: "you pointed at it"}
	output = strings.TrimSpace(strings.ToValidUTF8(controls.ReplaceAllString(output, ""), ""))
	if output != "" {
		p.Text = "Output of a terminal that the user points at:\n" + cut(output, maxHandedOver) + "\n"
	}
	return p
}

// Wish returns what the user wants, in words even where they gave none.
func (t Task) Wish() string {
	switch {
	case t.Prompt != "":
		return t.Prompt
	case t.Mode == Review && t.Diff != "":
		return "Review the change."
	case t.Mode == Review:
		return "Review the code in focus."
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
