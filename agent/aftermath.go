package agent

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// Bounds of what a model is told of one edit.
const (
	maxFaults  = 5  // places in a file that do not parse
	maxRemoved = 50 // names that are looked for
	maxOrphans = 10 // uses of them that are told
)

var editWords = map[edits.Op]string{edits.Create: "created", edits.Modify: "changed", edits.Delete: "deleted", edits.Rename: "moved"}

// aftermath says what made, which are edits of the draft since before, have
// done: to which files, what does not parse any more, and which names are gone
// that are still used.
func (d *Draft) aftermath(ctx context.Context, before *index.Snapshot, made []edits.FileEdit) (string, error) {
	var b strings.Builder
	for _, e := range made {
		b.WriteString(d.renderEdit(e))
		if e.Op == edits.Delete {
			continue
		}
		faults, err := d.newFaults(ctx, before, e)
		if err != nil {
			return "", err
		}
		b.WriteString(faults)
	}
	orphans, err := d.orphans(ctx, before, made)
	if err != nil {
		return "", err
	}
	return b.String() + strings.Join(orphans, ""), nil
}

// maxFollowed is how many files that a command changed are looked at.
const maxFollowed = 50

// consequences is aftermath for what a command did to the draft, which had was
// before: of that the report says which files.
func (d *Draft) consequences(ctx context.Context, before *index.Snapshot, was map[string]draftFile) (string, error) {
	var made []edits.FileEdit
	for _, path := range d.Changed() {
		now, old := d.changed[path], was[path]
		switch {
		case len(made) == maxFollowed || now.gone == old.gone && bytes.Equal(now.content, old.content):
		case now.gone:
			made = append(made, edits.FileEdit{Op: edits.Delete, Path: path})
		default:
			made = append(made, edits.FileEdit{Op: edits.Modify, Path: path, Content: now.content})
		}
	}
	var out strings.Builder
	for _, e := range made {
		if e.Op == edits.Delete {
			continue
		}
		faults, err := d.newFaults(ctx, before, e)
		if err != nil {
			return "", err
		}
		out.WriteString(faults)
	}
	orphans, err := d.orphans(ctx, before, made)
	return out.String() + strings.Join(orphans, ""), err
}

func (d *Draft) renderEdit(e edits.FileEdit) string {
	line := editWords[e.Op] + " " + d.snap.Rel(e.Path)
	if e.Op == edits.Rename {
		line += " to " + d.snap.Rel(e.To)
	}
	if e.Overwrote {
		line += " (it took the place of another file)"
	}
	return line + "\n"
}

// target returns the path that e leaves its content at.
func target(e edits.FileEdit) string {
	if e.Op == edits.Rename {
		return e.To
	}
	return e.Path
}

// newFaults says where a file that was edited does not parse, and did before.
func (d *Draft) newFaults(ctx context.Context, before *index.Snapshot, e edits.FileEdit) (string, error) {
	path := target(e)
	faults, err := before.Parses(ctx, path, e.Content)
	if err != nil || len(faults) == 0 {
		return "", err
	}
	known := map[string]bool{}
	if was, err := before.ReadFile(ctx, e.Path); err == nil {
		old, err := before.Parses(ctx, e.Path, was)
		if err != nil {
			return "", err
		}
		lines := text.NewLines(was)
		for _, f := range old {
			known[faultText(lines, f)] = true
		}
	}
	lines := text.NewLines(e.Content)
	faults = slices.DeleteFunc(faults, func(f index.SyntaxError) bool { return known[faultText(lines, f)] })
	var b strings.Builder
	for _, f := range faults[:min(len(faults), maxFaults)] {
		fmt.Fprintf(&b, "  it does not parse: %s: %s\n", placeIn(before, path, lines, f.Span), f.Message)
	}
	if len(faults) > maxFaults {
		fmt.Fprintf(&b, "  and %d more places\n", len(faults)-maxFaults)
	}
	return b.String(), nil
}

