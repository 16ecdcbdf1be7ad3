package index

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	javascript "github.com/tree-sitter/tree-sitter-javascript/bindings/go"
	typescript "github.com/tree-sitter/tree-sitter-typescript/bindings/go"
)

func javaScript() *language {
	return &language{
		name: "javascript", extensions: []string{".js", ".mjs", ".cjs"}, pointer: javascript.Language, grammar: jsGrammar,
		hoists: true, nests: true, self: "this",
		imports: jsImports, importKinds: "import_statement export_statement variable_declarator",
		refine: refineJS, exported: exportedJS, finish: finishJS, skim: skimJS,
		isTest: isJSTest, isTestFile: isJSTestFile,
	}
}

func javaScriptReact() *language {
	l := javaScript()
	l.name, l.extensions = "javascriptreact", []string{".jsx"}
	return l
}

func typeScript() *language {
	l := javaScript()
	l.name, l.extensions, l.pointer = "typescript", []string{".ts", ".mts", ".cts"}, typescript.LanguageTypescript
	return l
}

func typeScriptReact() *language {
	l := javaScript()
	l.name, l.extensions, l.pointer = "typescriptreact", []string{".tsx"}, typescript.LanguageTSX
	return l
}

// jsGrammar serves JavaScript and TypeScript: the second's grammar is built on
// the first's.
var jsGrammar = &grammar{
	leaves: `identifier property_identifier private_property_identifier type_identifier this
		shorthand_property_identifier shorthand_property_identifier_pattern`,
	skips: "comment regex number predefined_type accessibility_modifier string_fragment escape_sequence statement_identifier jsx_text html_comment hash_bang_line",
	scopes: `function_declaration generator_function_declaration function_expression generator_function arrow_function
		method_definition function_signature method_signature abstract_method_signature call_signature construct_signature
		function_type class_static_block statement_block for_statement for_in_statement catch_clause switch_body
		class_declaration abstract_class_declaration class interface_declaration type_alias_declaration`,
	spaces: "internal_module module",
	wraps:  "lexical_declaration variable_declaration export_statement ambient_declaration expression_statement",
	words:  "default", // import { default as a }
	roles: map[string]role{
		"function_declaration.name":             defines(Function),
		"function_declaration.return_type":      types,
		"generator_function_declaration.name":   defines(Function),
		"function_signature.name":               defines(Function),
		"function_signature.return_type":        types,
		"class_declaration.name":                defines(Class),
		"abstract_class_declaration.name":       defines(Class),
		"interface_declaration.name":            defines(Interface),
		"type_alias_declaration.name":           defines(Type),
		"enum_declaration.name":                 defines(Enum),
		"internal_module.name":                  defines(Module),
		"module.name":                           defines(Module),
		"method_definition.name":                defines(Method),
		"method_definition.return_type":         types,
		"method_signature.name":                 defines(Method),
		"method_signature.return_type":          types,
		"abstract_method_signature.name":        defines(Method),
		"abstract_method_signature.return_type": types,
		"public_field_definition.name":          defines(Field),
		"public_field_definition.type":          types,
		"public_field_definition.value":         values,
		"field_definition.property":             defines(Field),
		"field_definition.value":                values,
		"property_signature.name":               defines(Field),
		"property_signature.type":               types,
		"enum_body.name":                        defines(Member) | itself,
		"enum_assignment.name":                  defines(Member),
		"variable_declarator.name":              defines(Variable),
		"variable_declarator.type":              types,
		"variable_declarator.value":             values,
		"type_parameter.name":                   binds,
		"formal_parameters.":                    binds,
		"required_parameter.pattern":            binds,
		"required_parameter.type":               types,
		"optional_parameter.pattern":            binds,
		"optional_parameter.type":               types,
		"arrow_function.parameter":              binds,
		"catch_clause.parameter":                binds,
		"for_in_statement.left":                 binds,
		"assignment_pattern.right":              plain,
		"object_assignment_pattern.right":       plain,
		"assignment_expression.left":            assigns,
		"assignment_expression.right":           values,
		"pair_pattern.key":                      keys,
		"pair.key":                              keys,
		"member_expression.object":              operand,
		"member_expression.property":            accesses | inherits,
		"nested_type_identifier.module":         operand,
		"nested_type_identifier.name":           accesses | inherits,
		"nested_identifier.object":              operand,
		"nested_identifier.property":            accesses,
		"call_expression.function":              calls | hints,
		"new_expression.constructor":            calls | hints,
		"jsx_opening_element.name":              calls,
		"jsx_self_closing_element.name":         calls,
		"jsx_attribute.":                        keys,
		"decorator.":                            calls,
		"generic_type.name":                     inherits,
		"labeled_tuple_type.name":               keys,
	},
	passes: map[string]role{
		"object_pattern":            defined,
		"array_pattern":             defined,
		"assignment_pattern":        defined,
		"pair_pattern":              defined,
		"rest_pattern":              defined,
		"object_assignment_pattern": defined,
		"type_annotation":           types,
		"union_type":                types,
		"parenthesized_type":        types,
		"readonly_type":             types,
		"await_expression":          values,
		"parenthesized_expression":  values,
		"as_expression":             values,
		"non_null_expression":       values,
	},
}

