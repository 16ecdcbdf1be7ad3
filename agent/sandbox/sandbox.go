// Package sandbox runs commands in a copy-on-write view of a workspace: a
// command sees the files as the draft has them, at the workspace's own paths,
// and what it writes comes back as changes. The user's files, home, network
// and processes are out of its reach. SECURITY.md says what is promised at
// which level.
//
// Invariant: what cannot be confined is not run, unless the user was asked.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

var (
	// ErrUnconfined is returned for a command that nothing confines here and
	// that the user was not asked about.
	ErrUnconfined = errors.New("commands cannot be confined here: ask before it runs")

	// ErrNotOpened is in the errors of a command that wants what is never opened.
	ErrNotOpened = errors.New("this folder cannot be opened for a command")

	// ErrClosed is returned by a Sandbox after Close.
	ErrClosed = errors.New("the sandbox is closed")
)

// Options describe the workspace and the machine to New and Probe.
type Options struct {
	Roots []string // the workspace's folders, absolute, without symbolic links
	State string   // folder of this workspace for scratch and caches; made if missing; one in Roots only Probe can replace
	Home  string   // the user's home; "" if there is none
	Env   []string // what the clean environment is chosen from, as os.Environ gives it
	Level Level    // what Probe found; the zero Level confines nothing
	Stage string   // path of the stage; "": the embedded one

	// Ignored returns which of names, relative to dir, version control
	// ignores; folders end in a slash. Nil: nothing is ignored.
	Ignored func(ctx context.Context, dir string, names []string) (map[string]bool, error)

	// Masks are paths hidden besides the known secrets, absolute: files look
	// empty and folders too, or are missing where the command works in a copy.
	// Nothing of them can be changed, and no change is told. Of one that a root
	// lies in nothing but the root shows, also of what is made there later; one
	// that is a root is ignored. What a link among them leads to is hidden too.
	Masks []string

	Now func() time.Time // the clock
}

// A Command is what is to be run.
type Command struct {
	Argv    []string      // program and arguments; or
	Shell   string        // a script for sh -c
	Dir     string        // absolute; "": the first root
	Env     []string      // "NAME=value", over the clean environment
	Timeout time.Duration // 0: none but the context's
	Network Network
	Limits  Limits
	Consent Consent

	// Opened is a folder outside the workspace, absolute and without symbolic
	// links, that the command may write for real: the user granted it. "": none.
	Opened string

	// Stream is given the Output of the Result while it comes: up to half of
	// Limits.Output at once, what is kept of the rest at the end. One goroutine
	// writes, and the command's own writes wait for it; an error ends the
	// stream, not the command. Nil: nobody watches.
	Stream io.Writer
}

// A Network says what of the network a command reaches.
type Network int

// The networks.
const (
	NetworkOff  Network = iota // a loopback of its own
	NetworkOpen                // that of the machine: the user granted it
)

// A Consent says whether the user agreed to a command being run unconfined.
type Consent int

// The consents. Given counts only where nothing can confine the command.
const (
	NotGiven Consent = iota
	Given
)

// Limits bound a command and all that it starts, together. Zero means the
// default, a negative value none.
type Limits struct {
	Processes int   // and threads
	Memory    int64 // bytes
	Disk      int64 // bytes that files may grow by
	Scratch   int64 // bytes in /tmp, which is memory
	Output    int   // bytes kept: the first half from the beginning, the second from the end
}

// DefaultLimits are far above what builds and tests need.
var DefaultLimits = Limits{Processes: 4096, Memory: 8 << 30, Disk: 8 << 30, Scratch: 2 << 30, Output: 1 << 20}

// filled returns l with the defaults for zeros and zeros for no limit.
func (l Limits) filled() Limits {
	return Limits{
		Processes: limit(l.Processes, DefaultLimits.Processes),
		Memory:    limit(l.Memory, DefaultLimits.Memory),
		Disk:      limit(l.Disk, DefaultLimits.Disk),
		Scratch:   limit(l.Scratch, DefaultLimits.Scratch),
		Output:    limit(l.Output, DefaultLimits.Output),
	}
}

func limit[N int | int64](asked, otherwise N) N {
	if asked == 0 {
		return otherwise
	}
	return max(asked, 0)
}

// A View is what differs from the disk in what a command sees: the edits of
// the draft and the user's unsaved buffers.
type View struct {
	Files map[string]File // by absolute path, in a root, folders without symbolic links
}

// A File is one file of a View. The view borrows its content.
type File struct {
	Content []byte
	Mode    fs.FileMode // permission bits; 0: those on the disk, or 0644
	Deleted bool
}

// A Stop is what ended a command before its time.
type Stop string

