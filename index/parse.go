package index

import (
	"bytes"
	"context"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	sitter "github.com/tree-sitter/go-tree-sitter"

	"github.com/agentls/agentls/edits/text"
)

const (
	maxParse     = 2 << 20         // bytes
	parseTimeout = 2 * time.Second // a grammar fed with another language's text is 8 times slower
	sniffed      = 64 << 10        // bytes looked at for long lines
	maxLine      = 2000            // bytes, on average: more is minified
	maxErrors    = 100
)

// parsable reports whether content is worth a parse: text, of a sane size,
// written by people.
func parsable(content []byte) bool {
	if len(content) > maxParse || text.Check(content) != nil {
		return false
	}
	head := content[:min(len(content), sniffed)]
	return len(head)/(bytes.Count(head, []byte("\n"))+1) <= maxLine
}

// parse returns the outline of content, or nil if it is not parsed: the
// language is not known, or the content is unfit or took too long.
func parse(path string, lang *language, content []byte) *outline {
	if lang == nil {
		return parseModFile(path, content)
	}
	if !parsable(content) {
		return nil
	}
	var out *outline
	withTree(lang, content, func(root *sitter.Node) { out = extract(lang, root, content) })
	return out
}

// parseModFile keeps of a go.mod the module path, by which imports resolve.
func parseModFile(path string, content []byte) *outline {
	if filepath.Base(path) != "go.mod" {
		return nil
	}
	for line := range bytes.Lines(content) {
		if rest, ok := bytes.CutPrefix(line, []byte("module")); ok {
			rest, _, _ = bytes.Cut(rest, []byte("//"))
			out := &outline{pkg: strings.Trim(string(bytes.TrimSpace(rest)), `"`), names: []string{""}}
			out.group()
			return out
		}
	}
	return nil
}

// withTree calls f with the root of content's syntax tree, which ends with the
// call; not at all if parsing takes too long.
func withTree(lang *language, content []byte, f func(root *sitter.Node)) {
	p := parsers.take(lang)
	defer parsers.give(lang, p)
	tree := p.Parse(content, nil)
	if tree == nil { // out of time: the next parse would go on with this one
		p.Reset()
		return
	}
	defer tree.Close()
	f(tree.RootNode())
}

// A parserPool keeps parsers, which are C objects that nothing finalises, for
// the next parse.
type parserPool struct {
	mu   sync.Mutex
	idle map[*language][]*sitter.Parser
}

var parsers = parserPool{idle: map[*language][]*sitter.Parser{}}

func (pp *parserPool) take(lang *language) *sitter.Parser {
	pp.mu.Lock()
	defer pp.mu.Unlock()
	if idle := pp.idle[lang]; len(idle) > 0 {
		pp.idle[lang] = idle[:len(idle)-1]
		return idle[len(idle)-1]
	}
	p := sitter.NewParser()
	if err := p.SetLanguage(lang.tables().language); err != nil {
		panic("index: grammar of " + lang.name + " does not fit the parser: " + err.Error())
	}
	p.SetTimeoutMicros(uint64(parseTimeout.Microseconds())) //nolint:staticcheck // its successor leaks its options in v0.25.0
	return p
}

func (pp *parserPool) give(lang *language, p *sitter.Parser) {
	pp.mu.Lock()
	defer pp.mu.Unlock()
	if len(pp.idle[lang]) >= runtime.GOMAXPROCS(0) {
		p.Close()
		return
	}
	pp.idle[lang] = append(pp.idle[lang], p)
}

// A SyntaxError is a place a parser could not make sense of.
type SyntaxError struct {
	Span    text.Span
	Message string // "unexpected text" or `missing "}"`
}

// Parses returns the syntax errors of content, were it at path, in order and
// at most 100; nil where there are none, for a language that is not known, and
// for content that is not parsed: binary, too large or minified.
func (s *Snapshot) Parses(ctx context.Context, path string, content []byte) ([]SyntaxError, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	lang := languageOf(path, s.docs[path].languageName())
	if lang == nil || !parsable(content) {
		return nil, nil
	}
	var found []SyntaxError
	withTree(lang, content, func(root *sitter.Node) { found = syntaxErrors(root) })
	return found, nil
}

// syntaxErrors walks the parts of a tree that hold errors.
func syntaxErrors(root *sitter.Node) []SyntaxError {
	var found []SyntaxError
	cursor := root.Walk()
	defer cursor.Close()
	for len(found) < maxErrors {
		n := cursor.Node()
		broken := n.IsError() || n.IsMissing()
		if broken {
			found = append(found, syntaxError(n))
		}
		if !broken && n.HasError() && cursor.GotoFirstChild() {
			continue
		}
		for !cursor.GotoNextSibling() {
			if !cursor.GotoParent() {
				return found
			}
		}
	}
	return found
}

func syntaxError(n *sitter.Node) SyntaxError {
	e := SyntaxError{Span: text.Span{Start: int(n.StartByte()), End: int(n.EndByte())}, Message: "unexpected text"}
	if n.IsMissing() {
		e.Message = `missing "` + n.Kind() + `"`
	}
	return e
}
