//go:build !lite

package lang

import (
	"path"
	"regexp"
	"strings"

	tsrust "github.com/tree-sitter/tree-sitter-rust/bindings/go"
)

func rust() *Language {
	return &Language{
		Name: "rust", Extensions: []string{".rs"}, Parser: tsrust.Language, Grammar: rustGrammar,
		Nests: true, Self: "self Self", Blank: "_",
		Comments: Comments{Line: "//", Open: "/*", Close: "*/", Between: "#["}, Quotes: "\"",
		Imports: rustImports, ImportKinds: "use_declaration mod_item extern_crate_declaration string_literal raw_string_literal",
		Exported:   isRustPublic,
		Skim:       rustLines.skim,
		IsTest:     isRustTest,
		IsTestFile: func(file string) bool { return path.Ext(file) == ".rs" }, // tests stand beside what they test
	}
}

var rustGrammar = &Grammar{
	Names:  "identifier type_identifier field_identifier self super crate metavariable",
	Shorts: "shorthand_field_identifier",
	Skips: `line_comment block_comment char_literal integer_literal float_literal boolean_literal
		primitive_type lifetime label fragment_specifier visibility_modifier mutable_specifier token_tree_pattern`,
	Scopes: `function_item function_signature_item closure_expression block match_arm for_expression if_expression while_expression
		impl_item trait_item struct_item enum_item union_item type_item`,
	Spaces: "function_item closure_expression for_expression",
	Loose:  "token_tree",
	Roles: map[string]Role{
		"function_item.name":                  Defines(Function),
		"function_item.return_type":           Types,
		"function_signature_item.name":        Defines(Function),
		"function_signature_item.return_type": Types,
		"struct_item.name":                    Defines(Type),
		"union_item.name":                     Defines(Type),
		"enum_item.name":                      Defines(Enum),
		"enum_variant.name":                   Defines(Member),
		"trait_item.name":                     Defines(Interface),
		"type_item.name":                      Defines(Type),
		"associated_type.name":                Defines(Type),
		"mod_item.name":                       Defines(Module) | Bodied,
		"macro_definition.name":               Defines(Function),
		"const_item.name":                     Defines(Constant),
		"const_item.type":                     Types,
		"static_item.name":                    Defines(Variable),
		"static_item.type":                    Types,
		"field_declaration.name":              Defines(Field),
		"field_declaration.type":              Types,
		"trait_item.bounds":                   Bases,
		"impl_item.trait":                     Bases,
		"impl_item.type":                      Extends,
		"assignment_expression.left":          Writes,
		"compound_assignment_expr.left":       Writes,
		"type_parameter.name":                 Binds | Early,
		"const_parameter.name":                Binds,
		"parameter.pattern":                   Binds | Matches,
		"parameter.type":                      Types,
		"closure_parameters.":                 Binds | Matches,
		"let_declaration.pattern":             Binds | Matches,
		"let_declaration.type":                Types,
		"let_declaration.value":               Values,
		"let_condition.pattern":               Binds | Matches,
		"for_expression.pattern":              Binds | Matches,
		"match_arm.pattern":                   Binds | Matches,
		"match_pattern.condition":             Plain,
		"tuple_struct_pattern.type":           Plain,
		"struct_pattern.type":                 Plain,
		"field_pattern.name":                  Keys,
		"range_pattern.left":                  Plain,
		"range_pattern.right":                 Plain,
		"field_expression.value":              Operand,
		"field_expression.field":              Accesses | Inherits,
		"scoped_identifier.path":              Operand,
		"scoped_identifier.name":              Accesses | Inherits,
		"scoped_type_identifier.path":         Operand,
		"scoped_type_identifier.name":         Accesses | Inherits,
		"call_expression.function":            Calls | Hints,
		"macro_invocation.macro":              Calls,
		"struct_expression.name":              Hints | Literal,
		"field_initializer.field":             Keys,
		"generic_type.type":                   Inherits,
		"generic_type.type_arguments":         Plain,
		"generic_function.function":           Inherits,
		"type_binding.name":                   Keys,
	},
	Passes: map[string]Role{
		"trait_bounds":             Bases,
		"match_pattern":            Defined,
		"tuple_pattern":            Defined,
		"slice_pattern":            Defined,
		"tuple_struct_pattern":     Defined,
		"struct_pattern":           Defined,
		"field_pattern":            Defined,
		"captured_pattern":         Defined,
		"reference_pattern":        Defined,
		"ref_pattern":              Defined,
		"mut_pattern":              Defined,
		"or_pattern":               Defined,
		"remaining_field_pattern":  Defined,
		"reference_type":           Types | Extends,
		"pointer_type":             Types,
		"dynamic_type":             Types,
		"abstract_type":            Types,
		"reference_expression":     Values,
		"try_expression":           Values,
		"await_expression":         Values,
		"parenthesized_expression": Values,
	},
}

