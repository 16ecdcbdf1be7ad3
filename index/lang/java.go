//go:build !lite

package lang

import (
	"bytes"
	"path"
	"strings"

	tsjava "github.com/tree-sitter/tree-sitter-java/bindings/go"
)

func java() *Language {
	return &Language{
		Name: "java", Family: "jvm", Extensions: []string{".java"}, Parser: tsjava.Language, Grammar: javaGrammar,
		Nests: true, Bare: true, Apart: true, Private: true, Self: "this super", Super: "super", Inferred: "var", Comments: cComments,
		Imports: javaImports, ImportKinds: "import_declaration package_declaration",
		Exported: func(d *Declaration) bool { return !isPrivate(d.Node.ChildOf("modifiers")) },
		Skim:     javaLines.skim,
		IsTest: func(name, _ string, kind Kind) bool {
			return kind == Method && strings.HasPrefix(strings.ToLower(name), "test")
		},
		IsTestFile: isJavaTestFile,
	}
}

var javaGrammar = &Grammar{
	Names: "identifier type_identifier this super",
	Skips: `line_comment block_comment string_literal character_literal decimal_integer_literal hex_integer_literal
		decimal_floating_point_literal true false null_literal integral_type floating_point_type boolean_type void_type`,
	Scopes: `class_declaration interface_declaration enum_declaration record_declaration annotation_type_declaration
		method_declaration constructor_declaration compact_constructor_declaration lambda_expression block for_statement enhanced_for_statement
		try_with_resources_statement catch_clause switch_block_statement_group switch_rule static_initializer`,
	Spaces: "method_declaration constructor_declaration lambda_expression for_statement enhanced_for_statement static_initializer",
	Roles: map[string]Role{
		"superclass.":                              Bases,
		"super_interfaces.":                        Bases,
		"extends_interfaces.":                      Bases,
		"assignment_expression.left":               Writes,
		"update_expression.":                       Writes,
		"class_declaration.name":                   Defines(Class),
		"record_declaration.name":                  Defines(Class),
		"interface_declaration.name":               Defines(Interface),
		"annotation_type_declaration.name":         Defines(Interface),
		"enum_declaration.name":                    Defines(Enum),
		"enum_constant.name":                       Defines(Member),
		"method_declaration.name":                  Defines(Method),
		"method_declaration.type":                  Types,
		"constructor_declaration.name":             Defines(Method),
		"compact_constructor_declaration.name":     Defines(Method),
		"annotation_type_element_declaration.name": Defines(Method),
		"field_declaration.declarator":             Defines(Field),
		"field_declaration.type":                   Types,
		"constant_declaration.declarator":          Defines(Field),
		"constant_declaration.type":                Types,
		"local_variable_declaration.declarator":    Binds,
		"local_variable_declaration.type":          Types,
		"variable_declarator.name":                 Inherits,
		"variable_declarator.value":                Values,
		"record_declaration.parameters":            Defines(Field), // its components
		"formal_parameters formal_parameter":       Inherits | Owns,
		"formal_parameter.name":                    Binds | Inherits,
		"formal_parameter.type":                    Types,
		"spread_parameter.":                        Types,
		"spread_parameter variable_declarator":     Binds,
		"inferred_parameters.":                     Binds,
		"lambda_expression.parameters":             Binds,
		"type_parameter.":                          Binds | Early,
		"catch_formal_parameter.name":              Binds,
		"catch_formal_parameter.":                  Types,
		"enhanced_for_statement.name":              Binds,
		"enhanced_for_statement.type":              Types,
		"resource.name":                            Binds,
		"resource.type":                            Types,
		"instanceof_expression.name":               Binds,
		"type_pattern.":                            Binds,
		"record_pattern_component identifier":      Binds,
		"field_access.object":                      Operand,
		"field_access.field":                       Accesses | Inherits,
		"method_invocation.object":                 Operand,
		"method_invocation.name":                   Accesses | Calls,
		"method_reference.":                        Accesses | Operand | Calls,
		"scoped_type_identifier.":                  Accesses | Operand | Inherits,
		"object_creation_expression.type":          Calls | Hints,
		"object_creation_expression class_body":    Nameless | Owns,
		"generic_type.":                            Inherits,
		"marker_annotation.name":                   Calls,
		"annotation.name":                          Calls,
		"element_value_pair.key":                   Keys,
		"labeled_statement identifier":             Mutes,
		"break_statement identifier":               Mutes,
		"continue_statement identifier":            Mutes,
	},
	Passes: map[string]Role{
		"type_list":  Bases,
		"array_type": Types,
		"catch_type": Types,
	},
}

// isPrivate reports whether one of modifiers is the word private.
func isPrivate(modifiers Node) bool {
	for word := range bytes.FieldsSeq(modifiers.bytes()) {
		if string(word) == "private" {
			return true
		}
	}
	return false
}

// javaImports takes in the package and the imports.
func javaImports(f *Facts, n Node) bool {
	name := n.ChildOf("scoped_identifier")
	if name.None() {
		name = n.ChildOf("identifier")
	}
	if n.Kind() == "package_declaration" {
		f.Package = name.Text()
		return true
	}
	if !n.ChildOf("asterisk").None() {
		f.Imports = append(f.Imports, Import{Path: name.Text(), Name: "*", Alias: "."})
		return true
	}
	if last := name.Child("name"); !last.None() {
		f.mentionImport(last)
		f.Imports = append(f.Imports, Import{Path: name.Child("scope").Text(), Name: last.Text(), Alias: last.Text()})
	}
	return true
}

func isJavaTestFile(file string) bool {
	base := strings.TrimSuffix(path.Base(file), path.Ext(file))
	return strings.HasSuffix(base, "Test") || strings.HasSuffix(base, "Tests") || strings.HasPrefix(base, "Test") || strings.HasSuffix(base, "IT")
}

var javaLines = (&Lines{
	Before: "public private protected static final abstract default sealed non-sealed strictfp synchronized native",
	Words:  map[string]Kind{"class": Class, "record": Class, "interface": Interface, "@interface": Interface, "enum": Enum},
	Bare:   true,
}).compiled()
