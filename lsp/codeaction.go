package lsp

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// The kinds of our code actions. Ask and explain change nothing, so they are
// no refactorings.
const (
	kindAsk     protocol.CodeActionKind = "agentls.ask"
	kindExplain protocol.CodeActionKind = "agentls.explain"
	kindInspect protocol.CodeActionKind = "agentls.review"
	kindGraph   protocol.CodeActionKind = "agentls.graph"
	kindChange  protocol.CodeActionKind = "refactor.rewrite.agentls.change"
	kindRename  protocol.CodeActionKind = "refactor.rewrite.agentls.rename"
	kindReview  protocol.CodeActionKind = "quickfix.agentls.review"
)

func actionKinds() []protocol.CodeActionKind {
	return []protocol.CodeActionKind{kindReview, kindAsk, kindExplain, kindInspect, kindGraph, kindChange, kindRename}
}

// CodeAction offers what can be done at a selection: first the review of a
// proposed hunk there, then what the agent and the index offer. Each action is
// a command that answers at once.
func (s *Server) CodeAction(ctx context.Context, p *protocol.CodeActionParams) ([]protocol.CommandOrCodeAction, error) {
	snap := snapshot(ctx)
	at := place{URI: p.TextDocument.URI, Range: p.Range}
	actions, err := s.review.actions(ctx, snap, at)
	if err != nil {
		return nil, err
	}
	found, err := s.findings.actions(ctx, snap, at)
	if err != nil {
		return nil, err
	}
	actions = append(actions, found...)
	path, err := filePath(at.URI)
	if err != nil {
		return nil, err
	}
	if !s.review.isDiff(path) {
		offered, err := s.offers(ctx, snap, at)
		if err != nil {
			return nil, err
		}
		actions = append(actions, offered...)
	}
	return s.shown(actions, p.Context.Only), nil
}

// shown leaves out what the client did not ask for or cannot show.
func (s *Server) shown(actions []*protocol.CodeAction, only []protocol.CodeActionKind) []protocol.CommandOrCodeAction {
	out := make([]protocol.CommandOrCodeAction, 0, len(actions))
	for _, a := range actions {
		wanted := len(only) == 0 || slices.ContainsFunc(only, func(k protocol.CodeActionKind) bool {
			return *a.Kind == k || k == "" || strings.HasPrefix(string(*a.Kind), string(k)+".")
		})
		if wanted && (a.Disabled.Reason == "" || s.client.disabled) {
			out = append(out, a)
		}
	}
	return out
}

// offers returns the actions of the agent and the index on a place.
func (s *Server) offers(ctx context.Context, snap *index.Snapshot, at place) ([]*protocol.CodeAction, error) {
	f, err := s.focusOf(ctx, snap, at)
	if err != nil {
		return nil, err
	}
	var actions []*protocol.CodeAction
	for _, where := range s.places() {
		actions = append(actions, s.offerAgent(ctx, snap, f, askParams{place: at, where: where})...)
	}
	rename, err := s.offerRename(ctx, snap, f, at)
	actions = append(actions, s.offerReview(f, at))
	actions = append(actions, offerGraph(f, at)...)
	return append(actions, rename), err
}

// places returns where runs can be: here, and at the task service if there is
// one.
func (s *Server) places() []where {
	if s.setup.Load().Remote == nil {
		return []where{{}}
	}
	return []where{{}, {Remote: true}}
}

// offerAgent offers what the agent does, at p's place and where p says.
func (s *Server) offerAgent(ctx context.Context, snap *index.Snapshot, f *focus, p askParams) []*protocol.CodeAction {
	name, suffix := "`"+f.name+"`", p.suffix()
	p.Question = f.marked(ctx, snap, "ask")
	offered := []*protocol.CodeAction{
		action("Ask about "+name+suffix, kindAsk, "agentls.ask", p),
		action("Explain "+name+suffix, kindExplain, "agentls.explain", explainParams{p.place, p.where}),
		s.offerChange(f.marked(ctx, snap, "edit"), name, changeParams{place: p.place, where: p.where}),
	}
	for _, a := range offered {
		s.tag(a, p.where)
	}
	return offered
}

