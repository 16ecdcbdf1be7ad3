package index

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/agentls/agentls/edits/text"
)

// ErrUnsafe is wrapped by what Rename and its kin refuse; the error says why.
var ErrUnsafe = errors.New("not renamed")

// identifier is a name in the languages of the index.
var identifier = regexp.MustCompile(`^[\p{L}_$][\p{L}\p{N}_$]*$`)

// A Renaming is the edits that give a declaration another name, and what they
// leave alone.
type Renaming struct {
	Edits    map[string][]text.Edit // by path
	Places   int                    // in all of Edits
	Possible []Change               // of that name, but not for certain the same
	Old      string                 // the present name
	Outside  bool                   // code outside the workspace may use it
}

// Renamable returns the name at offset and its place, if the thing it means
// can be renamed, whatever the new name. The error wraps ErrUnsafe, or is one
// of ReadFile.
func (s *Snapshot) Renamable(ctx context.Context, path string, offset int) (name string, at text.Span, err error) {
	r, err := s.renamer(ctx, path, offset)
	if err != nil {
		return "", text.Span{}, err
	}
	return r.old, r.at, nil
}

// Rename returns what gives the thing at offset another name: the certain uses
// and, for the caller to ask about or to leave, the possible ones. It refuses,
// with an error that wraps ErrUnsafe and says why, what would not keep the
// meaning of the code: each file is read as it would be, and every name in it
// must mean what it meant.
func (s *Snapshot) Rename(ctx context.Context, path string, offset int, name string) (*Renaming, error) {
	r, err := s.renamer(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	if err := r.acceptable(name); err != nil {
		return nil, err
	}
	if err := r.isWord(name); err != nil {
		return nil, err
	}
	r.new = name
	if err := r.find(ctx); err != nil {
		return nil, err
	}
	for _, check := range []func(context.Context) error{r.unusedName, r.unseenUses, r.sameMeaning} {
		if err := check(ctx); err != nil {
			return nil, err
		}
	}
	return r.renaming(), nil
}

// A renamer is one Rename. It has targets or, of a name that only its scope
// sees, local.
type renamer struct {
	*resolver
	old, new string
	at       text.Span
	file     *file
	local    int // the occurrence that declares it, or -1
	targets  []target
	changes  []Change
	possible []Change
}

// A Change is a use that gets another text: more than the new name where the
// old one stands for a key too.
type Change struct {
	Reference
	New   string
	value int // where, in New, the value of a key begins that both stood for; 0: it is one name
}

// renaming returns what was found.
func (r *renamer) renaming() *Renaming {
	out := &Renaming{Edits: map[string][]text.Edit{}, Possible: r.possible, Old: r.old, Outside: r.isSeenOutside()}
	for _, c := range r.changes {
		out.Edits[c.Path] = append(out.Edits[c.Path], text.Edit{Span: c.Span, New: c.New})
		out.Places++
	}
	return out
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsafe, fmt.Sprintf(format, args...))
}

// renamer finds what is at offset, and refuses what cannot be renamed at all.
func (s *Snapshot) renamer(ctx context.Context, path string, offset int) (*renamer, error) {
	f, i, ok, err := s.occurrenceAt(ctx, path, offset)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, refused("there is no name that the index knows")
	case !s.ready:
		return nil, refused("the index is still being built, and may not know all uses; try again when it is ready")
	}
	r := &renamer{resolver: s.resolver(), old: f.name(i), at: f.span(i), file: f, local: -1}
	if f.outline().occs[i].has(isSelf) {
		return nil, refused("%s is a word of %s", r.old, f.lang.Name)
	}
	if o := f.outline().occs[i]; o.has(isLocal) && !f.isPromoted(i) {
		r.local = int(o.link) - 1
		return r, errors.Join(r.isNameless(f, r.local), r.passedByName(ctx))
	}
	if err := r.means(ctx, i); err != nil {
		return nil, err
	}
	return r, r.fixed(ctx)
}

