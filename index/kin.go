package index

import (
	"math"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Kin are files that belong together by what they are called or by what they
// name: a test and what it tests, who declares and who uses.

var (
	testAffix  = regexp.MustCompile(`^(test|spec)s?[_.-]|[_.-](test|spec)s?$|[_.-](test|spec)s?[_.-]`)
	testSuffix = regexp.MustCompile(`(Test|Tests|Spec|IT)$`)
	onlyTests  = regexp.MustCompile(`^(tests?|specs?|__tests__|testing)$`)
	testFolder = regexp.MustCompile(`(^|[_.-])(tests?|specs?|__tests__|testing)([_.-]|$)`)
)

// stemOf returns what a file is called without its ending and without what
// makes it a test, in lower case, and whether it is one. A file of a role is
// called as its folder, or as the nearest that is not only for tests.
func stemOf(file string) (stem string, isTest bool) {
	stem, isTest = ownStem(file)
	if !isRole(stem) {
		return stem, isTest
	}
	isTest = isTest || onlyTests.MatchString(stem)
	for dir := filepath.Dir(file); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if folder := strings.ToLower(filepath.Base(dir)); !onlyTests.MatchString(folder) {
			return testAffix.ReplaceAllString(folder, ""), isTest
		}
	}
	return stem, isTest
}

// isRole reports whether a file of that name, without its ending and in lower
// case, is what its folder is known by: the module of a package, its entry, its
// tests.
func isRole(name string) bool {
	switch name {
	case "__init__", "index", "init", "mod", "test", "tests":
		return true
	}
	return false
}

// ownStem is stemOf by the name of the file alone.
func ownStem(file string) (stem string, isTest bool) {
	base := filepath.Base(file)
	base = strings.TrimSuffix(base, path.Ext(base))
	stem = testSuffix.ReplaceAllString(base, "")
	isTest = stem != base && stem != ""
	low := strings.ToLower(stem)
	if cut := testAffix.ReplaceAllString(low, ""); cut != low && cut != "" {
		return cut, true
	}
	if low == "" {
		low = strings.ToLower(base)
	}
	return low, isTest || testFolder.MatchString(filepath.Base(filepath.Dir(file)))
}

// stemsOf lists files by their stems.
func stemsOf(files []*file) map[string][]uint32 {
	stems := map[string][]uint32{}
	for i, f := range files {
		stem, _ := stemOf(f.path)
		stems[stem] = append(stems[stem], uint32(i))
	}
	return stems
}

// maxTwins is how many tests of one file count, or files of one test.
const maxTwins = 2

// twins returns the tests of file i, or what it is a test of: those of its
// name, of these the nearest by folders.
func (r *ranker) twins(i int) []int {
	own := r.files[i].path
	stem, isTest := stemOf(own)
	var found []int
	for _, other := range r.named(stem) {
		if _, test := stemOf(r.files[other].path); test != isTest && filepath.Ext(own) == filepath.Ext(r.files[other].path) {
			found = append(found, other)
		}
	}
	slices.SortFunc(found, func(a, b int) int {
		return nearness(own, r.files[b].path) - nearness(own, r.files[a].path)
	})
	return found[:min(len(found), maxTwins)]
}

// named returns the files of that stem.
func (r *ranker) named(stem string) []int {
	var found []int
	for _, i := range r.words.stems[stem] {
		if !r.snap.covered(r.files[i].path) {
			found = append(found, int(i))
		}
	}
	for i := len(r.words.lengths); i < len(r.files); i++ {
		if s, _ := stemOf(r.files[i].path); s == stem {
			found = append(found, i)
		}
	}
	return found
}

// nearness counts the names that the folders of two files share.
func nearness(a, b string) int {
	names := map[string]bool{}
	for name := range strings.SplitSeq(filepath.ToSlash(filepath.Dir(a)), "/") {
		names[name] = true
	}
	shared := 0
	for name := range strings.SplitSeq(filepath.ToSlash(filepath.Dir(b)), "/") {
		if names[name] {
			shared++
		}
	}
	return shared
}

const (
	maxDeclaring = 3   // files: a name that more declare says nothing
	maxUsing     = 12  // files: a name that more use says little
	minLinkName  = 4   // bytes
	maxLinkNames = 400 // of one file
)

// Links are the files that one file is tied to by names that few declare: who
// uses what it declares, and who declares what it uses.
type links struct {
	ranker *ranker
	from   int
	what   string // how reasons call what is tied
	tied   map[int]*link
	order  []int // of tied, as they were found
}

type link struct {
	points float64
	best   float64 // of the name that says most
	reason string  // by that name
}

func newLinks(r *ranker, from int, what string) *links {
	return &links{ranker: r, from: from, what: what, tied: map[int]*link{}}
}

// tieAll ties the file by all its names.
func (l *links) tieAll() {
	o := l.ranker.files[l.from].head()
	if o == nil {
		return
	}
	own := make([]bool, len(o.names))
	for _, d := range o.decls {
		own[d.name] = true
	}
	for n, name := range o.names[:min(len(o.names), maxLinkNames)] {
		if own[n] {
			l.tieOwn(name)
		} else {
			l.tieUsed(name)
		}
	}
}

// tieOwn ties the file to those that use a name which it declares.
func (l *links) tieOwn(name string) {
	number, declaring, ok := l.declaring(name)
	if !ok {
		return
	}
	using := l.ranker.snap.disk.base.directory().mentioned.list(number)
	if len(using) > maxUsing {
		return
	}
	for _, to := range using {
		l.tie(int(to), share(len(declaring), len(using)), "uses "+name+" of "+l.what)
	}
}

// tieUsed ties the file to those that declare a name which it uses.
func (l *links) tieUsed(name string) {
	number, declaring, ok := l.declaring(name)
	if !ok {
		return
	}
	using := len(l.ranker.snap.disk.base.directory().mentioned.list(number))
	for _, to := range declaring {
		l.tie(int(to), share(len(declaring), using), "declares "+name+", used in "+l.what)
	}
}

// share is what a name says that so many files declare and use.
func share(declaring, using int) float64 {
	return 1 / (float64(max(1, declaring)) * math.Sqrt(float64(using+1)))
}

// declaring returns the files that declare name, if they are few.
func (l *links) declaring(name string) (number int, files []uint32, ok bool) {
	names := l.ranker.snap.disk.base.directory()
	if number, ok = names.find(name); !ok || len(name) < minLinkName {
		return 0, nil, false
	}
	for _, ref := range names.declared.list(number) {
		if slices.Contains(files, ref.file) {
			continue
		}
		if files = append(files, ref.file); len(files) > maxDeclaring {
			return 0, nil, false
		}
	}
	return number, files, true
}

func (l *links) tie(base int, points float64, reason string) {
	from, to := l.ranker.files[l.from], l.ranker.files[base]
	if from.lang == nil || to.lang == nil || to.lang.Family != from.lang.Family {
		return
	}
	number := l.ranker.find(to.path)
	if number < 0 || number == l.from {
		return
	}
	known := l.tied[number]
	if known == nil {
		known = &link{}
		l.tied[number] = known
		l.order = append(l.order, number)
	}
	known.points += points
	if points > known.best {
		known.best, known.reason = points, reason
	}
}

// favour favours the files that are tied.
func (l *links) favour(weight float64) {
	for _, to := range l.order {
		tied := l.tied[to]
		l.ranker.favour(to, isTied, weight*tied.points/(1+tied.points), tied.reason)
	}
}
