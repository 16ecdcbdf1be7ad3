package commands

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/agentls/agentls/agent"
)

// Tracked returns which of names, relative to dir, version control holds. Nil
// is none.
type Tracked func(ctx context.Context, dir string, names []string) (map[string]bool, error)

// fixtures are the rules of the deny list that also match what tests are made
// of: such a file is hidden only where version control does not hold it.
var fixtures = []string{"*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.ppk"}

// Secrets returns the files below roots, which are without symbolic links, that
// gate keeps from models and no command of a model is to read.
func Secrets(ctx context.Context, gate *agent.Gate, roots []string, tracked Tracked) ([]string, error) {
	var hidden []string
	for _, root := range roots {
		found, err := secretsBelow(ctx, gate, root, tracked)
		if err != nil {
			return nil, fmt.Errorf("look for secrets in %s: %w", root, err)
		}
		hidden = append(hidden, found...)
	}
	return hidden, nil
}

func secretsBelow(ctx context.Context, gate *agent.Gate, root string, tracked Tracked) ([]string, error) {
	certain, perhaps, err := withheld(ctx, gate, root)
	if err != nil {
		return nil, err
	}
	held := map[string]bool{}
	if len(perhaps) > 0 && tracked != nil {
		if held, err = tracked(ctx, root, perhaps); err != nil {
			return nil, err
		}
	}
	perhaps = slices.DeleteFunc(perhaps, func(name string) bool { return held[name] })
	var paths []string
	for _, name := range append(certain, perhaps...) {
		paths = append(paths, filepath.Join(root, name))
	}
	return paths, nil
}

// withheld returns the files below root that gate keeps from models, relative
// to it: those that are secrets for certain, and those that may be fixtures.
func withheld(ctx context.Context, gate *agent.Gate, root string) (certain, perhaps []string, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return nil //nolint:nilerr // what we may not read, a command of the same user may not either
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case entry.IsDir():
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rule, ok := gate.Withheld(name)
		switch {
		case !ok:
		case slices.Contains(fixtures, rule):
			perhaps = append(perhaps, name)
		default:
			certain = append(certain, name)
		}
		return nil
	})
	return certain, perhaps, err
}