// refineJS tells functions, classes and constants from other variables, and
// methods from fields.
func refineJS(x *extraction, owner int, _ string, kind Kind) Kind {
	if kind != Variable && kind != Field {
		return kind
	}
	switch cmp.Or(x.field(owner, "value"), x.field(owner, "right")) {
	case "arrow_function", "function_expression", "generator_function":
		return map[Kind]Kind{Variable: Function, Field: Method}[kind]
	case "class":
		return Class
	}
	if kind == Variable && bytes.HasPrefix(x.src[x.around.start:], []byte("const")) {
		return Constant
	}
	return kind
}

func exportedJS(x *extraction, name string) bool {
	return !strings.HasPrefix(name, "#") && x.around.exported
}

// finishJS exports what is exported apart from its declaration, everything of
// a file that is no module, and the members of what is exported.
func finishJS(x *extraction) {
	outside := exports{module: x.out.module, names: x.exportedNames}
	for i := range x.out.decls {
		d := &x.out.decls[i]
		name := x.out.names[d.name]
		switch {
		case d.parent >= 0:
			d.exported = x.out.decls[d.parent].exported && !strings.HasPrefix(name, "#")
		case outside.top(name):
			d.exported = true
		}
	}
}

// exports say what of a file can be seen outside, apart from declarations that
// say so themselves.
type exports struct {
	module bool
	names  []string
}

// top reports whether name, declared at the top, is exported.
func (e *exports) top(name string) bool { return !e.module || slices.Contains(e.names, name) }

// jsImports takes in import statements and the exports that name what they
// export; an export that declares is walked like its declaration.
func jsImports(x *extraction, n node, kind string) bool {
	if kind == "variable_declarator" {
		return jsRequire(x, n)
	}
	source := x.child(n, "source")
	x.out.module = true
	if kind == "export_statement" {
		return jsExports(x, n, source)
	}
	from := x.unquoted(source)
	for clause := range x.children(n) {
		switch x.kind(clause) {
		case "import_clause":
			jsClause(x, clause, from)
		case "import_require_clause":
			if name := x.first(clause); name != 0 {
				jsImport(x, name, 0, imported{Path: x.unquoted(x.child(clause, "source")), Name: "*"})
			}
		}
	}
	return true
}

// jsRequire takes in const a = require("b") and const { a, b: c } = require("d").
func jsRequire(x *extraction, n node) bool {
	name, value := x.child(n, "name"), x.child(n, "value")
	if name == 0 || value == 0 || x.kind(value) != "call_expression" {
		return false
	}
	function, args := x.child(value, "function"), x.child(value, "arguments")
	if function == 0 || args == 0 || x.text(function) != "require" || x.isEmpty(args) {
		return false
	}
	path := x.first(args)
	if x.kind(path) != "string" || x.nodes[path].Next != x.nodes[args].Next {
		return false
	}
	imp := imported{Path: x.unquoted(path)}
	switch x.kind(name) {
	case "identifier":
		imp.Name = "*"
		jsImport(x, name, 0, imp)
		return true
	case "object_pattern":
		for c := range x.children(name) {
			if x.kind(c) == "pair_pattern" {
				jsRequired(x, x.child(c, "key"), x.child(c, "value"), imp)
			} else {
				jsRequired(x, c, 0, imp)
			}
		}
		return true
	default:
		return false
	}
}

