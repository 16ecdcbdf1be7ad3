package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// mapKeys yields the keys of both maps, some of them twice.
func mapKeys(a, b map[string]string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for key := range a {
			if !yield(key) {
				return
			}
		}
		for key := range b {
			if !yield(key) {
				return
			}
		}
	}
}

func (st *stage) index(ctx context.Context) (string, error) {
	if err := st.fetch(ctx); err != nil {
		return "", err
	}
	if err := st.startEditor(ctx, "OPENAI_API_KEY=", "OPENAI_BASE_URL="); err != nil {
		return "", err
	}
	return st.indexed(ctx)
}

func (st *stage) indexed(ctx context.Context) (string, error) {
	ev, err := st.await(ctx, "index.done", "")
	if err != nil {
		return "", err
	}
	if ev.Files < 40 || ev.Symbols < 500 {
		return "", fmt.Errorf("the index has %d files and %d symbols, which is too few", ev.Files, ev.Symbols)
	}
	return fmt.Sprintf("%s: %d files, %d of them parsed, %d symbols", st.project, ev.Files, ev.Parsed, ev.Symbols), nil
}

// lineOf returns the line, from 0, of the first occurrence of text.
func (st *stage) lineOf(name, text string) (int, error) {
	content, err := st.buffer(name)
	if err != nil {
		return 0, err
	}
	before, _, ok := strings.Cut(content, text)
	if !ok {
		return 0, fmt.Errorf("%s has no %q", name, text)
	}
	return strings.Count(before, "\n"), nil
}

// choose picks a code action on NoArgs from the editor's menu, and returns the
// end of the run that it began.
func (st *stage) choose(ctx context.Context, title string) (event, error) {
	line, err := st.lineOf("args.go", "func NoArgs")
	if err != nil {
		return event{}, err
	}
	known := len(st.editor.Events())
	if err := st.editor.Choose(ctx, "args.go", line, len("func N"), title); err != nil {
		return event{}, err
	}
	var started event
	_, err = st.editor.WaitEvent(ctx, func(params json.RawMessage) bool {
		if json.Unmarshal(params, &started) != nil || started.Kind != "run.started" {
			return false
		}
		return st.isNew(started.Run, known)
	})
	if err != nil {
		return event{}, fmt.Errorf("no run began: %w", err)
	}
	return st.await(ctx, "run.done", started.Run)
}

// isNew reports whether no event about run is among the first known ones.
func (st *stage) isNew(run string, known int) bool {
	for _, params := range st.editor.Events()[:known] {
		var ev event
		if json.Unmarshal(params, &ev) == nil && ev.Run == run {
			return false
		}
	}
	return true
}

func (st *stage) askIndex(ctx context.Context) (string, error) {
	done, err := st.choose(ctx, "Ask about `NoArgs`")
	if err != nil {
		return "", err
	}
	for _, part := range []string{"func NoArgs(cmd *Command, args []string) error", "NoArgs returns an error if any args", "args_test.go", "OPENAI_API_KEY"} {
		if !strings.Contains(done.Answer, part) {
			return "", fmt.Errorf("the answer lacks %q:\n%s", part, done.Answer)
		}
	}
	if done.Source != "index" {
		return "", fmt.Errorf("the answer is from %q, not from the index", done.Source)
	}
	return fmt.Sprintf("%d lines: signature, comment, callers, tests, last change", strings.Count(done.Answer, "\n")), nil
}

func (st *stage) reopen(ctx context.Context) (string, error) {
	if err := st.editor.Close(); err != nil {
		return "", err
	}
	modelCtx, end := context.WithCancel(context.WithoutCancel(ctx))
	st.endModel = end
	url, err := st.model.Start(modelCtx)
	if err != nil {
		return "", err
	}
	caches, err := st.caches(ctx)
	if err != nil {
		return "", err
	}
	if err := st.newService(ctx, url, caches); err != nil {
		return "", err
	}
	if err := st.startEditor(ctx, "OPENAI_BASE_URL="+url, "OPENAI_API_KEY=sk-demo-secret", "AGENTLS_MODEL=scripted", "AGENTLS_REMOTE_URL="+st.service.url); err != nil {
		return "", err
	}
	saw, err := st.indexed(ctx)
	if err == nil && !strings.Contains(saw, " 0 of them parsed") {
		err = fmt.Errorf("the cache was not used: %s", saw)
	}
	return saw, err
}

