package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/remote"
	"github.com/agentls/agentls/remote/server"
)

// An ask is a request by hand, and what must come back.
type ask struct {
	method, path, body string
	header             map[string]string
	host               string
	status             int
	says               string
}

// do makes the request and returns the body of its answer.
func (b *bench) do(a ask) string {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), a.method, b.url+a.path, strings.NewReader(a.body))
	noError(b.t, err)
	if a.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for key, value := range a.header {
		req.Header.Set(key, value)
	}
	if a.host != "" {
		req.Host = a.host
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	noError(b.t, err)
	defer resp.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(resp.Body)
	noError(b.t, err)
	if resp.StatusCode != a.status || !strings.Contains(string(body), a.says) {
		b.t.Errorf("%s %s: %d %s, want %d %q", a.method, a.path, resp.StatusCode, body, a.status, a.says)
	}
	return string(body)
}

func TestBadRequests(t *testing.T) {
	b := newBench(t, nil)
	hash := text.HashOf([]byte("x")).String()
	noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "e"}))
	spec := func(inner string) string { return `{"key":"k","mode":"edit","prompt":"p",` + inner + `}` }
	for _, a := range []ask{
		{method: "GET", path: "/healthz", status: 200, says: "ok"},
		{method: "GET", path: "/healthz", host: "evil.example", status: 200, says: "ok"},
		{method: "GET", path: "/v1/tasks", host: "evil.example", status: 421, says: "loopback"},
		{method: "GET", path: "/v1/tasks", host: "localhost:1", status: 200, says: `"tasks":[]`},
		{method: "POST", path: "/v1/tasks", body: "{}", header: map[string]string{"Origin": "https://evil.example"}, status: 403, says: "another site"},
		{method: "POST", path: "/v1/tasks", body: "{}", header: map[string]string{"Sec-Fetch-Site": "cross-site"}, status: 403, says: "another site"},
		{method: "POST", path: "/v1/tasks", body: "{}", header: map[string]string{"Content-Type": "text/plain"}, status: 400, says: "application/json"},
		{method: "POST", path: "/v1/tasks", body: "{", status: 400, says: "body"},
		{method: "POST", path: "/v1/tasks", body: spec(`"base":{}`), status: 422, says: "no code to start from"},
		{method: "POST", path: "/v1/tasks", body: `{"mode":"edit","prompt":" ","environment":"e"}`, status: 422, says: "prompt is empty"},
		{method: "POST", path: "/v1/tasks", body: `{"mode":"rm","prompt":"p","environment":"e"}`, status: 422, says: "mode"},
		{method: "POST", path: "/v1/tasks", body: spec(`"environment":"e","attempts":9`), status: 422, says: "attempts"},
		{method: "POST", path: "/v1/tasks", body: spec(`"environment":"none"`), status: 404, says: "no such environment"},
		{method: "POST", path: "/v1/tasks", body: spec(`"base":{"commit":"--upload-pack=x"}`), status: 422, says: "is no commit"},
		{method: "POST", path: "/v1/tasks", body: spec(`"environment":"e","base":{"branch":"--exec=x"}`), status: 422, says: "is no branch"},
		{method: "POST", path: "/v1/tasks", body: spec(`"environment":"e","focus":{"path":"../x"}`), status: 422, says: "outside"},
		{method: "POST", path: "/v1/tasks", body: spec(`"base":{"commit":"` + strings.Repeat("a", 40) + `"}`), status: 422, says: "send it in a bundle"},
		{method: "POST", path: "/v1/tasks", body: spec(`"base":{"commit":"` + strings.Repeat("a", 40) + `","bundle":"` + hash + `"}`), status: 404, says: "no such blob"},
		{method: "POST", path: "/v1/tasks", body: spec(`"base":{"overlay":"` + hash + `"}`), status: 404, says: "no such blob"},
		{method: "PUT", path: "/v1/blobs/" + hash, body: "y", status: 422, says: "damaged on the way"},
		{method: "PUT", path: "/v1/blobs/../../x", body: "y", status: 307},
		{method: "PUT", path: "/v1/blobs/..%2f..%2fx", body: "y", status: 404, says: "is no hash"},
		{method: "GET", path: "/v1/blobs/" + hash, status: 404, says: "no such blob"},
		{method: "GET", path: "/v1/tasks/nobody", status: 404, says: "no such task"},
		{method: "GET", path: "/v1/tasks/nobody/events", status: 404, says: "no such task"},
		{method: "POST", path: "/v1/tasks/nobody/cancel", status: 404, says: "no such task"},
		{method: "GET", path: "/v1/tasks/nobody/attempts/1/diff", status: 404},
		{method: "PUT", path: "/v1/environments/..%2fx", body: "{}", status: 422, says: "no name"},
		{method: "PUT", path: "/v1/environments/x", body: `{"repo":"--upload-pack=x"}`, status: 422, says: "no repository"},
		{method: "GET", path: "/tasks/%3Cscript%3E", status: 404, says: "&lt;script&gt;"},
		{method: "GET", path: "/nowhere", status: 404},
	} {
		b.do(a)
	}
	if page, err := b.client.Tasks(t.Context(), ""); err != nil || len(page.Tasks) > 0 {
		t.Errorf("a bad request made a task: %v, %+v", err, page)
	}
}

