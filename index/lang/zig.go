//go:build !lite

package lang

import (
	"bytes"

	tszig "github.com/tree-sitter-grammars/tree-sitter-zig/bindings/go"
)

func zig() *Language {
	return &Language{
		Name: "zig", Extensions: []string{".zig"}, Parser: tszig.Language, Grammar: zigGrammar,
		Blank: "_", Comments: Comments{Line: "//"}, Quotes: "\"'",
		Imports: zigImports, ImportKinds: "variable_declaration",
		Refine:     refineZig,
		Exported:   func(d *Declaration) bool { return bytes.HasPrefix(d.Node.bytes(), []byte("pub ")) || d.Kind.IsMember() },
		Skim:       zigLines.skim,
		IsTest:     func(_, _ string, kind Kind) bool { return kind == Function },
		IsTestFile: func(string) bool { return false },
	}
}

var zigGrammar = &Grammar{
	Names:  "identifier",
	Labels: "string_content",
	Skips:  "comment integer float character builtin_type builtin_identifier escape_sequence multiline_string",
	Scopes: "function_declaration block for_statement while_statement if_statement if_expression switch_case test_declaration catch_expression",
	Spaces: "function_declaration",
	Roles: map[string]Role{
		"function_declaration.name":            Defines(Function),
		"function_declaration.type":            Types,
		"variable_declaration identifier":      Defines(Variable) | Leads,
		"variable_declaration.type":            Types,
		"return_expression struct_declaration": Members, // fn List(T: type) type
		"return_expression union_declaration":  Members,
		"return_expression enum_declaration":   Members,
		"container_field.name":                 Defines(Field),
		"container_field.type":                 Types,
		"error_set_declaration identifier":     Defines(Member) | Itself,
		"test_declaration string":              Defines(Function),
		"parameter.name":                       Binds,
		"parameter.type":                       Types,
		"payload identifier":                   Binds,
		"field_expression.object":              Operand,
		"field_expression.member":              Accesses | Keys | Inherits, // a key where nothing is before the dot
		"call_expression.function":             Calls | Hints,
		"struct_initializer identifier":        Literal | Hints,
		"struct_initializer field_expression":  Literal | Hints,
		"field_initializer identifier":         Keys | Leads,
	},
	Passes: map[string]Role{
		"string":           Defined,
		"pointer_type":     Types,
		"nullable_type":    Types,
		"error_union_type": Types,
		"try_expression":   Values,
	},
}

// refineZig goes by the value: types are values here.
func refineZig(d *Declaration) Kind {
	switch {
	case d.Kind == Field && d.Around.Kind() == "enum_declaration":
		return Member
	case d.Kind != Variable:
		return d.Kind
	}
	for c := range d.Node.Children() {
		switch c.Kind() {
		case "struct_declaration", "union_declaration", "opaque_declaration":
			return Type
		case "enum_declaration", "error_set_declaration":
			return Enum
		}
	}
	words := bytes.Fields(d.begins())
	switch {
	case len(words) == 0: // an assignment
		return Nothing
	case string(words[len(words)-1]) == "const":
		return Constant
	default:
		return Variable
	}
}

// zigImports takes in const x = @import("y").
func zigImports(f *Facts, n Node) bool {
	call := n.ChildOf("builtin_function")
	if call.First().Text() != "@import" {
		return false
	}
	f.mentionImport(n.First())
	f.Imports = append(f.Imports, Import{Path: call.ChildOf("arguments").First().Unquoted(), Name: "*", Alias: n.First().Text()})
	return true
}

var zigLines = (&Lines{
	Before: "pub extern export inline comptime threadlocal",
	Words:  map[string]Kind{"fn": Function, "const": Constant, "var": Variable},
}).compiled()
