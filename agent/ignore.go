package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/agentls/agentls/index"
)

// IgnoreFile is the file in a root of a workspace whose patterns, as in
// .gitignore, name files to keep from models. It can only withhold more: what
// the deny list and the user's settings keep back, no pattern lets through.
const IgnoreFile = ".agentlsignore"

const maxIgnoreFile = 64 << 10 // bytes

// Ignored returns the pattern of the user's settings or of an ignore file that
// keeps path, which is absolute, from models.
func (g *Gate) Ignored(path string) (rule string, ok bool) {
	for i := range g.ignores {
		if rule, ok := g.ignores[i].match(path); ok {
			return rule, true
		}
	}
	return "", false
}

// An ignoreFile is the patterns for the files below some folders.
type ignoreFile struct {
	source   string   // for people: where they are written
	roots    []string // absolute: the names of the folders they are relative to
	all      bool     // everything is withheld, because it could not be read
	patterns []ignorePattern
}

type ignorePattern struct {
	text    string
	re      *regexp.Regexp
	again   bool // "!": what an earlier pattern matches is not meant
	folders bool // matches folders alone
}

// In returns g for the workspace of snap: with the patterns of the user's
// settings and of the workspace's own ignore files.
func (g *Gate) In(ctx context.Context, snap *index.Snapshot) *Gate {
	out := *g
	out.ignores = nil
	var everywhere []string
	for _, root := range snap.Roots() {
		names := []string{root}
		if real, err := filepath.EvalSymlinks(root); err == nil && real != root {
			names = append(names, real)
		}
		everywhere = append(everywhere, names...)
		content, err := snap.ReadFile(ctx, filepath.Join(root, IgnoreFile))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		file := parseIgnore(IgnoreFile, names, string(content))
		if file.all = err != nil || len(content) > maxIgnoreFile; file.all {
			file.source += fmt.Sprintf(", which cannot be read or has more than %d KiB", maxIgnoreFile>>10)
		}
		out.ignores = append(out.ignores, file)
	}
	if len(g.Withhold) > 0 {
		out.ignores = append(out.ignores, parseIgnore("your settings", everywhere, strings.Join(g.Withhold, "\n")))
	}
	return &out
}

func parseIgnore(source string, roots []string, content string) ignoreFile {
	file := ignoreFile{source: source, roots: roots}
	for line := range strings.Lines(strings.TrimPrefix(content, "\ufeff")) {
		line = strings.TrimRight(line, "\r\n")
		if trimmed := strings.TrimRight(line, " \t"); !strings.HasSuffix(trimmed, `\`) {
			line = trimmed
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if p, ok := parsePattern(line); ok {
			file.patterns = append(file.patterns, p)
		}
	}
	return file
}

// parsePattern reads a line of a .gitignore. (gitignore(5), "Pattern format")
func parsePattern(line string) (ignorePattern, bool) {
	p := ignorePattern{text: line}
	line, p.again = strings.CutPrefix(line, "!")
	line, p.folders = strings.CutSuffix(line, "/")
	anchored := strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	expression := "^"
	if !anchored {
		expression = "^(?:.*/)?"
	}
	re, err := regexp.Compile(expression + ignoreExpression(line) + "$")
	p.re = re
	return p, err == nil && line != ""
}

// ignoreExpression returns the regular expression of a pattern of .gitignore, which
// has no braces as a glob has.
func ignoreExpression(glob string) string {
	var b strings.Builder
	for i := 0; i < len(glob); i++ {
		switch rest := glob[i:]; {
		case strings.HasPrefix(rest, "**/") && (i == 0 || glob[i-1] == '/'):
			b.WriteString("(?:.*/)?")
			i += 2
		case rest == "**" && i > 0 && glob[i-1] == '/':
			b.WriteString(".+")
			i++
		case rest[0] == '*':
			b.WriteString("[^/]*")
		case rest[0] == '?':
			b.WriteString("[^/]")
		case rest[0] == '[' && strings.IndexByte(rest[1:], ']') > 0:
			end := strings.IndexByte(rest[2:], ']') + 2
			b.WriteString(classExpression(rest[1:end]))
			i += end
		case rest[0] == '\\' && len(rest) > 1:
			b.WriteString(regexp.QuoteMeta(rest[1:2]))
			i++
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
		}
	}
	return b.String()
}

// classExpression returns the expression of what stands in brackets.
func classExpression(class string) string {
	not := ""
	if class[0] == '!' || class[0] == '^' {
		not, class = "^/", class[1:]
	}
	return "[" + not + strings.NewReplacer(`[`, `\[`, `&`, `\&`, `~`, `\~`).Replace(class) + "]"
}

// match returns the pattern that keeps path back, as a rule for people. A file
// in a folder that is kept back is kept back, whatever else names it.
func (f *ignoreFile) match(path string) (rule string, ok bool) {
	rel, ok := f.relative(path)
	switch {
	case !ok || rel == ".":
		return "", false
	case f.all:
		return f.source, true
	}
	rel = filepath.ToSlash(rel)
	for i := range rel {
		if rel[i] == '/' && i > 0 {
			if p := f.last(rel[:i+1]); p != nil && !p.again {
				return f.source + ": " + p.text, true
			}
		}
	}
	if p := f.last(rel); p != nil && !p.again {
		return f.source + ": " + p.text, true
	}
	return "", false
}

// last returns the last pattern that matches a name, which decides; nil if none
// does. The name of a folder ends in a slash.
func (f *ignoreFile) last(name string) *ignorePattern {
	name, isFolder := strings.CutSuffix(name, "/")
	for i := range slices.Backward(f.patterns) {
		if p := &f.patterns[i]; (isFolder || !p.folders) && p.re.MatchString(name) {
			return p
		}
	}
	return nil
}

func (f *ignoreFile) relative(path string) (rel string, ok bool) {
	for _, root := range f.roots {
		if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
			return rel, true
		}
	}
	return "", false
}
