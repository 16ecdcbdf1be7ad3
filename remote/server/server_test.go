package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/openai"
	"github.com/agentls/agentls/agent/script"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/remote"
	"github.com/agentls/agentls/remote/server"
)

// A bench is a service with a scripted model, a project, and a client.
type bench struct {
	t       *testing.T
	dir     string // of the service
	project string
	url     string
	model   *script.Server
	opts    server.Options
	client  *remote.Client
	stop    func()
}

const mathGo = "package math\n\n// Add returns the sum.\nfunc Add(a, b int) int { return a + b }\n"

// change is a model that changes math.go and adds new.go.
const change = `
-- turn1.reply --
message: I will change it.
patch:
*** Begin Patch
*** Update File: math.go
@@
-// Add returns the sum.
+// Add returns the SUM.
*** Add File: new.go
+package math
*** End Patch
-- turn2.reply --
message: Done.
`

var ids atomic.Int64

func newID() string { return fmt.Sprintf("id%d", ids.Add(1)) }

// newBench starts a service whose model speaks the scripts, and makes a
// project with one commit, a changed file, a new one, a deleted one and a
// secret that are not committed.
func newBench(t *testing.T, change func(*server.Options), scripts ...string) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), project: newProject(t)}
	b.opts = server.Options{Dir: b.dir, Runner: runner(b.play(scripts)), Version: "test", Now: time.Now, NewID: newID, Log: quietLog(t), Workers: 1}
	if change != nil {
		change(&b.opts)
	}
	b.start()
	b.client = b.newClient("")
	return b
}

// play starts a model that speaks the scripts, and returns its address.
func (b *bench) play(scripts []string) (address string) {
	b.t.Helper()
	var parsed []*script.Script
	for i, s := range scripts {
		p, err := script.Parse(fmt.Sprintf("%s/%d", b.t.Name(), i), []byte(s))
		noError(b.t, err)
		parsed = append(parsed, p)
	}
	b.model = script.New(parsed...)
	address, err := b.model.Start(b.t.Context())
	noError(b.t, err)
	return address
}

// quietLog shows the service's log where a test fails.
func quietLog(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func runner(address string) agent.Runner {
	return agent.New(agent.Options{Model: openai.New(openai.Options{BaseURL: address, APIKey: "sk-0123456789", Model: "scripted", Backoff: time.Millisecond})})
}

// start starts the service on the address it had before, if it had one.
func (b *bench) start() {
	b.t.Helper()
	s, err := server.Open(b.t.Context(), b.opts)
	noError(b.t, err)
	at := strings.TrimPrefix(b.url, "http://")
	if at == "" {
		at = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", at)
	noError(b.t, err)
	b.url = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-served, s.Close()); err != nil {
			b.t.Errorf("the service ended with %v", err)
		}
	})
	b.t.Cleanup(b.stop)
}

func (b *bench) newClient(token string) *remote.Client {
	b.t.Helper()
	c, err := remote.New(remote.Options{URL: b.url, Token: token, NewID: newID, Backoff: 5 * time.Millisecond, Patience: 20 * time.Second, Poll: 10 * time.Millisecond})
	noError(b.t, err)
	return c
}

