package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/index"
)

// TestWorkspaceFolders: roots come and go, and with them what is found.
func TestWorkspaceFolders(t *testing.T) {
	w := mathWorld(t)
	e := w.start(t)
	other, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, "far.go"), []byte("package far\n\nfunc FarAway() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	folder := protocol.WorkspaceFolder{URI: fileURI(other), Name: "far"}
	change := func(ev protocol.WorkspaceFoldersChangeEvent) {
		t.Helper()
		if err := e.DidChangeWorkspaceFolders(t.Context(), &protocol.DidChangeWorkspaceFoldersParams{Event: ev}); err != nil {
			t.Fatal(err)
		}
	}
	found := func(query string) int {
		got, err := e.Symbols(t.Context(), &protocol.WorkspaceSymbolParams{Query: query})
		if err != nil {
			t.Fatal(err)
		}
		list, _ := got.(protocol.SymbolInformationSlice)
		return len(list)
	}
	change(protocol.WorkspaceFoldersChangeEvent{Added: []protocol.WorkspaceFolder{folder}})
	e.await("the new folder's symbols", func() bool { return found("FarAway") == 1 && found("Adder") > 0 })
	change(protocol.WorkspaceFoldersChangeEvent{Removed: []protocol.WorkspaceFolder{folder}})
	e.await("them to be gone", func() bool { return found("FarAway") == 0 && found("Adder") > 0 })
}

// TestConfiguration: the client's settings reach the configuration, those of
// initialize and those that it is asked for or reports later.
func TestConfiguration(t *testing.T) {
	w := mathWorld(t)
	w.caps = strings.Replace(pluginCaps, `"applyEdit": true`, `"applyEdit": true, "configuration": true`, 1)
	w.configured = make(chan string, 10)
	e := w.start(t)
	want := func(settings string) {
		t.Helper()
		if got := <-w.configured; got != settings {
			t.Errorf("configured with %s, want %s", got, settings)
		}
	}
	want("")
	want(`{"model":"asked"}`)
	p := &protocol.DidChangeConfigurationParams{Settings: protocol.LSPAny(`{"agentls":{"model":"told"}}`)}
	if err := e.DidChangeConfiguration(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	want(`{"model":"told"}`)
}

// Configuration answers workspace/configuration.
func (e *editor) Configuration(context.Context, *protocol.ConfigurationParams) ([]protocol.LSPAny, error) {
	return []protocol.LSPAny{protocol.LSPAny(`{"model":"asked"}`)}, nil
}

// TestConfigurationError: what cannot be used is said, and the index answers.
func TestConfigurationError(t *testing.T) {
	w := mathWorld(t)
	w.caps, w.problem = plainCaps, errors.New("no model is named")
	e := w.start(t)
	e.await("the message", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return strings.Contains(strings.Join(e.messages, "\n"), "agentls: no model is named")
	})
	if got := e.status(); got.Error != "no model is named" || got.Model != "" {
		t.Errorf("status: %+v", got)
	}
}

// TestCancelledProgress: the cancel button of the progress ends the run.
func TestCancelledProgress(t *testing.T) {
	w := mathWorld(t)
	w.caps = plainCaps
	w.runner = runner(func(ctx context.Context, _ *index.Snapshot, _ agent.Task, _ agent.Sink) (*agent.Result, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	e := w.start(t)
	e.open("math.go")
	must[startedResult](e, "agentls.ask", askParams{place: e.at("math.go", "Add(a")})
	var token protocol.ProgressToken
	e.await("the progress", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		token = e.token
		return token != nil
	})
	if err := e.WorkDoneProgressCancel(t.Context(), &protocol.WorkDoneProgressCancelParams{Token: token}); err != nil {
		t.Fatal(err)
	}
	e.await("the end to be told", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return strings.Contains(strings.Join(e.messages, "\n"), "stopped by the user")
	})
}

// TestCancelledApply: once the client was sent the edit a cancel comes too
// late: it makes it all the same, and half a change must not stay.
func TestCancelledApply(t *testing.T) {
	w := proposalWorld(t)
	e := w.start(t)
	a := propose(t, e)
	asked, cancelled := make(chan struct{}), make(chan struct{})
	e.apply = func(*protocol.ApplyWorkspaceEditParams) *protocol.ApplyWorkspaceEditResult {
		close(asked)
		<-cancelled
		e.setText(a, aAfter)
		return &protocol.ApplyWorkspaceEditResult{Applied: true}
	}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		raw, _ := json.Marshal(changeSetParams{ChangeSet: "cs1"})
		_, err := e.ExecuteCommand(ctx, &protocol.ExecuteCommandParams{Command: "agentls.changes.apply", Arguments: []protocol.LSPAny{raw}})
		failed <- err
	}()
	<-asked
	cancel()
	if err := <-failed; err == nil {
		t.Error("a cancelled request was answered")
	}
	close(cancelled)
	e.await("the entry", func() bool { return len(must[listResult](e, "agentls.changes.list", listParams{}).Entries) == 1 })
	if got := w.disk(t)["b.txt"]; got != bAfter {
		t.Errorf("b.txt is %q", got)
	}
	e.apply = nil
	must[applyResult](e, "agentls.changes.undo", undoParams{})
	if e.text(a) != aBefore || w.disk(t)["b.txt"] != bBefore {
		t.Errorf("after undo a.txt is %q, disk %v", e.text(a), w.disk(t))
	}
}

// RegisterCapability notes the registration as a message.
func (e *editor) RegisterCapability(_ context.Context, p *protocol.RegistrationParams) error {
	e.note(func() {
		for _, r := range p.Registrations {
			e.messages = append(e.messages, "register "+r.Method+" "+string(r.RegisterOptions))
		}
	})
	return nil
}

// TestWatchThere: a client that can watch files is asked to.
func TestWatchThere(t *testing.T) {
	w := mathWorld(t)
	w.caps = `{"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": true}}}`
	e := w.start(t)
	want := `register workspace/didChangeWatchedFiles {"watchers":[{"globPattern":"**/*"}]}`
	e.await("the registration", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return slices.Contains(e.messages, want)
	})
}
