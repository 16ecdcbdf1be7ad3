package agent

import (
	"context"
	"strings"
	"time"
)

// A Command is a line for the shell that a run wants to have run.
type Command struct {
	Line    string
	Dir     string        // absolute, in a root; "": the first root
	Timeout time.Duration // 0: none but the context's

	Network    bool   // it reaches the network of this machine
	Writes     string // a folder outside the workspace that it writes for real, absolute; "": none
	Unconfined bool   // the user agreed to it being run where nothing confines it
}

// A CommandResult is what a command did.
type CommandResult struct {
	Exit    int           // 128+n if signal n ended it
	Stopped string        // the limit that ended it, such as "time"; "": none
	Output  string        // both streams as they came: valid UTF-8 without control sequences
	Changes []string      // what it did to files of the draft, for people and models: "changed a.go"
	Left    []string      // what it changed and a draft cannot hold, and why
	Elapsed time.Duration // from beginning to end
}

// A Confinement is how commands are kept from doing harm.
type Confinement struct {
	Says  string `json:"says"`  // for people: a level, and behind a colon what that is
	Holds bool   `json:"holds"` // false: nothing confines them, and every command asks
}

// level returns the first word or two of what c says: what is before a colon.
func (c Confinement) level() string {
	level, _, _ := strings.Cut(c.Says, ":")
	return level
}

// A Sandbox runs the commands of one run, in copy-on-write views.
type Sandbox interface {
	// Confinement says how commands are confined. It may have to try first.
	Confinement(ctx context.Context) Confinement

	// Run runs cmd on the workspace as draft has it. What it writes comes
	// back into draft and goes nowhere else. An exit code is no error; the
	// error says why the command could not be run.
	Run(ctx context.Context, draft *Draft, cmd Command) (*CommandResult, error)

	// Close forgets what commands left behind.
	Close() error
}