func jsRequired(x *extraction, name, alias node, imp imported) {
	if name != 0 && x.isEmpty(name) && (alias == 0 || x.isEmpty(alias)) {
		imp.Name = x.text(name)
		jsImport(x, name, alias, imp)
	}
}

func jsClause(x *extraction, clause node, from string) {
	for c := range x.children(clause) {
		switch x.kind(c) {
		case "identifier":
			jsImport(x, c, 0, imported{Path: from, Name: "default"})
		case "namespace_import":
			if name := x.first(c); name != 0 {
				jsImport(x, name, 0, imported{Path: from, Name: "*"})
			}
		case "named_imports":
			jsSpecifiers(x, c, imported{Path: from})
		}
	}
}

// jsSpecifiers takes in { a, b as c }.
func jsSpecifiers(x *extraction, list node, imp imported) {
	for spec := range x.children(list) {
		if name := x.child(spec, "name"); name != 0 {
			imp.Name = x.unquoted(name)
			jsImport(x, name, x.child(spec, "alias"), imp)
		}
	}
}

// jsImport takes in one name, with its alias if it has one.
func jsImport(x *extraction, name, alias node, imp imported) {
	x.use(name, isImport)
	imp.Alias = x.unquoted(name)
	if alias != 0 {
		imp.Alias = x.unquoted(alias)
		x.use(alias, isImport)
	}
	x.out.imports = append(x.out.imports, imp)
}

func jsExports(x *extraction, n, source node) bool {
	if source == 0 {
		if clause := x.childOf(n, "export_clause"); clause != 0 {
			jsExportNames(x, clause)
			return true
		}
		if value := x.child(n, "value"); value != 0 && x.kind(value) == "identifier" {
			x.out.fallback = x.text(value)
		} else if name := x.declaredName(n); name != 0 && bytes.Contains(x.src[x.nodes[n].Start:x.nodes[name].Start], []byte("default")) {
			x.out.fallback = x.text(name)
		}
		return false
	}
	imp := imported{Path: x.unquoted(source), Exported: true}
	if clause := x.childOf(n, "export_clause"); clause != 0 {
		jsSpecifiers(x, clause, imp)
		return true
	}
	imp.Name = "*"
	if ns := x.childOf(n, "namespace_export"); ns != 0 && x.first(ns) != 0 {
		imp.Alias = x.unquoted(x.first(ns))
	}
	x.out.imports = append(x.out.imports, imp)
	return true
}

// jsExportNames takes in export { a, b as c }.
func jsExportNames(x *extraction, clause node) {
	for spec := range x.children(clause) {
		name, alias := x.child(spec, "name"), x.child(spec, "alias")
		if name == 0 {
			continue
		}
		x.use(name, 0)
		out := x.text(name)
		if alias != 0 {
			out = x.unquoted(alias)
		}
		if out == "default" {
			x.out.fallback = x.text(name)
		}
		x.out.imports = append(x.out.imports, imported{Name: x.text(name), Alias: out, Exported: true})
		x.exportedNames = append(x.exportedNames, x.text(name))
	}
}

func (x *extraction) declaredName(export node) node {
	if d := x.child(export, "declaration"); d != 0 {
		return x.child(d, "name")
	}
	return 0
}

func isJSTestFile(base string) bool {
	return strings.Contains(base, ".test.") || strings.Contains(base, ".spec.") || strings.Contains(base, "-test.")
}

// isJSTest takes every function of a test file: the tests themselves have no
// names, they are calls of it() and test().
func isJSTest(sym *Symbol) bool { return sym.Kind == Function || sym.Kind == Method }
