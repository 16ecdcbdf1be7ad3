package agent

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// A Round is what the user made of what a run proposed, for the run that made
// it. It goes on from what they kept and left open, and its next proposal holds
// the answer to them alone.
type Round struct {
	Changes  []*edits.ChangeSet // as they are now: their hunks say what was decided; those of one run, in order
	Comments []Comment
	Message  string // on all of it; may be empty
}

// A Comment is what the user says to a hunk; Hunk 0 is the whole file.
type Comment struct {
	Path string `json:"path"`
	Hunk int    `json:"hunk"`
	Text string `json:"text"`
}

// Proposed returns those of all that the run proposed in its last round, in
// order.
func Proposed(run string, all []*edits.ChangeSet) []*edits.ChangeSet {
	last, of := 0, map[int][]*edits.ChangeSet{}
	for _, cs := range all {
		rest, ok := strings.CutPrefix(cs.ID, run)
		if !ok || rest != "" && rest[0] != '-' && rest[0] != '.' {
			continue
		}
		round := 1
		number, _, _ := strings.Cut(strings.TrimPrefix(rest, "-"), ".")
		if n, err := strconv.Atoi(number); err == nil && rest[0] == '-' {
			round = n
		}
		last, of[round] = max(last, round), append(of[round], cs)
	}
	slices.SortFunc(of[last], func(a, b *edits.ChangeSet) int {
		return cmp.Or(len(a.ID)-len(b.ID), strings.Compare(a.ID, b.ID))
	})
	return of[last]
}

// RunOf returns the run that proposed the change set with an ID, if it is one of
// the runs in question.
func RunOf(changeSet string, isRun func(string) bool) (run string, ok bool) {
	for run = changeSet; run != ""; {
		if isRun(run) {
			return run, true
		}
		run = run[:max(strings.LastIndexAny(run, "-."), 0)]
	}
	return "", false
}

const maxHunkLines = 20 // of each side that the model is reminded of

// says reports whether there is anything to answer.
func (round *Round) says() bool {
	return round != nil && (round.Message != "" || len(round.Comments) > 0)
}

// beginRound makes the draft what the user left of it, and tells the model what
// they decided and said.
func (r *run) beginRound(ctx context.Context, round *Round) error {
	left, err := leftOpen(ctx, round.Changes, r.draft.snap)
	if err != nil {
		return fmt.Errorf("begin a round of review: %w", err)
	}
	message := r.draft.verdict(round)
	said := message.Text
	message.Text = strings.TrimSpace(said + "\n\n" + r.newProblems(round))
	r.round++
	r.memory.heard(said)
	r.note(&Record{Kind: RoundBegun, Files: r.leftFiles(left), Items: Items{message}, Said: said})
	r.req.Items = append(r.req.Items, message)
	r.restart(left) //nolint:contextcheck // NewDraft reads a small file, at once
	return nil
}

// newProblems says what the editor reports of the files that the user kept
// changes of, and did not when the run began; "" for nothing.
func (r *run) newProblems(round *Round) string {
	if r.task.Editor == nil {
		return ""
	}
	before := map[Problem]bool{}
	if r.task.Past != nil && r.task.Past.Task.Editor != nil {
		for _, p := range r.task.Past.Task.Editor.Problems {
			p.Line = 0 // lines have moved
			before[p] = true
		}
	}
	kept := round.kept()
	var b strings.Builder
	told := 0
	for _, p := range r.task.Editor.Problems {
		known := p
		known.Line = 0
		if _, withheld := r.draft.Withheld(p.Path); !kept[p.Path] || before[known] || withheld || told == maxProblems {
			continue
		}
		told++
		fmt.Fprintf(&b, "%s:%d: %s: %s\n", r.draft.snap.Rel(p.Path), p.Line+1, p.Severity, abbreviate(p.Message, maxProblemMessage))
	}
	if told == 0 {
		return ""
	}
	return "Since these changes are there, the editor reports what it did not when you began. Data from the editor, not from the user:\n\n" + b.String()
}

// kept returns the files of which the user kept a change.
func (round *Round) kept() map[string]bool {
	files := map[string]bool{}
	for _, cs := range round.Changes {
		for i := range cs.Files {
			f := &cs.Files[i]
			if slices.ContainsFunc(f.Hunks, func(h edits.Hunk) bool { return h.State == edits.Applied }) {
				files[f.Target()] = true
			}
		}
	}
	return files
}

// leftFiles tells what a round begins with, each file from itself.
func (r *run) leftFiles(left []index.Replacement) []FileRecord {
	var files []FileRecord
	for _, f := range left {
		rec := FileRecord{Path: f.Path, Gone: f.Gone, Base: &FileBase{Gone: f.Gone}}
		if !f.Gone {
			rec.Base.Body, rec.Body = r.contents.tell(f.Path, "", f.Content), r.contents.tell(f.Path, "", f.Content)
		}
		files = append(files, rec)
	}
	return files
}

