package index

import (
	"strings"

	tspython "github.com/tree-sitter/tree-sitter-python/bindings/go"
)

func python() *language {
	return &language{
		name: "python", extensions: []string{".py", ".pyi", ".pyw"}, pointer: tspython.Language, grammar: pythonGrammar,
		hoists: true, nests: true, repeats: true, self: "self",
		imports: pythonImports, importKinds: "import_statement import_from_statement future_import_statement",
		refine:     refinePython,
		exported:   func(_ *extraction, name string) bool { return !strings.HasPrefix(name, "_") },
		skim:       skimPython,
		isTest:     func(sym *Symbol) bool { return strings.HasPrefix(sym.Name, "test") },
		isTestFile: isPythonTestFile,
	}
}

var pythonGrammar = &grammar{
	leaves: "identifier",
	skips:  "comment integer float string_start string_content string_end escape_sequence import_prefix",
	scopes: "function_definition lambda list_comprehension dictionary_comprehension set_comprehension generator_expression",
	wraps:  "expression_statement decorated_definition",
	roles: map[string]role{
		"function_definition.name":        defines(Function),
		"function_definition.return_type": types,
		"class_definition.name":           defines(Class),
		"assignment.left":                 defines(Variable) | assigns,
		"assignment.type":                 types,
		"assignment.right":                values,
		"type_alias_statement.left":       defines(Type),
		"named_expression.name":           binds,
		"parameters.":                     binds,
		"lambda_parameters.":              binds,
		"typed_parameter.":                binds,
		"typed_parameter.type":            types,
		"default_parameter.name":          binds,
		"typed_default_parameter.name":    binds,
		"typed_default_parameter.type":    types,
		"for_statement.left":              binds,
		"for_in_clause.left":              binds,
		"as_pattern.alias":                binds,
		"attribute.object":                operand,
		"attribute.attribute":             accesses | inherits,
		"call.function":                   calls | hints,
		"decorator.":                      calls,
		"keyword_argument.name":           keys,
		"keyword_pattern.":                keys,
		"global_statement.":               global,
		"nonlocal_statement.":             global,
		"generic_type.":                   inherits,
	},
	passes: map[string]role{
		"pattern_list":             defined,
		"tuple_pattern":            defined,
		"list_pattern":             defined,
		"list_splat_pattern":       defined,
		"dictionary_splat_pattern": defined,
		"as_pattern_target":        defined,
		"type":                     types | defined,
		"expression_list":          values,
		"parenthesized_expression": values,
		"await":                    values,
	},
}

// refinePython tells constants from variables by their capitals.
func refinePython(_ *extraction, _ int, name string, kind Kind) Kind {
	if kind == Variable && len(name) > 1 && strings.ToUpper(name) == name && strings.ToLower(name) != name {
		return Constant
	}
	return kind
}

// pythonImports takes in "import a.b as c" and "from a import b as c".
func pythonImports(x *extraction, n node, kind string) bool {
	module := x.child(n, "module_name")
	from := ""
	if module != 0 {
		from = strings.Join(strings.Fields(x.text(module)), "")
	}
	for c := range x.children(n) {
		switch {
		case module != 0 && x.nodes[c].Start == x.nodes[module].Start:
		case x.kind(c) == "wildcard_import":
			x.out.imports = append(x.out.imports, imported{Path: from, Name: "*", Alias: ".", Exported: true})
		case x.kind(c) == "dotted_name":
			pythonImport(x, c, 0, from, kind)
		case x.kind(c) == "aliased_import":
			if name := x.child(c, "name"); name != 0 {
				pythonImport(x, name, x.child(c, "alias"), from, kind)
			}
		}
	}
	return true
}

// pythonImport takes in one name. What a module imports it also exports.
func pythonImport(x *extraction, name, alias node, from, kind string) {
	imp := imported{Path: from, Name: x.text(name), Exported: true}
	imp.Alias = imp.Name
	if kind == "import_statement" {
		imp.Path, imp.Name = imp.Name, "*"
		imp.Alias = imp.Alias[strings.LastIndexByte(imp.Alias, '.')+1:]
	} else if word := x.first(name); word != 0 { // of a dotted_name
		x.use(word, isImport)
	}
	if alias != 0 {
		imp.Alias = x.text(alias)
		x.use(alias, isImport)
	}
	x.out.imports = append(x.out.imports, imp)
}

func isPythonTestFile(base string) bool {
	return strings.HasPrefix(base, "test_") || strings.HasSuffix(base, "_test.py")
}
