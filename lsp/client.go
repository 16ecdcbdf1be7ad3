package lsp

import (
	"context"
	"encoding/json"
	"slices"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/lsp/rpc"
)

// A client is what the other end can do, and the way to it.
type client struct {
	protocol.Client
	session  *rpc.Session
	encoding text.Encoding

	progress     bool // shows server-created progress
	showDocument bool
	applyEdit    bool
	configures   bool // answers workspace/configuration
	watches      bool // reports what changes on disk, once asked
	deletes      bool // DeleteFile in a workspace edit
	renames      bool // RenameFile in a workspace edit
	disabled     bool // shows CodeAction.disabled
	tags         bool // shows CodeActionTag.LLMGenerated
	versions     bool // documentChanges in a workspace edit
	annotations  bool // asks its user about annotated changes
	lazySymbols  bool // asks for the range of a found symbol when it needs it

	events    bool // agentls/event
	prompts   bool // asks its user for what a command's argument lacks
	questions bool // answers run.question, and run.plan where it waits
}

func newClient(c *protocol.ClientCapabilities, session *rpc.Session) client {
	out := client{Client: session.Client(), session: session}
	if c.General != nil && slices.Contains(c.General.PositionEncodings, protocol.PositionEncodingKindUTF8) {
		out.encoding = text.UTF8
	}
	if w := c.Window; w != nil {
		out.progress = is(w.WorkDoneProgress)
		out.showDocument = w.ShowDocument != nil && w.ShowDocument.Support
	}
	out.workspace(c.Workspace)
	out.actions(c.TextDocument)
	out.experimental(c.Experimental)
	return out
}

func (c *client) workspace(w *protocol.WorkspaceClientCapabilities) {
	if w == nil {
		return
	}
	c.applyEdit, c.configures = is(w.ApplyEdit), is(w.Configuration)
	c.watches = w.DidChangeWatchedFiles != nil && is(w.DidChangeWatchedFiles.DynamicRegistration)
	if w.Symbol != nil {
		c.lazySymbols = slices.Contains(w.Symbol.ResolveSupport.Properties, "location.range")
	}
	if e := w.WorkspaceEdit; e != nil {
		c.versions = is(e.DocumentChanges)
		c.annotations = c.versions && e.ChangeAnnotationSupport != nil
		c.deletes = slices.Contains(e.ResourceOperations, protocol.ResourceOperationKindDelete)
		c.renames = slices.Contains(e.ResourceOperations, protocol.ResourceOperationKindRename)
	}
}

func (c *client) actions(d *protocol.TextDocumentClientCapabilities) {
	if d == nil || d.CodeAction == nil {
		return
	}
	c.disabled = is(d.CodeAction.DisabledSupport)
	c.tags = slices.Contains(d.CodeAction.TagSupport.ValueSet, protocol.CodeActionTagLLMGenerated)
}

// experimental reads what the editors' plugins declare. (COMMANDS.md)
func (c *client) experimental(raw protocol.LSPAny) {
	var x struct {
		Agentls struct{ Events, Prompts, Questions bool }
	}
	if len(raw) > 0 && json.Unmarshal(raw, &x) == nil {
		c.events, c.prompts = x.Agentls.Events, x.Agentls.Prompts
		c.questions = c.events && x.Agentls.Questions
	}
}

// say shows a message to the user. It is for outcomes that have no other way
// to be seen; it may wait for the client and never runs on the read loop.
func (c *client) say(ctx context.Context, kind protocol.MessageType, message string) {
	_ = c.ShowMessage(ctx, &protocol.ShowMessageParams{Type: kind, Message: message}) // a client that is gone needs no message
}

// show opens the file at path, or names it where the client cannot open one.
func (c *client) show(ctx context.Context, path, what string) {
	if c.showDocument {
		res, err := c.ShowDocument(ctx, &protocol.ShowDocumentParams{URI: fileURI(path), TakeFocus: ptr(true)})
		if err == nil && res.Success {
			return
		}
	}
	c.say(ctx, protocol.MessageTypeInfo, what+" is in "+path)
}

func is(b *bool) bool { return b != nil && *b }
