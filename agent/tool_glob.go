package agent

import (
	"context"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
)

// glob finds files by name.
type glob struct{ reads }

type globArgs struct {
	Pattern   string `json:"pattern"`
	Path      string `json:"path"`
	HeadLimit int    `json:"head_limit"`
}

func (glob) Spec() ToolSpec { return spec("glob") }

func (glob) Title(args json.RawMessage) string {
	a, _ := decode[globArgs](args)
	return about("find files", a.Pattern)
}

func (glob) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[globArgs](raw)
	if err != nil {
		return "", err
	}
	matches, err := globPattern(args.Pattern)
	if err != nil {
		return "", err
	}
	under, err := d.under(args.Path)
	if err != nil {
		return "", err
	}
	limit := orDefault(args.HeadLimit, maxMatches)
	var names []string
	for path := range d.Now().Files() {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if len(names) <= limit && isUnder(path, under) && matches(d.relTo(under, path)) {
			names = append(names, d.snap.Rel(path))
		}
	}
	if len(names) == 0 {
		return "no files match\n", nil
	}
	return head(names, limit, "narrow the pattern, or say head_limit"), nil
}

// under returns the absolute path of the file or folder that a search is
// narrowed to; "" is everything.
func (d *Draft) under(name string) (string, error) {
	if name == "" || d.rootFolders(name) != nil {
		return "", nil
	}
	path, err := d.Resolve(name)
	if err != nil {
		return "", Fail("%v", err)
	}
	return path, nil
}

// relTo returns the name of path below under, with slashes; "" is everything.
func (d *Draft) relTo(under, path string) string {
	if under == "" {
		return d.snap.Rel(path)
	}
	rel, err := filepath.Rel(under, path)
	if err != nil || rel == "." {
		return filepath.Base(path)
	}
	return filepath.ToSlash(rel)
}

const maxPattern = 1000 // bytes of a glob

// globPattern returns what tells which names, with slashes, pattern means: as
// rg -g does, one without a slash means the last part of a name. "**" crosses
// folders, and "{a,b}" is either.
func globPattern(pattern string) (func(name string) bool, error) {
	name := strings.TrimPrefix(strings.TrimPrefix(pattern, "./"), "/")
	switch {
	case name == "":
		return nil, Fail("the pattern is empty; \"**/*.go\" is one")
	case len(name) > maxPattern:
		return nil, Fail("the pattern has more than %d bytes", maxPattern)
	case !strings.Contains(name, "/"):
		name = "**/" + name
	}
	re, err := regexp.Compile(`^` + globExpression(name) + `$`)
	if err != nil {
		return nil, Fail("the pattern %q cannot be used: brackets and braces must be closed", pattern)
	}
	return re.MatchString, nil
}

// globExpression returns pattern as a regular expression. What is not closed
// in the one is not closed in the other.
func globExpression(pattern string) string {
	var b strings.Builder
	depth := 0 // of braces
	for i := 0; i < len(pattern); i++ {
		switch rest := pattern[i:]; {
		case strings.HasPrefix(rest, "**/"):
			b.WriteString(`(?:.*/)?`)
			i += 2
		case strings.HasPrefix(rest, "**"):
			b.WriteString(`.*`)
			i++
		case rest[0] == '*':
			b.WriteString(`[^/]*`)
		case rest[0] == '?':
			b.WriteString(`[^/]`)
		case rest[0] == '[' && strings.HasPrefix(rest, "[!"):
			b.WriteString(`[^`)
			i++
		case rest[0] == '[' || rest[0] == ']' || rest[0] == '-':
			b.WriteByte(rest[0])
		case rest[0] == '{':
			b.WriteString(`(?:`)
			depth++
		case rest[0] == '}' && depth > 0:
			b.WriteString(`)`)
			depth--
		case rest[0] == ',' && depth > 0:
			b.WriteString(`|`)
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
		}
	}
	return b.String()
}
