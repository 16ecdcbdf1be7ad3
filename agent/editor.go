package agent

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// An EditorView is what the user's editor shows and knows. It was said at one
// moment: its lines may be off by what the user typed since.
type EditorView struct {
	Visible  []string  `json:"visible"`  // paths of the files on screen, the one in front first
	Problems []Problem `json:"problems"` // of the editor's compilers, linters and language servers
}

// A Problem is what the editor reports about a line.
type Problem struct {
	Path     string `json:"path"`     // absolute
	Line     int    `json:"line"`     // from 0
	Severity string `json:"severity"` // for people: "error", "warning"
	Message  string `json:"message"`
	Source   string `json:"source,omitempty"` // who found it
}

// Bounds of what a model is told of the editor.
const (
	maxProblems       = 30
	maxProblemMessage = 300 // bytes
	maxVisible        = 10
)

// editorPieces returns what the editor shows and knows: the problems of the file
// in focus first. Files outside the workspace, and those kept from models, are
// left out.
func (d *Draft) editorPieces(task Task) []Piece {
	if task.Editor == nil {
		return nil
	}
	visible := Piece{ID: "visible", Title: "Files on your screen", Why: "you are looking at them"}
	var names []string
	for _, path := range task.Editor.Visible {
		if d.mayName(path) && len(names) < maxVisible {
			names = append(names, d.snap.Rel(path))
		}
	}
	if len(names) > 0 {
		visible.Text = "On the user's screen: " + strings.Join(names, ", ") + "\n"
	}
	return []Piece{visible, d.problems(task)}
}

func (d *Draft) problems(task Task) Piece {
	p := Piece{ID: "problems", Title: "What your editor reports", Why: "its compilers and linters know the code"}
	problems := slices.DeleteFunc(slices.Clone(task.Editor.Problems), func(p Problem) bool { return !d.mayName(p.Path) })
	if len(problems) == 0 {
		return p
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return remoteness(a, task.Focus) - remoteness(b, task.Focus) })
	p.Text = "The editor reports:\n"
	for _, problem := range problems[:min(len(problems), maxProblems)] {
		p.Text += d.problemLine(problem) + "\n"
		p.paths = append(p.paths, problem.Path) // a message may quote the file
	}
	if more := len(problems) - maxProblems; more > 0 {
		p.Text += fmt.Sprintf("and %d more\n", more)
	}
	return p
}

func (d *Draft) problemLine(p Problem) string {
	line := fmt.Sprintf("%s:%d: %s: %s", d.snap.Rel(p.Path), p.Line+1, p.Severity, abbreviate(p.Message, maxProblemMessage))
	if p.Source != "" {
		line += " (" + abbreviate(p.Source, maxProblemMessage) + ")"
	}
	return line
}

// remoteness orders problems: those of the file in focus come first.
func remoteness(p Problem, focus *Focus) int {
	if focus != nil && p.Path == focus.Path {
		return 0
	}
	return 1
}

// mayName reports whether a model may hear of the file at path.
func (d *Draft) mayName(path string) bool {
	_, withheld := d.Withheld(path)
	return !withheld && !filepath.IsAbs(d.snap.Rel(path))
}
