package index

import (
	"slices"
	"strings"
)

// What the languages of the JVM and C# know of names by the packages and types that
// are written before them, in code and in imports.

// importsMember reports whether f imports t, a member of a type, to be named
// without it: import static a.b.C.t, import a.b.C.*, using static A.C.
func (r *resolver) importsMember(f *file, t target) bool {
	return r.importsFrom(f, t, t.name()) || r.importsFrom(f, t, everything)
}

// importsFrom reports whether f imports name from what t is in.
func (r *resolver) importsFrom(f *file, t target, name string) bool {
	if !hasPackages(f) {
		return false
	}
	owner := t.place()
	return owner != "" && slices.ContainsFunc(f.outline().imports, func(imp imported) bool {
		return imp.Path == owner && imp.Name == name && (name != everything || imp.Alias == ".")
	})
}

// isSpelledOut reports whether what stands before a dot, occurrence q of f, is
// the package or namespace that t is in: a.b before .C.
func (r *resolver) isSpelledOut(f *file, q int, t target) bool {
	return hasPackages(f) && q >= 0 && spelled(f, q) == t.place()
}

func hasPackages(f *file) bool {
	return f.lang != nil && (f.lang.Family == "jvm" || f.lang.Family == "csharp")
}

// place returns what t is in, as an import names it: its package, behind which
// stand the types around it.
func (t target) place() string {
	if t.isExtension() {
		return t.outline().pkg
	}
	return strings.Trim(t.outline().pkg+"."+t.outline().names[t.decl().container], ".")
}

// maxSpelled bounds the names of a path in code: none that is longer means a
// package.
const maxSpelled = 32

// spelled returns the names before and at occurrence i of f, with the dots
// between them, or as many as maxSpelled.
func spelled(f *file, i int) string {
	o := f.outline()
	name := o.name(i)
	for n := 1; n < maxSpelled && o.occs[i].has(isAccess) && o.occs[i].link > 0 && int(o.occs[i].link)-1 < i; n++ {
		i = int(o.occs[i].link) - 1
		name = o.name(i) + "." + name
	}
	return name
}
