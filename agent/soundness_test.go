package agent_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
)

// TestSoundness: what does not parse any more, and what is gone and still used,
// goes back to the model, and stands with the proposal if it stays so.
func TestSoundness(t *testing.T) {
	f := parse(t, []byte(`mode: edit
prompt: x
-- files/go.mod --
module m
-- files/a.go --
package m

func Gone() {}
-- files/b.go --
package m

func use() { Gone() }
-- turn1.reply --
patch:
*** Begin Patch
*** Update File: a.go
@@
-func Gone() {}
+func Broken( {}
*** End Patch
-- turn2.reply --
message: Done.
-- turn3.expect --
Your changes were checked, and not all checks passed.
$ parse what was changed
it does not parse: a.go:3
$ find uses of what was removed
Gone is gone, but used: b.go:3
-- turn3.reply --
patch:
*** Begin Patch
*** Update File: a.go
@@
-func Broken( {}
+func Renamed() {}
*** End Patch
-- turn4.reply --
message: Done.
-- turn5.expect --
$ find uses of what was removed
!parse what was changed
-- turn5.reply --
message: So be it.
`))
	res, _, err := f.run(t, agent.Options{})
	if err != nil {
		t.Fatal(err, f.server.Errs())
	}
	if err := f.server.Done(); err != nil {
		t.Error(err)
	}
	if len(res.Change.Checks) != 1 || res.Change.Checks[0].Passed || !strings.Contains(res.Change.Checks[0].Output, "b.go:3") {
		t.Errorf("the proposal carries %+v", res.Change.Checks)
	}
}

func TestSuggestChecks(t *testing.T) {
	cases := []struct {
		files map[string]string
		want  []string
	}{
		{map[string]string{"go.mod": "module m\n", "Makefile": "test:\n"}, []string{"go vet ./...", "go test ./..."}},
		{map[string]string{"package.json": "{}\n", "Makefile": "all:\n\ntest: all\n"}, []string{"make test"}},
		{map[string]string{"package.json": `{"name": "test", "scripts": {"build": "tsc", "test": "node --test"}}`}, []string{"npm test"}},
		{map[string]string{"Cargo.toml": "[package]\n"}, []string{"cargo test"}},
		{map[string]string{"pyproject.toml": "[tool.pytest.ini_options]\n"}, []string{"python -m pytest"}},
		{map[string]string{"pyproject.toml": "[project]\n", "Makefile": "tests:\n"}, nil},
		{map[string]string{"x.txt": "\n"}, nil},
		{
			map[string]string{"go.mod": "module m\n", "AGENTS.md": "Check with `make test FAST=1`, then:\n\n    $ go vet ./...\n\nNever `make install`, nor `go test ./... ; rm -rf /`.\r\nnpm test\r\n"},
			[]string{"make test FAST=1", "go vet ./...", "npm test"},
		},
	}
	for _, c := range cases {
		dir := workspace(t, c.files)
		cs := &edits.ChangeSet{}
		if diff := cmp.Diff(c.want, agent.SuggestChecks(t.Context(), scan(t, dir), cs)); diff != "" {
			t.Errorf("%v:\n%s", c.files, diff)
		}
		cs.Checks = []edits.Check{{Command: "make", Confinement: "full"}}
		if got := agent.SuggestChecks(t.Context(), scan(t, dir), cs); got != nil {
			t.Errorf("where a command ran: %q", got)
		}
	}
}
