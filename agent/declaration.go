package agent

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// namesSymbol reports whether a model's name is the id of a declaration, and
// not a path.
func (d *Draft) namesSymbol(name string) bool {
	if !strings.Contains(name, "#") {
		return false
	}
	path, err := d.Resolve(name)
	return err != nil || !d.Now().Has(path)
}

// idOf returns the name by which a model can ask for sym, which is one of the
// outline of its file: "sum.go#Sum"; "sum.go#init~2" for the second of that name.
func (d *Draft) idOf(sym index.Symbol, outline []index.Symbol) string {
	id, n := d.snap.Rel(sym.Path)+"#"+sym.Qualified(), 1
	for i := range outline {
		if outline[i].NameSpan == sym.NameSpan {
			break
		}
		if outline[i].Qualified() == sym.Qualified() {
			n++
		}
	}
	if n > 1 {
		id += fmt.Sprintf("~%d", n)
	}
	return id
}

// symbolOf returns the declaration with an id. Its errors are Failures.
func (d *Draft) symbolOf(ctx context.Context, id string) (index.Symbol, error) {
	var path, rest string
	for i := range len(id) { // a path can have a "#" in it, and so can a name: "#private" of JavaScript
		if id[i] != '#' {
			continue
		}
		if at, err := d.Resolve(id[:i]); err == nil && d.Now().Has(at) {
			path, rest = at, id[i:]
			break
		}
	}
	if path == "" {
		return index.Symbol{}, Fail("%s names no file that is indexed; symbol_find gives ids, such as sum.go#Sum", id)
	}
	outline, err := d.Now().Symbols(ctx, path)
	if err != nil {
		return index.Symbol{}, err
	}
	var ids []string
	for _, sym := range outline {
		known := d.idOf(sym, outline)
		if known == d.snap.Rel(path)+rest {
			return sym, nil
		}
		ids = append(ids, known)
	}
	const most = 40
	return index.Symbol{}, Fail("there is no %s; declared there are: %s", id, strings.Join(ids[:min(len(ids), most)], ", "))
}

// A declared is the text of a symbol, with the comment above it.
type declared struct {
	path  string
	src   []byte
	lines *text.Lines
	span  text.Span
	base  string // the white space that its line begins with
}

// declaration returns the text of sym.
func (d *Draft) declaration(ctx context.Context, sym index.Symbol) (*declared, error) {
	src, err := d.ReadFile(ctx, sym.Path)
	if err != nil {
		return nil, err
	}
	decl := &declared{path: sym.Path, src: src, lines: text.NewLines(src), span: sym.Span}
	line := decl.lines.Line(decl.lines.LineAt(sym.Span.Start))
	before := src[line.Start:sym.Span.Start]
	decl.base = string(before[:len(before)-len(bytes.TrimLeft(before, " \t"))])
	if len(decl.base) == len(before) { // nothing else on its line
		decl.span.Start = decl.withComment()
	}
	return decl, nil
}

// hash names the content of a declaration: models copy short names.
func (decl *declared) hash() string {
	return text.HashOf(decl.src[decl.span.Start:decl.span.End]).String()[:8]
}

// withComment returns where the comment and the decorators begin that stand
// right above the declaration, or it does itself.
func (decl *declared) withComment() int {
	lines := decl.lines
	first := lines.LineAt(decl.span.Start)
	trimmed := func(i int) string { return strings.TrimSpace(string(lines.Text(lines.Line(i)))) }
	for first > 0 {
		above := trimmed(first - 1)
		switch {
		case strings.HasPrefix(above, "//"), strings.HasPrefix(above, "#"), strings.HasPrefix(above, "@"):
			first--
			continue
		case strings.HasSuffix(above, "*/"):
			open := first - 1
			for open > 0 && !strings.Contains(trimmed(open), "/*") {
				open--
			}
			if strings.HasPrefix(trimmed(open), "/*") {
				first = open
				continue
			}
		}
		break
	}
	line := lines.Text(lines.Line(first))
	return lines.Start(first) + len(line) - len(bytes.TrimLeft(line, " \t"))
}

// replaced returns the file with content, which ends without a line ending,
// in place of the declaration, as deeply indented and with the line endings of
// the file.
func (decl *declared) replaced(content string) []byte {
	placed := indent(dedent(content, decl.base), decl.base)
	if usesCRLF(decl.src) {
		placed = strings.ReplaceAll(placed, "\n", "\r\n")
	}
	return slices.Concat(decl.src[:decl.span.Start], []byte(placed), decl.src[decl.span.End:])
}

// dedent returns content without the white space that all of its lines begin
// with. A first line that is not indented counts as if it stood at base, where
// the others do: models leave it away.
func dedent(content, base string) string {
	content = strings.Trim(strings.ReplaceAll(content, "\r\n", "\n"), "\n")
	lines := strings.Split(content, "\n")
	lines[0] = strings.TrimRight(lines[0], " \t")
	if common := commonIndent(lines[1:]); commonIndent(lines[:1]) == "" && base != "" && strings.HasPrefix(common, base) && standsAt(lines[1:], common, base) {
		lines[0] = base + lines[0]
	}
	common := commonIndent(lines)
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], common)
	}
	return strings.Join(lines, "\n")
}

// standsAt reports whether lines, which have common in front, are indented as
// in a file where their declaration is at base: deeper than it, or closing it.
func standsAt(lines []string, common, base string) bool {
	last := strings.TrimSpace(lines[len(lines)-1])
	return len(common) > len(base) || last != "" && strings.ContainsAny(last[:1], ")]}")
}

// commonIndent returns the white space that all lines that are not blank begin
// with.
func commonIndent(lines []string) string {
	common, found := "", false
	for _, line := range lines {
		body := strings.TrimLeft(line, " \t")
		if body == "" {
			continue
		}
		indent := line[:len(line)-len(body)]
		if !found {
			common, found = indent, true
		}
		for !strings.HasPrefix(indent, common) {
			common = common[:len(common)-1]
		}
	}
	return common
}

// indent puts base in front of all lines that are not blank but the first,
// which has it already.
func indent(content, base string) string {
	lines := strings.Split(content, "\n")
	for i := 1; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) != "" {
			lines[i] = base + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// usesCRLF reports whether the first line of src ends with a carriage return.
func usesCRLF(src []byte) bool {
	i := bytes.IndexByte(src, '\n')
	return i > 0 && src[i-1] == '\r'
}
