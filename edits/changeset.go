// Package edits turns what somebody wants to change into a change set: a
// proposal that is seen hunk by hunk, applied all or nothing and never over
// unseen text, and taken back at any time.
package edits

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/agentls/agentls/edits/text"
)

// A ChangeSet is what a draft became. By itself it has no effect. Its
// contents never change: Rebase, Select and Inverse return new ones; only the
// states of its hunks are set, by whoever owns it.
type ChangeSet struct {
	ID     string       `json:"id"`
	Title  string       `json:"title"`
	Files  []FileChange `json:"files"`
	Checks []Check      `json:"checks,omitempty"` // of what it was when it was proposed, all hunks accepted

	// LeftOut are the files that were to change with these and are listed only,
	// by path: what is no text is never edited.
	LeftOut []LeftOut `json:"leftOut,omitempty"`
}

// A LeftOut is a file that a change set lists and does not change.
type LeftOut struct {
	Path string `json:"path"` // absolute
	Why  string `json:"why"`  // for people: "a binary file of 812 bytes"
}

// NotRun is the Exit of a Check that could not be run.
const NotRun = -1

// A Check is a command that ran on what a change set leads to.
type Check struct {
	Command     string  `json:"command"`
	Passed      bool    `json:"passed"`
	Exit        int     `json:"exit"`              // 128+n if signal n ended it; or NotRun
	Stopped     string  `json:"stopped,omitempty"` // the limit that ended it
	Output      string  `json:"output"`            // its end; why it could not be run
	Seconds     float64 `json:"seconds"`
	Confinement string  `json:"confinement"` // how it was confined, for people
}

// String says in a line how the check went, without its output.
func (c *Check) String() string {
	mark := "✓"
	if !c.Passed {
		mark = "✗"
	}
	return fmt.Sprintf("%s %s  %s", mark, c.Command, c.Outcome())
}

// Outcome says how the check ended.
func (c *Check) Outcome() string {
	switch {
	case c.Exit == NotRun:
		return "could not be run"
	case c.Stopped != "":
		return fmt.Sprintf("stopped after %.1f s: the limit of %s", c.Seconds, c.Stopped)
	case c.Passed:
		return fmt.Sprintf("%.1f s", c.Seconds)
	default:
		return fmt.Sprintf("exit code %d after %.1f s", c.Exit, c.Seconds)
	}
}

// An Op is what happens to one file.
type Op string

// The operations. A file that overwrites another one is a Modify of the file
// it overwrites, so that undo brings that one back.
const (
	Modify Op = "modify"
	Create Op = "create"
	Delete Op = "delete"
	Rename Op = "rename"
)

// A FileChange is the change of one file, from the content it was made from.
//
// Invariant: Hunks are sorted by Span, never overlap, and are never empty. A
// Create and a Delete have exactly one, which is the whole file. The first of
// a Rename is the renaming itself: its span and text are empty. So is the only
// one of a Modify that changes just the Mode; where text changes too, the Mode
// goes with whichever of its hunks is applied first.
type FileChange struct {
	Op     Op          `json:"op"`
	Path   string      `json:"path"`         // absolute and clean
	To     string      `json:"to,omitempty"` // absolute and clean; of a Rename
	Base   text.Hash   `json:"base"`         // of Before; zero for a Create
	Before []byte      `json:"before"`       // the content that spans count in
	Mode   fs.FileMode `json:"mode"`         // permission bits of the result; 0 keeps what is there, or 0644; setuid, setgid and sticky bits of what is there stay
	Was    fs.FileMode `json:"was"`          // permission bits of Before, for Inverse; 0: not known, or not changed
	Hunks  []Hunk      `json:"hunks"`

	// Origin is, in what Rebase returns, the Path in the change set that it
	// was given of a declaration that is in the file at Path now. The hunks
	// have the IDs that they had there. "" is Path itself.
	Origin string `json:"origin,omitempty"`

	// Overwrites says that a file was there which whoever made the change
	// did not read: a preview shows it.
	Overwrites bool `json:"overwrites,omitempty"`
}

// A Hunk is the smallest piece that is accepted or rejected: whole lines of
// FileChange.Before, and what takes their place.
type Hunk struct {
	ID    int       `json:"id"` // from 1, unique in its file; kept by Rebase
	Edit  text.Edit `json:"edit"`
	State State     `json:"state"`

	// Old is, of a hunk in conflict, the text it was made to replace; its
	// Span holds what took that text's place. Rebase needs it to try again.
	Old string `json:"old,omitempty"`
}

// A State says what became of a hunk.
type State string

// The states of a hunk.
const (
	Pending    State = "pending"
	Applied    State = "applied"
	Rejected   State = "rejected"
	InConflict State = "conflict"
	Undone     State = "undone"
)

// A Source reads files as they are now, in any number of goroutines. A path that
// does not exist gives an error that is fs.ErrNotExist.
type Source interface {
	ReadFile(ctx context.Context, path string) ([]byte, error)
}

// A Target can also be changed: a directory tree, or an editor's documents
// over one.
//
// Apply makes all pending hunks of cs and returns nil only after each file was
// seen in its planned state. It need not be atomic: the Journal takes back
// what an error left behind. cs was rebased onto the Target before.
type Target interface {
	Source
	Apply(ctx context.Context, cs *ChangeSet) error
}

// A Conflict is a hunk that does not fit what is there now.
type Conflict struct {
	Path   string    `json:"path"`
	Hunk   int       `json:"hunk"` // Hunk.ID; 0 where the whole file is meant
	Span   text.Span `json:"span"` // the lines of the present content it collides with
	Reason string    `json:"reason"`
	Ours   string    `json:"ours"`   // what the change set wants there
	Theirs string    `json:"theirs"` // what is there now
}