func (st *stage) askModel(ctx context.Context) (string, error) {
	done, err := st.choose(ctx, "Ask about `NoArgs`")
	if err != nil {
		return "", err
	}
	pieces, streamed, tools := 0, "", 0
	for _, ev := range st.eventsOf(done.Run) {
		switch ev.Kind {
		case "run.text":
			pieces, streamed = pieces+1, streamed+ev.Text
		case "run.step":
			tools++
		}
	}
	switch {
	case !strings.Contains(done.Answer, "safe for concurrent use") || done.Source != "scripted":
		return "", fmt.Errorf("%s answered %q", done.Source, done.Answer)
	case pieces < 3 || !strings.Contains(streamed, done.Answer):
		return "", fmt.Errorf("the answer came in %d pieces: %q", pieces, streamed)
	case tools != 2:
		return "", fmt.Errorf("%d events about the one tool call", tools)
	}
	return fmt.Sprintf("one tool call, the answer in %d pieces", pieces), nil
}

// at is a place in the wire's form.
func (st *stage) at(name string, line int) map[string]any {
	cursor := map[string]int{"line": line, "character": len("func N")}
	return map[string]any{"uri": "file://" + filepath.Join(st.root, name), "range": map[string]any{"start": cursor, "end": cursor}}
}

// edit has the agent change NoArgs and returns the end of the run.
func (st *stage) edit(ctx context.Context, instruction string) (event, error) {
	line, err := st.lineOf("args.go", "func NoArgs")
	if err != nil {
		return event{}, err
	}
	args := st.at("args.go", line)
	args["instruction"] = instruction
	var started struct{ Run string }
	if err := st.editor.Command(ctx, "agentls.change", args, &started); err != nil {
		return event{}, err
	}
	done, err := st.await(ctx, "run.done", started.Run)
	st.changeSet = done.ChangeSet
	return done, err
}

func (st *stage) change(ctx context.Context) (string, error) {
	done, err := st.edit(ctx, "make the error for an unknown command in one place")
	if err != nil {
		return "", err
	}
	failed, repaired, ran := "", false, ""
	for _, ev := range st.eventsOf(done.Run) {
		if ev.Kind == "run.step" && ev.Step.Tool == "apply_patch" {
			if ev.Step.State == "failed" {
				failed = ev.Step.Error
			}
			repaired = failed != "" && ev.Step.State == "done"
		}
		if ev.Kind == "run.step" && ev.Step.Tool == "shell" {
			ran = ev.Step.Detail
		}
	}
	switch {
	case !strings.Contains(strings.ToLower(failed), "failed to find"):
		return "", fmt.Errorf("the first patch should have failed; it said %q", failed)
	case !repaired:
		return "", fmt.Errorf("no patch fitted after the one that failed")
	case done.ChangeSet == "":
		return "", fmt.Errorf("the run ended without a proposal")
	case !strings.HasPrefix(ran, "exit code 0"):
		return "", fmt.Errorf("the agent's build and tests: %q; agentls doctor says how commands are confined here", ran)
	case len(done.Checks) != 1 || !done.Checks[0].Passed:
		return "", fmt.Errorf("the check of the change: %+v", done.Checks)
	}
	if err := st.checkDisk(map[string]string{}); err != nil {
		return "", fmt.Errorf("the agent wrote to the project: %w", err)
	}
	level, _, _ := strings.Cut(done.Checks[0].Confinement, " (")
	return fmt.Sprintf("a proposal for 3 files, built, tested, %s; the project is as it was\n                 sandbox: %s", &done.Checks[0], level), nil
}

// typed is what the user writes while the proposal waits.
const typed = "// (This comment was typed while the proposal waited.)\n"

