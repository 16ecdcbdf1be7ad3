package lsp

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// draw publishes a diagnostic for each undecided hunk, where it stands now:
// in its file, and in the diff document.
func (r *review) draw(ctx context.Context) {
	r.drawing.Lock()
	defer r.drawing.Unlock()
	snap := r.server.home.Workspace.Snapshot()
	byFile := make(map[string][]protocol.Diagnostic)
	for _, cs := range r.all() {
		if err := r.diagnose(ctx, cs, snap, byFile); err != nil && ctx.Err() == nil {
			r.server.Log.Warn("proposal not shown", "changeSet", cs.ID, "err", err)
		}
	}
	r.server.findings.diagnose(ctx, snap, byFile)
	for _, path := range r.replace(byFile) {
		params := &protocol.PublishDiagnosticsParams{URI: fileURI(path), Diagnostics: byFile[path]}
		if doc, ok := snap.Document(path); ok {
			params.Version = protocol.NewOptional(doc.Version)
		}
		if err := r.server.client.PublishDiagnostics(ctx, params); err != nil {
			return // the client is gone
		}
	}
}

// replace notes that byFile is published, and returns the files to publish:
// also those that have none any more.
func (r *review) replace(byFile map[string][]protocol.Diagnostic) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	paths := slices.Collect(maps.Keys(byFile))
	for old := range r.published {
		if byFile[old] == nil {
			paths = append(paths, old)
		}
	}
	clear(r.published)
	for path := range byFile {
		r.published[path] = struct{}{}
	}
	slices.Sort(paths)
	return paths
}

func (r *review) diagnose(ctx context.Context, cs *edits.ChangeSet, snap *index.Snapshot, byFile map[string][]protocol.Diagnostic) error {
	hunks, err := placeOf(ctx, cs, snap)
	if err != nil {
		return err
	}
	page := renderDiff(cs, hunks, snap.Rel)
	path, err := r.server.keep("diffs", cs.ID+".diff", []byte(page.text))
	if err != nil {
		return err
	}
	pageLines := text.NewLines([]byte(page.text))
	for i, h := range hunks {
		byFile[path] = append(byFile[path], r.diagnostic(h, pageLines, page.spans[i]))
		if h.file.Op != edits.Create {
			lines := text.NewLines(h.file.Before)
			byFile[h.file.Path] = append(byFile[h.file.Path], r.diagnostic(h, lines, visible(lines, h.hunk.Edit.Span)))
		}
	}
	return nil
}

// visible returns the span to mark for a hunk: its lines without the last line
// ending, or the line at which it inserts.
func visible(lines *text.Lines, s text.Span) text.Span {
	first := lines.Line(lines.LineAt(s.Start))
	last := lines.Line(lines.LineAt(max(s.Start, s.End-1)))
	return text.Span{Start: first.Start, End: max(first.Start, last.End)}
}

// diagnosticSource marks the diagnostics that are ours.
const diagnosticSource = "agentls"

func (r *review) diagnostic(h placed, lines *text.Lines, span text.Span) protocol.Diagnostic {
	severity, message := protocol.DiagnosticSeverityInformation, describe(h)
	if h.hunk.State == edits.InConflict {
		severity, message = protocol.DiagnosticSeverityWarning, "conflict: "+h.why+"\n"+message
	}
	return protocol.Diagnostic{
		Range:    toRange(lines, span, r.server.client.encoding),
		Severity: severity,
		Source:   protocol.NewOptional(diagnosticSource),
		Code:     protocol.String(fmt.Sprintf("%s#%d", h.set.ID, h.hunk.ID)),
		Message:  protocol.String(message),
	}
}

// describe says what accepting a hunk does.
func describe(h placed) string {
	removed := lineCount(string(h.file.Before[h.hunk.Edit.Span.Start:h.hunk.Edit.Span.End]))
	added := lineCount(h.hunk.Edit.New)
	what := fmt.Sprintf("replaces %s by %d", plural(removed, "line"), added)
	switch {
	case h.file.Op == edits.Delete:
		what = "deletes this file"
	case h.file.Op == edits.Create:
		what = fmt.Sprintf("creates this file with %s", plural(added, "line"))
	case removed == 0 && added == 0:
		what = "moves this file to " + h.file.To
	case removed == 0:
		what = fmt.Sprintf("inserts %s here", plural(added, "line"))
	case added == 0:
		what = fmt.Sprintf("removes %s", plural(removed, "line"))
	}
	return h.set.Title + ": " + what
}

