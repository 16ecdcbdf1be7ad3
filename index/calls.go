package index

import (
	"context"
	"path/filepath"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
)

// A Call is an edge of the call graph, seen from one end.
type Call struct {
	Symbol    Symbol      // the other end
	Path      string      // the file of the sites
	Sites     []text.Span // the names that are called, in the caller's body
	Certainty Certainty   // of the surest site
}

// Callers returns the declarations whose bodies call sym, by path and place. A
// call at the top of a file is answered with the file as a Module.
func (s *Snapshot) Callers(ctx context.Context, sym Symbol) ([]Call, error) {
	t, ok, err := s.locate(ctx, sym)
	if err != nil || !ok {
		return nil, err
	}
	calls, err := s.resolver().callers(ctx, t)
	if err != nil {
		return nil, err
	}
	out := make([]Call, len(calls))
	for i, c := range calls {
		out[i] = c.Call
	}
	return out, nil
}

// A caller is a Call with the declaration it comes from; at is -1 for the top
// of a file.
type caller struct {
	Call
	from target
}

func (r *resolver) callers(ctx context.Context, t target) ([]caller, error) {
	var calls []caller
	add := func(f *file, i int, c Certainty) {
		if !isCallOf(f.outline().occs[i], t) {
			return
		}
		from := target{f, f.enclosing(f.span(i))}
		if n := len(calls) - 1; n >= 0 && calls[n].from == from {
			calls[n].Sites = append(calls[n].Sites, f.span(i))
			calls[n].Certainty = max(calls[n].Certainty, c)
			return
		}
		calls = append(calls, caller{Call{Symbol: from.orFile(), Path: f.path, Sites: []text.Span{f.span(i)}, Certainty: c}, from})
	}
	if own := int(t.decl().occ); t.outline().occs[own].has(isLocal) {
		for _, i := range t.named(t.name()) {
			if o := t.outline().occs[i]; o.has(isLocal) && int(o.link)-1 == own {
				add(t.file, int(i), Certain)
			}
		}
		return calls, nil
	}
	err := r.eachUse(ctx, t, add)
	return calls, err
}

// mayCall reports whether occ may be a call: in Ruby and Scala a name is, where it
// means a method.
func mayCall(occ occurrence, l *lang.Language) bool {
	bare := l.Name == "ruby" || l.Name == "scala"
	return occ.has(isCall) || bare && !occ.has(isDefinition|isLocal|isKey|isImport|isSelf|isBase)
}

// isCallOf reports whether occ, which means t, calls it.
func isCallOf(occ occurrence, t target) bool {
	kind := t.decl().kind
	return occ.has(isCall) || mayCall(occ, t.lang) && (kind == Function || kind == Method)
}

// orFile returns the symbol of t, or its file as a Module.
func (t target) orFile() Symbol {
	if t.at >= 0 {
		return t.Symbol()
	}
	return Symbol{Name: filepath.Base(t.path), Kind: Module, Path: t.path, Span: text.Span{End: int(t.size)}, Language: t.lang.Name}
}

// Callees returns what the body of sym calls, in the order of the first call.
func (s *Snapshot) Callees(ctx context.Context, sym Symbol) ([]Call, error) {
	t, ok, err := s.locate(ctx, sym)
	if err != nil || !ok {
		return nil, err
	}
	r := s.resolver()
	at := map[target]int{}
	var calls []Call
	for i, occ := range t.outline().occs {
		if !mayCall(occ, t.lang) || int(occ.start) < int(t.decl().start) || t.span(i).End > int(t.decl().end) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		for _, callee := range r.called(t.file, i) {
			if !isCallOf(occ, callee.target) {
				continue
			}
			n, known := at[callee.target]
			if !known {
				n = len(calls)
				at[callee.target] = n
				calls = append(calls, Call{Symbol: callee.Symbol(), Path: t.path})
			}
			calls[n].Sites = append(calls[n].Sites, t.span(i))
			calls[n].Certainty = max(calls[n].Certainty, callee.certainty)
		}
	}
	return calls, nil
}

type callee struct {
	target
	certainty Certainty
}

// maxPossible is the number of guesses for one call that are worth showing.
const maxPossible = 5

// called returns what the call at occurrence i of f may call.
func (r *resolver) called(f *file, i int) []callee {
	if occ := f.outline().occs[i]; occ.has(isLocal) {
		if at := f.declAt(int(occ.link) - 1); at >= 0 {
			return []callee{{target{f, at}, Certain}}
		}
		return nil
	}
	var found []callee
	for _, t := range r.meanings(f, i) {
		found = append(found, callee{t, r.classify(f, i, t)})
	}
	if len(found) > maxPossible && found[0].certainty == Possible {
		return nil
	}
	return found
}

// testDistance is how many calls may lie between a test and what it tests.
const testDistance = 2

// Tests returns the test functions that reach sym over at most two calls
// between, nearest first. Where tests have no names, as in JavaScript, it is
// the file, as a Module. If no certain call leads to a test, the possible
// direct calls from tests in the same folder count.
func (s *Snapshot) Tests(ctx context.Context, sym Symbol) ([]Symbol, error) {
	start, ok, err := s.locate(ctx, sym)
	if err != nil || !ok {
		return nil, err
	}
	search := &testSearch{resolver: s.resolver(), seen: map[target]bool{start: true}}
	level := []target{start}
	for distance := 0; distance <= testDistance && len(level) > 0; distance++ {
		if level, err = search.step(ctx, level); err != nil {
			return nil, err
		}
	}
	if len(search.tests) == 0 {
		return search.guesses(ctx, start)
	}
	return search.tests, nil
}

// A testSearch is one Tests.
type testSearch struct {
	*resolver
	seen  map[target]bool
	tests []Symbol
}

// step goes from level to what certainly calls it, and takes out the tests.
func (s *testSearch) step(ctx context.Context, level []target) (next []target, err error) {
	for _, t := range level {
		calls, err := s.callers(ctx, t)
		if err != nil {
			return nil, err
		}
		for _, c := range calls {
			if c.Certainty != Certain || s.seen[c.from] {
				continue
			}
			s.seen[c.from] = true
			if c.isTest() {
				s.tests = append(s.tests, c.Symbol)
			} else if c.from.at >= 0 {
				next = append(next, c.from)
			}
		}
	}
	return next, nil
}

// guesses returns the tests beside t that possibly call it.
func (s *testSearch) guesses(ctx context.Context, t target) ([]Symbol, error) {
	calls, err := s.callers(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, c := range calls {
		if c.isTest() && !s.seen[c.from] && filepath.Dir(c.Path) == filepath.Dir(t.path) {
			s.seen[c.from] = true
			s.tests = append(s.tests, c.Symbol)
		}
	}
	return s.tests, nil
}

func (c *caller) isTest() bool {
	language := c.from.lang
	if !language.IsTestFile(filepath.ToSlash(c.Path)) {
		return false
	}
	return c.from.at < 0 || language.IsTest(c.Symbol.Name, c.Symbol.Container, c.Symbol.Kind)
}
