package lang

import (
	"slices"
	"strings"

	"github.com/agentls/agentls/index/syntax"
)

// A Mark says what the walk does with nodes of a kind.
type Mark uint8

// The marks of a kind.
const (
	IsName Mark = 1 << iota
	IsSkipped
	IsScope
	IsSpace
	IsWrap
	IsImport
)

// Has reports whether m holds one of marks.
func (m Mark) Has(marks Mark) bool { return m&marks != 0 }

// Tables are a Grammar by the numbers of kinds and fields, so that the walk
// compares no strings.
type Tables struct {
	Syntax *syntax.Language
	Body   uint16 // the field of that name

	kinds   []string          // names, by kind
	numbers map[string]uint16 // of fields
	fields  int
	marks   []Mark
	passes  []Role
	roles   []Role // kind*fields + field
}

// Tables returns the tables of l, which are made when first asked for.
func (l *Language) Tables() *Tables { return l.tables() }

// Marks returns what nodes of a kind are. An error is nothing.
func (t *Tables) Marks(kind uint16) Mark {
	if int(kind) >= len(t.marks) {
		return 0
	}
	return t.marks[kind]
}

// Role returns the role of a child at field of a node of a kind, and what that
// node passes to children without one.
func (t *Tables) Role(kind, field uint16) (role, passes Role) {
	if int(kind) >= len(t.passes) { // an error
		return 0, 0
	}
	return t.roles[int(kind)*t.fields+int(field)], t.passes[kind]
}

// compile looks up the names of l's grammar. Names the grammar does not have
// are left out: TypeScript shares JavaScript's table.
func (l *Language) compile() *Tables {
	grammar := syntax.NewLanguage(l.Parser())
	t := &Tables{
		Syntax: grammar, Body: grammar.Field("body"),
		kinds: make([]string, grammar.Kinds()), marks: make([]Mark, grammar.Kinds()), numbers: map[string]uint16{"": 0}, fields: grammar.Fields() + 1,
	}
	ids := map[string][]int{}
	for i := range t.kinds {
		t.kinds[i] = grammar.Kind(uint16(i))
		if grammar.IsNamed(uint16(i)) {
			ids[t.kinds[i]] = append(ids[t.kinds[i]], i)
		}
	}
	for i := range t.fields {
		t.numbers[grammar.FieldName(uint16(i))] = uint16(i)
	}
	t.mark(ids, l)
	t.hand(ids, l.Grammar)
	grammar.Act(t.actions(l.Grammar.Words))
	return t
}

// mark sets the marks of the kinds that l names; ids are the kinds by name.
func (t *Tables) mark(ids map[string][]int, l *Language) {
	for mark, kinds := range map[Mark]string{
		IsName: l.Grammar.Names, IsSkipped: l.Grammar.Skips, IsScope: l.Grammar.Scopes,
		IsSpace: l.Grammar.Spaces, IsWrap: l.Grammar.Wraps, IsImport: l.ImportKinds,
	} {
		for kind := range strings.FieldsSeq(kinds) {
			for _, id := range ids[kind] {
				t.marks[id] |= mark
			}
		}
	}
}

// hand sets the roles that g hands out.
func (t *Tables) hand(ids map[string][]int, g *Grammar) {
	t.passes, t.roles = make([]Role, len(t.kinds)), make([]Role, len(t.kinds)*t.fields)
	for kind, r := range g.Passes {
		for _, id := range ids[kind] {
			t.passes[id] = r
		}
	}
	for place, r := range g.Roles {
		kind, field, _ := strings.Cut(place, ".")
		number, known := t.numbers[field]
		for _, id := range ids[kind] {
			if known {
				t.roles[id*t.fields+int(number)] = r
			}
		}
	}
}

// actions says what the walk lists. Tokens are hidden, but for the words that
// stand for names. It also marks what is not listed as skipped.
func (t *Tables) actions(words string) []syntax.Action {
	actions := make([]syntax.Action, len(t.kinds))
	for i, kind := range t.kinds {
		switch named := t.Syntax.IsNamed(uint16(i)); {
		case !named && slices.Contains(strings.Fields(words), kind):
			actions[i], t.marks[i] = syntax.Over, t.marks[i]|IsSkipped
		case !named:
			actions[i], t.marks[i] = syntax.Hide, t.marks[i]|IsSkipped
		case t.marks[i].Has(IsSkipped | IsName):
			actions[i] = syntax.Over
		}
	}
	return actions
}
