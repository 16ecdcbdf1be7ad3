package agent_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/openai"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

// A chaosField is where runs go wrong: a workspace with links that lead out of
// it, what lies outside, and what both were.
type chaosField struct {
	dir    string // above all
	snap   *index.Snapshot
	was    string
	client *http.Client

	mu    sync.Mutex
	ended map[string]int // how runs ended → how many; guarded by mu
}

const chaosCanary = "canary-hunter2-canary"

func newChaosField(t *testing.T) *chaosField {
	t.Helper()
	f := &chaosField{dir: t.TempDir(), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}, ended: map[string]int{}}
	root := filepath.Join(f.dir, "ws")
	for name, content := range map[string]string{
		"ws/a.go":        "package a\n\n// Sum adds.\nfunc Sum(a, b int) int { return a + b }\n",
		"ws/b.go":        "package a\n\nfunc three() int { return Sum(1, 2) }\n",
		"ws/dir/c.py":    "class C:\n    def f(self):\n        return 1\n",
		"ws/binary":      "\x00\x01\x02",
		"ws/long.txt":    strings.Repeat("one line of many\n", 5000),
		"ws/.env":        "PASSWORD=" + chaosCanary + "\n",
		"outside/secret": chaosCanary + "\n",
	} {
		path := filepath.Join(f.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"link": "../outside/secret", "linked": "../outside"} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	f.snap, f.was = scan(t, root), f.state(t)
	return f
}

// state returns a text that tells whether anything has changed.
func (f *chaosField) state(t *testing.T) string {
	t.Helper()
	sum := sha256.New()
	err := filepath.WalkDir(f.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(sum, path, info.Mode(), info.ModTime().UnixNano())
		if e.Type().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(sum, "%x", sha256.Sum256(content))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// A chaosSandbox runs nothing: it does to the draft what commands do to files.
type chaosSandbox struct{ root string }

func (chaosSandbox) Confinement(context.Context) agent.Confinement {
	return agent.Confinement{Says: "none: chaos", Holds: true}
}

func (s chaosSandbox) Run(_ context.Context, d *agent.Draft, cmd agent.Command) (*agent.CommandResult, error) {
	switch cmd.Line {
	case "write":
		d.Write(filepath.Join(s.root, "made.txt"), []byte("made\n"), 0o755)
	case "remove":
		d.Remove(filepath.Join(s.root, "b.go"))
	case "fail":
		return nil, errors.New("no such stage")
	case "long":
		return &agent.CommandResult{Exit: 1, Output: strings.Repeat("output\n", 50_000)}, nil
	}
	return &agent.CommandResult{Exit: len(cmd.Line) % 2, Output: cmd.Line}, nil
}

func (chaosSandbox) Close() error { return nil }

// chaosDeadline is how long one run may take on a busy machine: it ends by
// itself, whatever the model does.
const chaosDeadline = 2 * time.Minute

// run lets one run go wrong as seed says, and returns what must not be.
func (f *chaosField) run(ctx context.Context, seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 0))
	model := &hostileModel{rng: rand.New(rand.NewPCG(seed, 1)), canary: chaosCanary, gone: make(chan struct{})}
	if rng.IntN(100) == 0 {
		model.huge = 1
	}
	server := httptest.NewServer(model)
	defer server.Close()
	defer close(model.gone)
	ctx, cancel := context.WithTimeout(ctx, chaosDeadline)
	defer cancel()
	a := f.agent(rng, server.URL+"/v1")
	task := agent.Task{
		ID: "chaos", Mode: []agent.Mode{agent.Edit, agent.Edit, agent.PlanFirst, agent.Ask, agent.Explain}[rng.IntN(5)], Prompt: "Go on.",
		Inbox: &agent.Inbox{}, Question: chaosAnswer, ReviewPlan: chaosReview, Permit: chaosGrant, Budget: &agent.Budget{Turns: 1 + rng.IntN(60)},
	}
	var record tape
	if rng.IntN(2) == 0 {
		task.Transcript = &record
	}
	err := f.runOnce(ctx, rng, a, task)
	if err == nil && task.Transcript != nil {
		err = f.resume(ctx, rng, a, task, model, &record)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errors.New("the run does not end")
	}
	model.mu.Lock()
	defer model.mu.Unlock()
	return errors.Join(append(model.broken, err)...)
}

