package index

import (
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/agentls/agentls/index/syntax"
)

// A role says what a child node means to its parent, and so what an identifier
// there is. The walk of extract.go gives it meaning; the tables of lang_*.go
// hand it out.
type role uint32

const (
	binds     role = 1 << iota // identifiers here are declared; see defines
	accesses                   // the name behind a dot
	keys                       // the name of a field in a literal, or of an argument
	calls                      // what is called
	types                      // the type of what the owner of this role binds
	values                     // the value of what the owner of this role binds
	operand                    // what stands before the dot
	receives                   // holds the receiver's type of a Go method
	inherits                   // carries on what the parent is: called, a type, declared
	hints                      // becomes types where the parent is a value
	global                     // is not bound here in spite of an assignment
	assigns                    // is assigned to: self.x = 1 declares x
	plain                      // nothing, whatever the parent passes
	later                      // with binds: counts from the body of the function on
	literal                    // is the type of a literal, and so of the fields its keys name
	itself                     // is the whole declaration, as a name in a list is
	kindShift = iota
)

// defines is the role of a declared name of kind k. Plain binds is a parameter
// or another name that only its scope sees.
func defines(k Kind) role { return binds | role(k)<<kindShift }

func (r role) kind() Kind { return Kind(r >> kindShift) }

// defined masks what defines sets.
const defined = binds | 15<<kindShift

// A grammar says, in the words of a tree-sitter grammar, what nodes mean.
type grammar struct {
	leaves string          // identifiers
	skips  string          // nothing of interest below
	scopes string          // local names end here
	spaces string          // a scope directly below is none: namespaces, bodies of functions
	wraps  string          // belong to the only declaration they hold
	words  string          // keywords that stand where a name can
	roles  map[string]role // "parent.field", or "parent." for children without a field
	passes map[string]role // what a node hands on to children without a role of their own
}

// A language is one row of the table of languages.
type language struct {
	name       string // the LSP language identifier
	extensions []string
	pointer    func() unsafe.Pointer
	grammar    *grammar
	hoists     bool   // a local name counts in its whole scope, also before its declaration
	nests      bool   // functions and classes inside functions are symbols
	repeats    bool   // an assignment declares, so only the first of a name counts
	self       string // what a method calls its object, where it is always the same word

	// imports takes in an import, if n is one, and reports whether it was.
	imports func(x *extraction, n node, kind string) bool
	// importKinds are the node kinds imports is asked about.
	importKinds string
	// refine makes the kind of a declaration precise.
	refine func(x *extraction, owner int, name string, kind Kind) Kind
	// exported reports whether a declared name is visible outside.
	exported func(x *extraction, name string) bool
	// skim finds declarations in one line.
	skim func(s *skimmer)
	// finish, which may be nil, runs after the walk.
	finish func(x *extraction)
	// isTest reports whether a declaration is a test.
	isTest func(sym *Symbol) bool
	// isTestFile reports whether a file of that base name holds tests.
	isTestFile func(base string) bool

	tables func() *tables
}

// tables are a grammar by node kind and field numbers, so that the walk
// compares no strings.
type tables struct {
	syntax  *syntax.Language
	kinds   []string          // names, by kind
	numbers map[string]uint16 // of fields
	fields  int
	leaf    []bool
	skip    []bool
	scope   []bool
	space   []bool
	wrap    []bool
	imports []bool
	passes  []role
	roles   []role // kind*fields + field
}

func (t *tables) role(kind, field uint16) role {
	return t.roles[int(kind)*t.fields+int(field)]
}

// compile looks up the names of l's grammar. Names the grammar does not have
// are left out: TypeScript shares JavaScript's table.
func (l *language) compile() *tables {
	lang := syntax.NewLanguage(l.pointer())
	t := &tables{syntax: lang, kinds: make([]string, lang.Kinds()), numbers: map[string]uint16{"": 0}, fields: lang.Fields() + 1}
	ids := map[string][]int{}
	for i := range t.kinds {
		t.kinds[i] = lang.Kind(uint16(i))
		if lang.IsNamed(uint16(i)) {
			ids[t.kinds[i]] = append(ids[t.kinds[i]], i)
		}
	}
	mark := func(kinds string) []bool {
		marks := make([]bool, len(t.kinds))
		for kind := range strings.FieldsSeq(kinds) {
			for _, id := range ids[kind] {
				marks[id] = true
			}
		}
		return marks
	}
	t.leaf, t.skip, t.scope = mark(l.grammar.leaves), mark(l.grammar.skips), mark(l.grammar.scopes)
	t.space, t.wrap, t.imports = mark(l.grammar.spaces), mark(l.grammar.wraps), mark(l.importKinds)
	t.passes, t.roles = make([]role, len(t.kinds)), make([]role, len(t.kinds)*t.fields)
	for kind, r := range l.grammar.passes {
		for _, id := range ids[kind] {
			t.passes[id] = r
		}
	}
	for place, r := range l.grammar.roles {
		kind, field, _ := strings.Cut(place, ".")
		for _, id := range ids[kind] {
			t.roles[id*t.fields+int(lang.Field(field))] = r
		}
	}
	for i := range t.fields {
		t.numbers[lang.FieldName(uint16(i))] = uint16(i)
	}
	lang.Act(t.actions(l.grammar.words))
	return t
}

// actions says what the walk lists. Tokens are hidden, but for the words that
// stand for names. It also makes skip cover them.
func (t *tables) actions(words string) []syntax.Action {
	actions := make([]syntax.Action, len(t.kinds))
	for i, kind := range t.kinds {
		switch named := t.syntax.IsNamed(uint16(i)); {
		case !named && slices.Contains(strings.Fields(words), kind):
			actions[i], t.skip[i] = syntax.Over, true
		case !named:
			actions[i], t.skip[i] = syntax.Hide, true
		case t.skip[i] || t.leaf[i]:
			actions[i] = syntax.Over
		}
	}
	return actions
}

// languages lists what can be parsed.
var languages = []*language{goLanguage(), javaScript(), javaScriptReact(), typeScript(), typeScriptReact(), python()}

var byExtension, byName = lookups(languages)

func lookups(all []*language) (byExtension, byName map[string]*language) {
	byExtension, byName = map[string]*language{}, map[string]*language{}
	for _, l := range all {
		l.tables = sync.OnceValue(l.compile)
		byName[l.name] = l
		for _, ext := range l.extensions {
			byExtension[ext] = l
		}
	}
	return byExtension, byName
}

// languageOf returns the language with the identifier name or, where that says
// nothing, the one the name of the file implies; nil if it is not known.
func languageOf(path, name string) *language {
	if l := byName[name]; l != nil {
		return l
	}
	return byExtension[strings.ToLower(filepath.Ext(path))]
}

// Languages returns the LSP identifiers of the languages that are parsed.
func Languages() []string {
	names := make([]string, len(languages))
	for i, l := range languages {
		names[i] = l.name
	}
	return names
}
