package main

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/remote"
)

// A taskFlags value is what the task commands are told.
type taskFlags struct {
	url, dir         string
	environment, key string
	attempts         int // to make
	attempt          int // to show or apply; 0 is the first that succeeded
	ask, follow, yes bool
	cursor           string
}

func (a *app) taskCommand() *cobra.Command {
	f := &taskFlags{}
	cmd := &cobra.Command{
		Use:   "task",
		Short: "Hand tasks to a task service, follow them, and apply what they changed",
		Example: `  agentls task submit "return an error instead of panicking in Route" --follow
  agentls task list
  agentls task show task_5k2mz
  agentls task follow task_5k2mz
  agentls task logs -f task_5k2mz
  agentls task diff task_5k2mz
  agentls task apply task_5k2mz
  agentls task cancel task_5k2mz`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listTasks(cmd, f) },
	}
	cmd.PersistentFlags().StringVar(&f.url, "url", "", "the task service")
	cmd.PersistentFlags().StringVar(&f.dir, "dir", ".", "the workspace")
	cmd.AddCommand(a.taskSubmitCommand(f), a.taskListCommand(f))
	one := func(use, short string, run func(*cobra.Command, *taskFlags, string) error) *cobra.Command {
		sub := &cobra.Command{
			Use: use + " ID", Short: short, Args: args(cobra.ExactArgs(1)), ValidArgsFunction: cobra.NoFileCompletions,
			RunE: func(cmd *cobra.Command, given []string) error { return run(cmd, f, taskID(given[0])) },
		}
		cmd.AddCommand(sub)
		return sub
	}
	one("show", "Show a task with its attempts", a.showTask)
	one("logs", "Print what happened so far", a.taskLogs).Flags().BoolVarP(&f.follow, "follow", "f", false, "go on until the task has ended")
	one("follow", "Print what happens until the task has ended", a.followTask)
	one("cancel", "End a task", a.cancelTask)
	diff := one("diff", "Print what a task changed", a.diffTask)
	apply := one("apply", "Apply what a task changed, after asking", a.applyTask)
	for _, sub := range []*cobra.Command{diff, apply} {
		sub.Flags().IntVar(&f.attempt, "attempt", 0, "which attempt (default: the first that succeeded)")
	}
	apply.Flags().BoolVarP(&f.yes, "yes", "y", false, "apply without asking")
	return cmd
}

// taskID returns the ID in an argument that may be the address of a task.
func taskID(arg string) string {
	if strings.Contains(arg, "://") {
		return path.Base(arg)
	}
	return arg
}

func (a *app) taskSubmitCommand(f *taskFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "submit TASK",
		Short: "Hand over a task, with the code as it is here",
		Args:  args(cobra.MinimumNArgs(1)), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, given []string) error { return a.submitTask(cmd, f, strings.Join(given, " ")) },
	}
	cmd.Flags().StringVar(&f.environment, "env", "", "the environment to run in")
	cmd.Flags().StringVar(&f.key, "key", "", "a name of your own: a second task with it is the first one")
	cmd.Flags().IntVar(&f.attempts, "attempts", 1, fmt.Sprintf("how many attempts to make, up to %d", remote.MaxAttempts))
	cmd.Flags().BoolVar(&f.ask, "ask", false, "answer only, change nothing")
	cmd.Flags().BoolVarP(&f.follow, "follow", "f", false, "print what happens until it has ended")
	return cmd
}

func (a *app) taskListCommand(f *taskFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the tasks, the newest first", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listTasks(cmd, f) },
	}
	cmd.Flags().StringVar(&f.cursor, "cursor", "", "where to go on")
	return cmd
}

