package agent

import (
	"context"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/index"
)

// byIndex says of a check that no command was run for it.
const byIndex = "no command: the index"

// soundness returns the checks of cs that need no command, where they fail: files
// that do not parse any more, and declarations that are gone and still used.
func (r *run) soundness(ctx context.Context, cs *edits.ChangeSet) ([]edits.Check, error) {
	var made []edits.FileEdit
	for i := range cs.Files {
		f := &cs.Files[i]
		made = append(made, edits.FileEdit{Op: f.Op, Path: f.Path, To: f.To, Content: f.After()})
	}
	var faults strings.Builder
	for _, e := range made {
		if e.Op == edits.Delete {
			continue
		}
		found, err := r.draft.newFaults(ctx, r.draft.base, e)
		if err != nil {
			return nil, err
		}
		faults.WriteString(found)
	}
	orphans, err := r.draft.orphans(ctx, r.draft.base, made)
	if err != nil {
		return nil, err
	}
	r.draft.takeShown() // the output names places, and quotes nothing
	var out []edits.Check
	if faults.Len() > 0 {
		out = append(out, edits.Check{Command: "parse what was changed", Exit: 1, Output: faults.String(), Confinement: byIndex})
	}
	if len(orphans) > 0 {
		out = append(out, edits.Check{Command: "find uses of what was removed", Exit: 1, Output: strings.Join(orphans, ""), Confinement: byIndex})
	}
	return out, nil
}

// SuggestChecks returns commands that would check a change of these files, by
// what the first root of snap holds: for what was changed first, then for all. They are a
// suggestion to the user, and never run unasked.
func SuggestChecks(snap *index.Snapshot, changed []string) []string {
	if len(snap.Roots()) == 0 {
		return nil
	}
	root := snap.Roots()[0]
	has := func(name string) bool { return snap.Has(filepath.Join(root, name)) }
	var out []string
	if has("go.mod") {
		out = append(out, goChecks(root, changed)...)
	}
	for _, known := range []struct{ file, command string }{
		{"Cargo.toml", "cargo test"}, {"package.json", "npm test"}, {"pyproject.toml", "python -m pytest"}, {"Makefile", "make test"},
	} {
		if has(known.file) && len(out) == 0 {
			out = append(out, known.command)
		}
	}
	return out
}

// goChecks tests the packages of changed before the module.
func goChecks(root string, changed []string) []string {
	const most = 3 // packages that are named
	var packages []string
	for _, file := range changed {
		rel, err := filepath.Rel(root, file)
		if dir := "./" + path.Dir(filepath.ToSlash(rel)); err == nil && strings.HasSuffix(file, ".go") && !slices.Contains(packages, dir) {
			packages = append(packages, dir)
		}
	}
	slices.Sort(packages)
	if len(packages) == 0 || len(packages) > most || needQuotes(packages) {
		return []string{"go vet ./...", "go test ./..."}
	}
	return []string{"go test " + strings.Join(packages, " "), "go vet ./..."}
}

// needQuotes reports whether one of words may mean more to a shell than itself.
func needQuotes(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return strings.ContainsFunc(w, func(c rune) bool {
			return c != '.' && c != '/' && c != '_' && c != '-' && !unicode.IsLetter(c) && !unicode.IsDigit(c)
		})
	})
}
