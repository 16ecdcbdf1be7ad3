package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
)

// TestContext lists what would be sent, without a model, and without secrets.
func TestContext(t *testing.T) {
	u := newUser(t, map[string]string{
		"AGENTS.md": "Run make.\n", "a.go": "package a\n\n// token is " + aToken + "\nfunc Low() {}\n\nfunc High() { Low() }\n",
	})
	printed := u.run("context", "a.go:4", "is it", "safe?", "--drop", "guidance", "--json")
	printed.want(t, 0)
	var m agent.Manifest
	if err := json.Unmarshal([]byte(printed.out), &m); err != nil {
		t.Fatalf("%v: %s", err, printed.out)
	}
	pieces := map[string]agent.Piece{}
	for _, p := range m.Pieces {
		pieces[p.ID] = p
	}
	if pieces["guidance"].Dropped == "" || !strings.Contains(pieces["callers"].Text, "in High") || pieces["wish"].Text != "is it safe?" || m.Tokens == 0 {
		t.Errorf("pieces: %s", printed.out)
	}
	if strings.Contains(printed.out, aToken) || !strings.Contains(pieces["focus"].Text, "WITHHELD_") {
		t.Errorf("the secret is shown: %s", printed.out)
	}
	u.run("context", "a.go:4").want(t, 0, "| `guidance` |", "Run make.", "# What is sent")
	u.run("context", "a.go:4", "--mode", "fly").want(t, 2, "--mode is")
	u.run("context", ".env").want(t, 1)
	u.run("context", ".").want(t, 2, "is a folder")
	elsewhere := newUser(t, map[string]string{"b.go": smallGo})
	u.run("context", elsewhere.path("b.go")).want(t, 0, "another workspace than")
}
