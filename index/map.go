package index

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agentls/agentls/index/lang"
)

// A Map is an outline of the files that a task may need, for a model to plan
// by, within a budget of tokens.
//
// It is stable, so that a prompt that begins with it is found in a cache: files
// stand by path, what is counted is rounded, and the room that a file takes
// grows in steps. An edit changes what is said of its own file and, as a rule,
// nothing else.
type Map struct {
	Files   []MapFile // by path
	Dropped []Ranked  // what there was no room for, best first, at most maxDropped
	Tokens  int       // about, of Text
	Budget  int
	left    int // tokens that no file has taken
}

// A MapFile is what a map says of one file.
type MapFile struct {
	Ranked
	Rank    int      // from 1
	Symbols []Symbol // that are shown, in source order
	Hidden  int      // declarations that are not
	Tokens  int      // about, of Text
	Text    string   // lines, each with its ending
}

const (
	minMapFiles = 4
	maxMapFiles = 80
	fileRoom    = 80 // tokens: with less each, names alone would be shown
	maxDropped  = 40
	nextShare   = 0.88 // of the room of a file: what the next may take
	overShare   = 1.3  // more room than there is can be given out: many files need less
	mostShare   = 0.5  // of the budget, for one file
	worthMap    = 0.1  // of the best file's score: what a file needs to be shown
)

// TokensOf returns about how many tokens a model makes of that many bytes.
func TokensOf(bytes int) int { return (bytes*10 + 32) / 33 } // 3.3 bytes a token, measured over models

// Map returns the outline that a task with that focus needs, of at most budget
// tokens by TokensOf. On cancel the error is the context's cause; what the first
// map has to read once is then read all the same, and the next one finds it. A
// file that cannot be read is shown by its path.
func (s *Snapshot) Map(ctx context.Context, focus Focus, budget int) (*Map, error) {
	r, err := s.rank(ctx, &focus)
	if err != nil {
		return nil, err
	}
	m := &Map{Budget: budget, left: budget}
	files := r.worthy()
	shown := min(len(files), max(minMapFiles, budget/fileRoom))
	files, rest := files[:shown], files[shown:]
	share := min(mostShare, overShare*(1-nextShare)/(1-math.Pow(nextShare, float64(len(files))))) * float64(budget)
	for rank, i := range files {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		m.add(ctx, r, i, rank+1, int(share))
		share *= nextShare
	}
	for _, i := range rest {
		m.drop(r.ranked(i))
	}
	slices.SortFunc(m.Files, func(a, b MapFile) int { return strings.Compare(a.Path, b.Path) })
	return m, nil
}

// worthy returns the files that a map may show, best first.
func (r *ranker) worthy() []int {
	files := r.best(maxMapFiles)
	for n, i := range files {
		if float64(r.points(i)) < worthMap*float64(r.points(files[0])) {
			return files[:n]
		}
	}
	return files
}

// add shows file i in at most share tokens, or in what is left; where there is
// no room even for its path, it is dropped.
func (m *Map) add(ctx context.Context, r *ranker, i, rank, share int) {
	ranked := r.ranked(i)
	f := r.outlined(ctx, i, ranked, min(share, m.left))
	if roomFor(f.Tokens) > m.left {
		m.drop(ranked)
		return
	}
	f.Rank = rank
	m.left -= roomFor(f.Tokens)
	m.Tokens += f.Tokens
	m.Files = append(m.Files, f)
}

func (m *Map) drop(file Ranked) {
	if len(m.Dropped) < maxDropped {
		m.Dropped = append(m.Dropped, file)
	}
}

// Text returns the outline as a model reads it.
func (m *Map) Text() string {
	var b strings.Builder
	for i := range m.Files {
		b.WriteString(m.Files[i].Text)
	}
	return b.String()
}

// roomFor rounds tokens up in steps of an eighth to a quarter, so that a file
// that grows a little takes no other file's place.
func roomFor(tokens int) int {
	step := 4
	for step*8 < tokens {
		step *= 2
	}
	return (tokens + step - 1) / step * step
}

// outlined returns what the map says of file i in at most room tokens; a line
// for the file itself is always there.
func (r *ranker) outlined(ctx context.Context, i int, ranked Ranked, room int) MapFile {
	f := MapFile{Ranked: ranked, Text: fmt.Sprintf("%s (%s)\n", r.snap.Rel(ranked.Path), strings.Join(ranked.Reasons, "; "))}
	lines := r.declarations(ctx, i)
	if len(lines) == 0 {
		if title := r.title(ctx, i); title != "" {
			f.Text += "  " + title + "\n"
		}
	}
	left := room - TokensOf(len(f.Text)) - hiddenRoom
	shown := slices.Clone(lines)
	sortByPoints(shown)
	for n := range shown {
		if left -= TokensOf(len(shown[n].text)); left < 0 {
			shown = shown[:n]
			break
		}
	}
	slices.SortFunc(shown, func(a, b mapLine) int { return cmp.Compare(a.Span.Start, b.Span.Start) })
	for _, line := range shown {
		f.Symbols = append(f.Symbols, line.Symbol)
		f.Text += line.text
	}
	if f.Hidden = len(lines) - len(shown); f.Hidden > 0 && len(shown) > 0 {
		f.Text += fmt.Sprintf("  … %d more\n", f.Hidden)
	}
	f.Tokens = TokensOf(len(f.Text))
	return f
}

