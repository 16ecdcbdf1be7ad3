//go:build peers && linux

// The measurements behind make bench-agent: bench.sh runs them.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/agentls/agentls/agent/script"
)

const (
	benchFiles  = 100
	benchRounds = 7
	longRounds  = 3
)

// A contestant is a program that runs a task, and the tools it is told to use.
type contestant struct {
	name, version string
	command       func(dir, home, baseURL string) *exec.Cmd
	read          func(path string) string // a call, as scripts write it
	edit          func(patch string) string
	shell         func(line string) string
	peer          bool
}

// agentlsContestant runs the program at BENCH_AGENTLS.
func agentlsContestant() contestant {
	program := os.Getenv("BENCH_AGENTLS")
	return contestant{
		name: "agentls", version: versionOf(program, "version"),
		command: func(dir, home, baseURL string) *exec.Cmd {
			cmd := exec.Command(program, "run", "do the task", "--dir", dir, "--turns", "1000")
			cmd.Env = append(benchEnv(home), "OPENAI_BASE_URL="+baseURL, "OPENAI_API_KEY=sk-bench-secret", "AGENTLS_MODEL=scripted")
			return cmd
		},
		read:  func(path string) string { return callOf("read_file", map[string]any{"path": path}) },
		edit:  func(patch string) string { return "patch:\n" + patch },
		shell: func(line string) string { return callOf("shell", map[string]any{"command": line}) },
	}
}

// codexContestant runs the program at BENCH_CODEX. What it reads, it reads with
// a command, and it takes patches from one, too.
func codexContestant() contestant {
	program := os.Getenv("BENCH_CODEX")
	run := func(line string) string { return callOf("exec_command", map[string]any{"cmd": line}) }
	return contestant{
		name: "Codex CLI", version: versionOf(program, "--version"), peer: true,
		command: func(dir, home, baseURL string) *exec.Cmd {
			cmd := exec.Command(program, "exec", "-s", "workspace-write", "-C", dir,
				"-c", `model="scripted"`, "-c", `model_provider="scripted"`,
				"-c", `model_providers.scripted={name="scripted",base_url="`+baseURL+`",wire_api="responses",env_key="BENCH_KEY"}`, "do the task")
			cmd.Env = append(benchEnv(home), "CODEX_HOME="+filepath.Join(home, ".codex"), "BENCH_KEY=sk-bench-secret")
			return cmd
		},
		read:  func(path string) string { return run("cat " + path) },
		edit:  func(patch string) string { return run("apply_patch <<'EOF'\n" + patch + "EOF\n") },
		shell: run,
	}
}