func (a *app) submitTask(cmd *cobra.Command, f *taskFlags, prompt string) error {
	client, err := a.remoteClient(cmd.Context(), f.url, nil)
	if err != nil {
		return err
	}
	home, _, err := a.open(cmd.Context(), f.dir)
	if err != nil {
		return err
	}
	defer home.Workspace.Close() //nolint:errcheck // only read
	sub := remote.Submission{Key: f.key, Mode: agent.Edit, Prompt: prompt, Attempts: f.attempts, Environment: f.environment}
	sub.Broken = func(reason error) { cmd.PrintErrf("… %s\n", plain(reason.Error())) }
	if f.ask {
		sub.Mode = agent.Ask
	}
	if sub.Key == "" {
		sub.Key = newID()
	}
	sent, err := client.Submit(cmd.Context(), home.Workspace.Snapshot(), sub)
	if err != nil {
		return err
	}
	if len(sent.Left) > 0 {
		cmd.PrintErrf("not sent, because they may hold secrets or are too large: %s\n", strings.Join(sent.Left, ", "))
	}
	if warning := sent.Warning(); warning != "" {
		cmd.PrintErrln(plain(warning))
	}
	if f.follow {
		if !a.json {
			cmd.PrintErrf("%s on %s\n", plain(sent.Task.ID), client.URL())
		}
		return a.followTask(cmd, f, sent.Task.ID)
	}
	if a.json {
		return printJSON(cmd, sent.Task)
	}
	cmd.Printf("%s\n", plain(sent.Task.ID))
	cmd.PrintErrf("follow it with: agentls task follow %s\n", plain(sent.Task.ID))
	return nil
}

func (a *app) listTasks(cmd *cobra.Command, f *taskFlags) error {
	client, err := a.remoteClient(cmd.Context(), f.url, nil)
	if err != nil {
		return err
	}
	page, err := client.Tasks(cmd.Context(), f.cursor)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(cmd, page)
	}
	color := paletteFor(cmd.OutOrStdout())
	for i := range page.Tasks {
		t := &page.Tasks[i]
		cmd.Printf("%s  %s  %s  %s\n", color.bold(plain(t.ID)), paintState(color, t.State), t.Updated.Local().Format(time.DateTime), plain(t.Title))
	}
	if len(page.Tasks) == 0 {
		cmd.Println("no tasks yet")
	}
	if page.Cursor != "" {
		cmd.PrintErrf("older ones: agentls task list --cursor %s\n", plain(page.Cursor))
	}
	return nil
}

func paintState(color palette, state remote.State) string {
	padded := fmt.Sprintf("%-9s", plain(string(state)))
	switch state {
	case remote.Done:
		return color.green(padded)
	case remote.Failed, remote.Cancelled:
		return color.red(padded)
	default:
		return color.cyan(padded)
	}
}

// task returns a task and the client that knows it.
func (a *app) task(cmd *cobra.Command, f *taskFlags, id string) (*remote.Client, *remote.Task, error) {
	client, err := a.remoteClient(cmd.Context(), f.url, nil)
	if err != nil {
		return nil, nil, err
	}
	t, err := client.Task(cmd.Context(), id)
	return client, t, err
}

func (a *app) showTask(cmd *cobra.Command, f *taskFlags, id string) error {
	_, t, err := a.task(cmd, f, id)
	if err != nil {
		return err
	}
	return a.printTask(cmd, t)
}

func (a *app) printTask(cmd *cobra.Command, t *remote.Task) error {
	if a.json {
		return printJSON(cmd, t)
	}
	color := paletteFor(cmd.OutOrStdout())
	cmd.Printf("%s  %s  %s\n", color.bold(plain(t.ID)), paintState(color, t.State), plain(t.Title))
	for i := range t.Attempts {
		at := &t.Attempts[i]
		cmd.Printf("\nattempt %d  %s\n", at.Number, paintState(color, at.State))
		if at.Result != nil {
			printResult(cmd, color, at.Result)
		}
	}
	return nil
}

func printResult(cmd *cobra.Command, color palette, res *remote.Result) {
	if res.Failure != nil {
		cmd.Println(color.red(plain(res.Failure.Code + ": " + res.Failure.Message)))
	}
	if res.Answer != "" {
		cmd.Println(plain(res.Answer))
	}
	for i := range res.Verified {
		cmd.Println(color.check(&res.Verified[i]))
		if !res.Verified[i].Passed {
			cmd.Print(plain(res.Verified[i].Output))
		}
	}
	if res.Files > 0 {
		cmd.Printf("%d files, +%d −%d lines\n", res.Files, res.Added, res.Removed)
	}
}

func (a *app) taskLogs(cmd *cobra.Command, f *taskFlags, id string) error {
	if f.follow {
		return a.followTask(cmd, f, id)
	}
	client, err := a.remoteClient(cmd.Context(), f.url, nil)
	if err != nil {
		return err
	}
	show := a.newTaskLog(cmd)
	defer show.end()
	return client.Log(cmd.Context(), id, show.event)
}

