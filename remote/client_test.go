package remote_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/remote"
)

// endpoint answers every request with handle, but that for itself, which says
// that it is a task service.
func endpoint(t *testing.T, handle http.HandlerFunc) *remote.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"name":"agentls"}`)
			return
		}
		handle(w, r)
	}))
	t.Cleanup(server.Close)
	return client(t, server.URL)
}

func client(t *testing.T, url string) *remote.Client {
	t.Helper()
	c, err := remote.New(remote.Options{URL: url, Backoff: time.Millisecond, Patience: 20 * time.Millisecond, Poll: time.Millisecond, Slow: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBadAddresses(t *testing.T) {
	for _, url := range []string{"", "x", "ftp://x", "http://", "http://user:password@x", "http://x?y"} {
		if _, err := remote.New(remote.Options{URL: url}); err == nil {
			t.Errorf("%q is taken for an address", url)
		}
	}
}

func TestBadEndpoints(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := "http://" + listener.Addr().String()
	_ = listener.Close()
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html>maintenance")
	}))
	t.Cleanup(html.Close)
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(slow.Close)
	cases := map[string]struct {
		url  string
		is   error
		says string
	}{
		"down": {down, remote.ErrUnreachable, "refused"},
		"HTML": {html.URL, remote.ErrNotService, "web page"},
		"slow": {slow.URL, remote.ErrUnreachable, "does not answer within"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := client(t, c.url).Tasks(t.Context(), "")
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.url) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestBadAnswers(t *testing.T) {
	cases := map[string]struct {
		status     int
		kind, body string
		says       string
	}{
		"broken JSON": {200, "application/json", `{"tasks":`, "broken JSON"},
		"no JSON":     {200, "text/plain", "hello", "is the address right?"},
		"a redirect":  {302, "text/plain", "", "302"},
		"a message":   {507, "application/json", `{"error":{"message":"the service's disk is full"}}`, "disk is full"},
		"no message":  {500, "text/plain", "oops", "500: oops"},
	}
	for name, bad := range cases {
		t.Run(name, func(t *testing.T) {
			c := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", bad.kind)
				w.Header().Set("Location", "http://elsewhere.example/")
				w.WriteHeader(bad.status)
				_, _ = io.WriteString(w, bad.body)
			})
			if _, err := c.Tasks(t.Context(), ""); err == nil || !strings.Contains(err.Error(), bad.says) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// TestAStreamThatBreaks: every connection brings one event; none is lost or
// told twice, and the service is asked for what is missing.
func TestAStreamThatBreaks(t *testing.T) {
	var asked []string
	c := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		last := r.Header.Get("Last-Event-ID")
		asked = append(asked, last)
		w.Header().Set("Content-Type", "text/event-stream")
		switch last {
		case "0":
			_, _ = io.WriteString(w, "id: 1\nevent: text\ndata: {\"seq\":1,\"kind\":\"text\",\"text\":\"one\"}\n\nid: 2\nevent: text\ndata: {\"seq\":2,")
		case "1":
			_, _ = io.WriteString(w, "data: {\"seq\":1,\"kind\":\"text\",\"text\":\"again\"}\n\nid: 2\ndata: {\"seq\":2,\"kind\":\"text\",\"text\":\" two\"}\n\n")
		default:
			_, _ = io.WriteString(w, "event: end\ndata: {\"id\":\"t\",\"state\":\"done\"}\n\n")
		}
	})
	var text strings.Builder
	done, err := c.Follow(t.Context(), "t", 0, func(ev remote.Event) { text.WriteString(ev.Text) }, nil)
	if err != nil || done.State != remote.Done || text.String() != "one two" || strings.Join(asked, ",") != "0,1,2" {
		t.Errorf("%v, %+v, %q, asked %v", err, done, text.String(), asked)
	}
}

func TestPatienceEnds(t *testing.T) {
	var tries atomic.Int32
	c := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
		tries.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	})
	var told int
	_, err := c.Follow(t.Context(), "task_x", 0, func(remote.Event) {}, func(error) { told++ })
	if err == nil || !strings.Contains(err.Error(), "task_x, which goes on there") || told == 0 || tries.Load() < 3 {
		t.Errorf("%v after %d tries, told %d times", err, tries.Load(), told)
	}
	gone := endpoint(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	var status *remote.StatusError
	if _, err := gone.Follow(t.Context(), "x", 0, func(remote.Event) {}, nil); !errors.As(err, &status) || status.Status != 404 {
		t.Errorf("what is not there: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("enough")
	cancel(stop)
	if _, err := c.Follow(ctx, "x", 0, func(remote.Event) {}, nil); !errors.Is(err, stop) {
		t.Errorf("after a cancel: %v", err)
	}
}

// TestABrokenEnd: a task that cannot be read is no task.
func TestABrokenEnd(t *testing.T) {
	c := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "event: end\ndata: {\"id\":7}\n\n")
	})
	if done, err := c.Follow(t.Context(), "t", 0, func(remote.Event) {}, nil); done != nil || !errors.Is(err, remote.ErrNotService) {
		t.Errorf("%+v, %v", done, err)
	}
}

// TestAnswersThatStall: one that begins and does not go on is given up, also
// where the service does not take in what it is sent.
func TestAnswersThatStall(t *testing.T) {
	c := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"tasks":`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	if _, err := c.Tasks(t.Context(), ""); !errors.Is(err, remote.ErrUnreachable) || !strings.Contains(err.Error(), "does not answer within") {
		t.Errorf("the error is %v", err)
	}
	release := make(chan struct{})
	deaf := endpoint(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	spec := remote.Spec{Key: "k", Mode: agent.Ask, Prompt: strings.Repeat("x", 30<<20), Environment: "e"}
	if _, err := deaf.Create(t.Context(), spec); !errors.Is(err, remote.ErrUnreachable) {
		t.Errorf("the error is %v", err)
	}
}

// TestAResultFromAStranger: a diff that leads out, that does not fit, that is
// binary or no diff at all changes nothing and says why.
func TestAResultFromAStranger(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/f", []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := endpoint(t, http.NotFound)
	cases := map[string]struct {
		diff string
		is   error
		says string
	}{
		"outside":  {"diff --git a/../f b/../f\n--- a/../f\n+++ b/../f\n@@ -1 +1 @@\n-1\n+2\n", edits.ErrOutside, "../f"},
		"git":      {"diff --git a/.git/config b/.git/config\nnew file mode 100644\n--- /dev/null\n+++ b/.git/config\n@@ -0,0 +1 @@\n+x\n", edits.ErrOutside, ".git"},
		"misfit":   {"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-7\n+2\n", nil, "does not fit"},
		"binary":   {"diff --git a/f b/f\nBinary files a/f and b/f differ\n", nil, "binary"},
		"no diff":  {"Sorry, Dave.\n", nil, "diff line 1"},
		"too many": {"", nil, "has no attempt 2"},
	}
	for name, bad := range cases {
		t.Run(name, func(t *testing.T) {
			task := &remote.Task{ID: "t", Mode: agent.Edit, Attempts: []remote.Attempt{{Number: 1, State: remote.Done, Result: &remote.Result{Diff: bad.diff}}}}
			number := 1
			if bad.diff == "" {
				number = 2
			}
			cs, err := c.ChangeSet(t.Context(), dir, task, number)
			if cs != nil || err == nil || !strings.Contains(err.Error(), bad.says) || bad.is != nil && !errors.Is(err, bad.is) {
				t.Errorf("%v, %v", cs, err)
			}
		})
	}
}
