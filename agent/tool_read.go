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

// readFile shows lines of a file, or a declaration.
type readFile struct{ reads }

type readArgs struct {
	Path   string `json:"path"`
	Offset int    `json:"offset"` // a line, from 1
	Limit  int    `json:"limit"`  // lines
}

const defaultLines = 2000

func (readFile) Spec() ToolSpec { return spec("read_file") }

func (readFile) Title(args json.RawMessage) string {
	a, _ := decode[readArgs](args)
	return about("read", a.Path)
}

func (readFile) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[readArgs](raw)
	if err != nil {
		return "", err
	}
	if d.namesSymbol(args.Path) {
		return d.readSymbol(ctx, args.Path)
	}
	path, content, err := d.open(ctx, args.Path)
	if err != nil {
		return "", err
	}
	lines := text.NewLines(content)
	count := lineCount(lines)
	first, limit := max(args.Offset, 1), args.Limit
	if limit <= 0 {
		limit = defaultLines
	}
	if first > max(count, 1) {
		return "", Fail("%s has %d lines; there is no line %d", args.Path, count, first)
	}
	last := first - 1 + min(limit, count-first+1)
	d.Show(path)
	out := fmt.Sprintf("%s, lines %d to %d of %d:\n%s", d.snap.Rel(path), first, last, count, numbered(lines, first-1, last-1))
	if args.Limit <= 0 && last < count {
		out += fmt.Sprintf("[go on with offset %d]\n", last+1)
	}
	return out, nil
}

// readSymbol shows the declaration that id names, with the hash by which it
// can be replaced.
func (d *Draft) readSymbol(ctx context.Context, id string) (string, error) {
	sym, err := d.symbolOf(ctx, id)
	if err != nil {
		return "", err
	}
	decl, err := d.declaration(ctx, sym)
	if err != nil {
		return "", err
	}
	d.Show(sym.Path)
	first, last := decl.lines.LineAt(decl.span.Start), decl.lines.LineAt(decl.span.End)
	return fmt.Sprintf("%s, hash %s, %s of %d:\n%s", id, decl.hash(), lineRange(first, last), lineCount(decl.lines), numbered(decl.lines, first, last)), nil
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
		return "", nil, Fail("%s: %v; look into it with grep", name, index.ErrTooLarge)
	case err != nil:
		return "", nil, Fail("%s cannot be read; is it a folder? list_dir shows folders", name)
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

// numbered returns lines first to last, from 0, behind their numbers from 1,
// as cat -n does.
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
