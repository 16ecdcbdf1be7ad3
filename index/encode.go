package index

import (
	"encoding/binary"
	"hash/crc32"
	"unique"

	"github.com/agentls/agentls/edits/text"
)

// encodeFile writes f, without its path and language, as one blob: a checksum,
// then numbers as varints, strings behind their length. What grows along a
// file is written as differences.
func encodeFile(f *file) []byte {
	e := &encoder{buf: make([]byte, 4, 4096)}
	e.num(uint64(f.modTime))
	e.num(uint64(f.size))
	e.num(uint64(f.lines))
	e.num(uint64(f.skipped))
	e.buf = append(e.buf, f.hash[:]...)
	e.bits(f.outline != nil)
	if f.outline != nil {
		e.outline(f.outline)
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

func (e *encoder) outline(o *outline) {
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
	for _, name := range o.names {
		e.str(name)
	}
	e.num(uint64(len(o.occs)))
	last := uint32(0)
	for _, occ := range o.occs {
		e.num(uint64(occ.start - last))
		e.num(uint64(occ.name))
		e.num(uint64(occ.link))
		e.num(uint64(occ.flags))
		last = occ.start
	}
	e.num(uint64(len(o.decls)))
	for _, d := range o.decls {
		for _, n := range [...]uint32{d.start, d.end - d.start, d.occ, d.container, uint32(d.parent + 1), uint32(d.depth), uint32(d.kind)} {
			e.num(uint64(n))
		}
		e.bits(d.exported)
	}
	e.num(uint64(len(o.hints)))
	for _, h := range o.hints {
		e.num(uint64(h.decl))
		e.num(uint64(h.typ))
	}
}

// decodeFile reads what encodeFile wrote. A blob that is damaged gives nil.
func decodeFile(path string, lang *language, blob []byte) *file {
	if len(blob) < 4 || binary.LittleEndian.Uint32(blob) != crc32.ChecksumIEEE(blob[4:]) {
		return nil
	}
	d := &decoder{buf: blob[4:]}
	f := &file{path: path, lang: lang, modTime: int64(d.num()), size: int64(d.num()), lines: int64(d.num())}
	f.skipped = skip(d.below(len(skipNames)))
	copy(f.hash[:], d.bytes(len(text.Hash{})))
	if d.bit() {
		f.outline = d.outline()
	}
	if d.bad || len(d.buf) > 0 {
		return nil
	}
	return f
}

// A decoder reads numbers and strings until something is wrong; then it reads
// zeros.
type decoder struct {
	buf []byte
	bad bool
}

func (d *decoder) num() uint64 {
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

// str reads a string that all files share.
func (d *decoder) str() string { return unique.Make(string(d.bytes(d.count()))).Value() }

// bits reads what encoder.bits wrote.
func (d *decoder) bits() byte {
	b := d.bytes(1)
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

func (d *decoder) bit() bool { return d.bits()&1 != 0 }

func (d *decoder) outline() *outline {
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
		o.names[i] = d.str()
	}
	o.occs = make([]occurrence, d.count())
	last := uint32(0)
	for i := range o.occs {
		last += uint32(d.num())
		o.occs[i] = occurrence{
			start: last, name: d.below(len(o.names)), link: d.below(len(o.occs) + 1), flags: flags(d.num()),
		}
	}
	o.decls = make([]decl, d.count())
	for i := range o.decls {
		o.decls[i] = d.decl(o, i)
	}
	o.hints = make([]hint, d.count())
	for i := range o.hints {
		o.hints[i] = hint{decl: d.below(len(o.occs)), typ: d.below(len(o.occs))}
	}
	if d.bad {
		return nil
	}
	o.group()
	return o
}

func (d *decoder) decl(o *outline, i int) decl {
	start := uint32(d.num())
	out := decl{start: start, end: start + uint32(d.num()), occ: d.below(len(o.occs))}
	out.container, out.parent = d.below(len(o.names)), int32(d.below(i+1))-1
	out.depth, out.kind, out.exported = uint16(d.num()), Kind(d.num()), d.bit()
	if !d.bad {
		out.name = o.occs[out.occ].name
	}
	return out
}
