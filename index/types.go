package index

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
)

// maxKin bounds the answers about types: more are not read.
const maxKin = 500

// A Kin is a type beside another in a hierarchy, or a method that overrides
// another. It is Certain where the code says so, and Possible where only the
// names of the methods do, as for Go's interfaces.
type Kin struct {
	Symbol
	Certainty Certainty
}

// kin is a Kin as the resolver has it.
type kin struct {
	target
	certainty Certainty
}

func symbolsOf(found []kin) []Kin {
	out := make([]Kin, 0, min(len(found), maxKin))
	for _, k := range found[:min(len(found), maxKin)] {
		out = append(out, Kin{k.Symbol(), k.certainty})
	}
	return out
}

// Supertypes returns what sym, a type, extends, implements or embeds, as
// written, then the Go interfaces that its methods satisfy.
func (s *Snapshot) Supertypes(ctx context.Context, sym Symbol) ([]Kin, error) {
	t, ok, err := s.locate(ctx, sym)
	if err != nil || !ok || !t.decl().kind.IsType() {
		return nil, err
	}
	r := s.resolver()
	found := r.bases(t)
	if t.lang.Name == "go" && t.decl().kind != Interface {
		for _, k := range r.satisfied(t) {
			if !slices.ContainsFunc(found, func(other kin) bool { return other.target == k.target }) {
				found = append(found, k)
			}
		}
	}
	return symbolsOf(found), nil
}

// Subtypes returns what extends, implements or embeds sym, a type, by path and
// place, then the types that satisfy a Go interface.
func (s *Snapshot) Subtypes(ctx context.Context, sym Symbol) ([]Kin, error) {
	t, ok, err := s.locate(ctx, sym)
	if err != nil || !ok || !t.decl().kind.IsType() {
		return nil, err
	}
	found, err := s.resolver().subtypes(ctx, t)
	return symbolsOf(found), err
}

