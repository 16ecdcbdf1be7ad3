package main

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const smallGo = "package a\n\n// F does it.\nfunc F() {}\n\nfunc G() { F() }\n"

func openedServer(t *testing.T) (*user, *wire) {
	t.Helper()
	u := newUser(t, map[string]string{"a.go": smallGo})
	w := u.serve()
	w.initialize(u)
	w.ready()
	return u, w
}

// symbolsOf asks for the outline of a file: the sign that the server works.
func symbolsOf(u *user, w *wire, id int, name string) string {
	m := w.call(id, "textDocument/documentSymbol", map[string]any{"textDocument": map[string]string{"uri": "file://" + u.path(name)}})
	if m.Error != nil {
		return m.Error.Message
	}
	return string(m.Result)
}

func wantAlive(t *testing.T, u *user, w *wire) {
	t.Helper()
	if got := symbolsOf(u, w, 99, "a.go"); !strings.Contains(got, `"name":"F"`) {
		t.Errorf("the server does not work any more: %s", got)
	}
}

func TestBadMalformedFrames(t *testing.T) {
	u, w := openedServer(t)
	for _, body := range []string{`{"a"`, `42`, `[]`, `{"id":1,"method":"x"}`, "\x00\xff", `{"jsonrpc":"2.0","id":1.5,"method":"x"}`} {
		w.send(body)
		if m := w.next(); m.Error == nil {
			t.Errorf("%q was answered without an error", body)
		}
	}
	wantAlive(t, u, w)
}

func TestBadHeaderEndsTheSession(t *testing.T) {
	_, w := openedServer(t)
	w.raw("Content-Length: nonsense\r\n\r\n{}")
	w.wantEnd("the server neither answers nor ends")
	if code := w.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
}

func TestBadRequestBeforeInitialize(t *testing.T) {
	u := newUser(t, map[string]string{"a.go": smallGo})
	w := u.serve()
	if m := w.call(1, "textDocument/hover", map[string]any{}); m.Error == nil || m.Error.Code != -32002 {
		t.Errorf("answered %+v, want ServerNotInitialized", m)
	}
	w.initialize(u)
	w.ready()
	wantAlive(t, u, w)
}

func TestBadUnknownMethods(t *testing.T) {
	u, w := openedServer(t)
	w.notify("$/whatever", map[string]any{})
	w.notify("agentls/nothing", map[string]any{})
	if m := w.call(1, "agentls/unknown", map[string]any{}); m.Error == nil || m.Error.Code != -32601 {
		t.Errorf("answered %+v, want MethodNotFound", m)
	}
	wantAlive(t, u, w)
}

func TestBadDocumentOf64MB(t *testing.T) {
	u, w := openedServer(t)
	text := strings.Repeat("a long line of nothing\\n", 64<<20/24)
	w.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file://%s","languageId":"go","version":1,"text":"%s"}}}`, u.path("big.go"), text))
	if m := w.next(); m.Error == nil || !strings.Contains(m.Error.Message, "32") {
		t.Errorf("answered %+v, want an error that names the limit", m)
	}
	w.notify("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": "file://" + u.path("big.go"), "version": 2},
		"contentChanges": []map[string]string{{"text": "x"}},
	})
	wantAlive(t, u, w)
}

func TestBadUTF8(t *testing.T) {
	u, w := openedServer(t)
	u.write("latin1.go", "package a\n\nfunc Gr\xfcn() {}\n")
	w.send("{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\",\"params\":{\"textDocument\":{\"uri\":\"file://" + u.path("b.go") + "\",\"languageId\":\"go\",\"version\":1,\"text\":\"\xff\xfe\"}}}")
	symbolsOf(u, w, 1, "latin1.go")
	wantAlive(t, u, w)
	got := u.run("patch", "-", "--dir", u.dir)
	got.want(t, 1, "Begin Patch")
	u.write("p.patch", "*** Begin Patch\n*** Update File: latin1.go\n@@\n-package a\n+package b\n*** End Patch\n")
	u.run("patch", "p.patch").want(t, 1, "latin1.go", "UTF-8")
	if got := u.read("latin1.go"); got != "package a\n\nfunc Gr\xfcn() {}\n" {
		t.Errorf("latin1.go was written: %q", got)
	}
}

