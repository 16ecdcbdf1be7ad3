package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

const (
	maxSymbols    = 40  // unless the model wants more
	maxReferences = 150 // likewise
	maxFound      = 500 // symbols of one search
)

// symbolFind finds declarations by name.
type symbolFind struct{ reads }

type findArgs struct {
	Query     string `json:"query"`
	HeadLimit int    `json:"head_limit"`
}

func (symbolFind) Spec() ToolSpec { return spec("symbol_find") }

func (symbolFind) Title(args json.RawMessage) string {
	a, _ := decode[findArgs](args)
	return about("find symbol", a.Query)
}

func (symbolFind) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[findArgs](raw)
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(args.Query) == "" {
		return "", Fail("the query is empty")
	}
	limit := min(orDefault(args.HeadLimit, maxSymbols), maxFound)
	symbols, err := d.search(ctx, args.Query, limit+1)
	switch {
	case err != nil:
		return "", err
	case len(symbols) == 0:
		return "", Fail("no declaration matches %s; grep finds text", args.Query)
	}
	lines, err := d.renderSymbols(ctx, symbols)
	if err != nil {
		return "", err
	}
	return head(lines, limit, "narrow the query, or say head_limit"), nil
}

// search returns the symbols that match, without those of withheld files.
func (d *Draft) search(ctx context.Context, query string, limit int) ([]index.Symbol, error) {
	found, err := d.Now().Search(ctx, query, limit)
	if err != nil {
		return nil, err
	}
	var symbols []index.Symbol
	for _, sym := range found {
		if _, withheld := d.Withheld(sym.Path); !withheld {
			symbols = append(symbols, sym)
		}
	}
	return symbols, nil
}

// renderSymbols returns a line for each symbol: id, kind, line, signature.
func (d *Draft) renderSymbols(ctx context.Context, symbols []index.Symbol) ([]string, error) {
	lines := make([]string, len(symbols))
	for i, sym := range symbols {
		signature, err := d.Now().Signature(ctx, sym)
		if err != nil {
			return nil, err
		}
		outline, err := d.Now().Symbols(ctx, sym.Path)
		if err != nil {
			return nil, err
		}
		content, err := d.Now().ReadFile(ctx, sym.Path)
		if err != nil {
			return nil, err
		}
		d.Show(sym.Path)
		at := text.NewLines(content).LineAt(sym.NameSpan.Start) + 1
		lines[i] = fmt.Sprintf("%s, %s, line %d: %s", d.idOf(sym, outline), sym.Kind, at, abbreviate(signature, 300))
	}
	return lines, nil
}

func placeIn(snap *index.Snapshot, path string, lines *text.Lines, span text.Span) string {
	return fmt.Sprintf("%s:%d", snap.Rel(path), lines.LineAt(span.Start)+1)
}

// symbolRefs finds the uses of a declaration.
type symbolRefs struct{ reads }

// A symbolPlace is how a model says which declaration it means.
type symbolPlace struct {
	Symbol string `json:"symbol"`
	Path   string `json:"path"`
	Line   int    `json:"line"` // from 1
}

type refsArgs struct {
	symbolPlace
	HeadLimit int `json:"head_limit"`
}

func (symbolRefs) Spec() ToolSpec { return spec("symbol_refs") }

func (symbolRefs) Title(args json.RawMessage) string {
	a, _ := decode[refsArgs](args)
	return about("find uses of", a.String())
}

// String returns the place for people.
func (p symbolPlace) String() string {
	if p.Symbol == "" && p.Path != "" {
		return fmt.Sprintf("%s:%d", p.Path, p.Line)
	}
	return p.Symbol
}

func (symbolRefs) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[refsArgs](raw)
	if err != nil {
		return "", err
	}
	refs, err := d.references(ctx, args.symbolPlace)
	if err != nil {
		return "", err
	}
	lines, err := d.renderReferences(ctx, refs)
	if err != nil {
		return "", err
	}
	return head(lines, orDefault(args.HeadLimit, maxReferences), "say head_limit"), nil
}

