package server_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/remote"
)

const token = "ghp_x9Kq2LmT7vWc4RbN8sYd1HfJ6gPzA3eU5oQi"

// TestNoSecretIsUploaded: neither in the prompt nor in what is not committed;
// the change that comes back is on the files as they are.
func TestNoSecretIsUploaded(t *testing.T) {
	b := newBench(t, nil, `canary: `+token+`
-- turn1.expect --
with WITHHELD_
-- turn1.reply --
call read_file {"path":"conf.go"}
-- turn2.expect --
const token = "WITHHELD_
-- turn2.reply --
patch:
*** Begin Patch
*** Update File: conf.go
@@
 package math
+
+// Secret.
*** End Patch
-- turn3.reply --
message: Done.
`)
	content := "package math\nconst token = \"" + token + "\"\n"
	write(t, b.project, map[string]string{"conf.go": content, "dump.sql": "insert\n", agent.IgnoreFile: "*.sql\n"})
	snap := b.workspace().Snapshot()
	client, err := remote.New(remote.Options{URL: b.url, NewID: newID, Gate: &agent.Gate{Key: []byte("key")}})
	noError(t, err)
	sent, err := client.Submit(t.Context(), snap, remote.Submission{Key: "k", Mode: agent.Edit, Prompt: "with " + token})
	noError(t, err)
	if got := strings.Join(sent.Left, " "); !strings.Contains(got, "dump.sql") {
		t.Errorf("left are %s", got)
	}
	_, err = client.Follow(t.Context(), sent.Task.ID, 0, func(remote.Event) {}, nil)
	noError(t, err)
	noError(t, b.model.Done())
	noError(t, filepath.WalkDir(b.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // gone meanwhile
		}
		if stored, err := os.ReadFile(path); err == nil && bytes.Contains(stored, []byte(token)) {
			t.Errorf("%s has the token", path)
		}
		return nil
	}))
	for _, who := range []*remote.Client{client, later(t, b.url)} {
		task, err := who.Task(t.Context(), sent.Task.ID)
		noError(t, err)
		cs, err := who.ChangeSet(t.Context(), b.project, task, 1)
		noError(t, err)
		if got := after(cs, "conf.go"); got != "package math\n\n// Secret.\nconst token = \""+token+"\"\n" {
			t.Errorf("conf.go becomes %q", got)
		}
	}
}

// later is a client of another process: it knows the key, and the files.
func later(t *testing.T, url string) *remote.Client {
	t.Helper()
	c, err := remote.New(remote.Options{URL: url, NewID: newID, Gate: &agent.Gate{Key: []byte("key")}})
	noError(t, err)
	return c
}

func after(cs *edits.ChangeSet, name string) string {
	for i := range cs.Files {
		if filepath.Base(cs.Files[i].Path) == name {
			return string(cs.Files[i].After())
		}
	}
	return "(not changed)"
}

// TestCommittedSecrets: what the commits hold that are sent is said, or keeps
// them here; the service is asked about no commit twice.
func TestCommittedSecrets(t *testing.T) {
	const token = "ghp_x9Kq2LmT7vWc4RbN8sYd1HfJ6gPzA3eU5oQi"
	b := newBench(t, nil, "-- turn1.reply --\nmessage: Done.\n")
	write(t, b.project, map[string]string{"conf.go": "package math\nconst token = \"" + token + "\"\n", ".env": "A=b\n"})
	git(t, b.project, "add", "-f", ".")
	git(t, b.project, "commit", "-qm", "oops")
	write(t, b.project, map[string]string{"conf.go": "package math\n"})
	git(t, b.project, "add", ".")
	git(t, b.project, "commit", "-qm", "gone")
	submit := func(key string, refuse bool) (*remote.Submitted, error) {
		c, err := remote.New(remote.Options{URL: b.url, NewID: newID, Gate: &agent.Gate{Key: []byte("key")}, RefuseSecrets: refuse})
		noError(t, err)
		return c.Submit(t.Context(), b.workspace().Snapshot(), remote.Submission{Key: key, Mode: agent.Ask, Prompt: "x"})
	}
	var refused *remote.HistoryError
	if _, err := submit("one", true); !errors.As(err, &refused) || !strings.Contains(err.Error(), "conf.go of ") || strings.Contains(err.Error(), token) {
		t.Fatalf("refused: %v", err)
	}
	sent, err := submit("two", false)
	noError(t, err)
	warning := sent.Warning()
	for _, want := range []string{"conf.go of ", "(github-pat)", ".env of ", "refuse_secrets"} {
		if !strings.Contains(warning, want) {
			t.Errorf("%q is not in %q", want, warning)
		}
	}
	if sent, err = submit("three", true); err != nil || sent.Warning() != "" {
		t.Errorf("commits that the service has: %v, %q", err, sent.Warning())
	}
}
