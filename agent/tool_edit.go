package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

// edit replaces text in a file of the draft.
type edit struct{}

type editArgs struct {
	Path string `json:"path"`
	Old  string `json:"old"`
	New  string `json:"new"`
	All  bool   `json:"all"`
}

func (edit) Spec() ToolSpec { return spec("edit") }

func (edit) Title(args json.RawMessage) string {
	a, _ := decode[editArgs](args)
	return about("edit", a.Path)
}

func (edit) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[editArgs](raw)
	if err != nil {
		return "", err
	}
	if args.Old == "" || args.Old == args.New {
		return "", Fail("old is empty, or what new is; give the text to replace, and what it becomes. apply_patch creates files")
	}
	path, content, err := d.openPlain(ctx, args.Path)
	if err != nil {
		return "", err
	}
	after, err := args.replace(content)
	if err != nil {
		return "", err
	}
	return d.rewrite(ctx, path, after)
}

// openPlain is open for a file that is to be changed.
func (d *Draft) openPlain(ctx context.Context, name string) (path string, content []byte, err error) {
	if !IsPlain(name) {
		return "", nil, Fail("%q is no plain text, and cannot be proposed as a name", name)
	}
	return d.open(ctx, name)
}

// rewrite gives the file at path, which is there, another content, and returns
// what a model is told of that. What is no text is refused: it could not be
// proposed.
func (d *Draft) rewrite(ctx context.Context, path string, content []byte) (string, error) {
	if err := text.Check(content); err != nil {
		return "", Fail("%s would be no text any more (%v), and nothing else can be proposed: it is left as it was", d.snap.Rel(path), err)
	}
	before := d.Now()
	d.Write(path, content, 0)
	return d.aftermath(ctx, before, []edits.FileEdit{{Op: edits.Modify, Path: path, Content: content}})
}

// replace returns content with new in place of old, once or wherever it is.
func (a *editArgs) replace(content []byte) ([]byte, error) {
	old, replacement := a.Old, a.New
	if usesCRLF(content) {
		old, replacement = withCRLF(old), withCRLF(replacement)
	}
	switch n := bytes.Count(content, []byte(old)); {
	case n == 0:
		return nil, Fail("old is not in %s%s; read the place again and copy it exactly, white space too", a.Path, a.near(content))
	case n > 1 && !a.All:
		return nil, Fail("old is in %s %d times, on lines %s; add lines around it until it is there once, or say all", a.Path, n, linesOf(content, old))
	}
	return bytes.ReplaceAll(content, []byte(old), []byte(replacement)), nil
}

func withCRLF(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

const maxPlaces = 10 // that are named in a message

// near says on which lines there is something like the first line of old.
func (a *editArgs) near(content []byte) string {
	var wanted string
	for line := range strings.Lines(a.Old) {
		if wanted = strings.Join(strings.Fields(line), " "); wanted != "" {
			break
		}
	}
	if wanted == "" {
		return ""
	}
	var found []string
	lines := text.NewLines(content)
	for i := 0; i < lines.Count() && len(found) < maxPlaces; i++ {
		if line := strings.Fields(string(lines.Text(lines.Line(i)))); strings.Contains(strings.Join(line, " "), wanted) {
			found = append(found, fmt.Sprint(i+1))
		}
	}
	if len(found) == 0 {
		return ", nor is its first line"
	}
	return ", but its first line is, with other white space or other lines around it: line " + strings.Join(found, ", ")
}

// linesOf returns the numbers of the lines that old begins on, the first ones.
func linesOf(content []byte, old string) string {
	var found []string
	lines := text.NewLines(content)
	for from := 0; len(found) < maxPlaces; {
		at := bytes.Index(content[from:], []byte(old))
		if at < 0 {
			break
		}
		found = append(found, fmt.Sprint(lines.LineAt(from+at)+1))
		from += at + len(old)
	}
	if len(found) == maxPlaces {
		found = append(found, "…")
	}
	return strings.Join(slices.Compact(found), ", ")
}
