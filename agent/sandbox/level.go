package sandbox

import (
	"fmt"
	"strings"
)

// A Kind is a way of confining commands.
type Kind string

// The kinds, the strongest first.
const (
	Namespaces Kind = "namespaces" // a copy-on-write view in namespaces of its own
	Bubblewrap Kind = "bubblewrap" // a copied tree in bubblewrap
	Copied     Kind = "copied"     // a copied tree under Landlock and seccomp
	None       Kind = "none"       // nothing: every command asks
)

// A Level is how commands are confined on this machine, as found by Probe.
type Level struct {
	Kind    Kind      `json:"kind"`
	State   string    `json:"state,omitempty"` // folder that scratch goes to
	Refused []Refusal `json:"refused,omitempty"`
}

// A Refusal says why a stronger way of confining was not taken.
type Refusal struct {
	Kind   Kind   `json:"kind"`
	State  string `json:"state,omitempty"`
	Step   string `json:"step"`   // the one that failed
	Reason string `json:"reason"` // what the system said
}

// Confines reports whether commands run without asking.
func (l Level) Confines() bool { return l.Kind != None && l.Kind != "" }

// String says in a line what holds and, where that is not all, why.
func (l Level) String() string {
	says := map[Kind]string{
		Namespaces: "full: a copy-on-write view in namespaces, without network",
		Bubblewrap: "bubblewrap: a copied tree in namespaces, without network",
		Copied:     "partial: a copied tree at another path, under Landlock and seccomp, without sockets",
	}[l.Kind]
	if says == "" {
		says = "none: every command asks"
	}
	if len(l.Refused) == 0 {
		return says
	}
	reasons := make([]string, 0, len(l.Refused))
	for _, r := range l.Refused {
		reasons = append(reasons, r.String())
	}
	return says + " (" + strings.Join(reasons, "; ") + ")"
}

// String says which step failed and what the system said.
func (r Refusal) String() string {
	return fmt.Sprintf("%s: %s: %s", r.Kind, r.Step, r.Reason)
}

// A SetupError says which step of building the sandbox was refused. The
// command did not start.
type SetupError struct {
	Step string
	Err  error
}

// Error says the step and what the system said.
func (e *SetupError) Error() string { return fmt.Sprintf("sandbox: %s: %v", e.Step, e.Err) }

// Unwrap returns what the system said.
func (e *SetupError) Unwrap() error { return e.Err }