// means finds the targets: what the occurrence certainly means, and what is
// declared beside it under other build tags or as an overload.
func (r *renamer) means(ctx context.Context, i int) error {
	found := r.meanings(r.file, i)
	switch {
	case len(found) == 0:
		return refused("the index knows no declaration of %s", r.old)
	case r.classify(r.file, i, found[0]) != Certain:
		return refused("%s may mean any of %d declarations, the first in %s", r.old, len(found), r.where(ctx, found[0].file, int(found[0].decl().at)))
	case found[0].name() != r.old:
		return refused("%s is another name for %s: rename that where it is declared, in %s", r.old, found[0].name(), r.where(ctx, found[0].file, int(found[0].decl().at)))
	}
	for _, t := range r.declared(r.old) {
		twin := slices.ContainsFunc(found, func(f target) bool { return r.sameScope(f, t) })
		if twin && !slices.Contains(found, t) {
			found = append(found, t)
		}
	}
	r.targets = r.withConstructors(found)
	return ctx.Err()
}

// withConstructors adds, to a class, what is called like it because it makes or
// ends its objects, and to these the class.
func (r *renamer) withConstructors(found []target) []target {
	for _, name := range []string{r.old, "~" + r.old} {
		for _, t := range r.declared(name) {
			if !slices.Contains(found, t) && slices.ContainsFunc(found, func(f target) bool { return r.isConstructor(t, f) || r.isConstructor(f, t) }) {
				found = append(found, t)
			}
		}
	}
	return found
}

// isConstructor reports whether t is a constructor or destructor of class.
func (r *resolver) isConstructor(t, class target) bool {
	return t.decl().kind == Method && class.decl().kind.IsType() && t.lang.Family == class.lang.Family &&
		strings.TrimPrefix(t.name(), "~") == class.name() &&
		t.outline().names[t.decl().container] == class.qualified() && r.packageOf(t.file) == r.packageOf(class.file)
}

const maxNewName = 200 // bytes

// sameScope reports whether a and b, if they had one name, would be one thing,
// or two that collide.
func (r *renamer) sameScope(a, b target) bool {
	if r.packageOf(a.file) != r.packageOf(b.file) || a.decl().kind.IsMember() != b.decl().kind.IsMember() {
		return false
	}
	if a.outline().names[a.decl().container] != b.outline().names[b.decl().container] {
		return false
	}
	return a.decl().kind.IsMember() || a.lang.Name == "go" || r.relation(a.file, b.file, b.name()).same || r.relation(b.file, a.file, a.name()).same
}

// acceptable refuses names that are none.
func (r *renamer) acceptable(name string) error {
	switch {
	case name == r.old:
		return refused("%s is the name it has", name)
	case len(name) > maxNewName || !identifier.MatchString(name):
		return refused("%q is not a name", name[:min(len(name), maxNewName)])
	}
	for _, t := range r.targets {
		container := t.outline().names[t.decl().container]
		is := func(name string) bool { return t.lang.IsTest(name, container, t.decl().kind) }
		if t.lang.Name == "go" && container == "" && (name == "init" || name == "main") {
			return refused("a Go package's %s takes no part in its code: nothing can use it by that name", name)
		}
		if t.lang.IsTestFile(filepath.ToSlash(t.path)) && is(name) != is(r.old) {
			return refused("by its name, %s would be a test, or no longer be one", name)
		}
	}
	return nil
}

// isWord refuses words of the language; members can have such names in some.
func (r *renamer) isWord(name string) error {
	if !r.renamesMember() && r.file.lang.Tables().IsWord(name) {
		return refused("%s is a word of %s", name, r.file.lang.Name)
	}
	return nil
}

// find finds the uses of the old name.
func (r *renamer) find(ctx context.Context) error {
	var refs []Reference
	if r.local >= 0 {
		refs = r.file.localReferences(r.local)
	} else {
		var err error
		if refs, err = r.references(ctx, r.targets); err != nil {
			return err
		}
		refs = append(refs, r.examples()...)
	}
	for _, ref := range refs {
		src, err := r.snap.ReadFile(ctx, ref.Path)
		if err != nil {
			return err
		}
		if ref.Span.End > len(src) {
			return r.stale(ref.Path)
		}
		c := r.changed(ref, src)
		if ref.Certainty != Certain {
			r.possible = append(r.possible, c)
			continue
		}
		switch is := string(src[ref.Span.Start:ref.Span.End]); {
		case is == r.old:
		case is == "~"+r.old, is == "$"+r.old:
			c.New = is[:1] + r.new
		case strings.HasPrefix(is, "Example") && ref.Definition:
			c.New = strings.Replace(is, r.old, r.new, 1)
		case r.isAlias(ref, is):
			continue
		default:
			return r.stale(ref.Path)
		}
		r.changes = append(r.changes, c)
	}
	return nil
}

