package nvimtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
)

// Diagnostic is one of the server's diagnostics as Neovim shows it.
type Diagnostic struct {
	Line     int    `json:"line"`
	Col      int    `json:"col"` // bytes
	EndLine  int    `json:"end_line"`
	EndCol   int    `json:"end_col"`  // bytes
	Severity int    `json:"severity"` // 1 error, 2 warning, 3 information, 4 hint
	Message  string `json:"message"`
	Source   string `json:"source"`
	Code     string `json:"code"`
}

// CodeAction is one entry of the code action menu.
type CodeAction struct {
	Title   string          `json:"title"`
	Kind    string          `json:"kind"`
	Command json.RawMessage `json:"command"` // LSP's Command, or nil
	Edit    json.RawMessage `json:"edit"`    // LSP's WorkspaceEdit, or nil
	Data    json.RawMessage `json:"data"`
}

// Open shows a file, new or not, and attaches the server to it; the first Open
// starts the server and waits until it is initialized.
func (e *Editor) Open(ctx context.Context, path string) error {
	if err := e.call("open", nil, e.abs(path)); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if err := e.await(ctx, func() bool { return e.ready }); err != nil {
		return fmt.Errorf("open %s: wait for the language server: %w", path, err)
	}
	return nil
}

// Lines returns the text of an open document, without line ends.
func (e *Editor) Lines(path string) ([]string, error) {
	var lines []string
	err := e.call("lines", &lines, e.abs(path))
	return lines, wrap("lines", path, err)
}

// SetLines replaces the text of an open document.
func (e *Editor) SetLines(path string, lines []string) error {
	return wrap("set lines", path, e.call("set_lines", nil, e.abs(path), append([]string{}, lines...)))
}

// Type inserts text, which may hold line ends, before a byte of an open
// document. Neovim tells the server within 150 ms, or before the next request.
func (e *Editor) Type(path string, line, col int, text string) error {
	return wrap("type", path, e.call("type", nil, e.abs(path), line, col, text))
}

// Undo undoes the last change of an open document.
func (e *Editor) Undo(path string) error {
	return wrap("undo", path, e.call("undo", nil, e.abs(path)))
}

// Save writes an open document to disk.
func (e *Editor) Save(path string) error {
	return wrap("save", path, e.call("save", nil, e.abs(path)))
}

// Modified reports whether an open document differs from what was last saved.
func (e *Editor) Modified(path string) (bool, error) {
	var modified bool
	err := e.call("modified", &modified, e.abs(path))
	return modified, wrap("modified", path, err)
}

// Diagnostics returns what Neovim shows for a file, open or not.
func (e *Editor) Diagnostics(path string) ([]Diagnostic, error) {
	var diagnostics []Diagnostic
	err := e.call("diagnostics", &diagnostics, e.abs(path))
	return diagnostics, wrap("diagnostics", path, err)
}

// CodeActions asks the server for the code actions at a place, with the
// diagnostics of that line as context, as Neovim does.
func (e *Editor) CodeActions(ctx context.Context, path string, line, col int) ([]CodeAction, error) {
	var params json.RawMessage
	if err := e.call("code_action_params", &params, e.abs(path), line, col); err != nil {
		return nil, wrap("code actions", path, err)
	}
	var actions []CodeAction
	err := e.Request(ctx, "textDocument/codeAction", params, &actions)
	return actions, wrap("code actions", path, err)
}

// Choose opens the code action menu at a place and picks the entry with this
// title; Neovim then does with it what it does for a user. It fails if the
// menu has no such entry. One Choose at a time.
func (e *Editor) Choose(ctx context.Context, path string, line, col int, title string) error {
	e.update(func() { e.choice = nil })
	if err := e.call("choose", nil, e.abs(path), line, col, title); err != nil {
		return wrap("choose", path, err)
	}
	var made choice
	err := e.await(ctx, func() bool {
		if e.choice != nil {
			made = *e.choice
		}
		return e.choice != nil
	})
	if err == nil && made.Problem != "" {
		err = errors.New(made.Problem)
	}
	if err != nil {
		return fmt.Errorf("choose %q in %s: %w", title, path, err)
	}
	return nil
}

// Answer sets the title to pick when the server asks the next question
// (window/showMessageRequest). Without it questions are dismissed.
func (e *Editor) Answer(title string) error {
	if err := e.call("answer", nil, title); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

func (e *Editor) abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(e.dir, path)
}

func wrap(doing, path string, err error) error {
	if err != nil {
		return fmt.Errorf("%s %s: %w", doing, path, err)
	}
	return nil
}
