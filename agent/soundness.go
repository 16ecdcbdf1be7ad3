package agent

import (
	"context"
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
// first root of snap holds: those that its AGENTS.md names, else those of its
// tools, for all (what is checked first is what a change touches). They are a
// suggestion to the user, and never run unasked: a file is a stranger's.
func SuggestChecks(ctx context.Context, snap *index.Snapshot, cs *edits.ChangeSet) []string {
	ran := func(c edits.Check) bool { return c.Confinement != byIndex }
	if cs == nil || len(snap.Roots()) == 0 || slices.ContainsFunc(cs.Checks, ran) {
		return nil
	}
	root := snap.Roots()[0]
	if named := checksIn(ctx, snap, filepath.Join(root, "AGENTS.md")); len(named) > 0 {
		return named
	}
	for _, known := range toolChecks {
		path := filepath.Join(root, known.file)
		if !snap.Has(path) {
			continue
		}
		if src, err := snap.ReadFile(ctx, path); err == nil && known.says.Match(src) {
			return known.commands
		}
	}
	return nil
}

// toolChecks are how projects check themselves, by a file that says so.
var toolChecks = []struct {
	file     string
	says     *regexp.Regexp
	commands []string
}{
	{"go.mod", regexp.MustCompile(`(?m)^module\s`), []string{"go vet ./...", "go test ./..."}},
	{"Cargo.toml", regexp.MustCompile(`(?m)^\[(package|workspace)\]`), []string{"cargo test"}},
	{"package.json", regexp.MustCompile(`"scripts"\s*:\s*\{[^}]*"test"\s*:`), []string{"npm test"}},
	{"pyproject.toml", regexp.MustCompile(`pytest`), []string{"python -m pytest"}},
	{"Makefile", regexp.MustCompile(`(?m)^test\s*:`), []string{"make test"}},
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

// needQuotes reports whether one of words may mean more to a shell than itself.
func needQuotes(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return strings.ContainsFunc(w, func(c rune) bool {
			return c != '.' && c != '/' && c != '_' && c != '-' && !unicode.IsLetter(c) && !unicode.IsDigit(c)
		})
	})
}
