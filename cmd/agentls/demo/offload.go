package demo

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// A service is the task service, a process that can be killed.
type service struct {
	argv []string
	env  []string
	url  string
	cmd  *exec.Cmd
}

// newService starts a task service whose model is at this address.
func (st *stage) newService(ctx context.Context, model string, env []string) error {
	st.service = &service{
		argv: append(slices.Clone(st.opts.Service), "--data", st.dir+"/service"),
		env: append([]string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + st.dir + "/service-home",
			"OPENAI_BASE_URL=" + model, "OPENAI_API_KEY=sk-demo-secret", "AGENTLS_MODEL=scripted",
		}, env...),
	}
	if err := os.Mkdir(st.dir+"/service-home", 0o700); err != nil {
		return err
	}
	return st.service.start(ctx, "127.0.0.1:0")
}

// start starts the service, which outlives ctx, and waits until it answers.
func (s *service) start(ctx context.Context, address string) error {
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), s.argv[0], append(slices.Clone(s.argv[1:]), "--listen", address)...)
	s.cmd.Env = s.env
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start the task service: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the task service does not start: %w", err)
	}
	if _, err := fmt.Sscanf(line, "task service on %s", &s.url); err != nil {
		return fmt.Errorf("the task service says %q: %w", line, err)
	}
	s.url = strings.TrimSuffix(s.url, ",")
	return nil
}

// kill ends the service as kill -9 does.
func (s *service) kill() {
	_ = s.cmd.Process.Kill() // it is over either way
	_ = s.cmd.Wait()
}

// environment is that of the service which the user's tasks run in.
const environment = "checked"

// offload hands a change over, kills the service while its model is silent,
// starts it again, and follows to the end.
func (st *stage) offload(ctx context.Context) (string, error) {
	declare := append(slices.Clone(st.opts.Service[:len(st.opts.Service)-1]), "env", "add", environment, "--url", st.service.url, "--verify", "go vet .")
	if _, err := st.command(ctx, st.root, declare[0], declare[1:]...); err != nil {
		return "", err
	}
	line, err := st.lineOf("args.go", "func ArbitraryArgs")
	if err != nil {
		return "", err
	}
	args := st.at("args.go", line)
	args["instruction"], args["remote"] = "say in the comments what they take", true
	var started struct{ Run string }
	if err := st.editor.Command(ctx, "agentls.change", args, &started); err != nil {
		return "", err
	}
	task, err := st.awaitStep(ctx, started.Run, "remote")
	if err != nil {
		return "", err
	}
	if _, err := st.awaitStep(ctx, started.Run, "read_file"); err != nil {
		return "", err
	}
	st.service.kill()
	if err := st.service.start(ctx, strings.TrimPrefix(st.service.url, "http://")); err != nil {
		return "", err
	}
	done, err := st.await(ctx, "run.done", started.Run)
	if err != nil {
		return "", err
	}
	st.changeSet = done.ChangeSet
	return st.judge(done, task)
}

// awaitStep returns the ID of a run's first step of a tool that is done.
func (st *stage) awaitStep(ctx context.Context, run, tool string) (id string, err error) {
	err = st.editor.Eventually(ctx, func() (bool, error) {
		for _, ev := range st.eventsOf(run) {
			switch {
			case ev.Kind == "run.failed":
				return false, fmt.Errorf("the run failed: %s", ev.Error)
			case ev.Kind == "run.step" && ev.Step.Tool == tool && ev.Step.State == "done":
				id = ev.Step.ID
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return "", fmt.Errorf("waited for %s: %w", tool, err)
	}
	return id, nil
}

// judge returns what was seen of a task that survived its service, if all that
// should be was.
func (st *stage) judge(done event, task string) (string, error) {
	said, waited := "", false
	for _, ev := range st.eventsOf(done.Run) {
		switch ev.Kind {
		case "run.text":
			said += ev.Text
		case "run.waiting":
			said = said[:len(said)-ev.Void]
			waited = waited || strings.Contains(ev.Text, "begins again")
		}
	}
	switch {
	case !waited:
		return "", fmt.Errorf("nobody said that the service was interrupted")
	case !strings.HasPrefix(said, "Plan: say what both take.") || !strings.HasSuffix(said, done.Answer):
		return "", fmt.Errorf("what was void is still there: %q", said)
	case len(done.Checks) != 1 || !done.Checks[0].Passed:
		return "", fmt.Errorf("the check of the change: %+v", done.Checks)
	case done.Source != "scripted on "+st.service.url:
		return "", fmt.Errorf("it is from %q", done.Source)
	}
	if err := st.checkDisk(st.saved()); err != nil {
		return "", fmt.Errorf("the service wrote to the project: %w", err)
	}
	return fmt.Sprintf("%s, with what was not saved: 3 files, %s", task, &done.Checks[0]), nil
}

// saved is what differs on the disk from the project as it was copied.
func (st *stage) saved() map[string]string {
	return map[string]string{"unknown.go": unknownGo, "args.go": st.changed()}
}

const whateverGo = "package cobra\n\n// Whatever takes any arguments.\nvar Whatever PositionalArgs = ArbitraryArgs\n"

// bringHome applies what the service brought, compares every file, and takes
// it back.
func (st *stage) bringHome(ctx context.Context) (string, error) {
	before, err := st.buffer("args.go")
	if err != nil {
		return "", err
	}
	var done outcome
	if err := st.editor.Command(ctx, "agentls.changes.apply", map[string]string{"changeSet": st.changeSet}, &done); err != nil {
		return "", err
	}
	if len(done.Conflicts) > 0 || len(done.Files) != 3 || len(done.Unsaved) != 1 {
		return "", fmt.Errorf("want 3 files, 1 of them unsaved, and no conflict: %+v", done)
	}
	disk := st.saved()
	disk["whatever.go"] = whateverGo
	disk["cobra.go"] = strings.Replace(st.original["cobra.go"], "allows setting automatic prefix matching. Automatic prefix matching can", "allows automatic prefix matching. It can", 1)
	after := strings.Replace(before, "// ArbitraryArgs never", "// ArbitraryArgs takes whatever there is: it never", 1)
	if err := st.expect(after, disk); err != nil {
		return "", err
	}
	if err := st.editor.Command(ctx, "agentls.changes.undo", map[string]string{"entry": done.Entry}, &done); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d files compared before and after the undo", len(st.original)+2), st.expect(before, st.saved())
}
