package index

import (
	"bytes"
	"context"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// fixed refuses to rename what something other than its uses holds by name.
func (r *renamer) fixed(ctx context.Context) error {
	for _, t := range r.targets {
		for _, check := range []func(context.Context, target) error{r.isOurs, r.isCalledByName, r.hasBody, r.isAskedFor, r.isEmbedded} {
			if err := check(ctx, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// generated is the line that marks generated files. (https://go.dev/s/generatedcode)
var generated = regexp.MustCompile(`(?m)^(//|#|/\*|--|;) ?(Code generated .* DO NOT EDIT\.|@generated)`)

// isOurs refuses files that are made by others.
func (r *renamer) isOurs(ctx context.Context, t target) error { return r.mayChange(ctx, t.path) }

func (r *renamer) mayChange(ctx context.Context, path string) error {
	if _, ok := r.snap.root(path); !ok {
		return refused("%s is outside of the workspace", path)
	}
	slashed := filepath.ToSlash(path)
	for _, dir := range []string{"/vendor/", "/node_modules/", "/site-packages/"} {
		if strings.Contains(slashed, dir) {
			return refused("%s belongs to another project", r.snap.Rel(path))
		}
	}
	src, err := r.snap.ReadFile(ctx, path)
	if err != nil {
		return err
	}
	if generated.Match(src[:min(len(src), 4<<10)]) {
		return refused("%s is generated", r.snap.Rel(path))
	}
	return nil
}

// isCalledByName refuses names that the language or its library looks for.
func (r *renamer) isCalledByName(_ context.Context, t target) error {
	name := r.old
	if t.decl().kind == Method {
		name = "." + name
	}
	if slices.Contains(strings.Fields(t.lang.Called), name) || strings.HasPrefix(r.old, "__") && strings.HasSuffix(r.old, "__") {
		return refused("%s looks for %s by its name", t.lang.Name, r.old)
	}
	return nil
}

// directive is what gives a Go function another user than the compiler sees.
var goDirective = regexp.MustCompile(`(?m)^//(go:linkname|export) .*$`)

// hasBody refuses Go functions that are written in assembly, or that the linker
// knows by name.
func (r *renamer) hasBody(ctx context.Context, t target) error {
	if t.lang.Name != "go" || t.decl().kind != Function {
		return nil
	}
	src, span, err := r.snap.source(ctx, t.Symbol())
	if err != nil {
		return err
	}
	if !bytes.HasSuffix(src[span.Start:span.End], []byte("}")) {
		return refused("%s has no body in Go", r.old)
	}
	name := regexp.MustCompile(`\b` + regexp.QuoteMeta(r.old) + `\b`)
	for _, line := range goDirective.FindAll(src, -1) {
		if name.Match(line) {
			return refused("a directive in %s names %s", r.snap.Rel(t.path), r.old)
		}
	}
	for _, entry := range r.snap.List(filepath.Dir(t.path)) {
		if !strings.HasSuffix(entry.Name, ".s") {
			continue
		}
		if asm, err := r.snap.ReadFile(ctx, entry.Path); err == nil && bytes.Contains(asm, []byte("·"+r.old+"(")) {
			return refused("assembly in %s names %s", r.snap.Rel(entry.Path), r.old)
		}
	}
	return nil
}

// isAskedFor refuses members that another type prescribes, or has by the same
// name.
func (r *renamer) isAskedFor(ctx context.Context, t target) error {
	if err := r.isNameless(t.file, int(t.decl().occ)); err != nil {
		return err
	}
	if t.decl().kind != Method && t.decl().kind != Field || t.lang.Private && !t.decl().exported {
		return nil
	}
	owner, ok := r.owner(t)
	if !ok {
		return nil
	}
	if owner.lang.Name == "go" {
		return r.isInInterface(ctx, owner)
	}
	return r.isOverridden(ctx, owner, t)
}

// isNameless refuses occurrence i of f where it is a member of a class without a
// name.
func (r *renamer) isNameless(f *file, i int) error {
	if f.isNamelessMember(i) && f.lang.Family != "javascript" && f.lang.Family != "go" {
		return refused("%s is of a class or signature without a name, and may be what others ask of it", r.old)
	}
	return nil
}

// isOverriddenNameless refuses members that a class without a name has too, where
// it may be made of the type of t or of its kin.
func (r *renamer) isOverriddenNameless(ctx context.Context, t target, kin []kin) error {
	if t.lang.Family == "javascript" { // what an object has is a possible use
		return nil
	}
	for _, f := range r.snap.mentions(r.old) {
		for _, i := range f.named(r.old) {
			if f.lang.Family == t.lang.Family && f.isNamelessMember(int(i)) && makesAny(f, kin) {
				return refused("a class without a name in %s has a %s too, and may have it for %s", r.where(ctx, f, f.span(int(i)).Start), r.old, t.qualified())
			}
		}
	}
	return nil
}

// makesAny reports whether f calls one of types, or names it as a base.
func makesAny(f *file, types []kin) bool {
	return slices.ContainsFunc(types, func(k kin) bool {
		return slices.ContainsFunc(f.named(k.name()), func(i uint32) bool { return f.outline().occs[i].has(isCall | isBase) })
	})
}

func (r *renamer) isInInterface(ctx context.Context, owner target) error {
	if owner.decl().kind == Interface {
		return refused("%s is a method of the interface %s: who implements it, the index does not know for certain", r.old, owner.name())
	}
	for _, f := range r.snap.mentions(r.old) {
		for _, i := range f.named(r.old) {
			if f.lang.Name == "go" && f.isNamelessMember(int(i)) && f.declAt(int(i)) < 0 {
				return refused("an interface without a name in %s has a method %s, and %s may have to implement it", r.where(ctx, f, f.span(int(i)).Start), r.old, owner.name())
			}
		}
	}
	for _, t := range append([]target{owner}, r.withEmbedders(ctx, map[holder]bool{{r.packageOf(owner.file), owner.qualified()}: true})...) {
		for _, k := range r.satisfied(t) {
			if names, _ := r.demands(k.target, maxInference); slices.Contains(names, r.old) {
				return refused("the interface %s in %s has a method %s, and %s may have to implement it", k.name(), r.where(ctx, k.file, int(k.decl().at)), r.old, t.name())
			}
		}
	}
	return nil
}

// isOverridden refuses members that a base or something derived has too, or
// that a base may have that the index does not see.
func (r *renamer) isOverridden(ctx context.Context, owner, t target) error {
	below, err := r.descendants(ctx, owner)
	if err != nil {
		return err
	}
	for _, k := range append(below, r.ancestors(owner)...) {
		if k.target != owner && len(r.membersOf(k.target, r.old)) > 0 {
			return refused("%s in %s has a %s too: both would have to be renamed", k.name(), r.where(ctx, k.file, int(k.decl().at)), r.old)
		}
	}
	if err := r.isOverriddenNameless(ctx, t, append(below, append(r.ancestors(owner), kin{owner, Certain})...)); err != nil {
		return err
	}
	if owner.lang.Name == "java" && t.decl().kind == Field {
		return nil // a field hides another, and takes nothing's place
	}
	for _, k := range append(r.ancestors(owner), kin{owner, Certain}) {
		for _, i := range k.baseNames() {
			if len(r.meanings(k.file, i)) == 0 && k.file.name(i) != "object" {
				return refused("%s extends %s, which the index does not see and which may have a %s", k.name(), k.file.name(i), r.old)
			}
		}
	}
	return nil
}

// ancestors returns the bases of t, theirs, and so on.
func (r *resolver) ancestors(t target) []kin {
	seen, found := map[target]bool{t: true}, r.bases(t)
	for i := 0; i < len(found) && i < maxKin; i++ {
		if !seen[found[i].target] {
			seen[found[i].target] = true
			found = append(found, r.bases(found[i].target)...)
		}
	}
	return found
}

// isEmbedded refuses Go types that are embedded: their name is a field's too.
func (r *renamer) isEmbedded(ctx context.Context, t target) error {
	if t.lang.Name != "go" || !t.decl().kind.IsType() {
		return nil
	}
	where := ""
	err := r.eachUse(ctx, t, func(f *file, i int, _ Certainty) {
		in := f.enclosing(f.span(i))
		if f.outline().occs[i].has(isBase) && in >= 0 && f.outline().decls[in].kind != Interface {
			where = r.where(ctx, f, f.span(i).Start)
		}
	})
	if err == nil && where != "" {
		return refused("%s is embedded in %s: there its name is a field's too", r.old, where)
	}
	return err
}

// passedByName refuses parameters that some call passes by name.
func (r *renamer) passedByName(ctx context.Context) error {
	f := r.file
	if f.lang.Name == "go" || f.lang.Family == "javascript" {
		return nil // arguments have no names there
	}
	at := f.span(r.local)
	in := f.enclosing(at)
	if in < 0 {
		return nil
	}
	function := f.symbol(in)
	src, span, err := r.snap.source(ctx, function)
	if err != nil {
		return err
	}
	if head, _, _ := cutBody(src[span.Start:span.End], f.lang); at.Start > span.Start+len(head) {
		return nil
	}
	class := lastPart(function.Container) // a constructor is called by the name of its class
	for _, user := range r.snap.mentions(r.old) {
		if len(user.named(function.Name)) == 0 && (class == "" || len(user.named(class)) == 0) {
			continue
		}
		for _, i := range user.named(r.old) {
			if r.passes(user, int(i)) {
				return refused("%s passes an argument by the name %s", r.where(ctx, user, user.span(int(i)).Start), r.old)
			}
		}
	}
	return nil
}

// passes reports whether occurrence i of f can be the name of an argument for what
// is renamed, a parameter: its own value is none.
func (r *renamer) passes(f *file, i int) bool {
	occ := f.outline().occs[i]
	return occ.has(isKey) && (f != r.file || !occ.has(isLocal) || int(occ.link)-1 != r.local)
}

// lastPart returns the last part of a qualified name.
func lastPart(qualified string) string { return qualified[strings.LastIndexByte(qualified, '.')+1:] }

// unusedName refuses a new name that is taken where the old one is seen.
func (r *renamer) unusedName(ctx context.Context) error {
	for _, other := range r.declared(r.new) {
		for _, t := range r.targets {
			if r.sameScope(t, other) && r.isStillThere(ctx, other) {
				return refused("%s is declared in %s already", r.new, r.where(ctx, other.file, int(other.decl().at)))
			}
		}
	}
	for _, f := range r.bare() {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		for _, imp := range f.outline().imports {
			if imp.Alias == r.new && imp.Path != "" {
				return refused("%s imports something by the name %s", r.snap.Rel(f.path), r.new)
			}
		}
		for _, i := range f.named(r.new) {
			if !f.outline().occs[i].has(isLocal | isAccess | isKey | isDefinition) {
				return refused("%s uses another %s", r.where(ctx, f, f.span(int(i)).Start), r.new)
			}
		}
	}
	return nil
}

// isStillThere reports whether the file of t, as it is now, declares its name: a
// file may have been saved since it was indexed.
func (r *renamer) isStillThere(ctx context.Context, t target) bool {
	f, err := r.snap.file(ctx, t.path)
	if err != nil || !f.isParsed() {
		return false
	}
	return f == t.file || slices.ContainsFunc(f.outline().decls, func(d decl) bool { return f.outline().names[d.name] == t.name() })
}

// bare returns the files in which the new name would stand alone.
func (r *renamer) bare() []*file {
	var files []*file
	for _, t := range r.targets {
		if t.decl().kind.IsMember() || t.isNested() {
			continue
		}
		if t.lang.Name == "go" {
			files = append(files, r.siblings(t)...)
		}
		for _, c := range r.changes {
			if f := r.snap.indexedFile(c.Path); f != nil && f.isParsed() {
				if i, ok := f.covering(c.Span.Start); ok && !f.outline().occs[i].has(isAccess) {
					files = append(files, f)
				}
			}
		}
	}
	slices.SortFunc(files, func(a, b *file) int { return strings.Compare(a.path, b.path) })
	return slices.Compact(files)
}

// unseenUses refuses where uses may be that the index cannot see: in files that
// are too large to be parsed, and in packages that would see it no longer.
func (r *renamer) unseenUses(ctx context.Context) error {
	if r.local >= 0 {
		return r.mayChange(ctx, r.file.path)
	}
	word := regexp.MustCompile(`\b` + regexp.QuoteMeta(r.old) + `\b`)
	for f := range r.snap.parsed() {
		if f.skipped == notSkipped || f.lang.Family != r.targets[0].lang.Family {
			continue
		}
		src, err := r.snap.ReadFile(ctx, f.path)
		if err != nil {
			return err
		}
		if word.Match(src) {
			return refused("%s is too large to be read by the index, and names %s", r.snap.Rel(f.path), r.old)
		}
	}
	checked := map[string]bool{}
	for _, c := range r.changes {
		if checked[c.Path] {
			continue
		}
		checked[c.Path] = true
		if err := r.mayChange(ctx, c.Path); err != nil {
			return err
		}
		if f := r.snap.indexedFile(c.Path); r.hides(f) {
			return refused("%s uses it, and would not see %s", r.snap.Rel(c.Path), r.new)
		}
	}
	return nil
}

// hides reports whether the new name is not seen in f, where the old one is.
func (r *renamer) hides(f *file) bool {
	t := r.targets[0]
	return t.lang.Name == "go" && t.decl().exported && !token.IsExported(r.new) && f != nil && r.packageOf(f) != r.packageOf(t.file)
}
