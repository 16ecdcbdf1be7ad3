package agent

import (
	"context"
	_ "embed"
	"encoding/json"
	"strings"
)

//go:embed patch.lark
var patchGrammar string

// applyPatch changes files of the draft.
type applyPatch struct{}

const patchTool = "apply_patch"

type patchArgs struct {
	Patch string `json:"patch"`
}

func (applyPatch) Spec() ToolSpec {
	s := spec(patchTool)
	s.Grammar = patchGrammar
	return s
}

func (applyPatch) Title(args json.RawMessage) string {
	a, _ := decode[patchArgs](args)
	var names []string
	for line := range strings.Lines(a.Patch) {
		for _, header := range []string{"*** Add File: ", "*** Update File: ", "*** Delete File: "} {
			if name, ok := strings.CutPrefix(line, header); ok {
				names = append(names, strings.TrimSpace(name))
			}
		}
	}
	return about("edit", strings.Join(names, ", "))
}

func (applyPatch) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[patchArgs](raw)
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(args.Patch) == "" {
		return "", Fail("the patch is empty")
	}
	before := d.Now()
	made, err := d.Apply(ctx, args.Patch)
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", Fail("%v\nNothing was changed, in no file: correct this and send the whole patch again.", err)
	case len(made) == 0:
		return "The patch leaves every file as it was.\n", nil
	}
	return d.aftermath(ctx, before, made)
}
