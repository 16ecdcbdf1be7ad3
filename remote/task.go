// Package remote hands tasks to a task service and brings back what became of
// them: the types on the wire, and a client that is an agent.Runner.
package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

// Prefix begins the paths of the API that this package defines. The Codex
// tasks API stands beside it (see codex.go).
const Prefix = "/v1"

// MaxAttempts is how many attempts a task may have.
const MaxAttempts = 4

// A Spec is what a client asks for.
type Spec struct {
	Key         string     `json:"key"` // chosen by the client: the same key means the same task
	Mode        agent.Mode `json:"mode"`
	Prompt      string     `json:"prompt"`
	Attempts    int        `json:"attempts,omitempty"`    // 0 is 1
	Environment string     `json:"environment,omitempty"` // by name; "" has no commands
	Focus       *Focus     `json:"focus,omitempty"`
	Base        Base       `json:"base"`
}

// A Base is the code that a task starts from: a commit, or nothing, with an
// overlay or a diff on it.
type Base struct {
	Commit  string    `json:"commit,omitempty"` // hexadecimal; "" is the branch of the environment's repository, or nothing
	Branch  string    `json:"branch,omitempty"` // of the environment's repository; "" is its HEAD
	Bundle  text.Hash `json:"bundle,omitzero"`  // of the blob that holds Commit; zero where the service has it
	Overlay text.Hash `json:"overlay,omitzero"` // of the blob that is an Overlay; zero for none
	Diff    string    `json:"diff,omitempty"`   // unified, with git's headers
}

// MaxOverlay is how many bytes an Overlay may have, as JSON.
const MaxOverlay = 400 << 20

// An Overlay is how a tree differs from a commit: the files that were changed,
// made or removed, saved or not.
type Overlay struct {
	Files []OverlayFile `json:"files"`
}

// An OverlayFile is one file of an Overlay.
type OverlayFile struct {
	Path    string      `json:"path"` // relative, clean, with slashes
	Gone    bool        `json:"gone,omitempty"`
	Mode    fs.FileMode `json:"mode,omitempty"` // permission bits; 0 is 0644
	Content []byte      `json:"content,omitempty"`
}

// ParseOverlay reads an overlay. The error names the file whose path leads
// outside, into a .git, or is there twice.
func ParseOverlay(content []byte) (*Overlay, error) {
	var o Overlay
	if err := json.Unmarshal(content, &o); err != nil {
		return nil, fmt.Errorf("read overlay: %w", err)
	}
	seen := map[string]bool{}
	for _, f := range o.Files {
		if err := CheckPath(f.Path); err != nil {
			return nil, fmt.Errorf("read overlay: %w", err)
		}
		if seen[f.Path] || f.Mode&^fs.ModePerm != 0 {
			return nil, fmt.Errorf("read overlay: %q is there twice, or is no plain file", f.Path)
		}
		seen[f.Path] = true
	}
	return &o, nil
}

// CheckPath returns edits.ErrOutside, with the name, unless name is relative,
// clean, with slashes, and leads neither out nor into a .git.
func CheckPath(name string) error {
	wrong := fmt.Errorf("path %q: %w", name, edits.ErrOutside)
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\\x00") {
		return wrong
	}
	for part := range strings.SplitSeq(name, "/") {
		if edits.IsGit(part) {
			return wrong
		}
	}
	return nil
}

// A Focus is agent.Focus with a path that means the same on both sides.
type Focus struct {
	Path   string    `json:"path"` // relative, with slashes
	Span   text.Span `json:"span"`
	Symbol string    `json:"symbol,omitempty"`
}

// ErrSpec is in the errors of a Spec that asks for what cannot be.
var ErrSpec = errors.New("the task cannot be taken")

// Check returns an error, which is ErrSpec, for what makes no sense in itself.
func (s *Spec) Check() error {
	reason := ""
	switch {
	case s.Mode != agent.Ask && s.Mode != agent.Explain && s.Mode != agent.Edit:
		reason = fmt.Sprintf("the mode %q is none of ask, explain and edit", s.Mode)
	case strings.TrimSpace(s.Prompt) == "" && s.Mode != agent.Explain:
		reason = "the prompt is empty"
	case s.Attempts < 0 || s.Attempts > MaxAttempts:
		reason = fmt.Sprintf("%d attempts; there may be %d", s.Attempts, MaxAttempts)
	case s.Base.Commit != "" && !isCommit(s.Base.Commit):
		reason = fmt.Sprintf("%q is no commit", s.Base.Commit)
	case s.Base.Commit == "" && s.Environment == "" && s.Base.Overlay.IsZero():
		reason = "there is no code to start from: a commit, an overlay or an environment is needed"
	case !s.Base.Bundle.IsZero() && s.Base.Commit == "":
		reason = "a bundle without the commit that it holds"
	case strings.HasPrefix(s.Base.Branch, "-") || strings.ContainsAny(s.Base.Branch, " ~^:?*[\\\x00") || strings.Contains(s.Base.Branch, ".."):
		reason = fmt.Sprintf("%q is no branch", s.Base.Branch)
	case s.Focus != nil && CheckPath(s.Focus.Path) != nil:
		reason = fmt.Sprintf("the focus %q lies outside", s.Focus.Path)
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrSpec, reason)
}

