package lang

import (
	"go/token"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	tsgo "github.com/tree-sitter/tree-sitter-go/bindings/go"
)

func golang() *Language {
	return &Language{
		Name: "go", Aliases: "golang", Extensions: []string{".go"}, Parser: tsgo.Language, Grammar: goGrammar,
		Imports: goImports, ImportKinds: "import_spec package_clause",
		Refine:     refineGo,
		Comments:   cComments,
		Blank:      "_",
		Called:     goCalled,
		Exported:   func(d *Declaration) bool { return token.IsExported(d.Name) },
		Skim:       skimGo,
		IsTest:     isGoTest,
		IsTestFile: func(file string) bool { return strings.HasSuffix(file, "_test.go") },
	}
}

const goCalled = `main init TestMain .String .GoString .Format .Scan .Error .Unwrap .Is .As .Read .Write .Close .Seek
	.ReadAt .WriteAt .ReadFrom .WriteTo .ReadByte .WriteByte .ReadRune .WriteString .ServeHTTP .RoundTrip .Len .Less .Swap
	.Push .Pop .Lock .Unlock .MarshalJSON .UnmarshalJSON .MarshalText .UnmarshalText .MarshalBinary .UnmarshalBinary .LogValue
	.Enabled .Handle`

var goGrammar = &Grammar{
	Names: "identifier field_identifier type_identifier package_identifier",
	Skips: "comment interpreted_string_literal raw_string_literal int_literal float_literal imaginary_literal rune_literal label_name",
	Scopes: `function_declaration method_declaration func_literal type_spec block if_statement for_statement
		expression_switch_statement type_switch_statement select_statement
		expression_case default_case type_case communication_case`,
	Spaces: "function_declaration method_declaration func_literal", // ctx, cancel := f(ctx) reuses a parameter
	Wraps:  "type_declaration const_declaration var_declaration",
	Roles: map[string]Role{
		"function_declaration.name":           Defines(Function),
		"function_declaration.result":         Types,
		"method_declaration.name":             Defines(Method),
		"method_declaration.receiver":         Receives,
		"method_declaration.result":           Types,
		"interface_type method_elem":          Nameless | Owns | Members,
		"method_elem.name":                    Defines(Method),
		"method_elem.result":                  Types,
		"type_spec.name":                      Defines(Type),
		"type_alias.name":                     Defines(Type),
		"type_parameter_declaration.name":     Binds | Early,
		"const_spec.name":                     Defines(Constant),
		"const_spec.type":                     Types,
		"const_spec.value":                    Values,
		"var_spec.name":                       Defines(Variable),
		"var_spec.type":                       Types,
		"var_spec.value":                      Values,
		"field_declaration.name":              Defines(Field),
		"field_declaration.type":              Types | Bases,
		"type_elem.":                          Bases | Inherits,
		"assignment_statement.left":           Writes,
		"inc_statement.":                      Writes,
		"dec_statement.":                      Writes,
		"parameter_declaration.name":          Binds | Later,
		"parameter_declaration.type":          Types,
		"variadic_parameter_declaration.name": Binds | Later,
		"short_var_declaration.left":          Binds,
		"short_var_declaration.right":         Values,
		"range_clause.left":                   Binds,
		"receive_statement.left":              Binds,
		"type_switch_statement.alias":         Binds,
		"selector_expression.operand":         Operand,
		"selector_expression.field":           Accesses | Inherits,
		"qualified_type.package":              Operand,
		"qualified_type.name":                 Accesses | Inherits,
		"call_expression.function":            Calls | Hints,
		"type_conversion_expression.type":     Calls | Hints,
		"composite_literal.type":              Hints | Literal,
		"type_assertion_expression.type":      Hints,
		"keyed_element.key":                   Keys,
		"index_expression.operand":            Inherits,
		"type_instantiation_expression.type":  Inherits,
		"generic_type.type":                   Inherits,
		"generic_type.type_arguments":         Arguments,
		"parenthesized_expression.":           Inherits,
		"literal_element index_expression":    Plain,
	},
	Passes: map[string]Role{
		"expression_list":    Defined | Values | Writes,
		"parameter_list":     Types,
		"pointer_type":       Types,
		"parenthesized_type": Types,
		"unary_expression":   Values,
		"literal_element":    Keys,
		"type_arguments":     Defined, // of a receiver
	},
}

// refineGo tells interfaces from other types.
func refineGo(d *Declaration) Kind {
	if d.Kind == Type && d.Node.Child("type").Kind() == "interface_type" {
		return Interface
	}
	return d.Kind
}

// goImports takes in the package clause and the imports.
func goImports(f *Facts, n Node) bool {
	if n.Kind() == "package_clause" {
		if name := n.First(); !name.None() {
			f.Package = name.Text()
		}
		return true
	}
	from := n.Child("path")
	if from.None() {
		return true
	}
	imp := Import{Path: from.Unquoted(), Name: "*"}
	imp.Alias = lastElement(imp.Path)
	if name := n.Child("name"); !name.None() {
		imp.Alias, imp.Explicit = name.Text(), true
		f.mention(name)
	}
	f.Imports = append(f.Imports, imp)
	return true
}

// lastElement guesses the package name of an import path: what stands behind
// the last slash that is no major version.
func lastElement(importPath string) string {
	last := path.Base(importPath)
	if len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" && last != importPath {
		last = path.Base(path.Dir(importPath))
	}
	name, _, _ := strings.Cut(last, ".")
	return strings.TrimPrefix(name, "go-")
}

func isGoTest(name, _ string, kind Kind) bool {
	if kind != Function {
		return false
	}
	for _, prefix := range [...]string{"Test", "Benchmark", "Fuzz", "Example"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			r, _ := utf8.DecodeRuneInString(rest)
			return !unicode.IsLower(r)
		}
	}
	return false
}
