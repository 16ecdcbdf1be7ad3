package server_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/remote"
	"github.com/agentls/agentls/remote/server"
)

// hostile is a change by a model that would like to be a page.
const hostile = `
pause: 30ms
-- turn1.reply --
message: I will change it. <script>document.title = "pwned"</script><img src=x onerror="document.title = 'pwned'">
patch:
*** Begin Patch
*** Update File: math.go
@@
-// Add returns the sum.
+// Add returns the SUM. <script>document.title = "pwned"</script>
*** Add File: new.go
+package math
*** End Patch
-- turn2.reply --
message: Done: the comment shouts now, and new.go is there.
`

// TestThePage: in a real browser, a task is in the list, its log grows while
// it runs, its diff comes up when it ends, and nothing in them is more than
// text.
func TestThePage(t *testing.T) {
	b := newBench(t, func(o *server.Options) { o.Commands = &commands{} }, hostile)
	noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "demo", Verify: []string{"grep -c SUM math.go", "echo 'no such test'; exit 1"}}))
	page := newBrowser(t)
	page.open(b.url)
	page.shows("No tasks yet")
	sent, err := b.client.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{
		Key: "k", Mode: agent.Edit, Environment: "demo", Prompt: "Say it louder in Add <script>document.title = \"pwned\"</script>",
	})
	noError(t, err)
	page.open(b.url + "/tasks/" + sent.Task.ID)
	page.shows("Cancel")
	page.eval("document.body.dataset.mark = 'not reloaded'")
	page.shows("I will change it.")
	page.shows("onerror=")
	if got := page.eval("document.body.dataset.mark"); got != "not reloaded" {
		t.Errorf("the log did not come over the stream: %s", got)
	}
	page.shows("• ")
	page.shows("✗ echo 'no such test'; exit 1")
	page.shows("+// Add returns the SUM.")
	page.shows("Done: the comment shouts now")
	if title := page.eval("document.title"); title != "Say it louder in Add <script>document.title = \"pwned\"</script>" {
		t.Errorf("the title is %q", title)
	}
	if n := page.eval("document.querySelectorAll('main script, main img').length"); n != "0" {
		t.Errorf("%s elements came out of text", n)
	}
	if n := page.eval("document.querySelectorAll('.diff .added').length"); n != "2" {
		t.Errorf("%s lines are shown as added", n)
	}
	page.open(b.url)
	page.shows("Say it louder in Add")
	page.shows("+2 −1")
	page.eval("document.querySelector('tbody a').click()")
	page.shows("exit 1")
	if len(page.errors) > 0 {
		t.Errorf("the console complains:\n%s", strings.Join(page.errors, "\n"))
	}
}

// TestThePageShowsEveryState: done, failed, running, waiting. Its pictures are
// those of the documents.
func TestThePageShowsEveryState(t *testing.T) {
	quick := "pause: 5ms\n"
	b := newBench(t, func(o *server.Options) { o.Commands = &commands{} }, quick+change, "-- turn1.fault --\nstatus 400\nbody:\n{\"error\":{\"message\":\"no credit left\"}}\n", stalled)
	noError(t, b.client.Declare(t.Context(), remote.Environment{Name: "math", Verify: []string{"grep -c SUM math.go"}}))
	snap := b.workspace().Snapshot()
	var tasks []string
	for i, prompt := range []string{"Say in Add's comment that it returns the SUM, and add new.go", "Make Add return an error when the sum overflows", "Rename Add to Sum", "Write an example for Add"} {
		sent, err := b.client.Submit(t.Context(), snap, remote.Submission{Key: prompt, Mode: agent.Edit, Environment: "math", Prompt: prompt, Attempts: 1 + i/3})
		noError(t, err)
		tasks = append(tasks, sent.Task.ID)
	}
	page := newBrowser(t)
	page.open(b.url + "/tasks/" + tasks[0])
	page.shows("Attempt 1 done")
	page.shows("+// Add returns the SUM.")
	page.picture("page-task.png")
	page.open(b.url + "/tasks/" + tasks[2])
	page.shows("I will change it.")
	page.open(b.url)
	for _, state := range []string{"done", "failed", "running", "pending", "2 attempts"} {
		page.shows(state)
	}
	page.picture("page-list.png")
	page.open(b.url + "/tasks/" + tasks[1])
	page.shows("RUN_FAILED")
	page.shows("no credit left")
}

func TestThePageCancels(t *testing.T) {
	b := newBench(t, nil, stalled)
	sent, err := b.client.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "p", Attempts: 2})
	noError(t, err)
	page := newBrowser(t)
	page.open(b.url + "/codex/tasks/" + sent.Task.ID)
	page.shows("Attempt 2 pending")
	page.eval("document.querySelector('button').click()")
	page.shows("Attempt 1 cancelled")
	page.shows("Attempt 2 cancelled")
	if task := b.task(sent.Task.ID); task.State != remote.Cancelled {
		t.Errorf("it is %s", task.State)
	}
}

func TestThePageHasAPolicy(t *testing.T) {
	b := newBench(t, nil)
	for _, path := range []string{"/", "/tasks/nobody"} {
		resp, err := http.Get(b.url + path)
		noError(t, err)
		body, err := io.ReadAll(resp.Body)
		noError(t, errors.Join(err, resp.Body.Close()))
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'self'; script-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
		if strings.Contains(string(body), " style=") || strings.Contains(string(body), " onclick=") || !strings.Contains(string(body), "<!doctype html>") {
			t.Errorf("%s has something inline, or is no page:\n%s", path, body)
		}
	}
}
