package lang

// A Role says what a child node means to its parent, and so what an identifier
// there is. The tables hand it out; the walk of package index gives it meaning.
type Role uint64

// The roles, which may be combined.
const (
	Binds     Role = 1 << iota // identifiers here are declared; see Defines
	Accesses                   // the name behind a dot, unless it is the first child
	Keys                       // the name of a field in a literal, or of an argument
	Calls                      // what is called
	Types                      // the type of what the owner of this role binds
	Values                     // the value of what the owner of this role binds
	Operand                    // what stands before the dot; with Accesses: the first child
	Receives                   // the type that the method declared here belongs to; with Types: before its name
	Inherits                   // carries on what the parent is: called, a type, declared
	Hints                      // becomes Types where the parent is a value
	Global                     // is not bound here in spite of an assignment
	Assigns                    // is assigned to: self.x = 1 declares x
	Plain                      // nothing, whatever the parent passes
	Later                      // with Binds: counts from the body of the function on
	Literal                    // is the type of a literal, and so of the fields its keys name
	Itself                     // is the whole declaration, as a name in a list is
	Extends                    // the type that everything declared in the owner of this role belongs to
	Qualifies                  // Receives, where what stands beside it is declared
	Callable                   // a variable that is declared here is a function, a field a method
	Bodied                     // with Binds: declares only where its owner has a body
	Top                        // with Binds: is declared outside of functions, wherever broken text seems to put it
	Encloses                   // what is bound in here is seen nowhere else
	Owns                       // is itself what this role is about
	Leads                      // counts for the first child only
	Matches                    // with Binds: a name with a capital is a constant that is compared with
	Bases                      // what a type extends, implements or embeds; nothing where the owner declares a field
	Writes                     // gets a value
	Outer                      // is that of the scope around, in spite of an assignment here
	Floats                     // with Binds: in the function around, whatever blocks are between
	Mutes                      // is no name of anything that the index knows: a label
	Members                    // holds members, though it is no declaration of a type: what a function returns
	Early                      // with Binds: counts in its whole scope, also before its declaration
	Arguments                  // Binds what stands here in a type that Receives, else nothing
	Nameless                   // with Owns: is of a class, object or interface that has no name: with Values unless it is the value of one, with Members unless a type holds it, with Bases where a base is named
	Puns                       // with Keys: a key that stands alone is its value, too

	byKind    // depends on the kind of the child
	kindShift = iota
	kindBits  = 15 << kindShift
)

// Defined masks what Defines, Matches, Top and Floats set.
const Defined = Binds | kindBits | Matches | Top | Floats

// Defines is the role of a declared name of kind k. Mere Binds is a parameter
// or another name that only its scope sees.
func Defines(k Kind) Role { return Binds | Role(k)<<kindShift }

// Kind returns what r, which Binds, defines; 0 for a local name.
func (r Role) Kind() Kind { return Kind(r & kindBits >> kindShift) }

// A Grammar says, in the words of a tree-sitter grammar, what nodes mean. Kinds
// of nodes are separated by blanks.
type Grammar struct {
	Names  string          // identifiers
	Labels string          // names where they are declared, else nothing: the text of a heading
	Sigils string          // names whose first byte is none of a member's: $x
	Shorts string          // names that are a key and a variable at once: {x} for {x: x}
	Skips  string          // nothing of interest below
	Loose  string          // hold names whose meaning the grammar does not know: the arguments of macros
	Scopes string          // local names end here
	Spaces string          // a scope directly below is none: namespaces, bodies of functions
	Thin   string          // parameters end here, but what is declared is seen outside: C++'s templates
	Blocks string          // scopes that names which float are seen outside of: JavaScript's var
	Rests  string          // what they declare goes on to the end of the file
	Wraps  string          // belong to the only declaration they hold
	Words  string          // keywords that stand where a name can
	Passes map[string]Role // what a node hands on to children without a role of their own

	// Roles are by "parent.field", by "parent." for children without a field,
	// and by "parent kind" for such children of one kind.
	Roles map[string]Role
}
