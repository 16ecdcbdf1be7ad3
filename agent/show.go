package agent

import (
	"fmt"
	"strings"
)

// Markdown renders m as a document for its user.
func (m *Manifest) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What is sent: about %d tokens\n\n| | tokens | piece | why |\n|---|---:|---|---|\n", m.Tokens)
	for i := range m.Pieces {
		p := &m.Pieces[i]
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", p.ID, p.Tokens, cell(p.Title), cell(p.state()))
	}
	fmt.Fprintf(&b, "\nThe pieces about the workspace may have %d tokens together. All but the fixed ones can be removed or pinned, by their names.\n", m.Budget)
	for i := range m.Pieces {
		p := &m.Pieces[i]
		if p.Dropped != "" {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s", p.Title, fenced(p.Text))
	}
	return b.String()
}

func (p *Piece) state() string {
	switch {
	case p.Dropped != "":
		return "not sent: " + p.Dropped
	case p.Pinned:
		return p.Why + " (pinned)"
	case p.Fixed:
		return p.Why + " (fixed)"
	}
	return p.Why
}

// cell returns s as it can stand in a table.
func cell(s string) string { return strings.ReplaceAll(abbreviate(s, 200), "|", `\|`) }

// fenced returns s as a block of code, whatever is in it.
func fenced(s string) string {
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence + "text\n" + strings.TrimRight(s, "\n") + "\n" + fence + "\n"
}

// Markdown renders req as a document: all of it, as it left.
func (req *Request) Markdown() string {
	var b strings.Builder
	b.WriteString("# The last request, as it was sent\n\n## Instructions\n\n" + fenced(req.Instructions))
	for i := range req.Tools {
		spec := &req.Tools[i]
		fmt.Fprintf(&b, "\n## Tool %s\n\n%s", spec.Name, fenced(spec.Description+"\n"+string(spec.Parameters)+"\n"+spec.Grammar))
	}
	for _, item := range req.Items {
		switch it := item.(type) {
		case UserMessage:
			b.WriteString("\n## To the model\n\n" + fenced(it.Text))
		case ToolOutput:
			b.WriteString("\n## Output of " + it.CallID + "\n\n" + fenced(it.Text))
		case ModelItem:
			b.WriteString("\n## From the model\n\n" + fenced(string(it.Raw)))
		}
	}
	return b.String()
}