// offerReview offers to have a model review what is at a place.
func (s *Server) offerReview(f *focus, at place) *protocol.CodeAction {
	a := action("Review `"+f.name+"`", kindInspect, "agentls.review", reviewParams{place: at})
	if s.setup.Load().Model == "" {
		disable(a, agent.ErrNoModel.Error())
	}
	s.tag(a, where{})
	return a
}

// offerChange offers to change what has this name: by a wish in a comment of
// the code, else by the plugin's prompt.
func (s *Server) offerChange(wish, name string, p changeParams) *protocol.CodeAction {
	p.Instruction = wish
	title := "Change " + name + "…"
	if wish != "" {
		title = "Change " + name + ": " + wish
	}
	a := action(title+p.suffix(), kindChange, "agentls.change", p)
	switch setup := s.setup.Load(); {
	case setup.Model == "" && !p.Remote:
		disable(a, agent.ErrNoModel.Error())
	case wish == "" && !s.client.prompts:
		disable(a, "say what to change in a comment here: “edit: …”")
	}
	return a
}

// offerRename offers to rename the identifier at the cursor, else the
// declaration around it.
func (s *Server) offerRename(ctx context.Context, snap *index.Snapshot, f *focus, at place) (*protocol.CodeAction, error) {
	lines, err := s.converter(snap).of(ctx, f.Path)
	if err != nil {
		return nil, err
	}
	offset := toSpan(lines, at.Range, s.client.encoding).Start
	name, known, err := renamable(ctx, snap, f, &offset)
	if err != nil {
		return nil, err
	}
	wish := f.marked(ctx, snap, "rename")
	title := "Rename `" + name + "` (index)"
	if wish != "" {
		title = "Rename `" + name + "` to `" + wish + "` (index)"
	}
	a := action(title, kindRename, "agentls.rename", renameParams{
		URI: at.URI, Position: toPosition(lines.Point(offset, s.client.encoding)), NewName: wish,
	})
	switch {
	case !known:
		disable(a, "the index knows no declaration here")
	case wish == "" && !s.client.prompts:
		disable(a, "say the new name in a comment here: “rename: …”")
	}
	return a, nil
}

// renamable returns the name to rename at offset, which it moves to the
// declaration's name where the cursor is on nothing that is declared.
func renamable(ctx context.Context, snap *index.Snapshot, f *focus, offset *int) (name string, known bool, err error) {
	name, _, ok, err := snap.At(ctx, f.Path, *offset)
	if err != nil {
		return "", false, err
	}
	if ok {
		found, err := snap.Definitions(ctx, f.Path, *offset)
		if err != nil || len(found) > 0 {
			return name, len(found) > 0, err
		}
	}
	if f.symbol == nil {
		return f.name, false, nil
	}
	*offset = f.symbol.NameSpan.Start
	return f.symbol.Name, true, nil
}

// action makes a code action that runs a command with one argument.
func action(title string, kind protocol.CodeActionKind, command string, argument any) *protocol.CodeAction {
	raw, err := json.Marshal(argument)
	if err != nil {
		panic(err) // our own plain types
	}
	return &protocol.CodeAction{
		Title: title, Kind: &kind,
		Command: protocol.Command{Title: title, Command: command, Arguments: []protocol.LSPAny{raw}},
	}
}

// tag marks a as made by a model, where there is one, which a service is taken
// to have, and the client shows it. (LSP 3.18, CodeActionTag)
func (s *Server) tag(a *protocol.CodeAction, where where) {
	if s.client.tags && (where.Remote || s.setup.Load().Model != "") {
		a.Tags = []protocol.CodeActionTag{protocol.CodeActionTagLLMGenerated}
	}
}

// disable says why a cannot run. Its command goes: a client could send it.
func disable(a *protocol.CodeAction, reason string) {
	a.Disabled.Reason = reason
	a.Command = protocol.Command{}
}

// touches reports whether a selection meets a hunk, by whole lines.
func touches(lines *text.Lines, hunk, selection text.Span) bool {
	last := max(hunk.Start, hunk.End-1)
	return lines.LineAt(selection.Start) <= lines.LineAt(last) && lines.LineAt(hunk.Start) <= lines.LineAt(selection.End)
}
