package index

import (
	"bytes"
	"context"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/syntax"
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
	withParser(func(p *syntax.Parser) {
		nodes, err := p.Parse(lang.tables().syntax, content, parseTimeout)
		if err == nil { // the nodes are the parser's
			out = extract(lang, nodes, content)
		}
	})
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

// parsers are the parsers for whoever needs one for a moment, as many as can
// run at a time. Each is made when it is first taken.
var parsers = func() chan *syntax.Parser {
	idle := make(chan *syntax.Parser, runtime.GOMAXPROCS(0))
	for range cap(idle) {
		idle <- nil
	}
	return idle
}()

// withParser calls f with a parser of its own, once one is idle.
func withParser(f func(p *syntax.Parser)) {
	p := <-parsers
	defer func() { parsers <- p }()
	if p == nil {
		p = syntax.NewParser()
	}
	f(p)
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
	withParser(func(p *syntax.Parser) {
		tree, err := p.ParseTree(lang.tables().syntax, content, parseTimeout)
		if err != nil { // it takes too long
			return
		}
		defer tree.Close()
		for _, fault := range tree.Faults(maxErrors) {
			found = append(found, syntaxError(fault))
		}
	})
	return found, nil
}

func syntaxError(fault syntax.Fault) SyntaxError {
	e := SyntaxError{Span: text.Span{Start: fault.Start, End: fault.End}, Message: "unexpected text"}
	if fault.Missing != "" {
		e.Message = `missing "` + fault.Missing + `"`
	}
	return e
}
