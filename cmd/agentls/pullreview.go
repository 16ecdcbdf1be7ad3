package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/index/git"
)

// A pullReview is the body of GitHub's "create a review for a pull request".
type pullReview struct {
	Body     string        `json:"body"`
	Event    string        `json:"event"`
	Comments []pullComment `json:"comments"`
}

// A pullComment is on lines of the new side: findings are about present files.
type pullComment struct {
	Path      string `json:"path"`
	Line      int    `json:"line"` // the last one, from 1
	Side      string `json:"side"`
	StartLine int    `json:"start_line,omitempty"` // of several lines
	StartSide string `json:"start_side,omitempty"`
	Body      string `json:"body"`
}

const newSide = "RIGHT"

// printPullReview prints findings as comments where the diff shows their lines,
// all in one hunk. GitHub refuses a whole review for a comment elsewhere, so the
// others go into its text.
func printPullReview(cmd *cobra.Command, done *reviewed) error {
	review := pullReview{Event: "COMMENT", Comments: []pullComment{}}
	parts := []string{withoutSuggestions(strings.TrimSpace(done.result.Answer))}
	for i := range done.result.Findings {
		f := &done.result.Findings[i]
		path := filepath.ToSlash(done.snap.Rel(f.Path))
		if slices.ContainsFunc(done.hunks[path], func(hunk git.Lines) bool { return hunk.First <= f.Line && f.EndLine < hunk.End }) {
			review.Comments = append(review.Comments, pullCommentOf(f, path))
		} else {
			parts = append(parts, beside(f, path))
		}
	}
	review.Body = strings.TrimSpace(strings.Join(parts, "\n\n"))
	return printJSON(cmd, review)
}

func pullCommentOf(f *agent.Finding, path string) pullComment {
	c := pullComment{Path: path, Line: f.EndLine + 1, Side: newSide, Body: fmt.Sprintf("**P%d: %s**\n\n%s", f.Priority, inLine(f.Title), withoutSuggestions(f.Body))}
	if f.EndLine > f.Line {
		c.StartLine, c.StartSide = f.Line+1, newSide
	}
	if f.Fix != nil {
		c.Body += "\n\n" + fenced("suggestion", *f.Fix)
	}
	return c
}

// beside is f as a part of the review's text.
func beside(f *agent.Finding, path string) string {
	lines := fmt.Sprintf("line %d", f.Line+1)
	if f.EndLine > f.Line {
		lines = fmt.Sprintf("lines %d to %d", f.Line+1, f.EndLine+1)
	}
	out := fmt.Sprintf("### P%d: %s\n\n`%s`, %s, which the diff does not show\n\n%s", f.Priority, inLine(f.Title), path, lines, withoutSuggestions(f.Body))
	if f.Fix != nil {
		out += "\n\nInstead:\n\n" + fenced("", *f.Fix)
	}
	return out
}

// suggestion matches the beginning of a block that GitHub offers to commit.
var suggestion = regexp.MustCompile("(?mi)^([ \\t>]*(?:[-*+]|\\d+[.)])?[ \\t>]*(?:`{3,}|~{3,})[ \\t]*)suggestion\\b")

// withoutSuggestions returns a text of the model whose blocks of code are no
// more than that: what a comment offers to commit is the fix alone, which was
// held against the code.
func withoutSuggestions(body string) string { return suggestion.ReplaceAllString(body, "${1}text") }

// inLine returns a title as it stands in a line of Markdown, whatever is in it.
func inLine(title string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", "&", "&amp;").Replace(title)
}

// fenced returns code as a block of Markdown, whatever is in it.
func fenced(language, code string) string {
	fence := "```"
	for strings.Contains(code, fence) {
		fence += "`"
	}
	if code != "" && !strings.HasSuffix(code, "\n") {
		code += "\n"
	}
	return fence + language + "\n" + code + fence
}