func (st *stage) typeMeanwhile(context.Context) (string, error) {
	line, err := st.lineOf("args.go", "// ArbitraryArgs never")
	if err != nil {
		return "", err
	}
	return "a line above ArbitraryArgs, unsaved", st.editor.Type("args.go", line, 0, typed)
}

func (st *stage) preview(ctx context.Context) (string, error) {
	err := st.editor.Eventually(ctx, func() (bool, error) {
		args, err := st.editor.Diagnostics("args.go")
		if err != nil {
			return false, err
		}
		command, err := st.editor.Diagnostics("command.go")
		return len(args) == 2 && len(command) == 1, err
	})
	if err != nil {
		return "", fmt.Errorf("waited for a diagnostic on each hunk: %w", err)
	}
	var diff struct{ Path, Text string }
	if err := st.editor.Command(ctx, "agentls.changes.diff", map[string]string{"changeSet": st.changeSet}, &diff); err != nil {
		return "", err
	}
	if !strings.Contains(diff.Text, "+func unknownCommand(") {
		return "", fmt.Errorf("the diff document lacks the new file:\n%s", diff.Text)
	}
	if err := st.reject(ctx); err != nil {
		return "", err
	}
	return "4 hunks, the one in command.go rejected by its code action", nil
}

// reject rejects the hunk in command.go as a user does: by a code action.
func (st *stage) reject(ctx context.Context) error {
	if err := st.editor.Open(ctx, "command.go"); err != nil {
		return err
	}
	line, err := st.lineOf("command.go", "that go along with 'unknown command'")
	if err != nil {
		return err
	}
	actions, err := st.editor.CodeActions(ctx, "command.go", line, 0)
	if err != nil {
		return err
	}
	for _, a := range actions {
		if strings.HasPrefix(a.Title, "Reject hunk") {
			if err := st.editor.Choose(ctx, "command.go", line, 0, a.Title); err != nil {
				return err
			}
			return st.editor.Eventually(ctx, func() (bool, error) {
				left, err := st.editor.Diagnostics("command.go")
				return len(left) == 0, err
			})
		}
	}
	return fmt.Errorf("no code action to reject the hunk in command.go among %d", len(actions))
}

// An outcome is what the demo reads of an apply, undo or redo.
type outcome struct {
	Entry     string
	Files     []string
	Unsaved   []string
	Conflicts []struct{ Reason, Ours, Theirs string }
}

func (st *stage) apply(ctx context.Context) (string, error) {
	var done outcome
	if err := st.editor.Command(ctx, "agentls.changes.apply", map[string]string{"changeSet": st.changeSet}, &done); err != nil {
		return "", err
	}
	if len(done.Conflicts) > 0 || len(done.Files) != 2 || len(done.Unsaved) != 1 {
		return "", fmt.Errorf("want 2 files, 1 of them unsaved, and no conflict: %+v", done)
	}
	st.entry = done.Entry
	return "args.go in the editor, unknown.go on disk, the rejected hunk left out", nil
}

// changed returns what args.go is with the change applied.
func (st *stage) changed() string {
	return strings.NewReplacer(
		`fmt.Errorf("unknown command %q for %q%s", args[0], cmd.CommandPath(), cmd.findSuggestions(args[0]))`,
		`unknownCommand(cmd, args[0], cmd.findSuggestions(args[0]))`,
		`fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())`,
		`unknownCommand(cmd, args[0], "")`,
	).Replace(st.withTyping())
}

// withTyping returns what args.go is with only the user's typing.
func (st *stage) withTyping() string {
	return strings.Replace(st.original["args.go"], "// ArbitraryArgs never", typed+"// ArbitraryArgs never", 1)
}

const unknownGo = `package cobra

import "fmt"

// unknownCommand returns the error for an argument that names no command.
func unknownCommand(cmd *Command, arg, suggestions string) error {
	return fmt.Errorf("unknown command %q for %q%s", arg, cmd.CommandPath(), suggestions)
}
`