func newProject(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	noError(t, err)
	write(t, dir, map[string]string{"math.go": "package math\n\n// Add.\nfunc Add(a, b int) int { return a + b }\n", "old.go": "package math\n", "same.go": "package math // same\n", ".env": "A=committed\n"})
	git(t, dir, "init", "-q", "-b", "work")
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-qm", "one")
	write(t, dir, map[string]string{"math.go": mathGo, "fresh.go": "package math // fresh\n", ".env": "A=SECRET\n", "id_rsa": "SECRET\n"})
	noError(t, os.Remove(filepath.Join(dir, "old.go")))
	return dir
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		noError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		noError(t, os.WriteFile(path, []byte(content), 0o644))
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	out, err := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.org"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// workspace returns the indexed project.
func (b *bench) workspace() *index.Workspace {
	b.t.Helper()
	ws := index.New(index.Options{Roots: []string{b.project}})
	b.t.Cleanup(func() { _ = ws.Close() })
	_, err := ws.Scan(b.t.Context(), nil)
	noError(b.t, err)
	return ws
}

// heard collects what a sink is told.
type heard struct {
	mu   sync.Mutex
	text strings.Builder
	all  []string
}

func (h *heard) sink(ev agent.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch ev := ev.(type) {
	case agent.TextDelta:
		h.text.WriteString(ev.Text)
	case agent.StepStarted:
		h.all = append(h.all, "step "+ev.Title)
	case agent.Waiting:
		kept := h.text.String()
		h.text.Reset()
		h.text.WriteString(kept[:len(kept)-ev.Void])
		h.all = append(h.all, "waiting "+ev.Reason)
	case agent.StepDone, agent.ReasoningDelta, agent.PlanChanged, agent.Spent, agent.StepProposed:
	}
}

// after returns what files hold once cs is applied to the project.
func (b *bench) apply(cs *edits.ChangeSet) {
	b.t.Helper()
	journal := edits.OpenJournal(b.t.TempDir(), time.Now, newID)
	_, err := journal.Apply(b.t.Context(), edits.NewDirectory(), cs)
	noError(b.t, err)
}

func (b *bench) read(name string) string {
	content, err := os.ReadFile(filepath.Join(b.project, name))
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return string(content)
}

func TestTheClientIsARunner(t *testing.T) {
	b := newBench(t, nil, change)
	ws := b.workspace()
	path := filepath.Join(b.project, "math.go")
	unsaved := mathGo + "// typed, not saved\n"
	noError(t, ws.Change(index.Modification{Action: index.Open, Path: path, Version: 1, Language: "go", Text: []byte(unsaved)}))
	var h heard
	res, err := b.client.Run(t.Context(), ws.Snapshot(), agent.Task{ID: "run-1", Mode: agent.Edit, Prompt: "shout\nloudly"}, h.sink)
	noError(t, err)
	if res.Answer != "Done." || h.text.String() != "I will change it.\n\nDone." {
		t.Errorf("the answer is %q, shown %q", res.Answer, h.text.String())
	}
	if !strings.Contains(res.Source, "scripted on http://127.0.0.1:") || res.Usage.Requests != 2 {
		t.Errorf("source %q, usage %+v", res.Source, res.Usage)
	}
	modify, err := edits.NewModify(path, []byte(unsaved), []byte(strings.Replace(unsaved, "the sum", "the SUM", 1)))
	noError(t, err)
	create, err := edits.NewCreate(filepath.Join(b.project, "new.go"), []byte("package math\n"), 0o644)
	noError(t, err)
	page, err := b.client.Tasks(t.Context(), "")
	noError(t, err)
	want := &edits.ChangeSet{ID: page.Tasks[0].ID, Title: "shout", Files: []edits.FileChange{modify, create}}
	if diff := cmp.Diff(want, res.Change); diff != "" {
		t.Error(diff)
	}
	noError(t, b.model.Done())
	for _, r := range b.model.Requests() {
		if strings.Contains(string(r.Body), "SECRET") {
			t.Error("what is kept back locally reached the model")
		}
	}
	log := strings.Join(h.all, "\n")
	for _, part := range []string{"task_", ".env, id_rsa", "working", "step "} {
		if !strings.Contains(log, part) {
			t.Errorf("nothing was said of %q in\n%s", part, log)
		}
	}
}

// TestTheBaseIsWhatWasSent: the result fits the code that was sent, and is
// merged into what is there now.
func TestTheBaseIsWhatWasSent(t *testing.T) {
	b := newBench(t, nil, change)
	sent, err := b.client.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "shout"})
	noError(t, err)
	write(t, b.project, map[string]string{"math.go": mathGo + "\nfunc Later() {}\n"})
	git(t, b.project, "add", "-A")
	git(t, b.project, "commit", "-qm", "two")
	done, err := b.client.Follow(t.Context(), sent.Task.ID, 0, func(remote.Event) {}, nil)
	noError(t, err)
	cs, err := b.client.ChangeSet(t.Context(), b.project, done, 1)
	noError(t, err)
	b.apply(cs)
	if got, want := b.read("math.go"), strings.Replace(mathGo, "the sum", "the SUM", 1)+"\nfunc Later() {}\n"; got != want {
		t.Errorf("math.go is %q", got)
	}
}

func TestTheServiceSeesTheDirtyTree(t *testing.T) {
	b := newBench(t, nil, `
-- turn1.reply --
call list_dir {"path":"."}
call read_file {"path":"math.go"}
-- turn2.expect --
fresh.go
same.go
Add returns the sum.
! old.go
! id_rsa
-- turn2.reply --
message: Seen.
`)
	res, err := b.client.Run(t.Context(), b.workspace().Snapshot(), agent.Task{ID: "r", Mode: agent.Ask, Prompt: "look"}, func(agent.Event) {})
	noError(t, err)
	if res.Answer != "Seen." || res.Change != nil {
		t.Errorf("%+v", res)
	}
	noError(t, b.model.Done())
}

