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
	maxSymbols    = 40
	maxReferences = 150
)

// symbolFind finds declarations by name.
type symbolFind struct{}

type findArgs struct {
	Query string `json:"query"`
}

func (symbolFind) Spec() ToolSpec {
	return ToolSpec{
		Name:        "symbol_find",
		Description: "Find declarations by name, best first. \"Type.Method\" and \"folder/file:Name\" narrow.",
		Parameters: json.RawMessage(`{"type":"object","properties":{` +
			`"query":{"type":"string","description":"a name, or letters of it in order"}},` +
			`"required":["query"],"additionalProperties":false}`),
	}
}

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
	symbols, err := d.search(ctx, args.Query)
	switch {
	case err != nil:
		return "", err
	case len(symbols) == 0:
		return "", Fail("no declaration matches %s; grep finds text", args.Query)
	}
	return d.renderSymbols(ctx, symbols)
}

// search returns the symbols that match, without those of withheld files.
func (d *Draft) search(ctx context.Context, query string) ([]index.Symbol, error) {
	found, err := d.snap.Search(ctx, query, maxSymbols)
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

// renderSymbols returns a line for each symbol: kind, name, place, signature.
func (d *Draft) renderSymbols(ctx context.Context, symbols []index.Symbol) (string, error) {
	var b strings.Builder
	for _, sym := range symbols {
		signature, err := d.snap.Signature(ctx, sym)
		if err != nil {
			return "", err
		}
		place, err := d.place(ctx, sym.Path, sym.NameSpan)
		if err != nil {
			return "", err
		}
		d.Show(sym.Path)
		fmt.Fprintf(&b, "%s %s, %s: %s\n", sym.Kind, sym.Qualified(), place, abbreviate(signature, 300))
	}
	return b.String(), nil
}

// place returns "file:line" of a span in the snapshot. Where the draft has
// changed the file, it says that the line may have moved.
func (d *Draft) place(ctx context.Context, path string, span text.Span) (string, error) {
	content, err := d.snap.ReadFile(ctx, path)
	if err != nil {
		return "", err
	}
	place := placeIn(d.snap, path, text.NewLines(content), span)
	if _, changed := d.changed[path]; changed {
		place += " (before your edits)"
	}
	return place, nil
}

func placeIn(snap *index.Snapshot, path string, lines *text.Lines, span text.Span) string {
	return fmt.Sprintf("%s:%d", snap.Rel(path), lines.LineAt(span.Start)+1)
}

// symbolRefs finds the uses of a declaration.
type symbolRefs struct{}

type refsArgs struct {
	Symbol string `json:"symbol"`
	Path   string `json:"path"`
	Line   int    `json:"line"` // from 1
}

func (symbolRefs) Spec() ToolSpec {
	return ToolSpec{
		Name: "symbol_refs",
		Description: "Find the definition and all uses of a symbol, each with the declaration it is in. " +
			"Name it, or give a place where it is written; both where the name alone is ambiguous.",
		Parameters: json.RawMessage(`{"type":"object","properties":{` +
			`"symbol":{"type":"string","description":"its name: \"Sum\" or \"Server.Serve\""},` +
			`"path":{"type":"string","description":"a file it is written in"},` +
			`"line":{"type":"integer","description":"the line there, from 1"}},` +
			`"additionalProperties":false}`),
	}
}

func (symbolRefs) Title(args json.RawMessage) string {
	a, _ := decode[refsArgs](args)
	if a.Symbol == "" && a.Path != "" {
		return about("find uses of", fmt.Sprintf("%s:%d", a.Path, a.Line))
	}
	return about("find uses of", a.Symbol)
}

func (symbolRefs) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[refsArgs](raw)
	if err != nil {
		return "", err
	}
	var refs []index.Reference
	switch {
	case args.Path != "" && args.Line > 0:
		refs, err = d.referencesAt(ctx, args)
	case args.Symbol != "":
		refs, err = d.referencesTo(ctx, args)
	default:
		err = Fail("give a symbol, or a path and a line")
	}
	if err != nil {
		return "", err
	}
	if len(refs) == 0 {
		return "", Fail("the index knows no uses of it; grep finds text")
	}
	return d.renderReferences(ctx, refs)
}

