package lsp

import (
	"context"
	"fmt"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

type changeSetParams struct {
	ChangeSet string `json:"changeSet,omitempty"` // absent: the newest proposal
}

type listParams struct{}

type listResult struct {
	Proposals []proposalLine `json:"proposals"` // oldest first
	Entries   []entryLine    `json:"entries"`   // of the journal, newest first
}

type proposalLine struct {
	ID     string       `json:"id"`
	Title  string       `json:"title"`
	Files  int          `json:"files"`
	Counts edits.Counts `json:"counts"`

	Checks []edits.Check `json:"checks,omitempty"`
}

type entryLine struct {
	ID        string           `json:"id"`
	ChangeSet string           `json:"changeSet"`
	Title     string           `json:"title"`
	State     edits.EntryState `json:"state"`
	Time      string           `json:"time"` // RFC 3339
	Unsaved   []uri.URI        `json:"unsaved,omitempty"`
}

// maxEntries bounds the history that a client is shown.
const maxEntries = 50

// listChanges answers the proposals that wait and what can be undone.
func (s *Server) listChanges(ctx context.Context, _ *listParams) (*listResult, error) {
	out := &listResult{Proposals: []proposalLine{}, Entries: []entryLine{}}
	for _, cs := range s.review.all() {
		out.Proposals = append(out.Proposals, proposalLine{ID: cs.ID, Title: cs.Title, Files: len(cs.Files), Counts: cs.Counts(), Checks: cs.Checks})
	}
	entries, err := s.journal().Entries(ctx, maxEntries)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		out.Entries = append(out.Entries, entryLine{
			ID: e.ID, ChangeSet: e.ChangeSet, Title: e.Title, State: e.State,
			Time: e.Time.Format(timeFormat), Unsaved: uris(e.Unsaved),
		})
	}
	return out, nil
}

const timeFormat = "2006-01-02T15:04:05Z07:00"

func uris(paths []string) []uri.URI {
	out := make([]uri.URI, 0, len(paths))
	for _, p := range paths {
		out = append(out, fileURI(p))
	}
	return out
}

type showResult struct {
	ID    string     `json:"id"`
	Title string     `json:"title"`
	Files []fileView `json:"files"`

	LeftOut []leftView    `json:"leftOut,omitempty"`
	Checks  []edits.Check `json:"checks,omitempty"`
}

type fileView struct {
	Op     edits.Op   `json:"op"`
	URI    uri.URI    `json:"uri"`
	To     uri.URI    `json:"to,omitempty"`   // of a rename
	Mode   string     `json:"mode,omitempty"` // the permission bits it gets, octal; absent: those it has
	Before string     `json:"before"`         // the content that ranges count in: what is there now
	Hunks  []hunkView `json:"hunks"`
}

// A leftView is a file that the proposal lists and does not change.
type leftView struct {
	URI uri.URI `json:"uri"`
	Why string  `json:"why"`
}

type hunkView struct {
	Hunk     int            `json:"hunk"`
	State    edits.State    `json:"state"`
	Range    protocol.Range `json:"range"`
	NewText  string         `json:"newText"`
	Conflict string         `json:"conflict,omitempty"` // why it cannot be accepted
}

// showChanges answers the undecided hunks of a proposal, where they stand now.
func (s *Server) showChanges(ctx context.Context, p *changeSetParams) (*showResult, error) {
	cs, err := s.review.find(p.ChangeSet)
	if err != nil {
		return nil, err
	}
	hunks, err := placeOf(ctx, cs, snapshot(ctx))
	if err != nil {
		return nil, err
	}
	out := &showResult{ID: cs.ID, Title: cs.Title, Files: []fileView{}, Checks: cs.Checks}
	for _, left := range cs.LeftOut {
		out.LeftOut = append(out.LeftOut, leftView{URI: fileURI(left.Path), Why: left.Why})
	}
	for i, h := range hunks {
		if i == 0 || hunks[i-1].file != h.file {
			out.Files = append(out.Files, viewFile(h.file))
		}
		last := &out.Files[len(out.Files)-1]
		last.Hunks = append(last.Hunks, hunkView{
			Hunk: h.hunk.ID, State: h.hunk.State, NewText: h.hunk.Edit.New, Conflict: h.why,
			Range: toRange(text.NewLines(h.file.Before), h.hunk.Edit.Span, s.client.encoding),
		})
	}
	return out, nil
}

func viewFile(f *edits.FileChange) fileView {
	view := fileView{Op: f.Op, URI: fileURI(f.Path), Before: string(f.Before)}
	if f.To != "" {
		view.To = fileURI(f.To)
	}
	if f.Mode != 0 {
		view.Mode = fmt.Sprintf("%04o", f.Mode.Perm())
	}
	return view
}
