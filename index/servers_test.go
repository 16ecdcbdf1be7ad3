//go:build peers

package index_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A server is a language server in a process of its own, and the client's end
// of its pipes. It is used by one goroutine.
type server struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	last int // id
}

// startServer starts a server in dir and returns it when it has answered
// initialize, with how long that took from the start of the process.
func startServer(t *testing.T, dir string, env []string, program string, args ...string) (*server, time.Duration) {
	t.Helper()
	s := &server{t: t, cmd: exec.Command(program, args...)}
	s.cmd.Dir, s.cmd.Env = dir, append(os.Environ(), env...)
	s.cmd.Stderr = os.Stderr
	s.in = must(s.cmd.StdinPipe())
	s.out = bufio.NewReader(must(s.cmd.StdoutPipe()))
	start := time.Now()
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	folder := map[string]any{"uri": "file://" + dir, "name": filepath.Base(dir)}
	s.ask("initialize", map[string]any{
		"processId": os.Getpid(), "rootUri": folder["uri"], "workspaceFolders": []any{folder}, "capabilities": map[string]any{},
	})
	took := time.Since(start)
	s.send(map[string]any{"method": "initialized", "params": map[string]any{}})
	return s, took
}

// stop ends the server as an editor does.
func (s *server) stop() {
	s.ask("shutdown", nil)
	s.send(map[string]any{"method": "exit"})
	_ = s.in.Close()
	_ = s.cmd.Wait() // whatever it says on its way out
}

func (s *server) send(message map[string]any) {
	message["jsonrpc"] = "2.0"
	body := must(json.Marshal(message))
	if _, err := fmt.Fprintf(s.in, "Content-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		s.t.Fatalf("%s: %v", s.cmd.Path, err)
	}
}

// ask returns the result of a request as it came. What the server asks
// meanwhile is answered with nothing.
func (s *server) ask(method string, params any) json.RawMessage {
	s.t.Helper()
	s.last++
	s.send(map[string]any{"id": s.last, "method": method, "params": params})
	for {
		var m struct {
			ID     json.RawMessage
			Method string
			Result json.RawMessage
			Error  json.RawMessage
		}
		if err := json.Unmarshal(s.receive(), &m); err != nil {
			s.t.Fatalf("%s: %v", s.cmd.Path, err)
		}
		switch {
		case m.Method != "" && m.ID != nil:
			s.send(map[string]any{"id": m.ID, "result": nil})
		case m.Method == "" && string(m.ID) == strconv.Itoa(s.last):
			if m.Error != nil {
				s.t.Fatalf("%s: %s: %s", s.cmd.Path, method, m.Error)
			}
			return m.Result
		}
	}
}

func (s *server) receive() []byte {
	header, err := textproto.NewReader(s.out).ReadMIMEHeader()
	if err != nil {
		s.t.Fatalf("%s: %v", s.cmd.Path, err)
	}
	body := make([]byte, must(strconv.Atoi(header.Get("Content-Length"))))
	if _, err := io.ReadFull(s.out, body); err != nil {
		s.t.Fatalf("%s: %v", s.cmd.Path, err)
	}
	return body
}

// await asks agentls until its index is complete.
func (s *server) await() {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var status struct{ Ready bool }
		answer := s.ask("workspace/executeCommand", map[string]any{"command": "agentls.status"})
		if err := json.Unmarshal(answer, &status); err == nil && status.Ready {
			return
		}
	}
	s.t.Fatal("the index does not get ready")
}

// searches returns how long workspace/symbol took for each query, from the
// request to the last byte of the answer.
func (s *server) searches(queries []string) (took []time.Duration) {
	s.ask("workspace/symbol", map[string]any{"query": "warm"})
	for _, q := range queries {
		start := time.Now()
		s.ask("workspace/symbol", map[string]any{"query": q})
		took = append(took, time.Since(start))
	}
	return took
}

// memory returns a number of /proc/PID/status, in megabytes; 0 where there is none.
func (s *server) memory(field string) float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	for line := range strings.Lines(string(status)) {
		var kilobytes float64
		if n, _ := fmt.Sscanf(line, field+": %f kB", &kilobytes); n == 1 {
			return kilobytes * 1024 / 1e6
		}
	}
	return 0
}

// ticks returns the CPU time of the server so far, in ticks of 10 ms.
func (s *server) ticks() int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest) // from the third on: 14 and 15 are the times
	return must(strconv.Atoi(fields[11])) + must(strconv.Atoi(fields[12]))
}

