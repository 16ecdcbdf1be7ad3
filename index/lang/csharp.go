//go:build !lite

package lang

import (
	"bytes"
	"path"
	"strings"

	tscsharp "github.com/tree-sitter/tree-sitter-c-sharp/bindings/go"
)

func cSharp() *Language {
	return &Language{
		Name: "csharp", Extensions: []string{".cs"}, Parser: tscsharp.Language, Grammar: cSharpGrammar,
		Nests: true, Bare: true, Private: true, Self: "this base", Super: "base", Blank: "_", Comments: cComments, Body: "{",
		Imports: cSharpImports, ImportKinds: "using_directive",
		Exported:   func(d *Declaration) bool { return !isHiddenBy(d.Node, "modifier") },
		Skim:       cSharpLines.skim,
		IsTest:     func(_, _ string, kind Kind) bool { return kind == Method },
		IsTestFile: func(file string) bool { return strings.Contains(path.Base(file), "Test") },
	}
}

var cSharpGrammar = &Grammar{
	Names: "identifier this base implicit_parameter",
	Skips: `comment string_literal verbatim_string_literal raw_string_literal character_literal integer_literal real_literal boolean_literal
		null_literal predefined_type modifier implicit_type preproc_region preproc_endregion preproc_pragma`,
	Scopes: `class_declaration struct_declaration record_declaration interface_declaration enum_declaration delegate_declaration
		method_declaration constructor_declaration destructor_declaration operator_declaration conversion_operator_declaration
		indexer_declaration property_declaration accessor_declaration local_function_statement lambda_expression anonymous_method_expression
		block for_statement foreach_statement using_statement catch_clause switch_section switch_expression_arm query_expression`,
	Spaces: `method_declaration constructor_declaration destructor_declaration operator_declaration local_function_statement
		lambda_expression for_statement foreach_statement catch_clause accessor_declaration`,
	Rests: "file_scoped_namespace_declaration",
	Roles: map[string]Role{
		"namespace_declaration.name":                       Defines(Module),
		"file_scoped_namespace_declaration.name":           Defines(Module),
		"base_list.":                                       Bases,
		"assignment_expression.left":                       Writes | Inherits,
		"initializer_expression assignment_expression":     Keys,
		"class_declaration.name":                           Defines(Class),
		"record_declaration.name":                          Defines(Class),
		"struct_declaration.name":                          Defines(Type),
		"interface_declaration.name":                       Defines(Interface),
		"enum_declaration.name":                            Defines(Enum),
		"enum_member_declaration.name":                     Defines(Member),
		"delegate_declaration.name":                        Defines(Type),
		"delegate_declaration.type":                        Types,
		"method_declaration.name":                          Defines(Method),
		"method_declaration.returns":                       Types,
		"constructor_declaration.name":                     Defines(Method),
		"destructor_declaration.name":                      Defines(Method),
		"local_function_statement.name":                    Defines(Function),
		"local_function_statement.type":                    Types,
		"property_declaration.name":                        Defines(Field),
		"property_declaration.type":                        Types,
		"event_declaration.name":                           Defines(Field),
		"event_declaration.type":                           Types,
		"field_declaration variable_declaration":           Defines(Field),
		"event_field_declaration variable_declaration":     Defines(Field),
		"local_declaration_statement variable_declaration": Binds,
		"for_statement.initializer":                        Binds,
		"using_statement variable_declaration":             Binds,
		"variable_declaration.type":                        Types,
		"variable_declaration variable_declarator":         Inherits,
		"variable_declarator.name":                         Inherits,
		"variable_declarator.":                             Values,
		"variable_declarator tuple_pattern":                Inherits,
		"tuple_pattern.name":                               Inherits,
		"type_parameter.name":                              Binds | Early,
		"record_declaration parameter_list":                Defines(Field), // its properties
		"parameter_list parameter":                         Inherits | Owns,
		"bracketed_parameter_list parameter":               Owns,
		"parameter.name":                                   Binds | Inherits,
		"parameter.type":                                   Types,
		"parameter_list.name":                              Binds,
		"parameter_list.type":                              Types,
		"lambda_expression.parameters":                     Binds,
		"foreach_statement.left":                           Binds,
		"from_clause.name":                                 Binds,
		"join_clause identifier":                           Binds | Leads,
		"join_into_clause.":                                Binds,
		"let_clause identifier":                            Binds | Leads,
		"foreach_statement.type":                           Types,
		"declaration_pattern.name":                         Binds,
		"declaration_pattern.type":                         Types,
		"declaration_expression.name":                      Binds,
		"declaration_expression.type":                      Types,
		"catch_declaration.name":                           Binds,
		"catch_declaration.type":                           Types,
		"member_access_expression.expression":              Operand,
		"member_access_expression.name":                    Accesses | Inherits,
		"conditional_access_expression.condition":          Operand,
		"member_binding_expression.name":                   Accesses | Inherits,
		"qualified_name.qualifier":                         Operand | Qualifies,
		"qualified_name.name":                              Accesses | Inherits,
		"generic_name identifier":                          Inherits,
		"invocation_expression.function":                   Calls | Hints,
		"object_creation_expression.type":                  Calls | Hints | Literal,
		"attribute.name":                                   Calls,
		"argument.name":                                    Keys,
		"assignment_expression.right":                      Values,
		"labeled_statement identifier":                     Mutes,
		"goto_statement identifier":                        Mutes,
		"recursive_pattern.name":                           Binds,
		"recursive_pattern.type":                           Types,
		"with_initializer identifier":                      Keys | Leads,
	},
	Passes: map[string]Role{
		"nullable_type":                 Types,
		"await_expression":              Values,
		"conditional_access_expression": Calls,
	},
}

// isHiddenBy reports whether n has the modifier private, which is of a kind.
func isHiddenBy(n Node, kind string) bool {
	for c := range n.Children() {
		if c.Kind() == kind && c.Text() == "private" {
			return true
		}
	}
	return false
}

// cSharpImports takes in a using directive: all of a namespace, or a name for
// something.
func cSharpImports(f *Facts, n Node) bool {
	alias, target, isStatic := n.Child("name"), Node{}, bytes.Contains(n.bytes(), []byte("static "))
	for c := range n.Children() {
		if c != alias {
			target = c
		}
	}
	imp := Import{Path: target.Text(), Name: "*", Alias: "."}
	if !alias.None() {
		imp.Path, imp.Name = cutLast(target.Text(), ".")
		imp.Alias = alias.Text()
		f.mentionImport(alias)
	}
	if last := target.Child("name"); isStatic || !alias.None() {
		f.mentionImport(last)
	}
	f.Imports = append(f.Imports, imp)
	return true
}

var cSharpLines = (&Lines{
	Before: "public private protected internal static abstract sealed partial readonly unsafe new virtual override async extern",
	Words: map[string]Kind{
		"class": Class, "record": Class, "struct": Type, "interface": Interface, "enum": Enum, "namespace": Module,
	},
	Bare: true,
}).compiled()
