//go:build !lite

package lang

import (
	"bytes"
	"path"
	"strings"

	tskotlin "github.com/tree-sitter-grammars/tree-sitter-kotlin/bindings/go"
)

func kotlin() *Language {
	return &Language{
		Name: "kotlin", Family: "jvm", Extensions: []string{".kt", ".kts"}, Parser: tskotlin.Language, Grammar: kotlinGrammar,
		Nests: true, Bare: true, Private: true, Self: "this super", Super: "super", Blank: "_", Comments: cComments, Body: "{=",
		Imports: kotlinImports, ImportKinds: "import package_header",
		Refine: refineKotlin,
		Exported: func(d *Declaration) bool {
			return !isHiddenBy(d.Node.ChildOf("modifiers"), "visibility_modifier")
		},
		Skim:   kotlinLines.skim,
		IsTest: func(_, _ string, kind Kind) bool { return kind == Method },
		IsTestFile: func(file string) bool {
			return strings.HasSuffix(strings.TrimSuffix(path.Base(file), path.Ext(file)), "Test")
		},
	}
}

var kotlinGrammar = &Grammar{
	Names: "identifier this_expression super_expression",
	Skips: "line_comment block_comment string_content escape_sequence number_literal float_literal character_literal visibility_modifier inheritance_modifier member_modifier class_modifier property_modifier label",
	Scopes: `class_declaration object_declaration function_declaration secondary_constructor anonymous_function lambda_literal block
		for_statement catch_block when_expression getter setter anonymous_initializer`,
	Spaces: "for_statement catch_block",
	Roles: map[string]Role{
		"class_declaration.name":                          Defines(Class),
		"object_declaration.name":                         Defines(Class),
		"companion_object.name":                           Defines(Class),
		"type_alias.type":                                 Defines(Type),
		"enum_entry identifier":                           Defines(Member) | Leads,
		"function_declaration.name":                       Defines(Function),
		"function_declaration user_type":                  Receives | Types, // a receiver or, behind the name, the result
		"user_type type_arguments":                        Plain | Owns,
		"property_declaration variable_declaration":       Defines(Variable),
		"property_declaration multi_variable_declaration": Defines(Variable),
		"property_declaration call_expression":            Values,
		"variable_declaration identifier":                 Inherits | Leads,
		"variable_declaration user_type":                  Types,
		"multi_variable_declaration variable_declaration": Inherits,
		"class_parameter identifier":                      Defines(Field) | Leads,
		"class_parameter user_type":                       Types,
		"parameter identifier":                            Binds | Leads,
		"parameter user_type":                             Types,
		"type_parameter identifier":                       Binds | Leads | Early,
		"lambda_parameters variable_declaration":          Binds,
		"lambda_parameters multi_variable_declaration":    Binds,
		"for_statement variable_declaration":              Binds,
		"for_statement multi_variable_declaration":        Binds,
		"when_subject variable_declaration":               Binds,
		"catch_block identifier":                          Binds | Leads,
		"catch_block user_type":                           Types,
		"navigation_expression identifier":                Accesses | Operand | Inherits,
		"navigation_expression navigation_expression":     Operand,
		"navigation_expression this_expression":           Operand,
		"navigation_expression super_expression":          Operand,
		"navigation_expression call_expression":           Operand,
		"call_expression identifier":                      Calls | Hints,
		"call_expression navigation_expression":           Calls | Hints,
		"class_declaration delegation_specifiers":         Bases,
		"object_declaration delegation_specifiers":        Bases,
		"object_literal delegation_specifiers":            Bases | Nameless | Owns,
		"object_literal class_body":                       Nameless | Owns,
		"constructor_invocation user_type":                Calls | Inherits,
		"explicit_delegation user_type":                   Inherits | Leads,
		"assignment.left":                                 Writes,
		"value_argument identifier":                       Plain,
		"user_type identifier":                            Inherits,
	},
	Passes: map[string]Role{
		"nullable_type":         Types,
		"delegation_specifiers": Bases,
		"delegation_specifier":  Bases,
	},
}

// refineKotlin goes by the word before the name, which the grammar keeps to
// itself.
func refineKotlin(d *Declaration) Kind {
	before := d.begins()
	has := func(word string) bool {
		for w := range bytes.FieldsSeq(before) {
			if string(w) == word {
				return true
			}
		}
		return false
	}
	switch {
	case d.Kind == Class && has("interface"):
		return Interface
	case d.Kind == Class && has("enum"):
		return Enum
	case d.Kind == Field && !has("val") && !has("var"):
		return Local // a parameter of the constructor
	case d.Kind == Variable && has("const"):
		return Constant
	default:
		return d.Kind
	}
}

// kotlinImports takes in the package and the imports.
func kotlinImports(f *Facts, n Node) bool {
	name := n.ChildOf("qualified_identifier")
	if n.Kind() == "package_header" {
		f.Package = name.Text()
		return true
	}
	if strings.HasSuffix(strings.TrimSpace(n.Text()), "*") {
		f.Imports = append(f.Imports, Import{Path: name.Text(), Name: "*", Alias: "."})
		return true
	}
	var last, alias Node
	for c := range name.Children() {
		last = c
	}
	imp := Import{}
	imp.Path, imp.Name = cutLast(name.Text(), ".")
	imp.Alias = imp.Name
	f.mentionImport(last)
	if alias = n.ChildOf("identifier"); !alias.None() {
		imp.Alias = alias.Text()
		f.mentionImport(alias)
	}
	f.Imports = append(f.Imports, imp)
	return true
}

var kotlinLines = (&Lines{
	Before: "public private protected internal abstract open final sealed data inner override suspend inline operator infix lateinit const companion enum annotation value",
	Words: map[string]Kind{
		"class": Class, "interface": Interface, "object": Class, "fun": Function, "typealias": Type, "val": Variable, "var": Variable,
	},
}).compiled()