// faultText tells faults apart where lines move.
func faultText(lines *text.Lines, f index.SyntaxError) string {
	return f.Message + "\n" + string(lines.Text(lines.Line(lines.LineAt(f.Span.Start))))
}

// orphans returns a line for each use of a declaration that made has removed.
func (d *Draft) orphans(ctx context.Context, before *index.Snapshot, made []edits.FileEdit) ([]string, error) {
	removed, err := d.removed(ctx, before, made)
	if err != nil {
		return nil, err
	}
	edited := map[string]bool{}
	for _, e := range made {
		edited[e.Path], edited[target(e)] = true, true
	}
	var lines []string
	for _, sym := range removed {
		uses, err := d.usesLeft(ctx, before, sym, edited)
		if err != nil {
			return nil, err
		}
		for _, place := range uses {
			lines = append(lines, fmt.Sprintf("  %s is gone, but used: %s\n", sym.Qualified(), place))
		}
		if len(lines) > maxOrphans {
			return append(lines[:maxOrphans], "  and in more places: see grep\n"), nil
		}
	}
	return lines, nil
}

// removed returns the declarations of the edited files that are in none of them
// any more. Moving one is not removing it.
func (d *Draft) removed(ctx context.Context, before *index.Snapshot, made []edits.FileEdit) ([]index.Symbol, error) {
	var was []index.Symbol
	is := map[string]bool{}
	for _, e := range made {
		old, err := before.Symbols(ctx, e.Path)
		if err == nil { // else it was not there
			was = append(was, old...)
		}
		if e.Op == edits.Delete {
			continue
		}
		now, err := d.Now().Symbols(ctx, target(e))
		if err != nil {
			return nil, err
		}
		for _, sym := range now {
			is[sym.Qualified()] = true
		}
	}
	was = slices.DeleteFunc(was, func(sym index.Symbol) bool { return is[sym.Qualified()] })
	return was[:min(len(was), maxRemoved)], nil
}

// usesLeft returns the places in which sym, which is gone, is still used: those
// known from before in files that were not edited, and names in edited ones
// that nothing declares any more.
func (d *Draft) usesLeft(ctx context.Context, before *index.Snapshot, sym index.Symbol, edited map[string]bool) ([]string, error) {
	refs, err := before.ReferencesTo(ctx, sym)
	if err != nil {
		return nil, err
	}
	var places []string
	seen := map[string]bool{}
	for _, ref := range refs {
		_, withheld := d.Withheld(ref.Path)
		switch {
		case ref.Definition || ref.Certainty != index.Certain || withheld || len(places) > maxOrphans:
		case !edited[ref.Path]:
			content, err := before.ReadFile(ctx, ref.Path)
			if err != nil {
				return nil, err
			}
			d.Show(ref.Path)
			places = append(places, placeIn(before, ref.Path, text.NewLines(content), ref.Span))
		case !seen[ref.Path]:
			seen[ref.Path] = true
			left, err := d.undeclared(ctx, ref.Path, sym.Name)
			if err != nil {
				return nil, err
			}
			places = append(places, left...)
		}
	}
	return places, nil
}

// undeclared returns where a file of the draft uses name although nothing of
// that name is declared.
func (d *Draft) undeclared(ctx context.Context, path, name string) ([]string, error) {
	content, err := d.ReadFile(ctx, path)
	if err != nil || !bytes.Contains(content, []byte(name)) {
		return nil, nil //nolint:nilerr // it was moved or deleted
	}
	var places []string
	lines := text.NewLines(content)
	for _, at := range regexp.MustCompile(regexp.QuoteMeta(name)).FindAllIndex(content, 100) {
		found, span, ok, err := d.Now().At(ctx, path, at[0])
		if err != nil {
			return nil, err
		}
		if !ok || found != name || span.Start != at[0] {
			continue
		}
		declared, err := d.Now().Definitions(ctx, path, at[0])
		if err != nil {
			return nil, err
		}
		if len(declared) == 0 {
			d.Show(path)
			places = append(places, placeIn(d.snap, path, lines, span))
		}
	}
	return places, nil
}
