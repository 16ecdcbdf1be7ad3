package agent

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Permission is something that a command needs its user's word for.
type Permission struct {
	Kind    PermissionKind
	Command string // the whole line
	Dir     string // as Command.Dir
	Path    string // of Outside: the folder that it writes
	Reason  string // the model's own words; may be empty
}

// Question asks for p in words, with all of the command. One that a terminal or
// a dialogue could show as something else is quoted, and the question says so.
func (p *Permission) Question() string {
	wants := "let this command of the agent reach the network?"
	switch p.Kind {
	case Network:
	case Verify:
		wants = "check every change with this command?"
	case Unconfined:
		wants = "run this command of the agent? Nothing confines it here: it can do what you can."
	case Outside:
		wants = "let this command of the agent change what is in " + spelled(p.Path) + "? That is outside the workspace: it is done for real, and cannot be taken back."
	}
	question := wants + "\n  " + spelled(p.Command)
	if !isSeen(p.Command) {
		question += "\n" + `(quoted, because not all of it can be seen: \n begins a new line, \\ is a backslash)`
	}
	if p.Dir != "" {
		question += "\nin " + spelled(p.Dir)
	}
	if p.Reason != "" {
		question += "\nits reason: " + spelled(abbreviate(p.Reason, maxReason))
	}
	return question
}

const maxReason = 300 // bytes

// spelled returns s if all of it can be seen. Else it returns s quoted, as Go
// does it, where nothing passes for something else: a backslash of its own has
// another one in front.
func spelled(s string) string {
	if isSeen(s) {
		return s
	}
	var b strings.Builder
	for _, r := range strconv.Quote(s) {
		if isUnseen(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isSeen(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, isUnseen) }

// isUnseen reports whether r shows as nothing, or changes how the text around
// it shows.
func isUnseen(r rune) bool {
	const blank = '\u2800' // of Braille
	return !strconv.IsPrint(r) || r == blank || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// A PermissionKind says what a Permission is for.
type PermissionKind string

// The permissions.
const (
	Unconfined PermissionKind = "unconfined" // to run a command that nothing confines here
	Network    PermissionKind = "network"    // to let a command reach the network of this machine
	Outside    PermissionKind = "outside"    // to let a command write in a folder outside the workspace
	Verify     PermissionKind = "verify"     // to check every change with a command, before it is shown; no run asks for it
)

// A Grant is the user's word on a Permission.
type Grant int

// The grants.
const (
	Refused      Grant = iota
	Once               // for this command
	ForRun             // for all commands of the run
	ForWorkspace       // for this command, in all runs in the workspace; whoever asks keeps that
)

// Permit asks the user, and waits for the word. The error says why they could
// not be asked.
type Permit func(ctx context.Context, p Permission) (Grant, error)

// maxAskedAbout is how many bytes of a command a person can be asked to judge.
const maxAskedAbout = 1 << 10

// refusals say what the model has to do without.
var refusals = map[PermissionKind]string{
	Unconfined: "nothing confines commands on this machine, so each needs the user's word, and it was not given: do without this command, and say what you could not try",
	Outside:    "writing outside the workspace needs the user's word, and it was not given: do without it, and say what you could not do",
	Network:    "the network needs the user's word, and it was not given: do without it, and say what you could not try",
}

// permit asks the user for what cmd needs their word for, unless they gave it
// for the whole run. The error is a Failure where they refuse.
func (r *run) permit(ctx context.Context, cmd *Command, reason string) error {
	p := Permission{Command: cmd.Line, Dir: cmd.Dir, Reason: reason}
	if !r.sandbox.Confinement(ctx).Holds {
		cmd.Unconfined = true
		p.Kind = Unconfined
		return r.permitOne(ctx, p)
	}
	if cmd.Network {
		p.Kind = Network
		if err := r.permitOne(ctx, p); err != nil {
			return err
		}
	}
	if cmd.Writes != "" {
		p.Kind, p.Path = Outside, cmd.Writes
		return r.permitOne(ctx, p)
	}
	return nil
}

// permitOne asks for p, unless it was granted for the run: of Outside, for that
// folder.
func (r *run) permitOne(ctx context.Context, p Permission) error {
	key := string(p.Kind) + " " + p.Path
	if r.allowed[key] {
		return nil
	}
	grant, err := r.ask(ctx, p)
	switch {
	case err != nil:
		return err
	case grant == Refused:
		return Fail("%s", refusals[p.Kind])
	case grant == ForRun:
		r.allowed[key] = true
	}
	return nil
}

func (r *run) ask(ctx context.Context, p Permission) (Grant, error) {
	if len(p.Command) > maxAskedAbout {
		return Refused, Fail("the user has to judge this command, and it has more than %d bytes: make it shorter", maxAskedAbout)
	}
	if r.task.Permit == nil {
		return Refused, nil
	}
	r.sink(Waiting{Reason: "waiting for your word on a command"})
	grant, err := r.task.Permit(ctx, p)
	switch {
	case ctx.Err() != nil:
		return Refused, context.Cause(ctx)
	case err != nil:
		return Refused, Fail("%s (the user could not be asked: %v)", refusals[p.Kind], err)
	}
	return grant, nil
}
