package index

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
)

// encodeFile writes f, without its path and language, as one blob: a checksum,
// then numbers as varints, strings behind their length. What grows along a
// file is written as differences. What names and symbols need comes before what
// references need, so that it can be read alone. Declarations are records of
// one size, so that one can be read alone: a search shows many, each of another
// file.
func encodeFile(f *file) []byte {
	e := &encoder{buf: make([]byte, 4, 4096)}
	e.num(uint64(f.modTime))
	e.num(uint64(f.size))
	e.num(uint64(f.lines))
	e.num(uint64(f.skipped))
	e.num(uint64(f.symbolCount))
	e.num(uint64(f.useCount))
	e.buf = append(e.buf, f.hash[:]...)
	o := f.outline()
	e.bits(o != nil)
	if o != nil {
		start := len(e.buf)
		e.buf = append(e.buf, 0, 0, 0, 0)
		e.head(o)
		binary.LittleEndian.PutUint32(e.buf[start:], uint32(len(e.buf)-start)) // where the declarations begin
		e.decls(o)
		e.uses(o)
	}
	binary.LittleEndian.PutUint32(e.buf, crc32.ChecksumIEEE(e.buf[4:]))
	return e.buf
}

type encoder struct{ buf []byte }

func (e *encoder) num(n uint64) { e.buf = binary.AppendUvarint(e.buf, n) }

func (e *encoder) str(s string) {
	e.num(uint64(len(s)))
	e.buf = append(e.buf, s...)
}

// bits appends up to eight flags as one byte.
func (e *encoder) bits(on ...bool) {
	b := byte(0)
	for i, bit := range on {
		if bit {
			b |= 1 << i
		}
	}
	e.buf = append(e.buf, b)
}

// head writes the imports and names of o, and how many declarations there are.
func (e *encoder) head(o *outline) {
	e.str(o.pkg)
	e.bits(o.module)
	e.str(o.fallback)
	e.num(uint64(len(o.imports)))
	for _, imp := range o.imports {
		e.str(imp.Path)
		e.str(imp.Name)
		e.str(imp.Alias)
		e.bits(imp.Explicit, imp.Exported)
	}
	e.num(uint64(len(o.names)))
	for i, name := range o.names {
		mentioned := uint64(0)
		if o.first[i] < o.first[i+1] {
			mentioned = 1
		}
		e.num(uint64(len(name))<<1 | mentioned)
		e.buf = append(e.buf, name...)
	}
	e.num(uint64(len(o.occs)))
	e.num(uint64(len(o.decls)))
}

// declSize is the size of a declaration as encoder.decls writes it, in bytes.
const declSize = 40

func (e *encoder) decls(o *outline) {
	for _, d := range o.decls {
		for _, n := range [...]uint32{d.start, d.end, d.at, d.occ, d.name, d.container, uint32(d.parent + 1), d.line, d.column} {
			e.buf = binary.LittleEndian.AppendUint32(e.buf, n)
		}
		e.buf = binary.LittleEndian.AppendUint16(e.buf, d.depth)
		e.buf = append(e.buf, byte(d.kind))
		e.bits(d.exported)
	}
}

// uses writes the occurrences and hints of o.
func (e *encoder) uses(o *outline) {
	last := uint32(0)
	for _, occ := range o.occs {
		e.num(uint64(occ.start - last))
		e.num(uint64(occ.name))
		e.num(uint64(occ.link))
		e.num(uint64(occ.flags))
		last = occ.start
	}
	e.num(uint64(len(o.hints)))
	for _, h := range o.hints {
		e.num(uint64(h.decl))
		e.num(uint64(h.typ))
	}
}

// decodeFile reads what encodeFile wrote, but for the outline, which is kept as
// it is until it is asked for. A blob that is damaged gives nil. The blob
// belongs to the file from then on.
func decodeFile(path string, language *lang.Language, blob []byte) *file {
	if len(blob) < 4 || binary.LittleEndian.Uint32(blob) != crc32.ChecksumIEEE(blob[4:]) {
		return nil
	}
	d := &decoder{buf: blob[4:]}
	f := &file{path: path, lang: language, modTime: int64(d.num()), size: int64(d.num()), lines: int64(d.num())}
	f.skipped = skip(d.below(len(skipNames)))
	f.symbolCount, f.useCount = int(d.num()), int(d.num())
	copy(f.hash[:], d.bytes(len(text.Hash{})))
	if d.bit() {
		f.packed = d.buf
	}
	if d.bad || f.packed == nil && len(d.buf) > 0 {
		return nil
	}
	return f
}

// unpack reads an outline, or one that is empty if packed is damaged.
func unpack(packed []byte) *outline {
	d := &decoder{buf: packed}
	o := d.head()
	d.uses(o)
	if d.bad || len(d.buf) > 0 {
		o = &outline{names: []string{""}}
	}
	o.group()
	return o
}

// unpackHead is unpack without occurrences and hints.
func unpackHead(packed []byte) *outline {
	d := &decoder{buf: packed}
	o := d.head()
	if d.bad {
		return &outline{names: []string{""}, unused: []bool{true}}
	}
	return o
}

// A decoder reads numbers and strings until something is wrong; then it reads
// zeros.
type decoder struct {
	buf []byte
	bad bool
}

func (d *decoder) num() uint64 {
	if len(d.buf) > 0 && d.buf[0] < 0x80 { // most are small
		n := d.buf[0]
		d.buf = d.buf[1:]
		return uint64(n)
	}
	n, size := binary.Uvarint(d.buf)
	if size <= 0 {
		d.bad, d.buf = true, nil
		return 0
	}
	d.buf = d.buf[size:]
	return n
}

