package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

// A Finding is what a review says about some lines. It was held against the
// code before anybody sees it: the place exists, its lines are the quoted ones,
// and its fix applies and parses.
type Finding struct {
	Fingerprint string  `json:"fingerprint"` // the same for the same finding, wherever its lines move
	Title       string  `json:"title"`
	Body        string  `json:"body"`       // Markdown: what goes wrong, when
	Priority    int     `json:"priority"`   // 0: must not ship, to 3: a nicety
	Confidence  float64 `json:"confidence"` // 0 to 1, as the model says
	Path        string  `json:"path"`       // absolute
	Line        int     `json:"line"`       // the first, from 0
	EndLine     int     `json:"endLine"`    // the last
	Quote       string  `json:"quote"`      // these lines, whole
	Fix         *string `json:"fix"`        // what they should be; nil: none is offered

	Verdict Verdict `json:"verdict,omitempty"` // of the second pass; absent where there was none
	Reason  string  `json:"reason,omitempty"`  // of the verdict

	Base []byte `json:"-"` // the file that was reviewed
}

// MaxPriority is the least urgent one.
const MaxPriority = 3

// leastConfidence is what a finding needs to be shown: few and right beats
// many.
const leastConfidence = 0.5

// fingerprint names f by what it says and what it is about, not by where that
// is now.
func (f *Finding) fingerprint(rel string) string {
	words := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	sum := sha256.Sum256([]byte(filepath.ToSlash(rel) + "\x00" + strings.ToLower(words(f.Title)) + "\x00" + words(f.Quote)))
	return hex.EncodeToString(sum[:8])
}

// Place returns where the lines of f are in now, a later content of its file,
// and whether they are still there: lines that were changed have no place.
func (f *Finding) Place(now []byte) (span text.Span, ok bool) {
	quote := []byte(f.Quote)
	if bytes.Count(f.Base, quote) == 1 && bytes.Count(now, quote) == 1 { // there is nothing to mistake it for
		at := bytes.Index(now, quote)
		if at == 0 || now[at-1] == '\n' {
			return text.Span{Start: at, End: at + len(quote)}, true
		}
	}
	lines := text.NewLines(f.Base)
	span = text.Span{Start: lines.Start(f.Line), End: lines.Start(f.Line) + len(f.Quote)}
	change, err := edits.NewModify(f.Path, f.Base, now)
	switch {
	case errors.Is(err, edits.ErrNoChange):
		return span, true
	case err != nil:
		return text.Span{}, false
	}
	moved := 0
	for i := range change.Hunks {
		e := change.Hunks[i].Edit
		switch {
		case e.Span.End <= span.Start && (e.Span.End < span.Start || e.Span.Start < e.Span.End || e.Span.Start == span.Start):
			moved += len(e.New) - e.Span.Len()
		case e.Span.Start >= span.End:
		default:
			return text.Span{}, false
		}
	}
	span = text.Span{Start: span.Start + moved, End: span.End + moved}
	if span.Start < 0 || span.End > len(now) || string(now[span.Start:span.End]) != f.Quote {
		return text.Span{}, false
	}
	return span, true
}

// ChangeSet returns the fix of f as a change of now, a later content of its
// file; nil where it has none, or its lines changed.
func (f *Finding) ChangeSet(id string, now []byte) (*edits.ChangeSet, error) {
	span, ok := f.Place(now)
	if !ok || f.Fix == nil {
		return nil, nil
	}
	change, err := edits.NewModify(f.Path, now, f.fixed(now, span))
	if err != nil {
		return nil, fmt.Errorf("fix %q: %w", f.Title, err)
	}
	return &edits.ChangeSet{ID: id, Title: "Fix: " + f.Title, Files: []edits.FileChange{change}}, nil
}

func (f *Finding) fixed(now []byte, span text.Span) []byte {
	out := append([]byte{}, now[:span.Start]...)
	out = append(out, *f.Fix...)
	return append(out, now[span.End:]...)
}

// check holds f against the code of d, and completes it. The error is a
// Failure.
func (f *Finding) check(ctx context.Context, d *Draft, args *findingArgs) error {
	path, err := d.Resolve(args.Path)
	if err != nil {
		return Fail("%v", err)
	}
	content, err := d.ReadFile(ctx, path)
	if err != nil {
		return Fail("%v", err)
	}
	if err := text.Check(content); err != nil {
		return Fail("%s: %v", args.Path, err)
	}
	f.Path, f.Base = path, content
	if err := f.locate(args); err != nil {
		return err
	}
	if args.Fix != nil {
		if err := f.takeFix(ctx, d, *args.Fix); err != nil {
			return err
		}
	}
	f.Fingerprint = f.fingerprint(d.snap.Rel(path))
	return nil
}

// locate finds the quoted lines: where the model says, or where they are if
// that is one place.
func (f *Finding) locate(args *findingArgs) error {
	quote := strings.Split(strings.TrimRight(strings.ReplaceAll(args.Quote, "\r\n", "\n"), "\n"), "\n")
	lines := text.NewLines(f.Base)
	var at []int
	for first := 0; first+len(quote) <= lines.Count(); first++ {
		if quotes(lines, first, quote) {
			at = append(at, first)
		}
	}
	place := -1
	for _, first := range at {
		if first == args.Line-1 || len(at) == 1 {
			place = first
		}
	}
	switch {
	case strings.TrimSpace(args.Quote) == "":
		return Fail("quote the lines that it is about")
	case len(at) == 0:
		return Fail("%s has no such lines; quote them as they are, whole, without line numbers", args.Path)
	case place < 0:
		return Fail("these lines are in %s %d times, but not at line %d: give the line", args.Path, len(at), args.Line)
	}
	f.Line, f.EndLine = place, place+len(quote)-1
	end := len(f.Base)
	if f.EndLine+1 < lines.Count() {
		end = lines.Start(f.EndLine + 1)
	}
	f.Quote = string(f.Base[lines.Start(place):end])
	return nil
}

// quotes reports whether the lines from first on are those of quote, but for
// blanks around them.
func quotes(lines *text.Lines, first int, quote []string) bool {
	for i, want := range quote {
		if strings.TrimSpace(string(lines.Text(lines.Line(first+i)))) != strings.TrimSpace(want) {
			return false
		}
	}
	return true
}

// takeFix takes what the quoted lines should be, if the file then parses as
// well as it did.
func (f *Finding) takeFix(ctx context.Context, d *Draft, fix string) error {
	if fix != "" && strings.HasSuffix(f.Quote, "\n") && !strings.HasSuffix(fix, "\n") {
		fix += "\n"
	}
	if strings.HasSuffix(f.Quote, "\r\n") {
		fix = strings.ReplaceAll(strings.ReplaceAll(fix, "\r\n", "\n"), "\n", "\r\n")
	}
	if fix == f.Quote {
		return Fail("the fix changes nothing")
	}
	f.Fix = &fix
	span, _ := f.Place(f.Base)
	before, err := d.snap.Parses(ctx, f.Path, f.Base)
	if err != nil {
		return err
	}
	after, err := d.snap.Parses(ctx, f.Path, f.fixed(f.Base, span))
	if err != nil {
		return err
	}
	if len(after) > len(before) {
		return Fail("with this fix the file does not parse: %s; the fix takes the place of the quoted lines, whole", after[0].Message)
	}
	return nil
}
