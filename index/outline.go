package index

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
)

// flags say what is known of an occurrence without looking outside its file.
type flags uint16

const (
	isDefinition flags = 1 << iota
	isLocal            // resolved inside the file: link is the declaration
	isAccess           // behind a dot: link is what stands before it, if that is a name
	isKey              // of a literal: link is the literal's type, if it is written; or the name of an argument
	isCall
	isImport   // in an import
	isSelf     // this, self
	isBase     // what the declaration around it extends, implements or embeds
	isWrite    // gets a value
	isOwner    // what is declared around it belongs to this type: Rust's impl A for B
	isBoth     // the name of a field and of its value at once: {a} for {a: a}; with isKey: of an argument
	isNameless // in a class, object or interface without a name: this and what is defined is its own
)

// An occurrence is one identifier.
type occurrence struct {
	start uint32
	name  uint32 // in outline.names
	link  uint32 // 1 + the index of another occurrence, or 0; see isLocal, isAccess and isKey
	flags flags
}

func (o occurrence) has(f flags) bool { return o.flags&f != 0 }

// A decl is a Symbol as the outline keeps it.
type decl struct {
	start, end uint32
	occ        uint32 // the occurrence that names it
	at         uint32 // where the name begins
	line       uint32 // of at, from 1; 0: not known, see outline.place
	column     uint32 // of at, in bytes
	name       uint32
	container  uint32 // in outline.names; 0 is ""
	parent     int32  // the enclosing decl, or -1
	depth      uint16
	kind       Kind
	exported   bool
}

// A hint says what names the type of what an occurrence declares. Where type
// itself isCall, it is the type that call returns.
type hint struct {
	decl, typ uint32 // occurrences
}

// imported is one name that an import statement brings in.
type imported = lang.Import

// An outline is what one parse found, in flat records. It never changes.
type outline struct {
	pkg      string // Go: the package; of a go.mod: the module path
	module   bool   // JavaScript: has imports or exports
	fallback string // JavaScript: what the default export is called here
	imports  []imported
	names    []string // distinct; the first is ""
	unused   []bool   // names that do not occur, where the occurrences were not read
	decls    []decl   // in source order
	occs     []occurrence
	useCount int      // of occs, where these were not read
	hints    []hint   // by decl
	byName   []uint32 // occurrences grouped by name
	first    []uint32 // name → where its group begins in byName; one more than names
}

// group builds the orders that are derived from the rest.
func (o *outline) group() {
	o.first = make([]uint32, len(o.names)+1)
	for _, occ := range o.occs {
		o.first[occ.name+1]++
	}
	for i := 1; i < len(o.first); i++ {
		o.first[i] += o.first[i-1]
	}
	next := slices.Clone(o.first)
	o.byName = make([]uint32, len(o.occs))
	for i, occ := range o.occs {
		o.byName[next[occ.name]] = uint32(i)
		next[occ.name]++
	}
}

// mentions reports whether name i occurs.
func (o *outline) mentions(i int) bool {
	if o.first == nil {
		return !o.unused[i]
	}
	return o.first[i] < o.first[i+1]
}

// named returns the occurrences of name, in source order.
func (o *outline) named(name string) []uint32 {
	n := slices.Index(o.names, name) // few files have so many names that an order would pay
	if n < 0 {
		return nil
	}
	return o.byName[o.first[n]:o.first[n+1]]
}

// at returns the occurrence that covers offset, or that ends there.
func (o *outline) at(offset int) (int, bool) {
	i, found := slices.BinarySearchFunc(o.occs, uint32(max(offset, 0)), func(occ occurrence, at uint32) int {
		return cmp.Compare(occ.start, at)
	})
	if found {
		return i, true
	}
	if i == 0 || !o.span(i-1).Contains(offset) {
		return 0, false
	}
	return i - 1, true
}

func (o *outline) name(occ int) string { return o.names[o.occs[occ].name] }

func (o *outline) span(occ int) text.Span {
	start := int(o.occs[occ].start)
	return text.Span{Start: start, End: start + len(o.name(occ))}
}

// symbol returns d, which is one of o's, without its path.
func (o *outline) symbol(d *decl, language *lang.Language) Symbol {
	return Symbol{
		Name: o.names[d.name], Kind: d.kind,
		Span:      text.Span{Start: int(d.start), End: int(d.end)},
		NameSpan:  text.Span{Start: int(d.at), End: int(d.at) + len(o.names[d.name])},
		Container: o.names[d.container], Depth: int(d.depth),
		Language: language.Name, Exported: d.exported,
	}
}

// place finds the lines of the declarations in src, so that a search can say
// where they are without reading the file. Where a line holds more than ASCII
// before the name, its column depends on who asks, and is left out.
func (o *outline) place(src []byte) {
	if o == nil || len(o.decls) == 0 {
		return
	}
	lines := text.NewLines(src)
	for i := range o.decls {
		d := &o.decls[i]
		line := lines.LineAt(int(d.at))
		start := lines.Start(line)
		if isASCII(src[start:d.at]) {
			d.line, d.column = uint32(line)+1, d.at-uint32(start)
		}
	}
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// hint returns the occurrence that names the type of what occ declares.
func (o *outline) hint(occ int) (typ int, ok bool) {
	i, ok := slices.BinarySearchFunc(o.hints, uint32(occ), func(h hint, occ uint32) int { return cmp.Compare(h.decl, occ) })
	if !ok {
		return 0, false
	}
	return int(o.hints[i].typ), true
}

// enclosing returns the innermost decl around span, or -1.
func (o *outline) enclosing(span text.Span) int {
	best := -1
	for i, d := range o.decls {
		if int(d.start) > span.Start {
			break
		}
		if span.End <= int(d.end) && (best < 0 || d.end-d.start <= o.decls[best].end-o.decls[best].start) {
			best = i
		}
	}
	return best
}

// declAt returns the decl that occurrence occ names, or -1.
func (o *outline) declAt(occ int) int {
	start := o.occs[occ].start
	for i, d := range o.decls {
		if d.start > start {
			break
		}
		if int(d.occ) == occ {
			return i
		}
	}
	return -1
}