// referencesAt returns the uses of what is written on a line: of the named
// symbol if it is there, else of what is declared there.
func (d *Draft) referencesAt(ctx context.Context, args refsArgs) ([]index.Reference, error) {
	path, _, err := d.open(ctx, args.Path)
	if err != nil {
		return nil, err
	}
	content, err := d.snap.ReadFile(ctx, path) // the index knows nothing of the draft
	if err != nil {
		return nil, Fail("%s is new: the index does not know it yet", args.Path)
	}
	lines := text.NewLines(content)
	if args.Line > lines.Count() {
		return nil, Fail("%s has %d lines", args.Path, lines.Count())
	}
	line := lines.Line(args.Line - 1)
	if args.Symbol != "" {
		name := args.Symbol[strings.LastIndexByte(args.Symbol, '.')+1:]
		at := strings.Index(string(lines.Text(line)), name)
		if at < 0 {
			return nil, Fail("%s is not written on line %d of %s", name, args.Line, args.Path)
		}
		return d.snap.References(ctx, path, line.Start+at)
	}
	sym, ok, err := d.declaredOn(ctx, path, line)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, Fail("nothing is declared on line %d of %s; give the symbol's name, too", args.Line, args.Path)
	}
	return d.snap.ReferencesTo(ctx, sym)
}

func (d *Draft) declaredOn(ctx context.Context, path string, line text.Span) (index.Symbol, bool, error) {
	symbols, err := d.snap.Symbols(ctx, path)
	if err != nil {
		return index.Symbol{}, false, err
	}
	for _, sym := range symbols {
		if line.Encloses(sym.NameSpan) {
			return sym, true, nil
		}
	}
	return index.Symbol{}, false, nil
}

// referencesTo returns the uses of the symbol of a name, which must be one.
func (d *Draft) referencesTo(ctx context.Context, args refsArgs) ([]index.Reference, error) {
	found, err := d.search(ctx, args.Symbol)
	if err != nil {
		return nil, err
	}
	under := ""
	if args.Path != "" {
		if under, err = d.Resolve(args.Path); err != nil {
			return nil, Fail("%v", err)
		}
	}
	var named []index.Symbol
	for _, sym := range found {
		if (sym.Name == args.Symbol || sym.Qualified() == args.Symbol) && isUnder(sym.Path, under) {
			named = append(named, sym)
		}
	}
	switch len(named) {
	case 0:
		return nil, Fail("no declaration has the name %s; symbol_find searches", args.Symbol)
	case 1:
		return d.snap.ReferencesTo(ctx, named[0])
	}
	list, err := d.renderSymbols(ctx, named)
	if err != nil {
		return nil, err
	}
	return nil, Fail("there are %d declarations of %s; give path and line of one:\n%s", len(named), args.Symbol, list)
}

func (d *Draft) renderReferences(ctx context.Context, refs []index.Reference) (string, error) {
	var b strings.Builder
	files := map[string]*text.Lines{}
	for i, ref := range refs {
		if i == maxReferences {
			fmt.Fprintf(&b, "[%d more are left out]\n", len(refs)-i)
			break
		}
		if _, ok := d.Withheld(ref.Path); ok {
			continue // nor that there are uses: what is in such a file is nobody's business
		}
		if files[ref.Path] == nil {
			content, err := d.snap.ReadFile(ctx, ref.Path)
			if err != nil {
				return "", err
			}
			files[ref.Path] = text.NewLines(content)
			d.Show(ref.Path)
		}
		b.WriteString(d.renderReference(ref, files[ref.Path]))
	}
	return b.String(), nil
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
	if _, changed := d.changed[ref.Path]; changed {
		notes = append(notes, "before your edits")
	}
	note := ""
	if len(notes) > 0 {
		note = " (" + strings.Join(notes, ", ") + ")"
	}
	line := lines.Line(lines.LineAt(ref.Span.Start))
	return fmt.Sprintf("%s%s: %s\n", placeIn(d.snap, ref.Path, lines, ref.Span), note, abbreviate(string(lines.Text(line)), 200))
}
