package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/index/git"
)

// withContext fills in what a conversation begins with, of this user and this
// machine.
func (a *app) withContext(opts agent.Options, model string) agent.Options {
	if file := configFile(); file != "" {
		guidance, err := os.ReadFile(filepath.Join(filepath.Dir(file), "AGENTS.md"))
		if err == nil {
			opts.Guidance = string(guidance)
		}
	}
	opts.Tokens, opts.State, opts.Histories = tokensFor(model), a.gitState, &a.histories
	return opts
}

// How much is told of version control, and how long it may take: no run waits
// for a slow repository.
const (
	maxChanged  = 40 // files
	gitPatience = 300 * time.Millisecond
)

// gitState says on which branch the folders of snap are, and what is changed in
// them. Where there is no repository, or git is slow, it says nothing.
func (a *app) gitState(ctx context.Context, snap *index.Snapshot) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
	defer cancel()
	var b strings.Builder
	for _, root := range snap.Roots() {
		status, err := git.ReadStatus(ctx, root)
		if err != nil {
			continue // the run can do without
		}
		fmt.Fprintf(&b, "branch %s, %s changed and not committed\n", status.Branch, count(len(status.Changed), "file"))
		for _, line := range status.Changed[:min(len(status.Changed), maxChanged)] {
			b.WriteString(line + "\n")
		}
		if more := len(status.Changed) - maxChanged; more > 0 {
			fmt.Fprintf(&b, "and %d more\n", more)
		}
	}
	return b.String(), nil
}

var ratios sync.Mutex // one writer of the file at a time

// tokensFor returns the estimate for a model, which goes on from what was
// learned of it before.
func tokensFor(model string) *agent.Tokens {
	path := filepath.Join(stateDir(), "tokens.json")
	return agent.NewTokens(readRatios(path)[model], func(ratio float64) {
		ratios.Lock()
		defer ratios.Unlock()
		known := readRatios(path)
		known[model] = ratio
		raw, err := json.Marshal(known)
		if err != nil {
			return
		}
		tmp := path + "." + newID()
		if os.WriteFile(tmp, raw, 0o600) != nil || os.Rename(tmp, path) != nil {
			_ = os.Remove(tmp) // an estimate is all that is lost
		}
	})
}

// readRatios returns bytes a token by model; nothing where there is no such
// file.
func readRatios(path string) map[string]float64 {
	known := map[string]float64{}
	if raw, err := os.ReadFile(path); err == nil {
		_ = json.Unmarshal(raw, &known) // else it is learned anew
	}
	return known
}

func (a *app) contextCommand() *cobra.Command {
	var mode, output string
	var choice agent.Choice
	cmd := &cobra.Command{
		Use:   "context FILE[:LINE] [TASK]",
		Short: "List what a model would be sent for a task, with tokens and reasons; asks none",
		Example: `  agentls context mux.go:47 "is this safe for concurrent use?"
  agentls context mux.go:47 "make it so" --mode edit --drop tests --json
  go test ./... 2>&1 | agentls context mux.go:47 "why does it fail?" --output -`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			task := agent.Task{Mode: agent.Mode(mode), Prompt: strings.Join(given[1:], " "), Choice: choice}
			switch task.Mode {
			case agent.Ask, agent.Explain, agent.Edit:
			default:
				return usageError("--mode is ask, explain or edit, not %q", mode)
			}
			var err error
			if task.Output, err = readOutput(cmd, output); err != nil {
				return err
			}
			return a.showContext(cmd, given[0], task)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&mode, "mode", string(agent.Ask), "ask, explain or edit")
	outputFlag(cmd, &output)
	flags.StringSliceVar(&choice.Drop, "drop", nil, "pieces not to send, by their names")
	flags.StringSliceVar(&choice.Pin, "pin", nil, "pieces to send whatever the budget")
	return cmd
}

// readOutput returns the content of the file that a flag names.
func readOutput(cmd *cobra.Command, name string) (string, error) {
	switch name {
	case "":
		return "", nil
	case "-":
		return readBounded(cmd.InOrStdin())
	}
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	said, err := readBounded(file)
	return said, errors.Join(err, file.Close())
}

// maxOutputRead is how much of an output is read; a model gets less.
const maxOutputRead = 4 << 20 // bytes

func readBounded(in io.Reader) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(in, maxOutputRead))
	return string(raw), err
}

func (a *app) showContext(cmd *cobra.Command, where string, task agent.Task) error {
	home, at, err := a.openAt(cmd.Context(), where)
	if err != nil {
		return err
	}
	defer home.Workspace.Close() //nolint:errcheck // only read
	sayElsewhere(cmd, home)
	setup := a.configure(cmd.Context(), nil, a.commandsFor)
	if setup.Err != nil {
		return setup.Err
	}
	snap := home.Workspace.Snapshot()
	if task.Focus, err = focusAt(cmd.Context(), snap, at); err != nil {
		return err
	}
	m, err := setup.Context(cmd.Context(), snap, task)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(cmd, m)
	}
	cmd.Print(plain(m.Markdown()))
	return nil
}
