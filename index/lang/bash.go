//go:build !lite

package lang

import (
	"path"
	"strings"

	tsbash "github.com/tree-sitter/tree-sitter-bash/bindings/go"
)

// bash goes by the name that LSP has for all shells.
func bash() *Language {
	return &Language{
		Name: "shellscript", Aliases: "bash shell zsh", Extensions: []string{".sh", ".bash", ".bats", ".ksh"}, Files: []string{".bashrc", ".bash_profile", ".profile"},
		Parser: tsbash.Language, Grammar: bashGrammar,
		Hoists: true, Repeats: true, Comments: Comments{Line: "#"},
		Imports: bashImports, ImportKinds: "command",
		Exported:   func(*Declaration) bool { return true },
		Skim:       bashLines.skim,
		IsTest:     func(name, _ string, _ Kind) bool { return strings.HasPrefix(name, "test") },
		IsTestFile: func(file string) bool { return strings.Contains(path.Base(file), "test") },
	}
}

var bashGrammar = &Grammar{
	Names:  "variable_name",
	Labels: "word",
	Skips:  "comment raw_string string_content number special_variable_name heredoc_body file_descriptor ansi_c_string",
	Scopes: "function_definition",
	Roles: map[string]Role{
		"function_definition.name":                Defines(Function),
		"program variable_assignment":             Defines(Variable) | Owns,
		"program declaration_command":             Defines(Variable) | Owns,
		"declaration_command variable_assignment": Defines(Variable),
		"declaration_command variable_name":       Defines(Variable),
		"variable_assignment.name":                Inherits,
		"for_statement.variable":                  Binds,
		"command_name.":                           Calls,
	},
}

// bashImports takes in source and the dot.
func bashImports(f *Facts, n Node) bool {
	if name := n.Child("name").Text(); name == "source" || name == "." {
		f.Imports = append(f.Imports, Import{Path: n.Child("argument").Unquoted(), Name: "*", Alias: "."})
	}
	return false
}

var bashLines = (&Lines{Before: "export readonly local", Words: map[string]Kind{"function": Function}, Bare: true}).compiled()
