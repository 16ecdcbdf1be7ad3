package index

import (
	"fmt"
	"regexp"

	"github.com/agentls/agentls/edits/text"
)

// identifier is a name in the languages of the index.
var identifier = regexp.MustCompile(`^[\p{L}_$][\p{L}\p{N}_$]*$`)

// A Renaming is the edits that give a declaration another name, and what they
// leave alone.
type Renaming struct {
	Edits    map[string][]text.Edit // by path
	Places   int                    // in all of Edits
	Possible []Reference            // of that name, but not for certain the same
}

// Rename returns the edits by which refs, the references of one declaration,
// get another name, where they are certain. The error says that name is none.
func Rename(refs []Reference, name string) (*Renaming, error) {
	if !identifier.MatchString(name) {
		return nil, fmt.Errorf("%q is not a name", name)
	}
	r := &Renaming{Edits: map[string][]text.Edit{}}
	for _, ref := range refs {
		if ref.Certainty != Certain {
			r.Possible = append(r.Possible, ref)
			continue
		}
		r.Edits[ref.Path] = append(r.Edits[ref.Path], text.Edit{Span: ref.Span, New: name})
		r.Places++
	}
	return r, nil
}
