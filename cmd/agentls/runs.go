package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/transcripts"
	"github.com/agentls/agentls/edits"
)

func (a *app) runsCommand() *cobra.Command {
	var asked request
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List, show, resume and export runs of the agent",
		Example: `  agentls runs
  agentls runs list --json
  agentls runs show 5k2mzq7c
  agentls runs resume 5k2mzq7c
  agentls runs resume 5k2mzq7c "the parser too, please"
  agentls runs export 5k2mzq7c > run.md`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listRuns(cmd, asked.dir) },
	}
	cmd.PersistentFlags().StringVar(&asked.dir, "dir", ".", "the workspace")
	one := func(use, short string, run func(cmd *cobra.Command, given []string) error, check cobra.PositionalArgs) *cobra.Command {
		sub := &cobra.Command{
			Use: use, Short: short, Args: args(check), ValidArgsFunction: cobra.NoFileCompletions, RunE: run,
		}
		cmd.AddCommand(sub)
		return sub
	}
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List the runs of this workspace, the newest first", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listRuns(cmd, asked.dir) },
	})
	one("show ID", "Print what a run did", func(cmd *cobra.Command, given []string) error { return a.showRun(cmd, asked.dir, given[0]) }, cobra.ExactArgs(1))
	one("export ID", "Print a run as Markdown, or with --json all that is kept of it", func(cmd *cobra.Command, given []string) error { return a.exportRun(cmd, asked.dir, given[0]) }, cobra.ExactArgs(1))
	resume := one("resume ID [MESSAGE]", "Go on with a run that was cut off, stopped or paused; or, with a message, that is done", func(cmd *cobra.Command, given []string) error {
		asked.prompt = strings.Join(given[1:], " ")
		if err := asked.checkBudget(); err != nil {
			return err
		}
		return a.resumeRun(cmd, asked, given[0])
	}, cobra.MinimumNArgs(1))
	a.runFlags(resume, &asked)
	return cmd
}

// transcriptsOf returns the transcripts of the workspace of dir.
func (a *app) transcriptsOf(cmd *cobra.Command, dir string) (*transcripts.Store, error) {
	root, err := workspaceRoot(cmd.Context(), dir)
	if err != nil {
		return nil, err
	}
	return transcripts.Open(runsDir(stateOf([]string{root}))), nil
}

// A runLine is a run as a list shows it.
type runLine struct {
	ID     string         `json:"id"`
	Title  string         `json:"title"`
	Parent string         `json:"parent,omitempty"` // the run that it is a part of
	Mode   agent.Mode     `json:"mode"`
	State  agent.RunState `json:"state"`
	Reason string         `json:"reason,omitempty"`
	Model  string         `json:"model"`
	Turns  int            `json:"turns"`
	Usage  agent.Usage    `json:"usage"`
	Cost   *float64       `json:"cost,omitempty"` // US dollars; absent: not known
	Lost   int            `json:"lost,omitempty"` // lines of its transcript that cannot be read
	Began  time.Time      `json:"began"`
	Last   time.Time      `json:"last"`
}

func lineOf(run *transcripts.Run) runLine {
	p := run.Past
	line := runLine{
		ID: run.ID, Title: p.Task.Title(), Parent: p.Task.Parent, Mode: p.Task.Mode, State: agent.RunState(plain(string(p.State))), Reason: p.Reason, Model: p.Model,
		Turns: p.Turns, Usage: p.Usage, Cost: p.Cost, Lost: p.Lost, Began: p.Began, Last: p.Last,
	}
	return line
}

func (a *app) listRuns(cmd *cobra.Command, dir string) error {
	store, err := a.transcriptsOf(cmd, dir)
	if err != nil {
		return err
	}
	runs, err := store.List()
	if err != nil {
		cmd.PrintErrln(plain(err.Error()))
	}
	lines := make([]runLine, len(runs))
	for i, run := range runs {
		lines[i] = lineOf(run)
	}
	if a.json {
		return printJSON(cmd, lines)
	}
	color := paletteFor(cmd.OutOrStdout())
	for i := range lines {
		l := &lines[i]
		cmd.Printf("%s  %s  %s  %s\n", color.bold(l.ID), paintRunState(color, l.State), l.Last.Local().Format(time.DateTime), plain(l.Title))
		more := ""
		if l.Parent != "" {
			more = ", a part of " + l.Parent
		}
		cmd.Println(color.dim(fmt.Sprintf("  %s, %s%s", count(l.Turns, "turn"), spent(l.Usage, l.Cost), more)))
		if l.Reason != "" {
			cmd.Println(color.dim("  " + plain(firstLine(l.Reason))))
		}
		sayLost(cmd, l.Lost)
	}
	if len(lines) == 0 {
		cmd.Println("no runs yet")
	}
	return nil
}

// sayLost tells that a transcript is damaged.
func sayLost(cmd *cobra.Command, lines int) {
	if lines > 0 {
		cmd.PrintErrf("  its transcript is damaged: what %s of it say is lost\n", count(lines, "line"))
	}
}

func paintRunState(color palette, state agent.RunState) string {
	padded := fmt.Sprintf("%-7s", string(state))
	switch state {
	case agent.Done:
		return color.green(padded)
	case agent.Failed, agent.Stopped:
		return color.red(padded)
	default:
		return color.cyan(padded)
	}
}