func TestADamagedBundleIsRefused(t *testing.T) {
	b := newBench(t, nil)
	content := "# v2 git bundle\nnonsense"
	hash := text.HashOf([]byte(content)).String()
	b.do(ask{method: "PUT", path: "/v1/blobs/" + hash, body: content, status: 204})
	b.do(ask{
		method: "POST", path: "/v1/tasks", status: 422, says: "the bundle is damaged",
		body: `{"mode":"edit","prompt":"p","base":{"commit":"` + strings.Repeat("a", 40) + `","bundle":"` + hash + `"}}`,
	})
}

func TestAnOverlayStaysInside(t *testing.T) {
	b := newBench(t, nil)
	for _, name := range []string{"../x", "/etc/x", ".git/config", "a/../../x", "sub/.GIT/hooks/x", "a\\b", ""} {
		raw, err := json.Marshal(remote.Overlay{Files: []remote.OverlayFile{{Path: name, Content: []byte("x")}}})
		noError(t, err)
		hash := text.HashOf(raw).String()
		b.do(ask{method: "PUT", path: "/v1/blobs/" + hash, body: string(raw), status: 204})
		b.do(ask{method: "POST", path: "/v1/tasks", body: `{"mode":"edit","prompt":"p","base":{"overlay":"` + hash + `"}}`, status: 422, says: "outside"})
	}
}

// TestAnOverlayDoesNotFollowLinks: a link in the commit does not lead an
// overlay's file out of the checkout.
func TestAnOverlayDoesNotFollowLinks(t *testing.T) {
	b := newBench(t, nil, change)
	outside := t.TempDir()
	write(t, outside, map[string]string{"victim": "mine"})
	noError(t, os.Symlink(outside, filepath.Join(b.project, "link")))
	noError(t, os.Symlink(filepath.Join(outside, "victim"), filepath.Join(b.project, "file")))
	git(t, b.project, "add", "link", "file")
	git(t, b.project, "commit", "-qm", "links")
	raw, err := json.Marshal(remote.Overlay{Files: []remote.OverlayFile{{Path: "link/victim", Content: []byte("x")}, {Path: "file", Content: []byte("x")}}})
	noError(t, err)
	hash := text.HashOf(raw)
	b.do(ask{method: "PUT", path: "/v1/blobs/" + hash.String(), body: string(raw), status: 204})
	noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "e", Repo: b.project}))
	task, err := b.client.Create(t.Context(), remote.Spec{Key: "k", Mode: agent.Edit, Prompt: "p", Environment: "e", Base: remote.Base{Overlay: hash}})
	noError(t, err)
	done, err := b.client.Follow(t.Context(), task.ID, 0, func(remote.Event) {}, nil)
	noError(t, err)
	if done.State != remote.Failed || done.Attempts[0].Result.Failure.Code != remote.BaseFailed {
		t.Errorf("it is %s: %+v", done.State, done.Attempts[0].Result)
	}
	if content, err := os.ReadFile(filepath.Join(outside, "victim")); err != nil || string(content) != "mine" {
		t.Errorf("outside lies %q, %v", content, err)
	}
}

