package agent

import (
	"context"
	"fmt"
	"strings"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// Bounds of what is told of a declaration's relations.
const (
	maxRelations = 12
	maxQuoted    = 160 // bytes of a line
)

// relations returns pieces about who calls what is in focus, what that calls
// and which tests reach it.
func (d *Draft) relations(ctx context.Context, focus *Focus) ([]Piece, error) {
	content, err := d.snap.ReadFile(ctx, focus.Path)
	if err != nil {
		return nil, fmt.Errorf("read the code in focus: %w", err)
	}
	sym, ok, err := d.snap.Enclosing(ctx, focus.Path, clamp(focus.Span, len(content)))
	if err != nil || !ok {
		return nil, err
	}
	callers, err := d.callers(ctx, sym)
	if err != nil {
		return nil, fmt.Errorf("find the callers of %s: %w", sym.Name, err)
	}
	callees, err := d.callees(ctx, sym)
	if err != nil {
		return nil, fmt.Errorf("find what %s calls: %w", sym.Name, err)
	}
	tests, err := d.tests(ctx, sym)
	if err != nil {
		return nil, fmt.Errorf("find the tests of %s: %w", sym.Name, err)
	}
	return []Piece{callers, callees, tests}, nil
}

func (d *Draft) callers(ctx context.Context, sym index.Symbol) (Piece, error) {
	p := Piece{ID: "callers", Title: "Callers of " + sym.Qualified(), Why: "they depend on what is in focus"}
	calls, err := d.snap.Callers(ctx, sym)
	if err != nil {
		return p, err
	}
	list := &placeList{draft: d, piece: &p}
	for _, c := range calls {
		path, span := callSite(c)
		if err := list.add(ctx, path, span, " in "+c.Symbol.Qualified()+doubt(c), quoteLine); err != nil {
			return p, err
		}
	}
	list.end("Called by:")
	return p, nil
}

func (d *Draft) callees(ctx context.Context, sym index.Symbol) (Piece, error) {
	p := Piece{ID: "callees", Title: "What " + sym.Qualified() + " calls", Why: "what is in focus depends on it"}
	calls, err := d.snap.Callees(ctx, sym)
	if err != nil {
		return p, err
	}
	list := &placeList{draft: d, piece: &p}
	for _, c := range calls {
		if err := list.add(ctx, c.Symbol.Path, c.Symbol.NameSpan, doubt(c), quoteLine); err != nil {
			return p, err
		}
	}
	list.end("It calls:")
	return p, nil
}

func (d *Draft) tests(ctx context.Context, sym index.Symbol) (Piece, error) {
	p := Piece{ID: "tests", Title: "Tests that reach " + sym.Qualified(), Why: "they say what it should do"}
	tests, err := d.snap.Tests(ctx, sym)
	if err != nil {
		return p, err
	}
	list := &placeList{draft: d, piece: &p}
	for _, test := range tests {
		if err := list.add(ctx, test.Path, test.NameSpan, " "+test.Qualified(), nil); err != nil {
			return p, err
		}
	}
	list.end("Tests that reach it:")
	return p, nil
}

// doubt marks a call that is one by its name alone.
func doubt(c index.Call) string {
	if c.Certainty == index.Possible {
		return " (by name only)"
	}
	return ""
}

// A placeList becomes the text of a piece: places in files that a model may
// hear of.
type placeList struct {
	draft *Draft
	piece *Piece
	n     int
	lines strings.Builder
}

// add lists a place, with what is to be said of it and, where quote is not nil,
// its line.
func (l *placeList) add(ctx context.Context, path string, span text.Span, says string, quote func(*text.Lines, text.Span) string) error {
	if !l.draft.mayName(path) {
		return nil
	}
	if l.n++; l.n > maxRelations {
		return nil
	}
	content, err := l.draft.snap.ReadFile(ctx, path)
	if err != nil {
		return err
	}
	lines := text.NewLines(content)
	l.lines.WriteString(placeIn(l.draft.snap, path, lines, span) + says)
	if quote != nil {
		l.lines.WriteString(": " + quote(lines, span))
		l.piece.paths = append(l.piece.paths, path)
	}
	l.lines.WriteString("\n")
	return nil
}

func quoteLine(lines *text.Lines, span text.Span) string {
	return abbreviate(string(lines.Text(lines.Line(lines.LineAt(span.Start)))), maxQuoted)
}

func (l *placeList) end(heading string) {
	if l.n == 0 {
		return
	}
	l.piece.Text = heading + "\n" + l.lines.String()
	if more := l.n - maxRelations; more > 0 {
		l.piece.Text += fmt.Sprintf("and %d more\n", more)
	}
}