// agent returns one whose model is at url.
func (f *chaosField) agent(rng *rand.Rand, url string) *agent.Agent {
	root := f.snap.Roots()[0]
	return agent.New(agent.Options{
		Model: openai.New(openai.Options{
			BaseURL: url, APIKey: "sk-0123456789", Model: "hostile", HTTPClient: f.client,
			Backoff: time.Millisecond, IdleTimeout: 100 * time.Millisecond,
		}),
		Sandbox: func([]string) agent.Sandbox { return chaosSandbox{root} },
		Verify:  func([]string) []string { return []string{"check", "write"}[:rng.IntN(3)] },
	})
}

func chaosAnswer(_ context.Context, q agent.Question) (string, error) {
	if len(q.Text)%3 == 0 {
		return "", errors.New("the user is away")
	}
	return "do as you like", nil
}

// chaosReview takes a plan as it is, or changed, or not at all.
func chaosReview(_ context.Context, plan agent.Plan) (agent.Plan, error) {
	switch len(plan.Steps) % 3 {
	case 0:
		return plan, agent.ErrNobody
	case 1:
		plan.Steps = append(plan.Steps, agent.PlanStep{Text: "and test it"})
	}
	return plan, nil
}

func chaosGrant(_ context.Context, p agent.Permission) (agent.Grant, error) {
	if len(p.Command)%4 == 0 {
		return agent.Refused, errors.New("the user is away")
	}
	return agent.Grant(len(p.Command) % 3), nil
}

// runOnce runs task, and returns what must not be of its end. Some are stopped
// in the middle, to some the user says something.
func (f *chaosField) runOnce(ctx context.Context, rng *rand.Rand, a *agent.Agent, task agent.Task) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stopAt, sayAt := rng.IntN(200), rng.IntN(200)
	events, steps := 0, error(nil)
	res, err := a.Run(ctx, f.snap, task, func(ev agent.Event) {
		if step, ok := ev.(agent.StepProposed); ok {
			steps = errors.Join(steps, wellProposed(f.snap.Roots()[0], step.Change))
		}
		switch events++; events {
		case stopAt:
			cancel()
		case sayAt:
			task.Inbox.Put("Something else.")
		}
	})
	f.count(res, err)
	return errors.Join(steps, wellEnded(f.snap.Roots()[0], task, res, err))
}

func (f *chaosField) count(res *agent.Result, err error) {
	how := "with an answer"
	switch {
	case errors.Is(err, context.Canceled):
		how = "stopped"
	case errors.Is(err, agent.ErrStuck):
		how = "stuck"
	case err != nil:
		how = "with another error"
	case res.Paused != "":
		how = "paused"
	case res.Change != nil:
		how = "with a change"
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended[how]++
}

// resume lets a run go on from its transcript: as it ended, or as the end of
// its process in the middle of a line would have left it.
func (f *chaosField) resume(ctx context.Context, rng *rand.Rand, a *agent.Agent, task agent.Task, model *hostileModel, record *tape) error {
	kept := record.Bytes()
	if rng.IntN(2) == 0 {
		kept = kept[:rng.IntN(len(kept)+1)]
		model.mu.Lock()
		model.inputs = nil // what it had asked for meanwhile is forgotten
		model.mu.Unlock()
	}
	records, _, err := agent.ReadTranscript(bytes.NewReader(kept))
	if errors.Is(err, agent.ErrNoTranscript) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the transcript: %w", err)
	}
	if task.Past, err = agent.Replay(records); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	task.Transcript = &tape{}
	return f.runOnce(ctx, rng, a, task)
}