// servers measures both servers as an editor meets them, over their pipes.
func (r *report) servers() {
	dir, state := goroot(r.t), r.t.TempDir()
	agentls, gopls := os.Getenv("BENCH_AGENTLS"), os.Getenv("BENCH_GOPLS")
	env := []string{"XDG_CACHE_HOME=" + filepath.Join(state, "cache"), "XDG_STATE_HOME=" + filepath.Join(state, "state")}
	r.indexed(env, dir)
	var ours, theirs []cost
	for range 2 * r.rounds {
		s, took := startServer(r.t, dir, env, agentls, "serve")
		ours = append(ours, cost{wall: took})
		s.stop()
		if gopls != "" {
			s, took = startServer(r.t, dir, nil, gopls)
			theirs = append(theirs, cost{wall: took})
			s.stop()
		}
	}
	r.printf("\n## Through the server, over its pipes, on Go's source indexed before\n\n| | agentls | gopls | ratio |\n|---|---|---|---|\n")
	r.row("start of the process to the answer to initialize: ms", ours, theirs, milliseconds)
	asked := queries(r.t, dir)
	us, _ := startServer(r.t, dir, env, agentls, "serve")
	us.await()
	fresh := us.memory("VmRSS")
	mine := us.searches(asked)
	them, _ := startServer(r.t, dir, nil, gopls)
	others := them.searches(asked)
	for _, share := range []float64{0.5, 0.99} {
		a, b := percentile(mine, share), percentile(others, share)
		r.printf("| workspace/symbol, %d queries, p%.0f: ms | %.2f | %.2f | %.3f |\n", len(asked), share*100, a, b, a/b)
	}
	a, b := us.memory("VmRSS"), them.memory("VmRSS")
	r.printf("| memory then: MB | %.0f | %.0f | %.2f |\n", a, b, a/b)
	r.printf("| memory before the queries, from the segment: MB | %.0f | | |\n", fresh)
	them.stop()
	r.idle(us)
	us.stop()
}

// idle measures a server that is left alone. BENCH_IDLE is for how many
// seconds.
func (r *report) idle(s *server) {
	idle, err := strconv.Atoi(os.Getenv("BENCH_IDLE"))
	if err != nil {
		idle = 60
	}
	time.Sleep(2 * time.Second) // what the queries left behind is collected
	before := s.ticks()
	time.Sleep(time.Duration(idle) * time.Second)
	r.printf("| CPU while idle for %d s: ms | %d | | |\n", idle, 10*(s.ticks()-before))
}

// large measures a server over the big corpus.
func (r *report) large() {
	dir, state := os.Getenv("BENCH_BIG"), r.t.TempDir()
	if _, err := os.Stat(dir); err != nil {
		return
	}
	env := []string{"XDG_CACHE_HOME=" + filepath.Join(state, "cache"), "XDG_STATE_HOME=" + filepath.Join(state, "state")}
	figures, cold := r.indexed(env, dir)
	s, took := startServer(r.t, dir, env, os.Getenv("BENCH_AGENTLS"), "serve")
	start := time.Now()
	s.await()
	ready := time.Since(start)
	fresh, heap := s.memory("VmRSS"), s.memory("RssAnon")
	found := s.searches(queries(r.t, dir))
	r.printf("\n## Through the server, over the big corpus (%v files, %.1f MLOC, %.0f MB, %.2f M symbols, %.1f M references)\n\n| | |\n|---|---|\n",
		figures["files"], figures["lines"].(float64)/1e6, figures["bytes"].(float64)/1e6, figures["symbols"].(float64)/1e6, figures["references"].(float64)/1e6)
	r.printf("| cold, a whole process: s, MB/s, MB | %.1f, %.1f, %.0f |\n", cold.wall.Seconds(), figures["mb_per_s"], megabytes(cold))
	r.printf("| start of the process to the answer to initialize: ms | %.1f |\n", took.Seconds()*1e3)
	r.printf("| from there to a complete index: ms | %.0f |\n", ready.Seconds()*1e3)
	r.printf("| memory then, and of it not from files: MB | %.0f, %.0f |\n", fresh, heap)
	r.printf("| workspace/symbol, %d queries, p50, p99, max: ms | %.2f, %.2f, %.2f |\n", len(found), percentile(found, 0.5), percentile(found, 0.99), percentile(found, 1))
	r.printf("| memory after them, and of it not from files: MB | %.0f, %.0f |\n", s.memory("VmRSS"), s.memory("RssAnon"))
	s.stop()
}

// indexed indexes dir cold, with the program.
func (r *report) indexed(env []string, dir string) (figures map[string]any, c cost) {
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		r.t.Setenv(name, value)
	}
	c, out := r.run(dir, os.Getenv("BENCH_AGENTLS"), "index", dir, "--fresh", "--json")
	if err := json.Unmarshal(out, &figures); err != nil {
		r.t.Fatal(err)
	}
	return figures, c
}
