package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// listDir shows what is in a folder.
type listDir struct{}

type listArgs struct {
	Path string `json:"path"`
}

func (listDir) Spec() ToolSpec {
	return ToolSpec{
		Name:        "list_dir",
		Description: "List the files and folders directly in a folder. Ignored files are left out.",
		Parameters: json.RawMessage(`{"type":"object","properties":{` +
			`"path":{"type":"string","description":"relative to the workspace root; \".\" is the root"}},` +
			`"required":["path"],"additionalProperties":false}`),
	}
}

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
	names := d.list(dir)
	if len(names) == 0 {
		return "", Fail("there is no folder %s with files that are not ignored%s", args.Path, d.nearby(dir))
	}
	return strings.Join(names, "\n") + "\n", nil
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

// list returns the names in dir as the draft has it, folders first and with a
// slash behind.
func (d *Draft) list(dir string) []string {
	folders, files := map[string]bool{}, map[string]bool{}
	for _, e := range d.snap.List(dir) {
		if e.Dir {
			folders[e.Name+"/"] = true
			continue
		}
		files[e.Name] = true
	}
	for path, f := range d.changed {
		rest, err := filepath.Rel(dir, path)
		if err != nil || !filepath.IsLocal(rest) {
			continue
		}
		first, _, below := strings.Cut(filepath.ToSlash(rest), "/")
		switch {
		case below && !f.gone:
			folders[first+"/"] = true
		case !below && f.gone:
			delete(files, first)
		case !below:
			files[first] = true
		}
	}
	return append(sorted(folders), sorted(files)...)
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for name := range set {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// nearby says what there is in the folder of a path that is not there.
func (d *Draft) nearby(path string) string {
	const most = 20
	names := d.list(filepath.Dir(path))
	if len(names) == 0 {
		return ""
	}
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	return fmt.Sprintf("; in %s there are %s%s", d.snap.Rel(filepath.Dir(path)), strings.Join(names, ", "), more)
}