// changed returns ref with the new name. Where a name is that of a field and of
// its value, the value keeps it.
func (r *renamer) changed(ref Reference, src []byte) Change {
	c := Change{Reference: ref, New: r.new}
	f := r.snap.indexedFile(ref.Path)
	if i, ok := f.covering(ref.Span.Start); ok && r.renamesMember() && f.outline().occs[i].has(isBoth) {
		c.split(f, src, r.new, r.old)
	}
	return c
}

// split makes of a name in f that stands for a key and its value two.
func (c *Change) split(f *file, src []byte, key, value string) {
	between := ": "
	switch {
	case f.lang.Family != "ocaml":
	case isLabel(src, c.Span.Start):
		between = ":"
	default:
		between = " = "
	}
	c.New, c.value = key+between+value, len(key+between)
}

// isLabel reports whether the name at offset of a text of OCaml is the label of an
// argument.
func isLabel(src []byte, offset int) bool {
	return offset > 0 && offset <= len(src) && (src[offset-1] == '~' || src[offset-1] == '?')
}

// renamesMember reports whether a field, method or the like is renamed.
func (r *renamer) renamesMember() bool {
	return len(r.targets) > 0 && r.targets[0].decl().kind.IsMember()
}

// isAlias reports whether ref, whose file has is there, is a use under another
// name.
func (r *renamer) isAlias(ref Reference, is string) bool {
	f := r.snap.indexedFile(ref.Path)
	i, ok := f.covering(ref.Span.Start)
	return ok && f.name(i) == is
}

func (r *renamer) stale(path string) error {
	return refused("%s has changed since it was indexed; try again", r.snap.Rel(path))
}

// examples returns the Go examples that are about what is renamed: go vet
// wants their names to follow.
func (r *renamer) examples() []Reference {
	var refs []Reference
	for _, t := range r.targets {
		if t.lang.Name != "go" {
			return nil
		}
		about := "Example" + strings.ReplaceAll(t.qualified(), ".", "_")
		for _, f := range r.siblings(t) {
			for i, d := range f.outline().decls {
				name := f.outline().names[d.name]
				rest, ok := strings.CutPrefix(name, about)
				if ok && d.kind == Function && (rest == "" || rest[0] == '_') {
					refs = append(refs, f.reference(int(f.outline().decls[i].occ), Certain))
				}
			}
		}
	}
	return merged(refs)
}

// siblings returns the parsed files of the folder of t, in its language.
func (r *resolver) siblings(t target) []*file {
	var found []*file
	for _, entry := range r.snap.List(filepath.Dir(t.path)) {
		if f := r.snap.indexedFile(entry.Path); !entry.Dir && f != nil && f.isParsed() && f.lang == t.lang {
			found = append(found, f)
		}
	}
	return found
}

// where names a place for people: the path and the line.
func (r *resolver) where(ctx context.Context, f *file, offset int) string {
	src, err := r.snap.ReadFile(ctx, f.path)
	if err != nil || offset > len(src) {
		return r.snap.Rel(f.path)
	}
	return fmt.Sprintf("%s:%d", r.snap.Rel(f.path), text.NewLines(src).LineAt(offset)+1)
}

// isSeenOutside reports whether what is renamed can be used by code that is
// not in the workspace.
func (r *renamer) isSeenOutside() bool {
	return slices.ContainsFunc(r.targets, func(t target) bool {
		switch {
		case !t.decl().exported:
			return false
		case t.lang.Name == "go":
			return t.outline().pkg != "main" && !strings.Contains(t.path, "/internal/") && !strings.HasSuffix(t.path, "_test.go")
		default:
			return t.lang.Modules && t.outline().module
		}
	})
}
