//go:build !lite

package lang

import (
	"maps"
	"path"
	"regexp"
	"strings"

	tsc "github.com/tree-sitter/tree-sitter-c/bindings/go"
	tscpp "github.com/tree-sitter/tree-sitter-cpp/bindings/go"
)

func c() *Language {
	return &Language{
		Name: "c", Family: "c", Extensions: []string{".c"}, Parser: tsc.Language, Grammar: cGrammar,
		Imports: cImports, ImportKinds: "preproc_include preproc_arg",
		AheadKinds: "type_definition", Ahead: cTypedef,
		Comments: cComments, Refine: refineC, Blank: "int char void short long unsigned signed float double",
		Exported: isCVisible,
		Skim:     cLines.skim,
		IsTest: func(name, _ string, kind Kind) bool {
			return kind == Function && strings.HasPrefix(strings.ToLower(name), "test")
		},
		IsTestFile: func(file string) bool { return strings.Contains(strings.ToLower(path.Base(file)), "test") },
	}
}

// cpp takes the headers too: C's are nearly always C++ as well.
func cpp() *Language {
	l := c()
	l.Name, l.Extensions, l.Parser, l.Grammar = "cpp", []string{".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h", ".ipp", ".inl"}, tscpp.Language, cppGrammar
	l.Bare, l.Self, l.Nests, l.Tidy = true, "this", true, withoutClassMacros
	l.Imports, l.ImportKinds = cppImports, l.ImportKinds+" class_specifier struct_specifier"
	l.Skim = cppLines.skim
	return l
}

var cGrammar = &Grammar{
	Names: "identifier type_identifier field_identifier",
	Skips: `comment string_literal system_lib_string char_literal number_literal primitive_type sized_type_specifier
		statement_identifier storage_class_specifier type_qualifier true false null`,
	Scopes: `function_definition compound_statement for_statement while_statement if_statement switch_statement case_statement preproc_function_def`,
	Spaces: "function_definition",
	Roles: map[string]Role{
		"assignment_expression.left":       Writes,
		"update_expression.argument":       Writes,
		"function_definition.declarator":   Defines(Function) | Top,
		"function_definition.type":         Types,
		"declaration.declarator":           Defines(Variable) | Encloses,
		"declaration.type":                 Types,
		"init_declarator.declarator":       Inherits,
		"init_declarator.value":            Values,
		"function_declarator.declarator":   Inherits | Callable,
		"function_declarator ERROR":        Inherits | Callable, // API type name(…), where API is a macro
		"array_declarator.size":            Plain,
		"parameter_declaration.declarator": Binds,
		"parameter_declaration.type":       Types,
		"parameter_list identifier":        Binds, // f(a, b) int a; …
		"field_declaration.declarator":     Defines(Field) | Encloses,
		"field_declaration.type":           Types,
		"type_definition.declarator":       Defines(Type) | Encloses,
		"type_definition.type":             Types,
		"struct_specifier.name":            Defines(Type) | Bodied,
		"union_specifier.name":             Defines(Type) | Bodied,
		"enum_specifier.name":              Defines(Enum) | Bodied,
		"enumerator.name":                  Defines(Member),
		"preproc_def.name":                 Defines(Constant),
		"preproc_function_def.name":        Defines(Function),
		"preproc_params.":                  Binds,
		"field_expression.argument":        Operand,
		"field_expression.field":           Accesses | Inherits,
		"field_designator.":                Keys,
		"offsetof_expression.member":       Accesses,
		"compound_literal_expression.type": Literal,
		"call_expression.function":         Calls | Hints,
	},
	Passes: map[string]Role{
		"ERROR":                    Defined | Callable,
		"pointer_declarator":       Defined | Callable,
		"array_declarator":         Defined | Callable,
		"attributed_declarator":    Defined | Callable,
		"parenthesized_declarator": Defined,
		"struct_specifier":         Types, // struct point p
		"union_specifier":          Types,
		"enum_specifier":           Types,
		"type_descriptor":          Literal,
		"pointer_expression":       Values,
		"parenthesized_expression": Values,
	},
}

