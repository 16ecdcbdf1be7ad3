package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// symbolRename gives a declaration another name, wherever the index is certain
// that it is meant.
type symbolRename struct{}

type renameArgs struct {
	symbolPlace
	NewName string `json:"new_name"`
}

const maxPossible = 20 // places that are told to be left alone

func (symbolRename) Spec() ToolSpec { return spec("symbol_rename") }

func (symbolRename) Title(args json.RawMessage) string {
	a, _ := decode[renameArgs](args)
	if a.NewName == "" {
		return ""
	}
	return about("rename", fmt.Sprintf("%s to %s", a.symbolPlace, a.NewName))
}

func (symbolRename) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[renameArgs](raw)
	if err != nil {
		return "", err
	}
	path, offset, err := d.written(ctx, args.symbolPlace)
	if err != nil {
		return "", err
	}
	renaming, err := d.Now().Rename(ctx, path, offset, args.NewName)
	switch {
	case errors.Is(err, index.ErrUnsafe):
		return "", Fail("%v", err)
	case err != nil:
		return "", err
	case renaming.Places == 0:
		return "", Fail("the index is certain of no use of it; symbol_refs shows the possible ones")
	}
	for path := range renaming.Edits {
		if _, withheld := d.Withheld(path); withheld || !IsPlain(path) {
			return "", Fail("it is used in a file that you cannot change; say so to the user")
		}
	}
	return d.rename(ctx, renaming)
}

// rename makes the edits of renaming, and says what it left alone.
func (d *Draft) rename(ctx context.Context, renaming *index.Renaming) (string, error) {
	before := d.Now()
	var made []edits.FileEdit
	for _, path := range slices.Sorted(maps.Keys(renaming.Edits)) {
		content, err := d.ReadFile(ctx, path)
		if err != nil {
			return "", err
		}
		after, err := text.Apply(content, renaming.Edits[path])
		if err != nil {
			return "", Fail("it could not be renamed in %s: %v", d.snap.Rel(path), err)
		}
		made = append(made, edits.FileEdit{Op: edits.Modify, Path: path, Content: after})
	}
	for _, e := range made {
		d.Write(e.Path, e.Content, 0)
	}
	out, err := d.aftermath(ctx, before, made)
	if err != nil {
		return "", err
	}
	out = fmt.Sprintf("renamed in %d places\n%s", renaming.Places, out)
	if renaming.Outside {
		out += "code outside the workspace may use it, too\n"
	}
	var possible []index.Reference
	for _, c := range renaming.Possible {
		if _, withheld := d.Withheld(c.Path); !withheld {
			possible = append(possible, c.Reference)
		}
	}
	if len(possible) == 0 {
		return out, nil
	}
	left, err := d.renderReferences(ctx, possible[:min(len(possible), maxPossible)])
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%sleft alone in %d places, where it may be another one:\n%s\n", out, len(possible), strings.Join(left, "\n")), nil
}
