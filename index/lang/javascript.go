package lang

import (
	"bytes"
	"cmp"
	"path"
	"slices"
	"strings"

	javascript "github.com/tree-sitter/tree-sitter-javascript/bindings/go"
	typescript "github.com/tree-sitter/tree-sitter-typescript/bindings/go"
)

func javaScript() *Language {
	return &Language{
		Name: "javascript", Family: "javascript", Extensions: []string{".js", ".mjs", ".cjs"}, Parser: javascript.Language, Grammar: jsGrammar,
		Hoists: true, Nests: true, Self: "this", Super: "super", Comments: cComments,
		Called:  ".constructor .toString .valueOf .toJSON .then",
		Imports: jsImports, ImportKinds: "import_statement export_statement variable_declarator",
		Refine: refineJS, Exported: exportedJS, Modules: true, Skim: skimJS,
		IsTest: isJSTest, IsTestFile: isJSTestFile,
	}
}

func javaScriptReact() *Language {
	l := javaScript()
	l.Name, l.Extensions = "javascriptreact", []string{".jsx"}
	return l
}

func typeScript() *Language {
	l := javaScript()
	l.Name, l.Extensions, l.Parser = "typescript", []string{".ts", ".mts", ".cts"}, typescript.LanguageTypescript
	return l
}

func typeScriptReact() *Language {
	l := javaScript()
	l.Name, l.Extensions, l.Parser = "typescriptreact", []string{".tsx"}, typescript.LanguageTSX
	return l
}

// jsGrammar serves JavaScript and TypeScript: the second's grammar is built on
// the first's.
var jsGrammar = &Grammar{
	Names: `identifier property_identifier private_property_identifier type_identifier this super
		shorthand_property_identifier shorthand_property_identifier_pattern`,
	Skips: "comment regex number predefined_type accessibility_modifier string_fragment escape_sequence statement_identifier jsx_text html_comment hash_bang_line",
	Scopes: `function_declaration generator_function_declaration function_expression generator_function arrow_function
		method_definition function_signature method_signature abstract_method_signature call_signature construct_signature
		function_type class_static_block statement_block for_statement for_in_statement catch_clause switch_body
		class_declaration abstract_class_declaration class interface_declaration type_alias_declaration conditional_type`,
	Spaces: "internal_module module",
	Blocks: "statement_block for_statement for_in_statement catch_clause switch_body",
	Wraps:  "lexical_declaration variable_declaration export_statement ambient_declaration expression_statement",
	Words:  "default", // import { default as a }
	Roles: map[string]Role{
		"function_declaration.name":                Defines(Function),
		"function_declaration.return_type":         Types,
		"generator_function_declaration.name":      Defines(Function),
		"function_signature.name":                  Defines(Function),
		"function_expression.name":                 Binds,
		"generator_function.name":                  Binds,
		"class.name":                               Binds,
		"function_signature.return_type":           Types,
		"class_declaration.name":                   Defines(Class),
		"abstract_class_declaration.name":          Defines(Class),
		"interface_declaration.name":               Defines(Interface),
		"type_alias_declaration.name":              Defines(Type),
		"enum_declaration.name":                    Defines(Enum),
		"internal_module.name":                     Defines(Module),
		"module.name":                              Defines(Module),
		"method_definition.name":                   Defines(Method),
		"method_definition.return_type":            Types,
		"method_signature.name":                    Defines(Method),
		"method_signature.return_type":             Types,
		"abstract_method_signature.name":           Defines(Method),
		"abstract_method_signature.return_type":    Types,
		"public_field_definition.name":             Defines(Field),
		"public_field_definition.type":             Types,
		"public_field_definition.value":            Values,
		"field_definition.property":                Defines(Field),
		"field_definition.value":                   Values,
		"property_signature.name":                  Defines(Field),
		"property_signature.type":                  Types,
		"enum_body.name":                           Defines(Member) | Itself,
		"enum_assignment.name":                     Defines(Member),
		"variable_declarator.name":                 Defines(Variable) | Inherits,
		"variable_declaration variable_declarator": Floats | Owns,
		"lexical_declaration variable_declarator":  Owns,
		"variable_declarator.type":                 Types,
		"variable_declarator.value":                Values,
		"type_parameter.name":                      Binds,
		"index_signature.name":                     Binds,
		"mapped_type_clause.name":                  Binds,
		"infer_type type_identifier":               Binds,
		"tuple_type required_parameter":            Mutes,
		"tuple_type optional_parameter":            Mutes,
		"required_parameter.name":                  Inherits,
		"optional_parameter.name":                  Inherits,
		"formal_parameters.":                       Binds,
		"required_parameter.pattern":               Defines(Field), // or but a parameter: see refineJS
		"required_parameter.type":                  Types,
		"optional_parameter.pattern":               Defines(Field),
		"optional_parameter.type":                  Types,
		"arrow_function.parameter":                 Binds,
		"catch_clause.parameter":                   Binds,
		"for_in_statement.left":                    Binds,
		"assignment_pattern.right":                 Plain,
		"object_assignment_pattern.right":          Plain,
		"assignment_expression.left":               Assigns | Writes,
		"augmented_assignment_expression.left":     Writes,
		"update_expression.argument":               Writes,
		"class_heritage.":                          Bases,
		"extends_clause.value":                     Bases,
		"implements_clause.":                       Bases,
		"extends_type_clause.type":                 Bases,
		"assignment_expression.right":              Values,
		"pair_pattern.key":                         Keys,
		"pair.key":                                 Keys,
		"member_expression.object":                 Operand,
		"member_expression.property":               Accesses | Inherits,
		"nested_type_identifier.module":            Operand,
		"nested_type_identifier.name":              Accesses | Inherits,
		"nested_identifier.object":                 Operand,
		"nested_identifier.property":               Accesses,
		"call_expression.function":                 Calls | Hints,
		"new_expression.constructor":               Calls | Hints,
		"jsx_opening_element.name":                 Calls,
		"jsx_self_closing_element.name":            Calls,
		"jsx_attribute.":                           Keys,
		"decorator.":                               Calls,
		"generic_type.name":                        Inherits,
		"class.body":                               Nameless | Owns | Values,
		"object method_definition":                 Nameless | Owns,
		"extends_clause.type_arguments":            Nameless | Owns | Bases,
		"generic_type.type_arguments":              Nameless | Owns | Bases,
	},
	Passes: map[string]Role{
		"object_pattern":            Defined | Writes,
		"array_pattern":             Defined | Writes,
		"assignment_pattern":        Defined | Writes,
		"pair_pattern":              Defined | Writes,
		"rest_pattern":              Defined | Writes,
		"object_assignment_pattern": Defined | Writes,
		"type_annotation":           Types,
		"union_type":                Types,
		"parenthesized_type":        Types,
		"readonly_type":             Types,
		"await_expression":          Values,
		"parenthesized_expression":  Values,
		"as_expression":             Values,
		"non_null_expression":       Values,
	},
}

