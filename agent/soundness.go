package agent

import (
	"context"
	"path"
	"path/filepath"
	"regexp"
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

// SuggestChecks returns commands that would check cs, where none did, by what the
// first root of snap holds: those that its AGENTS.md names, else for what was
// changed first, then for all. They are a suggestion to the user, and never run
// unasked: AGENTS.md is a stranger's.
func SuggestChecks(ctx context.Context, snap *index.Snapshot, cs *edits.ChangeSet) []string {
	ran := func(c edits.Check) bool { return c.Confinement != byIndex }
	if cs == nil || len(snap.Roots()) == 0 || slices.ContainsFunc(cs.Checks, ran) {
		return nil
	}
	var changed []string
	for i := range cs.Files {
		changed = append(changed, cs.Files[i].Target())
	}
	root := snap.Roots()[0]
	if named := checksIn(ctx, snap, filepath.Join(root, "AGENTS.md")); len(named) > 0 {
		return named
	}
	has := func(name string) bool { return snap.Has(filepath.Join(root, name)) }
	if has("go.mod") {
		return goChecks(root, changed)
	}
	for _, known := range []struct{ file, command string }{
		{"Cargo.toml", "cargo test"}, {"package.json", "npm test"}, {"pyproject.toml", "python -m pytest"}, {"Makefile", "make test"},
	} {
		if has(known.file) {
			return []string{known.command}
		}
	}
	return nil
}

const maxSuggested = 3 // commands

// checking matches a command that checks code, as instructions quote it: alone on
// its line, or between backticks.
var checking = regexp.MustCompile("(?m)(?:^[ \t]*(?:\\$ )?|`)((?:go (?:test|vet)|cargo (?:test|clippy|check)|(?:npm|pnpm|yarn) (?:run )?(?:test|lint|check|typecheck)|make (?:test|check|lint)|(?:python3? -m )?pytest|ruff check|golangci-lint run|mvn test|gradle test|\\./gradlew test)(?: [\\w./=:,@+-]+)*)[ \t]*(?:`|\r?$)")

// checksIn returns the commands that the instructions at path say to check with.
func checksIn(ctx context.Context, snap *index.Snapshot, path string) []string {
	src, err := snap.ReadFile(ctx, path)
	if err != nil {
		return nil
	}
	var out []string
	for _, m := range checking.FindAllSubmatch(src[:min(len(src), maxGuidance)], -1) {
		if line := string(m[1]); !slices.Contains(out, line) && len(out) < maxSuggested {
			out = append(out, line)
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
