package index

import (
	"bytes"
	"sync"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/syntax"
)

// A Document is an open buffer. Text belongs to the snapshot.
type Document struct {
	Path     string
	Version  int32
	Language string // as the editor said; may be ""
	Text     []byte
	Dirty    bool // differs from the disk, as far as the index has seen it, or was edited since the last save
}

// A document is one version of an open buffer. Its outline is made when first
// asked for, and shared by all snapshots that hold this version.
type document struct {
	Document
	follower  *follower
	wasEdited bool // since it was opened: the next keystroke is near

	once  sync.Once
	image *file
}

func (d *document) languageName() string {
	if d == nil {
		return ""
	}
	return d.Language
}

func (d *document) file() *file {
	d.once.Do(func() {
		if d.wasEdited {
			d.image = d.follower.file(d.Text)
		}
		if d.image == nil {
			d.image = newFile(d.Path, d.follower.lang, d.Text)
		}
	})
	return d.image
}

// symbols returns the outline of d, or nil if it has none, without making the
// rest.
func (d *document) symbols() []Symbol {
	if d.wasEdited {
		if syms, ok := d.follower.symbols(d.Text); ok {
			return syms
		}
	}
	return d.file().symbols()
}

// edited returns the next version of d.
func (d *document) edited(mod *Modification) (*document, error) {
	next := &document{Document: d.Document, follower: d.follower, wasEdited: true}
	next.Version, next.Dirty = mod.Version, true
	if mod.Text != nil {
		next.Text = mod.Text
	}
	for _, e := range mod.Edits {
		var err error
		if next.Text, err = text.Apply(next.Text, []text.Edit{e}); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// saved returns d as it is on disk now.
func (d *document) saved(mod *Modification) *document {
	next := &document{Document: d.Document, follower: d.follower, wasEdited: d.wasEdited}
	if next.Dirty = mod.Text != nil && string(mod.Text) != string(d.Text); !next.Dirty {
		// the same text: keep the outline, if there is one
		next.once.Do(func() { next.image = d.file() })
	}
	return next
}

// A file is one content of one path, and what was found in it. It never
// changes.
type file struct {
	path     string
	size     int64 // bytes
	lines    int64
	modTime  int64     // Unix nanoseconds; of an open document 0
	hash     text.Hash // zero: the content was not read, or only skimmed for now
	lang     *language // nil: not known
	skipped  skip
	*outline // nil: known by name only
}

// newFile parses content.
func newFile(path string, lang *language, content []byte) *file {
	var f *file
	withParser(func(p *syntax.Parser) { f = parseFile(p, path, lang, content) })
	return f
}

// parseFile is newFile with a parser of the caller's.
func parseFile(p *syntax.Parser, path string, lang *language, content []byte) *file {
	f := &file{path: path, size: int64(len(content)), lines: lineCount(content), hash: text.HashOf(content), lang: lang}
	f.outline, f.skipped = parse(p, path, lang, content)
	return f
}

func lineCount(content []byte) int64 { return int64(bytes.Count(content, []byte("\n"))) }

// symbol returns decl i of f.
func (f *file) symbol(i int) Symbol {
	sym := f.outline.symbol(&f.decls[i], f.lang)
	sym.Path = f.path
	return sym
}

// symbols returns the outline of f; nil if it is known by name only.
func (f *file) symbols() []Symbol {
	if f.outline == nil {
		return nil
	}
	syms := make([]Symbol, len(f.decls))
	for i := range syms {
		syms[i] = f.symbol(i)
	}
	return syms
}
