package index

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
	"github.com/agentls/agentls/index/syntax"
)

// A follower keeps the syntax tree of one open document, so that a keystroke
// costs the declaration it is in and not the file. All versions of the document
// share it: whichever asks, the tree is brought to its text first.
//
// Invariant: what it answers depends on the text alone, and is what a fresh
// parse finds. (In broken text, tree-sitter's recovery depends on what was
// there before.)
type follower struct {
	path string
	lang *lang.Language

	closed atomic.Bool

	mu     sync.Mutex // guards the below; held while parsing, and so never by Change
	parser *syntax.Parser
	tree   *syntax.Tree // of content; nil: there is none
	chunks []chunk      // of content
	src    []byte
}

// A chunk is what one node at the top of a file declares.
type chunk struct {
	span    text.Span
	symbols []chunkSymbol // spans begin with the chunk
	module  bool          // JavaScript: the file is a module
	exports []string      // JavaScript: names that are exported here
}

type chunkSymbol struct {
	Symbol
	parent int32 // in the chunk, or noParent
}

// close gives the tree back, at once or when who is using it is done. It never
// waits.
func (t *follower) close() {
	t.closed.Store(true)
	t.settle()
}

// settle frees what a closed follower holds, if nobody is using it.
func (t *follower) settle() {
	if !t.closed.Load() || !t.mu.TryLock() {
		return
	}
	defer t.mu.Unlock()
	t.drop()
	if t.parser != nil {
		t.parser.Close()
		t.parser = nil
	}
}

// drop forgets the tree.
func (t *follower) drop() {
	if t.tree != nil {
		t.tree.Close()
	}
	t.tree, t.chunks, t.src = nil, nil, nil
}

// symbols returns the outline of src, or false if src is none for a parser.
func (t *follower) symbols(src []byte) ([]Symbol, bool) {
	defer t.settle()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.update(src) {
		return nil, false
	}
	return t.assemble(), true
}

// file returns the whole image of src, or nil if src is none for a parser.
func (t *follower) file(src []byte) *file {
	defer t.settle()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.update(src) {
		return nil
	}
	f := &file{path: t.path, size: int64(len(src)), lines: lineCount(src), hash: text.HashOf(src), lang: t.lang}
	out, _ := extract(t.lang, t.tree.Nodes(0, len(src)+1), src)
	addManifest(t.path, out, src)
	f.hold(out)
	return f
}

// update brings the tree to src.
func (t *follower) update(src []byte) bool {
	if t.lang == nil || t.lang.Embed != nil || t.closed.Load() || sniff(src) != notSkipped {
		return false
	}
	var err error
	if t.tree != nil {
		err = t.reparse(src)
	} else {
		err = t.parse(src)
	}
	if err != nil {
		t.tree = nil // it is closed
		t.drop()
	}
	return err == nil
}

func (t *follower) parse(src []byte) (err error) {
	if t.parser == nil {
		t.parser = syntax.NewParser()
	}
	t.tree, err = t.parser.ParseTree(t.lang.Tables().Syntax, t.lang.Readable(src), parseTimeout)
	if err != nil {
		return err
	}
	t.chunks, t.src = chunksOf(t.lang, t.tree.Nodes(0, len(src)+1), src), src
	return nil
}

// reparse brings the tree from t.src to src.
func (t *follower) reparse(src []byte) (err error) {
	was, is := t.lang.Readable(t.src), t.lang.Readable(src)
	edit := syntax.EditBetween(was, is)
	if edit.Start == edit.End && edit.Start == edit.NewEnd {
		t.src = src
		return nil
	}
	var changed syntax.Edit
	t.tree, changed, err = t.tree.Reparse(was, is, edit, parseTimeout)
	if err != nil {
		return err
	}
	// What touches the change belongs to it: it may have grown together.
	fresh := chunksOf(t.lang, t.tree.Nodes(max(changed.Start-1, 0), changed.NewEnd+1), src)
	first, _ := slices.BinarySearchFunc(t.chunks, changed.Start, func(c chunk, at int) int { return c.span.End - at })
	last := first
	for last < len(t.chunks) && t.chunks[last].span.Start <= changed.End {
		last++
	}
	rest := t.chunks[last:]
	for i := range rest {
		rest[i].span = rest[i].span.Shift(changed.NewEnd - changed.End)
	}
	t.chunks, t.src = slices.Replace(t.chunks, first, last, fresh...), src
	return nil
}

