package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/permissions"
	"github.com/agentls/agentls/agent/transcripts"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/remote"
)

// An editor is the client's end of a session: an honest one, unless a test
// says otherwise.
type editor struct {
	protocol.UnimplementedClient
	protocol.Server // the way to the server

	t    *testing.T
	dir  string
	conn jsonrpc2.Conn
	code chan int

	// apply answers workspace/applyEdit in place of the editor, if not nil.
	apply func(*protocol.ApplyWorkspaceEditParams) *protocol.ApplyWorkspaceEditResult

	// ask answers window/showMessageRequest.
	ask func(*protocol.ShowMessageRequestParams) *protocol.MessageActionItem

	mu          sync.Mutex
	docs        map[string]*buffer
	events      []Event
	messages    []string
	progress    []string
	token       protocol.ProgressToken // the last one created
	diagnostics map[string][]protocol.Diagnostic
	moved       chan struct{} // closed and replaced when something above changes
}

type buffer struct {
	version int32
	text    string
}

// A world is where a session runs: a workspace and what is kept between
// sessions.
type world struct {
	dir, state string
	runner     agent.Runner
	model      string
	caps       string      // ClientCapabilities, as JSON
	configured chan string // gets the settings of each configuration, if not nil
	problem    error       // of the configuration
	untrusted  bool
	service    *remote.Client
	noService  error // why there is no service

	confinement string
	patience    Patience
}

const pluginCaps = `{
	"workspace": {"applyEdit": true, "workspaceEdit": {"documentChanges": true, "resourceOperations": ["create", "rename", "delete"]}},
	"textDocument": {"codeAction": {"disabledSupport": true, "tagSupport": {"valueSet": [1]}}},
	"experimental": {"agentls": {"events": true, "prompts": true, "questions": true}}
}`

const plainCaps = `{"workspace": {"applyEdit": true}, "window": {"workDoneProgress": true}}`