func TestAFolderWithoutGit(t *testing.T) {
	b := newBench(t, nil, change)
	noError(t, os.RemoveAll(filepath.Join(b.project, ".git")))
	res, err := b.client.Run(t.Context(), b.workspace().Snapshot(), agent.Task{ID: "r", Mode: agent.Edit, Prompt: "shout"}, func(agent.Event) {})
	noError(t, err)
	b.apply(res.Change)
	if got := b.read("new.go"); got != "package math\n" {
		t.Errorf("new.go is %q", got)
	}
}

func TestCreateIsIdempotent(t *testing.T) {
	b := newBench(t, nil, change)
	snap := b.workspace().Snapshot()
	sub := remote.Submission{Key: "mine", Mode: agent.Edit, Prompt: "shout"}
	first, err := b.client.Submit(t.Context(), snap, sub)
	noError(t, err)
	second, err := b.client.Submit(t.Context(), snap, sub)
	noError(t, err)
	if first.Task.ID != second.Task.ID {
		t.Errorf("%s and %s", first.Task.ID, second.Task.ID)
	}
	sub.Prompt = "whisper"
	_, err = b.client.Submit(t.Context(), snap, sub)
	var status *remote.StatusError
	if !errors.As(err, &status) || status.Status != 409 || !strings.Contains(err.Error(), first.Task.ID) {
		t.Errorf("another task with the key: %v", err)
	}
	_, err = b.client.Follow(t.Context(), first.Task.ID, 0, func(remote.Event) {}, nil)
	noError(t, err)
	page, err := b.client.Tasks(t.Context(), "")
	noError(t, err)
	if len(page.Tasks) != 1 || page.Tasks[0].State != remote.Done {
		t.Errorf("%+v", page.Tasks)
	}
}

func TestTheListHasPages(t *testing.T) {
	b := newBench(t, nil)
	noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "none"}))
	for n := range 45 {
		_, err := b.client.Create(t.Context(), remote.Spec{Key: fmt.Sprint(n), Mode: agent.Ask, Prompt: fmt.Sprintf("task %d", n), Environment: "none"})
		noError(t, err)
	}
	var titles []string
	for cursor := ""; ; {
		page, err := b.client.Tasks(t.Context(), cursor)
		noError(t, err)
		for _, task := range page.Tasks {
			titles = append(titles, task.Title)
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	if len(titles) != 45 || titles[0] != "task 44" || titles[44] != "task 0" {
		t.Errorf("%d titles: %v", len(titles), titles)
	}
}

// wantFailure hands over a task that fails in this way.
func (b *bench) wantFailure(environment, code, says string) {
	b.t.Helper()
	sent, err := b.client.Submit(b.t.Context(), b.workspace().Snapshot(), remote.Submission{Key: newID(), Mode: agent.Edit, Prompt: "shout", Environment: environment})
	noError(b.t, err)
	done, err := b.client.Follow(b.t.Context(), sent.Task.ID, 0, func(remote.Event) {}, nil)
	noError(b.t, err)
	res := done.Attempts[0].Result
	if done.State != remote.Failed || res == nil || res.Failure == nil || res.Failure.Code != code || !strings.Contains(res.Failure.Message, says) {
		b.t.Errorf("it is %s: %+v", done.State, res)
	}
	if _, err := b.client.ChangeSet(b.t.Context(), b.project, done, 1); err == nil || !strings.Contains(err.Error(), says) {
		b.t.Errorf("its change set: %v", err)
	}
}

func TestTheModelFails(t *testing.T) {
	b := newBench(t, nil, "-- turn1.fault --\nstatus 400\nbody:\n{\"error\":{\"message\":\"no credit left\"}}\n")
	b.wantFailure("", remote.RunFailed, "no credit left")
}

func TestAnEnvironmentWithARepository(t *testing.T) {
	b := newBench(t, nil, change)
	git(t, b.project, "commit", "-qam", "two")
	noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "e", Repo: b.project}))
	task, err := b.client.Create(t.Context(), remote.Spec{Key: "k", Mode: agent.Edit, Prompt: "shout", Environment: "e", Base: remote.Base{Branch: "work"}})
	noError(t, err)
	done, err := b.client.Follow(t.Context(), task.ID, 0, func(remote.Event) {}, nil)
	noError(t, err)
	cs, err := b.client.ChangeSet(t.Context(), b.project, done, 1)
	noError(t, err)
	b.apply(cs)
	if !strings.Contains(b.read("math.go"), "SUM") {
		t.Error(b.read("math.go"))
	}
	other := newProject(t)
	if _, err := b.client.ChangeSet(t.Context(), t.TempDir(), done, 1); err == nil || !strings.Contains(err.Error(), "does not have") {
		t.Errorf("in another folder: %v", err)
	}
	noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "gone", Repo: filepath.Join(other, "nowhere")}))
	b.wantBaseFailure("gone", "nowhere")
	noError(t, b.client.Forget(t.Context(), "gone"))
	all, err := b.client.Environments(t.Context())
	noError(t, err)
	if diff := cmp.Diff([]remote.Environment{{Name: "e", Repo: b.project}}, all); diff != "" {
		t.Error(diff)
	}
}