// chunksOf returns the chunks of nodes, of which the first is the root.
func chunksOf(language *lang.Language, nodes []syntax.Node, src []byte) []chunk {
	var chunks []chunk
	for i := uint32(1); i < uint32(len(nodes)); i = nodes[i].Next {
		x := newExtraction(language, nodes, src)
		x.walk(i, nodes[i].Next)
		c := chunk{
			span:   text.Span{Start: int(nodes[i].Start), End: int(nodes[i].End)},
			module: x.facts.IsModule, exports: x.facts.Exports,
		}
		for _, d := range x.out.decls {
			sym := x.out.symbol(&d, language)
			sym.Span, sym.NameSpan = sym.Span.Shift(-c.span.Start), sym.NameSpan.Shift(-c.span.Start)
			c.symbols = append(c.symbols, chunkSymbol{sym, d.parent})
		}
		chunks = append(chunks, c)
	}
	return chunks
}

// assemble returns the symbols of all chunks, by the rules that look across
// them.
func (t *follower) assemble() []Symbol {
	a := assembly{lang: t.lang, path: t.path, declared: map[string]bool{}}
	total := 0
	for i := range t.chunks {
		c := &t.chunks[i]
		total += len(c.symbols)
		a.exports.module = a.exports.module || c.module
		a.exports.names = append(a.exports.names, c.exports...)
	}
	a.out = make([]Symbol, 0, total)
	for i := range t.chunks {
		a.add(&t.chunks[i])
	}
	return a.out
}

// An assembly makes one outline of chunks.
type assembly struct {
	lang     *lang.Language
	path     string
	out      []Symbol
	declared map[string]bool // at the top; only where language repeats
	exports  exports
	placed   []placed // where the symbols of the present chunk went
}

// placed says where a symbol of a chunk is in the outline, and how many of the
// declarations around it were dropped.
type placed struct{ at, lift int }

// dropped is the place of what an earlier chunk declares.
const dropped = -2

func (a *assembly) add(c *chunk) {
	a.placed = a.placed[:0]
	for i := range c.symbols {
		s := &c.symbols[i]
		sym, parent, lift := s.Symbol, noParent, 0
		if s.parent != noParent {
			outer := a.placed[s.parent]
			parent, lift = outer.at, outer.lift
		}
		if parent == dropped {
			parent = noParent
			lift++
		}
		if parent == noParent && a.repeats(&sym) {
			a.placed = append(a.placed, placed{dropped, lift})
			continue
		}
		for range lift {
			_, sym.Container, _ = strings.Cut(sym.Container, ".")
			sym.Depth--
		}
		a.placed = append(a.placed, placed{len(a.out), lift})
		a.out = append(a.out, a.finished(sym, c, parent))
	}
}

// repeats reports whether sym, at the top, only assigns to what was declared.
func (a *assembly) repeats(sym *Symbol) bool {
	if !a.lang.Repeats {
		return false
	}
	if a.declared[sym.Name] && sym.Kind.IsAssigned() {
		return true
	}
	a.declared[sym.Name] = true
	return false
}

// finished returns sym of c as it is in the file.
func (a *assembly) finished(sym Symbol, c *chunk, parent int) Symbol {
	sym.Path = a.path
	sym.Span, sym.NameSpan = sym.Span.Shift(c.span.Start), sym.NameSpan.Shift(c.span.Start)
	switch {
	case !a.lang.Modules:
	case parent != noParent:
		sym.Exported = a.out[parent].Exported && !strings.HasPrefix(sym.Name, "#")
	case a.exports.top(sym.Name):
		sym.Exported = true
	}
	return sym
}