// expect compares the editor's args.go and the whole disk.
func (st *stage) expect(buffer string, disk map[string]string) error {
	got, err := st.buffer("args.go")
	if err != nil {
		return err
	}
	if err := differences("args.go in the editor", got, buffer); err != nil {
		return err
	}
	return st.checkDisk(maps.Clone(disk))
}

func (st *stage) verify(ctx context.Context) (string, error) {
	if err := st.expect(st.changed(), map[string]string{"unknown.go": unknownGo}); err != nil {
		return "", err
	}
	if err := st.editor.Save("args.go"); err != nil {
		return "", err
	}
	if err := st.expect(st.changed(), map[string]string{"unknown.go": unknownGo, "args.go": st.changed()}); err != nil {
		return "", err
	}
	out, err := st.command(ctx, st.root, "go", "test", "-count=1", "-run", "Args", ".")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d files; %s", len(st.original)+1, strings.Join(strings.Fields(string(out)), " ")), nil
}

func (st *stage) undo(ctx context.Context) (string, error) {
	var done outcome
	if err := st.editor.Command(ctx, "agentls.changes.undo", map[string]string{}, &done); err != nil {
		return "", err
	}
	if len(done.Conflicts) > 0 || done.Entry != st.entry {
		return "", fmt.Errorf("undo: %+v", done)
	}
	if err := st.expect(st.withTyping(), map[string]string{"args.go": st.changed()}); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(st.root, "unknown.go")); err == nil {
		return "", fmt.Errorf("unknown.go is still there")
	}
	return "unknown.go is gone, args.go is as typed", nil
}

func (st *stage) redo(ctx context.Context) (string, error) {
	var done outcome
	if err := st.editor.Command(ctx, "agentls.changes.redo", map[string]string{}, &done); err != nil {
		return "", err
	}
	if len(done.Conflicts) > 0 || done.Entry != st.entry {
		return "", fmt.Errorf("redo: %+v", done)
	}
	return "unknown.go is back", st.expect(st.changed(), map[string]string{"unknown.go": unknownGo, "args.go": st.changed()})
}

const ownComment = "// NoArgs wants no arguments at all. (The user's own words.)"

func (st *stage) conflict(ctx context.Context) (string, error) {
	if _, err := st.edit(ctx, "say in the comment what the error names"); err != nil {
		return "", err
	}
	lines, err := st.editor.Lines("args.go")
	if err != nil {
		return "", err
	}
	for i, line := range lines {
		if strings.HasPrefix(line, "// NoArgs returns") {
			lines[i] = ownComment
		}
	}
	if err := st.editor.SetLines("args.go", lines); err != nil {
		return "", err
	}
	var done outcome
	if err := st.editor.Command(ctx, "agentls.changes.apply", map[string]string{"changeSet": st.changeSet}, &done); err != nil {
		return "", err
	}
	if len(done.Conflicts) != 1 || strings.TrimSpace(done.Conflicts[0].Theirs) != ownComment {
		return "", fmt.Errorf("want one conflict with the user's line: %+v", done)
	}
	got, err := st.buffer("args.go")
	if err != nil {
		return "", err
	}
	want := strings.Replace(st.changed(), "// NoArgs returns an error if any args are included.", ownComment, 1)
	if err := differences("args.go in the editor", got, want); err != nil {
		return "", err
	}
	return "both texts are shown, the user's stands, the proposal waits: " + done.Conflicts[0].Reason, nil
}

func (st *stage) untouched(ctx context.Context) (string, error) {
	if err := st.checkDisk(map[string]string{"unknown.go": unknownGo, "args.go": st.changed()}); err != nil {
		return "", err
	}
	out, err := st.command(ctx, st.root, "git", "status", "--porcelain")
	if err != nil {
		return "", err
	}
	if got, want := string(out), " M args.go\n?? unknown.go\n"; got != want {
		return "", fmt.Errorf("git status says %q, want %q", got, want)
	}
	if err := st.model.Done(); err != nil {
		return "", fmt.Errorf("the model's checks: %w", err)
	}
	return fmt.Sprintf("git sees the 2 files; %d requests to the model passed its checks", len(st.model.Requests())), nil
}