func TestTokens(t *testing.T) {
	b := newBench(t, func(o *server.Options) { o.Tokens = []string{"one", "two"} })
	for _, a := range []ask{
		{method: "GET", path: "/healthz", status: 200},
		{method: "GET", path: "/v1/tasks", status: 401, says: "token"},
		{method: "GET", path: "/", status: 401},
		{method: "GET", path: "/api/codex/tasks/list", header: map[string]string{"Authorization": "Bearer three"}, status: 401},
		{method: "GET", path: "/v1/tasks", header: map[string]string{"Authorization": "two"}, status: 401},
		{method: "GET", path: "/v1/tasks", header: map[string]string{"Authorization": "Bearer two"}, host: "agents.example", status: 200},
		{method: "GET", path: "/", header: map[string]string{"Authorization": "Basic bWU6b25l"}, status: 200},
		{method: "GET", path: "/", header: map[string]string{"Authorization": "Basic bWU6d3Jvbmc="}, status: 401},
	} {
		b.do(a)
	}
	var status *remote.StatusError
	if _, err := b.newClient("three").Tasks(t.Context(), ""); !errors.As(err, &status) || status.Status != 401 || !strings.Contains(err.Error(), "refuses the token") {
		t.Errorf("the error is %v", err)
	}
	if _, err := b.newClient("two").Tasks(t.Context(), ""); err != nil {
		t.Error(err)
	}
}

func TestNoTokensNoOthers(t *testing.T) {
	s, err := server.Open(t.Context(), server.Options{Dir: t.TempDir(), Now: time.Now, NewID: newID})
	noError(t, err)
	defer s.Close() //nolint:errcheck // nothing was written
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	noError(t, err)
	defer listener.Close() //nolint:errcheck // nothing came
	if err := s.Serve(t.Context(), listener); !errors.Is(err, server.ErrExposed) {
		t.Errorf("the error is %v", err)
	}
}

// TestTheStreamResumes: the events behind Last-Event-ID, and nothing else.
func TestTheStreamResumes(t *testing.T) {
	b := newBench(t, nil, change)
	sent, err := b.client.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "shout"})
	noError(t, err)
	path := "/v1/tasks/" + sent.Task.ID + "/events"
	all := b.do(ask{method: "GET", path: path, status: 200, says: "event: end\n"}) // it ends with the task
	first, rest, ok := strings.Cut(all, "id: 3\n")
	if !ok || !strings.Contains(first, "id: 1\n") {
		t.Fatalf("the stream is\n%s", all)
	}
	for _, a := range []ask{
		{method: "GET", path: path, header: map[string]string{"Last-Event-ID": "2"}, status: 200},
		{method: "GET", path: path + "?after=2", status: 200},
		{method: "GET", path: path + "?after=0", header: map[string]string{"Last-Event-ID": "2"}, status: 200},
	} {
		if diff := cmp.Diff(": agentls\n\nid: 3\n"+rest, b.do(a)); diff != "" {
			t.Error(diff)
		}
	}
	for _, beyond := range []string{"1000", "9223372036854775807"} {
		got := b.do(ask{method: "GET", path: path, header: map[string]string{"Last-Event-ID": beyond}, status: 200})
		if !strings.HasPrefix(got, ": agentls\n\nevent: end\n") {
			t.Errorf("behind %s there is\n%s", beyond, got)
		}
	}
	for _, bad := range []string{"x", "-1", "9223372036854775808"} {
		b.do(ask{method: "GET", path: path, header: map[string]string{"Last-Event-ID": bad}, status: 400, says: "Last-Event-ID"})
	}
	var log remote.Log
	noError(t, json.Unmarshal([]byte(b.do(ask{method: "GET", path: "/v1/tasks/" + sent.Task.ID + "/log?after=2", status: 200})), &log))
	if len(log.Events) == 0 || log.Events[0].Seq != 3 {
		t.Errorf("the log is %+v", log)
	}
	diff := b.do(ask{method: "GET", path: "/v1/tasks/" + sent.Task.ID + "/attempts/1/diff", status: 200, says: "diff --git a/math.go b/math.go"})
	if done := b.task(sent.Task.ID); done.Attempts[0].Result.Diff != diff {
		t.Error("the task and its diff differ")
	}
}

