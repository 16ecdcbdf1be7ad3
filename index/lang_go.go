package index

import (
	"strings"
	"unicode"
	"unicode/utf8"

	golang "github.com/tree-sitter/tree-sitter-go/bindings/go"
)

func goLanguage() *language {
	return &language{
		name: "go", extensions: []string{".go"}, pointer: golang.Language, grammar: goGrammar,
		imports: goImports, importKinds: "import_spec package_clause",
		refine:     refineGo,
		exported:   func(_ *extraction, name string) bool { return startsUpper(name) },
		skim:       skimGo,
		isTest:     isGoTest,
		isTestFile: func(base string) bool { return strings.HasSuffix(base, "_test.go") },
	}
}

var goGrammar = &grammar{
	leaves: "identifier field_identifier type_identifier package_identifier",
	skips:  "comment interpreted_string_literal raw_string_literal int_literal float_literal imaginary_literal rune_literal label_name",
	scopes: `function_declaration method_declaration func_literal type_spec block if_statement for_statement
		expression_switch_statement type_switch_statement select_statement
		expression_case default_case type_case communication_case`,
	spaces: "function_declaration method_declaration func_literal", // ctx, cancel := f(ctx) reuses a parameter
	wraps:  "type_declaration const_declaration var_declaration",
	roles: map[string]role{
		"function_declaration.name":           defines(Function),
		"function_declaration.result":         types,
		"method_declaration.name":             defines(Method),
		"method_declaration.receiver":         receives,
		"method_declaration.result":           types,
		"method_elem.name":                    defines(Method),
		"method_elem.result":                  types,
		"type_spec.name":                      defines(Type),
		"type_alias.name":                     defines(Type),
		"type_parameter_declaration.name":     binds,
		"const_spec.name":                     defines(Constant),
		"const_spec.type":                     types,
		"const_spec.value":                    values,
		"var_spec.name":                       defines(Variable),
		"var_spec.type":                       types,
		"var_spec.value":                      values,
		"field_declaration.name":              defines(Field),
		"field_declaration.type":              types,
		"parameter_declaration.name":          binds | later,
		"parameter_declaration.type":          types,
		"variadic_parameter_declaration.name": binds | later,
		"short_var_declaration.left":          binds,
		"short_var_declaration.right":         values,
		"range_clause.left":                   binds,
		"receive_statement.left":              binds,
		"type_switch_statement.alias":         binds,
		"selector_expression.operand":         operand,
		"selector_expression.field":           accesses | inherits,
		"qualified_type.package":              operand,
		"qualified_type.name":                 accesses | inherits,
		"call_expression.function":            calls | hints,
		"type_conversion_expression.type":     calls | hints,
		"composite_literal.type":              hints | literal,
		"type_assertion_expression.type":      hints,
		"keyed_element.key":                   keys,
		"index_expression.operand":            inherits,
		"type_instantiation_expression.type":  inherits,
		"generic_type.type":                   inherits,
		"parenthesized_expression.":           inherits,
	},
	passes: map[string]role{
		"expression_list":    defined | values,
		"parameter_list":     types,
		"pointer_type":       types,
		"parenthesized_type": types,
		"unary_expression":   values,
		"literal_element":    keys,
	},
}

// refineGo tells interfaces from other types.
func refineGo(x *extraction, owner int, _ string, kind Kind) Kind {
	if kind == Type && x.field(owner, "type") == "interface_type" {
		return Interface
	}
	return kind
}

// goImports takes in the package clause and the imports.
func goImports(x *extraction, n node, kind string) bool {
	if kind == "package_clause" {
		if name := x.first(n); name != 0 {
			x.out.pkg = x.text(name)
		}
		return true
	}
	path := x.child(n, "path")
	if path == 0 {
		return true
	}
	imp := imported{Path: strings.Trim(x.text(path), "\"`"), Name: "*"}
	imp.Alias = lastElement(imp.Path)
	if name := x.child(n, "name"); name != 0 {
		imp.Alias, imp.Explicit = x.text(name), true
		x.use(name, 0)
	}
	x.out.imports = append(x.out.imports, imp)
	return true
}

// lastElement guesses the package name of an import path: what stands behind
// the last slash that is no major version.
func lastElement(path string) string {
	dir, last := splitLast(path)
	if len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" && dir != "" {
		_, last = splitLast(dir)
	}
	name, _, _ := strings.Cut(last, ".")
	return strings.TrimPrefix(name, "go-")
}

func splitLast(path string) (dir, last string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

func startsUpper(name string) bool {
	r, _ := utf8.DecodeRuneInString(name)
	return unicode.IsUpper(r)
}

func isGoTest(sym *Symbol) bool {
	if sym.Kind != Function {
		return false
	}
	for _, prefix := range [...]string{"Test", "Benchmark", "Fuzz", "Example"} {
		if rest, ok := strings.CutPrefix(sym.Name, prefix); ok {
			r, _ := utf8.DecodeRuneInString(rest)
			return !unicode.IsLower(r)
		}
	}
	return false
}
