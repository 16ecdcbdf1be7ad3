package agent

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

//go:embed patch.lark
var patchGrammar string

// applyPatch changes files of the draft.
type applyPatch struct{}

type patchArgs struct {
	Patch string `json:"patch"`
}

const patchDescription = `Create, change, move and delete files by one patch; all of it is made, or nothing. For example:
*** Begin Patch
*** Add File: docs/new.md
+first line
*** Update File: src/old.go
*** Move to: src/moved.go
@@ func Sum(a, b int) int {
 	// three unchanged lines around a change find its place
-	return a - b
+	return a + b
 }
*** Delete File: src/gone.go
*** End Patch
A line after @@ is the declaration that a change is in; "*** Move to" and the text after @@ may be left out. Paths are relative to the workspace root. Every line of a file's content begins with " ", "-" or "+".`

func (applyPatch) Spec() ToolSpec {
	return ToolSpec{
		Name:        "apply_patch",
		Description: patchDescription,
		Grammar:     patchGrammar,
		Parameters: json.RawMessage(`{"type":"object","properties":{` +
			`"patch":{"type":"string","description":"the whole patch, from *** Begin Patch to *** End Patch"}},` +
			`"required":["patch"],"additionalProperties":false}`),
	}
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
	made, err := d.Apply(ctx, args.Patch)
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", Fail("%v\nNothing was changed, in no file: correct this and send the whole patch again.", err)
	case len(made) == 0:
		return "The patch leaves every file as it was.\n", nil
	}
	return d.renderEdits(ctx, made)
}

var editWords = map[edits.Op]string{edits.Create: "created", edits.Modify: "changed", edits.Delete: "deleted", edits.Rename: "moved"}

// renderEdits says what was done, and where a file does not parse any more.
func (d *Draft) renderEdits(ctx context.Context, made []edits.FileEdit) (string, error) {
	var b strings.Builder
	for _, e := range made {
		path := e.Path
		fmt.Fprintf(&b, "%s %s", editWords[e.Op], d.snap.Rel(e.Path))
		if e.Op == edits.Rename {
			path = e.To
			fmt.Fprintf(&b, " to %s", d.snap.Rel(e.To))
		}
		if e.Overwrote {
			b.WriteString(" (it took the place of another file)")
		}
		b.WriteString("\n")
		if e.Op == edits.Delete {
			continue
		}
		broken, err := d.syntaxErrors(ctx, path, e.Content)
		if err != nil {
			return "", err
		}
		b.WriteString(broken)
	}
	return b.String(), nil
}

func (d *Draft) syntaxErrors(ctx context.Context, path string, content []byte) (string, error) {
	const most = 5
	found, err := d.snap.Parses(ctx, path, content)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	lines := text.NewLines(content)
	for _, e := range found[:min(len(found), most)] {
		fmt.Fprintf(&b, "  it does not parse: %s: %s\n", placeIn(d.snap, path, lines, e.Span), e.Message)
	}
	if len(found) > most {
		fmt.Fprintf(&b, "  and %d more places\n", len(found)-most)
	}
	return b.String(), nil
}