// isCommit reports whether s is the hexadecimal hash of a commit, whole.
func isCommit(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// A State is where a task or an attempt is.
type State string

// The states. The last three are for ever.
const (
	Pending   State = "pending"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Ended reports whether nothing follows s.
func (s State) Ended() bool { return s == Done || s == Failed || s == Cancelled }

// A Task is a task as the service has it.
type Task struct {
	ID          string     `json:"id"`
	Title       string     `json:"title"` // the first line of the prompt
	Prompt      string     `json:"prompt"`
	Mode        agent.Mode `json:"mode"`
	Environment string     `json:"environment,omitempty"`
	Base        Base       `json:"base"`
	State       State      `json:"state"`
	Created     time.Time  `json:"created"`
	Updated     time.Time  `json:"updated"`
	Attempts    []Attempt  `json:"attempts"`
}

// An Attempt is one execution of a task on the service.
type Attempt struct {
	ID      string    `json:"id"`
	Number  int       `json:"number"` // from 1
	State   State     `json:"state"`
	Tries   int       `json:"tries"` // how often it was begun: more than once after a crash
	Updated time.Time `json:"updated,omitzero"`
	Result  *Result   `json:"result,omitempty"` // once it has ended, but for one that was cancelled
}

// A Result is what an attempt ended with.
type Result struct {
	Answer   string        `json:"answer"`           // Markdown
	Diff     string        `json:"diff,omitempty"`   // unified, with git's headers; from the base
	Files    int           `json:"files"`            // that Diff changes
	Added    int           `json:"added"`            // lines
	Removed  int           `json:"removed"`          // lines
	Commit   string        `json:"commit,omitempty"` // that Diff is from, where the environment chose it
	Usage    agent.Usage   `json:"usage"`
	Source   string        `json:"source"`
	Verified []edits.Check `json:"verified,omitempty"`
	Failure  *Failure      `json:"failure,omitempty"`
}

// A Failure is why an attempt has no result.
type Failure struct {
	Code    string `json:"code"` // SETUP_FAILED, BASE_FAILED, RUN_FAILED or GAVE_UP
	Message string `json:"message"`
}

// The codes of a Failure.
const (
	BaseFailed  = "BASE_FAILED"  // there is no checkout to work on
	SetupFailed = "SETUP_FAILED" // the environment's set-up
	RunFailed   = "RUN_FAILED"   // the agent
	GaveUp      = "GAVE_UP"      // it failed again and again
)

// An Environment is a repository and the commands that belong to it.
type Environment struct {
	Name   string   `json:"name"`
	Repo   string   `json:"repo,omitempty"` // URL, or path on the service's machine
	Setup  []string `json:"setup,omitempty"`
	Verify []string `json:"verify,omitempty"`

	// Network says that the set-up commands reach the network: whoever declares
	// the environment agrees to it. The agent's and the verify commands never do.
	Network bool `json:"network,omitempty"`
}

// Check returns an error for a name that cannot be one.
func (e *Environment) Check() error {
	if e.Name == "" || len(e.Name) > 100 || !fs.ValidPath(e.Name) || e.Name == "." || strings.Trim(e.Name, nameRunes) != "" {
		return fmt.Errorf("%q is no name for an environment: letters, digits, and ._/- are allowed", e.Name)
	}
	if strings.HasPrefix(e.Repo, "-") {
		return fmt.Errorf("%q is no repository", e.Repo)
	}
	return nil
}

const nameRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-"

// A Kind says what an Event is about.
type Kind string

// The kinds of events.
const (
	Stage     Kind = "stage"     // Text: what the attempt does now
	Text      Kind = "text"      // Text: a further piece of the answer
	Reasoning Kind = "reasoning" // Text: a further piece of the summary of its thinking
	Step      Kind = "step"      // Step, Tool, Title: a tool call begins
	StepDone  Kind = "stepDone"  // and ends; Failed says what went wrong, Detail what else is to be said
	Waiting   Kind = "waiting"   // Text: why; the last Void bytes of text come again
	Output    Kind = "output"    // Text: what a set-up or verify command prints
	Verified  Kind = "verified"  // Check
)

// An Event is one thing that happened in an attempt.
type Event struct {
	Seq     uint64    `json:"seq"` // from 1, upwards within a task
	Attempt int       `json:"attempt"`
	Time    time.Time `json:"time"`
	Kind    Kind      `json:"kind"`
	Text    string    `json:"text,omitempty"`
	Step    string    `json:"step,omitempty"`
	Tool    string    `json:"tool,omitempty"`
	Title   string    `json:"title,omitempty"`
	Failed  string    `json:"failed,omitempty"`
	Detail  string    `json:"detail,omitempty"`
	Void    int       `json:"void,omitempty"`

	Check *edits.Check `json:"check,omitempty"`
}

// A Log is a part of what happened in a task.
type Log struct {
	Events []Event `json:"events"` // those that follow begin behind the last one's Seq; none at the end
}

// A Page is a part of the list of tasks, the newest first.
type Page struct {
	Tasks  []Task `json:"tasks"`
	Cursor string `json:"cursor,omitempty"` // of the next part; "" at the end
}

// A Service is what a task service says about itself.
type Service struct {
	Name    string `json:"name"` // "agentls"
	Version string `json:"version"`
	Confine string `json:"confine"` // how commands are confined; "" where they are refused
}

// ServiceName is the Name of a Service that speaks this package's API.
const ServiceName = "agentls"

// Commits is a question, which of these a service has, and its answer.
type Commits struct {
	Commits []string `json:"commits"`
}

// A Problem is the body of an answer that is an error.
type Problem struct {
	Error struct {
		Message string `json:"message"`
	} `json:"error"`
}
