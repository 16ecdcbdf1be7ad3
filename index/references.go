package index

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// Definitions returns where the identifier at offset is declared, best first:
// in the same scope, file, package, or by an import; where nothing is sure, all
// that it possibly means. A local variable is answered as a Variable.
func (s *Snapshot) Definitions(ctx context.Context, path string, offset int) ([]Symbol, error) {
	f, i, ok, err := s.occurrenceAt(ctx, path, offset)
	if err != nil || !ok {
		return nil, err
	}
	if f.outline().occs[i].has(isLocal) {
		return []Symbol{f.local(int(f.outline().occs[i].link) - 1)}, nil
	}
	found := s.resolver().meanings(f, i)
	slices.SortStableFunc(found, func(a, b target) int {
		return cmp.Or(distance(f, a)-distance(f, b), strings.Compare(a.path, b.path), cmp.Compare(a.at, b.at))
	})
	syms := make([]Symbol, len(found))
	for i, t := range found {
		syms[i] = t.Symbol()
	}
	return syms, nil
}

func distance(f *file, t target) int {
	fromDir := folderOf(f.path)
	toDir := folderOf(t.path)
	switch {
	case f.path == t.path:
		return 0
	case fromDir == toDir:
		return 1
	default:
		return 2
	}
}

func (s *Snapshot) occurrenceAt(ctx context.Context, path string, offset int) (f *file, i int, ok bool, err error) {
	f, err = s.file(ctx, path)
	if err != nil || !f.isParsed() {
		return nil, 0, false, err
	}
	i, ok = f.covering(offset)
	return f, i, ok, nil
}

// local returns a local name as a symbol.
func (f *file) local(occ int) Symbol {
	if at := f.declAt(occ); at >= 0 {
		return f.symbol(at)
	}
	sym := Symbol{Name: f.name(occ), Kind: Variable, Path: f.path, Span: f.span(occ), NameSpan: f.span(occ), Language: f.lang.Name}
	if in := f.enclosing(sym.Span); in >= 0 {
		sym.Container, sym.Depth = f.symbol(in).Qualified(), int(f.outline().decls[in].depth)+1
	}
	return sym
}

// References returns the uses of what is at offset, its definitions included:
// certain ones first, then by path and place.
func (s *Snapshot) References(ctx context.Context, path string, offset int) ([]Reference, error) {
	f, i, ok, err := s.occurrenceAt(ctx, path, offset)
	if err != nil || !ok {
		return nil, err
	}
	if f.outline().occs[i].has(isLocal) && !f.isPromoted(i) {
		return f.localReferences(int(f.outline().occs[i].link) - 1), nil
	}
	r := s.resolver()
	return r.references(ctx, r.meanings(f, i))
}

// ReferencesTo is References for a symbol that s, or a snapshot in which its
// file is the same, answered.
func (s *Snapshot) ReferencesTo(ctx context.Context, sym Symbol) ([]Reference, error) {
	t, ok, err := s.locate(ctx, sym)
	if err != nil {
		return nil, err
	}
	if !ok { // a local name has no decl
		return s.References(ctx, sym.Path, sym.NameSpan.Start)
	}
	if own := int(t.decl().occ); t.outline().occs[own].has(isLocal) && !t.decl().kind.IsMember() {
		return t.localReferences(own), nil
	}
	return s.resolver().references(ctx, []target{t})
}

// localReferences returns what is linked to the local declaration occ.
func (f *file) localReferences(occ int) []Reference {
	var refs []Reference
	for _, i := range f.named(f.name(occ)) {
		if o := f.outline().occs[i]; o.has(isLocal) && int(o.link)-1 == occ {
			refs = append(refs, f.reference(int(i), Certain))
		}
	}
	return refs
}

// isPromoted reports whether occurrence i, a local name, is of a parameter that
// is a field of its class, too.
func (f *file) isPromoted(i int) bool {
	at := f.declAt(int(f.outline().occs[i].link) - 1)
	return at >= 0 && f.outline().decls[at].kind.IsMember()
}

func (f *file) reference(i int, c Certainty) Reference {
	occ := f.outline().occs[i]
	ref := Reference{Path: f.path, Span: f.span(i), Certainty: c, Definition: occ.has(isDefinition), Write: occ.has(isWrite)}
	if in := f.enclosing(ref.Span); in >= 0 {
		if int(f.outline().decls[in].occ) == i { // a declaration is in what is around it
			in = int(f.outline().decls[in].parent)
		}
		if in >= 0 {
			ref.In = f.symbol(in).Qualified()
		}
	}
	return ref
}

