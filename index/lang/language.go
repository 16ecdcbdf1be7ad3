// Package lang describes languages to the index: one table a language, which
// says in the words of its tree-sitter grammar what declares, what opens a
// scope, what imports, what documents and what is a test. README.md teaches how
// to add one.
//
// Invariant: a table is made once and never changes.
package lang

import (
	"path/filepath"
	"strings"
	"sync"
	"unsafe"
)

// A Language is one row of the table of languages. Words that are listed, like
// kinds of nodes, are separated by blanks.
type Language struct {
	Name       string                // the LSP language identifier
	Aliases    string                // other identifiers for it
	Family     string                // languages that import each other's files; "" is Name
	Extensions []string              // of files, in lower case
	Files      []string              // of files without one, whole
	Parser     func() unsafe.Pointer // the grammar
	Grammar    *Grammar

	Hoists   bool   // a local name counts in its whole scope, also before its declaration
	Nests    bool   // functions and classes inside functions are symbols
	Repeats  bool   // an assignment declares, so only the first of a name counts
	Clauses  bool   // a function is declared by each of its clauses: all are one
	Modules  bool   // exports say what is visible outside; in a file without any, everything is
	Bare     bool   // methods name the members of their class without saying whose
	Apart    bool   // a field and a method of one class can share a name: calls tell them apart
	Private  bool   // what is not Exported no other class can have, or prescribe
	Depth    int    // how deep declarations are in each other, at most; 0 is any
	Limit    int    // how many a file declares, at most; 0 is any
	Self     string // words that always mean the object or class that a method belongs to
	Super    string // the word that stands for the object as one of its bases; it may be called
	Blank    string // words that declare nothing
	Inferred string // words that stand for the type of a value

	Comments Comments
	Body     string // a declaration's body begins with one of these bytes; "" is a brace
	Quotes   string // what a string can stand in; "" is each of the usual three
	Called   string // names that the language or its library looks for; of methods behind a dot

	// Tidy, which may be nil, returns the text without what the grammar cannot
	// take: blanks of the same length stand for it.
	Tidy func(src []byte) []byte

	// ImportKinds are the kinds of nodes that Imports is asked about. It takes
	// in what a node imports and reports whether that is all there is in it.
	ImportKinds string
	Imports     func(f *Facts, n Node) bool

	// AheadKinds are the kinds of nodes that Ahead is asked about: those whose
	// content belongs to a name that stands behind it. It returns that name, or
	// none.
	AheadKinds string
	Ahead      func(n Node) Node

	// EmbedKinds are the kinds of nodes that hold text of another language.
	// Embed returns its name, as editors and people write it, and the text.
	EmbedKinds string
	Embed      func(n Node) (name string, content Node)

	// Refine, which may be nil, makes the kind of a declaration precise.
	Refine func(d *Declaration) Kind
	// Exported reports whether what d declares is visible outside.
	Exported func(d *Declaration) bool

	// Skim finds declarations in one line, without a parser.
	Skim func(s *Skimmer)

	// IsTest reports whether a declaration of a file for which IsTestFile holds
	// is a test. Container is as that of a symbol.
	IsTest     func(name, container string, kind Kind) bool
	IsTestFile func(file string) bool

	tables func() *Tables
}

// Comments say how comments are written, and where documentation stands: in one
// before a declaration.
type Comments struct {
	Line        string // begins one to the end of the line
	Open, Close string // stand around one of any length
	Between     string // what a line between it and the declaration begins with: an attribute
	InBody      bool   // documentation is the string that a body begins with
}

// cComments are those of C and its kin.
var cComments = Comments{Line: "//", Open: "/*", Close: "*/"}

// A Declaration is what Refine and Exported are asked about.
type Declaration struct {
	Name       string
	At         int // where the name begins, in bytes
	Kind       Kind
	Node       Node // all of it; none where only its line is known
	Around     Node // what it stands in
	IsExported bool // an export statement is around it
}

// begins returns the text of d in front of its name.
func (d *Declaration) begins() []byte {
	start, _ := d.Node.Span()
	return d.Node.bytes()[:max(d.At-start, 0)]
}

// Facts are what Imports finds in one file.
type Facts struct {
	Package  string    // Go: of the file
	IsModule bool      // JavaScript: there are imports or exports
	Default  string    // JavaScript: what the default export is called here
	Imports  []Import  //
	Exports  []string  // JavaScript: names that are exported apart from their declaration
	Around   Node      // what the present node stands in
	Mentions []Mention // names in the present node, in the order of the text
}

// An Import is one name that an import statement brings in.
type Import struct {
	Path     string // as written, unquoted; "" for an export of the file's own name
	Name     string // in that module; "*" for the module itself; "default"
	Alias    string // the name here; "." or "" for all names at once
	Explicit bool   // Go: Alias is written, not guessed
	Exported bool   // visible to those who import this file
}

// A Mention is a name that Imports found. It IsImport if it stands for what is
// imported.
type Mention struct {
	Node       Node
	Start, End int // of the name in the text of Node; End is 0 where it is all of it
	IsImport   bool
}

// mention takes in n, if it is a name.
func (f *Facts) mention(n Node) {
	if n.isName() {
		f.Mentions = append(f.Mentions, Mention{Node: n})
	}
}

// mentionImport is mention for a name that is imported.
func (f *Facts) mentionImport(n Node) {
	if n.isName() {
		f.Mentions = append(f.Mentions, Mention{Node: n, IsImport: true})
	}
}

// All lists the languages. Their order never changes, but for new ones at the
// end: a segment of the index holds their numbers.
var All = append(core(), others()...)

func core() []*Language {
	return []*Language{golang(), javaScript(), javaScriptReact(), typeScript(), typeScriptReact(), python()}
}

var byExtension, byName = lookups(All)

func lookups(all []*Language) (byExtension, byName map[string]*Language) {
	byExtension, byName = map[string]*Language{}, map[string]*Language{}
	for _, l := range all {
		l.tables = sync.OnceValue(l.compile)
		if l.Family == "" {
			l.Family = l.Name
		}
		byName[l.Name] = l
		for name := range strings.FieldsSeq(l.Aliases) {
			byName[name] = l
		}
		for _, ext := range l.Extensions {
			byExtension[ext] = l
		}
		for _, file := range l.Files {
			byExtension[strings.ToLower(file)] = l
		}
	}
	return byExtension, byName
}

// Readable returns src as the grammar of l takes it, of the same length.
func (l *Language) Readable(src []byte) []byte {
	if l.Tidy == nil {
		return src
	}
	return l.Tidy(src)
}

// Of returns the language with the identifier name or, where that says nothing,
// the one that the name of the file implies; nil if it is not known.
func Of(path, name string) *Language {
	if l := byName[name]; l != nil {
		return l
	}
	base := strings.ToLower(filepath.Base(path))
	if l := byExtension[base]; l != nil {
		return l
	}
	return byExtension[filepath.Ext(base)]
}

// Written returns the language that people call by that name or by the ending of
// its files, as in fenced code; nil if it is not known.
func Written(name string) *Language {
	if l := byName[name]; l != nil {
		return l
	}
	return byExtension["."+name]
}

// Names returns the LSP identifiers of All.
func Names() []string {
	names := make([]string, len(All))
	for i, l := range All {
		names[i] = l.Name
	}
	return names
}
