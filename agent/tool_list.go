package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/agentls/agentls/index"
)

// listDir shows what is in a folder.
type listDir struct{ reads }

type listArgs struct {
	Path      string `json:"path"`
	Depth     int    `json:"depth"`
	HeadLimit int    `json:"head_limit"`
}

const (
	maxEntries = 500 // unless the model wants more
	maxDepth   = 10
)

func (listDir) Spec() ToolSpec { return spec("list_dir") }

func (listDir) Title(args json.RawMessage) string {
	a, _ := decode[listArgs](args)
	return about("list", a.Path)
}

func (listDir) Run(_ context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[listArgs](raw)
	if err != nil {
		return "", err
	}
	if names := d.rootFolders(args.Path); names != nil {
		return strings.Join(names, "\n") + "\n", nil
	}
	dir, err := d.Resolve(args.Path)
	if err != nil {
		return "", Fail("%v", err)
	}
	limit := orDefault(args.HeadLimit, maxEntries)
	names := d.list(dir, min(max(args.Depth, 1), maxDepth), limit+1)
	if len(names) == 0 {
		return "", Fail("there is no folder %s with files that are not ignored%s", args.Path, d.nearby(dir))
	}
	return head(names, limit, "list a folder in it, or say head_limit"), nil
}

// orDefault returns n, or what counts where a model did not give it.
func orDefault(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// head returns at most limit lines, and says what to do where there are more.
func head(lines []string, limit int, more string) string {
	if len(lines) <= limit {
		return strings.Join(lines, "\n") + "\n"
	}
	return fmt.Sprintf("%s\n[there are more than %d: %s]\n", strings.Join(lines[:limit], "\n"), limit, more)
}

// rootFolders returns the names of the roots where there are several and name
// means what is above them.
func (d *Draft) rootFolders(name string) []string {
	roots := d.snap.Roots()
	if len(roots) > 1 && (name == "" || filepath.Clean(name) == ".") {
		return rootNames(roots)
	}
	return nil
}

// list returns at most limit names in dir as the draft has it, folders first
// and with a slash behind, each before what is in it, to depth.
func (d *Draft) list(dir string, depth, limit int) []string {
	var names []string
	var walk func(entries []index.Entry, prefix string, depth int)
	walk = func(entries []index.Entry, prefix string, depth int) {
		for _, e := range entries {
			if len(names) >= limit {
				return
			}
			name := path.Join(prefix, e.Name)
			if !e.Dir {
				names = append(names, name)
				continue
			}
			names = append(names, name+"/")
			if depth > 1 {
				walk(d.Now().List(e.Path), name, depth-1)
			}
		}
	}
	walk(d.Now().List(dir), "", depth)
	return names
}

// nearby says what there is in the folder of a path that is not there.
func (d *Draft) nearby(path string) string {
	const most = 20
	entries := d.Now().List(filepath.Dir(path))
	if len(entries) == 0 {
		return "; glob finds files by name"
	}
	names := d.list(filepath.Dir(path), 1, most)
	more := ""
	if len(entries) > most {
		more = fmt.Sprintf(" and %d more", len(entries)-most)
	}
	return fmt.Sprintf("; in %s there are %s%s", d.snap.Rel(filepath.Dir(path)), strings.Join(names, ", "), more)
}