// refineJS tells functions, classes and constants from other variables, and
// methods from fields.
func refineJS(d *Declaration) Kind {
	switch d.Node.Kind() {
	case "required_parameter", "optional_parameter":
		return refineJSParameter(d)
	}
	if d.Kind != Variable && d.Kind != Field {
		return d.Kind
	}
	switch cmp.Or(d.Node.Child("value").Kind(), d.Node.Child("right").Kind()) {
	case "arrow_function", "function_expression", "generator_function":
		return map[Kind]Kind{Variable: Function, Field: Method}[d.Kind]
	case "class":
		return Class
	}
	if d.Kind == Variable && bytes.HasPrefix(d.Around.bytes(), []byte("const")) {
		return Constant
	}
	return d.Kind
}

// refineJSParameter tells a constructor's parameter that is a field too.
func refineJSParameter(d *Declaration) Kind {
	if !d.Node.ChildOf("accessibility_modifier").None() || slices.Contains(strings.Fields(string(d.begins())), "readonly") {
		return Field
	}
	return Local
}

func exportedJS(d *Declaration) bool { return !strings.HasPrefix(d.Name, "#") && d.IsExported }

// jsImports takes in import statements and the exports that name what they
// export; an export that declares is walked like its declaration.
func jsImports(f *Facts, n Node) bool {
	if n.Kind() == "variable_declarator" {
		return jsRequire(f, n)
	}
	source := n.Child("source")
	f.IsModule = true
	if n.Kind() == "export_statement" {
		return jsExports(f, n, source)
	}
	from := source.Unquoted()
	for clause := range n.Children() {
		switch clause.Kind() {
		case "import_clause":
			jsClause(f, clause, from)
		case "import_require_clause":
			if name := clause.First(); !name.None() {
				jsImport(f, name, Node{}, Import{Path: clause.Child("source").Unquoted(), Name: "*"})
			}
		}
	}
	return true
}

