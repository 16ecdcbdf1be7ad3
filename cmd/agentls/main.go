// Command agentls is a language server that keeps an index of a workspace,
// answers questions about its code, and turns what an agent wants to change
// into change sets that are previewed, applied all or nothing and undone.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/edits"
)

// version is set by the build.
var version = "dev"

// The exit codes. (ARCHITECTURE.md, "Command line")
const (
	exitFailed   = 1
	exitUsage    = 2
	exitConflict = 3
)

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup has it ignored
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	err := newRoot().ExecuteContext(ctx)
	stop()
	if exit := (exitError{}); err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "agentls:", plain(err.Error()))
	}
	os.Exit(exitCode(err))
}

// errUsage marks errors that --help would have prevented.
var errUsage = errors.New("usage")

// An exitError ends the process with a code of its own, without a message.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", e.code) }

func exitCode(err error) int {
	var conflict *edits.ConflictError
	var exit exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &conflict), errors.Is(err, edits.ErrMisfit):
		return exitConflict
	case errors.Is(err, errUsage):
		return exitUsage
	default:
		return exitFailed
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "agentls",
		Short: "A coding agent as a language server: it proposes, you decide, and undo always works",
		Long: `agentls keeps an index of your code, answers questions about it, and turns what
an agent wants to change into change sets: previewed hunk by hunk, applied all or
nothing, undone at any time. Without a model the index answers.`,
		Version: version,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if stateDir() == "" || cacheDir() == "" {
				return errors.New("there is no home folder: set HOME, or XDG_STATE_HOME and XDG_CACHE_HOME")
			}
			return nil
		},
		Args:                       isCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SuggestionsMinimumDistance: 2,
		SilenceErrors:              true,
		SilenceUsage:               true,
	}
	root.SetOut(os.Stdout) // cobra prints to stderr otherwise
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help (%w)", err, cmd.CommandPath(), errUsage)
	})
	app := newApp(root)
	root.AddCommand(
		app.serveCommand(), app.indexCommand(), app.symbolsCommand(), app.refsCommand(), app.outlineCommand(),
		app.mapCommand(), app.graphCommand(), app.mapEvalCommand(),
		app.askCommand(), app.runCommand(), app.runsCommand(), app.permissionsCommand(), app.patchCommand(), app.changesCommand(), app.sandboxCommand(),
		app.taskCommand(), app.remoteCommand(), app.contextCommand(), app.reviewCommand(), app.privacyCommand(),
		app.doctorCommand(), app.demoCommand(), app.versionCommand(),
	)
	shareExamples(root)
	return root
}

// isCommand refuses what names no command, and names those it may have meant.
func isCommand(cmd *cobra.Command, given []string) error {
	if len(given) == 0 {
		return nil
	}
	hint := "see agentls --help"
	if like := cmd.SuggestionsFor(given[0]); given[0] != "" && len(like) > 0 {
		hint = "did you mean " + strings.Join(like, " or ") + "?"
	}
	return usageError("there is no command %q; %s", given[0], hint)
}

// args wraps cobra's check of the arguments so that its errors are usage
// errors.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		err := check(cmd, given)
		if _, takes, some := strings.Cut(cmd.Use, " "); err != nil && some {
			err = fmt.Errorf("%s takes %s, and was given %s", cmd.CommandPath(), takes, count(len(given), "argument"))
		}
		if err != nil {
			return fmt.Errorf("%w; see %s --help (%w)", err, cmd.CommandPath(), errUsage)
		}
		return nil
	}
}

// shareExamples gives commands without examples those of their parents that call
// them.
func shareExamples(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		if sub.Example == "" {
			var own []string
			for line := range strings.Lines(cmd.Example) {
				if line = strings.TrimRight(line, "\n"); strings.Contains(line+" ", " "+sub.CommandPath()+" ") {
					own = append(own, line)
				}
			}
			sub.Example = strings.Join(own, "\n")
		}
		shareExamples(sub)
	}
}

func usageError(format string, a ...any) error {
	return fmt.Errorf("%w (%w)", fmt.Errorf(format, a...), errUsage)
}
