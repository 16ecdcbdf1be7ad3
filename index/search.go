package index

import (
	"cmp"
	"container/heap"
	"context"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"
)

// letters returns the set of letters of s, without case: a bit for each of
// a–z and 0–9, and one of the rest for all other bytes.
func letters(s string) uint64 {
	var set uint64
	for i := range len(s) {
		switch c := lower(s[i]); {
		case 'a' <= c && c <= 'z':
			set |= 1 << (c - 'a')
		case '0' <= c && c <= '9':
			set |= 1 << (26 + c - '0')
		default:
			set |= 1 << (36 + c%28)
		}
	}
	return set
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// The scores of a match. What is better by kind stays better whatever the
// length; the length of the name decides among equals.
const (
	scoreExact     = 1 << 20
	scoreExactFold = 1 << 19
	scorePrefix    = 1 << 18
	scoreStart     = 40 // a letter at the start of a word
	scoreRun       = 38 // a letter right behind the last, in a run from the start of a word
	scoreNext      = 24 // in another run
	scoreCase      = 4
	scoreGap       = -2 // for each letter left out, down to
	scoreMaxGap    = -10
	maxName        = 512
)

// score rates name for query, of which all letters must occur in order. Zero
// is no match.
func score(query, name string) int {
	begins := beginsWith(name, query)
	switch {
	case query == name:
		return scoreExact
	case begins && len(query) == len(name):
		return scoreExactFold
	case len(query) > len(name) || len(name) > maxName:
		return 0
	}
	total := subsequence(query, name)
	if total == 0 {
		return 0
	}
	if begins {
		total += scorePrefix
	}
	return max(total-len(name), 1)
}

// beginsWith reports whether name begins with query, without case.
func beginsWith(name, query string) bool {
	return len(name) >= len(query) &&
		(lower(name[0]) == lower(query[0]) || name[0] >= utf8.RuneSelf) && strings.EqualFold(query, name[:len(query)])
}

// maxScattered is above the score of any match of query that does not begin a
// name.
func maxScattered(query string) int { return len(query)*(scoreStart+scoreCase) + maxRate + 1 }

// subsequence rates the leftmost match that prefers starts of words: at each
// letter the next start of a word is taken if the rest still fits behind it.
func subsequence(query, name string) int {
	total, last, next := 0, -1, 0
	for qi := range len(query) {
		i := nextLetter(query[qi:], name, last+1)
		if i < 0 {
			return 0
		}
		switch gap := max(scoreGap*(i-last-1), scoreMaxGap); {
		case i == last+1 && last >= 0:
			total += next
		case wordStart(name, i):
			total, next = total+scoreStart+gap, scoreRun
		default:
			total, next = total+1+gap, scoreNext
		}
		if query[qi] == name[i] {
			total += scoreCase
		}
		last = i
	}
	return max(total, 1)
}

// nextLetter returns where the first letter of query is best found in name, at
// from or behind.
func nextLetter(query, name string, from int) int {
	first := -1
	for i := from; i < len(name); i++ {
		if lower(name[i]) != lower(query[0]) {
			continue
		}
		if i == from || wordStart(name, i) && fits(query[1:], name[i+1:]) {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}

// fits reports whether the letters of query occur in name in order.
func fits(query, name string) bool {
	for i := 0; len(query) > 0; i++ {
		if i == len(name) {
			return false
		}
		if lower(name[i]) == lower(query[0]) {
			query = query[1:]
		}
	}
	return true
}

// wordStart reports whether a word begins at name[i]: fooBar, foo_bar, HTTPServer.
func wordStart(name string, i int) bool {
	if i == 0 {
		return true
	}
	c, before := name[i], name[i-1]
	switch {
	case before == '_' || before == '-' || before == '$' || before == '#':
		return true
	case c < 'A' || c > 'Z':
		return false
	default:
		return before < 'A' || before > 'Z' || i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z'
	}
}

// A pattern is a query in parts: "folder/file:Type.Method".
type pattern struct {
	file      string // what the path must contain, lower case
	container string
	name      string
	letters   uint64
}

func parsePattern(query string) pattern {
	query = strings.TrimSpace(query)
	var p pattern
	if i := strings.LastIndexAny(query, ":/"); i >= 0 {
		p.file = strings.ToLower(strings.TrimSuffix(strings.TrimRight(query[:i], ":"), "/"))
		query = query[i+1:]
	}
	if i := strings.LastIndexByte(query, '.'); i >= 0 {
		p.container, query = query[:i], query[i+1:]
	}
	p.name = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, query)
	p.letters = letters(p.name)
	return p
}

// maxRate is what rate adds to the score of a name at most, containers aside.
const maxRate = 2

// rate returns the score of a declaration in f whose name has score base and
// whose container has score within, or 0 if its path does not fit, or its
// container where one is asked for.
func (p *pattern) rate(s *Snapshot, f *file, ref declRef, base, within int) int {
	if p.container != "" && within == 0 || p.file != "" && !strings.Contains(strings.ToLower(s.Rel(f.path)), p.file) {
		return 0
	}
	base += within
	switch ref.kind {
	case Field, Member:
		base -= 12
	case Variable, Constant:
		base -= 4
	default:
	}
	if ref.exported {
		base += maxRate
	}
	return max(base, 1)
}

// holds returns the score of a container, of which the last name counts; 0 is
// no match, or not asked for.
func (p *pattern) holds(container string) int {
	if p.container == "" {
		return 0
	}
	return score(p.container, container[strings.LastIndexByte(container, '.')+1:])
}

// containers remember what pattern.holds said, by the numbers of names.
type containers struct {
	pattern *pattern
	names   *directory
	scores  []int32 // 1 + score; 0 is not asked yet
}

func (c *containers) score(number uint32) int {
	if c.pattern.container == "" {
		return 0
	}
	if c.scores == nil {
		c.scores = make([]int32, len(c.names.ends))
	}
	if c.scores[number] == 0 {
		c.scores[number] = int32(c.pattern.holds(c.names.name(int(number)))) + 1
	}
	return int(c.scores[number]) - 1
}

// Search returns the symbols that match query best, at most limit: those of
// that name first, then those that begin with it, then those in which its
// letters occur in order, best at the starts of words; shorter names first.
// "Type.Method" narrows to a container, "folder/file:Name" to a path. An empty
// query matches nothing.
func (s *Snapshot) Search(ctx context.Context, query string, limit int) ([]Symbol, error) {
	p := parsePattern(query)
	if limit <= 0 || p.name == "" {
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	best := &ranking{limit: limit}
	if err := s.searchBase(ctx, &p, best); err != nil {
		return nil, err
	}
	for _, f := range s.overlay() {
		o := f.outline()
		if o == nil {
			continue
		}
		for i, d := range o.decls {
			if points := score(p.name, o.names[d.name]); points > 0 {
				container := o.names[d.container]
				if container == "" {
					container = o.pkg
				}
				ref := declRef{kind: d.kind, exported: d.exported}
				best.add(hit{f, i, o.names[d.name], o.names[d.container], p.rate(s, f, ref, points, p.holds(container))})
			}
		}
	}
	return best.symbols(), nil
}

// searchShare is how many names a goroutine of a search has at least; tests make
// it small.
var searchShare = 1 << 15

// searchBase adds what matches in the base. It looks on every CPU: most of a
// search is to look at names.
func (s *Snapshot) searchBase(ctx context.Context, p *pattern, best *ranking) error {
	names := s.disk.base.directory()
	shares := max(1, min(runtime.GOMAXPROCS(0), len(names.masks)/searchShare))
	found := make([]*ranking, shares)
	floor := &floor{}
	group, ctx := errgroup.WithContext(ctx)
	for i := range shares {
		found[i] = &ranking{limit: best.limit, floor: floor}
		first, end := len(names.masks)*i/shares, len(names.masks)*(i+1)/shares
		group.Go(func() error { return s.searchNames(ctx, p, found[i], first, end) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, r := range found {
		for _, h := range r.hits {
			best.add(h)
		}
	}
	return nil
}

// searchNames adds what matches of the names from first to end.
func (s *Snapshot) searchNames(ctx context.Context, p *pattern, best *ranking, first, end int) error {
	names, scattered := s.disk.base.directory(), maxScattered(p.name)
	outer := containers{pattern: p, names: names}
	for i := first; i < end; i++ {
		if i%4096 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if p.letters&^names.masks[i] != 0 {
			continue
		}
		name := names.name(i)
		if p.container == "" && best.isBelow(scattered) && !beginsWith(name, p.name) {
			continue
		}
		points := score(p.name, name)
		if points == 0 || p.container == "" && best.isBelow(points+maxRate) {
			continue
		}
		for _, ref := range names.declared.list(i) {
			if f := s.disk.base.files[ref.file]; !s.covered(f.path) {
				best.add(hit{f, int(ref.decl), name, names.name(int(ref.container)), p.rate(s, f, ref, points, outer.score(ref.container))})
			}
		}
	}
	return nil
}

// A hit is a declaration that matches. Zero points are no match.
type hit struct {
	file      *file
	at        int // in decls
	name      string
	container string // for what is in nothing, whatever
	points    int
}

// symbol reads no more of an outline that is packed than it must.
func (h *hit) symbol() Symbol {
	d, ok := decl{}, false
	if o := h.file.unpacked.Load(); o != nil {
		d, ok = o.decls[h.at], true
	} else {
		d, ok = unpackDecl(h.file.packed, h.at)
	}
	if !ok {
		return Symbol{}
	}
	if d.container == 0 {
		h.container = ""
	}
	sym := d.symbol(strings.Clone(h.name), strings.Clone(h.container)) // not the memory of all names
	sym.Path, sym.Language = h.file.path, h.file.lang.Name
	sym.Line, sym.Column = int(d.line), int(d.column)
	return sym
}

// compare puts the better hit first.
func (h hit) compare(other hit) int {
	return cmp.Or(
		cmp.Compare(other.points, h.points),
		cmp.Compare(len(h.name), len(other.name)),
		strings.Compare(h.name, other.name),
		strings.Compare(h.file.path, other.file.path),
		cmp.Compare(h.at, other.at))
}

// A floor is what the rankings of one search know of each other: as soon as one
// is full, a hit below its worst is none for any of them.
type floor struct{ points atomic.Int64 }

func (f *floor) raise(points int) {
	for now := f.points.Load(); int64(points) > now; now = f.points.Load() {
		if f.points.CompareAndSwap(now, int64(points)) {
			return
		}
	}
}

// A ranking keeps the best hits: a heap with the worst on top.
type ranking struct {
	limit int
	hits  []hit
	floor *floor // nil: it is alone
}

func (r *ranking) add(h hit) {
	switch {
	case h.points == 0:
	case len(r.hits) < r.limit:
		heap.Push(r, h)
	case h.compare(r.hits[0]) < 0:
		r.hits[0] = h
		heap.Fix(r, 0)
	}
	if r.floor != nil && len(r.hits) == r.limit {
		r.floor.raise(r.hits[0].points)
	}
}

// isBelow reports whether a hit of that many points comes too late.
func (r *ranking) isBelow(points int) bool {
	if r.floor != nil && int64(points) < r.floor.points.Load() {
		return true
	}
	return len(r.hits) == r.limit && points < r.hits[0].points
}

func (r *ranking) symbols() []Symbol {
	slices.SortFunc(r.hits, hit.compare)
	syms := make([]Symbol, len(r.hits))
	for i := range r.hits {
		syms[i] = r.hits[i].symbol()
	}
	return syms
}

// Len, Less, Swap, Push and Pop make a heap.
func (r *ranking) Len() int           { return len(r.hits) }
func (r *ranking) Less(i, j int) bool { return r.hits[i].compare(r.hits[j]) > 0 }
func (r *ranking) Swap(i, j int)      { r.hits[i], r.hits[j] = r.hits[j], r.hits[i] }

// Push appends x.
func (r *ranking) Push(x any) { r.hits = append(r.hits, x.(hit)) } //nolint:errcheck // only hits are pushed

// Pop removes the last hit.
func (r *ranking) Pop() any {
	last := r.hits[len(r.hits)-1]
	r.hits = r.hits[:len(r.hits)-1]
	return last
}
