package index

import (
	"bytes"
	"context"
	"runtime"
	"time"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
	"github.com/agentls/agentls/index/syntax"
)

const (
	maxParse     = 2 << 20         // bytes; what is larger is skimmed
	maxSkim      = 32 << 20        // bytes; what is larger is known by name only
	parseTimeout = 2 * time.Second // a grammar fed with another language's text is 8 times slower
	sniffed      = 64 << 10        // bytes looked at for long lines
	maxLine      = 2000            // bytes, on average: more is skipMinified
	maxErrors    = 100
)

// A skip says why a file was not parsed. The cache holds its number.
type skip uint8

const (
	notSkipped skip = iota
	skipLanguage
	skipBinary // or not UTF-8
	skipLarge  // skimmed
	skipSlow   // skimmed
	skipMinified
)

var skipNames = [...]string{
	notSkipped: "", skipLanguage: "language", skipBinary: "binary", skipLarge: "large", skipSlow: "slow", skipMinified: "minified",
}

// String returns the word for s; "" for a file that was parsed.
func (s skip) String() string { return skipNames[min(int(s), len(skipNames)-1)] }

// sniff reports whether content is worth a parse: text, of a sane size,
// written by people.
func sniff(content []byte) skip {
	head := content[:min(len(content), sniffed)]
	switch {
	case text.Check(content) != nil:
		return skipBinary
	case len(head)/(bytes.Count(head, []byte("\n"))+1) > maxLine:
		return skipMinified
	case len(content) > maxParse:
		return skipLarge
	default:
		return notSkipped
	}
}

// parse returns the outline of content, or nil if the language is not known or
// the content unfit. What is too much for a parser is skimmed.
func parse(p *syntax.Parser, path string, language *lang.Language, content []byte) (*outline, skip) {
	if language == nil {
		if out := parseManifest(path, content); out != nil {
			return out, notSkipped
		}
		return nil, skipLanguage
	}
	switch why := sniff(content); why {
	case notSkipped:
	case skipLarge:
		return skim(language, content), why
	default:
		return nil, why
	}
	nodes, err := p.Parse(language.Tables().Syntax, language.Readable(content), parseTimeout)
	if err != nil {
		return skim(language, content), skipSlow
	}
	out, texts := extract(language, nodes, content) // the nodes are the parser's until its next call
	if len(texts) > 0 {
		addEmbedded(p, out, content, texts)
	}
	addManifest(path, out, content)
	return out, notSkipped
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
	language := lang.Of(path, s.docs[path].languageName())
	if language == nil || sniff(content) != notSkipped {
		return nil, nil
	}
	var found []SyntaxError
	withParser(func(p *syntax.Parser) {
		tree, err := p.ParseTree(language.Tables().Syntax, language.Readable(content), parseTimeout)
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
