package index

import (
	"fmt"

	"github.com/agentls/agentls/edits/text"
)

// A Kind says what a symbol is.
type Kind uint8

// The kinds of symbols. A kind never changes its number: the cache holds them.
const (
	Function Kind = iota + 1
	Method
	Type
	Interface
	Class
	Enum
	Member // of an enum
	Constant
	Variable
	Field
	Module // a namespace; Go packages and Python modules are no symbols
)

var kindNames = [...]string{
	Function: "function", Method: "method", Type: "type", Interface: "interface", Class: "class",
	Enum: "enum", Member: "member", Constant: "constant", Variable: "variable", Field: "field", Module: "module",
}

// String returns the English word for k, in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// A Symbol is one declaration. It is a value: it stays true for the snapshot
// that answered it.
type Symbol struct {
	Name      string
	Kind      Kind
	Path      string    // absolute
	Span      text.Span // the whole declaration, its body included
	NameSpan  text.Span
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
	In         string // the qualified name of the declaration around it; "" at the top of a file
}
