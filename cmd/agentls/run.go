package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/transcripts"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/lsp"
)

// A request is what run was asked for.
type request struct {
	dir      string
	prompt   string
	yes      bool
	network  bool
	plan     bool // first
	attempts int  // at the task
	shown    handedOver
	budget   agent.Budget
}

func (a *app) runCommand() *cobra.Command {
	var asked request
	cmd := &cobra.Command{
		Use:   "run TASK",
		Short: "Run one task without an editor: plan, steps, diff; applied once you say so",
		Example: `  agentls run "return an error instead of panicking in Route"
  agentls run "add a test for parseHeader" --dir ~/src/project --yes
  agentls run "drop the deprecated calls" --verify "go vet ./..." --verify "go test ./..."
  go test ./... 2>&1 | agentls run "make the tests pass" --output -
  agentls run "make the parser twice as fast" --attempts 3 --verify "go test ./..."`,
		Args:              args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, given []string) error {
			asked.prompt = strings.Join(given, " ")
			switch {
			case strings.TrimSpace(asked.prompt) == "":
				return usageError("the task is empty: say what is to be done")
			case asked.attempts < 1 || asked.attempts > agent.MaxAttempts:
				return usageError("--attempts is a number from 1 to %d", agent.MaxAttempts)
			case asked.attempts > 1 && asked.plan:
				return usageError("--attempts and --plan exclude each other: a plan is one run's")
			}
			if err := asked.checkBudget(); err != nil {
				return err
			}
			return a.run(cmd, asked)
		},
	}
	a.runFlags(cmd, &asked)
	cmd.Flags().StringVar(&asked.dir, "dir", ".", "the workspace")
	cmd.Flags().BoolVar(&asked.plan, "plan", false, "show a plan, to accept or change, before anything is done")
	asked.shown.flags(cmd)
	cmd.Flags().IntVar(&asked.attempts, "attempts", 1, "try so often, three at a time, and offer what verifies best; --cost is for all together")
	return cmd
}

// runFlags adds the flags that run and runs resume have both.
func (a *app) runFlags(cmd *cobra.Command, asked *request) {
	flags := cmd.Flags()
	flags.BoolVarP(&asked.yes, "yes", "y", false, "apply without asking")
	flags.StringArrayVar(&a.flags.Verify, "verify", nil, "a command to check the change with, in the sandbox; may be given several times")
	flags.BoolVar(&asked.network, "network", false, "let the agent's commands use the network, if they ask for it")
	flags.IntVar(&asked.budget.Turns, "turns", 0, "pause after this many responses of the model (default 50)")
	flags.DurationVar(&asked.budget.Time, "time", 0, "pause after this time (such as 20m)")
	flags.Float64Var(&asked.budget.Cost, "cost", 0, "pause when this many US dollars are spent; needs a model whose price is known")
}

// checkBudget refuses a limit that is none.
func (r *request) checkBudget() error {
	switch {
	case r.budget.Turns < 0:
		return usageError("--turns is a number from 1, not %d", r.budget.Turns)
	case r.budget.Time < 0:
		return usageError("--time is a time such as 20m, not %v", r.budget.Time)
	case !(r.budget.Cost >= 0): // not a number, too
		return usageError("--cost is a number of US dollars, not %v", r.budget.Cost)
	}
	return nil
}

// A runReport is what run prints for programs.
type runReport struct {
	*agent.Result
	Entry string `json:"entry,omitempty"` // of the journal; absent where nothing was applied
}

func (a *app) run(cmd *cobra.Command, asked request) error {
	store, err := a.transcriptsOf(cmd, asked.dir)
	if err != nil {
		return err
	}
	asTold := agent.Task{Mode: agent.Edit, Prompt: asked.prompt}
	if err := asked.shown.into(cmd, &asTold); err != nil {
		return err
	}
	var tasks []agent.Task
	for range asked.attempts {
		task := asTold
		task.ID, task.Inbox = newID(), &agent.Inbox{}
		if asked.plan {
			task.Mode = agent.PlanFirst
		}
		file, err := store.Begin(task.ID)
		if err != nil {
			return err
		}
		defer file.Close() //nolint:errcheck // each turn was synced
		task.Transcript, task.Keep = file, a.keepParts(store)
		tasks = append(tasks, task)
	}
	return a.perform(cmd, asked, tasks...)
}