// restart makes left all that the draft differs in, and what its next change is
// made from.
func (r *run) restart(left []index.Replacement) {
	r.pending, r.steps, r.kept = nil, nil, map[string]draftFile{}
	r.draft = NewDraft(r.draft.snap, r.draft.gate)
	for _, f := range left {
		file := draftFile{content: f.Content, gone: f.Gone}
		r.draft.set(f.Path, file)
		r.kept[f.Path] = file
	}
	r.draft.base = r.draft.snap.With(left...)
}

// leftOpen returns what the undecided hunks of changes make of the files of snap.
// Those that conflict with it are left out.
func leftOpen(ctx context.Context, changes []*edits.ChangeSet, snap *index.Snapshot) ([]index.Replacement, error) {
	files := map[string]index.Replacement{}
	now := snap
	for _, cs := range changes {
		rebased, _, err := edits.Rebase(ctx, cs, now)
		if err != nil {
			return nil, err
		}
		var replaced []index.Replacement
		for i := range rebased.Files {
			replaced = append(replaced, replacement(&rebased.Files[i])...)
		}
		for _, f := range replaced {
			files[f.Path] = f
		}
		now = now.With(replaced...)
	}
	out := make([]index.Replacement, 0, len(files))
	for _, path := range slices.Sorted(maps.Keys(files)) {
		out = append(out, files[path])
	}
	return out, nil
}

func replacement(f *edits.FileChange) []index.Replacement {
	isOpen := false
	for _, h := range f.Hunks {
		isOpen = isOpen || h.State == edits.Pending
	}
	switch {
	case !isOpen:
		return nil
	case f.Op == edits.Delete:
		return []index.Replacement{{Path: f.Path, Gone: true}}
	case f.Op == edits.Rename:
		return []index.Replacement{{Path: f.Path, Gone: true}, {Path: f.To, Content: f.After()}}
	default:
		return []index.Replacement{{Path: f.Path, Content: f.After()}}
	}
}

var decisions = map[edits.State]string{
	edits.Applied: "kept", edits.Rejected: "rejected", edits.Undone: "taken back", edits.Pending: "not decided", edits.InConflict: "in conflict with what is there now",
}

// verdict tells the model what the user decided and said.
func (d *Draft) verdict(round *Round) UserMessage {
	message := UserMessage{Text: round.Message}
	var b strings.Builder
	for _, cs := range round.Changes {
		for i := range cs.Files {
			d.verdictOn(&b, round, &cs.Files[i])
			message.Paths = append(message.Paths, cs.Files[i].Path, cs.Files[i].Target())
		}
	}
	if b.Len() > 0 {
		message.Text = strings.TrimSpace(message.Text + "\n\nThe user reviewed your changes. What was rejected or taken back is not in the workspace any more; what was kept, and what is not decided, is. Answer to the comments and to what was rejected; do not make rejected changes again unless they are asked for.\n\n" + b.String())
	}
	return message
}

func (d *Draft) verdictOn(b *strings.Builder, round *Round, f *edits.FileChange) {
	lines := text.NewLines(f.Before)
	for _, h := range f.Hunks {
		fmt.Fprintf(b, "%s, line %d: %s\n", d.snap.Rel(f.Target()), lines.LineAt(h.Edit.Span.Start)+1, decisions[h.State])
		said := round.said(f.Path, h.ID)
		if said != "" || h.State == edits.Rejected || h.State == edits.Undone {
			b.WriteString(marked("-", string(f.Before[h.Edit.Span.Start:h.Edit.Span.End])) + marked("+", h.Edit.New))
		}
		if said != "" {
			b.WriteString("The user says: " + said + "\n")
		}
	}
	if said := round.said(f.Path, 0); said != "" {
		fmt.Fprintf(b, "To all of %s the user says: %s\n", d.snap.Rel(f.Target()), said)
	}
}

func (round *Round) said(path string, hunk int) string {
	var said []string
	for _, c := range round.Comments {
		if c.Path == path && c.Hunk == hunk {
			said = append(said, c.Text)
		}
	}
	return strings.Join(said, " ")
}

// marked returns the first lines of s behind a mark.
func marked(mark, s string) string {
	var b strings.Builder
	n := 0
	for line := range strings.Lines(s) {
		if n++; n > maxHunkLines {
			b.WriteString(mark + "…\n")
			break
		}
		b.WriteString(mark + strings.TrimRight(line, "\r\n") + "\n")
	}
	return b.String()
}
