package index

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
	"github.com/agentls/agentls/index/syntax"
)

// A Document is an open buffer. Text belongs to the snapshot.
type Document struct {
	Path     string
	File     string // what Path leads to, where a link is in it; else ""
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

// ledTo returns the files that documents were opened as by a link, or nil: what
// is open in their place.
func ledTo(docs map[string]*document) map[string]*document {
	var out map[string]*document
	for _, d := range docs {
		if d.File == "" {
			continue
		}
		if out == nil {
			out = map[string]*document{}
		}
		out[d.File] = d
	}
	return out
}

func (d *document) languageName() string {
	if d == nil {
		return ""
	}
	return d.Language
}

// leadsTo returns the File of a document; "" of none.
func (d *document) leadsTo() string {
	if d == nil {
		return ""
	}
	return d.File
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
// changes, but for what it has unpacked.
type file struct {
	path        string
	size        int64 // bytes
	lines       int64
	modTime     int64          // Unix nanoseconds; of an open document 0
	hash        text.Hash      // zero: the content was not read, or only skimmed for now
	lang        *lang.Language // nil: not known
	skipped     skip
	symbolCount int
	useCount    int

	packed   []byte                  // the outline as encodeFile writes it; nil: it is in memory, or there is none
	unpacked atomic.Pointer[outline] // nil: not now, or there is none
}

// newFile parses content.
func newFile(path string, language *lang.Language, content []byte) *file {
	var f *file
	withParser(func(p *syntax.Parser) { f = parseFile(p, path, language, content) })
	return f
}

// parseFile is newFile with a parser of the caller's.
func parseFile(p *syntax.Parser, path string, language *lang.Language, content []byte) *file {
	f := &file{path: path, size: int64(len(content)), lines: lineCount(content), hash: text.HashOf(content), lang: language}
	out, skipped := parse(p, path, language, content)
	f.skipped = skipped
	f.hold(out)
	return f
}

// hold gives f, which nobody has seen yet, its outline; nil is none.
func (f *file) hold(o *outline) {
	if o != nil {
		f.symbolCount, f.useCount = len(o.decls), len(o.occs)
		f.unpacked.Store(o)
	}
}

// pack returns f, which is new, as the index keeps it: with its outline
// packed. The blob is for the cache too.
func (f *file) pack() (packed *file, blob []byte) {
	blob = bytes.Clone(encodeFile(f)) // as large as it is, not as it grew
	return decodeFile(f.path, f.lang, blob), blob
}

// at returns f with another time.
func (f *file) at(modTime int64) *file {
	same := &file{
		path: f.path, size: f.size, lines: f.lines, modTime: modTime, hash: f.hash, lang: f.lang,
		skipped: f.skipped, symbolCount: f.symbolCount, useCount: f.useCount, packed: f.packed,
	}
	same.unpacked.Store(f.unpacked.Load())
	return same
}

// isParsed reports whether f has an outline.
func (f *file) isParsed() bool { return f.packed != nil || f.unpacked.Load() != nil }

// outline returns the outline of f, or nil if it is known by name only.
func (f *file) outline() *outline {
	o := f.unpacked.Load()
	if o == nil && f.packed != nil {
		o = unpack(f.packed)
		f.unpacked.Store(o)
		recent.add(f, o)
	}
	return o
}

// head is outline without occurrences and hints, for who needs it once.
func (f *file) head() *outline {
	if o := f.unpacked.Load(); o != nil || f.packed == nil {
		return o
	}
	return unpackHead(f.packed)
}

// maxUnpacked bounds the outlines that are kept unpacked, in bytes.
const maxUnpacked = 64 << 20

// recent holds what was unpacked last, for all workspaces of the process.
var recent unpackings

// unpackings forget the outlines that were unpacked first when there are too
// many.
type unpackings struct {
	mu    sync.Mutex // guards the below
	files []*file
	size  int
}

func (u *unpackings) add(f *file, o *outline) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.files = append(u.files, f)
	u.size += o.weight()
	for u.size > maxUnpacked && len(u.files) > 1 {
		first := u.files[0]
		u.files[0], u.files = nil, u.files[1:]
		if o := first.unpacked.Swap(nil); o != nil {
			u.size -= o.weight()
		}
	}
}

// weight returns about how many bytes o takes.
func (o *outline) weight() int { return 24*len(o.occs) + 48*len(o.names) + 56*len(o.decls) + 512 }

func lineCount(content []byte) int64 { return int64(bytes.Count(content, []byte("\n"))) }

// symbol returns decl i of f.
func (f *file) symbol(i int) Symbol {
	var sym Symbol
	if o := f.unpacked.Load(); o != nil {
		sym = o.symbol(&o.decls[i], f.lang)
	} else {
		sym = unpackSymbol(f.packed, i)
		sym.Language = f.lang.Name
	}
	sym.Path = f.path
	return sym
}

// symbols returns the outline of f; nil if it is known by name only.
func (f *file) symbols() []Symbol {
	o := f.head()
	if o == nil {
		return nil
	}
	syms := make([]Symbol, len(o.decls))
	for i := range syms {
		syms[i] = o.symbol(&o.decls[i], f.lang)
		syms[i].Path = f.path
	}
	return syms
}

// What an outline answers, of f's.
func (f *file) named(name string) []uint32      { return f.outline().named(name) }
func (f *file) name(occ int) string             { return f.outline().name(occ) }
func (f *file) span(occ int) text.Span          { return f.outline().span(occ) }
func (f *file) hint(occ int) (int, bool)        { return f.outline().hint(occ) }
func (f *file) enclosing(span text.Span) int    { return f.outline().enclosing(span) }
func (f *file) declAt(occ int) int              { return f.outline().declAt(occ) }
func (f *file) covering(offset int) (int, bool) { return f.outline().at(offset) }