// jsRequire takes in const a = require("b"), const { a, b: c } = require("d") and
// the same with await import("b").
func jsRequire(f *Facts, n Node) bool {
	name, value, loader := n.Child("name"), n.Child("value"), "require"
	if value.Kind() == "await_expression" {
		value, loader = value.First(), "import"
	}
	if name.None() || value.Kind() != "call_expression" {
		return false
	}
	function, args := value.Child("function"), value.Child("arguments")
	if function.None() || args.None() || function.Text() != loader || args.IsEmpty() {
		return false
	}
	path := args.First()
	if path.Kind() != "string" || !path.IsLast(args) {
		return false
	}
	imp := Import{Path: path.Unquoted()}
	switch name.Kind() {
	case "identifier":
		imp.Name = "*"
		jsImport(f, name, Node{}, imp)
		return true
	case "object_pattern":
		for c := range name.Children() {
			if c.Kind() == "pair_pattern" {
				jsRequired(f, c.Child("key"), c.Child("value"), imp)
			} else {
				jsRequired(f, c, Node{}, imp)
			}
		}
		return true
	default:
		return false
	}
}

func jsRequired(f *Facts, name, alias Node, imp Import) {
	if !name.None() && name.IsEmpty() && alias.IsEmpty() {
		imp.Name = name.Text()
		jsImport(f, name, alias, imp)
	}
}

func jsClause(f *Facts, clause Node, from string) {
	for c := range clause.Children() {
		switch c.Kind() {
		case "identifier":
			jsImport(f, c, Node{}, Import{Path: from, Name: "default"})
		case "namespace_import":
			if name := c.First(); !name.None() {
				jsImport(f, name, Node{}, Import{Path: from, Name: "*"})
			}
		case "named_imports":
			jsSpecifiers(f, c, Import{Path: from})
		}
	}
}

// jsSpecifiers takes in { a, b as c }.
func jsSpecifiers(f *Facts, list Node, imp Import) {
	for spec := range list.Children() {
		if name := spec.Child("name"); !name.None() {
			imp.Name = name.Unquoted()
			jsImport(f, name, spec.Child("alias"), imp)
		}
	}
}

// jsImport takes in one name, with its alias if it has one.
func jsImport(f *Facts, name, alias Node, imp Import) {
	f.mentionImport(name)
	imp.Alias = name.Unquoted()
	if !alias.None() {
		imp.Alias = alias.Unquoted()
		f.mentionImport(alias)
	}
	f.Imports = append(f.Imports, imp)
}

func jsExports(f *Facts, n, source Node) bool {
	if source.None() {
		if clause := n.ChildOf("export_clause"); !clause.None() {
			jsExportNames(f, clause)
			return true
		}
		f.Default = cmp.Or(jsDefault(n), f.Default)
		return false
	}
	imp := Import{Path: source.Unquoted(), Exported: true}
	if clause := n.ChildOf("export_clause"); !clause.None() {
		jsSpecifiers(f, clause, imp)
		return true
	}
	imp.Name = "*"
	imp.Alias = n.ChildOf("namespace_export").First().Unquoted()
	f.Imports = append(f.Imports, imp)
	return true
}

// jsExportNames takes in export { a, b as c }.
func jsExportNames(f *Facts, clause Node) {
	for spec := range clause.Children() {
		name, alias := spec.Child("name"), spec.Child("alias")
		if name.None() {
			continue
		}
		f.mention(name)
		out := name.Text()
		if !alias.None() {
			out = alias.Unquoted()
			f.mentionImport(alias)
		}
		if out == "default" {
			f.Default = name.Text()
		}
		f.Imports = append(f.Imports, Import{Name: name.Text(), Alias: out, Exported: true})
		f.Exports = append(f.Exports, name.Text())
	}
}

// jsDefault returns the name of what an export statement makes the default, or
// "".
func jsDefault(export Node) string {
	if value := export.Child("value"); value.Kind() == "identifier" {
		return value.Text()
	}
	name := export.Child("declaration").Child("name")
	start, _ := export.Span()
	at, _ := name.Span()
	if !name.None() && bytes.Contains(export.bytes()[:at-start], []byte("default")) {
		return name.Text()
	}
	return ""
}

func isJSTestFile(file string) bool {
	base := path.Base(file)
	return strings.Contains(base, ".test.") || strings.Contains(base, ".spec.") || strings.Contains(base, "-test.")
}

// isJSTest takes every function of a test file: the tests themselves have no
// names, they are calls of it() and test().
func isJSTest(_, _ string, kind Kind) bool { return kind == Function || kind == Method }
