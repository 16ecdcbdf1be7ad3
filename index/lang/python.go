package lang

import (
	"bytes"
	"path"
	"strings"

	tspython "github.com/tree-sitter/tree-sitter-python/bindings/go"
)

func python() *Language {
	return &Language{
		Name: "python", Extensions: []string{".py", ".pyi", ".pyw"}, Parser: tspython.Language, Grammar: pythonGrammar,
		Hoists: true, Nests: true, Repeats: true, Self: "self", Super: "super",
		Comments: Comments{Line: "#", InBody: true}, Body: ":",
		Imports: pythonImports, ImportKinds: "import_statement import_from_statement future_import_statement list tuple",
		Refine:     refinePython,
		Exported:   func(d *Declaration) bool { return !strings.HasPrefix(d.Name, "_") },
		Skim:       skimPython,
		IsTest:     func(name, _ string, _ Kind) bool { return strings.HasPrefix(name, "test") },
		IsTestFile: isPythonTestFile,
	}
}

var pythonGrammar = &Grammar{
	Names:  "identifier",
	Skips:  "comment integer float string_start string_content string_end escape_sequence import_prefix",
	Thin:   "class_definition",
	Scopes: "function_definition lambda list_comprehension dictionary_comprehension set_comprehension generator_expression",
	Wraps:  "expression_statement decorated_definition",
	Roles: map[string]Role{
		"function_definition.name":            Defines(Function),
		"function_definition.return_type":     Types,
		"class_definition.name":               Defines(Class),
		"class_definition.superclasses":       Bases,
		"subscript.subscript":                 Plain,
		"augmented_assignment.left":           Writes,
		"assignment.left":                     Defines(Variable) | Assigns | Writes,
		"assignment.type":                     Types,
		"assignment.right":                    Values,
		"type_alias_statement.left":           Defines(Type),
		"named_expression.name":               Binds,
		"parameters.":                         Binds,
		"lambda_parameters.":                  Binds,
		"typed_parameter.":                    Binds,
		"typed_parameter.type":                Types,
		"default_parameter.name":              Binds,
		"typed_default_parameter.name":        Binds,
		"typed_default_parameter.type":        Types,
		"for_statement.left":                  Binds,
		"for_in_clause.left":                  Binds,
		"as_pattern.alias":                    Binds,
		"attribute.object":                    Operand,
		"attribute.attribute":                 Accesses | Inherits,
		"call.function":                       Calls | Hints,
		"decorator.":                          Calls,
		"keyword_argument.name":               Keys,
		"keyword_pattern identifier":          Keys | Leads,
		"case_pattern dotted_name":            Binds | Writes,
		"keyword_pattern dotted_name":         Binds | Writes,
		"class_pattern dotted_name":           Calls,
		"dotted_name identifier":              Inherits | Accesses | Operand,
		"case_pattern as_pattern":             Binds | Writes,
		"as_pattern identifier":               Inherits,
		"splat_pattern.":                      Binds | Writes,
		"global_statement.":                   Global,
		"nonlocal_statement.":                 Outer,
		"function_definition.type_parameters": Binds,
		"class_definition.type_parameters":    Binds,
		"constrained_type type":               Inherits | Leads,
		"generic_type identifier":             Inherits,
	},
	Passes: map[string]Role{
		"argument_list":            Bases,
		"subscript":                Bases,
		"pattern_list":             Defined | Writes | Assigns,
		"tuple_pattern":            Defined | Writes | Assigns,
		"list_pattern":             Defined | Writes | Assigns,
		"type_parameter":           Defined, // of a declaration
		"generic_type":             Binds,   // type A[T] = …
		"list_splat_pattern":       Defined,
		"dictionary_splat_pattern": Defined,
		"as_pattern_target":        Defined,
		"type":                     Types | Defined,
		"splat_type":               Defined,
		"tuple":                    Defined,
		"expression_list":          Values,
		"parenthesized_expression": Values,
		"await":                    Values,
	},
}

// refinePython tells constants from variables by their capitals.
func refinePython(d *Declaration) Kind {
	if d.Kind == Variable && len(d.Name) > 1 && strings.ToUpper(d.Name) == d.Name && strings.ToLower(d.Name) != d.Name {
		return Constant
	}
	return d.Kind
}

// pythonImports takes in "import a.b as c" and "from a import b as c", and the
// names that __all__ lists as strings.
func pythonImports(f *Facts, n Node) bool {
	if kind := n.Kind(); kind == "list" || kind == "tuple" {
		return pythonAll(f, n)
	}
	module := n.Child("module_name")
	from := ""
	if !module.None() {
		from = strings.Join(strings.Fields(module.Text()), "")
	}
	for c := range n.Children() {
		switch {
		case c == module:
		case c.Kind() == "wildcard_import":
			f.Imports = append(f.Imports, Import{Path: from, Name: "*", Alias: ".", Exported: true})
		case c.Kind() == "dotted_name":
			pythonImport(f, c, Node{}, from, n.Kind())
		case c.Kind() == "aliased_import":
			if name := c.Child("name"); !name.None() {
				pythonImport(f, name, c.Child("alias"), from, n.Kind())
			}
		}
	}
	return true
}

// pythonAll takes in what is listed in __all__ = [...], if that is strings alone.
func pythonAll(f *Facts, n Node) bool {
	start, _ := n.Span()
	before := n.tree.Src[:start]
	if line := before[bytes.LastIndexByte(before, '\n')+1:]; !bytes.HasPrefix(line, []byte("__all__")) {
		return false
	}
	var names []Node
	for c := range n.Children() {
		if c.Kind() != "string" {
			return false
		}
		names = append(names, c.ChildOf("string_content"))
	}
	for _, name := range names {
		f.mention(name)
	}
	return true
}

// pythonImport takes in one name. What a module imports it also exports.
func pythonImport(f *Facts, name, alias Node, from, kind string) {
	imp := Import{Path: from, Name: name.Text(), Exported: true}
	imp.Alias = imp.Name
	if kind == "import_statement" {
		imp.Path, imp.Name = imp.Name, "*"
		if top, _, deep := strings.Cut(imp.Path, "."); deep && alias.None() { // import a.b brings in a
			f.Imports = append(f.Imports, Import{Path: top, Name: "*", Alias: top, Exported: true})
		}
		imp.Alias = imp.Alias[strings.LastIndexByte(imp.Alias, '.')+1:]
	} else if word := name.First(); !word.None() { // of a dotted_name
		f.mentionImport(word)
	}
	if !alias.None() {
		imp.Alias = alias.Text()
		f.mentionImport(alias)
	}
	f.Imports = append(f.Imports, imp)
}

func isPythonTestFile(file string) bool {
	base := path.Base(file)
	return strings.HasPrefix(base, "test_") || strings.HasSuffix(base, "_test.py")
}
