//go:build peers

package accuracy_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agentls/agentls/index"
)

// A usage compares the uses of sampled symbols with a peer's.
type usage struct {
	name   string
	peer   string
	dir    string
	kinds  []index.Kind
	n      int
	ask    func(place) ([]place, error)
	counts func(path string) bool // whether a file is one of those the peer knows
}

// references compares uses with gopls, tsserver and pyright.
func (a *accuracy) references() {
	a.printf("\n## References: sampled symbols, declarations and comments left out\n\nMacro: the mean over symbols; micro: over all uses. *Certain* leaves out the uses that are answered as possible.\n\n")
	a.printf("| symbols | peer | n | peer's uses | answered | precision, macro | recall, macro | micro | certain: precision, macro | recall, macro | micro |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	var misses strings.Builder
	a.goReferences(&misses)
	a.typeScriptReferences(&misses)
	a.pythonReferences(&misses)
	a.printf("%s", misses.String())
}

func (a *accuracy) goReferences(misses *strings.Builder) {
	dir := goroot(a.t)
	built := builtFiles(a, dir)
	gopls := startServer(a.t, dir, os.Getenv("BENCH_GOPLS"))
	counts := func(path string) bool { return built[path] }
	snap := indexed(a.t, dir)
	a.usage(misses, snap, usage{"Go functions and types", "gopls", dir, []index.Kind{index.Function, index.Type, index.Interface}, 320, gopls.references, counts})
	a.usage(misses, snap, usage{"Go methods", "gopls", dir, []index.Kind{index.Method}, 200, gopls.references, counts})
}

func (a *accuracy) typeScriptReferences(misses *strings.Builder) {
	for _, project := range []string{"rxjs", "zod"} {
		dir := filepath.Join(a.corpus, project)
		if project == "zod" { // its package has no configuration: all files are one project, in which its name means its sources
			write(a.t, filepath.Join(dir, "tsconfig.json"), `{"compilerOptions": {"module": "nodenext", "moduleResolution": "nodenext", "target": "es2022", `+
				`"strict": true, "noEmit": true, "customConditions": ["@zod/source"]}, "include": ["**/*.ts"]}`)
		}
		ts := tsserver{startPeer(a.t, dir, "node", filepath.Join(os.Getenv("BENCH_NPM"), "typescript", "lib", "tsserver.js"), "--disableAutomaticTypingAcquisition")}
		counts := func(path string) bool {
			return strings.HasPrefix(path, filepath.Join(dir, "src")+"/") && strings.HasSuffix(path, ".ts")
		}
		a.usage(misses, indexed(a.t, dir), usage{"TypeScript functions and classes, " + project, "tsserver", dir, []index.Kind{index.Function, index.Class}, 200, ts.references, counts})
	}
}

func (a *accuracy) pythonReferences(misses *strings.Builder) {
	dir := filepath.Join(a.corpus, "pylint")
	pyright := startServer(a.t, dir, filepath.Join(os.Getenv("BENCH_NPM"), ".bin", "pyright-langserver"), "--stdio")
	counts := func(path string) bool {
		return strings.HasPrefix(path, filepath.Join(dir, "pylint")+"/") && strings.HasSuffix(path, ".py")
	}
	ask := func(at place) ([]place, error) {
		src, err := os.ReadFile(at.path)
		if err != nil {
			return nil, err
		}
		document := map[string]any{"uri": "file://" + at.path, "languageId": "python", "version": 1, "text": string(src)}
		pyright.send(map[string]any{"method": "textDocument/didOpen", "params": map[string]any{"textDocument": document}})
		defer pyright.send(map[string]any{"method": "textDocument/didClose", "params": map[string]any{"textDocument": map[string]any{"uri": document["uri"]}}})
		return pyright.references(at)
	}
	a.usage(misses, indexed(a.t, dir), usage{"Python functions and classes", "pyright", dir, []index.Kind{index.Function, index.Class}, 300, ask, counts})
}

// usage prints a row, and its first misses.
func (a *accuracy) usage(misses *strings.Builder, snap *index.Snapshot, u usage) {
	var all, certain score
	var macro [4]float64
	var wrong, missed []string
	n, ours := 0, 0
	lines := newLiner(snap)
	for _, sym := range sample(a.candidates(snap, u), u.n) {
		at := lines.place(a.t.Context(), sym.Path, sym.NameSpan.Start)
		found, err := u.ask(at)
		if err != nil {
			a.t.Logf("%s: %v", sym.Qualified(), err)
			continue
		}
		both, sure, declared := a.uses(snap, lines, u, sym)
		theirs := map[place]bool{}
		for _, p := range found {
			if u.counts(p.path) && !declared[p] && !lines.isComment(p) {
				theirs[p] = true
			}
		}
		s, extra, lost := compare(both, theirs, byPlace)
		c, _, _ := compare(sure, theirs, byPlace)
		n, ours = n+1, ours+len(both)
		all.add(s)
		certain.add(c)
		for i, v := range []float64{s.precision(), s.recall(), c.precision(), c.recall()} {
			macro[i] += v
		}
		wrong, missed = append(wrong, a.said(snap, sym, extra)...), append(missed, a.said(snap, sym, lost)...)
	}
	if n == 0 {
		a.printf("| %s | %s | 0 | not measured | | | | | | | |\n", u.name, u.peer)
		return
	}
	m := func(i int) float64 { return macro[i] / float64(n) }
	a.printf("| %s | %s | %d | %d | %d | %.3f | %.3f | %.3f / %.3f | %.3f | %.3f | %.3f / %.3f |\n", u.name, u.peer, n, all.both+all.theirs, ours,
		m(0), m(1), all.precision(), all.recall(), m(2), m(3), certain.precision(), certain.recall())
	fmt.Fprintf(misses, "\n%s: answered, and not of %s (%d): %s\n", u.name, u.peer, len(wrong), cited(wrong))
	fmt.Fprintf(misses, "\nNot answered (%d): %s\n", len(missed), cited(missed))
}

func cited(all []string) string {
	if len(all) == 0 {
		return "none."
	}
	return "`" + strings.Join(sample(all, shown), "`, `") + "`."
}

func (a *accuracy) said(snap *index.Snapshot, sym index.Symbol, at []place) []string {
	var out []string
	for _, p := range at {
		out = append(out, fmt.Sprintf("%s in %s:%d", sym.Qualified(), snap.Rel(p.path), p.line+1))
	}
	return out
}

// candidates returns the symbols that a sample is drawn from, in order.
func (a *accuracy) candidates(snap *index.Snapshot, u usage) []index.Symbol {
	var out []index.Symbol
	for path := range snap.Files() {
		if !u.counts(path) {
			continue
		}
		syms, err := snap.Symbols(a.t.Context(), path)
		if err != nil {
			continue
		}
		for _, sym := range syms {
			if slices.Contains(u.kinds, sym.Kind) && sym.Depth == 0 && sym.Name != "_" && sym.Name != "init" && sym.Name != "main" {
				out = append(out, sym)
			}
		}
	}
	return out
}

// uses returns where sym is used: all that is answered, and the certain ones;
// and where it is declared.
func (a *accuracy) uses(snap *index.Snapshot, lines *liner, u usage, sym index.Symbol) (all, certain, declared map[place]bool) {
	refs, err := snap.ReferencesTo(a.t.Context(), sym)
	if err != nil {
		a.t.Fatal(err)
	}
	all, certain, declared = map[place]bool{}, map[place]bool{}, map[place]bool{}
	for _, ref := range refs {
		p := lines.place(a.t.Context(), ref.Path, ref.Span.Start)
		switch {
		case !u.counts(ref.Path):
		case ref.Definition: // of an overload, too
			declared[p] = true
		default:
			all[p] = true
			certain[p] = ref.Certainty == index.Certain
		}
	}
	maps.DeleteFunc(certain, func(_ place, sure bool) bool { return !sure })
	return all, certain, declared
}

// builtFiles returns the files of the module in dir that are built here: gopls
// knows no others.
func builtFiles(a *accuracy, dir string) map[string]bool {
	cmd := exec.Command("go", "list", "-e", "-json=Dir,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		a.t.Fatal(err)
	}
	built := map[string]bool{}
	packages := json.NewDecoder(bufio.NewReader(strings.NewReader(string(out))))
	for packages.More() {
		var p struct {
			Dir                                          string
			GoFiles, CgoFiles, TestGoFiles, XTestGoFiles []string
		}
		if err := packages.Decode(&p); err != nil {
			a.t.Fatal(err)
		}
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles, p.TestGoFiles, p.XTestGoFiles) {
			built[filepath.Join(p.Dir, name)] = true
		}
	}
	return built
}
