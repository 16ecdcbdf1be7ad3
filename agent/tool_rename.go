package agent

import (
	"context"
	"encoding/json"
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
	refs, err := d.references(ctx, args.symbolPlace)
	if err != nil {
		return "", err
	}
	refs = slices.DeleteFunc(refs, func(r index.Reference) bool { return !IsPlain(r.Path) })
	renaming, err := index.Rename(refs, args.NewName)
	switch {
	case err != nil:
		return "", Fail("%v", err)
	case renaming.Places == 0:
		return "", Fail("the index is certain of no use of it; symbol_refs shows the possible ones")
	}
	if err := d.isFree(ctx, refs, args.NewName); err != nil {
		return "", err
	}
	return d.rename(ctx, renaming)
}

// isFree returns a Failure if a declaration beside those of refs has name.
func (d *Draft) isFree(ctx context.Context, refs []index.Reference, name string) error {
	for _, ref := range refs {
		if !ref.Definition {
			continue
		}
		sym, _, err := d.Now().Enclosing(ctx, ref.Path, ref.Span)
		if err != nil {
			return err
		}
		outline, err := d.Now().Symbols(ctx, ref.Path)
		if err != nil {
			return err
		}
		for _, other := range outline {
			if other.Name == name && other.Container == sym.Container {
				return Fail("%s is declared already, as %s; choose another name", name, d.idOf(other, outline))
			}
		}
	}
	return nil
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
			return "", Fail("%s could not be renamed in %s: %v", path, d.snap.Rel(path), err)
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
	if len(renaming.Possible) == 0 {
		return out, nil
	}
	left, err := d.renderReferences(ctx, renaming.Possible[:min(len(renaming.Possible), maxPossible)])
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%sleft alone in %d places, where it may be another one:\n%s\n", out, len(renaming.Possible), strings.Join(left, "\n")), nil
}
