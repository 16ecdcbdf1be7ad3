//go:build !lite

package lang

import (
	"slices"
	"strings"

	tsmarkdown "github.com/tree-sitter-grammars/tree-sitter-markdown/bindings/go"
	tscss "github.com/tree-sitter/tree-sitter-css/bindings/go"
	tshtml "github.com/tree-sitter/tree-sitter-html/bindings/go"
)

func markdown() *Language {
	return &Language{
		Name: "markdown", Extensions: []string{".md", ".markdown", ".mdx"}, Parser: tsmarkdown.Language, Grammar: markdownGrammar,
		Exported: isHidden, Skim: skimMarkdown, IsTest: isNoTest, IsTestFile: isNoTestFile,
		EmbedKinds: "fenced_code_block", Embed: markdownCode,
	}
}

var markdownGrammar = &Grammar{
	Labels: "inline",
	Skips:  "list block_quote html_block indented_code_block minus_metadata plus_metadata link_reference_definition pipe_table thematic_break",
	Roles: map[string]Role{
		"section atx_heading":            Defines(Heading),
		"section setext_heading":         Defines(Heading) | Owns,
		"atx_heading.heading_content":    Inherits,
		"setext_heading.heading_content": Inherits,
	},
	Passes: map[string]Role{"paragraph": Defined},
}

// skimMarkdown takes in the headings that begin with a number sign.
func skimMarkdown(s *Skimmer) {
	level := 0
	for level < len(s.line) && s.line[level] == '#' {
		level++
	}
	if level == 0 || level > 6 || level == len(s.line) || s.line[level] != ' ' {
		return
	}
	s.leave(level)
	from, to := s.blanks(level), len(strings.TrimRight(string(s.line), " \t\r#"))
	if to > from {
		s.enter(s.declare(Heading, from, to, nil), level)
	}
}

// markdownCode returns the language and the text of a fenced block.
func markdownCode(n Node) (name string, content Node) {
	name = strings.ToLower(n.ChildOf("info_string").ChildOf("language").Text())
	return name, n.ChildOf("code_fence_content")
}

func html() *Language {
	return &Language{
		Name: "html", Extensions: []string{".html", ".htm", ".xhtml"}, Parser: tshtml.Language, Grammar: htmlGrammar,
		Comments: Comments{Open: "<!--", Close: "-->"},
		Refine:   refineHTML, Exported: isHidden, Skim: skimNothing, IsTest: isNoTest, IsTestFile: isNoTestFile,
		EmbedKinds: "script_element style_element", Embed: htmlCode,
	}
}

var htmlGrammar = &Grammar{
	Labels: "attribute_value text",
	Skips:  "comment doctype tag_name end_tag erroneous_end_tag entity",
	Roles: map[string]Role{
		"element start_tag":                Defines(Heading),
		"element self_closing_tag":         Defines(Heading),
		"element text":                     Defines(Heading),
		"start_tag attribute":              Inherits,
		"self_closing_tag attribute":       Inherits,
		"attribute quoted_attribute_value": Inherits,
		"attribute attribute_value":        Inherits,
		"quoted_attribute_value.":          Inherits,
	},
}

var htmlHeadings = strings.Fields("h1 h2 h3 h4 h5 h6 title")

// refineHTML keeps the ids of elements, and the texts of headings.
func refineHTML(d *Declaration) Kind {
	tag := d.Node.First()
	if _, end := tag.Span(); d.At >= end {
		if slices.Contains(htmlHeadings, strings.ToLower(tag.ChildOf("tag_name").Text())) {
			return Heading
		}
		return Nothing
	}
	for attribute := range tag.Children() {
		start, end := attribute.Span()
		if start <= d.At && d.At < end && attribute.ChildOf("attribute_name").Text() == "id" {
			return Heading
		}
	}
	return Nothing
}

// htmlCode returns the language and the text of a script or style element.
func htmlCode(n Node) (name string, content Node) {
	content = n.ChildOf("raw_text")
	if n.Kind() == "style_element" {
		return "css", content
	}
	for attribute := range n.ChildOf("start_tag").Children() {
		if attribute.ChildOf("attribute_name").Text() != "type" {
			continue
		}
		switch typ := attribute.ChildOf("quoted_attribute_value").Unquoted(); typ {
		case "", "module", "text/javascript", "application/javascript":
		case "application/json", "importmap":
			return "json", content
		default:
			return "", content
		}
	}
	return "javascript", content
}

func css() *Language {
	return &Language{
		Name: "css", Extensions: []string{".css"}, Parser: tscss.Language, Grammar: cssGrammar,
		Comments: Comments{Open: "/*", Close: "*/"}, Limit: 4 * maxKeys,
		Refine: refineCSS, Exported: isHidden, Skim: skimNothing, IsTest: isNoTest, IsTestFile: isNoTestFile,
	}
}

var cssGrammar = &Grammar{
	Labels: `class_selector id_selector tag_name universal_selector attribute_selector pseudo_class_selector pseudo_element_selector
		child_selector descendant_selector sibling_selector adjacent_sibling_selector nesting_selector
		property_name keyframes_name plain_value`,
	Skips: "comment string_value integer_value float_value color_value import_statement charset_statement",
	Roles: map[string]Role{
		"rule_set selectors":                 Defines(Class),
		"selectors.":                         Inherits,
		"declaration property_name":          Defines(Variable),
		"keyframes_statement keyframes_name": Defines(Function),
		"arguments plain_value":              Plain,
	},
}

// refineCSS keeps, of properties, those that a file makes for itself.
func refineCSS(d *Declaration) Kind {
	if (d.Kind == Variable || d.Kind == Field) && !strings.HasPrefix(d.Name, "--") {
		return Nothing
	}
	return d.Kind
}
