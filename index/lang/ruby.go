//go:build !lite

package lang

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	tsruby "github.com/tree-sitter/tree-sitter-ruby/bindings/go"
)

func ruby() *Language {
	return &Language{
		Name: "ruby", Extensions: []string{".rb", ".rake", ".gemspec", ".ru"}, Files: []string{"Rakefile", "Gemfile"},
		Parser: tsruby.Language, Grammar: rubyGrammar,
		Hoists: true, Nests: true, Repeats: true, Bare: true, Self: "self",
		Comments: Comments{Line: "#", Open: "=begin", Close: "=end"}, Body: "\n", Quotes: "\"'`",
		Imports: rubyImports, ImportKinds: "call",
		Refine:     refineRuby,
		Exported:   func(*Declaration) bool { return true },
		Skim:       rubyLines.skim,
		IsTest:     func(name, _ string, kind Kind) bool { return kind == Method && strings.HasPrefix(name, "test") },
		IsTestFile: isRubyTestFile,
	}
}

var rubyGrammar = &Grammar{
	Names:  "identifier constant instance_variable class_variable global_variable self operator setter",
	Labels: "simple_symbol",
	Sigils: "simple_symbol",
	Blocks: "block do_block",
	Skips:  "comment string_content escape_sequence integer float hash_key_symbol regex nil true false character heredoc_content",
	Scopes: "class method singleton_method block do_block lambda",
	Spaces: "method singleton_method lambda",
	Roles: map[string]Role{
		"class.name":                  Defines(Class),
		"module.name":                 Defines(Module),
		"method.name":                 Defines(Function),
		"singleton_method.object":     Receives,
		"singleton_method.name":       Defines(Method),
		"alias.name":                  Defines(Function),
		"assignment.left":             Defines(Constant) | Writes | Floats,
		"assignment.right":            Values,
		"operator_assignment.left":    Defines(Constant) | Writes | Floats,
		"argument_list simple_symbol": Defines(Field) | Itself, // attr_reader :name
		"array_pattern identifier":    Binds,
		"find_pattern identifier":     Binds,
		"as_pattern.name":             Binds,
		"method_parameters.":          Binds,
		"block_parameters.":           Binds,
		"lambda_parameters.":          Binds,
		"optional_parameter.name":     Binds,
		"keyword_parameter.name":      Binds,
		"splat_parameter.name":        Binds,
		"hash_splat_parameter.name":   Binds,
		"block_parameter.name":        Binds,
		"for.pattern":                 Binds,
		"exception_variable.":         Binds,
		"call.receiver":               Operand,
		"call.method":                 Accesses | Calls,
		"scope_resolution.scope":      Operand | Qualifies,
		"scope_resolution.name":       Accesses | Inherits,
		"superclass.":                 Bases,
	},
	Passes: map[string]Role{
		"destructured_parameter":       Binds,
		"left_assignment_list":         Defined | Writes,
		"rest_assignment":              Defined | Writes,
		"destructured_left_assignment": Defined | Writes,
	},
}

// refineRuby goes by the capital: an assignment to another name is a local
// variable's.
func refineRuby(d *Declaration) Kind {
	first, _ := utf8.DecodeRuneInString(d.Name)
	switch {
	case d.Kind == Field && !strings.HasPrefix(d.Around.Child("method").Text(), "attr_"):
		return Nothing
	case d.Kind != Constant:
		return d.Kind
	case unicode.IsUpper(first):
		return Constant
	case first == '@' || first == '$':
		return Nothing
	default:
		return Local
	}
}

// rubyImports takes in require and require_relative.
func rubyImports(f *Facts, n Node) bool {
	method, args := n.Child("method").Text(), n.Child("arguments")
	if method != "require" && method != "require_relative" || args.First().Kind() != "string" {
		return false
	}
	from := args.First().Unquoted()
	if method == "require_relative" {
		from = "./" + from
	}
	f.Imports = append(f.Imports, Import{Path: from, Name: "*", Alias: "."})
	return true
}

func isRubyTestFile(file string) bool {
	base := strings.TrimSuffix(path.Base(file), ".rb")
	return strings.HasSuffix(base, "_test") || strings.HasSuffix(base, "_spec") || strings.HasPrefix(base, "test_")
}

var rubyLines = (&Lines{
	Before: "private protected public",
	Words:  map[string]Kind{"class": Class, "module": Module, "def": Function},
}).compiled()