// keepParts returns what begins and takes up the transcripts of a run's parts. A
// part that cannot be kept runs all the same.
func (a *app) keepParts(store *transcripts.Store) func(id string) (*agent.Past, agent.Transcript, func()) {
	return func(id string) (*agent.Past, agent.Transcript, func()) {
		past, file, err := store.Part(id)
		if err != nil {
			a.log().Warn("this part is not kept", "run", id, "err", err)
			return nil, nil, func() {}
		}
		return past, file, func() { _ = file.Close() } // each turn was synced
	}
}

// perform runs a task, or the attempts at one, shows it, and offers what it
// changed.
func (a *app) perform(cmd *cobra.Command, asked request, tasks ...agent.Task) error {
	setup, home, err := a.openConfigured(cmd.Context(), asked.dir)
	if err != nil {
		return err
	}
	defer home.Workspace.Close() //nolint:errcheck // only read
	snap := home.Workspace.Snapshot()
	show := &transcript{cmd: cmd, color: paletteFor(cmd.OutOrStdout()), quiet: a.json}
	for i := range tasks {
		tasks[i].Permit, tasks[i].Question, tasks[i].Budget = home.Permissions.Permit(a.permit(cmd, asked)), a.asker(cmd), &asked.budget
		tasks[i].ReviewPlan = a.planner(cmd, asked)
	}
	var result *agent.Result
	if len(tasks) == 1 {
		result, err = setup.Runner.Run(cmd.Context(), snap, tasks[0], show.event)
	} else {
		result, err = agent.RunAttempts(cmd.Context(), setup.Runner, snap, tasks, show.event)
	}
	show.end()
	if err != nil {
		a.sayResumable(cmd, tasks, err)
		return err
	}
	return a.present(cmd, home, asked, keptRun(tasks, result), result)
}

// keptRun returns the run that result is of.
func keptRun(tasks []agent.Task, result *agent.Result) string {
	for _, attempt := range result.Attempts {
		if attempt.Kept {
			return attempt.Run
		}
	}
	return tasks[0].ID
}

// sayResumable tells how to go on with runs that did not come to their end.
func (a *app) sayResumable(cmd *cobra.Command, tasks []agent.Task, err error) {
	if errors.Is(err, agent.ErrNoModel) || errors.Is(err, agent.ErrDone) {
		return
	}
	for i := range tasks {
		cmd.PrintErrf("what it did is kept: agentls runs resume %s\n", tasks[i].ID)
	}
}

// errPaused is the end of a run that is not done.
var errPaused = errors.New("the run is paused")

// present shows what a run ended with, and offers what it changed.
func (a *app) present(cmd *cobra.Command, home lsp.Home, asked request, id string, result *agent.Result) (err error) {
	report := runReport{Result: result}
	wanted := a.decider(cmd, asked.yes)
	if err := a.keepAttempts(cmd, home, result.Attempts); err != nil {
		return err
	}
	if result.Paused != "" {
		wanted = func(*edits.ChangeSet) (bool, error) { return false, nil }
	}
	if cs := result.Change; cs != nil {
		if !a.json {
			color := paletteFor(cmd.OutOrStdout())
			cmd.Print("\n", color.diff(cs.Unified(home.Workspace.Snapshot().Rel)))
			printChecks(cmd, color, cs.Checks)
			printLeftOut(cmd, cs, home.Workspace.Snapshot().Rel)
			for _, line := range agent.SuggestChecks(cmd.Context(), home.Workspace.Snapshot(), cs) {
				cmd.PrintErrf("no command checked this; one that could: --verify %q, and for every change here: agentls permissions verify %[1]q\n", line)
			}
		}
		report.Entry, err = a.offer(cmd, home, result, wanted)
	} else if !a.json && result.Paused == "" {
		cmd.Println("nothing to change")
	}
	if a.json {
		_ = printJSON(cmd, report)
	} else {
		cmd.PrintErrln(spent(result.Usage, result.Cost))
	}
	if err == nil && result.Paused != "" {
		return fmt.Errorf("%w: %s; go on: agentls runs resume %s", errPaused, result.Paused, id)
	}
	return err
}