var cppGrammar = &Grammar{
	Names:  cGrammar.Names + " namespace_identifier nested_namespace_specifier operator_name destructor_name operator_cast this",
	Skips:  cGrammar.Skips + " raw_string_literal access_specifier",
	Scopes: cGrammar.Scopes + " lambda_expression for_range_loop catch_clause class_specifier",
	Thin:   "template_declaration",
	Spaces: cGrammar.Spaces + " lambda_expression for_range_loop catch_clause",
	Wraps:  "template_declaration",
	Roles: with(cGrammar.Roles, map[string]Role{
		"base_class_clause.":                        Bases,
		"namespace_definition.name":                 Defines(Module),
		"namespace_alias_definition.name":           Defines(Module),
		"class_specifier.name":                      Defines(Class) | Bodied,
		"alias_declaration.name":                    Defines(Type),
		"concept_definition.name":                   Defines(Interface),
		"optional_parameter_declaration.declarator": Binds,
		"optional_parameter_declaration.type":       Types,
		"variadic_parameter_declaration.declarator": Binds,
		"type_parameter_declaration.":               Binds | Early,
		"variadic_type_parameter_declaration.":      Binds | Early,
		"optional_type_parameter_declaration.name":  Binds | Early,
		"for_range_loop.declarator":                 Binds,
		"for_range_loop.type":                       Types,
		"qualified_identifier.scope":                Operand | Qualifies,
		"qualified_identifier.name":                 Accesses | Inherits,
		"template_type.name":                        Inherits,
		"template_type.arguments":                   Plain,
		"template_function.name":                    Inherits,
		"template_method.name":                      Inherits,
		"new_expression.type":                       Calls | Hints,
	}),
	Passes: with(cGrammar.Passes, map[string]Role{
		"reference_declarator":          Defined | Callable,
		"structured_binding_declarator": Defined,
		"variadic_declarator":           Defined,
		"class_specifier":               Types,
	}),
}

// with returns a with the entries of b.
func with(a, b map[string]Role) map[string]Role {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}

// refineC leaves out the type in "API type name(…)", where API is a macro that
// the grammar takes for the type.
func refineC(d *Declaration) Kind {
	if d.Kind != Function && d.Kind != Method {
		return d.Kind
	}
	if d.Node.Kind() == "declaration" && d.Around.Kind() == "compound_statement" {
		return Variable // lock guard(mutex); looks like a function's declaration
	}
	declarator := d.Node.Child("declarator")
	for !declarator.IsEmpty() && declarator.Kind() != "function_declarator" {
		declarator = declarator.Child("declarator")
	}
	if name := declarator.ChildOf("ERROR").First(); name.Kind() == "identifier" && name.Text() != d.Name {
		return Nothing
	}
	return d.Kind
}

// cTypedef returns the name of a struct, union or enum that has none of its own.
func cTypedef(n Node) Node {
	typ := n.Child("type")
	if typ.Child("body").None() || !typ.Child("name").None() {
		return Node{}
	}
	name := n.Child("declarator")
	for !name.IsEmpty() {
		name = name.Child("declarator")
	}
	if name.Kind() != "type_identifier" {
		return Node{}
	}
	return name
}

// isCVisible goes by static, which hides what stands at the top of a file.
func isCVisible(d *Declaration) bool {
	if d.Kind.IsMember() {
		return true
	}
	for c := range d.Node.Children() {
		if c.Kind() == "storage_class_specifier" && c.Text() == "static" {
			return false
		}
	}
	return true
}

// cImports takes in what a file includes, which is all that is in it, and the
// names in what a macro stands for.
func cImports(f *Facts, n Node) bool {
	if n.Kind() == "preproc_arg" {
		if kind := f.Around.Kind(); kind == "preproc_def" || kind == "preproc_function_def" {
			cMacro(f, n)
		}
		return true
	}
	included := strings.Trim(n.Child("path").Text(), `"<>`)
	f.Imports = append(f.Imports, Import{Path: included, Name: "*", Alias: ".", Exported: true})
	return true
}

// cToken matches what stands in the text of a macro: strings, comments, numbers,
// and names.
var cToken = regexp.MustCompile(`"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|//.*|(?s:/\*.*?\*/)|[0-9]\w*|([A-Za-z_]\w*)`)

// cMacro takes in the names in the text of a macro, which the grammar does not
// read.
func cMacro(f *Facts, n Node) {
	for _, m := range cToken.FindAllSubmatchIndex(n.bytes(), -1) {
		if m[2] >= 0 {
			f.Mentions = append(f.Mentions, Mention{Node: n, Start: m[2], End: m[3]})
		}
	}
}

var cLines = (&Lines{
	Before: "static inline extern const typedef",
	Words:  map[string]Kind{"#define": Constant, "struct": Type, "union": Type, "enum": Enum},
	Bare:   true,
}).compiled()

var cppLines = (&Lines{
	Before: "static inline extern const typedef virtual constexpr explicit friend template",
	Words:  map[string]Kind{"#define": Constant, "struct": Type, "union": Type, "enum": Enum, "class": Class, "namespace": Module, "using": Type},
	Bare:   true,
}).compiled()
