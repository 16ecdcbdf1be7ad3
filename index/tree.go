package index

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
	"github.com/agentls/agentls/index/syntax"
)

// tree calls visit with the tree of path, which is gone afterwards; not at all
// for what is not parsed.
func (s *Snapshot) tree(ctx context.Context, path string, visit func(t *lang.Tree)) error {
	src, err := s.ReadFile(ctx, path)
	if err != nil {
		return err
	}
	language := lang.Of(path, s.docs[path].languageName())
	if language == nil || sniff(src) != notSkipped {
		return nil
	}
	treeOf(language, src, visit)
	return ctx.Err()
}

// treeOf calls visit with the tree of src, unless that takes too long.
func treeOf(language *lang.Language, src []byte, visit func(t *lang.Tree)) {
	withParser(func(p *syntax.Parser) {
		nodes, err := p.Parse(language.Tables().Syntax, language.Readable(src), parseTimeout)
		if err == nil {
			visit(&lang.Tree{Nodes: nodes, Src: src, Tables: language.Tables()})
		}
	})
}

// Enclosings returns the spans of the nodes around offset, from the innermost
// out; each is larger than the one before, and the last is the file. In a text of
// another language it is of that one's nodes, too.
func (s *Snapshot) Enclosings(ctx context.Context, path string, offset int) ([]text.Span, error) {
	var spans []text.Span
	err := s.tree(ctx, path, func(t *lang.Tree) {
		var inner *lang.Language
		var content text.Span
		if language := lang.Of(path, s.docs[path].languageName()); language.Embed != nil {
			inner, content = embeddedAt(language, t, offset)
		}
		spans = grown(spans, text.Span{End: len(t.Src)})
		spans = around(spans, t, offset, 0)
		if inner == nil {
			return
		}
		spans = grown(spans, content)
		src, start := t.Src[content.Start:content.End], content.Start
		treeOf(inner, src, func(t *lang.Tree) { spans = around(spans, t, offset-start, start) })
	})
	slices.Reverse(spans)
	return spans, err
}

// around appends to spans, from the outermost in, those of the nodes of t around
// offset, moved by what stands before the text of t.
func around(spans []text.Span, t *lang.Tree, offset, before int) []text.Span {
	for i := uint32(0); i < uint32(len(t.Nodes)); {
		n := t.Nodes[i]
		span := text.Span{Start: int(n.Start), End: len(bytes.TrimRight(t.Src[:n.End], " \t\r\n"))} // some take the line end along
		if offset > span.End {
			span.End = int(n.End)
		}
		if offset < span.Start || offset > span.End {
			i = n.Next
			continue
		}
		spans = grown(spans, span.Shift(before))
		i++
	}
	return spans
}

// grown returns spans with one more inside of the last, without those that it is
// beside: they end where it begins.
func grown(spans []text.Span, span text.Span) []text.Span {
	for len(spans) > 0 && !spans[len(spans)-1].Encloses(span) {
		spans = spans[:len(spans)-1]
	}
	if len(spans) == 0 || spans[len(spans)-1] != span {
		spans = append(spans, span)
	}
	return spans
}

// embeddedAt returns the language and the place of the text in t, which is of
// language, that offset is in; nil if it is in none.
func embeddedAt(language *lang.Language, t *lang.Tree, offset int) (*lang.Language, text.Span) {
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if offset < int(n.Start) || offset > int(n.End) || !t.Tables.Marks(n.Kind).Has(lang.HasEmbed) {
			continue
		}
		name, content := language.Embed(t.At(uint32(i)))
		if inner := lang.Written(name); inner != nil && !content.None() {
			start, end := content.Span()
			if span := (text.Span{Start: start, End: end}); start <= offset && offset <= end {
				return inner, span
			}
		}
	}
	return nil, text.Span{}
}

// FoldKind says what is folded.
type FoldKind uint8

// The kinds of folds.
const (
	FoldCode FoldKind = iota
	FoldComment
	FoldImports
)

// A Fold is a part of a file that can be shown as its first line: from the end
// of that to the end of Span, whose last line is folded too.
type Fold struct {
	Span text.Span
	Kind FoldKind
}

// maxFolds bounds the folds of one file.
const maxFolds = 5000

// Folds returns what can be folded, by place, one a line: what stands in
// brackets over several lines, bodies below their heads, comments and imports.
func (s *Snapshot) Folds(ctx context.Context, path string) ([]Fold, error) {
	var folds []Fold
	err := s.tree(ctx, path, func(t *lang.Tree) {
		f := folding{tree: t, lines: text.NewLines(t.Src), at: map[int]int{}}
		f.walk(t.At(0))
		folds = f.folds
	})
	slices.SortFunc(folds, func(a, b Fold) int { return a.Span.Start - b.Span.Start })
	return folds[:min(len(folds), maxFolds)], err
}

