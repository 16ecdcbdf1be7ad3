package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/remote"
	"github.com/agentls/agentls/remote/server"
)

// commands is a Commands that confines nothing: a sandbox of it is a copy of
// the checkout.
type commands struct{}

func (commands) Confinement() string { return "not at all, in a test" }

func (commands) Open(_ context.Context, dir string, _ remote.Environment) (server.Sandbox, error) {
	scratch, err := os.MkdirTemp("", "agentls-test-")
	if err != nil {
		return nil, err
	}
	s := &copied{dir: dir, copy: filepath.Join(scratch, "copy")}
	return s, os.CopyFS(s.copy, os.DirFS(dir))
}

type copied struct{ dir, copy string }

func (s *copied) Agent() agent.Sandbox { return nil }

func (s *copied) Close() error { return os.RemoveAll(filepath.Dir(s.copy)) }

func (s *copied) SetUp(ctx context.Context, line string, output io.Writer) (*server.Ended, error) {
	return s.run(ctx, line, output)
}

// Verify brings back what a set-up did to the checkout's files, and makes the
// change.
func (s *copied) Verify(ctx context.Context, change *edits.ChangeSet, line string, output io.Writer) (*server.Ended, error) {
	if out, err := exec.CommandContext(ctx, "cp", "-rT", s.dir, s.copy).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	for i := range change.Files {
		rel, err := filepath.Rel(s.dir, change.Files[i].Target())
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(s.copy, rel), change.Files[i].After(), 0o600); err != nil {
			return nil, err
		}
	}
	return s.run(ctx, line, output)
}

func (s *copied) run(ctx context.Context, line string, output io.Writer) (*server.Ended, error) {
	if line == "refused" {
		return nil, errors.New("no namespaces here")
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = s.copy, output, output, time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &server.Ended{Exit: exit.ExitCode(), Elapsed: time.Second}, nil
	}
	return &server.Ended{Elapsed: time.Second}, err
}

func TestSetUpAndVerify(t *testing.T) {
	b := newBench(t, func(o *server.Options) { o.Commands = commands{} }, change)
	env := remote.Environment{
		Name:   "demo/env",
		Setup:  []string{"echo spoilt > math.go; mkdir -p .git; echo hooked > .git/config", "echo made > made.txt"},
		Verify: []string{"grep -q SUM math.go && test -f new.go && test -f made.txt && echo fine", "echo broken >&2; false", "refused"},
	}
	noError(t, b.client.Declare(t.Context(), env))
	sent, err := b.client.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "shout", Environment: "demo/env"})
	noError(t, err)
	var output strings.Builder
	done, err := b.client.Follow(t.Context(), sent.Task.ID, 0, func(ev remote.Event) {
		if ev.Kind == remote.Output {
			output.WriteString(ev.Text)
		}
	}, nil)
	noError(t, err)
	res := done.Attempts[0].Result
	how := commands{}.Confinement()
	want := []edits.Check{
		{Command: env.Verify[0], Passed: true, Output: "fine\n", Seconds: 1, Confinement: how},
		{Command: env.Verify[1], Exit: 1, Output: "broken\n", Seconds: 1, Confinement: how},
		{Command: env.Verify[2], Exit: edits.NotRun, Output: "no namespaces here", Confinement: how},
	}
	if diff := cmp.Diff(want, res.Verified); diff != "" {
		t.Error(diff)
	}
	if output.String() != "fine\nbroken\n" || done.State != remote.Done || strings.Contains(res.Diff, "spoilt") || strings.Contains(res.Diff, "made.txt") {
		t.Errorf("state %s, output %q, diff\n%s", done.State, output.String(), res.Diff)
	}
	cs, err := b.client.ChangeSet(t.Context(), b.project, done, 1)
	noError(t, err)
	b.apply(cs)
}

func TestAFailedSetUp(t *testing.T) {
	b := newBench(t, func(o *server.Options) { o.Commands = commands{} })
	noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "e", Setup: []string{"echo no such thing; exit 7"}}))
	b.wantFailure("e", remote.SetupFailed, "exit code 7 after 1.0 s: no such thing")
}

func TestCommandsAreRefusedWithoutASandbox(t *testing.T) {
	b := newBench(t, nil)
	noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "e", Verify: []string{"touch /tmp/never"}}))
	b.wantFailure("e", remote.SetupFailed, "refuses to run commands")
}
