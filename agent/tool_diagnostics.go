package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/agentls/agentls/edits/text"
)

// diagnostics shows what is known to be wrong. It belongs to one run.
type diagnostics struct {
	reads
	editor *EditorView
}

type diagnosticsArgs struct {
	Path string `json:"path"`
}

const maxDiagnostics = 100 // lines

func (diagnostics) Spec() ToolSpec { return spec("diagnostics") }

func (diagnostics) Title(args json.RawMessage) string {
	a, _ := decode[diagnosticsArgs](args)
	if a.Path == "" {
		return "look for problems"
	}
	return about("look for problems in", a.Path)
}

func (t diagnostics) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[diagnosticsArgs](raw)
	if err != nil {
		return "", err
	}
	under, err := d.under(args.Path)
	if err != nil {
		return "", err
	}
	lines, err := d.faults(ctx, under)
	if err != nil {
		return "", err
	}
	lines = append(lines, t.reported(d, under)...)
	if len(lines) == 0 {
		return "no problems: what you changed parses, and the editor reported nothing there\n", nil
	}
	return head(lines, maxDiagnostics, "narrow the path"), nil
}

// faults returns a line for each place that does not parse: in the files that
// the draft changed, and in the file that is asked about.
func (d *Draft) faults(ctx context.Context, under string) ([]string, error) {
	paths := d.Changed()
	if d.Now().Has(under) && !slices.Contains(paths, under) {
		paths = append(paths, under)
	}
	var lines []string
	for _, path := range paths {
		content, err := d.ReadFile(ctx, path)
		if err != nil || !isUnder(path, under) || !d.mayName(path) || len(lines) > maxDiagnostics {
			continue // gone, or not asked about
		}
		faults, err := d.snap.Parses(ctx, path, content)
		if err != nil {
			return nil, err
		}
		at := text.NewLines(content)
		for _, f := range faults {
			lines = append(lines, fmt.Sprintf("%s: error: %s (parser)", placeIn(d.snap, path, at, f.Span), f.Message))
		}
	}
	return lines, nil
}

// reported returns a line for each problem that the editor reported.
func (t diagnostics) reported(d *Draft, under string) (lines []string) {
	if t.editor == nil {
		return nil
	}
	for _, p := range t.editor.Problems {
		if d.mayName(p.Path) && isUnder(p.Path, under) {
			d.Show(p.Path) // a message may quote the file
			lines = append(lines, d.problemLine(p)+" (reported by the editor before your edits)")
		}
	}
	return lines
}