// TestTwoClientsFollow: both see everything, as it happens.
func TestTwoClientsFollow(t *testing.T) {
	b := newBench(t, nil, change)
	sent, err := b.client.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "shout"})
	noError(t, err)
	var seen [2][]remote.Event
	var both sync.WaitGroup
	for i := range seen {
		both.Go(func() {
			done, err := b.newClient("").Follow(t.Context(), sent.Task.ID, 0, func(ev remote.Event) { seen[i] = append(seen[i], ev) }, nil)
			if err != nil || done.State != remote.Done {
				t.Errorf("%+v, %v", done, err)
			}
		})
	}
	both.Wait()
	if diff := cmp.Diff(seen[0], seen[1]); diff != "" || len(seen[0]) == 0 {
		t.Errorf("they saw %d and %d events:\n%s", len(seen[0]), len(seen[1]), diff)
	}
}

func TestCancelWhileRunning(t *testing.T) {
	b := newBench(t, nil, stalled)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := b.client.Run(ctx, b.workspace().Snapshot(), agent.Task{ID: "r", Mode: agent.Edit, Prompt: "p"}, func(ev agent.Event) {
		if _, ok := ev.(agent.StepDone); ok {
			cancel() // the first step is the announcement
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the error is %v", err)
	}
	page, err := b.client.Tasks(t.Context(), "")
	noError(t, err)
	if len(page.Tasks) != 1 || page.Tasks[0].State != remote.Cancelled {
		t.Errorf("%+v", page.Tasks)
	}
	b.wantNoScratch(b.dir)
	left, leave := context.WithCancelCause(t.Context())
	_, err = b.client.Run(left, b.workspace().Snapshot(), agent.Task{ID: "r2", Mode: agent.Edit, Prompt: "p"}, func(ev agent.Event) {
		if _, ok := ev.(agent.StepDone); ok {
			leave(remote.ErrLeft)
		}
	})
	if !errors.Is(err, remote.ErrLeft) {
		t.Fatalf("the error is %v", err)
	}
	page, err = b.client.Tasks(t.Context(), "")
	noError(t, err)
	if page.Tasks[0].State.Ended() {
		t.Errorf("it was cancelled: %+v", page.Tasks[0])
	}
	_, err = b.client.Cancel(t.Context(), page.Tasks[0].ID)
	noError(t, err)
}

// TestTheCodexAPI pins what the real client needs, on both prefixes.
func TestTheCodexAPI(t *testing.T) {
	for _, prefix := range []string{"/api/codex", "/backend-api/wham"} {
		t.Run(prefix, func(t *testing.T) {
			b := newBench(t, nil, change)
			git(t, b.project, "commit", "-qam", "two")
			noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "demo", Repo: b.project}))
			b.do(ask{method: "GET", path: prefix + "/environments", status: 200, says: `[{"id":"demo","label":"demo",`})
			b.do(ask{method: "GET", path: prefix + "/environments/by-repo/github/o/r", status: 200, says: `[{"id":"demo"`})
			created := b.do(ask{method: "POST", path: prefix + "/tasks", status: 200, says: `{"task":{"id":"task_`, body: `{
				"new_task":{"environment_id":"demo","branch":"work","run_environment_in_qa_mode":false},
				"input_items":[{"type":"message","role":"user","content":[{"content_type":"text","text":"fix the bug"}]},
					{"type":"pre_apply_patch","output_diff":{"diff":"diff --git a/same.go b/same.go\n--- a/same.go\n+++ b/same.go\n@@ -1 +1 @@\n-package math // same\n+package math // started from\n"}}]}`})
			var id remote.CodexCreated
			noError(t, json.Unmarshal([]byte(created), &id))
			_, err := b.client.Follow(t.Context(), id.Task.ID, 0, func(remote.Event) {}, nil)
			noError(t, err)
			var details remote.CodexDetails
			noError(t, json.Unmarshal([]byte(b.do(ask{method: "GET", path: prefix + "/tasks/" + id.Task.ID, status: 200})), &details))
			if details.Status.State != "ready" || details.Status.Turn.Status != "completed" || details.Status.Turn.Stats.Files != 2 {
				t.Errorf("the status is %+v", details.Status)
			}
			if diff := details.Diff.UnifiedDiff(); diff == "" || diff != details.Assistant.UnifiedDiff() || strings.Contains(diff, "same.go") {
				t.Errorf("the diff is %q", diff)
			}
			if details.Assistant.Output[0].Text() != "Done." || details.User.Input[0].Text() != "fix the bug" {
				t.Errorf("the turns are %+v %+v", details.Assistant, details.User)
			}
			list := b.do(ask{method: "GET", path: prefix + "/tasks/list?limit=20&task_filter=current&environment_id=demo", status: 200, says: `"cursor":null`})
			if !strings.Contains(list, `"has_unread_turn":false`) || !strings.Contains(list, id.Task.ID) {
				t.Errorf("the list is %s", list)
			}
			b.do(ask{method: "GET", path: prefix + "/tasks/list?environment_id=other", status: 200, says: `"items":[]`})
			b.do(ask{method: "GET", path: prefix + "/tasks/" + id.Task.ID + "/turns/" + id.Task.ID + "-1/sibling_turns", status: 200, says: `"sibling_turns":[]`})
			b.do(ask{method: "GET", path: "/codex/tasks/" + id.Task.ID, status: 302})
		})
	}
}

