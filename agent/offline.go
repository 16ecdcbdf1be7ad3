package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

const configure = "set OPENAI_API_KEY, or for another server OPENAI_BASE_URL and AGENTLS_MODEL; " +
	"or the model in agentls/config.toml or in your editor's settings"

// ErrNoModel is the end of a task that needs a model where there is none. Its
// text says how to configure one.
var ErrNoModel = errors.New("no model is configured, and changing or reviewing code needs one: " + configure)

const (
	indexSource = "index" // Result.Source
	maxListed   = 15      // entries of each list
	maxWords    = 8       // identifiers of a question that are looked up
)

// Offline answers tasks from the index alone, and says so. Editing needs a
// model: it gives ErrNoModel.
type Offline struct {
	// LastChange describes, on one line, the last commit that changed the
	// lines of span in path; "" if there is none. Nil where nobody knows.
	LastChange func(ctx context.Context, path string, span text.Span) (string, error)
}

var _ Runner = (*Offline)(nil)

// Run answers task in Markdown, section by section.
func (o *Offline) Run(ctx context.Context, snap *index.Snapshot, task Task, sink Sink) (*Result, error) {
	if task.Mode.Edits() || task.Mode == Review {
		return nil, ErrNoModel
	}
	a := &offlineAnswer{snap: snap, sink: sink, lastChange: o.LastChange}
	err := a.write(ctx, task)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, fmt.Errorf("answer from the index: %w", err)
	}
	return &Result{Answer: a.text.String(), Source: indexSource}, nil
}

// An offlineAnswer is one answer as far as it is written.
type offlineAnswer struct {
	snap       *index.Snapshot
	sink       Sink
	lastChange func(ctx context.Context, path string, span text.Span) (string, error)
	text       strings.Builder
	listed     map[index.Symbol]bool
}

// section shows a piece of Markdown, with an empty line before it.
func (a *offlineAnswer) section(piece string) {
	piece = strings.TrimRight(piece, "\n") + "\n"
	if a.text.Len() > 0 {
		piece = "\n" + piece
	}
	a.text.WriteString(piece)
	a.sink(TextDelta{Text: piece})
}

func (a *offlineAnswer) write(ctx context.Context, task Task) error {
	a.listed = map[index.Symbol]bool{}
	a.section("> **No model is configured; this is what the index knows.** For an answer in words, " + configure + ".")
	if task.Focus != nil {
		if err := a.focus(ctx, task.Focus); err != nil {
			return err
		}
	}
	found, err := a.named(ctx, task.Prompt)
	if err != nil || len(found) > 0 || task.Focus != nil {
		return err
	}
	a.section("No name in the question is declared in this workspace. Name a symbol, or ask with the cursor on one.")
	return nil
}

func (a *offlineAnswer) focus(ctx context.Context, focus *Focus) error {
	sym, ok, err := a.snap.Enclosing(ctx, focus.Path, focus.Span)
	if err != nil {
		return err
	}
	if !ok {
		return a.outline(ctx, focus.Path)
	}
	return a.symbol(ctx, sym)
}

// symbol writes all that the index knows of sym.
func (a *offlineAnswer) symbol(ctx context.Context, sym index.Symbol) error {
	a.listed[sym] = true
	signature, err := a.snap.Signature(ctx, sym)
	if err != nil {
		return err
	}
	doc, err := a.snap.Doc(ctx, sym)
	if err != nil {
		return err
	}
	place, err := a.place(ctx, sym.Path, sym.NameSpan)
	if err != nil {
		return err
	}
	a.section(fmt.Sprintf("## %s %s\n\n```%s\n%s\n```", sym.Kind, sym.Qualified(), sym.Language, signature))
	if doc != "" {
		a.section(doc)
	}
	a.section("Declared in " + place + "." + a.change(ctx, sym))
	return a.relations(ctx, sym)
}

// change says when sym was last changed, if that is known. Not knowing it is
// no reason to keep back the rest.
func (a *offlineAnswer) change(ctx context.Context, sym index.Symbol) string {
	if a.lastChange == nil {
		return ""
	}
	change, err := a.lastChange(ctx, sym.Path, sym.Span)
	if err != nil || change == "" {
		return ""
	}
	return " Last change: " + change + "."
}

func (a *offlineAnswer) relations(ctx context.Context, sym index.Symbol) error {
	callers, err := a.snap.Callers(ctx, sym)
	if err != nil {
		return err
	}
	callees, err := a.snap.Callees(ctx, sym)
	if err != nil {
		return err
	}
	tests, err := a.snap.Tests(ctx, sym)
	if err != nil {
		return err
	}
	if err := a.calls(ctx, "Called by", callers, callSite); err != nil {
		return err
	}
	if err := a.uses(ctx, sym, callers); err != nil {
		return err
	}
	if err := a.calls(ctx, "Calls", callees, declaration); err != nil {
		return err
	}
	return a.symbols(ctx, "Tests that reach it", tests)
}