func (a *app) showRun(cmd *cobra.Command, dir, id string) error {
	store, err := a.transcriptsOf(cmd, dir)
	if err != nil {
		return err
	}
	run, err := store.Load(id)
	if err != nil {
		return err
	}
	line := lineOf(run)
	if a.json {
		return printJSON(cmd, line)
	}
	color := paletteFor(cmd.OutOrStdout())
	cmd.Printf("%s  %s  %s\n%s\n\n", color.bold(line.ID), paintRunState(color, line.State), plain(line.Title),
		color.dim(fmt.Sprintf("%s: %s, %s", plain(line.Model), count(line.Turns, "turn"), spent(line.Usage, line.Cost))))
	sayLost(cmd, line.Lost)
	cmd.Print(plain(storyOf(cmd, dir, run)))
	return nil
}

func (a *app) exportRun(cmd *cobra.Command, dir, id string) error {
	store, err := a.transcriptsOf(cmd, dir)
	if err != nil {
		return err
	}
	run, err := store.Load(id)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(cmd, run.Records)
	}
	line := lineOf(run)
	cmd.Printf("# %s\n\nRun %s, %s, %s: %s, %s.\n\n%s", plain(line.Title), line.ID, line.State, plain(line.Model),
		count(line.Turns, "turn"), spent(line.Usage, line.Cost), plain(storyOf(cmd, dir, run)))
	return nil
}

// storyOf tells a run in Markdown: what was said, done and changed.
func storyOf(cmd *cobra.Command, dir string, run *transcripts.Run) string {
	rel := func(path string) string { return path }
	if root, err := workspaceRoot(cmd.Context(), dir); err == nil {
		rel = relativeTo(root)
	}
	var b strings.Builder
	names := map[string]string{}
	for i := range run.Records {
		rec := &run.Records[i]
		switch rec.Kind {
		case agent.TaskGiven:
			fmt.Fprintf(&b, "**Task:** %s\n\n", rec.Task.Wish())
		case agent.Resumed:
			b.WriteString("*It went on.*\n\n")
		case agent.ResponseCame:
			for _, text := range rec.Texts {
				b.WriteString(text + "\n\n")
			}
			for _, call := range rec.Calls {
				names[call.ID] = call.Name
			}
		case agent.CallAnswered:
			b.WriteString(callLine(rec, names[rec.Call], rel))
		case agent.MessageGiven, agent.RoundBegun:
			for _, item := range rec.Items {
				if message, ok := item.(agent.UserMessage); ok {
					fmt.Fprintf(&b, "> %s\n\n", strings.ReplaceAll(strings.TrimRight(message.Text, "\n"), "\n", "\n> "))
				}
			}
		case agent.PlanMoved:
			b.WriteString(rec.Plan.String() + "\n")
		case agent.StepClosed:
			fmt.Fprintf(&b, "*Step done: %s*\n\n", rec.Call)
		case agent.Compacted:
			b.WriteString("*The conversation was made shorter.*\n\n")
		case agent.RunEnded:
			fmt.Fprintf(&b, "*It is %s. %s*\n\n", rec.State, rec.Reason)
		case agent.CallBegun, agent.PartEnded:
		}
	}
	return b.String()
}

// callLine tells a call, and what it changed.
func callLine(rec *agent.Record, name string, rel func(string) string) string {
	line := fmt.Sprintf("- `%s`", name)
	if rec.Failed != "" {
		line += ": failed: " + firstLine(rec.Failed)
	}
	for _, f := range rec.Files {
		word := "wrote"
		if f.Gone {
			word = "removed"
		}
		line += fmt.Sprintf("; %s %s", word, rel(f.Path))
	}
	return line + "\n\n"
}

func (a *app) resumeRun(cmd *cobra.Command, asked request, id string) error {
	store, err := a.transcriptsOf(cmd, asked.dir)
	if err != nil {
		return err
	}
	past, file, err := store.Resume(id)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // each turn was synced
	sayLost(cmd, past.Lost)
	task := past.Task
	if task.Parent != "" {
		return fmt.Errorf("%s is a part of run %s, which can go on: agentls runs resume %s", id, task.Parent, task.Parent)
	}
	task.Past, task.Transcript, task.Inbox, task.Keep = past, file, &agent.Inbox{}, a.keepParts(store)
	if past.State == agent.Done && past.Task.Mode.Edits() {
		task.Round, err = a.roundOf(cmd, asked, id)
		if err != nil {
			return err
		}
	} else {
		task.Inbox.Put(asked.prompt)
	}
	err = a.perform(cmd, asked, task)
	if errors.Is(err, agent.ErrDone) {
		return fmt.Errorf("%w: agentls runs resume %s MESSAGE", err, id)
	}
	return err
}

// roundOf returns what the user made of what a run proposed, and their message.
func (a *app) roundOf(cmd *cobra.Command, asked request, id string) (*agent.Round, error) {
	root, err := workspaceRoot(cmd.Context(), asked.dir)
	if err != nil {
		return nil, err
	}
	proposals := edits.OpenProposals(proposalsDir(stateOf([]string{root})))
	all, err := proposals.List()
	if err != nil {
		cmd.PrintErrln(plain(err.Error()))
	}
	proposed := agent.Proposed(id, all)
	for _, cs := range proposed {
		if cs.Pending() > 0 && asked.prompt != "" {
			cmd.PrintErrf("not decided yet, and what comes now builds on it: agentls changes apply %s\n", cs.ID)
		}
	}
	return &agent.Round{Changes: proposed, Message: asked.prompt}, nil
}
