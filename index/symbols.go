package index

import (
	"bytes"
	"cmp"
	"context"
	"regexp"
	"strings"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
)

// Symbols returns the outline of path in source order; nil for a file that is
// not parsed. The errors are those of ReadFile.
func (s *Snapshot) Symbols(ctx context.Context, path string) ([]Symbol, error) {
	if d := s.docs[path]; d != nil {
		return d.symbols(), nil
	}
	f, err := s.file(ctx, path)
	if err != nil {
		return nil, err
	}
	return f.symbols(), nil
}

// Enclosing returns the innermost declaration around span, and whether there
// is one.
func (s *Snapshot) Enclosing(ctx context.Context, path string, span text.Span) (Symbol, bool, error) {
	syms, err := s.Symbols(ctx, path)
	if err != nil {
		return Symbol{}, false, err
	}
	sym, ok := innermost(syms, span)
	return sym, ok, nil
}

// innermost returns the smallest of syms, which are in source order, around
// span; of two that are equal the later.
func innermost(syms []Symbol, span text.Span) (best Symbol, ok bool) {
	for _, sym := range syms {
		if sym.Span.Start > span.Start {
			break
		}
		if sym.Span.Encloses(span) && (!ok || sym.Span.Len() <= best.Span.Len()) {
			best, ok = sym, true
		}
	}
	return best, ok
}

// At returns the identifier at offset, and whether there is one. A cursor
// behind the last letter counts.
func (s *Snapshot) At(ctx context.Context, path string, offset int) (name string, span text.Span, ok bool, err error) {
	f, err := s.file(ctx, path)
	if err != nil || !f.isParsed() {
		return "", text.Span{}, false, err
	}
	i, ok := f.covering(offset)
	if !ok {
		return "", text.Span{}, false, nil
	}
	return f.name(i), f.span(i), true, nil
}

// locate returns the declaration that sym is, in the file as this snapshot
// knows it.
func (s *Snapshot) locate(ctx context.Context, sym Symbol) (target, bool, error) {
	f, err := s.file(ctx, sym.Path)
	if err != nil || !f.isParsed() {
		return target{}, false, err
	}
	for i := range f.outline().decls {
		if f.span(int(f.outline().decls[i].occ)) == sym.NameSpan && f.outline().names[f.outline().decls[i].name] == sym.Name {
			return target{f, i}, true, nil
		}
	}
	return target{}, false, nil
}

// source returns the text of sym's file, and sym's span in it, clamped: a
// symbol can come from another snapshot.
func (s *Snapshot) source(ctx context.Context, sym Symbol) ([]byte, text.Span, error) {
	src, err := s.ReadFile(ctx, sym.Path)
	if err != nil {
		return nil, text.Span{}, err
	}
	end := min(max(sym.Span.End, 0), len(src))
	return src, text.Span{Start: min(max(sym.Span.Start, 0), end), End: end}, nil
}

// Doc returns the doc comment of sym without its comment marks, or "".
func (s *Snapshot) Doc(ctx context.Context, sym Symbol) (string, error) {
	src, span, err := s.source(ctx, sym)
	if err != nil {
		return "", err
	}
	language := lang.Of(sym.Path, sym.Language)
	switch {
	case language == nil:
		return "", nil
	case language.Comments.InBody:
		return docstring(src[span.Start:span.End], language), nil
	default:
		return commentBefore(src[:span.Start], &language.Comments), nil
	}
}

// commentBefore returns the comment that ends on the line before the end of
// src.
func commentBefore(src []byte, marks *lang.Comments) string {
	lines := bytes.Split(src, []byte("\n"))
	end := len(lines) - 1
	if len(bytes.TrimSpace(lines[end])) > 0 { // it is documented with what stands before it on its line
		return ""
	}
	for end > 0 && marks.Between != "" && opensWith(lines[end-1], marks.Between) {
		end--
	}
	first := end
	for first > 0 && opensWith(lines[first-1], marks.Line) {
		first--
	}
	if first < end {
		return uncomment(lines[first:end], marks)
	}
	if end == 0 || marks.Close == "" || !bytes.HasSuffix(bytes.TrimSpace(lines[end-1]), []byte(marks.Close)) {
		return ""
	}
	for first = end - 1; first > 0 && !bytes.Contains(lines[first], []byte(marks.Open)); first-- {
	}
	if !opensWith(lines[first], marks.Open) {
		return ""
	}
	return uncomment(lines[first:end], marks)
}

// opensWith reports whether mark, which is not empty, is the first in line but
// for blanks.
func opensWith(line []byte, mark string) bool {
	return mark != "" && bytes.HasPrefix(bytes.TrimSpace(line), []byte(mark))
}

// directive is a comment that is none.
var directive = regexp.MustCompile(`^//(go|line|export|nolint)[: ]\S`)