// uses lists where sym is named and not called: passed on as a value, or part
// of a type.
func (a *offlineAnswer) uses(ctx context.Context, sym index.Symbol, callers []index.Call) error {
	refs, err := a.snap.ReferencesTo(ctx, sym)
	if err != nil {
		return err
	}
	called := make(map[location]bool)
	for _, c := range callers {
		for _, site := range c.Sites {
			called[location{c.Path, site}] = true
		}
	}
	var entries []string
	for _, ref := range refs {
		if ref.Definition || ref.Certainty != index.Certain || called[location{ref.Path, ref.Span}] {
			continue
		}
		place, err := a.place(ctx, ref.Path, ref.Span)
		if err != nil {
			return err
		}
		if ref.In != "" {
			place = "`" + ref.In + "`, " + place
		}
		entries = append(entries, place)
	}
	a.list("Used, not called, in", entries)
	return nil
}

type location struct {
	path string
	span text.Span
}

// callSite and declaration are the place of a call that is worth going to.
func callSite(c index.Call) (string, text.Span) {
	if len(c.Sites) == 0 {
		return declaration(c)
	}
	return c.Path, c.Sites[0]
}

func declaration(c index.Call) (string, text.Span) { return c.Symbol.Path, c.Symbol.NameSpan }

func (a *offlineAnswer) calls(ctx context.Context, title string, calls []index.Call, at func(index.Call) (string, text.Span)) error {
	var entries []string
	for _, c := range calls {
		path, span := at(c)
		place, err := a.place(ctx, path, span)
		if err != nil {
			return err
		}
		entry := fmt.Sprintf("`%s`, %s", c.Symbol.Qualified(), place)
		if c.Certainty == index.Possible {
			entry += " (by name only)"
		}
		entries = append(entries, entry)
	}
	a.list(title, entries)
	return nil
}

func (a *offlineAnswer) symbols(ctx context.Context, title string, symbols []index.Symbol) error {
	var entries []string
	for _, sym := range symbols {
		place, err := a.place(ctx, sym.Path, sym.NameSpan)
		if err != nil {
			return err
		}
		entries = append(entries, fmt.Sprintf("%s `%s`, %s", sym.Kind, sym.Qualified(), place))
	}
	a.list(title, entries)
	return nil
}

// list writes nothing for no entries.
func (a *offlineAnswer) list(title string, entries []string) {
	if len(entries) == 0 {
		return
	}
	shown := entries[:min(len(entries), maxListed)]
	more := ""
	if n := len(entries) - len(shown); n > 0 {
		more = fmt.Sprintf("\n- and %d more", n)
	}
	a.section("**" + title + "**\n\n- " + strings.Join(shown, "\n- ") + more)
}

func (a *offlineAnswer) place(ctx context.Context, path string, span text.Span) (string, error) {
	content, err := a.snap.ReadFile(ctx, path)
	if err != nil {
		return "", err
	}
	return placeIn(a.snap, path, text.NewLines(content), span), nil
}

// outline writes what is declared in a file, without what is inside
// functions.
func (a *offlineAnswer) outline(ctx context.Context, path string) error {
	symbols, err := a.snap.Symbols(ctx, path)
	if err != nil {
		return err
	}
	a.section("## " + a.snap.Rel(path))
	if len(symbols) == 0 {
		a.section("The index knows no declarations in this file.")
		return nil
	}
	var top []index.Symbol
	for _, sym := range symbols {
		if sym.Depth == 0 {
			top = append(top, sym)
		}
	}
	return a.symbols(ctx, "Declared here; the cursor is in none of it", top)
}

// named writes about the symbols that a question names: in full if it is one,
// else as a list.
func (a *offlineAnswer) named(ctx context.Context, question string) ([]index.Symbol, error) {
	var found []index.Symbol
	for _, word := range identifiers(question) {
		symbols, err := a.snap.Search(ctx, word, maxListed)
		if err != nil {
			return nil, err
		}
		for _, sym := range symbols {
			exact := strings.EqualFold(sym.Name, word) || strings.EqualFold(sym.Qualified(), word)
			if exact && !a.listed[sym] {
				a.listed[sym] = true
				found = append(found, sym)
			}
		}
	}
	if len(found) == 1 {
		return found, a.symbol(ctx, found[0])
	}
	return found, a.symbols(ctx, "Named in the question", found)
}

// identifiers returns the words of a question that may be names in code, in
// order, each once, at most maxWords.
func identifiers(question string) []string {
	var words []string
	seen := map[string]bool{}
	for _, word := range strings.FieldsFunc(question, isNotName) {
		word = strings.Trim(word, ".")
		if len(word) < 3 || seen[word] || len(words) == maxWords {
			continue
		}
		seen[word] = true
		words = append(words, word)
	}
	return words
}

func isNotName(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '.' && r != '$'
}
