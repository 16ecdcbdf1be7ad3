package index

import (
	"cmp"
	"slices"

	"github.com/agentls/agentls/index/lang"
	"github.com/agentls/agentls/index/syntax"
)

// maxEmbedded bounds the texts of other languages in one file.
const maxEmbedded = 500

// An embedded text is one of another language inside of a file: a script in
// HTML, fenced code in Markdown.
type embedded struct {
	lang       *lang.Language
	start, end uint32
	container  int32 // the decl around it, or noParent
}

// embed notes the text that node n, whose frame is on top, embeds.
func (x *extraction) embed(n uint32) {
	name, content := x.lang.Embed(x.tree.At(n))
	language := lang.Written(name)
	if language == nil || content.None() || len(x.embedded) >= maxEmbedded {
		return
	}
	start, end := content.Span()
	x.embedded = append(x.embedded, embedded{language, uint32(start), uint32(end), x.frames[len(x.frames)-1].innerContainer})
}

// An embedding adds what embedded texts declare and mention to the outline of
// the file around them.
type embedding struct {
	out   *outline
	names map[string]uint32
}

// addEmbedded parses texts, which are those of src, and adds them to out. What
// is too much for a parser is left out, and so are texts in these texts.
func addEmbedded(p *syntax.Parser, out *outline, src []byte, texts []embedded) {
	e := &embedding{out: out, names: make(map[string]uint32, len(out.names))}
	for i, name := range out.names {
		e.names[name] = uint32(i)
	}
	for _, t := range texts {
		content := src[t.start:t.end]
		if nodes, err := p.Parse(t.lang.Tables().Syntax, content, parseTimeout); err == nil {
			inner, _ := extract(t.lang, nodes, content)
			e.add(inner, t)
		}
	}
	e.order()
	out.group()
}

func (e *embedding) intern(name string) uint32 {
	i, ok := e.names[name]
	if !ok {
		i = uint32(len(e.out.names))
		e.names[name] = i
		e.out.names = append(e.out.names, name)
	}
	return i
}

// add appends the records of inner, the outline of t.
func (e *embedding) add(inner *outline, t embedded) {
	o := e.out
	occs, decls := uint32(len(o.occs)), int32(len(o.decls))
	for _, occ := range inner.occs {
		occ.start += t.start
		occ.name = e.intern(inner.names[occ.name])
		if occ.link > 0 {
			occ.link += occs
		}
		o.occs = append(o.occs, occ)
	}
	for _, d := range inner.decls {
		d.start, d.end, d.at, d.occ = d.start+t.start, d.end+t.start, d.at+t.start, d.occ+occs
		d.name = e.intern(inner.names[d.name])
		e.place(&d, inner, t.container, decls)
		o.decls = append(o.decls, d)
	}
	for _, h := range inner.hints {
		o.hints = append(o.hints, hint{h.decl + occs, h.typ + occs})
	}
	o.imports = append(o.imports, inner.imports...)
}

// place puts d, of inner, into what is around: its own parent, or the decl
// container of the file. The decls of inner begin with first.
func (e *embedding) place(d *decl, inner *outline, container, first int32) {
	name := inner.names[d.container]
	if d.parent != noParent {
		d.parent += first
	} else {
		d.parent = container
	}
	if container != noParent {
		outer := e.out.qualified(int(container))
		d.depth += e.out.decls[container].depth + 1
		if name != "" {
			outer += "."
		}
		name = outer + name
	}
	d.container = e.intern(name)
}

// order puts the records in the order of the text.
func (e *embedding) order() {
	o := e.out
	occs := reorder(o.occs, func(occ occurrence) uint32 { return occ.start })
	decls := reorder(o.decls, func(d decl) uint32 { return d.start })
	for i := range o.occs {
		if link := o.occs[i].link; link > 0 {
			o.occs[i].link = occs[link-1] + 1
		}
	}
	for i := range o.decls {
		d := &o.decls[i]
		d.occ = occs[d.occ]
		if d.parent != noParent {
			d.parent = int32(decls[d.parent])
		}
	}
	for i, h := range o.hints {
		o.hints[i] = hint{occs[h.decl], occs[h.typ]}
	}
	slices.SortStableFunc(o.hints, func(a, b hint) int { return cmp.Compare(a.decl, b.decl) })
}

// reorder sorts records by where they begin, and returns where each went.
func reorder[R any](records []R, start func(R) uint32) (places []uint32) {
	from := make([]int, len(records))
	for i := range from {
		from[i] = i
	}
	slices.SortStableFunc(from, func(a, b int) int { return cmp.Compare(start(records[a]), start(records[b])) })
	old := slices.Clone(records)
	places = make([]uint32, len(records))
	for to, i := range from {
		records[to] = old[i]
		places[i] = uint32(to)
	}
	return places
}
