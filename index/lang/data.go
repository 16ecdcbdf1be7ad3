//go:build !lite

package lang

import (
	tstoml "github.com/tree-sitter-grammars/tree-sitter-toml/bindings/go"
	tsyaml "github.com/tree-sitter-grammars/tree-sitter-yaml/bindings/go"
	tsjson "github.com/tree-sitter/tree-sitter-json/bindings/go"
)

// Files of data declare their keys: the outer ones, and not those of lists, of
// which a file can hold thousands.
const (
	keyDepth = 3
	maxKeys  = 500
)

func json() *Language {
	return &Language{
		Name: "json", Aliases: "jsonc", Extensions: []string{".json", ".jsonc", ".webmanifest"}, Parser: tsjson.Language, Grammar: jsonGrammar,
		Depth: keyDepth, Limit: maxKeys, Comments: cComments,
		Exported: isHidden, Skim: skimNothing, IsTest: isNoTest, IsTestFile: isNoTestFile,
	}
}

var jsonGrammar = &Grammar{
	Labels: "string_content",
	Skips:  "array number true false null comment",
	Roles:  map[string]Role{"pair.key": Defines(Key)},
	Passes: map[string]Role{"string": Defined},
}

func yaml() *Language {
	return &Language{
		Name: "yaml", Aliases: "dockercompose", Extensions: []string{".yaml", ".yml"}, Parser: tsyaml.Language, Grammar: yamlGrammar,
		Depth: keyDepth, Limit: maxKeys, Hoists: true, Blank: "<<", Comments: Comments{Line: "#"},
		Exported: isHidden, Skim: skimNothing, IsTest: isNoTest, IsTestFile: isNoTestFile,
	}
}

var yamlGrammar = &Grammar{
	Names:  "anchor_name alias_name",
	Labels: "string_scalar integer_scalar boolean_scalar double_quote_scalar single_quote_scalar",
	Skips:  "comment block_sequence flow_sequence block_scalar",
	Roles: map[string]Role{
		"block_mapping_pair.key": Defines(Key),
		"flow_pair.key":          Defines(Key),
		"anchor.":                Binds,
	},
	Passes: map[string]Role{
		"flow_node":    Defined,
		"plain_scalar": Defined,
	},
}

func toml() *Language {
	return &Language{
		Name: "toml", Extensions: []string{".toml"}, Parser: tstoml.Language, Grammar: tomlGrammar,
		Depth: keyDepth, Limit: maxKeys, Comments: Comments{Line: "#"},
		Exported: isHidden, Skim: skimNothing, IsTest: isNoTest, IsTestFile: isNoTestFile,
	}
}

var tomlGrammar = &Grammar{
	Labels: "bare_key dotted_key quoted_key",
	Skips:  "comment array string integer float boolean offset_date_time local_date_time local_date local_time",
	Roles: map[string]Role{
		"table.":               Defines(Key) | Leads,
		"table_array_element.": Defines(Key) | Leads,
		"pair.":                Defines(Key) | Leads,
	},
}

// isHidden is the Exported of what no other file names.
func isHidden(*Declaration) bool { return false }

// skimNothing is the Skim of what only a parser can tell.
func skimNothing(*Skimmer) {}

func isNoTest(string, string, Kind) bool { return false }
func isNoTestFile(string) bool           { return false }