// wantBaseFailure hands over a task whose base is the environment's.
func (b *bench) wantBaseFailure(environment, says string) {
	b.t.Helper()
	task, err := b.client.Create(b.t.Context(), remote.Spec{Key: newID(), Mode: agent.Edit, Prompt: "shout", Environment: environment})
	noError(b.t, err)
	done, err := b.client.Follow(b.t.Context(), task.ID, 0, func(remote.Event) {}, nil)
	noError(b.t, err)
	if res := done.Attempts[0].Result; res == nil || res.Failure == nil || res.Failure.Code != remote.BaseFailed || !strings.Contains(res.Failure.Message, says) {
		b.t.Errorf("%+v", res)
	}
}

// TestLineEndsStay: what git would convert is handed over as it is on the disk.
func TestLineEndsStay(t *testing.T) {
	b := newBench(t, nil, change)
	crlf := strings.ReplaceAll(mathGo, "\n", "\r\n")
	write(t, b.project, map[string]string{".gitattributes": "*.go text eol=crlf\n", "math.go": crlf})
	git(t, b.project, "add", "-A", ":!id_rsa")
	git(t, b.project, "commit", "-qm", "converted")
	res, err := b.client.Run(t.Context(), b.workspace().Snapshot(), agent.Task{ID: "r", Mode: agent.Edit, Prompt: "shout"}, func(agent.Event) {})
	noError(t, err)
	b.apply(res.Change)
	if got, want := b.read("math.go"), strings.Replace(crlf, "the sum", "the SUM", 1); got != want {
		t.Errorf("math.go is %q", got)
	}
}

// TestALostEngineIsMadeUpFor: attempts that the engine does not know, as after
// a crash between the task and its attempts, are begun.
func TestALostEngineIsMadeUpFor(t *testing.T) {
	b := newBench(t, nil, stalled, change)
	sent, err := b.client.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "shout"})
	noError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = b.client.Follow(ctx, sent.Task.ID, 0, func(ev remote.Event) {
		if ev.Kind == remote.StepDone {
			cancel()
		}
	}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	b.stop()
	noError(t, os.Remove(filepath.Join(b.dir, "engine.db")))
	b.start()
	done, err := b.client.Follow(t.Context(), sent.Task.ID, 0, func(remote.Event) {}, nil)
	if err != nil || done.State != remote.Done {
		t.Errorf("%v, %+v", err, done)
	}
}

// pausing is a runner whose budget is one response of the model.
type pausing struct{ agent.Runner }

func (p pausing) Run(ctx context.Context, snap *index.Snapshot, task agent.Task, sink agent.Sink) (*agent.Result, error) {
	task.Budget = &agent.Budget{Turns: 1}
	return p.Runner.Run(ctx, snap, task, sink)
}

// TestATaskAtItsBudget: what it has is its result, which says so; one that has
// nothing failed.
func TestATaskAtItsBudget(t *testing.T) {
	paused := func(o *server.Options) { o.Runner = pausing{o.Runner} }
	first, _, _ := strings.Cut(change, "-- turn2.reply --")
	b := newBench(t, paused, first, "-- turn1.reply --\ncall list_dir {\"path\": \".\"}\n")
	sink := func(agent.Event) {}
	task := agent.Task{ID: "one", Mode: agent.Edit, Prompt: "do it"}
	res, err := b.client.Run(t.Context(), b.workspace().Snapshot(), task, sink)
	noError(t, err)
	if res.Change == nil || !strings.Contains(res.Answer, "It is not done: the budget of 1 turns is used up") {
		t.Errorf("%+v", res)
	}
	task.ID = "two"
	if _, err = b.client.Run(t.Context(), b.workspace().Snapshot(), task, sink); err == nil || !strings.Contains(err.Error(), "budget of 1 turns") {
		t.Errorf("with nothing: %v", err)
	}
}