// keepAttempts lists the attempts at a task, and keeps what those changed that
// are not offered.
func (a *app) keepAttempts(cmd *cobra.Command, home lsp.Home, attempts []agent.Attempt) error {
	color := paletteFor(cmd.OutOrStdout())
	for i := range attempts {
		one := &attempts[i]
		more := ""
		switch {
		case one.Kept:
			more = color.green("  best: it is offered")
		case one.Change != nil:
			if err := home.Proposals.Save(one.Change); err != nil {
				return err
			}
			more = "  agentls changes show " + one.Change.ID
		}
		if !a.json {
			cmd.Printf("attempt %d (%s): %s%s\n", one.Number, one.Run, plain(one.Says), more)
		}
	}
	return nil
}

// asker returns who answers the model's questions: the user on a terminal;
// elsewhere nobody does.
func (a *app) asker(cmd *cobra.Command) agent.Asker {
	if a.json || !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil
	}
	return func(ctx context.Context, q agent.Question) (string, error) {
		text := "\n" + plain(q.Text) + "\n"
		for i, option := range q.Options {
			text += fmt.Sprintf("  %d  %s\n", i+1, plain(strings.Join(strings.Fields(option), " ")))
		}
		answer, err := askTerminal(ctx, cmd, text+"> ")
		if n, numberErr := strconv.Atoi(answer); numberErr == nil && n >= 1 && n <= len(q.Options) {
			answer = q.Options[n-1]
		}
		return answer, err
	}
}

// printChecks says how the checks of a change went, and what failed ones said.
func printChecks(cmd *cobra.Command, color palette, checks []edits.Check) {
	for i := range checks {
		c := &checks[i]
		cmd.Println(color.check(c))
		if c.Passed {
			continue
		}
		for line := range strings.Lines(c.Output) {
			cmd.Print("  " + line)
		}
		if c.Output != "" && !strings.HasSuffix(c.Output, "\n") {
			cmd.Println()
		}
	}
}

// permit returns who is asked about commands: the flag, or the user on a
// terminal; elsewhere nobody is.
func (a *app) permit(cmd *cobra.Command, asked request) agent.Permit {
	terminal := !a.json && term.IsTerminal(int(os.Stdin.Fd()))
	return func(ctx context.Context, p agent.Permission) (agent.Grant, error) {
		switch {
		case p.Kind == agent.Network && asked.network:
			return agent.ForRun, nil
		case !terminal:
			return agent.Refused, nil
		}
		answer, err := askTerminal(ctx, cmd, "\n"+p.Question()+"\n[y]es, once; [a]ll of this run; always [h]ere, this command; [N]o: ")
		return grants[strings.ToLower(answer)], err
	}
}

// askTerminal asks the user and returns their line. What was
// typed before they could read the question is no answer to it.
func askTerminal(ctx context.Context, cmd *cobra.Command, question string) (string, error) {
	if err := dropTyped(os.Stdin); err != nil {
		return "", fmt.Errorf("ask on the terminal: %w", err)
	}
	cmd.PrintErr(question)
	answered := make(chan string, 1)
	go func() { // ends with the line, or with the process: a terminal's reading cannot be called off
		line, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		answered <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case answer := <-answered:
		return answer, nil
	}
}

// grants are the answers on a terminal. Any other refuses.
var grants = map[string]agent.Grant{"y": agent.Once, "yes": agent.Once, "a": agent.ForRun, "all": agent.ForRun, "h": agent.ForWorkspace, "here": agent.ForWorkspace}

