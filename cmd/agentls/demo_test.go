package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/agentls/agentls/cmd/agentls/demo"
	"github.com/agentls/agentls/editors/nvimtest"
)

// TestDemo walks the whole way in every Neovim there is, 0.7.2 and 0.10.4.
func TestDemo(t *testing.T) {
	found, err := nvimtest.Find()
	if err != nil {
		t.Fatal(err)
	}

	for _, nvim := range found {
		t.Run(nvim, func(t *testing.T) {
			var out bytes.Buffer
			self := []string{"env", asMain + "=1", os.Args[0]}
			err := demo.Run(t.Context(), demo.Options{Server: append(self[:3:3], "serve"), Service: append(self[:3:3], "remote", "serve"), Nvim: nvim, Out: &out})
			t.Log("\n" + out.String())
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestAppendInNeovim: a line behind the last one of an open document arrives
// as it is, without the help of a plugin.
func TestAppendInNeovim(t *testing.T) {
	found, err := nvimtest.Find()
	if err != nil {
		t.Fatal(err)
	}
	for _, nvim := range found {
		t.Run(nvim, func(t *testing.T) {
			u := mathUser(t)
			u.model(appendLine)
			e, err := nvimtest.Start(t.Context(), nvimtest.Options{
				Nvim: nvim, Dir: u.dir, Home: t.TempDir(), Server: []string{os.Args[0], "serve"}, Env: u.env,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close() //nolint:errcheck // it is over
			if err := e.Open(t.Context(), "math.go"); err != nil {
				t.Fatal(err)
			}
			at := map[string]int{"line": 3, "character": 6}
			args := map[string]any{"uri": "file://" + u.path("math.go"), "range": map[string]any{"start": at, "end": at}, "instruction": "do it"}
			if err := e.Command(t.Context(), "agentls.change", args, nil); err != nil {
				t.Fatal(err)
			}
			_, err = e.WaitEvent(t.Context(), func(ev json.RawMessage) bool { return strings.Contains(string(ev), `"run.done"`) })
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Command(t.Context(), "agentls.changes.apply", map[string]any{}, nil); err != nil {
				t.Fatal(err)
			}
			lines, err := e.Lines("math.go")
			if got, want := strings.Join(lines, "\n")+"\n", mathGo+"\nvar last = 1\n"; err != nil || got != want {
				t.Errorf("math.go is %q, %v, want %q", got, err, want)
			}
		})
	}
}

const appendLine = `
-- turn1.reply --
patch:
*** Begin Patch
*** Update File: math.go
@@
 func twice(n int) int { return Add(n, n) }
+
+var last = 1
*** End Patch
-- turn2.reply --
message: Done.
`
