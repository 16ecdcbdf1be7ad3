package lsp

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/permissions"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

// TestPermit: the client's user is asked about a command by a message, with all
// of it; no answer and one that was not offered refuse.
func TestPermit(t *testing.T) {
	tests := []struct {
		kind   agent.PermissionKind
		answer string // "": dismissed
		offers string
		want   agent.Grant
	}{
		{agent.Unconfined, "Run once", "Run once|Run all of this run|Always run this command here|Refuse", agent.Once},
		{agent.Unconfined, "Run all of this run", "Run once|Run all of this run|Always run this command here|Refuse", agent.ForRun},
		{agent.Network, "Allow for this run", "Allow once|Allow for this run|Always allow this command here|Refuse", agent.ForRun},
		{agent.Network, "Refuse", "Allow once|Allow for this run|Always allow this command here|Refuse", agent.Refused},
		{agent.Network, "Run once", "Allow once|Allow for this run|Always allow this command here|Refuse", agent.Refused},
		{agent.Network, "", "Allow once|Allow for this run|Always allow this command here|Refuse", agent.Refused},
	}
	for _, test := range tests {
		t.Run(string(test.kind)+" "+test.answer, func(t *testing.T) {
			w := mathWorld(t)
			w.model = "some-model"
			granted := make(chan agent.Grant, 1)
			w.runner = runner(func(ctx context.Context, _ *index.Snapshot, task agent.Task, _ agent.Sink) (*agent.Result, error) {
				grant, err := task.Permit(ctx, agent.Permission{Kind: test.kind, Command: "rm -rf \x1b[8m~", Reason: "to see"})
				granted <- grant
				return &agent.Result{Source: "test"}, err
			})
			e := w.start(t)
			e.open("math.go")
			asked := make(chan *protocol.ShowMessageRequestParams, 1)
			e.ask = func(p *protocol.ShowMessageRequestParams) *protocol.MessageActionItem {
				asked <- p
				if test.answer == "" {
					return nil
				}
				return &protocol.MessageActionItem{Title: test.answer}
			}
			run := must[startedResult](e, "agentls.change", changeParams{place: e.at("math.go", "Add(a"), Instruction: "do it"}).Run
			question := <-asked
			var offers []string
			for _, a := range question.Actions {
				offers = append(offers, a.Title)
			}
			if got := strings.Join(offers, "|"); got != test.offers || !strings.Contains(question.Message, `rm -rf \x1b[8m~`) || !strings.Contains(question.Message, "to see") {
				t.Errorf("asked %q with %s", question.Message, got)
			}
			if got := <-granted; got != test.want {
				t.Errorf("granted %v, want %v", got, test.want)
			}
			e.eventOf(RunDone, run)
		})
	}
}

// TestStopWhileAsked: a run that waits for its user's word can be stopped.
func TestStopWhileAsked(t *testing.T) {
	w := mathWorld(t)
	w.model = "some-model"
	w.runner = runner(func(ctx context.Context, _ *index.Snapshot, task agent.Task, _ agent.Sink) (*agent.Result, error) {
		_, err := task.Permit(ctx, agent.Permission{Kind: agent.Network, Command: "true"})
		return nil, err
	})
	e := w.start(t)
	e.open("math.go")
	asked, end := make(chan struct{}), make(chan struct{})
	e.ask = func(*protocol.ShowMessageRequestParams) *protocol.MessageActionItem {
		close(asked)
		<-end
		return nil
	}
	defer close(end)
	run := must[startedResult](e, "agentls.change", changeParams{place: e.at("math.go", "Add(a"), Instruction: "do it"}).Run
	<-asked
	must[stopResult](e, "agentls.stop", stopParams{Run: run})
	if ev := e.eventOf(RunFailed, run); ev.Error != errStopped.Error() {
		t.Errorf("run.failed says %q", ev.Error)
	}
}

// TestChecks: what ran on a proposal is told with it, wherever it is shown.
func TestChecks(t *testing.T) {
	checks := []edits.Check{
		{Command: "go test", Passed: true, Seconds: 2, Confinement: "full"},
		{Command: "go vet", Exit: 1, Output: "bad\n", Confinement: "full"},
	}
	w := proposalWorld(t)
	w.confinement = "full: as it should be"
	inner := w.runner
	w.runner = runner(func(ctx context.Context, snap *index.Snapshot, task agent.Task, sink agent.Sink) (*agent.Result, error) {
		sink(agent.StepDone{ID: "1", Tool: "shell", Title: "run x", Detail: "exit code 0 after 1s"})
		res, err := inner.Run(ctx, snap, task, sink)
		res.Change.Checks = checks
		return res, err
	})
	e := w.start(t)
	propose(t, e)
	e.mu.Lock()
	for _, ev := range e.events {
		if ev.Kind == RunDone {
			if diff := cmp.Diff(checks, ev.Checks); diff != "" {
				t.Error("run.done:", diff)
			}
		}
		if ev.Kind == RunStep && ev.Step.Detail != "exit code 0 after 1s" {
			t.Errorf("run.step: %+v", ev.Step)
		}
	}
	e.mu.Unlock()
	list := must[listResult](e, "agentls.changes.list", listParams{})
	if diff := cmp.Diff(checks, list.Proposals[0].Checks); diff != "" {
		t.Error("list:", diff)
	}
	show := must[showResult](e, "agentls.changes.show", changeSetParams{})
	if diff := cmp.Diff(checks, show.Checks); diff != "" {
		t.Error("show:", diff)
	}
	page := must[diffResult](e, "agentls.changes.diff", changeSetParams{}).Text
	if !strings.Contains(page, "# ✓ go test  2.0 s\n# ✗ go vet  exit code 1 after 0.0 s\n#   bad\n") {
		t.Errorf("the diff document does not say it:\n%s", page)
	}
	e.await("the status", func() bool { return e.status().Confinement == w.confinement })
}

// TestVerify: what the user chose checks changes from then on; nonsense, and the
// word of a workspace that is not trusted, keep nothing.
func TestVerify(t *testing.T) {
	w := mathWorld(t)
	store := permissions.Open(filepath.Join(w.state, "permissions.jsonl"), time.Now)
	e := w.start(t)
	refused := func(e *editor, says string, lines ...string) {
		t.Helper()
		if _, err := execute[verifyResult](e, "agentls.verify", verifyParams{Commands: lines}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", lines, err, says)
		}
	}
	refused(e, "name commands")
	refused(e, `" " is no command`, "go vet ./...", " ")
	if kept, err := store.VerifyWith(); len(kept) > 0 || err != nil {
		t.Errorf("kept %q, %v", kept, err)
	}
	must[verifyResult](e, "agentls.verify", verifyParams{Commands: []string{"go vet ./...", "go test ./..."}})
	got := must[verifyResult](e, "agentls.verify", verifyParams{Commands: []string{"go vet ./..."}})
	if diff := cmp.Diff([]string{"go test ./...", "go vet ./..."}, got.Commands); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.untrusted = true
	refused(w.start(t), "not trusted", "curl evil")
}