func TestBadBinaryFile(t *testing.T) {
	u := newUser(t, map[string]string{"a.go": smallGo})
	noise, err := base64.StdEncoding.DecodeString("f0VMRgIBAQAAAAAAAAAAAAIAPgABAAAA")
	if err != nil {
		t.Fatal(err)
	}
	u.write("tool.go", string(noise))
	w := u.serve()
	w.initialize(u)
	w.ready()
	if got := symbolsOf(u, w, 1, "tool.go"); got != "[]" {
		t.Errorf("symbols of a binary file: %s", got)
	}
	wantAlive(t, u, w)
	u.write("p.patch", "*** Begin Patch\n*** Update File: tool.go\n@@\n-x\n+y\n*** End Patch\n")
	u.run("patch", "p.patch").want(t, 1, "tool.go")
	if u.read("tool.go") != string(noise) {
		t.Error("the binary file was written")
	}
}

func TestBadFileDeletedWhileOpen(t *testing.T) {
	u, w := openedServer(t)
	w.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{
		"uri": "file://" + u.path("a.go"), "languageId": "go", "version": 1, "text": smallGo,
	}})
	if err := os.Remove(u.path("a.go")); err != nil {
		t.Fatal(err)
	}
	wantAlive(t, u, w) // the document counts
	w.notify("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": "file://" + u.path("a.go")}})
	if got := symbolsOf(u, w, 2, "a.go"); strings.Contains(got, `"name":"F"`) {
		t.Errorf("a file that is gone still has symbols: %s", got)
	}
	m := w.call(3, "workspace/executeCommand", map[string]any{"command": "agentls.status"})
	if m.Error != nil {
		t.Errorf("status: %+v", m.Error)
	}
}

func TestBadPatchOutside(t *testing.T) {
	u := newUser(t, map[string]string{"a.go": smallGo})
	for _, name := range []string{"../evil.txt", "/tmp/agentls-evil.txt", ".git/config", "link/evil.txt"} {
		if strings.HasPrefix(name, "link") {
			if err := os.Symlink(t.TempDir(), u.path("link")); err != nil {
				t.Fatal(err)
			}
		}
		u.write("p.patch", "*** Begin Patch\n*** Update File: a.go\n@@\n-package a\n+package b\n*** Add File: "+name+"\n+x\n*** End Patch\n")
		u.run("patch", "p.patch").want(t, 1, name)
		if u.read("a.go") != smallGo {
			t.Fatalf("%s: the part inside was written", name)
		}
		if _, err := os.Stat(u.path(name)); err == nil {
			t.Fatalf("%s was written", name)
		}
	}
}

func TestBadModelNonsense(t *testing.T) {
	u := newUser(t, map[string]string{"a.go": smallGo})
	u.model(`
-- turn1.reply --
call fly_to_moon {"speed": "warp"}
-- turn2.reply --
call read_file not even json
-- turn3.reply --
call apply_patch {"patch": "*** Begin Patch\n*** Add File: ../../evil\n+x\n*** End Patch\n"}
-- turn4.reply --
call read_file {"path": 7}
-- turn5.reply --
message: I give up.
`)
	got := u.run("run", "do it", "--yes")
	got.want(t, 0, "nothing to change")
	if u.read("a.go") != smallGo {
		t.Error("a.go was written")
	}
}

func TestBadEndpointDown(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	u := newUser(t, map[string]string{"a.go": smallGo})
	u.env = append(u.env, "OPENAI_BASE_URL=http://"+address+"/v1", "AGENTLS_MODEL=m")
	u.run("run", "do it", "--yes").want(t, 1, address)
	if u.read("a.go") != smallGo {
		t.Error("a.go was written")
	}
}

func TestBadEndpoint404(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	u := newUser(t, map[string]string{"a.go": smallGo})
	u.env = append(u.env, "OPENAI_BASE_URL="+server.URL+"/v1", "OPENAI_API_KEY=sk-secret", "AGENTLS_MODEL=some-model")
	got := u.run("ask", "a.go:4")
	got.want(t, 1, "404", server.URL, "some-model")
	if strings.Contains(got.out+got.errOut, "sk-secret") {
		t.Error("the key was printed")
	}
}

// TestParentDies: the server ends with the process that started it.
func TestParentDies(t *testing.T) {
	parent := exec.Command("sleep", "60")
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	u := newUser(t, map[string]string{"a.go": smallGo})
	w := u.serve()
	w.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"processId":%d,"rootUri":null,"capabilities":{}}}`, parent.Process.Pid))
	w.answer(0)
	_ = parent.Process.Kill()
	_ = parent.Wait()
	w.wantEnd("the server outlives its parent")
}
