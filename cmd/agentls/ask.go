package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/lsp"
)

// openAt returns the indexed workspace of the file that arg names.
func (a *app) openAt(ctx context.Context, arg string) (lsp.Home, location, error) {
	at, err := parseLocation(arg)
	if err != nil {
		return lsp.Home{}, at, err
	}
	if stat, err := os.Stat(at.path); err == nil && stat.IsDir() {
		return lsp.Home{}, at, usageError("%s is a folder: name a file in it", arg)
	}
	home, _, err := a.open(ctx, filepath.Dir(at.path))
	return home, at, err
}

// sayElsewhere tells that a file is in another workspace than the one that the
// command was started in: that one's files are what a model sees.
func sayElsewhere(cmd *cobra.Command, home lsp.Home) {
	here, err := workspaceRoot(cmd.Context(), ".")
	if there := home.Workspace.Snapshot().Roots()[0]; err == nil && here != there {
		cmd.PrintErrf("this is about another workspace than %s: %s\n", plain(here), plain(there))
	}
}

func (a *app) askCommand() *cobra.Command {
	var shown handedOver
	cmd := &cobra.Command{
		Use:   "ask FILE[:LINE] [QUESTION]",
		Short: "Answer a question about code, from the model or from the index",
		Example: `  agentls ask mux.go:47
  agentls ask mux.go:47 "is this safe for concurrent use?"
  go test ./... 2>&1 | agentls ask mux.go:47 "why does this fail?" --output -
  agentls ask style.css "why does it look like this?" --image shot.png`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			home, at, err := a.openAt(cmd.Context(), given[0])
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
			focus, err := focusAt(cmd.Context(), snap, at)
			if err != nil {
				return err
			}
			task := agent.Task{ID: newID(), Mode: agent.Ask, Prompt: strings.Join(given[1:], " "), Focus: focus}
			if err := shown.into(cmd, &task); err != nil {
				return err
			}
			return a.answer(cmd, setup.Runner, snap, task)
		},
	}
	shown.flags(cmd)
	return cmd
}

// handedOver is what goes with a task beside its words.
type handedOver struct {
	images []string // files
	output string   // a file; "-": the standard input
}

func (h *handedOver) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&h.images, "image", nil, "an image to show to a model that sees images; may be repeated")
	outputFlag(cmd, &h.output)
}

// outputFlag adds the flag for what a terminal printed.
func outputFlag(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "output", "", "a file with output of a terminal that the task is about; - is the standard input")
}

// into reads it into task.
func (h *handedOver) into(cmd *cobra.Command, task *agent.Task) (err error) {
	if task.Attached, err = attachments(h.images); err != nil {
		return err
	}
	task.Output, err = readOutput(cmd, h.output)
	return err
}

// maxImageRead is how much of a file is read that is said to be an image; a
// model is shown less.
const maxImageRead = 16 << 20 // bytes

// attachments reads the images of those names.
func attachments(names []string) ([]agent.Attachment, error) {
	var out []agent.Attachment
	for _, name := range names {
		path, err := filepath.Abs(name)
		if err != nil {
			return nil, err
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(io.LimitReader(file, maxImageRead))
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
		made, err := agent.NewAttachment(path, content)
		if err != nil {
			return nil, err
		}
		out = append(out, made)
	}
	return out, nil
}

// focusAt returns the declaration around a location, or the file.
func focusAt(ctx context.Context, snap *index.Snapshot, at location) (*agent.Focus, error) {
	focus := &agent.Focus{Path: at.path}
	if at.line < 0 {
		return focus, nil
	}
	span, err := at.span(ctx, snap)
	if err != nil {
		return nil, err
	}
	if at.column == 0 { // a line is meant: what begins on it counts
		src, err := snap.ReadFile(ctx, at.path)
		if err != nil {
			return nil, err
		}
		span.Start, span.End = firstWord(src, span), firstWord(src, span)
	}
	sym, ok, err := snap.Enclosing(ctx, at.path, span)
	if err != nil || !ok {
		focus.Span = span
		return focus, err
	}
	focus.Span, focus.Symbol = sym.Span, sym.Qualified()
	return focus, nil
}

// firstWord returns the offset of the first character behind the indentation.
func firstWord(src []byte, line text.Span) int {
	at := line.Start
	for at < len(src) && (src[at] == ' ' || src[at] == '\t') {
		at++
	}
	return at
}

// answer runs task and streams its answer.
func (a *app) answer(cmd *cobra.Command, runner agent.Runner, snap *index.Snapshot, task agent.Task) error {
	show := &transcript{cmd: cmd, color: paletteFor(cmd.OutOrStdout()), quiet: a.json}
	result, err := runner.Run(cmd.Context(), snap, task, show.event)
	if err != nil {
		return err
	}
	show.end()
	if a.json {
		return printJSON(cmd, result)
	}
	cmd.Println(show.color.dim(fmt.Sprintf("(%s)", result.Source)))
	return nil
}

// A transcript prints a run as it goes.
type transcript struct {
	cmd     *cobra.Command
	color   palette
	quiet   bool
	midLine bool
}

func (t *transcript) event(ev agent.Event) {
	if t.quiet {
		return
	}
	switch e := ev.(type) {
	case agent.TextDelta:
		t.cmd.Print(plain(e.Text))
		t.midLine = !strings.HasSuffix(e.Text, "\n")
	case agent.StepStarted:
		t.end()
		t.cmd.Println(t.color.cyan("• " + plain(e.Title)))
	case agent.StepDone:
		t.end()
		if e.Failed != "" {
			t.cmd.Println(t.color.red("  failed: " + plain(firstLine(e.Failed))))
		} else if e.Detail != "" {
			t.cmd.Println(t.color.dim("  " + plain(e.Detail)))
		}
	case agent.Waiting:
		t.end()
		if e.Void > 0 {
			t.cmd.Println(t.color.dim("(the last words were cut off and come again)"))
		}
		t.cmd.Println(t.color.dim("… " + plain(e.Reason)))
	case agent.PlanChanged:
		t.end()
		t.cmd.Print(t.color.dim(plain(e.Plan.String())))
	case agent.StepProposed:
		t.end()
		t.cmd.Println(t.color.green("✓ " + plain(e.Change.Title)))
	case agent.ReasoningDelta, agent.Spent: // the plan and the steps say enough
	}
}

// end begins a new line where one is open.
func (t *transcript) end() {
	if t.midLine {
		t.cmd.Println()
		t.midLine = false
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
