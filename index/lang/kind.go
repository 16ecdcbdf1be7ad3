package lang

import "fmt"

// A Kind says what a declaration declares.
type Kind uint8

// The kinds of declarations. A kind never changes its number: the cache holds
// them.
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
	Heading
	Key // of a file of data
)

// What Refine returns for what is no symbol after all.
const (
	Nothing Kind = 0  // it declares nothing
	Local   Kind = 15 // only its scope sees it
)

var kindNames = [...]string{
	Function: "function", Method: "method", Type: "type", Interface: "interface", Class: "class",
	Enum: "enum", Member: "member", Constant: "constant", Variable: "variable", Field: "field", Module: "module",
	Heading: "heading", Key: "key",
}

// String returns the English word for k, in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// IsType reports whether a thing of kind k has members.
func (k Kind) IsType() bool { return k == Type || k == Interface || k == Class || k == Enum }

// IsMember reports whether a thing of kind k belongs to a type.
func (k Kind) IsMember() bool { return k == Method || k == Field || k == Member }

// IsAssigned reports whether an assignment can declare a thing of kind k.
func (k Kind) IsAssigned() bool { return k == Variable || k == Constant || k == Field }