func lineCount(s string) int {
	n := strings.Count(s, "\n")
	if s != "" && !strings.HasSuffix(s, "\n") {
		n++
	}
	return n
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// actions returns what can be done with the hunks at a place.
func (r *review) actions(ctx context.Context, snap *index.Snapshot, at place) ([]*protocol.CodeAction, error) {
	path, err := filePath(at.URI)
	if err != nil {
		return nil, err
	}
	var out []*protocol.CodeAction
	for _, cs := range r.all() {
		hunks, err := placeOf(ctx, cs, snap)
		if err != nil {
			return nil, err
		}
		hits := r.hits(hunks, snap, path, at.Range)
		for _, h := range hits {
			out = append(out, r.onHunk(h)...)
		}
		if len(hits) > 0 {
			out = append(out, r.onSet(hits[0], len(hunks))...)
		}
	}
	return out, nil
}

// hits returns the hunks that a selection in path meets: in their file, or in
// the diff document.
func (r *review) hits(hunks []placed, snap *index.Snapshot, path string, at protocol.Range) []placed {
	if len(hunks) == 0 {
		return nil
	}
	places := inFile
	if r.isDiffOf(path, hunks[0].set.ID) {
		places = inDiff
	}
	lines, spans := places(hunks, path, snap)
	if lines == nil {
		return nil
	}
	selection := toSpan(lines, at, r.server.client.encoding)
	var out []placed
	for i, h := range hunks {
		if span, ok := spans[i]; ok && touches(lines, span, selection) {
			out = append(out, h)
		}
	}
	return out
}

// inDiff returns the lines of the diff document and where in it each hunk is,
// by its number in hunks.
func inDiff(hunks []placed, _ string, snap *index.Snapshot) (*text.Lines, map[int]text.Span) {
	page := renderDiff(hunks[0].set, hunks, snap.Rel)
	spans := make(map[int]text.Span)
	for i, s := range page.spans {
		spans[i] = s
	}
	return text.NewLines([]byte(page.text)), spans
}

// inFile is inDiff for the file at path; the lines are nil if no hunk is there.
func inFile(hunks []placed, path string, _ *index.Snapshot) (lines *text.Lines, spans map[int]text.Span) {
	spans = make(map[int]text.Span)
	for i, h := range hunks {
		if h.file.Path == path && h.file.Op != edits.Create {
			lines = text.NewLines(h.file.Before)
			spans[i] = h.hunk.Edit.Span
		}
	}
	return lines, spans
}

func (r *review) onHunk(h placed) []*protocol.CodeAction {
	at := hunkParams{ChangeSet: h.set.ID, URI: fileURI(h.file.Path), Hunk: h.hunk.ID}
	accept := action("Accept hunk: "+describe(h), kindReview, "agentls.changes.accept", at)
	accept.IsPreferred = ptr(true)
	if h.hunk.State == edits.InConflict {
		disable(accept, "conflict: "+h.why)
	}
	return []*protocol.CodeAction{accept, action("Reject hunk: "+describe(h), kindReview, "agentls.changes.reject", at)}
}

func (r *review) onSet(h placed, hunks int) []*protocol.CodeAction {
	file := hunkParams{ChangeSet: h.set.ID, URI: fileURI(h.file.Path)}
	set := changeSetParams{ChangeSet: h.set.ID}
	return []*protocol.CodeAction{
		action("Accept file: "+r.server.home.Workspace.Snapshot().Rel(h.file.Path), kindReview, "agentls.changes.accept", file),
		action(fmt.Sprintf("Accept all: %s of %s", plural(hunks, "hunk"), h.set.Title), kindReview, "agentls.changes.apply", set),
		action("Show diff: "+h.set.Title, kindReview, "agentls.changes.diff", set),
	}
}

// invitation says what waits and how to decide, for clients without a plugin.
func (r *review) invitation(cs *edits.ChangeSet) string {
	invitation := fmt.Sprintf("agentls: %s: %s in %s to review: accept or reject each by a code action on it, or run agentls.changes.apply",
		cs.Title, plural(undecided(cs), "hunk"), plural(len(cs.Files), "file"))
	for i := range cs.Checks {
		invitation += "\n" + cs.Checks[i].String()
	}
	return invitation
}