// references returns the uses and definitions of the declaration at p, without
// those in withheld files: what is in such a file is nobody's business. That
// there are none is a Failure.
func (d *Draft) references(ctx context.Context, p symbolPlace) (refs []index.Reference, err error) {
	path, offset, err := d.written(ctx, p)
	if err != nil {
		return nil, err
	}
	all, err := d.Now().References(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	for _, ref := range all {
		if _, withheld := d.Withheld(ref.Path); !withheld {
			refs = append(refs, ref)
		}
	}
	if len(refs) == 0 {
		return nil, Fail("the index knows no uses of it; grep finds text")
	}
	return refs, nil
}

// written returns a place where the symbol of p is written.
func (d *Draft) written(ctx context.Context, p symbolPlace) (path string, offset int, err error) {
	var sym index.Symbol
	switch {
	case d.namesSymbol(p.Symbol):
		sym, err = d.symbolOf(ctx, p.Symbol)
	case p.Path != "" && p.Line > 0:
		return d.writtenOn(ctx, p)
	case p.Symbol != "":
		sym, err = d.symbolNamed(ctx, p)
	default:
		err = Fail("give a symbol, or a path and a line")
	}
	return sym.Path, sym.NameSpan.Start, err
}

// writtenOn returns the place on the line of p where the named symbol is
// written, else where something is declared.
func (d *Draft) writtenOn(ctx context.Context, p symbolPlace) (path string, offset int, err error) {
	path, content, err := d.open(ctx, p.Path)
	if err != nil {
		return "", 0, err
	}
	lines := text.NewLines(content)
	if p.Line > lines.Count() {
		return "", 0, Fail("%s has %d lines", p.Path, lines.Count())
	}
	line := lines.Line(p.Line - 1)
	if p.Symbol != "" {
		name := p.Symbol[strings.LastIndexByte(p.Symbol, '.')+1:]
		at := strings.Index(string(lines.Text(line)), name)
		if at < 0 {
			return "", 0, Fail("%s is not written on line %d of %s", name, p.Line, p.Path)
		}
		return path, line.Start + at, nil
	}
	symbols, err := d.Now().Symbols(ctx, path)
	if err != nil {
		return "", 0, err
	}
	for _, sym := range symbols {
		if line.Encloses(sym.NameSpan) {
			return path, sym.NameSpan.Start, nil
		}
	}
	return "", 0, Fail("nothing is declared on line %d of %s; give the symbol's name, too", p.Line, p.Path)
}

// symbolNamed returns the symbol of a name, which must be one.
func (d *Draft) symbolNamed(ctx context.Context, p symbolPlace) (none index.Symbol, err error) {
	found, err := d.search(ctx, p.Symbol, maxSymbols)
	if err != nil {
		return none, err
	}
	under, err := d.under(p.Path)
	if err != nil {
		return none, err
	}
	var named []index.Symbol
	for _, sym := range found {
		if (sym.Name == p.Symbol || sym.Qualified() == p.Symbol) && isUnder(sym.Path, under) {
			named = append(named, sym)
		}
	}
	switch len(named) {
	case 0:
		return none, Fail("no declaration has the name %s; symbol_find searches", p.Symbol)
	case 1:
		return named[0], nil
	}
	list, err := d.renderSymbols(ctx, named)
	if err != nil {
		return none, err
	}
	return none, Fail("there are %d declarations of %s; give the id of one:\n%s", len(named), p.Symbol, strings.Join(list, "\n"))
}

// renderReferences returns a line for each of refs.
func (d *Draft) renderReferences(ctx context.Context, refs []index.Reference) ([]string, error) {
	out := make([]string, len(refs))
	files := map[string]*text.Lines{}
	for i, ref := range refs {
		if files[ref.Path] == nil {
			content, err := d.ReadFile(ctx, ref.Path)
			if err != nil {
				return nil, err
			}
			files[ref.Path] = text.NewLines(content)
			d.Show(ref.Path)
		}
		out[i] = d.renderReference(ref, files[ref.Path])
	}
	return out, nil
}

func (d *Draft) renderReference(ref index.Reference, lines *text.Lines) string {
	var notes []string
	if ref.Definition {
		notes = append(notes, "definition")
	}
	if ref.In != "" && !ref.Definition {
		notes = append(notes, "in "+ref.In)
	}
	if ref.Certainty == index.Possible {
		notes = append(notes, "by name only")
	}
	note := ""
	if len(notes) > 0 {
		note = " (" + strings.Join(notes, ", ") + ")"
	}
	line := lines.Line(lines.LineAt(ref.Span.Start))
	return fmt.Sprintf("%s%s: %s", placeIn(d.snap, ref.Path, lines, ref.Span), note, abbreviate(string(lines.Text(line)), 200))
}
