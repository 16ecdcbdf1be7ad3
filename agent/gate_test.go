package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
)

func TestFocusWithheld(t *testing.T) {
	f := load(t, "withheld")
	f.task.Focus = f.focus(t, ".env:PASS")
	_, _, err := f.run(t, agent.Options{})
	const want = ".env is withheld from models by the deny list (.env), because such files hold secrets; ask from another file, or without a place"
	if !errors.Is(err, agent.ErrWithheld) || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	if n := len(f.server.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// leaky is a tool that shows what it must not.
type leaky struct{ name string }

func (leaky) Spec() agent.ToolSpec {
	return agent.ToolSpec{Name: "leak", Parameters: json.RawMessage(`{"type":"object"}`)}
}

func (l leaky) Run(ctx context.Context, d *agent.Draft, _ json.RawMessage) (string, error) {
	path := filepath.Join(d.Snapshot().Roots()[0], l.name)
	content, err := d.ReadFile(ctx, path)
	d.Show(path)
	return string(content), err
}

// TestGateIsTheLastWord: also where a tool forgets to ask.
func TestGateIsTheLastWord(t *testing.T) {
	f := parse(t, []byte("mode: edit\nprompt: x\ncanary: hunter2\n-- files/.env --\nhunter2\n-- turn1.reply --\ncall leak\n"))
	_, _, err := f.run(t, agent.Options{Tools: []agent.Tool{leaky{".env"}}})
	if !errors.Is(err, agent.ErrWithheld) {
		t.Errorf("error is %v", err)
	}
	if err := f.server.Done(); err != nil {
		t.Error(err)
	}
}

// TestGateCleans: a secret leaves as a placeholder, in each request the same,
// and comes back as itself in what the model writes.
func TestGateCleans(t *testing.T) {
	const token = "ghp_x9Kq2LmT7vWc4RbN8sYd1HfJ6gPzA3eU5oQi"
	f := parse(t, []byte("mode: edit\nprompt: use token "+token+"\ncanary: "+token+"\n-- files/a.txt --\nTOKEN="+token+"\n"+
		"-- turn1.expect --\nuse token WITHHELD_\n-- turn1.reply --\ncall leak\n-- turn2.expect --\nTOKEN=WITHHELD_\n-- turn2.reply --\nmessage: ok\n"))
	var held []agent.Withholding
	var sent []*agent.Request
	f.task.Sent = func(req *agent.Request) { sent = append(sent, req) }
	gate := &agent.Gate{Record: func(w agent.Withholding) { held = append(held, w) }}
	if _, _, err := f.run(t, agent.Options{Tools: []agent.Tool{leaky{"a.txt"}}, Gate: gate}); err != nil {
		t.Error(err)
	}
	if err := f.server.Done(); err != nil {
		t.Error(err)
	}
	// It is in the prompt, in the map and in what the tool returns.
	if n := len(sent); n != 2 || !reflect.DeepEqual(sent[0].Items, sent[1].Items[:len(sent[0].Items)]) {
		t.Errorf("%d requests, which did not only grow", n)
	}
	if len(held) != 3 || strings.Contains(fmt.Sprint(held), token) {
		t.Errorf("recorded: %v", held)
	}
}

// TestPlaceholdersInTools: what stands for a secret is that secret in whatever a
// model writes; what stands for none is not written, but where the file says it.
func TestPlaceholdersInTools(t *testing.T) {
	const token, other, foreign = "ghp_x9Kq2LmT7vWc4RbN8sYd1HfJ6gPzA3eU5oQi", "hunter2x9", "WITHHELD_github_pat_0123456789ab"
	gate := &agent.Gate{Key: []byte("key")}
	stands := func(line string) string {
		_, p, _ := strings.Cut(gate.Screen(nil).Clean(line), "=")
		return p
	}
	held, short := stands("TOKEN="+token), stands("DB_PASSWORD="+other)
	f := parse(t, []byte(strings.NewReplacer("HASH", held[len(held)-12:], "WITHHELD", "WITHHELD", "HELD", held, "SHORT", short, "FOREIGN", foreign, "TOKENVALUE", token, "OTHER", other).Replace(`mode: edit
prompt: move it
canary: TOKENVALUE
-- files/a.go --
package a

// Token is TOKEN=TOKENVALUE
func Token() string { return "TOKENVALUE" }
-- files/b.txt --
DB_PASSWORD=OTHER
one
-- files/c.txt --
FOREIGN
-- want/a.go --
package a

// Token is TOKEN=TOKENVALUE
func Token() string { return "TOKENVALUE" + "" }
-- want/b.txt --
DB_PASSWORD=OTHER
GH=TOKENVALUE
-- want/c.txt --
FOREIGN two
-- want/d.txt --
TOKENVALUE and OTHER
-- turn1.reply --
call read_file {"path":"a.go"}
call read_file {"path":"b.txt"}
call read_file {"path":"c.txt"}
-- turn2.expect --
/func Token\(\) string { return "WITHHELD_[a-z_]+_HASH" }/
DB_PASSWORD=SHORT
FOREIGN
-- turn2.reply --
call edit {"path":"a.go","old":"return \"HELD\"","new":"return \"HELD\" + \"\""}
call edit {"path":"b.txt","old":"one","new":"GH=HELD"}
call edit {"path":"c.txt","old":"FOREIGN","new":"FOREIGN two"}
patch:
*** Begin Patch
*** Add File: d.txt
+HELD and SHORT
*** End Patch
call edit {"path":"b.txt","old":"GH","new":"WITHHELD_github_pat_ba9876543210"}
patch:
*** Begin Patch
*** Add File: e.txt
+WITHHELD_github_pat_ba9876543210
*** End Patch
-- turn3.expect --
/call_2_1_5:\nerror: WITHHELD_github_pat_ba9876543210 stands for no secret that is known here/
/call_2_1_6:\nerror: WITHHELD_github_pat_ba9876543210 stands for no secret/
-- turn3.reply --
message: ok
`)))
	res, _, err := f.run(t, agent.Options{Gate: gate})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.script.Check(f.read(res.Change)); err != nil {
		t.Error(err)
	}
	if err := f.server.Done(); err != nil {
		t.Error(err)
	}
}

func TestDenyList(t *testing.T) {
	var gate agent.Gate
	withheld := []string{
		".env", "a/.env.local", "prod.env", ".envrc", "tls/server.pem", "x.KEY", "id_rsa", "id_ed25519_work", ".npmrc", ".netrc",
		"credentials", "credentials.json", ".aws/credentials", ".ssh/config", "cert.p12", "cert.pfx", ".git-credentials", ".pypirc", ".dockercfg", "secrets.yaml", "Secrets.YML", ".kube/config", ".docker/config.json", ".aws", "prod.tfvars",
		".env~", "server.key.bak", "credentials.orig", ".secrets", "secrets/prod.yaml", "a/secrets/token", "service-account.json", "gcp-credentials.json", ".ssh/id_rsa.pub", ".ssh/secrets.go",
		"..env.swp", "a/.id_rsa.swo", ".server.key.swp", "#.env#", "a/#credentials#",
	}
	let := []string{".env.example", ".env.sample", "env.go", "main.go", "id_rsa.pub", "secrets.go", "credentials.ts", "keys.go", "aws/config", "environment", "monkey.go", "ssh/client.go", "secrets/store.go", "notes.bak", ".docker/Dockerfile", "x.aws/y", ".main.go.swp", ".swp", "#", "##", "#main.go#"}
	for _, name := range withheld {
		if _, ok := gate.Withheld("/ws/" + name); !ok {
			t.Errorf("%s is let through", name)
		}
	}
	for _, name := range let {
		if rule, ok := gate.Withheld("/ws/" + name); ok {
			t.Errorf("%s is withheld by %s", name, rule)
		}
	}
}