// Implementations returns what implements the type or method at offset, also
// over types between. Of a Go type that is no interface it is the interfaces
// it satisfies.
func (s *Snapshot) Implementations(ctx context.Context, path string, offset int) ([]Kin, error) {
	f, i, ok, err := s.occurrenceAt(ctx, path, offset)
	if err != nil || !ok {
		return nil, err
	}
	r := s.resolver()
	var found []kin
	for _, t := range r.meanings(f, i) {
		more, err := r.implementations(ctx, t)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return symbolsOf(found), nil
}

func (r *resolver) implementations(ctx context.Context, t target) ([]kin, error) {
	owner, member := t, ""
	if !t.decl().kind.IsType() {
		var ok bool
		if owner, ok = r.owner(t); !ok || t.decl().kind != Method {
			return nil, nil
		}
		member = t.name()
	}
	types, err := r.descendants(ctx, owner)
	if err != nil {
		return nil, err
	}
	if owner.lang.Name == "go" && owner.decl().kind != Interface {
		types = r.satisfied(owner)
	}
	if member == "" {
		return types, nil
	}
	var found []kin
	seen := map[target]bool{t: true}
	for _, k := range types {
		for _, m := range r.implementing(k.target, member) {
			if !seen[m] {
				seen[m] = true
				found = append(found, kin{m, k.certainty})
			}
		}
	}
	return found, nil
}

// implementing returns the members of that name of owner or, if it has none
// itself, those that the nearest of its bases has which is no interface.
func (r *resolver) implementing(owner target, name string) []target {
	if own := r.membersOf(owner, name); len(own) > 0 {
		return own
	}
	for _, base := range r.ancestors(owner) {
		if found := r.membersOf(base.target, name); base.decl().kind != Interface && len(found) > 0 {
			return found
		}
	}
	return nil
}

// descendants returns the subtypes of t, theirs, and so on.
func (r *resolver) descendants(ctx context.Context, t target) ([]kin, error) {
	var found []kin
	seen, next := map[target]bool{t: true}, []kin{{t, Certain}}
	for len(next) > 0 && len(found) < maxKin {
		from := next[0]
		next = next[1:]
		below, err := r.subtypes(ctx, from.target)
		if err != nil {
			return nil, err
		}
		for _, k := range below {
			if seen[k.target] {
				continue
			}
			seen[k.target] = true
			k.certainty = min(k.certainty, from.certainty)
			found, next = append(found, k), append(next, k)
		}
	}
	return found, nil
}

// subtypes returns what names t as its base, and what satisfies it.
func (r *resolver) subtypes(ctx context.Context, t target) ([]kin, error) {
	var found []kin
	err := r.eachUse(ctx, t, func(f *file, i int, c Certainty) {
		if below, ok := r.basedOn(f, i); ok {
			found = append(found, kin{below, c})
		}
	})
	if err == nil && t.lang.Name == "go" && t.decl().kind == Interface {
		for _, k := range r.satisfying(ctx, t) {
			if !slices.ContainsFunc(found, func(other kin) bool { return other.target == k.target }) {
				found = append(found, k)
			}
		}
	}
	return found, err
}

// basedOn returns the type that names its base by occurrence i of f: the one
// around it or, of Rust's impl A for B, the one behind it.
func (r *resolver) basedOn(f *file, i int) (target, bool) {
	o := f.outline()
	if !o.occs[i].has(isBase) || o.occs[i].has(isNameless) {
		return target{}, false
	}
	if at := f.enclosing(f.span(i)); at >= 0 && o.decls[at].kind.IsType() {
		return target{f, at}, true
	}
	for j := i + 1; j < len(o.occs) && !o.occs[j].has(isDefinition); j++ {
		if o.occs[j].has(isOwner) {
			return r.typeOf(f, j)
		}
	}
	return target{}, false
}

// bases returns what t names as its bases, as far as the index sees them.
func (r *resolver) bases(t target) []kin {
	var found []kin
	add := func(f *file, i int) {
		for _, base := range r.meanings(f, i) {
			if base.decl().kind.IsType() {
				found = append(found, kin{base, r.classify(f, i, base)})
			}
		}
	}
	for _, i := range t.baseNames() {
		add(t.file, i)
	}
	if t.lang.Name == "rust" {
		r.eachImpl(t, add)
	}
	return found
}

// eachImpl calls yield for the traits that a Rust type has an impl of.
func (r *resolver) eachImpl(t target, yield func(f *file, i int)) {
	for _, f := range r.snap.mentions(t.name()) {
		for _, owner := range f.named(t.name()) {
			if !f.outline().occs[owner].has(isOwner) || r.classify(f, int(owner), t) == 0 {
				continue
			}
			for i := int(owner) - 1; i >= 0 && !f.outline().occs[i].has(isOwner|isDefinition); i-- {
				if of, ok := r.basedOn(f, i); ok && of == t {
					yield(f, i)
				}
			}
		}
	}
}

// isSuper reports whether occurrence i of f stands for an object as one of its
// bases.
func (r *resolver) isSuper(f *file, i int) bool {
	return f.lang.Super != "" && f.name(i) == f.lang.Super && !f.outline().occs[i].has(isLocal|isAccess) && !f.outline().occs[i].has(isNameless)
}

// classifyInherited is classifyMember for what stands behind such an occurrence: t
// if the nearest base that has a member of the name has it as t.
func (r *resolver) classifyInherited(f *file, i int, t target) Certainty {
	owner, known := r.classAround(f, i)
	if !known {
		return min(r.bySole(f, t), Possible)
	}
	for _, base := range r.ancestors(owner) {
		if r.owns(base.target, t) {
			return base.certainty
		}
		if r.hasMember(base.target, t.name()) {
			return 0
		}
	}
	if r.owns(owner, t) {
		return 0
	}
	return min(r.bySole(f, t), Possible)
}

// baseNames returns the occurrences that name the bases of t.
func (t target) baseNames() []int {
	var found []int
	o := t.outline()
	first, _ := slices.BinarySearchFunc(o.occs, t.decl().start, func(occ occurrence, at uint32) int { return int(occ.start) - int(at) })
	for i := first; i < len(o.occs) && o.occs[i].start < t.decl().end; i++ {
		if o.occs[i].has(isBase) && o.enclosing(o.span(i)) == t.at {
			found = append(found, i)
		}
	}
	return found
}

// owner returns the type that t is declared in.
func (r *resolver) owner(t target) (target, bool) {
	if p := int(t.decl().parent); p != noParent && t.outline().decls[p].kind.IsType() {
		return target{t.file, p}, true
	}
	return r.typeNamed(holder{r.packageOf(t.file), t.outline().names[t.decl().container]})
}

// typeNamed returns the type that h names.
func (r *resolver) typeNamed(h holder) (target, bool) {
	for _, t := range r.declared(lastPart(h.name)) {
		if t.decl().kind.IsType() && t.qualified() == h.name && r.packageOf(t.file) == h.scope {
			return t, true
		}
	}
	return target{}, false
}

// membersOf returns the members of that name that are declared in owner.
func (r *resolver) membersOf(owner target, name string) []target {
	var found []target
	for _, t := range r.declared(name) {
		if t.decl().kind.IsMember() && r.owns(owner, t) {
			found = append(found, t)
		}
	}
	return found
}

// demands returns the names of the methods that a Go interface asks for, and
// whether the index sees all of them.
func (r *resolver) demands(t target, depth int) (names []string, complete bool) {
	complete = depth > 0
	for i := t.at + 1; i < len(t.outline().decls); i++ {
		if d := &t.outline().decls[i]; int(d.parent) == t.at && d.kind == Method {
			names = append(names, t.outline().names[d.name])
		}
	}
	for _, i := range t.baseNames() {
		found := r.meanings(t.file, i)
		if len(found) != 1 || found[0].decl().kind != Interface || depth == 0 {
			complete = false
			continue
		}
		more, all := r.demands(found[0], depth-1)
		names, complete = append(names, more...), complete && all
	}
	return names, complete
}

// maxEmbedders bounds the types that are looked at for who embeds them.
const maxEmbedders = 100

// satisfying returns the types that have all methods of a Go interface by name,
// also by what they embed.
func (r *resolver) satisfying(ctx context.Context, t target) []kin {
	names, _ := r.demands(t, maxInference)
	if len(names) == 0 {
		return nil
	}
	rarest := slices.MinFunc(names, func(a, b string) int { return len(r.holdersOf(a)) - len(r.holdersOf(b)) })
	var found []kin
	for _, owner := range r.withEmbedders(ctx, r.holdersOf(rarest)) {
		if owner.decl().kind == Interface {
			continue
		}
		if own := r.methods(owner, maxInference); !slices.ContainsFunc(names, func(name string) bool { return !own[name] }) {
			found = append(found, kin{owner, Possible})
		}
	}
	sortKin(found)
	return found
}

// withEmbedders returns the Go types of holders and those that embed them, over
// others too, each once.
func (r *resolver) withEmbedders(ctx context.Context, holders map[holder]bool) []target {
	var types []target
	for h := range holders {
		if owner, ok := r.typeNamed(h); ok && owner.lang.Name == "go" {
			types = append(types, owner)
		}
	}
	slices.SortFunc(types, func(a, b target) int { return kin{a, Certain}.order(b) })
	seen := map[target]bool{}
	for _, t := range types {
		seen[t] = true
	}
	for n := 0; n < len(types) && n < maxEmbedders; n++ {
		for _, above := range r.embedders(ctx, types[n]) {
			if !seen[above] {
				seen[above] = true
				types = append(types, above)
			}
		}
	}
	return types
}

// embedders returns the types that embed the Go type t.
func (r *resolver) embedders(ctx context.Context, t target) []target {
	var found []target
	_ = r.eachUse(ctx, t, func(f *file, i int, c Certainty) { // who asked looks at ctx himself
		if above, ok := r.basedOn(f, i); ok && c == Certain {
			found = append(found, above)
		}
	})
	return found
}

// satisfied returns the interfaces whose methods a Go type has all of, by name,
// also by what it embeds.
func (r *resolver) satisfied(t target) []kin {
	own := r.methods(t, maxInference)
	seen := map[target]bool{}
	var found []kin
	for name := range own {
		for _, m := range r.declared(name) {
			p := int(m.decl().parent)
			if p == noParent || m.lang.Name != "go" || m.outline().decls[p].kind != Interface || seen[target{m.file, p}] {
				continue
			}
			face := target{m.file, p}
			seen[face] = true
			if names, _ := r.demands(face, maxInference); !slices.ContainsFunc(names, func(n string) bool { return !own[n] }) {
				found = append(found, kin{face, Possible})
			}
		}
	}
	sortKin(found)
	return found
}

// methods returns the names of the methods of a Go type, which are in the files of
// its folder, and of those that it gets by what it embeds, down to a depth.
func (r *resolver) methods(t target, depth int) map[string]bool {
	own := map[string]bool{}
	for _, base := range r.embedded(t, depth) {
		if base.decl().kind == Interface {
			names, _ := r.demands(base, depth-1)
			for _, name := range names {
				own[name] = true
			}
			continue
		}
		maps.Copy(own, r.methods(base, depth-1))
	}
	for _, entry := range r.snap.List(filepath.Dir(t.path)) {
		f := r.snap.indexedFile(entry.Path)
		if entry.Dir || f == nil || !f.isParsed() || f.lang != t.lang {
			continue
		}
		o := f.head()
		for _, d := range o.decls {
			if d.kind == Method && o.pkg == t.outline().pkg && o.names[d.container] == t.qualified() {
				own[o.names[d.name]] = true
			}
		}
	}
	return own
}

// embedded returns the types that the Go type t certainly embeds; none at depth 0.
func (r *resolver) embedded(t target, depth int) []target {
	if depth == 0 {
		return nil
	}
	var found []target
	for _, base := range r.bases(t) {
		if base.certainty == Certain && base.target != t {
			found = append(found, base.target)
		}
	}
	return found
}

func sortKin(found []kin) {
	slices.SortFunc(found, func(a, b kin) int { return a.order(b.target) })
}

// TypesAt returns the declarations of the type that what is at offset has; of
// a type, its own.
func (s *Snapshot) TypesAt(ctx context.Context, path string, offset int) ([]Symbol, error) {
	f, i, ok, err := s.occurrenceAt(ctx, path, offset)
	if err != nil || !ok {
		return nil, err
	}
	t, known := s.resolver().typeOf(f, i)
	if !known {
		return nil, nil
	}
	return []Symbol{t.Symbol()}, nil
}
