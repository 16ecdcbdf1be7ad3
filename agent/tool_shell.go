package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"time"
)

const (
	defaultTimeout = 2 * time.Minute
	longestTimeout = 30 * time.Minute
	maxCommand     = 8 << 10 // bytes
)

// shell runs commands on the draft. It belongs to one run.
type shell struct{ run *run }

type shellArgs struct {
	Command string `json:"command"`
	Dir     string `json:"dir"`
	Timeout int    `json:"timeout_seconds"`
	Network bool   `json:"network"`
	Writes  string `json:"writes"`
	Reason  string `json:"reason"`
}

func (shell) Spec() ToolSpec { return spec("shell") }

func (shell) Title(args json.RawMessage) string {
	a, _ := decode[shellArgs](args)
	return about("run", strings.TrimSpace(a.Command))
}

func (s shell) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[shellArgs](raw)
	if err != nil {
		return "", err
	}
	cmd, err := args.command(d)
	if err != nil {
		return "", err
	}
	if err := s.run.permit(ctx, &cmd, args.Reason); err != nil {
		return "", err
	}
	s.run.begins(s.run.present())
	before, was := d.Now(), maps.Clone(d.changed)
	res, err := s.run.sandbox.Run(ctx, d, cmd)
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", Fail("the command could not be run: %v", err)
	}
	s.run.detail = fmt.Sprintf("%s after %v, sandbox: %s", outcome(res.Exit, res.Stopped), res.Elapsed.Round(10*time.Millisecond), s.run.sandbox.Confinement(ctx).level())
	followed, err := d.consequences(ctx, before, was)
	return res.report() + followed, err
}

// command returns what is to be run, or a Failure.
func (a *shellArgs) command(d *Draft) (cmd Command, err error) {
	switch {
	case strings.TrimSpace(a.Command) == "":
		return cmd, Fail("the command is empty")
	case strings.ContainsRune(a.Command, 0):
		return cmd, Fail("the command has a NUL in it, which no command can have")
	case len(a.Command) > maxCommand:
		return cmd, Fail("the command has more than %d bytes; write a script with apply_patch and run that", maxCommand)
	}
	if a.Writes != "" && (!filepath.IsAbs(a.Writes) || filepath.Clean(a.Writes) != a.Writes || strings.ContainsFunc(a.Writes, isUnseen)) {
		return cmd, Fail("%q is no absolute path of a folder", a.Writes)
	}
	cmd = Command{Line: a.Command, Timeout: defaultTimeout, Network: a.Network, Writes: a.Writes}
	if a.Timeout > 0 {
		cmd.Timeout = min(time.Duration(a.Timeout)*time.Second, longestTimeout)
	}
	if a.Dir != "" && a.Dir != "." {
		if cmd.Dir, err = d.Resolve(a.Dir); err != nil {
			return cmd, Fail("%v", err)
		}
	}
	return cmd, nil
}

// outcome says how a command ended.
func outcome(exit int, stopped string) string {
	if stopped != "" {
		return "stopped by its limit of " + stopped
	}
	return fmt.Sprintf("exit code %d", exit)
}

// report tells the model what a command did. How long it took is left out:
// the same command has the same report.
func (r *CommandResult) report() string {
	var b strings.Builder
	b.WriteString(outcome(r.Exit, r.Stopped) + "\n")
	b.WriteString(r.Output)
	if r.Output != "" && !strings.HasSuffix(r.Output, "\n") {
		b.WriteString("\n")
	}
	const most = 50 // lines
	lines := r.Changes
	for _, left := range r.Left {
		lines = append(lines, "not among your changes: "+left)
	}
	for _, line := range lines[:min(len(lines), most)] {
		fmt.Fprintf(&b, "[%s]\n", line)
	}
	if len(lines) > most {
		fmt.Fprintf(&b, "[and %d more files]\n", len(lines)-most)
	}
	return b.String()
}
