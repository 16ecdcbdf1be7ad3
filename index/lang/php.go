//go:build !lite

package lang

import (
	"path"
	"strings"

	tsphp "github.com/tree-sitter/tree-sitter-php/bindings/go"
)

func php() *Language {
	return &Language{
		Name: "php", Extensions: []string{".php", ".phtml"}, Parser: tsphp.LanguagePHP, Grammar: phpGrammar,
		Hoists: true, Apart: true, Private: true, Self: "$this self static parent", Super: "parent", Comments: Comments{Line: "//", Open: "/*", Close: "*/", Between: "#["},
		Imports: phpImports, ImportKinds: "namespace_use_declaration namespace_definition",
		Exported: func(d *Declaration) bool {
			return !isHiddenBy(d.Node, "visibility_modifier") && !isHiddenBy(d.Around, "visibility_modifier")
		},
		Skim:       phpLines.skim,
		IsTest:     func(name, _ string, kind Kind) bool { return kind == Method && strings.HasPrefix(name, "test") },
		IsTestFile: func(file string) bool { return strings.HasSuffix(path.Base(file), "Test.php") },
	}
}

var phpGrammar = &Grammar{
	Names:  "name relative_scope",
	Sigils: "variable_name",
	Skips:  "comment string_content escape_sequence integer float boolean null primitive_type visibility_modifier php_tag text nowdoc_string",
	Scopes: "class_declaration interface_declaration trait_declaration enum_declaration function_definition method_declaration anonymous_function arrow_function",
	Roles: map[string]Role{
		"base_clause.":                              Bases,
		"class_interface_clause.":                   Bases,
		"use_declaration.":                          Bases, // a trait
		"class_declaration.name":                    Defines(Class),
		"interface_declaration.name":                Defines(Interface),
		"trait_declaration.name":                    Defines(Class),
		"enum_declaration.name":                     Defines(Enum),
		"enum_case.name":                            Defines(Member),
		"function_definition.name":                  Defines(Function),
		"function_definition.return_type":           Types,
		"method_declaration.name":                   Defines(Method),
		"method_declaration.return_type":            Types,
		"const_element.":                            Defines(Constant) | Leads,
		"property_element.name":                     Defines(Field),
		"property_declaration.type":                 Types,
		"property_promotion_parameter.name":         Defines(Field),
		"property_promotion_parameter.type":         Types,
		"simple_parameter.name":                     Binds,
		"simple_parameter.type":                     Types,
		"variadic_parameter.name":                   Binds,
		"variadic_parameter.type":                   Types,
		"static_variable_declaration.name":          Binds,
		"catch_clause.name":                         Binds,
		"catch_clause.type":                         Types,
		"assignment_expression.left":                Binds | Writes,
		"augmented_assignment_expression.left":      Writes,
		"update_expression.argument":                Writes,
		"assignment_expression.right":               Values,
		"foreach_statement pair":                    Binds,
		"anonymous_function_use_clause.":            Outer,
		"global_declaration.":                       Global,
		"member_access_expression.object":           Operand,
		"member_access_expression.name":             Accesses,
		"nullsafe_member_access_expression.object":  Operand,
		"nullsafe_member_access_expression.name":    Accesses,
		"member_call_expression.object":             Operand,
		"member_call_expression.name":               Accesses | Calls,
		"nullsafe_member_call_expression.object":    Operand,
		"nullsafe_member_call_expression.name":      Accesses | Calls,
		"scoped_call_expression.scope":              Operand,
		"scoped_call_expression.name":               Accesses | Calls,
		"scoped_property_access_expression.scope":   Operand,
		"scoped_property_access_expression.name":    Accesses,
		"class_constant_access_expression.":         Accesses | Operand,
		"function_call_expression.function":         Calls | Hints,
		"object_creation_expression name":           Calls | Hints,
		"object_creation_expression qualified_name": Calls | Hints,
		"qualified_name.prefix":                     Plain,
		"qualified_name name":                       Inherits,
		"named_type name":                           Inherits,
		"attribute.":                                Calls,
		"anonymous_class.body":                      Nameless | Owns,
		"anonymous_class base_clause":               Nameless | Owns,
		"anonymous_class class_interface_clause":    Nameless | Owns,
		"argument.name":                             Keys,
	},
	Passes: map[string]Role{
		"list_literal":  Binds | Writes,
		"pair":          Binds | Writes,
		"by_ref":        Outer,
		"optional_type": Types,
		"union_type":    Types,
		"named_type":    Types,
		"type_list":     Types,
	},
}

// phpImports takes in "use a\b as c, a\{d, e};" and the namespace.
func phpImports(f *Facts, n Node) bool {
	if n.Kind() == "namespace_definition" {
		f.Package = n.Child("name").Text()
		return n.Child("body").None()
	}
	clauses := n
	if group := n.Child("body"); !group.None() {
		clauses = group
	}
	for c := range clauses.Children() {
		if c.Kind() == "namespace_use_clause" {
			phpImport(f, c, n.ChildOf("namespace_name").Text())
		}
	}
	return true
}

// phpImport takes in one clause of a use declaration, below the namespace that
// stands before its group.
func phpImport(f *Facts, n Node, from string) {
	name := n.First()
	imp := Import{Path: from}
	if name.Kind() == "qualified_name" {
		imp.Path = strings.Trim(from+`\`+name.Child("prefix").Text(), `\`)
		name = name.ChildOf("name")
	}
	imp.Name, imp.Alias = name.Text(), name.Text()
	f.mentionImport(name)
	if alias := n.Child("alias"); !alias.None() {
		imp.Alias = alias.Text()
		f.mentionImport(alias)
	}
	f.Imports = append(f.Imports, imp)
}

var phpLines = (&Lines{
	Before: "public private protected static abstract final readonly",
	Words:  map[string]Kind{"class": Class, "interface": Interface, "trait": Class, "enum": Enum, "function": Function, "const": Constant},
}).compiled()
