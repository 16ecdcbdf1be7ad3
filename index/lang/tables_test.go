package lang

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// A word of a table that no grammar has would be ignored without a sound.
func TestTablesSayWhatGrammarsKnow(t *testing.T) {
	known := map[*Grammar]*vocabulary{}
	for _, l := range All {
		v := known[l.Grammar]
		if v == nil {
			v = &vocabulary{kinds: map[string]bool{"ERROR": true}, fields: map[string]bool{"": true}}
			known[l.Grammar] = v
		}
		v.learn(l)
	}
	for _, l := range All {
		for _, word := range known[l.Grammar].unknown(l) {
			t.Errorf("%s: the grammar has no %q", l.Name, word)
		}
	}
}

// A vocabulary is what the grammars that share a table call things.
type vocabulary struct{ kinds, fields map[string]bool }

func (v *vocabulary) learn(l *Language) {
	tables := l.Tables()
	for _, kind := range tables.kinds {
		v.kinds[kind] = true
	}
	for field := range tables.numbers {
		v.fields[field] = true
	}
}

// unknown returns the words of l's table that are none of v's.
func (v *vocabulary) unknown(l *Language) []string {
	g := l.Grammar
	words := strings.Fields(strings.Join([]string{
		g.Names, g.Labels, g.Sigils, g.Shorts, g.Skips, g.Loose, g.Scopes, g.Spaces, g.Wraps, g.Words, l.ImportKinds, l.AheadKinds, l.EmbedKinds,
	}, " "))
	words = slices.AppendSeq(words, maps.Keys(g.Passes))
	var fields []string
	for place := range maps.Keys(g.Roles) {
		if parent, child, ok := strings.Cut(place, " "); ok {
			words = append(words, parent, child)
			continue
		}
		kind, field, _ := strings.Cut(place, ".")
		words, fields = append(words, kind), append(fields, field)
	}
	words = slices.DeleteFunc(words, func(word string) bool { return v.kinds[word] })
	fields = slices.DeleteFunc(fields, func(word string) bool { return v.fields[word] })
	return append(words, fields...)
}

// A language is found by its identifier, by a file's name and by what people
// write before fenced code.
func TestOf(t *testing.T) {
	for _, l := range All {
		if Of("", l.Name) != l {
			t.Errorf("%s is not found by its name", l.Name)
		}
		for _, ext := range l.Extensions {
			if Of("/dir/name"+strings.ToUpper(ext), "") != l || Written(ext[1:]) == nil {
				t.Errorf("%s is not found by %s", l.Name, ext)
			}
		}
	}
	if l := Of("/dir/name.unknown", "plaintext"); l != nil {
		t.Errorf("plain text is %s", l.Name)
	}
}