// A folding finds the folds of one tree.
type folding struct {
	tree  *lang.Tree
	lines *text.Lines
	folds []Fold
	at    map[int]int // first line → fold
}

// walk looks at all nodes in root, and for runs of comments and imports among
// neighbours.
func (f *folding) walk(root lang.Node) {
	for i := range f.tree.Nodes {
		n := f.tree.At(uint32(i))
		f.neighbours(n)
		start, end := n.Span()
		switch {
		case f.lines.LineAt(start) == f.lines.LineAt(end):
		case isCommentKind(n.Kind()):
			f.add(start, end, FoldComment)
		case strings.IndexByte("{[(", f.tree.Src[start]) >= 0, isBlockKind(n.Kind()):
			f.add(start, f.beforeCloser(end), FoldCode)
		default:
			f.body(n)
		}
	}
	for n := range root.Children() { // const ( … ), begin … end
		if start, end := n.Span(); f.lines.LineAt(start) < f.lines.LineAt(end) {
			f.add(start, f.beforeCloser(end), FoldCode)
		}
	}
}

// body folds the body of n, where it stands on the lines below its head.
func (f *folding) body(n lang.Node) {
	start, _ := n.Span()
	for _, field := range [...]string{"body", "consequence"} {
		from, end := n.Child(field).Span()
		if end > 0 && f.lines.LineAt(from) > f.lines.LineAt(start) {
			f.add(start, f.beforeCloser(end), FoldCode)
			return
		}
	}
}

// neighbours folds runs of line comments and imports that are directly in n.
func (f *folding) neighbours(n lang.Node) {
	var first, last, line int
	var run FoldKind
	if runKind(n.Kind()) == FoldImports { // it folds itself
		return
	}
	flush := func() {
		if run != FoldCode && f.lines.LineAt(first) < f.lines.LineAt(last) {
			f.add(first, last, run)
		}
	}
	for c := range n.Children() {
		start, end := c.Span()
		kind := runKind(c.Kind())
		if at := f.lines.LineAt(start); kind == FoldCode || kind != run || at > line+1 {
			flush()
			first, run = start, kind
		}
		last = f.trimmed(end)
		line = f.lines.LineAt(last)
	}
	flush()
}

// isBlockKind reports whether nodes of that kind fold though they stand in no
// brackets: those of HTML, Markdown and YAML.
func isBlockKind(kind string) bool {
	switch kind {
	case "element", "script_element", "style_element", "section", "fenced_code_block", "block_mapping_pair", "block_sequence_item":
		return true
	default:
		return false
	}
}

func isCommentKind(kind string) bool { return strings.HasSuffix(kind, "comment") }

// runKind says what a run of nodes of that kind folds as.
func runKind(kind string) FoldKind {
	switch {
	case isCommentKind(kind):
		return FoldComment
	case strings.HasPrefix(kind, "import"), kind == "future_import_statement", kind == "preproc_include", kind == "use_declaration", kind == "using_directive":
		return FoldImports
	default:
		return FoldCode
	}
}

// trimmed returns end without the line end that some nodes take along.
func (f *folding) trimmed(end int) int {
	return len(bytes.TrimRight(f.tree.Src[:end], "\r\n"))
}

// beforeCloser returns the end of the line above, where nothing stands before
// the bracket or word that ends there: it stays to be seen.
func (f *folding) beforeCloser(end int) int {
	end = f.trimmed(end)
	line := f.lines.Line(f.lines.LineAt(end))
	last := strings.TrimSpace(string(f.tree.Src[line.Start:end]))
	if line.Start > 0 && (strings.Trim(last, ")]}`~") == "" || last == "end" || last == "fi" || last == "done" || strings.HasPrefix(last, "</")) {
		return f.lines.Line(f.lines.LineAt(end) - 1).End
	}
	return end
}

// add folds from the line of start; of several there the longest, but comments
// and imports go first.
func (f *folding) add(start, end int, kind FoldKind) {
	end = f.trimmed(end)
	line := f.lines.LineAt(start)
	if f.lines.LineAt(end) <= line {
		return
	}
	fold := Fold{Span: text.Span{Start: start, End: end}, Kind: kind}
	i, known := f.at[line]
	switch {
	case !known:
		f.at[line] = len(f.folds)
		f.folds = append(f.folds, fold)
	case f.folds[i].Kind == FoldCode && kind == FoldCode && f.lines.LineAt(f.folds[i].Span.End) < f.lines.LineAt(end) && f.tree.Src[f.folds[i].Span.Start] != '{':
		f.folds[i] = fold
	}
}
