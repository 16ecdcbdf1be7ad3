//go:build !lite

package lang

import (
	"path"
	"strings"

	tshaskell "github.com/tree-sitter/tree-sitter-haskell/bindings/go"
)

func haskell() *Language {
	return &Language{
		Name: "haskell", Extensions: []string{".hs"}, Parser: tshaskell.Language, Grammar: haskellGrammar,
		Hoists: true, Clauses: true, Blank: "_", Comments: Comments{Line: "--", Open: "{-", Close: "-}"}, Body: "\n", Quotes: "\"",
		Imports: haskellImports, ImportKinds: "import header",
		Exported: func(*Declaration) bool { return true },
		Skim:     haskellLines.skim,
		IsTest: func(name, _ string, _ Kind) bool {
			return strings.HasPrefix(name, "prop_") || strings.HasPrefix(name, "test")
		},
		IsTestFile: func(file string) bool {
			return strings.HasSuffix(path.Base(file), "Spec.hs") || strings.HasSuffix(path.Base(file), "Test.hs")
		},
	}
}

var haskellGrammar = &Grammar{
	Names:  "variable name constructor operator module_id",
	Skips:  "comment haddock pragma string char integer float literal",
	Scopes: "function bind let_in alternative lambda do class instance data_type newtype type_synomym signature list_comprehension",
	Roles: map[string]Role{
		"function.name":                Defines(Function),
		"signature.name":               Defines(Function),
		"bind.name":                    Defines(Function),
		"bind.pattern":                 Defines(Variable) | Matches,
		"function infix":               Binds | Matches,
		"infix.operator":               Plain,
		"gadt_constructor.name":        Defines(Member),
		"data_type.name":               Defines(Type),
		"newtype.name":                 Defines(Type),
		"type_synomym.name":            Defines(Type),
		"class.name":                   Defines(Interface),
		"instance.patterns":            Extends,
		"data_constructor.constructor": Defines(Member),
		"newtype_constructor.name":     Defines(Member),
		"prefix.name":                  Inherits,
		"record.name":                  Inherits,
		"record.constructor":           Plain,
		"field.name":                   Defines(Field),
		"type_params.bind":             Binds,
		"function.patterns":            Binds | Matches,
		"lambda.patterns":              Binds | Matches,
		"alternative.pattern":          Binds | Matches,
		"generator.pattern":            Binds | Matches,
		"field_pattern.field":          Keys,
		"apply.function":               Calls | Inherits,
		"module module_id":             Inherits,
		"qualified.module":             Operand,
		"qualified.id":                 Accesses | Inherits,
	},
	Passes: map[string]Role{
		"patterns":      Defined,
		"parens":        Defined,
		"apply":         Defined,
		"tuple":         Defined,
		"list":          Defined,
		"infix":         Defined,
		"record":        Defined,
		"field_pattern": Defined,
		"as":            Defined,
		"strict":        Defined,
		"irrefutable":   Defined,
		"prefix_id":     Defined,
		"field_name":    Defined | Keys,
		"type_patterns": Extends,
	},
}

// haskellImports takes in the module's name and the imports.
func haskellImports(f *Facts, n Node) bool {
	module := n.Child("module").Text()
	if n.Kind() == "header" {
		f.Package = module
		return true
	}
	if alias := n.Child("alias"); !alias.None() {
		f.Imports = append(f.Imports, Import{Path: module, Name: "*", Alias: alias.Text()})
	}
	names := n.Child("names")
	if names.None() || strings.Contains(n.Text(), "hiding") {
		f.Imports = append(f.Imports, Import{Path: module, Name: "*", Alias: "."})
		return true
	}
	for c := range names.Children() {
		name := c.First()
		f.mentionImport(name)
		f.Imports = append(f.Imports, Import{Path: module, Name: name.Text(), Alias: name.Text()})
	}
	return true
}

var haskellLines = (&Lines{
	Words: map[string]Kind{"data": Type, "newtype": Type, "type": Type, "class": Interface},
}).compiled()
