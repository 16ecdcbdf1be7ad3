package index

import (
	"slices"
	"strings"
)

// A directory says where each name of a base is declared and mentioned. It is a
// few flat tables: a name takes about forty bytes, and the garbage collector
// sees nothing to follow.
type directory struct {
	text  string   // the names, in order, one behind the other
	ends  []uint32 // of each name in text
	masks []uint64 // the letters of each name that is declared; 0 for others. Most names are judged by this alone

	declared  table[declRef]
	mentioned table[uint32] // files
}

// A table holds a list for each name: list i is all[from[i]:from[i+1]].
type table[T any] struct {
	from []uint32
	all  []T
}

func (t *table[T]) list(i int) []T { return t.all[t.from[i]:t.from[i+1]] }

// A declRef is a declaration: decl of file, and what a search wants to know of
// it.
type declRef struct {
	file, decl uint32
	container  uint32 // the number of what it is in; of a function that is in nothing, its package
	kind       Kind
	exported   bool
}

// name returns name i, which shares its memory with d.
func (d *directory) name(i int) string {
	start := uint32(0)
	if i > 0 {
		start = d.ends[i-1]
	}
	return d.text[start:d.ends[i]]
}

// find returns the number of a name.
func (d *directory) find(name string) (int, bool) {
	low, high := 0, len(d.ends)
	for low < high {
		mid := (low + high) / 2
		if d.name(mid) < name {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < len(d.ends) && d.name(low) == name
}

// declarations returns where name is declared.
func (d *directory) declarations(name string) []declRef {
	i, ok := d.find(name)
	if !ok {
		return nil
	}
	return d.declared.list(i)
}

// mentions returns the files that mention name.
func (d *directory) mentions(name string) []uint32 {
	i, ok := d.find(name)
	if !ok {
		return nil
	}
	return d.mentioned.list(i)
}

// A listing is a directory in the making: pairs of names, by the order in which
// they were met, and what belongs to them.
type listing struct {
	numbers  map[string]uint32
	names    []string
	declared []pair[declRef]
	mentions []pair[uint32]
	local    []uint32 // the numbers of the names of the present file
}

type pair[T any] struct {
	name  uint32
	value T
}

func newDirectory(files []*file) *directory {
	l := &listing{numbers: map[string]uint32{}}
	for i, f := range files {
		if f.isParsed() {
			l.add(uint32(i), f)
		}
	}
	order := make([]uint32, len(l.names))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return strings.Compare(l.names[a], l.names[b]) })
	rank := make([]uint32, len(order))
	d := &directory{ends: make([]uint32, len(order)), masks: make([]uint64, len(order))}
	var text strings.Builder
	for i, n := range order {
		rank[n] = uint32(i)
		text.WriteString(l.names[n])
		d.ends[i] = uint32(text.Len())
	}
	d.text = text.String()
	d.declared, d.mentioned = tableOf(l.declared, rank), tableOf(l.mentions, rank)
	for i := range d.declared.all {
		ref := &d.declared.all[i]
		ref.container = rank[ref.container]
	}
	for i := range d.masks {
		if len(d.declared.list(i)) > 0 {
			d.masks[i] = letters(d.name(i))
		}
	}
	return d
}

// add takes in the names of file i.
func (l *listing) add(i uint32, f *file) {
	o := f.head()
	l.local = l.local[:0]
	for n, name := range o.names {
		number := l.number(name)
		l.local = append(l.local, number)
		if o.mentions(n) {
			l.mentions = append(l.mentions, pair[uint32]{number, i})
		}
	}
	pkg := l.number(o.pkg)
	for j, d := range o.decls {
		container := l.local[d.container]
		if d.container == 0 {
			container = pkg
		}
		l.declared = append(l.declared, pair[declRef]{l.local[d.name], declRef{
			file: i, decl: uint32(j), container: container, kind: d.kind, exported: d.exported,
		}})
	}
}

// number returns the number of a name, by when it was first met.
func (l *listing) number(name string) uint32 {
	number, known := l.numbers[name]
	if !known {
		number = uint32(len(l.names))
		l.numbers[name] = number
		l.names = append(l.names, name)
	}
	return number
}

// tableOf sorts pairs by the rank of their names. Those of one name stay in
// order.
func tableOf[T any](pairs []pair[T], rank []uint32) table[T] {
	t := table[T]{from: make([]uint32, len(rank)+1), all: make([]T, len(pairs))}
	for _, p := range pairs {
		t.from[rank[p.name]+1]++
	}
	for i := 1; i < len(t.from); i++ {
		t.from[i] += t.from[i-1]
	}
	next := slices.Clone(t.from)
	for _, p := range pairs {
		r := rank[p.name]
		t.all[next[r]] = p.value
		next[r]++
	}
	return t
}
