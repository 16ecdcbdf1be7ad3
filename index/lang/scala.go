//go:build !lite

package lang

import (
	"path"
	"strings"

	tsscala "github.com/tree-sitter/tree-sitter-scala/bindings/go"
)

func scala() *Language {
	return &Language{
		Name: "scala", Family: "jvm", Extensions: []string{".scala", ".sc", ".sbt"}, Parser: tsscala.Language, Grammar: scalaGrammar,
		Nests: true, Bare: true, Private: true, Self: "this super", Super: "super", Blank: "_", Comments: cComments, Body: "{=", Quotes: "\"",
		Imports: scalaImports, ImportKinds: "import_declaration package_clause",
		Exported:   func(d *Declaration) bool { return !strings.Contains(d.Node.ChildOf("modifiers").Text(), "private") },
		Skim:       scalaLines.skim,
		IsTest:     func(_, _ string, kind Kind) bool { return kind == Method || kind == Class },
		IsTestFile: isScalaTestFile,
	}
}

var scalaGrammar = &Grammar{
	Names: "identifier type_identifier operator_identifier",
	Skips: "comment block_comment string character_literal integer_literal floating_point_literal boolean_literal null_literal modifiers",
	Scopes: `class_definition object_definition trait_definition enum_definition function_definition function_declaration extension_definition
		lambda_expression block case_clause for_expression catch_clause`,
	Spaces: "function_definition lambda_expression case_clause",
	Roles: map[string]Role{
		"extends_clause.type":                 Bases,
		"assignment_expression.left":          Writes,
		"class_definition.name":               Defines(Class),
		"object_definition.name":              Defines(Class),
		"package_object.name":                 Defines(Class),
		"trait_definition.name":               Defines(Interface),
		"enum_definition.name":                Defines(Enum),
		"simple_enum_case.name":               Defines(Member),
		"full_enum_case.name":                 Defines(Member),
		"type_definition.name":                Defines(Type),
		"function_definition.name":            Defines(Function),
		"function_definition.return_type":     Types,
		"function_declaration.name":           Defines(Function),
		"function_declaration.return_type":    Types,
		"val_definition.pattern":              Defines(Variable),
		"val_definition.type":                 Types,
		"val_definition.value":                Values,
		"val_declaration.name":                Defines(Variable),
		"val_declaration.type":                Types,
		"var_definition.pattern":              Defines(Variable),
		"var_definition.type":                 Types,
		"var_definition.value":                Values,
		"var_declaration.name":                Defines(Variable),
		"var_declaration.type":                Types,
		"given_definition.name":               Defines(Variable),
		"class_parameter.name":                Defines(Field),
		"class_parameter.type":                Types,
		"type_parameters.name":                Binds | Early,
		"parameter.name":                      Binds,
		"parameter.type":                      Types,
		"binding.name":                        Binds,
		"binding.type":                        Types,
		"lambda_expression.parameters":        Binds,
		"enumerator.":                         Binds | Leads | Matches,
		"case_clause.pattern":                 Binds | Matches,
		"case_class_pattern.type":             Plain,
		"case_class_pattern.pattern":          Inherits,
		"typed_pattern.pattern":               Inherits,
		"typed_pattern.type":                  Types,
		"infix_pattern.left":                  Inherits,
		"infix_pattern.right":                 Inherits,
		"capture_pattern.name":                Inherits,
		"capture_pattern.pattern":             Inherits,
		"field_expression.value":              Operand,
		"field_expression.field":              Accesses | Inherits,
		"stable_type_identifier.":             Accesses | Operand | Inherits,
		"call_expression.function":            Calls | Hints,
		"generic_function.function":           Inherits,
		"generic_type.type":                   Inherits,
		"generic_type.type_arguments":         Plain,
		"instance_expression type_identifier": Calls | Hints,
		"instance_expression template_body":   Encloses | Nameless | Owns,
		"infix_expression.left":               Operand,
		"infix_expression.operator":           Accesses | Calls,
		"annotation.name":                     Calls,
	},
	Passes: map[string]Role{
		"tuple_pattern":       Defined,
		"alternative_pattern": Defined,
		"identifiers":         Defined,
	},
}

// scalaImports takes in the package and the imports.
func scalaImports(f *Facts, n Node) bool {
	if n.Kind() == "package_clause" {
		f.Package = n.Child("name").Text()
		return n.Child("body").None()
	}
	var parts []string
	var last Node
	for c := range n.Children() {
		switch c.Kind() {
		case "namespace_wildcard":
			f.Imports = append(f.Imports, Import{Path: strings.Join(parts, "."), Name: "*", Alias: "."})
			return true
		case "namespace_selectors":
			scalaSelectors(f, c, strings.Join(parts, "."))
			return true
		case "identifier", "operator_identifier":
			parts, last = append(parts, c.Text()), c
		}
	}
	if len(parts) > 1 {
		f.mentionImport(last)
		f.Imports = append(f.Imports, Import{Path: strings.Join(parts[:len(parts)-1], "."), Name: last.Text(), Alias: last.Text()})
	}
	return true
}

// scalaSelectors takes in {A, B => C}.
func scalaSelectors(f *Facts, n Node, from string) {
	for c := range n.Children() {
		if c.Kind() == "namespace_wildcard" {
			f.Imports = append(f.Imports, Import{Path: from, Name: "*", Alias: "."})
			continue
		}
		name, alias := c, c
		if c.Kind() == "arrow_renamed_identifier" || c.Kind() == "as_renamed_identifier" {
			name, alias = c.Child("name"), c.Child("alias")
			f.mentionImport(name)
		}
		f.mentionImport(alias)
		f.Imports = append(f.Imports, Import{Path: from, Name: name.Text(), Alias: alias.Text()})
	}
}

func isScalaTestFile(file string) bool {
	base := strings.TrimSuffix(path.Base(file), path.Ext(file))
	return strings.HasSuffix(base, "Test") || strings.HasSuffix(base, "Spec") || strings.HasSuffix(base, "Suite")
}

var scalaLines = (&Lines{
	Before: "private protected override abstract final sealed implicit lazy case inline open",
	Words: map[string]Kind{
		"class": Class, "object": Class, "trait": Interface, "enum": Enum, "type": Type, "def": Function, "val": Variable, "var": Variable,
	},
}).compiled()