// newWorld writes the files, "name" → content, into a workspace.
func newWorld(t *testing.T, files map[string]string) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), state: t.TempDir(), runner: &agent.Offline{}, caps: pluginCaps, noService: errors.New("no task service")}
	dir, err := filepath.EvalSymlinks(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	w.dir = dir
	for name, content := range files {
		w.write(t, name, content)
	}
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

func (w *world) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.path(name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// disk returns what the workspace holds on disk.
func (w *world) disk(t *testing.T) map[string]string {
	t.Helper()
	out := make(map[string]string)
	err := filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		rel, _ := filepath.Rel(w.dir, path)
		out[filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// options wires a server as cmd does, with ids that count.
func (w *world) options() Options {
	ids := 0
	var mu sync.Mutex
	newID := func() string {
		mu.Lock()
		defer mu.Unlock()
		ids++
		return fmt.Sprintf("%s-%d", filepath.Base(w.state), ids) + time.Now().Format("150405.000000000")
	}
	return Options{
		Version: "test", Patience: w.patience, Log: slog.New(slog.DiscardHandler), Now: time.Now, NewID: newID,
		Journal: edits.OpenJournal(filepath.Join(w.state, "journal"), time.Now, newID),
		Open: func(roots []string) Home {
			return Home{
				Workspace: index.New(index.Options{Roots: roots}),
				Proposals: edits.OpenProposals(filepath.Join(w.state, "proposals")),
				Runs:      transcripts.Open(filepath.Join(w.state, "runs")),
				State:     w.state,

				Permissions: permissions.Open(filepath.Join(w.state, "permissions.jsonl"), time.Now),
				Confinement: func(context.Context) string { return w.confinement },
			}
		},
		Configure: func(settings json.RawMessage) Setup {
			if w.configured != nil {
				w.configured <- string(settings)
			}
			return Setup{Runner: w.runner, Context: agent.New(agent.Options{}).Context, Model: w.model, Source: "test", Err: w.problem, Untrusted: w.untrusted, Remote: w.service, RemoteErr: w.noService}
		},
	}
}

// start begins a session and waits until the index is ready.
func (w *world) start(t *testing.T) *editor {
	t.Helper()
	return w.startWith(t, func(*editor) {})
}

// startWith is start with an editor that prepare had first.
func (w *world) startWith(t *testing.T, prepare func(*editor)) *editor {
	t.Helper()
	here, there := net.Pipe()
	e := &editor{
		t: t, dir: w.dir, code: make(chan int, 1), docs: make(map[string]*buffer),
		diagnostics: make(map[string][]protocol.Diagnostic), moved: make(chan struct{}),
	}
	prepare(e)
	go func() { e.code <- Serve(context.Background(), there, w.options()) }()
	e.conn = jsonrpc2.NewConn(jsonrpc2.NewHeaderStream(here), jsonrpc2.WithCodec(lspCodec{}))
	e.Server = protocol.ServerDispatcher(e.conn)
	e.conn.Go(context.Background(), e.handle)
	t.Cleanup(e.quit)
	var p protocol.InitializeParams
	raw := fmt.Sprintf(`{"processId": null, "rootUri": %q, "capabilities": %s}`, fileURI(w.dir), w.caps)
	if err := protocol.Unmarshal([]byte(raw), &p); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Initialize(t.Context(), &p); err != nil {
		t.Fatal(err)
	}
	if err := e.Initialized(t.Context(), &protocol.InitializedParams{}); err != nil {
		t.Fatal(err)
	}
	e.await("index", func() bool { return e.status().Ready })
	return e
}

type lspCodec struct{}

func (lspCodec) Marshal(v any) ([]byte, error) { return protocol.Marshal(v) }

func (lspCodec) Unmarshal(data []byte, v any) error { return protocol.Unmarshal(data, v) }

// quit ends the session as the protocol wants it.
func (e *editor) quit() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = e.Shutdown(ctx)
	_ = e.Exit(ctx)
	select {
	case code := <-e.code:
		e.code <- code
	case <-ctx.Done():
		e.t.Error("the server did not exit")
	}
}

func (e *editor) handle(ctx context.Context, req *jsonrpc2.Request) (any, error) {
	if req.Method() == notification {
		var ev Event
		if err := json.Unmarshal(req.Params(), &ev); err != nil {
			e.t.Error(err)
		}
		e.note(func() { e.events = append(e.events, ev) })
		return nil, nil
	}
	if req.Method() == "workspace/applyEdit" {
		var p protocol.ApplyWorkspaceEditParams
		if err := protocol.Unmarshal(req.Params(), &p); err != nil {
			return nil, err
		}
		jsonrpc2.Async(ctx)
		return e.applyEdit(&p), nil
	}
	if req.Method() == "window/showMessageRequest" {
		jsonrpc2.Async(ctx)
	}
	return protocol.ClientHandler(e, jsonrpc2.MethodNotFoundHandler)(ctx, req)
}

// note changes what tests wait for.
func (e *editor) note(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
	close(e.moved)
	e.moved = make(chan struct{})
}

// await waits until done, for ten seconds at most.
func (e *editor) await(what string, done func() bool) {
	e.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		e.mu.Lock()
		moved := e.moved
		e.mu.Unlock()
		if done() {
			return
		}
		select {
		case <-moved:
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			e.t.Fatalf("waited in vain for: %s", what)
		}
	}
}

func (e *editor) Progress(_ context.Context, p *protocol.ProgressParams) error {
	e.note(func() { e.progress = append(e.progress, string(p.Value)) })
	return nil
}

func (e *editor) WorkDoneProgressCreate(_ context.Context, p *protocol.WorkDoneProgressCreateParams) error {
	e.note(func() { e.token = p.Token })
	return nil
}

func (e *editor) ShowMessage(_ context.Context, p *protocol.ShowMessageParams) error {
	e.note(func() { e.messages = append(e.messages, p.Message) })
	return nil
}

func (e *editor) ShowMessageRequest(_ context.Context, p *protocol.ShowMessageRequestParams) (*protocol.MessageActionItem, error) {
	return e.ask(p), nil
}

func (e *editor) PublishDiagnostics(_ context.Context, p *protocol.PublishDiagnosticsParams) error {
	path, err := filePath(p.URI)
	e.note(func() { e.diagnostics[path] = p.Diagnostics })
	return err
}

// applyEdit makes an edit as an honest client does: all or nothing, versions
// checked.
func (e *editor) applyEdit(p *protocol.ApplyWorkspaceEditParams) *protocol.ApplyWorkspaceEditResult {
	if e.apply != nil {
		return e.apply(p)
	}
	for _, change := range p.Edit.DocumentChanges {
		switch c := change.(type) {
		case *protocol.TextDocumentEdit:
			path, _ := filePath(c.TextDocument.URI)
			e.mu.Lock()
			stale := e.docs[path] == nil || *c.TextDocument.Version != e.docs[path].version
			e.mu.Unlock()
			if stale {
				return &protocol.ApplyWorkspaceEditResult{FailureReason: ptr("stale version")}
			}
			e.setText(path, e.edited(path, c.Edits))
		case *protocol.DeleteFile:
			path, _ := filePath(c.URI)
			e.remove(path)
		case *protocol.RenameFile:
			from, _ := filePath(c.OldURI)
			to, _ := filePath(c.NewURI)
			e.move(from, to)
		}
	}
	return &protocol.ApplyWorkspaceEditResult{Applied: true}
}

func (e *editor) edited(path string, changes []protocol.TextDocumentEditElement) string {
	e.mu.Lock()
	src := e.docs[path].text
	e.mu.Unlock()
	lines := text.NewLines([]byte(src))
	var list []text.Edit
	for _, c := range changes {
		edit, _ := c.(*protocol.TextEdit)
		list = append(list, text.Edit{Span: toSpan(lines, edit.Range, text.UTF16), New: edit.NewText})
	}
	out, err := text.Apply([]byte(src), list)
	if err != nil {
		e.t.Error(err)
	}
	return string(out)
}

func (e *editor) remove(path string) {
	e.close(path)
	if err := os.Remove(path); err != nil {
		e.t.Error(err)
	}
}

func (e *editor) move(from, to string) {
	content := e.text(from)
	e.remove(from)
	if err := os.WriteFile(to, []byte(content), 0o644); err != nil {
		e.t.Error(err)
	}
	e.openText(to, content)
}

// open shows a file of the workspace.
func (e *editor) open(name string) string {
	e.t.Helper()
	path := filepath.Join(e.dir, name)
	content, err := os.ReadFile(path)
	if err != nil {
		e.t.Fatal(err)
	}
	e.openText(path, string(content))
	return path
}

func (e *editor) openText(path, content string) {
	e.note(func() { e.docs[path] = &buffer{version: 1, text: content} })
	p := &protocol.DidOpenTextDocumentParams{}
	p.TextDocument = protocol.TextDocumentItem{URI: fileURI(path), Version: 1, Text: content}
	if err := e.DidOpen(context.Background(), p); err != nil {
		e.t.Error(err)
	}
}

// setText changes a document; versions jump, as those of clients do.
func (e *editor) setText(path, content string) {
	var version int32
	e.note(func() {
		e.docs[path].version += 3
		e.docs[path].text, version = content, e.docs[path].version
	})
	p := &protocol.DidChangeTextDocumentParams{}
	p.TextDocument.URI, p.TextDocument.Version = fileURI(path), version
	p.ContentChanges = []protocol.TextDocumentContentChangeEvent{&protocol.TextDocumentContentChangeWholeDocument{Text: content}}
	if err := e.DidChange(context.Background(), p); err != nil {
		e.t.Error(err)
	}
}

func (e *editor) close(path string) {
	e.note(func() { delete(e.docs, path) })
	p := &protocol.DidCloseTextDocumentParams{}
	p.TextDocument.URI = fileURI(path)
	if err := e.DidClose(context.Background(), p); err != nil {
		e.t.Error(err)
	}
}

// save writes a document to disk and says so.
func (e *editor) save(path string) {
	if err := os.WriteFile(path, []byte(e.text(path)), 0o644); err != nil {
		e.t.Error(err)
	}
	p := &protocol.DidSaveTextDocumentParams{}
	p.TextDocument.URI = fileURI(path)
	if err := e.DidSave(context.Background(), p); err != nil {
		e.t.Error(err)
	}
}

func (e *editor) text(path string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.docs[path] == nil {
		return "(closed)"
	}
	return e.docs[path].text
}

// command runs a command and decodes its result.
func execute[R any](e *editor, name string, args any) (*R, error) {
	raw, err := json.Marshal(args)
	if err != nil {
		e.t.Fatal(err)
	}
	got, err := e.ExecuteCommand(e.t.Context(), &protocol.ExecuteCommandParams{Command: name, Arguments: []protocol.LSPAny{raw}})
	if err != nil {
		return nil, err
	}
	out := new(R)
	return out, json.Unmarshal(got, out)
}

// must is execute for commands that work.
func must[R any](e *editor, name string, args any) *R {
	e.t.Helper()
	out, err := execute[R](e, name, args)
	if err != nil {
		e.t.Fatalf("%s: %v", name, err)
	}
	return out
}

func (e *editor) status() *statusResult {
	return must[statusResult](e, "agentls.status", statusParams{})
}

// at returns the place of the first mark in the text of a file on disk.
func (e *editor) at(name, mark string) place {
	e.t.Helper()
	path := filepath.Join(e.dir, name)
	src, err := os.ReadFile(path)
	if err != nil {
		e.t.Fatal(err)
	}
	offset := strings.Index(string(src), mark)
	if offset < 0 {
		e.t.Fatalf("%s has no %q", name, mark)
	}
	position := toPosition(text.NewLines(src).Point(offset, text.UTF16))
	return place{URI: fileURI(path), Range: protocol.Range{Start: position, End: position}}
}

// eventOf waits for the first event of a kind about a run.
func (e *editor) eventOf(kind EventKind, run string) Event {
	e.t.Helper()
	var found Event
	e.await(string(kind)+" of "+run, func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		i := slices.IndexFunc(e.events, func(ev Event) bool { return ev.Kind == kind && (run == "" || ev.Run == run) })
		if i >= 0 {
			found = e.events[i]
		}
		return i >= 0
	})
	return found
}

// marked waits until the files of the workspace with diagnostics are as named.
func (e *editor) marked(want map[string]int) {
	e.t.Helper()
	var got map[string]int
	defer func() {
		if e.t.Failed() {
			e.t.Logf("diagnostics are %v, want %v", got, want)
		}
	}()
	e.await("diagnostics", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		got = make(map[string]int)
		for path, list := range e.diagnostics {
			if rel, err := filepath.Rel(e.dir, path); err == nil && !strings.HasPrefix(rel, "..") && len(list) > 0 {
				got[rel] = len(list)
			}
		}
		return maps.Equal(got, want)
	})
}

// runner is an agent.Runner made of a function.
type runner func(ctx context.Context, snap *index.Snapshot, task agent.Task, sink agent.Sink) (*agent.Result, error)

func (r runner) Run(ctx context.Context, snap *index.Snapshot, task agent.Task, sink agent.Sink) (*agent.Result, error) {
	return r(ctx, snap, task, sink)
}