// TestAnEndpointWithTheCodexAPIAlone: the client sends a starting diff, polls,
// and gets the result.
func TestAnEndpointWithTheCodexAPIAlone(t *testing.T) {
	b := newBench(t, nil, change)
	noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "demo", Repo: b.project}))
	service := b.url
	codex := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/codex/") {
			http.NotFound(w, r)
			return
		}
		pass(w, r, service)
	}))
	defer codex.Close()
	c, err := remote.New(remote.Options{URL: codex.URL, Environment: "demo", NewID: newID, Poll: 5 * time.Millisecond})
	noError(t, err)
	noError(t, os.Remove(filepath.Join(b.project, "id_rsa")))
	var h heard
	res, err := c.Run(t.Context(), b.workspace().Snapshot(), agent.Task{ID: "r", Mode: agent.Edit, Prompt: "shout"}, h.sink)
	noError(t, err)
	if res.Answer != "Done." || h.text.String() != "Done." {
		t.Errorf("the answer is %q, shown %q", res.Answer, h.text.String())
	}
	b.apply(res.Change)
	if got, want := b.read("math.go"), strings.Replace(mathGo, "the sum", "the SUM", 1); got != want {
		t.Errorf("math.go is %q", got)
	}
	page, err := c.Tasks(t.Context(), "")
	if err != nil || len(page.Tasks) != 1 || page.Tasks[0].State != remote.Done {
		t.Errorf("the list: %v, %+v", err, page)
	}
	if _, err := c.Cancel(t.Context(), page.Tasks[0].ID); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("cancel: %v", err)
	}
	if all, err := c.Environments(t.Context()); err != nil || len(all) != 1 || all[0].Name != "demo" {
		t.Errorf("environments: %v, %v", all, err)
	}
}