// offer applies what a run changed if the user says so; else it is kept as a
// proposal, or as one for each step of the plan.
func (a *app) offer(cmd *cobra.Command, home lsp.Home, result *agent.Result, wanted decide) (entry string, err error) {
	cs := result.Change
	if err := home.Proposals.Save(cs); err != nil {
		return "", err
	}
	if yes, err := wanted(cs); err == nil && yes {
		return a.apply(cmd, home, cs)
	} else if err != nil || len(result.Steps) < 2 {
		cmd.PrintErrf("kept as a proposal: agentls changes apply %s\n", cs.ID)
		return "", err
	}
	for _, step := range result.Steps {
		if err := home.Proposals.Save(step); err != nil {
			return "", err
		}
		cmd.PrintErrf("kept as a proposal: agentls changes apply %s  # %s\n", step.ID, plain(step.Title))
	}
	return "", home.Proposals.Remove(cs.ID)
}

// planner returns who looks at a plan: the flag, or the user on a terminal, who
// may write the steps anew; elsewhere nobody does.
func (a *app) planner(cmd *cobra.Command, asked request) agent.PlanReview {
	terminal := !a.json && term.IsTerminal(int(os.Stdin.Fd()))
	return func(ctx context.Context, plan agent.Plan) (agent.Plan, error) {
		switch {
		case asked.yes:
			return plan, nil
		case !terminal:
			return plan, agent.ErrNobody
		}
		answer, err := askTerminal(ctx, cmd, "\nDo that? [y]es; a number takes that step out; anything else tells the agent what to do instead: ")
		if err != nil {
			return plan, err
		}
		if n, numberErr := strconv.Atoi(answer); numberErr == nil && n >= 1 && n <= len(plan.Steps) {
			plan.Steps = slices.Delete(slices.Clone(plan.Steps), n-1, n)
			return plan, nil
		}
		if yes := strings.ToLower(answer); yes == "y" || yes == "yes" {
			return plan, nil
		}
		return plan, errors.New(cmp.Or(answer, "they did not say why"))
	}
}

// A decide function says whether a change set is applied.
type decide func(*edits.ChangeSet) (bool, error)

// decider returns who decides: the flag, or the user on a terminal; elsewhere
// nobody does.
func (a *app) decider(cmd *cobra.Command, yes bool) decide {
	switch {
	case yes:
		return func(*edits.ChangeSet) (bool, error) { return true, nil }
	case a.json || !term.IsTerminal(int(os.Stdin.Fd())):
		return func(*edits.ChangeSet) (bool, error) { return false, nil }
	}
	return func(cs *edits.ChangeSet) (bool, error) {
		question := fmt.Sprintf("apply %s in %s? [y/N] ", count(cs.Pending(), "hunk"), count(len(cs.Files), "file"))
		answer, err := askTerminal(cmd.Context(), cmd, question)
		answer = strings.ToLower(answer)
		return answer == "y" || answer == "yes", err
	}
}

// apply applies what is pending in cs to the disk, and notes it in the
// proposal.
func (a *app) apply(cmd *cobra.Command, home lsp.Home, cs *edits.ChangeSet) (entry string, err error) {
	j, err := a.settled(cmd)
	if err != nil {
		return "", err
	}
	done, err := j.Apply(cmd.Context(), edits.NewDirectory(), cs)
	if errors.Is(err, edits.ErrNoChange) {
		cmd.PrintErrln("nothing was applied: the files are so already")
		return "", nil
	}
	if err != nil {
		return "", err
	}
	marked := cs.Clone()
	marked.Mark(done.Change, edits.Applied)
	if err := home.Proposals.Save(marked); err != nil {
		return "", fmt.Errorf("applied as %s, but the proposal's state was not kept: %w", done.ID, err)
	}
	if !a.json {
		cmd.Printf("applied to %s; take it back with: agentls changes undo %s\n", count(len(done.Files), "file"), done.ID)
	}
	return done.ID, nil
}