// hiddenRoom is what the line takes that says how much is hidden, in tokens.
const hiddenRoom = 6

// A mapLine is a declaration as a map shows it.
type mapLine struct {
	Symbol
	points float64
	text   string
}

const (
	maxMapSignature = 160 // bytes
	maxMapDoc       = 100 // bytes
	maxMapLines     = 60  // declarations of a file that are looked at closely
)

// declarations returns the lines for what file i declares and a reader of its
// outline wants to see.
func (r *ranker) declarations(ctx context.Context, i int) []mapLine {
	path := r.files[i].path
	syms, err := r.snap.Symbols(ctx, path)
	if err != nil {
		return nil
	}
	src, err := r.snap.ReadFile(ctx, path)
	if err != nil {
		return nil
	}
	var lines []mapLine
	for _, sym := range syms {
		if points := r.symbolPoints(&sym); points > 0 {
			lines = append(lines, mapLine{Symbol: sym, points: points})
		}
	}
	sortByPoints(lines)
	said := map[string]float64{} // what has the name of another says little more
	for n := range lines {
		said[lines[n].Name]++
		lines[n].points /= said[lines[n].Name]
	}
	sortByPoints(lines)
	lines = lines[:min(len(lines), maxMapLines)]
	for n := range lines {
		lines[n].text = r.line(ctx, src, lines[n].Symbol)
	}
	return lines
}

func sortByPoints(lines []mapLine) {
	slices.SortStableFunc(lines, func(a, b mapLine) int { return cmp.Compare(b.points, a.points) })
}

// symbolPoints says how much sym is worth showing.
func (r *ranker) symbolPoints(sym *Symbol) float64 {
	points := 0.0
	for _, term := range Terms(sym.Name) {
		points += r.worth(term)
	}
	if slices.Contains(r.query.names, sym.Name) {
		points += 10
	}
	for _, focused := range r.focus.Symbols {
		if focused.Path == sym.Path && focused.Name == sym.Name {
			points += 20
		}
	}
	switch sym.Kind {
	case lang.Field, lang.Member, lang.Constant, lang.Variable, lang.Module:
		if points > 0 {
			points += 0.1
		}
		return points
	case lang.Type, lang.Interface, lang.Class, lang.Enum:
		points += 0.6
	default:
		points += 0.4
	}
	if sym.Exported {
		points += 0.3
	}
	return points / (1 + 0.5*float64(sym.Depth))
}

// worth says how much a word in a name says of the task, at most 1: rare words
// of the task say more.
func (r *ranker) worth(word string) float64 {
	weight := r.query.weights[word]
	if weight == 0 {
		return 0
	}
	return min(weight, 1) * r.rarity(word) / r.rarest()
}

// rarity says how rare a word is in the files of the base.
func (r *ranker) rarity(word string) float64 {
	number, known := r.words.numbers[word]
	if !known {
		return inverse(0, len(r.words.lengths))
	}
	return inverse(len(r.words.text.list(int(number))), len(r.words.lengths))
}

// rarest returns the rarity of the rarest word of the task.
func (r *ranker) rarest() float64 {
	most := 0.01
	for _, t := range r.query.terms {
		most = max(most, r.rarity(t.word))
	}
	return most
}

// line shows one declaration.
func (r *ranker) line(ctx context.Context, src []byte, sym Symbol) string {
	signature, err := r.snap.Signature(ctx, sym)
	if err != nil || signature == "" {
		signature = sym.Kind.String() + " " + sym.Name
	}
	line := strings.Repeat("  ", min(sym.Depth, 3)+1) + cutText(signature, maxMapSignature)
	if doc := docLine(src, sym); doc != "" {
		line += " — " + doc
	}
	return line + "\n"
}

// docWindow is how far before a declaration its comment is looked for, in
// bytes.
const docWindow = 2 << 10

// docLine returns the first sentence of a declaration's comment.
func docLine(src []byte, sym Symbol) string {
	span := sym.Span
	if span.End > len(src) {
		return ""
	}
	language := lang.Of(sym.Path, sym.Language)
	switch {
	case language == nil:
		return ""
	case language.Comments.InBody:
		return firstSentence(docstring(src[span.Start:min(span.End, span.Start+docWindow)], language))
	default:
		return firstSentence(commentBefore(src[max(0, span.Start-docWindow):span.Start], &language.Comments))
	}
}

func firstSentence(doc string) string {
	doc, _, _ = strings.Cut(doc, "\n\n")
	doc = strings.Join(strings.Fields(doc), " ")
	if i := strings.Index(doc, ". "); i >= 0 {
		doc = doc[:i+1]
	}
	return cutText(doc, maxMapDoc)
}

// cutText cuts s at a letter, and says so.
func cutText(s string, size int) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) <= size {
		return s
	}
	for size > 0 && !utf8.RuneStart(s[size]) {
		size--
	}
	return strings.TrimSpace(s[:size]) + "…"
}

// title returns the first line that says something of a file without
// declarations.
func (r *ranker) title(ctx context.Context, i int) string {
	src := r.snap.readable(ctx, r.files[i].path)
	for line := range bytes.Lines(src[:min(len(src), docWindow)]) {
		title := strings.Trim(string(line), "#/*-=<!;> \t\r\n")
		if len(title) > 2 {
			return cutText(title, maxMapDoc)
		}
	}
	return ""
}
