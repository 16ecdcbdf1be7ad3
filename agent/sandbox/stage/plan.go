// Package stage is what happens between the start of a sandbox and the command
// in it: the stage reads a [Plan], builds the view, gives up every privilege,
// starts the command and ends with it. It runs as a program of its own, built
// without cgo, because a privilege that is dropped in a cgo program is dropped
// in one thread only.
//
// Invariant: a step that is refused ends the stage before the command starts.
package stage

import (
	"encoding/gob"
	"fmt"
	"io"
)

// Version changes whenever Plan or Report do: a stage of another version
// refuses the plan.
const Version = 5

// The descriptors that the stage is started with, after the three standard
// ones.
const (
	planFD     = 3 // the plan is read from it
	lifelineFD = 4 // its end of file says that whoever started the stage is gone
	reportFD   = 5 // the report is written to it
)

// CodeRefused is the exit code of a stage that could not do its steps.
const CodeRefused = 125

// KernelFiles are the paths in /proc by which the machine is steered: root's to
// write, also in a namespace. (bubblewrap protects them only if the folder
// itself looks writable, which /proc/sys never does.)
var KernelFiles = []string{"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"}

// A Mode says what the stage builds.
type Mode string

// The modes.
const (
	// Namespaces: the stage is pid 1 of namespaces of its own and mounts the
	// view.
	Namespaces Mode = "namespaces"
	// Inside: somebody else built the namespaces and the mounts; the stage
	// adds limits, Landlock and seccomp.
	Inside Mode = "inside"
	// Open: there is nothing, because the user said so; the stage only keeps
	// the limits and leaves no process behind.
	Open Mode = "open"
	// Fenced: there are no namespaces; Landlock and seccomp are all there is.
	Fenced Mode = "fenced"
)

// A Network says what of the network a command reaches.
type Network string

// The networks. The zero value is Off.
const (
	Off  Network = ""     // a loopback of its own, where there are namespaces
	Host Network = "host" // that of the machine
)

// A Plan is all that the stage is told. Paths are absolute, without symbolic
// links.
type Plan struct {
	Version int
	Mode    Mode
	Argv    []string
	Env     []string
	Dir     string
	UID     int // the command's; that of the stage, unless the stage is root
	GID     int
	Network Network
	Limits  Limits

	Overlays []Overlay // in the order they are attached; a later one may lie in an earlier one
	ReadOnly []string  // shown as they are, never written
	Opened   []string  // folders of the machine, shown as they are and written for real
	Masks    []string  // files and folders whose content is hidden; also links, themselves
	Empty    string    // the file that shows in place of those that are no folders
	Scratch  []string  // folders that begin empty and end with the command
	Keep     []string  // files beneath Scratch that are shown all the same, read-only

	Writable []string // Landlock: beneath these a command may write
	Readable []string // Landlock, of Fenced: beneath these and Writable it may read and execute
}

// Write writes p as ReadPlan reads it: by package gob, because paths and
// arguments are bytes, and JSON would change those that are no UTF-8.
func (p *Plan) Write(to io.Writer) error { return gob.NewEncoder(to).Encode(p) }

// ReadPlan reads a plan, and refuses one of another version.
func ReadPlan(from io.Reader) (*Plan, error) {
	p := &Plan{}
	if err := gob.NewDecoder(from).Decode(p); err != nil {
		return nil, fmt.Errorf("%w: if agentls and its stage are of different versions, build both again", err)
	}
	if p.Version != Version {
		return nil, fmt.Errorf("the stage speaks version %d, the plan is of %d: build both again", Version, p.Version)
	}
	return p, nil
}

// An Overlay is a folder of which the command sees a copy-on-write view; one
// without layers is a folder in which only later ones show.
type Overlay struct {
	At     string
	Lowers []string // the highest first
	Upper  string
	Work   string // empty, on the file system of Upper
}

// IsEmpty reports whether o is without layers.
func (o *Overlay) IsEmpty() bool { return len(o.Lowers) == 0 }

// Limits bound the command and all it starts. Zero means no limit.
type Limits struct {
	Processes int   // and threads
	Memory    int64 // bytes of anonymous memory, of all processes together
	FileSize  int64 // bytes, of one file
	Scratch   int64 // bytes, of each scratch folder
}

// The limits that a report names.
const (
	LimitMemory    = "memory"
	LimitProcesses = "processes"
)

// A Report is how a stage ended.
type Report struct {
	Step   string `json:"step,omitempty"` // the one that Err was in
	Err    string `json:"err,omitempty"`  // empty: the command ran
	Done   bool   `json:"done,omitempty"` // the command ended by itself
	Code   int    `json:"code,omitempty"`
	Signal int    `json:"signal,omitempty"`
	Limit  string `json:"limit,omitempty"` // the one that the command was stopped for
}