// The stops.
const (
	StopNone      Stop = ""
	StopTime      Stop = "time"
	StopDisk      Stop = "disk"
	StopMemory    Stop = "memory"
	StopProcesses Stop = "processes"
)

// A Result is what a command did.
type Result struct {
	Code    int           `json:"code"`   // exit code; 128+Signal if a signal ended it
	Signal  int           `json:"signal"` // 0: none
	Stop    Stop          `json:"stop,omitempty"`
	Output  string        `json:"output"` // both streams as they came, valid UTF-8, without control sequences
	Cut     int64         `json:"cut"`    // bytes left out of the middle of Output
	Changes []Change      `json:"changes"`
	Level   Level         `json:"level"`
	Elapsed time.Duration `json:"elapsed"` // nanoseconds
}

// How much of what a command wrote is loaded.
const (
	maxText  = 4 << 20  // bytes of one file
	maxTexts = 64 << 20 // bytes of all files of a command
)

// An Op is what happened to a file.
type Op string

// The operations, named as package edits names them.
const (
	Create Op = "create"
	Modify Op = "modify"
	Delete Op = "delete"
	Rename Op = "rename"
)

// A Change is what a command did to one file, against the view it was given.
type Change struct {
	Op      Op          `json:"op"`
	Path    string      `json:"path"`              // absolute
	To      string      `json:"to,omitempty"`      // absolute; of a Rename
	Content []byte      `json:"content,omitempty"` // the new text; nil for what is named only
	Mode    fs.FileMode `json:"mode"`              // permission bits, and fs.ModeSymlink for a link, fs.ModeIrregular for a pipe or socket in the place of a file
	Was     fs.FileMode `json:"was"`               // the same before; 0 for a Create
	Link    string      `json:"link,omitempty"`    // what a symbolic link leads to
	Size    int64       `json:"size"`              // bytes
	Binary  bool        `json:"binary,omitempty"`  // not UTF-8 text: named only
	Huge    bool        `json:"huge,omitempty"`    // too large to load: named only
}

// Named reports whether c is of a kind that is only named: a draft cannot hold
// it. Such files stay for the later commands of the Sandbox, and are named
// after each of them.
func (c *Change) Named() bool {
	return c.Op != Delete && (c.Binary || c.Huge || c.Mode&fs.ModeType != 0)
}

// check returns an error for options that nothing can be built on.
func (o *Options) check() error {
	if len(o.Roots) == 0 {
		return errors.New("sandbox: the workspace has no folder")
	}
	if o.Now == nil {
		return errors.New("sandbox: no clock")
	}
	for _, path := range append(slices.Clone(o.Roots), o.State) {
		if path == "/" {
			return errors.New("sandbox: all of / cannot be a workspace, nor the state folder")
		}
		if !filepath.IsAbs(path) || filepath.Clean(path) != path {
			return fmt.Errorf("sandbox: %q is no absolute and clean path of a folder", path)
		}
	}
	if err := checkMasks(o.Masks); err != nil {
		return err
	}
	return nil
}

// checkState returns an error for a state folder that a command could write.
func (o *Options) checkState(state string) error {
	for _, root := range o.Roots {
		if within(state, root) {
			return fmt.Errorf("sandbox: the state folder %s lies in the workspace %s: a command could write it", state, root)
		}
	}
	return nil
}

func checkMasks(paths []string) error {
	for _, path := range paths {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("sandbox: %q is no absolute path of what is to be hidden", path)
		}
	}
	return nil
}

// hide adds those of paths to the masks that are not among them.
func (o *Options) hide(paths []string) error {
	if err := checkMasks(paths); err != nil {
		return err
	}
	there := make(map[string]bool, len(o.Masks))
	for _, path := range o.Masks {
		there[path] = true
	}
	masks := slices.Clone(o.Masks) // its array may be the caller's
	for _, path := range paths {
		if !there[path] {
			there[path] = true
			masks = append(masks, path)
		}
	}
	o.Masks = masks
	return nil
}

// argv returns what is to be run, or an error that says what is missing.
func (c *Command) argv() ([]string, error) {
	switch {
	case len(c.Argv) > 0 && c.Shell != "":
		return nil, errors.New("a command is either a program or a script, not both")
	case c.Shell != "":
		return []string{"/bin/sh", "-c", c.Shell}, nil
	case len(c.Argv) == 0 || c.Argv[0] == "":
		return nil, errors.New("no command to run")
	}
	for _, arg := range c.Argv {
		if strings.ContainsRune(arg, 0) {
			return nil, errors.New("a command cannot hold a NUL byte")
		}
	}
	return c.Argv, nil
}

// within reports whether path is dir or lies in it. Both are clean.
func within(path, dir string) bool {
	if dir == "/" {
		return true
	}
	return strings.HasPrefix(path, dir) && (len(path) == len(dir) || path[len(dir)] == '/')
}
