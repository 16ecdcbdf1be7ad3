package lsp

import (
	"context"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/agentls/agentls/agent"
)

type editorParams struct {
	Visible  []uri.URI       `json:"visible"`  // the files on screen, the one in front first
	Problems []editorProblem `json:"problems"` // what other servers, compilers and linters report
}

type editorProblem struct {
	URI      uri.URI                     `json:"uri"`
	Range    protocol.Range              `json:"range"`
	Severity protocol.DiagnosticSeverity `json:"severity"`
	Message  string                      `json:"message"`
	Source   string                      `json:"source,omitempty"`
}

type editorResult struct {
	Problems int `json:"problems"` // taken note of
}

// maxEditorProblems bounds what is kept; the agent tells its model of fewer.
const maxEditorProblems = 500

// noteEditor takes note of what the editor shows and knows, in place of what
// was noted before. Runs that begin after it are told.
func (s *Server) noteEditor(_ context.Context, p *editorParams) (*editorResult, error) {
	view := &agent.EditorView{}
	for _, u := range p.Visible {
		if path, err := filePath(u); err == nil { // what is no file has no name to tell
			view.Visible = append(view.Visible, path)
		}
	}
	for _, problem := range p.Problems[:min(len(p.Problems), maxEditorProblems)] {
		path, err := filePath(problem.URI)
		if err != nil || problem.Source == diagnosticSource {
			continue
		}
		view.Problems = append(view.Problems, agent.Problem{
			Path: path, Line: int(problem.Range.Start.Line), Severity: severityWord(problem.Severity),
			Message: problem.Message, Source: problem.Source,
		})
	}
	s.editor.Store(view)
	return &editorResult{Problems: len(view.Problems)}, nil
}

// severityWord names a severity for people. (LSP, DiagnosticSeverity)
func severityWord(severity protocol.DiagnosticSeverity) string {
	switch severity {
	case protocol.DiagnosticSeverityWarning:
		return "warning"
	case protocol.DiagnosticSeverityInformation:
		return "information"
	case protocol.DiagnosticSeverityHint:
		return "hint"
	default:
		return "error" // "if omitted, it is up to the client": the one it is read as most
	}
}
