package agent

import (
	"context"
	"encoding/json"
	"strings"
)

// replaceSymbol replaces a declaration of the draft.
type replaceSymbol struct{}

type replaceArgs struct {
	Symbol  string `json:"symbol"` // an id
	Hash    string `json:"hash"`
	Content string `json:"content"`
}

func (replaceSymbol) Spec() ToolSpec { return spec("replace_symbol") }

func (replaceSymbol) Title(args json.RawMessage) string {
	a, _ := decode[replaceArgs](args)
	return about("replace", a.Symbol)
}

func (replaceSymbol) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[replaceArgs](raw)
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(args.Content) == "" {
		return "", Fail("the content is empty; apply_patch and edit delete")
	}
	sym, err := d.symbolOf(ctx, args.Symbol)
	if err != nil {
		return "", err
	}
	path, _, err := d.openPlain(ctx, sym.Path)
	if err != nil {
		return "", err
	}
	decl, err := d.declaration(ctx, sym)
	if err != nil {
		return "", err
	}
	if decl.hash() != args.Hash {
		now, err := d.readSymbol(ctx, args.Symbol)
		if err != nil {
			return "", err
		}
		return "", Fail("the hash %q is not that of %s as it is now; look whether your content is still right, and send it with this hash:\n%s", abbreviate(args.Hash, 60), args.Symbol, now)
	}
	return d.rewrite(ctx, path, decl.replaced(args.Content))
}