// Highlights is References within the file alone, by place.
func (s *Snapshot) Highlights(ctx context.Context, path string, offset int) ([]Reference, error) {
	f, i, ok, err := s.occurrenceAt(ctx, path, offset)
	if err != nil || !ok {
		return nil, err
	}
	if o := f.outline().occs[i]; o.has(isLocal) && !f.isPromoted(i) {
		return f.localReferences(int(o.link) - 1), nil
	}
	r := s.resolver()
	var refs []Reference
	for _, t := range r.meanings(f, i) {
		r.usesIn(f, t, func(f *file, i int, c Certainty) { refs = append(refs, f.reference(i, c)) })
	}
	return merged(refs), nil
}

// references returns the uses of all of targets.
func (r *resolver) references(ctx context.Context, targets []target) ([]Reference, error) {
	var refs []Reference
	for _, t := range targets {
		err := r.eachUse(ctx, t, func(f *file, i int, c Certainty) {
			refs = append(refs, f.reference(i, c))
		})
		if err != nil {
			return nil, err
		}
	}
	refs = merged(refs)
	slices.SortStableFunc(refs, func(a, b Reference) int { return -cmp.Compare(a.Certainty, b.Certainty) })
	return refs, nil
}

// merged returns refs by path and place, each place once.
func merged(refs []Reference) []Reference {
	slices.SortFunc(refs, func(a, b Reference) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Span.Start, b.Span.Start), -cmp.Compare(a.Certainty, b.Certainty))
	})
	return slices.CompactFunc(refs, func(a, b Reference) bool { return a.Path == b.Path && a.Span == b.Span })
}

// eachUse calls yield for each use of t.
func (r *resolver) eachUse(ctx context.Context, t target, yield func(f *file, i int, c Certainty)) error {
	for _, f := range r.mentioning(t) {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		r.usesIn(f, t, yield)
	}
	return r.eachDefault(ctx, t, yield)
}

// mentioning returns the files that mention t by its name, or by another one
// under which a module exports it.
func (r *resolver) mentioning(t target) []*file {
	files := r.snap.mentions(t.name())
	if !hasNamespaces(t.lang) || t.decl().parent != noParent {
		return files
	}
	names := []string{t.name()}
	for n, read := 0, 0; n < len(names); n++ {
		if n > 0 {
			files = append(files, r.snap.mentions(names[n])...)
		}
		for ; read < len(files); read++ {
			names = append(names, r.newNames(files[read], t, names)...)
		}
	}
	r.aliased[t] = names[1:]
	seen := map[*file]bool{}
	return slices.DeleteFunc(files, func(f *file) bool {
		again := seen[f]
		seen[f] = true
		return again
	})
}

// newNames returns the names beside known under which f exports t.
func (r *resolver) newNames(f *file, t target, known []string) []string {
	var names []string
	for _, name := range known {
		for _, alias := range exportedAs(f, name) {
			if !slices.Contains(known, alias) && !slices.Contains(names, alias) && r.offers(f, alias, t.file, t.name()) {
				names = append(names, alias)
			}
		}
	}
	return names
}

// usesIn calls yield for each use of t in f, which mentions its name.
func (r *resolver) usesIn(f *file, t target, yield func(f *file, i int, c Certainty)) {
	for _, name := range r.aliases(f, t) {
		for _, i := range f.named(name) {
			if c := r.classify(f, int(i), t); c != 0 {
				yield(f, int(i), c)
			}
		}
	}
}

// aliases returns the names that f may have for t, each once.
func (r *resolver) aliases(f *file, t target) []string {
	names := []string{t.name()}
	if t.lang.Tables().HasSigils() && t.outline().occs[t.decl().occ].has(isLocal) {
		names = append(names, "$"+t.name()) // a promoted parameter
	}
	if !t.decl().kind.IsMember() && !t.isNested() && f.lang != nil {
		for _, alias := range r.relation(f, t.file, t.name()).names {
			if !slices.Contains(names, alias) {
				names = append(names, alias)
			}
		}
		if hasNamespaces(t.lang) { // z.function for what is declared as _function
			names = append(names, exportedAs(t.file, t.name())...)
			names = append(names, r.aliased[t]...)
			slices.Sort(names)
			names = slices.Compact(names)
		}
	}
	return names
}

// eachDefault is eachUse for the files that import a default export: its name
// need not occur there.
func (r *resolver) eachDefault(ctx context.Context, t target, yield func(f *file, i int, c Certainty)) error {
	if t.outline().fallback == "" || t.outline().fallback != t.name() || t.decl().parent != noParent {
		return nil
	}
	for f := range r.snap.parsed() {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if f.lang.Family != t.lang.Family || len(f.named(t.name())) > 0 {
			continue
		}
		for _, alias := range r.relation(f, t.file, t.name()).names {
			for _, i := range f.named(alias) {
				if c := r.classify(f, int(i), t); c != 0 {
					yield(f, int(i), c)
				}
			}
		}
	}
	return nil
}