// uncomment returns the text of the comment that lines are.
func uncomment(lines [][]byte, marks *lang.Comments) string {
	var out []string
	for _, line := range lines {
		if line = bytes.TrimSpace(line); !directive.Match(line) {
			out = append(out, uncommentLine(string(line), marks))
		}
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

func uncommentLine(line string, marks *lang.Comments) string {
	switch {
	case marks.Line != "" && strings.HasPrefix(line, marks.Line):
		line = strings.TrimLeft(line, marks.Line[:1]+"!") // "///" too
		line = strings.TrimPrefix(line, " |")             // Haskell
	case marks.Open != "" && strings.HasPrefix(line, marks.Open):
		line = strings.TrimLeft(line[len(marks.Open):], "*")
	case marks.Open == "/*" && !strings.HasPrefix(line, marks.Close):
		line = strings.TrimPrefix(line, "*")
	}
	if marks.Close != "" {
		line = strings.TrimSuffix(line, marks.Close)
	}
	return strings.TrimRight(strings.TrimPrefix(line, " "), " \t")
}

var docstringStart = regexp.MustCompile(`^[ \t\r\n]*[rRuU]?("""|'''|"|')`)

// docstring returns the string that a Python body begins with.
func docstring(decl []byte, language *lang.Language) string {
	_, body, ok := cutBody(decl, language)
	if !ok {
		return ""
	}
	for { // comments may stand before it
		body = bytes.TrimLeft(body, " \t\r\n")
		if !bytes.HasPrefix(body, []byte("#")) {
			break
		}
		_, body, _ = bytes.Cut(body, []byte("\n"))
	}
	m := docstringStart.FindSubmatch(body)
	if m == nil {
		return ""
	}
	doc, _, ok := bytes.Cut(body[len(m[0]):], m[1])
	if !ok {
		return ""
	}
	lines := strings.Split(string(doc), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// Signature returns the declaration of sym up to its body, on one line.
func (s *Snapshot) Signature(ctx context.Context, sym Symbol) (string, error) {
	src, span, err := s.source(ctx, sym)
	if err != nil {
		return "", err
	}
	head := src[span.Start:span.End]
	if language := lang.Of(sym.Path, sym.Language); language != nil && hasBody(sym.Kind) {
		head, _, _ = cutBody(head, language)
		if i := bytes.IndexByte(head, ';'); i >= 0 && sym.Kind == Module { // C#: to the end of the file
			head = head[:i]
		}
	} else if i := bytes.IndexByte(head, '\n'); i >= 0 && sym.Kind != Type {
		head = head[:i]
	}
	head = bytes.TrimRight(head, " \t\r\n={:;")
	return strings.Join(strings.Fields(string(clip(head))), " "), nil
}

const maxSignature = 1000 // bytes

func clip(b []byte) []byte { return b[:min(len(b), maxSignature)] }

func hasBody(k Kind) bool {
	switch k {
	case Function, Method, Class, Interface, Enum, Module, Type:
		return true
	default:
		return false
	}
}

// cutBody cuts a declaration before its body: at the first brace, colon or
// whatever begins one, or arrow, that stands in no brackets, string or comment.
func cutBody(decl []byte, language *lang.Language) (head, body []byte, ok bool) {
	opener, quotes := cmp.Or(language.Body, "{"), cmp.Or(language.Quotes, "\"'`")
	depth, assigned := 0, false
	for i := 0; i < len(decl); i++ {
		switch c := decl[i]; {
		case depth == 0 && strings.IndexByte(opener, c) >= 0 && !opensType(decl[:i], language):
			return decl[:i], decl[i+1:], true
		case c == '=' && depth == 0 && bytes.HasPrefix(decl[i:], []byte("=>")):
			if !bytes.HasSuffix(decl[:i], []byte("<")) && (language.Family != "javascript" || assigned && !isAlias(decl)) {
				return decl[:i], decl[i+2:], true
			}
			i++
		case c == '=' && depth == 0:
			assigned = true
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
		case strings.IndexByte(quotes, c) >= 0:
			i = skipString(decl, i)
		case language.Comments.Line != "" && bytes.HasPrefix(decl[i:], []byte(language.Comments.Line)):
			i = skipLine(decl, i)
		}
	}
	return decl, nil, false
}

// opensType reports whether a brace behind head begins a type: the result of a
// function, as in "f() struct{" or "f(): {", or the argument of another type, as
// in "class A extends B<{".
func opensType(head []byte, language *lang.Language) bool {
	head = bytes.TrimRight(head, " \t")
	if bytes.HasSuffix(head, []byte(":")) {
		return true
	}
	for _, before := range []string{"<", ",", "|", "&", " extends"} {
		if language.Family == "javascript" && bytes.HasSuffix(head, []byte(before)) {
			return true
		}
	}
	if !bytes.HasPrefix(head, []byte("func")) {
		return false
	}
	return bytes.HasSuffix(head, []byte("struct")) || bytes.HasSuffix(head, []byte("interface"))
}

// isAlias reports whether decl gives a type of TypeScript a name.
func isAlias(decl []byte) bool {
	words := bytes.Fields(decl[:min(len(decl), maxSignature)])
	for len(words) > 0 && (string(words[0]) == "export" || string(words[0]) == "declare") {
		words = words[1:]
	}
	return len(words) > 0 && string(words[0]) == "type"
}

func skipString(src []byte, i int) int {
	quote := src[i]
	for i++; i < len(src) && src[i] != quote; i++ {
		if src[i] == '\\' {
			i++
		}
	}
	return i
}

func skipLine(src []byte, i int) int {
	if n := bytes.IndexByte(src[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(src)
}
