package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// readFile shows lines of a file.
type readFile struct{}

type readArgs struct {
	Path      string `json:"path"`
	StartLine int    `json:"start_line"` // from 1
	EndLine   int    `json:"end_line"`   // included
}

func (readFile) Spec() ToolSpec {
	return ToolSpec{
		Name:        "read_file",
		Description: "Read a file, or some of its lines, with line numbers. Edits made by apply_patch are seen.",
		Parameters: json.RawMessage(`{"type":"object","properties":{` +
			`"path":{"type":"string","description":"relative to the workspace root"},` +
			`"start_line":{"type":"integer","description":"first line, from 1; omit for the whole file"},` +
			`"end_line":{"type":"integer","description":"last line, included"}},` +
			`"required":["path"],"additionalProperties":false}`),
	}
}

func (readFile) Title(args json.RawMessage) string {
	a, _ := decode[readArgs](args)
	return about("read", a.Path)
}

func (readFile) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[readArgs](raw)
	if err != nil {
		return "", err
	}
	path, content, err := d.open(ctx, args.Path)
	if err != nil {
		return "", err
	}
	lines := text.NewLines(content)
	count := lineCount(lines)
	first, last := max(args.StartLine, 1), args.EndLine
	if last <= 0 || last > count {
		last = count
	}
	switch {
	case first > max(count, 1):
		return "", Fail("%s has %d lines; there is no line %d", args.Path, count, first)
	case first > last && count > 0:
		return "", Fail("line %d is behind line %d", first, last)
	}
	d.Show(path)
	return fmt.Sprintf("%s, lines %d to %d of %d:\n%s", d.snap.Rel(path), first, last, count, numbered(lines, first-1, last-1)), nil
}

// open returns the path and content of the text file that a model calls name.
// Errors that the model can do something about are Failures.
func (d *Draft) open(ctx context.Context, name string) (path string, content []byte, err error) {
	path, err = d.Resolve(name)
	if err != nil {
		return "", nil, Fail("%v", err)
	}
	content, err = d.ReadFile(ctx, path)
	switch {
	case ctx.Err() != nil:
		return "", nil, context.Cause(ctx)
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, Fail("there is no file %s%s", name, d.nearby(path))
	case errors.Is(err, index.ErrTooLarge):
		return "", nil, Fail("%s: %v", name, index.ErrTooLarge)
	case err != nil:
		return "", nil, Fail("%s cannot be read; is it a folder?", name)
	}
	if err := text.Check(content); err != nil {
		return "", nil, Fail("%s is no text: %v", name, err)
	}
	return path, content, nil
}

// lineCount leaves out the empty line behind a final line ending.
func lineCount(lines *text.Lines) int {
	n := lines.Count()
	if lines.Line(n-1).Len() == 0 {
		n--
	}
	return n
}

// numbered returns lines first to last, from 0, behind their numbers from 1.
func numbered(lines *text.Lines, first, last int) string {
	const longest = 2000 // bytes of a line
	var b strings.Builder
	for i := first; i <= last; i++ {
		line := string(lines.Text(lines.Line(i)))
		if len(line) > longest {
			line = fmt.Sprintf("%s… (%d bytes more)", strings.ToValidUTF8(line[:longest], ""), len(line)-longest)
		}
		fmt.Fprintf(&b, "%6d\t%s\n", i+1, line)
	}
	return b.String()
}