func versionOf(program, flag string) string {
	out, err := exec.Command(program, flag).Output()
	if err != nil {
		return "not there: " + err.Error()
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return first
}

func benchEnv(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TERM=dumb"}
}

func callOf(tool string, args map[string]any) string {
	raw, _ := json.Marshal(args)
	return "call " + tool + " " + string(raw) + "\n"
}

// benchWorkspace writes a Go module of benchFiles files under version control.
func benchWorkspace(t *testing.T, dir string) {
	t.Helper()
	files := map[string]string{"go.mod": "module example.org/bench\n\ngo 1.24\n"}
	for i := range benchFiles - 1 {
		var b strings.Builder
		fmt.Fprintf(&b, "// Package p%d is one of many.\npackage p%d\n", i/10, i/10)
		for j := range 12 {
			fmt.Fprintf(&b, "\n// Value%d%02d adds up.\nfunc Value%d%02d(a, b int) int {\n\tsum := a + b\n\tfor i := range %d {\n\t\tsum += i\n\t}\n\treturn sum\n}\n", i, j, i, j, j)
		}
		files[benchFile(i)] = b.String()
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", "all"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}

func benchFile(i int) string { return fmt.Sprintf("p%d/file%d.go", i/10, i) }

// A task is the turns of one conversation.
type benchTask []string

// archive returns the script of the task.
func (turns benchTask) archive() []byte {
	var b strings.Builder
	b.WriteString("delta: 4096\n")
	for i, reply := range append(slices.Clone(turns), "message: Done.\n") {
		fmt.Fprintf(&b, "-- turn%d.reply --\n%s", i+1, reply)
	}
	return []byte(b.String())
}

// oneRead is a task with a read between two requests.
func (c *contestant) oneRead() benchTask { return benchTask{c.read(benchFile(7))} }

// manyCalls is a task of 100 reads, 50 edits and 50 commands, one to a turn.
func (c *contestant) manyCalls() benchTask {
	var turns benchTask
	for i := range 50 {
		patch := fmt.Sprintf("*** Begin Patch\n*** Update File: %s\n@@ func Value%d03(a, b int) int {\n-\tsum := a + b\n+\tsum := b + a\n*** End Patch\n", benchFile(i), i)
		turns = append(turns, c.read(benchFile(i)), c.edit(patch), c.shell("wc -l "+benchFile(i)), c.read(benchFile(i+1)))
	}
	return turns
}

// A run is what was seen of one run of a contestant.
type benchRun struct {
	first    time.Duration   // from the start of the process to its first request
	between  []time.Duration // from the end of each answer to the next request
	overhead int             // bytes of the first request
	growing  int             // requests that begin with the bytes of the one before
	requests int
	peak     int64 // bytes, of all its processes; 0 where they were not watched
	outputs  []string
}

func (r *benchRun) harness() (sum time.Duration) {
	for _, d := range r.between {
		sum += d
	}
	return sum
}

// A watchedServer notes when requests come and answers have gone.
type watchedServer struct {
	script *script.Server

	mu      sync.Mutex
	arrived []time.Time // guarded by mu, as all below
	gone    []time.Time
	bodies  [][]byte
}

func (s *watchedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	now := time.Now()
	if err != nil || r.Method != http.MethodPost {
		http.Error(w, "only requests of models", http.StatusNotFound)
		return
	}
	s.mu.Lock()
	s.arrived, s.bodies = append(s.arrived, now), append(s.bodies, body)
	s.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.script.ServeHTTP(w, r)
	s.mu.Lock()
	s.gone = append(s.gone, time.Now())
	s.mu.Unlock()
}

// run runs task once. Watch, which may be nil, watches its memory.
func (c *contestant) run(t *testing.T, dir, home string, task benchTask, watch func(pid int) (peak func() int64)) *benchRun {
	t.Helper()
	parsed, err := script.Parse(c.name, task.archive())
	if err != nil {
		t.Fatal(err)
	}
	watched := &watchedServer{script: script.New(parsed)}
	watched.script.Peer = c.peer
	server := httptest.NewServer(watched)
	defer server.Close()
	cmd := c.command(dir, home, server.URL+"/v1")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	peak := func() int64 { return 0 }
	if watch != nil {
		peak = watch(cmd.Process.Pid)
	}
	err = cmd.Wait()
	out := &benchRun{peak: peak(), requests: len(watched.bodies)}
	if err != nil || out.requests != len(task)+1 || watched.script.Done() != nil {
		t.Fatalf("%s: %v after %d of %d requests: %v\n%s", c.name, err, out.requests, len(task)+1, watched.script.Done(), said.String())
	}
	out.first = watched.arrived[0].Sub(start)
	out.overhead = len(watched.bodies[0])
	for i, body := range watched.bodies[1:] {
		out.between = append(out.between, watched.arrived[i+1].Sub(watched.gone[i]))
		if grows(watched.bodies[i], body) {
			out.growing++
		}
	}
	out.outputs = outputsOf(watched.bodies[len(watched.bodies)-1])
	return out
}

// grows reports whether the input of a request begins with the bytes of the
// input of the one before.
func grows(before, after []byte) bool {
	var a, b struct {
		Input json.RawMessage `json:"input"`
	}
	if json.Unmarshal(before, &a) != nil || json.Unmarshal(after, &b) != nil {
		return false
	}
	return bytes.HasPrefix(b.Input, bytes.TrimSuffix(a.Input, []byte("]")))
}

// outputsOf returns what the calls of a conversation were answered.
func outputsOf(body []byte) (outputs []string) {
	var req struct {
		Input []struct {
			Output any `json:"output"`
		} `json:"input"`
	}
	if json.Unmarshal(body, &req) != nil {
		return nil
	}
	for _, item := range req.Input {
		if item.Output != nil {
			outputs = append(outputs, fmt.Sprint(item.Output))
		}
	}
	return outputs
}

// watchMemory looks at a process and all below it every 10 ms; peak ends that
// and returns the most that they had together, in bytes. Pages that they share
// count once (PSS).
func watchMemory(pid int) (peak func() int64) {
	stop, result := make(chan struct{}), make(chan int64)
	go func() {
		var most int64
		for {
			most = max(most, memoryBelow(pid))
			select {
			case <-stop:
				result <- most
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-result
	}
}

func memoryBelow(pid int) int64 {
	var sum int64
	proportional, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for line := range strings.Lines(string(proportional)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			sum += kilobytes << 10
		}
	}
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range threads {
		children, _ := os.ReadFile(path)
		for _, child := range strings.Fields(string(children)) {
			n, _ := strconv.Atoi(child)
			sum += memoryBelow(n)
		}
	}
	return sum
}

// A measured is one contestant's figures, in the units of the table.
type measured struct {
	start, overhead, peak, next, calls, growing []float64
}

// TestAgentPeers prints the table of make bench-agent.
func TestAgentPeers(t *testing.T) {
	base := os.Getenv("BENCH_HOME")
	contestants := []contestant{codexContestant(), agentlsContestant()}
	figures := make([]measured, len(contestants))
	for round := range benchRounds {
		for i := range contestants {
			c := &contestants[i]
			dir, home := filepath.Join(base, "ws"+strconv.Itoa(i)), filepath.Join(base, "home"+strconv.Itoa(i))
			if round == 0 {
				for _, folder := range []string{dir, filepath.Join(home, ".codex")} {
					if err := os.MkdirAll(folder, 0o755); err != nil {
						t.Fatal(err)
					}
				}
				benchWorkspace(t, dir)
				c.run(t, dir, home, c.oneRead(), nil) // the index, and what else is kept, is warm
			}
			figures[i].add(t, c, dir, home, round)
		}
	}
	printTable(t, contestants, figures)
}

// add measures one round. The long task is done in the first ones.
func (m *measured) add(t *testing.T, c *contestant, dir, home string, round int) {
	t.Helper()
	short := c.run(t, dir, home, c.oneRead(), nil)
	if !strings.Contains(short.outputs[0], "Value703") {
		t.Fatalf("%s did not read: %q", c.name, short.outputs[0])
	}
	m.start = append(m.start, short.first.Seconds())
	m.overhead = append(m.overhead, float64(short.overhead)/1000)
	m.next = append(m.next, float64(short.between[0].Microseconds())/1000)
	if round >= longRounds {
		return
	}
	long := c.run(t, dir, home, c.manyCalls(), nil)
	m.calls = append(m.calls, long.harness().Seconds())
	m.growing = append(m.growing, 100*float64(long.growing)/float64(long.requests-1))
	for i, kind := range []string{"Value003", "file0.go", "file0.go", "Value103"} {
		if !strings.Contains(long.outputs[i], kind) {
			t.Fatalf("%s, call %d: %q", c.name, i+1, long.outputs[i])
		}
	}
	restore(t, dir)
	m.peak = append(m.peak, float64(c.run(t, dir, home, c.manyCalls(), watchMemory).peak)/1e6)
	restore(t, dir)
}

// restore takes back what a contestant wrote.
func restore(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command("git", "checkout", "-q", ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func printTable(t *testing.T, contestants []contestant, figures []measured) {
	t.Helper()
	codex, ours := &figures[0], &figures[1]
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmarks of the agent\n\nWritten by `make bench-agent`: %s, %s/%s, %s, %d cores, %s. Both programs against the same\n", time.Now().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, processor(), runtime.NumCPU(), runtime.Version())
	fmt.Fprintf(&b, "scripted server, each in a Go module of %d files of its own, all caches warm. Medians of %d rounds (of %d for the\nlong task), one program behind the other; the range in brackets. The long task makes 200 calls in 200 turns. Memory is\nthe PSS of all processes, every 10 ms, in runs of their own.\n\n", benchFiles, benchRounds, longRounds)
	for _, c := range contestants {
		fmt.Fprintf(&b, "- %s: %s\n", c.name, c.version)
	}
	b.WriteString("\n| what | Codex CLI | agentls | ratio | goal | met |\n|---|---|---|---|---|---|\n")
	row := func(what, unit string, a, b []float64, goal string, met func(codex, ours float64) bool) string {
		return fmt.Sprintf("| %s | %s %s | %s %s | %.2f | %s | %s |\n", what, spread(a), unit, spread(b), unit, median(b)/median(a), goal, map[bool]string{true: "yes", false: "no"}[met(median(a), median(b))])
	}
	atMost := func(most float64) func(_, ours float64) bool {
		return func(_, ours float64) bool { return ours <= most }
	}
	share := func(part float64) func(codex, ours float64) bool {
		return func(codex, ours float64) bool { return ours <= part*codex }
	}
	b.WriteString(row("process start to first model request", "s", codex.start, ours.start, "≤ 0.10 s", atMost(0.10)))
	b.WriteString(row("fixed overhead in the first request", "KB", codex.overhead, ours.overhead, "≤ 12 KB", atMost(12)))
	b.WriteString(row("peak memory of all processes, 200 calls", "MB", codex.peak, ours.peak, "≤ 90 MB", atMost(90)))
	b.WriteString(row("answer to next request, a read in between", "ms", codex.next, ours.next, "≤ 1/5", share(0.2)))
	b.WriteString(row("200 calls: 100 reads, 50 edits, 50 commands", "s", codex.calls, ours.calls, "≤ 1/2", share(0.5)))
	b.WriteString(row("requests that begin with the one before", "%", codex.growing, ours.growing, "100 %", func(_, ours float64) bool { return ours == 100 }))
	if path := os.Getenv("BENCH_OUT"); path != "" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Print(b.String())
}

// processor returns the name of the machine's.
func processor() string {
	about, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(about)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.Trim(name, " \t:\n")
		}
	}
	return "unknown processor"
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func spread(values []float64) string {
	return fmt.Sprintf("%.3g [%.3g–%.3g]", median(values), slices.Min(values), slices.Max(values))
}
