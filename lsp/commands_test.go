package lsp

import (
	"encoding"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.lsp.dev/protocol"
)

// TestCommandsDocumented fails when COMMANDS.md and the code drift apart: a
// command without a section or the other way round, an argument without a row
// or the other way round, a field of a result or an event that no word says.
func TestCommandsDocumented(t *testing.T) {
	sections := readSections(t)
	for _, c := range commands() {
		section, ok := sections[c.name]
		if !ok {
			t.Errorf("COMMANDS.md has no section %q", c.name)
			continue
		}
		delete(sections, c.name)
		if !strings.Contains(section, "Arguments as of") {
			compareArguments(t, c, section)
		}
		if strings.Contains(section, "Result as of") {
			section = sectionsText(t)
		}
		for _, field := range fieldsOf(c.result) {
			if !strings.Contains(section, "`"+field+"`") && !strings.Contains(sectionsText(t), "`"+field+"`") {
				t.Errorf("%s: COMMANDS.md does not name the result's field %q", c.name, field)
			}
		}
	}
	for name := range sections {
		t.Errorf("COMMANDS.md describes %q, which is no command", name)
	}
}

func compareArguments(t *testing.T, c command, section string) {
	t.Helper()
	rows := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(section, -1) {
		rows[m[1]] = true
	}
	for _, name := range topFields(c.params) {
		if !rows[name] {
			t.Errorf("%s: COMMANDS.md has no row for the argument %q", c.name, name)
		}
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("%s: COMMANDS.md has a row for %q, which is no argument", c.name, name)
	}
}

func TestEventsDocumented(t *testing.T) {
	_, events, ok := strings.Cut(sectionsText(t), "## Events")
	if !ok {
		t.Fatal("COMMANDS.md has no section on events")
	}
	for _, field := range fieldsOf(reflect.TypeFor[Event]()) {
		if !strings.Contains(sectionsText(t), "`"+field+"`") {
			t.Errorf("COMMANDS.md does not name the field %q", field)
		}
	}
	rows := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z.]+)` \\|").FindAllStringSubmatch(events, -1) {
		rows[m[1]] = true
	}
	for _, kind := range eventKinds(t) {
		if !rows[kind] {
			t.Errorf("COMMANDS.md has no row for the event %q", kind)
		}
		delete(rows, kind)
	}
	for kind := range rows {
		t.Errorf("COMMANDS.md describes %q, which is no event", kind)
	}
}

func sectionsText(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("COMMANDS.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// readSections returns the text below each "### agentls.…".
func readSections(t *testing.T) map[string]string {
	t.Helper()
	body, _, _ := strings.Cut(sectionsText(t), "## Events")
	out := make(map[string]string)
	for _, part := range strings.Split(body, "\n### ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		out[name] = text
	}
	return out
}

// topFields returns the JSON names of a struct's fields, those of embedded
// structs among them.
func topFields(typ reflect.Type) []string {
	var names []string
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Anonymous {
			names = append(names, topFields(f.Type)...)
			continue
		}
		if !f.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// fieldsOf is topFields of typ and of all our structs below it.
func fieldsOf(typ reflect.Type) []string {
	for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	isText := typ.Implements(reflect.TypeFor[encoding.TextMarshaler]())
	if typ.Kind() != reflect.Struct || isText || typ.PkgPath() == reflect.TypeFor[protocol.Range]().PkgPath() {
		return nil
	}
	names := topFields(typ)
	for i := range typ.NumField() {
		names = append(names, fieldsOf(typ.Field(i).Type)...)
	}
	return names
}

// eventKinds reads the constants of type EventKind from the source, so that a
// new one cannot be forgotten here.
func eventKinds(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "events.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Type == nil {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); ok && id.Name == "EventKind" {
			literal, _ := spec.Values[0].(*ast.BasicLit)
			kind, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, kind)
		}
		return true
	})
	if len(kinds) == 0 {
		t.Fatal("no event kinds found in events.go")
	}
	return kinds
}