// isRustPublic goes by pub, and by what belongs to a trait or its impl.
func isRustPublic(d *Declaration) bool {
	return !d.Node.ChildOf("visibility_modifier").None() || d.Kind == Member
}

// rustImports takes in use declarations, and the modules of other files.
func rustImports(f *Facts, n Node) bool {
	switch n.Kind() {
	case "string_literal", "raw_string_literal":
		if f.Around.Kind() == "token_tree" {
			rustFormat(f, n)
		}
	case "mod_item":
		name := n.Child("name")
		if name.None() || !n.Child("body").None() {
			return false
		}
		f.mentionImport(name)
		f.Imports = append(f.Imports, Import{Path: "self::" + name.Text(), Name: "*", Alias: name.Text(), Exported: true})
	case "extern_crate_declaration":
		rustUse(f, n.Child("name"), n.Child("alias"), "", false)
	default:
		exported := !n.ChildOf("visibility_modifier").None()
		rustTree(f, n.Child("argument"), "", exported)
	}
	return true
}

// What a format string holds in braces, and what it says there by $: {name:?},
// {0:width$}. (doc.rust-lang.org/std/fmt)
var (
	rustHole  = regexp.MustCompile(`\{\{|\{(\w*)(?::([^{}]*))?\}`)
	rustWidth = regexp.MustCompile(`[A-Za-z_]\w*\$`)
)

// rustFormat takes in the names in a string that a macro gets.
func rustFormat(f *Facts, n Node) {
	src := n.bytes()
	for _, m := range rustHole.FindAllSubmatchIndex(src, -1) {
		if m[2] >= 0 && m[2] < m[3] && !isDigit(src[m[2]]) {
			f.Mentions = append(f.Mentions, Mention{Node: n, Start: m[2], End: m[3]})
		}
		if m[4] < 0 {
			continue
		}
		for _, w := range rustWidth.FindAllIndex(src[m[4]:m[5]], -1) {
			f.Mentions = append(f.Mentions, Mention{Node: n, Start: m[4] + w[0], End: m[4] + w[1] - 1})
		}
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// rustTree takes in one tree of a use declaration, behind the path from.
func rustTree(f *Facts, n Node, from string, exported bool) {
	switch n.Kind() {
	case "use_list":
		for c := range n.Children() {
			rustTree(f, c, from, exported)
		}
	case "scoped_use_list":
		rustTree(f, n.Child("list"), joinRust(from, n.Child("path").Text()), exported)
	case "use_as_clause":
		rustUse(f, n.Child("path"), n.Child("alias"), from, exported)
	case "use_wildcard":
		f.Imports = append(f.Imports, Import{Path: joinRust(from, n.First().Text()), Name: "*", Alias: ".", Exported: exported})
	default:
		rustUse(f, n, Node{}, from, exported)
	}
}

// rustUse takes in one name, which may be a path, with its alias if it has one.
func rustUse(f *Facts, n, alias Node, from string, exported bool) {
	if n.Kind() == "scoped_identifier" {
		from = joinRust(from, n.Child("path").Text())
		n = n.Child("name")
	}
	imp := Import{Path: from, Name: n.Text(), Alias: n.Text(), Exported: exported}
	if n.None() {
		return
	}
	if n.Kind() == "self" { // use a::b::{self}
		before, last := cutLast(from, "::")
		imp.Path, imp.Name, imp.Alias = before, last, last
	} else {
		f.mentionImport(n)
	}
	if !alias.None() {
		imp.Alias = alias.Text()
		f.mentionImport(alias)
	}
	f.Imports = append(f.Imports, imp)
}

func joinRust(from, to string) string {
	if from == "" || to == "" {
		return from + to
	}
	return from + "::" + to
}

// cutLast cuts s around its last sep; before is "" where there is none.
func cutLast(s, sep string) (before, after string) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):]
	}
	return "", s
}

func isRustTest(name, container string, kind Kind) bool {
	first, _, _ := strings.Cut(container, ".")
	return kind == Function && (first == "tests" || first == "test" || strings.HasPrefix(name, "test_"))
}

var rustLines = (&Lines{
	Before: "pub pub(crate) pub(super) async unsafe extern default",
	Words: map[string]Kind{
		"fn": Function, "struct": Type, "union": Type, "enum": Enum, "trait": Interface, "type": Type, "mod": Module,
		"const": Constant, "static": Variable, "macro_rules!": Function,
	},
}).compiled()
