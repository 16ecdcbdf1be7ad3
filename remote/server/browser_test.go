package server_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A browser is a headless Chromium with one page, spoken to over a pipe.
// (Chrome DevTools Protocol: messages end with a NUL byte)
type browser struct {
	t       *testing.T
	in      io.Writer
	out     *bufio.Reader
	next    int
	session string
	errors  []string // what the page's console had to complain about
}

// newBrowser starts a Chromium.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		t.Fatal("missing: chromium; run: apt-get install --yes --no-install-recommends chromium")
	}
	theirIn, in, err := os.Pipe()
	noError(t, err)
	out, theirOut, err := os.Pipe()
	noError(t, err)
	profile, err := os.MkdirTemp("", "agentls-chromium-") //nolint:usetesting // its processes write to it a little longer than they are waited for
	noError(t, err)
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server",
		"--remote-debugging-pipe", "--user-data-dir="+profile, "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4
	noError(t, cmd.Start())
	_, _ = theirIn.Close(), theirOut.Close()
	b := &browser{t: t, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		_, _ = in.Close(), out.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		for range 100 { // its children write a little longer
			if os.RemoveAll(profile) == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	noError(t, out.SetReadDeadline(time.Now().Add(90*time.Second)))
	b.attach()
	return b
}

func (b *browser) attach() {
	b.t.Helper()
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		b.call(domain+".enable", nil, nil)
	}
	b.call("Emulation.setScrollbarsHidden", map[string]any{"hidden": true}, nil)
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1200, "height": 860, "deviceScaleFactor": 1, "mobile": false}, nil)
}

// call calls a method and reads its result into out, unless that is nil.
func (b *browser) call(method string, params map[string]any, out any) {
	b.t.Helper()
	b.next++
	message := map[string]any{"id": b.next, "method": method, "params": params}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	raw, err := json.Marshal(message)
	noError(b.t, err)
	_, err = b.in.Write(append(raw, 0))
	noError(b.t, err)
	for {
		raw, err := b.out.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: the browser is gone: %v", method, err)
		}
		var answer struct {
			ID     int
			Method string
			Params json.RawMessage
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		noError(b.t, json.Unmarshal(raw[:len(raw)-1], &answer))
		if answer.Method == "Log.entryAdded" || answer.Method == "Runtime.exceptionThrown" {
			b.errors = append(b.errors, string(answer.Params))
		}
		switch {
		case answer.ID != b.next:
		case answer.Error != nil && strings.Contains(answer.Error.Message, "navigated"):
			return // it is on its way to another page
		case answer.Error != nil:
			b.t.Fatalf("%s: %s", method, answer.Error.Message)
		case out == nil:
			return
		default:
			noError(b.t, json.Unmarshal(answer.Result, out))
			return
		}
	}
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": url}, nil)
}

// eval returns the value of a JavaScript expression as text.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var got struct{ Result struct{ Value any } }
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &got)
	return fmt.Sprint(got.Result.Value)
}

// shows waits until the page's text has part.
func (b *browser) shows(part string) {
	b.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	text := ""
	for time.Now().Before(deadline) {
		if text = b.eval("document.body ? document.body.innerText : ''"); strings.Contains(text, part) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.t.Fatalf("the page does not show %q:\n%s", part, text)
}

// picture writes a picture of what is on screen into the folder that
// AGENTLS_PICTURES names, if it does.
func (b *browser) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("AGENTLS_PICTURES")
	if dir == "" {
		return
	}
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", nil, &shot)
	raw, err := base64.StdEncoding.DecodeString(shot.Data)
	noError(b.t, err)
	noError(b.t, os.MkdirAll(dir, 0o755))
	noError(b.t, os.WriteFile(filepath.Join(dir, name), raw, 0o644))
}
