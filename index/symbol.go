package index

import (
	"fmt"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
)

// A Kind says what a symbol is.
type Kind = lang.Kind

// The kinds of symbols.
const (
	Function  = lang.Function
	Method    = lang.Method
	Type      = lang.Type
	Interface = lang.Interface
	Class     = lang.Class
	Enum      = lang.Enum
	Member    = lang.Member // of an enum
	Constant  = lang.Constant
	Variable  = lang.Variable
	Field     = lang.Field
	Module    = lang.Module // a namespace; Go packages and Python modules are no symbols
	Heading   = lang.Heading
	Key       = lang.Key // of a file of data
)

// Languages returns the LSP identifiers of the languages that are parsed.
func Languages() []string { return lang.Names() }

// Language returns the LSP identifier of the language of path, as the editor or
// its name says; "" for one that is not parsed.
func (s *Snapshot) Language(path string) string {
	if l := lang.Of(path, s.docs[path].languageName()); l != nil {
		return l.Name
	}
	return ""
}

// A Symbol is one declaration. It is a value: it stays true for the snapshot
// that answered it.
type Symbol struct {
	Name      string
	Kind      Kind
	Path      string    // absolute
	Span      text.Span // the whole declaration, its body included
	NameSpan  text.Span
	Line      int    // of the name, from 1, if Search knows it without reading the file and all before it on the line is ASCII; else 0
	Column    int    // of the name on Line, from 0
	Container string // what it is declared in, outermost first: "Outer.Inner"; a Go method's receiver type; "" at the top
	Depth     int    // how many declarations of this file enclose it
	Language  string // as Modification.Language
	Exported  bool   // visible outside its file (JavaScript) or package (Go); in Python: no leading underscore
}

// Qualified returns the name of s behind its container: "Server.Serve".
func (s Symbol) Qualified() string {
	if s.Container == "" {
		return s.Name
	}
	return s.Container + "." + s.Name
}

// Certainty says how much a reference can be relied on.
type Certainty uint8

// Possible has the right name and nothing against it; Certain is resolved by
// scope, package or import.
const (
	Possible Certainty = iota + 1
	Certain
)

// String returns "possible" or "certain".
func (c Certainty) String() string {
	switch c {
	case Possible:
		return "possible"
	case Certain:
		return "certain"
	default:
		return fmt.Sprintf("certainty(%d)", uint8(c))
	}
}

// A Reference is one use of a symbol, or its definition.
type Reference struct {
	Path       string // absolute
	Span       text.Span
	Certainty  Certainty
	Definition bool
	Write      bool   // it is assigned to there
	In         string // the qualified name of the declaration around it; "" at the top of a file
}