// wellEnded returns an error unless a run ended with a result that can be
// proposed, or with an error that can be shown.
func wellEnded(root string, task agent.Task, res *agent.Result, err error) error {
	switch {
	case (res == nil) == (err == nil):
		return fmt.Errorf("result %v and error %w", res, err)
	case err != nil:
		isControl := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
		if s := err.Error(); s == "" || len(s) > 4096 || !utf8.ValidString(s) || strings.ContainsFunc(s, isControl) || strings.Contains(s, chaosCanary) {
			return fmt.Errorf("an error that cannot be shown: %q", s)
		}
		return nil
	case res.Change == nil:
		return nil
	case !task.Mode.Edits():
		return errors.New("a change, in a task that only asks")
	}
	return wellProposed(root, res.Change)
}

// wellProposed returns an error unless a change is of files that may be changed.
func wellProposed(root string, cs *edits.ChangeSet) error {
	for i := range cs.Files {
		c := &cs.Files[i]
		for _, path := range []string{c.Path, c.Target()} {
			if rel, err := filepath.Rel(root, path); err != nil || !filepath.IsLocal(rel) || !agent.IsPlain(path) || filepath.Base(path) == ".env" {
				return fmt.Errorf("a change of %q", path)
			}
		}
		if strings.Contains(string(c.After()), chaosCanary) {
			return fmt.Errorf("the secret is in %s", c.Path)
		}
	}
	return cs.Check()
}

// chaosRuns returns how many runs there are, and with which seed they begin:
// AGENT_CHAOS and AGENT_CHAOS_SEED say more.
func chaosRuns(t *testing.T) (n, first uint64) {
	t.Helper()
	n, first = 250, 1
	for name, value := range map[string]*uint64{"AGENT_CHAOS": &n, "AGENT_CHAOS_SEED": &first} {
		if s := os.Getenv(name); s != "" {
			parsed, err := strconv.ParseUint(s, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			*value = parsed
		}
	}
	return n, first
}

// TestChaos: whatever a model says, however the wire breaks and whenever the
// user stops it, a run changes no byte of anything, tells no secret, answers
// each call once, only adds to its request, ends, and leaves nothing behind.
func TestChaos(t *testing.T) {
	n, first := chaosRuns(t)
	f := newChaosField(t)
	idle := runtime.NumGoroutine()
	const batch = 250
	var base uint64 // bytes of the heap after the first batch
	for from := uint64(0); from < n; from += batch {
		f.batch(t, first+from, min(batch, n-from))
		if f.state(t) != f.was {
			t.Fatalf("a run of seed %d to %d changed a file", first+from, first+from+batch-1)
		}
		f.client.CloseIdleConnections()
		for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > idle; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<20)
				t.Fatalf("%d goroutines were left, of %d:\n%s", runtime.NumGoroutine(), idle, stacks[:runtime.Stack(stacks, true)])
			}
		}
		heap := heapInUse()
		if base == 0 {
			base = heap
		}
		const slack = 16 << 20 // bytes
		if heap > base+slack {
			t.Fatalf("the heap grew from %d to %d bytes", base, heap)
		}
		if t.Failed() {
			return
		}
		if done := from + batch; done%2500 == 0 {
			t.Logf("%d runs done", done)
		}
	}
	t.Logf("%d runs ended: %v; heap %d KB after the first %d, %d KB at the end", n, f.ended, base>>10, batch, heapInUse()>>10)
	for _, how := range []string{"with an answer", "with a change", "stuck", "paused", "stopped", "with another error"} {
		if f.ended[how] == 0 {
			t.Errorf("no run ended %s: there is less chaos than there should be", how)
		}
	}
}

// batch does n runs from seed on, two at a time.
func (f *chaosField) batch(t *testing.T, seed, n uint64) {
	t.Helper()
	var workers sync.WaitGroup
	for w := range uint64(2) {
		workers.Go(func() {
			for i := w; i < n; i += 2 {
				if err := f.run(t.Context(), seed+i); err != nil {
					t.Errorf("seed %d: %v", seed+i, err)
				}
			}
		})
	}
	workers.Wait()
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