// pass hands a request on to the service at address.
func pass(w http.ResponseWriter, r *http.Request, address string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, address+r.URL.String(), bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	req.Header = r.Header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// behind returns a client of the service behind a proxy, which gives each
// attempt to create a task to create, by its number, from 1.
func (b *bench) behind(create func(n int, w http.ResponseWriter, r *http.Request)) *remote.Client {
	b.t.Helper()
	n := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/tasks" {
			pass(w, r, b.url)
			return
		}
		n++
		create(n, w, r)
	}))
	b.t.Cleanup(proxy.Close)
	c, err := remote.New(remote.Options{URL: proxy.URL, NewID: newID, Backoff: time.Millisecond})
	noError(b.t, err)
	return c
}

// TestUploadsOfADeadProcess: what was half there is gone after the start.
func TestUploadsOfADeadProcess(t *testing.T) {
	b := newBench(t, nil)
	b.stop()
	half := filepath.Join(b.dir, "blobs", "new-123")
	write(t, b.dir, map[string]string{"blobs/new-123": "half"})
	b.start()
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// TestSubmitThroughBrokenConnections: the service dies before it takes a task,
// then behind it, before it can say so: there is one task.
func TestSubmitThroughBrokenConnections(t *testing.T) {
	b := newBench(t, nil, change)
	told := 0
	c := b.behind(func(n int, w http.ResponseWriter, r *http.Request) {
		switch n {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			pass(httptest.NewRecorder(), r, b.url)
			panic(http.ErrAbortHandler)
		}
		pass(w, r, b.url)
	})
	sent, err := c.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{
		Key: "k", Mode: agent.Edit, Prompt: "shout", Broken: func(error) { told++ },
	})
	noError(t, err)
	page, err := b.client.Tasks(t.Context(), "")
	noError(t, err)
	if len(page.Tasks) != 1 || page.Tasks[0].ID != sent.Task.ID || told != 2 {
		t.Errorf("told %d times, %+v", told, page.Tasks)
	}
}

// TestStoppedWhileSubmitting: the task of a run that nobody waits for any more
// does not go on, even if the run never heard of it.
func TestStoppedWhileSubmitting(t *testing.T) {
	b := newBench(t, nil, stalled)
	ctx, cancel := context.WithCancel(t.Context())
	c := b.behind(func(n int, w http.ResponseWriter, r *http.Request) {
		if n > 1 {
			pass(w, r, b.url)
			return
		}
		pass(httptest.NewRecorder(), r, b.url)
		cancel()
		<-r.Context().Done()
	})
	_, err := c.Run(ctx, b.workspace().Snapshot(), agent.Task{ID: "r", Mode: agent.Edit, Prompt: "shout"}, func(agent.Event) {})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	page, err := b.client.Tasks(t.Context(), "")
	noError(t, err)
	if len(page.Tasks) != 1 || page.Tasks[0].State != remote.Cancelled {
		t.Errorf("%+v", page.Tasks)
	}
}

// TestAttempts: each attempt has its own result.
func TestAttempts(t *testing.T) {
	answers := func(n int) string { return fmt.Sprintf("-- turn1.reply --\nmessage: Answer %d.\n", n) }
	b := newBench(t, nil, answers(1), answers(2), answers(3))
	sent, err := b.client.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Ask, Prompt: "p", Attempts: 3})
	noError(t, err)
	done, err := b.client.Follow(t.Context(), sent.Task.ID, 0, func(remote.Event) {}, nil)
	noError(t, err)
	var got []string
	for _, a := range done.Attempts {
		got = append(got, a.Result.Answer)
	}
	if diff := cmp.Diff([]string{"Answer 1.", "Answer 2.", "Answer 3."}, got); diff != "" {
		t.Error(diff)
	}
}