// A taskLog prints the events of a task.
type taskLog struct {
	transcript
	events bool // prints each event as JSON
	last   int  // the attempt whose events were printed last
}

func (a *app) newTaskLog(cmd *cobra.Command) *taskLog {
	return &taskLog{transcript: transcript{cmd: cmd, color: paletteFor(cmd.OutOrStdout())}, events: a.json, last: 1}
}

func (l *taskLog) event(ev remote.Event) {
	if l.events {
		_ = printJSON(l.cmd, ev) // an event is always JSON
		return
	}
	if ev.Attempt != l.last {
		l.end()
		l.cmd.Printf("attempt %d:\n", ev.Attempt)
		l.last = ev.Attempt
	}
	if ev.Kind == remote.Output {
		l.cmd.Print(l.color.dim(plain(ev.Text)))
		l.midLine = !strings.HasSuffix(ev.Text, "\n")
		return
	}
	ev.Replay(l.transcript.event)
}

// errTaskEnded is the end of following a task that did not succeed.
var errTaskEnded = errors.New("the task did not succeed")

func (a *app) followTask(cmd *cobra.Command, f *taskFlags, id string) error {
	client, err := a.remoteClient(cmd.Context(), f.url, nil)
	if err != nil {
		return err
	}
	show := a.newTaskLog(cmd)
	broken := func(reason error) { cmd.PrintErrf("… %s\n", plain(reason.Error())) }
	t, err := client.Follow(cmd.Context(), id, 0, show.event, broken)
	show.end()
	if err != nil {
		return err
	}
	if a.json {
		err = printJSON(cmd, t)
	} else {
		a.sumUp(cmd, t)
	}
	if err == nil && t.State != remote.Done {
		err = fmt.Errorf("%w: %s is %s", errTaskEnded, t.ID, t.State)
	}
	return err
}

// sumUp prints what a task ended with that its events did not say.
func (a *app) sumUp(cmd *cobra.Command, t *remote.Task) {
	color := paletteFor(cmd.OutOrStdout())
	changed := false
	for i := range t.Attempts {
		at := &t.Attempts[i]
		cmd.Printf("attempt %d: %s", at.Number, paintState(color, at.State))
		if res := at.Result; res != nil && res.Diff != "" {
			changed = true
			cmd.Printf(" %d files, +%d −%d lines", res.Files, res.Added, res.Removed)
		}
		cmd.Println()
	}
	if changed {
		cmd.PrintErrf("apply it with: agentls task apply %s\n", plain(t.ID))
	}
}

func (a *app) cancelTask(cmd *cobra.Command, f *taskFlags, id string) error {
	client, err := a.remoteClient(cmd.Context(), f.url, nil)
	if err != nil {
		return err
	}
	t, err := client.Cancel(cmd.Context(), id)
	if err != nil {
		return err
	}
	return a.printTask(cmd, t)
}

// chosen returns the number of the attempt that f means.
func (f *taskFlags) chosen(t *remote.Task) int {
	if f.attempt > 0 {
		return f.attempt
	}
	return t.Best()
}

func (a *app) diffTask(cmd *cobra.Command, f *taskFlags, id string) error {
	_, t, err := a.task(cmd, f, id)
	if err != nil {
		return err
	}
	at, err := t.Attempt(f.chosen(t))
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(cmd, map[string]string{"diff": at.Result.Diff})
	}
	cmd.Print(paletteFor(cmd.OutOrStdout()).diff(at.Result.Diff))
	return nil
}

func (a *app) applyTask(cmd *cobra.Command, f *taskFlags, id string) error {
	client, t, err := a.task(cmd, f, id)
	if err != nil {
		return err
	}
	root, err := workspaceRoot(cmd.Context(), f.dir)
	if err != nil {
		return err
	}
	cs, err := client.ChangeSet(cmd.Context(), root, t, f.chosen(t))
	if err != nil {
		return err
	}
	if cs == nil {
		return fmt.Errorf("%s changed nothing", t.ID)
	}
	if !a.json {
		cmd.Print(paletteFor(cmd.OutOrStdout()).diff(cs.Unified(relativeTo(root))))
	}
	entry, err := a.offer(cmd, a.home([]string{root}), &agent.Result{Change: cs}, a.decider(cmd, f.yes))
	if a.json && err == nil {
		return printJSON(cmd, runReport{Result: &agent.Result{Change: cs}, Entry: entry})
	}
	return err
}
