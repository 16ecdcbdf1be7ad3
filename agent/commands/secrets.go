package commands

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/agentls/agentls/agent"
)

// fixtures are the rules of the deny list that also match what tests are made
// of: such a file is hidden only where version control does not hold it.
var fixtures = []string{"*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.ppk"}

// secrets returns the files of the workspace that no command of a model is to
// read, by their real paths.
func (s *Sandbox) secrets(ctx context.Context, draft *agent.Draft, roots rootNames) ([]string, error) {
	var hidden []string
	for _, r := range roots {
		certain, perhaps, err := withheld(ctx, draft, r.real)
		if err != nil {
			return nil, err
		}
		tracked := map[string]bool{}
		if len(perhaps) > 0 && s.opts.Tracked != nil {
			if tracked, err = s.opts.Tracked(ctx, r.real, perhaps); err != nil {
				return nil, err
			}
		}
		for _, name := range perhaps {
			if !tracked[name] {
				certain = append(certain, name)
			}
		}
		for _, name := range certain {
			hidden = append(hidden, filepath.Join(r.real, name))
		}
	}
	return hidden, nil
}

// withheld returns the files below root that the draft keeps from models: those
// that are secrets for certain, and those that may be fixtures.
func withheld(ctx context.Context, draft *agent.Draft, root string) (certain, perhaps []string, err error) {
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
		rule, ok := draft.Gate().Withheld(name)
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
