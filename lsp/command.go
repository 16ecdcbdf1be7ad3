package lsp

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// A command is one entry of the surface for editors: everything an editor can
// ask for that is no LSP request. (COMMANDS.md)
type command struct {
	name           string
	params, result reflect.Type // of one JSON object each
	run            func(s *Server, ctx context.Context, args json.RawMessage) (any, error)
}

// define makes a command from a method of Server.
func define[P, R any](name string, fn func(*Server, context.Context, *P) (*R, error)) command {
	return command{
		name: name, params: reflect.TypeFor[P](), result: reflect.TypeFor[R](),
		run: func(s *Server, ctx context.Context, args json.RawMessage) (any, error) {
			var p P
			if err := json.Unmarshal(args, &p); err != nil {
				return nil, badParams("%s: the argument does not fit: %v; lsp/COMMANDS.md describes it", name, err)
			}
			return fn(s, ctx, &p)
		},
	}
}

// commands is the whole surface. Its order is that of COMMANDS.md.
func commands() []command {
	return []command{
		define("agentls.ask", (*Server).ask),
		define("agentls.explain", (*Server).explain),
		define("agentls.change", (*Server).changeCode),
		define("agentls.rename", (*Server).rename),
		define("agentls.graph", (*Server).showGraph),
		define("agentls.stop", (*Server).stopRun),
		define("agentls.steer", (*Server).steer),
		define("agentls.context.choose", (*Server).chooseContext),
		define("agentls.reply", (*Server).reply),
		define("agentls.plan.accept", (*Server).acceptPlan),
		define("agentls.continue", (*Server).continueRun),
		define("agentls.revise", (*Server).revise),
		define("agentls.runs.list", (*Server).listRuns),
		define("agentls.verify", (*Server).verifyWith),
		define("agentls.context", (*Server).listContext),
		define("agentls.lastRequest", (*Server).lastRequest),
		define("agentls.editor", (*Server).noteEditor),
		define("agentls.navigation", (*Server).noteServed),
		define("agentls.status", (*Server).status),
		define("agentls.tasks.list", (*Server).listTasks),
		define("agentls.tasks.follow", (*Server).followTask),
		define("agentls.tasks.cancel", (*Server).cancelTask),
		define("agentls.review", (*Server).reviewPlace),
		define("agentls.findings.list", (*Server).listFindings),
		define("agentls.findings.fix", (*Server).fixFinding),
		define("agentls.findings.dismiss", (*Server).dismissFinding),
		define("agentls.changes.list", (*Server).listChanges),
		define("agentls.changes.show", (*Server).showChanges),
		define("agentls.changes.diff", (*Server).diffChanges),
		define("agentls.changes.accept", (*Server).acceptHunks),
		define("agentls.changes.reject", (*Server).rejectHunks),
		define("agentls.changes.apply", (*Server).applyChanges),
		define("agentls.changes.undo", (*Server).undoChanges),
		define("agentls.changes.redo", (*Server).redoChanges),
	}
}

func commandNames() []string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return names
}

// ExecuteCommand runs a command. Those that take long answer at once, with a
// run.
func (s *Server) ExecuteCommand(ctx context.Context, p *protocol.ExecuteCommandParams) (protocol.LSPAny, error) {
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == p.Command })
	if i < 0 {
		return nil, jsonrpc2.NewError(jsonrpc2.MethodNotFound, fmt.Sprintf("no command %q", p.Command))
	}
	args := json.RawMessage("{}")
	if len(p.Arguments) > 0 && string(p.Arguments[0]) != "null" {
		args = json.RawMessage(p.Arguments[0])
	}
	result, err := all[i].run(s, ctx, args)
	if err != nil {
		return nil, err
	}
	return json.Marshal(result)
}
