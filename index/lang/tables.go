package lang

import (
	"slices"
	"strings"

	"github.com/agentls/agentls/index/syntax"
)

// A Mark says what the walk does with nodes of a kind.
type Mark uint16

// The marks of a kind.
const (
	IsName Mark = 1 << iota
	IsSkipped
	IsScope
	IsSpace
	IsWrap
	IsImport
	IsLabel
	IsShort
	IsSigil
	IsLoose
	IsThin
	IsBlock
	IsRest
	IsShorthand // a key and a value at once, as such or in another node
	HasAhead
	HasEmbed
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
	sigils  bool
	faulty  uint16 // the kind of an error, behind all others
	marks   []Mark
	passes  []Role
	roles   []Role             // kind*fields + field
	byKind  map[[2]uint16]Role // of children without a field: by the kinds of parent and child
}

// Tables returns the tables of l, which are made when first asked for.
func (l *Language) Tables() *Tables { return l.tables() }

// Marks returns what nodes of a kind are. An error is nothing.
func (t *Tables) Marks(kind uint16) Mark { return t.marks[min(kind, t.faulty)] }

// Role returns the role of a child of a kind, at field of a parent of a kind,
// and what that parent passes to children without one.
func (t *Tables) Role(parent, field, child uint16) (role, passes Role) {
	parent, child = min(parent, t.faulty), min(child, t.faulty)
	role = t.roles[int(parent)*t.fields+int(field)]
	if role&byKind != 0 {
		if special, ok := t.byKind[[2]uint16{parent, child}]; ok {
			role = special
		}
		role &^= byKind
	}
	return role, t.passes[parent]
}

// HasKind reports whether the name of a kind begins with prefix.
func (t *Tables) HasKind(prefix string) bool {
	return slices.ContainsFunc(t.kinds, func(kind string) bool { return strings.HasPrefix(kind, prefix) })
}

// HasSigils reports whether variables have a sign that members have not.
func (t *Tables) HasSigils() bool { return t.sigils }

// IsWord reports whether name is written in the grammar itself: a keyword, or a
// word that is one in some places.
func (t *Tables) IsWord(name string) bool {
	for i, kind := range t.kinds {
		if kind == name && !t.Syntax.IsNamed(uint16(i)) {
			return true
		}
	}
	return false
}

// compile looks up the names of l's grammar. Names the grammar does not have
// are left out: TypeScript shares JavaScript's table.
func (l *Language) compile() *Tables {
	grammar := syntax.NewLanguage(l.Parser())
	t := &Tables{
		Syntax: grammar, Body: grammar.Field("body"),
		kinds: make([]string, grammar.Kinds()), marks: make([]Mark, grammar.Kinds()+1), faulty: uint16(grammar.Kinds()), numbers: map[string]uint16{"": 0}, fields: grammar.Fields() + 1,
	}
	ids := map[string][]int{"ERROR": {grammar.Kinds()}}
	for i := range t.kinds {
		t.kinds[i] = grammar.Kind(uint16(i))
		if grammar.IsNamed(uint16(i)) || slices.Contains(strings.Fields(l.Self), t.kinds[i]) {
			ids[t.kinds[i]] = append(ids[t.kinds[i]], i)
		}
	}
	for i := range t.fields {
		t.numbers[grammar.FieldName(uint16(i))] = uint16(i)
	}
	t.sigils = l.Grammar.Sigils != ""
	t.mark(ids, l)
	t.hand(ids, l.Grammar)
	grammar.Act(t.actions(l.Grammar.Words))
	return t
}

// mark sets the marks of the kinds that l names; ids are the kinds by name.
func (t *Tables) mark(ids map[string][]int, l *Language) {
	for mark, kinds := range map[Mark]string{
		IsName: l.Grammar.Names + " " + l.Grammar.Labels + " " + l.Grammar.Shorts + " " + l.Grammar.Sigils, IsSigil: l.Grammar.Sigils, IsLabel: l.Grammar.Labels, IsShort: l.Grammar.Shorts, IsLoose: l.Grammar.Loose,
		HasAhead: l.AheadKinds, HasEmbed: l.EmbedKinds, IsSkipped: l.Grammar.Skips,
		IsScope: l.Grammar.Scopes, IsSpace: l.Grammar.Spaces, IsThin: l.Grammar.Thin, IsBlock: l.Grammar.Blocks, IsRest: l.Grammar.Rests, IsWrap: l.Grammar.Wraps, IsImport: l.ImportKinds,
	} {
		for kind := range strings.FieldsSeq(kinds) {
			for _, id := range ids[kind] {
				t.marks[id] |= mark
			}
		}
	}
	for id, kind := range t.kinds {
		if strings.HasPrefix(kind, "shorthand_") {
			t.marks[id] |= IsShorthand
		}
	}
}

// hand sets the roles that g hands out.
func (t *Tables) hand(ids map[string][]int, g *Grammar) {
	t.passes, t.roles = make([]Role, len(t.marks)), make([]Role, len(t.marks)*t.fields)
	for kind, r := range g.Passes {
		for _, id := range ids[kind] {
			t.passes[id] = r
		}
	}
	t.byKind = map[[2]uint16]Role{}
	for place, r := range g.Roles {
		if parent, child, ok := strings.Cut(place, " "); ok {
			t.handByKind(ids[parent], ids[child], r)
			continue
		}
		kind, field, _ := strings.Cut(place, ".")
		number, known := t.numbers[field]
		for _, id := range ids[kind] {
			if known {
				t.roles[id*t.fields+int(number)] |= r
			}
		}
	}
}

func (t *Tables) handByKind(parents, children []int, r Role) {
	for _, parent := range parents {
		t.roles[parent*t.fields] |= byKind
		for _, child := range children {
			t.byKind[[2]uint16{uint16(parent), uint16(child)}] = r
		}
	}
}

// actions says what the walk lists. Tokens are hidden, but for the words that
// stand for names. It also marks what is not listed as skipped.
func (t *Tables) actions(words string) []syntax.Action {
	actions := make([]syntax.Action, len(t.kinds))
	for i, kind := range t.kinds {
		switch named := t.Syntax.IsNamed(uint16(i)); {
		case !named && t.marks[i].Has(IsName): // this, in C#
			actions[i] = syntax.Over
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
