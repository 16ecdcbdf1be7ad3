package agent

import (
	"io/fs"
	"maps"
)

// A FileState is a file as a draft has it.
type FileState struct {
	Content []byte
	Mode    fs.FileMode // permission bits; 0: those on the disk
	Gone    bool
}

// Overlay returns how the draft differs from the disk, by absolute path: what
// was changed, and the user's open documents, saved or not. Symbolic links
// below the roots are resolved. What is withheld from models, and was not
// changed, is left out. The contents belong to the draft.
func (d *Draft) Overlay() map[string]FileState {
	overlay := map[string]FileState{}
	for _, doc := range d.snap.Documents() {
		if path, err := d.confine(doc.Path); err == nil {
			if _, withheld := d.Withheld(path); !withheld {
				overlay[path] = FileState{Content: doc.Text}
			}
		}
	}
	for path, f := range d.changed {
		overlay[path] = FileState{Content: f.content, Mode: f.mode, Gone: f.gone}
	}
	return overlay
}

// clone returns a draft with the same changes, for what is to be thrown away.
func (d *Draft) clone() *Draft {
	out := *d
	out.changed, out.fresh, out.shown, out.images = maps.Clone(d.changed), maps.Clone(d.fresh), nil, nil
	out.leftOut = maps.Clone(d.leftOut)
	return &out
}
