package commands

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

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
	return newScan(gate, roots, tracked).secrets(ctx)
}

// A scan finds the secrets of a workspace. It may be asked again, and then reads
// the folders that changed since.
type scan struct {
	gate    *agent.Gate
	tracked Tracked
	roots   []scannedRoot
}

type scannedRoot struct {
	path    string
	folders map[string]scannedFolder // by path relative to the root
	held    map[string]bool          // by version control; of what may be fixtures, relative to the root
}

// A scannedFolder is what a folder held at a time. Its names are relative to the
// root.
type scannedFolder struct {
	changed time.Time
	inner   []string // folders in it
	certain []string // secrets
	perhaps []string // secrets or fixtures
}

func newScan(gate *agent.Gate, roots []string, tracked Tracked) *scan {
	s := &scan{gate: gate, tracked: tracked}
	for _, root := range roots {
		s.roots = append(s.roots, scannedRoot{path: root, folders: map[string]scannedFolder{}, held: map[string]bool{}})
	}
	return s
}

// secrets returns the absolute paths of the secrets that are there now.
func (s *scan) secrets(ctx context.Context) ([]string, error) {
	var hidden []string
	for i := range s.roots {
		found, err := s.below(ctx, &s.roots[i])
		if err != nil {
			return nil, fmt.Errorf("look for secrets in %s: %w", s.roots[i].path, err)
		}
		hidden = append(hidden, found...)
	}
	return hidden, nil
}

func (s *scan) below(ctx context.Context, root *scannedRoot) ([]string, error) {
	certain, perhaps, err := s.withheld(ctx, root)
	if err != nil {
		return nil, err
	}
	if err := s.askFor(ctx, root, perhaps); err != nil {
		return nil, err
	}
	perhaps = slices.DeleteFunc(perhaps, func(name string) bool { return root.held[name] })
	var paths []string
	for _, name := range append(certain, perhaps...) {
		paths = append(paths, filepath.Join(root.path, name))
	}
	return paths, nil
}

// askFor asks version control for those of names that it was not asked for.
func (s *scan) askFor(ctx context.Context, root *scannedRoot, names []string) error {
	isKnown := func(name string) bool { _, ok := root.held[name]; return ok }
	names = slices.DeleteFunc(slices.Clone(names), isKnown)
	if len(names) == 0 || s.tracked == nil {
		return nil
	}
	held, err := s.tracked(ctx, root.path, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		root.held[name] = held[name]
	}
	return nil
}

// withheld returns the files below root that the gate keeps from models: those
// that are secrets for certain, and those that may be fixtures.
func (s *scan) withheld(ctx context.Context, root *scannedRoot) (certain, perhaps []string, err error) {
	for left := []string{"."}; len(left) > 0; {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		name := left[len(left)-1]
		left = left[:len(left)-1]
		stat, err := os.Lstat(filepath.Join(root.path, name))
		if err != nil {
			continue // what we may not see, a command of the same user may not either
		}
		folder, known := root.folders[name]
		if !known || !folder.changed.Equal(stat.ModTime()) {
			folder = s.read(root.path, name)
			folder.changed = stat.ModTime()
			root.folders[name] = folder
		}
		left = append(left, folder.inner...)
		certain, perhaps = append(certain, folder.certain...), append(perhaps, folder.perhaps...)
	}
	return certain, perhaps, nil
}

// read returns what the folder of this name, relative to root, holds.
func (s *scan) read(root, name string) (folder scannedFolder) {
	entries, err := os.ReadDir(filepath.Join(root, name))
	if err != nil {
		return folder // as withheld
	}
	for _, entry := range entries {
		path := filepath.Join(name, entry.Name())
		if entry.IsDir() {
			if entry.Name() != ".git" && entry.Name() != "node_modules" {
				folder.inner = append(folder.inner, path)
			}
			continue
		}
		rule, ok := s.gate.Withheld(path)
		if !ok {
			rule, ok = s.gate.Ignored(filepath.Join(root, path))
		}
		switch {
		case !ok:
		case slices.Contains(fixtures, rule):
			folder.perhaps = append(folder.perhaps, path)
		default:
			folder.certain = append(folder.certain, path)
		}
	}
	return folder
}