// below reads an index into something of n elements.
func (d *decoder) below(n int) uint32 {
	i := d.num()
	if i >= uint64(n) {
		d.bad = true
		return 0
	}
	return uint32(i)
}

// count reads the number of records that follow, each of a byte at least.
func (d *decoder) count() int {
	n := d.num()
	if n > uint64(len(d.buf)) {
		d.bad = true
		return 0
	}
	return int(n)
}

func (d *decoder) bytes(n int) []byte {
	if n > len(d.buf) {
		d.bad = true
		return nil
	}
	out := d.buf[:n]
	d.buf = d.buf[n:]
	return out
}

func (d *decoder) str() string { return string(d.bytes(d.count())) }

// bits reads what encoder.bits wrote.
func (d *decoder) bits() byte {
	b := d.bytes(1)
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

func (d *decoder) bit() bool { return d.bits()&1 != 0 }

// unpackSymbol reads decl i alone, without its path and language; it makes no
// more strings than it returns.
func unpackSymbol(packed []byte, i int) Symbol {
	found, ok := unpackDecl(packed, i)
	if !ok {
		return Symbol{}
	}
	d := &decoder{buf: packed[4:]}
	d.skipImports()
	var name, container []byte
	for n := range min(uint32(d.count()), max(found.name, found.container)+1) {
		at, _ := d.name()
		if n == found.name {
			name = at
		}
		if n == found.container {
			container = at
		}
	}
	return found.symbol(string(name), string(container))
}

// unpackDecl reads decl i alone, and reports whether there is one.
func unpackDecl(packed []byte, i int) (decl, bool) {
	if len(packed) < 4 {
		return decl{}, false
	}
	at := uint64(binary.LittleEndian.Uint32(packed)) + uint64(i)*declSize
	if at+declSize > uint64(len(packed)) {
		return decl{}, false
	}
	return declOf(packed[at : at+declSize]), true
}

// declOf reads a record.
func declOf(record []byte) decl {
	field := func(i int) uint32 { return binary.LittleEndian.Uint32(record[4*i:]) }
	return decl{
		start: field(0), end: field(1), at: field(2), occ: field(3), name: field(4), container: field(5), parent: int32(field(6)) - 1,
		line: field(7), column: field(8),
		depth: binary.LittleEndian.Uint16(record[36:]), kind: Kind(record[38]), exported: record[39]&1 != 0,
	}
}

// symbol returns d, whose names are given, without its path and language.
func (d *decl) symbol(name, container string) Symbol {
	return Symbol{
		Name: name, Kind: d.kind, Container: container, Depth: int(d.depth), Exported: d.exported,
		Span:     text.Span{Start: int(d.start), End: int(d.end)},
		NameSpan: text.Span{Start: int(d.at), End: int(d.at) + len(name)},
	}
}

// skipImports passes over what stands before the names.
func (d *decoder) skipImports() {
	d.bytes(d.count())
	d.bits()
	d.bytes(d.count())
	for range d.count() {
		for range 3 { // path, name, alias
			d.bytes(d.count())
		}
		d.bits()
	}
}

// head reads what encoder.head wrote. The occurrences have their number only.
func (d *decoder) head() *outline {
	d.bytes(4)
	o := &outline{pkg: d.str(), module: d.bit(), fallback: d.str()}
	o.imports = make([]imported, d.count())
	for i := range o.imports {
		imp := imported{Path: d.str(), Name: d.str(), Alias: d.str()}
		bits := d.bits()
		imp.Explicit, imp.Exported = bits&1 != 0, bits&2 != 0
		o.imports[i] = imp
	}
	o.names = make([]string, d.count())
	for i := range o.names {
		name, mentioned := d.name()
		o.names[i] = string(name)
		o.unused = append(o.unused, !mentioned)
	}
	uses, count := d.count(), d.count() // of both, each follows with four bytes at least
	if count > len(d.buf)/declSize {
		d.bad = true
		return o
	}
	o.decls = make([]decl, count)
	for i := range o.decls {
		o.decls[i] = d.decl(i, len(o.names), uses)
	}
	o.useCount = uses
	return o
}

// name reads a name, and whether it occurs.
func (d *decoder) name() (name []byte, mentioned bool) {
	n := d.num()
	if n>>1 > uint64(len(d.buf)) {
		d.bad = true
		return nil, false
	}
	return d.bytes(int(n >> 1)), n&1 != 0
}

// uses reads what encoder.uses wrote into o.
func (d *decoder) uses(o *outline) {
	if d.bad {
		return
	}
	o.occs = make([]occurrence, o.useCount)
	last := uint32(0)
	for i := range o.occs {
		last += uint32(d.num())
		o.occs[i] = occurrence{
			start: last, name: d.below(len(o.names)), link: d.below(len(o.occs) + 1), flags: flags(d.num()),
		}
	}
	o.hints = make([]hint, d.count())
	for i := range o.hints {
		o.hints[i] = hint{decl: d.below(len(o.occs)), typ: d.below(len(o.occs))}
	}
}

// decl reads decl i of an outline of that many names and uses.
func (d *decoder) decl(i, names, uses int) decl {
	record := d.bytes(declSize)
	if record == nil {
		return decl{}
	}
	out := declOf(record)
	if int64(max(out.name, out.container)) >= int64(names) || int64(out.occ) >= int64(uses) || out.parent < noParent || int(out.parent) >= i {
		d.bad = true
		return decl{}
	}
	return out
}
