package lsp

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/lsp/rpc"
)

// Initialize agrees on capabilities. It reads nothing from disk.
func (s *Server) Initialize(_ context.Context, p *protocol.InitializeParams) (*protocol.InitializeResult, error) {
	s.client = newClient(&p.Capabilities, s.session)
	settings := json.RawMessage(slices.Clone(p.InitializationOptions))
	s.home = s.Open(roots(p))
	s.configure(settings)
	if p.ProcessID != nil {
		pid := int(*p.ProcessID)
		s.spawn(func(ctx context.Context) { s.watchParent(ctx, pid) })
	}
	return &protocol.InitializeResult{
		ServerInfo:   protocol.ServerInfo{Name: "agentls", Version: protocol.NewOptional(s.Version)},
		Capabilities: s.capabilities(),
	}, nil
}

// watchParent ends the session when the client's process is gone. (LSP,
// "initialize", processId)
func (s *Server) watchParent(ctx context.Context, pid int) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	rpc.WatchParent(ctx, pid, rpc.Alive, tick.C, func() { s.stop(errParentGone) })
}

// roots returns the workspace folders, else the root, as paths. What is not a
// file is left out: the server then works on open documents alone.
func roots(p *protocol.InitializeParams) []string {
	var out []string
	add := func(u uri.URI) {
		if path, err := rpc.FilePath(u); err == nil {
			out = append(out, path)
		}
	}
	if folders, ok := p.WorkspaceFolders.Get(); ok && len(folders) > 0 {
		for _, f := range folders {
			add(f.URI)
		}
		return out
	}
	if root := p.RootURI; root != nil { //nolint:staticcheck // clients without folders send it
		add(*root)
	}
	return out
}

func (s *Server) capabilities() protocol.ServerCapabilities {
	incremental := protocol.TextDocumentSyncKindIncremental
	encoding := protocol.PositionEncodingKindUTF16
	if s.client.encoding == text.UTF8 {
		encoding = protocol.PositionEncodingKindUTF8
	}
	out := protocol.ServerCapabilities{
		PositionEncoding: encoding,
		TextDocumentSync: &protocol.TextDocumentSyncOptions{
			OpenClose: ptr(true), Change: &incremental, Save: protocol.Boolean(true),
		},
		CodeActionProvider:     &protocol.CodeActionOptions{CodeActionKinds: actionKinds()},
		ExecuteCommandProvider: protocol.ExecuteCommandOptions{Commands: commandNames()},
		Workspace: &protocol.WorkspaceOptions{
			WorkspaceFolders: &protocol.WorkspaceFoldersServerCapabilities{
				Supported: ptr(true), ChangeNotifications: protocol.Boolean(true),
			},
		},
	}
	if !s.offer.isOff() {
		offerNavigation(&out)
	}
	return out
}

// offerNavigation declares what the index answers of what other servers answer
// too.
func offerNavigation(out *protocol.ServerCapabilities) {
	out.HoverProvider = protocol.Boolean(true)
	out.DeclarationProvider = protocol.Boolean(true)
	out.DefinitionProvider = protocol.Boolean(true)
	out.TypeDefinitionProvider = protocol.Boolean(true)
	out.ImplementationProvider = protocol.Boolean(true)
	out.ReferencesProvider = protocol.Boolean(true)
	out.DocumentHighlightProvider = protocol.Boolean(true)
	out.DocumentSymbolProvider = protocol.Boolean(true)
	out.DocumentLinkProvider = &protocol.DocumentLinkOptions{}
	out.RenameProvider = &protocol.RenameOptions{PrepareProvider: ptr(true)}
	out.FoldingRangeProvider = protocol.Boolean(true)
	out.SelectionRangeProvider = protocol.Boolean(true)
	out.CallHierarchyProvider = protocol.Boolean(true)
	out.TypeHierarchyProvider = protocol.Boolean(true)
	out.WorkspaceSymbolProvider = &protocol.WorkspaceSymbolOptions{ResolveProvider: ptr(true)}
}

// Initialized starts what works behind: the index, the watcher, the review.
func (s *Server) Initialized(context.Context, *protocol.InitializedParams) error {
	s.spawn(s.askConfiguration)
	s.spawn(s.scan)
	s.spawn(s.watchThere)
	s.spawn(s.findConfinement)
	s.spawn(func(ctx context.Context) {
		s.recover(ctx)
		s.review.load(ctx)
		s.offerRuns(ctx)
	})
	return nil
}

// findConfinement finds how commands are confined, for the status.
func (s *Server) findConfinement(ctx context.Context) {
	if s.home.Confinement != nil {
		s.fence.Store(ptr(s.home.Confinement(ctx)))
	}
}

// Shutdown ends all runs; the connection stays until exit.
func (s *Server) Shutdown(context.Context) error {
	s.runs.stopAll(errShutdown)
	return nil
}

// Exit does nothing here: the session reports it to Serve.
func (s *Server) Exit(context.Context) error { return nil }

// SetTrace is accepted and does nothing: logging goes to stderr.
func (s *Server) SetTrace(context.Context, *protocol.SetTraceParams) error { return nil }

// DidChangeWorkspaceFolders changes the roots and indexes the new ones.
func (s *Server) DidChangeWorkspaceFolders(_ context.Context, p *protocol.DidChangeWorkspaceFoldersParams) error {
	now := slices.Clone(s.home.Workspace.Snapshot().Roots())
	for _, f := range p.Event.Removed {
		if path, err := rpc.FilePath(f.URI); err == nil {
			now = slices.DeleteFunc(now, func(r string) bool { return r == path })
		}
	}
	for _, f := range p.Event.Added {
		if path, err := rpc.FilePath(f.URI); err == nil && !slices.Contains(now, path) {
			now = append(now, path)
		}
	}
	s.home.Workspace.SetRoots(now)
	s.spawn(s.scanOnce)
	return nil
}

func ptr[T any](v T) *T { return &v }
