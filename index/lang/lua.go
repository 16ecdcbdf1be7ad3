//go:build !lite

package lang

import (
	"bytes"
	"path"
	"strings"

	tslua "github.com/tree-sitter-grammars/tree-sitter-lua/bindings/go"
)

func lua() *Language {
	return &Language{
		Name: "lua", Extensions: []string{".lua"}, Parser: tslua.Language, Grammar: luaGrammar,
		Repeats: true, Self: "self", Blank: "_", Comments: Comments{Line: "--"}, Body: "\n",
		Imports: luaImports, ImportKinds: "variable_declaration",
		Refine:   refineLua,
		Exported: func(d *Declaration) bool { return !bytes.HasPrefix(d.Node.bytes(), []byte("local")) },
		Skim:     luaLines.skim,
		IsTest:   func(name, _ string, _ Kind) bool { return strings.HasPrefix(strings.ToLower(name), "test") },
		IsTestFile: func(file string) bool {
			return strings.Contains(path.Base(file), "test") || strings.Contains(path.Base(file), "_spec")
		},
	}
}

var luaGrammar = &Grammar{
	Names:  "identifier",
	Skips:  "comment string number nil true false vararg_expression goto_statement label_statement hash_bang_line",
	Scopes: "function_declaration function_definition for_statement while_statement repeat_statement do_statement if_statement else_statement elseif_statement",
	Roles: map[string]Role{
		"attribute identifier":                      Mutes, // <const>
		"function_declaration.name":                 Defines(Function),
		"variable_declaration assignment_statement": Defines(Variable),
		"variable_declaration.local_declaration":    Defines(Variable),
		"variable_declaration variable_list":        Defines(Variable),
		"chunk assignment_statement":                Defines(Variable) | Owns,
		"assignment_statement variable_list":        Inherits,
		"assignment_statement expression_list":      Plain,
		"variable_list.name":                        Inherits,
		"parameters.name":                           Binds,
		"for_numeric_clause.name":                   Binds,
		"for_generic_clause variable_list":          Binds,
		"field.name":                                Keys,
		"dot_index_expression.table":                Operand | Qualifies,
		"dot_index_expression.field":                Accesses | Inherits,
		"method_index_expression.table":             Operand | Qualifies,
		"method_index_expression.method":            Accesses | Inherits,
		"function_call.name":                        Calls,
	},
}

// refineLua tells functions from other values.
func refineLua(d *Declaration) Kind {
	values := d.Node.ChildOf("expression_list")
	if values.None() {
		values = d.Node.ChildOf("assignment_statement").ChildOf("expression_list")
	}
	if d.Kind == Variable && values.First().Kind() == "function_definition" {
		return Function
	}
	return d.Kind
}

// luaImports takes in local x = require("y").
func luaImports(f *Facts, n Node) bool {
	assignment := n.ChildOf("assignment_statement")
	name, value := assignment.ChildOf("variable_list").First(), assignment.ChildOf("expression_list").First()
	args := value.Child("arguments")
	if value.Child("name").Text() != "require" || args.First().Kind() != "string" || !name.isName() {
		return false
	}
	f.mentionImport(name)
	f.Imports = append(f.Imports, Import{Path: args.First().Unquoted(), Name: "*", Alias: name.Text()})
	return true
}

var luaLines = (&Lines{Before: "local", Words: map[string]Kind{"function": Function, "local": Variable}}).compiled()
