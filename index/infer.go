package index

import "slices"

// typeOf infers the type of what occurrence i of f stands for, by what is
// written: declared types, literals, calls of functions with a declared
// result. It looks at nothing that a type checker would have to work out.
func (r *resolver) typeOf(f *file, i int) (owner target, known bool) {
	key := place{f, i}
	if t, done := r.types[key]; done {
		return t.target, t.known
	}
	if r.depth >= maxInference {
		return target{}, false
	}
	r.depth++
	owner, known = r.infer(f, i)
	r.depth--
	r.types[key] = inferred{owner, known}
	return owner, known
}

// infer is typeOf for what it has not been asked yet.
func (r *resolver) infer(f *file, i int) (owner target, known bool) {
	occ := f.outline().occs[i]
	switch {
	case occ.has(isSelf) && !occ.has(isAccess):
		return r.ownClass(f, i)
	case occ.has(isLocal):
		t, known := r.hinted(f, int(occ.link)-1)
		if known && occ.has(isCall) {
			return target{}, false // the result of a function value
		}
		return t, known
	}
	for _, t := range r.meanings(f, i) {
		if owner, known = r.typeOfTarget(t); known {
			return owner, true
		}
	}
	return target{}, false
}

// ownClass returns the class that a word for the object or its class means:
// none where that has no name.
func (r *resolver) ownClass(f *file, i int) (target, bool) {
	if f.outline().occs[i].has(isNameless) {
		return target{}, false
	}
	return r.classAround(f, i)
}

// typeOfTarget returns the type of a variable or field, the result of a
// function, and a type for itself.
func (r *resolver) typeOfTarget(t target) (target, bool) {
	if t.decl().kind.IsType() {
		return t, true
	}
	return r.hinted(t.file, int(t.decl().occ))
}

// isForeign reports whether occurrence i of f is declared with a type, but with
// none that the index sees: another library's.
func (r *resolver) isForeign(f *file, i int) bool {
	if f.outline().occs[i].has(isLocal) {
		return r.hintsAway(f, int(f.outline().occs[i].link)-1)
	}
	found := r.meanings(f, i)
	return len(found) == 1 && r.hintsAway(found[0].file, int(found[0].decl().occ))
}

func (r *resolver) hintsAway(f *file, decl int) bool {
	typ, ok := f.hint(decl)
	return ok && !f.outline().occs[typ].has(isCall|isLocal) && len(r.meanings(f, typ)) == 0
}

// hinted returns the type that occurrence decl of f is declared with.
func (r *resolver) hinted(f *file, decl int) (target, bool) {
	typ, ok := f.hint(decl)
	if !ok {
		return target{}, false
	}
	if f.outline().occs[typ].has(isSelf) { // Self
		return r.ownClass(f, typ)
	}
	for _, t := range r.meanings(f, typ) {
		if owner, known := r.typeOfTarget(t); known && (t.decl().kind.IsType() || f.outline().occs[typ].has(isCall)) {
			return owner, true
		}
	}
	return target{}, false
}

// meanings returns the declarations that occurrence i of f certainly means or,
// if there are none, those it possibly means.
func (r *resolver) meanings(f *file, i int) []target {
	var certain, possible []target
	for _, name := range r.namesOf(f, i) {
		for _, t := range r.declared(name) {
			switch r.classify(f, i, t) {
			case Certain:
				certain = append(certain, t)
			case Possible:
				possible = append(possible, t)
			}
		}
	}
	if len(certain) > 0 {
		return certain
	}
	return possible
}

// namesOf returns what the thing at occurrence i may be called where it is
// declared: imports give things other names.
func (r *resolver) namesOf(f *file, i int) []string {
	name := f.name(i)
	if o := f.outline().occs[i]; o.has(isLocal) {
		return []string{f.name(int(o.link) - 1)}
	}
	names := []string{name}
	if _, original := r.member(f, i); original != "" && original != name {
		return append(names, original)
	}
	if f.outline().occs[i].has(isAccess | isLocal) {
		return names
	}
	for _, imp := range f.outline().imports {
		if imp.Alias != name && imp.Name != name || imp.Name == "*" || imp.Path == "" {
			continue
		}
		original := imp.Name
		if at := r.moduleFile(f, imp.Path); at != nil && at.isParsed() {
			_, original = r.exported(at, imp.Name, maxInference)
		}
		if !slices.Contains(names, original) {
			names = append(names, original)
		}
	}
	return names
}
