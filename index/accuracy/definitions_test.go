//go:build peers

package accuracy_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agentls/agentls/index"
)

// A definition is a name that is declared on a line, which counts from 1.
type definition struct {
	file string // relative to the corpus
	line int
	name string
}

func byDefinition(a, b definition) int {
	return cmp.Or(strings.Compare(a.file, b.file), a.line-b.line, strings.Compare(a.name, b.name))
}

// A tongue is a language whose definitions are compared with those of ctags.
type tongue struct {
	name, corpus string // corpus "": Go's source
	extensions   []string
	kinds        string // of ctags, that count: functions, methods, types
}

var tongues = []tongue{
	{"Go", "", []string{".go"}, "func type struct interface methodSpec alias"},
	{"Python", "pylint", []string{".py"}, "class function member"},
	{"Java", "libcommons-lang3-java", []string{".java"}, "annotation class enum interface method"},
	{"TypeScript", "rxjs zod", []string{".ts"}, "function class interface enum method generator alias"},
	{"C", "redis", []string{".c", ".h"}, "function struct union enum typedef"},
	{"Rust", "rust-ripgrep", []string{".rs"}, "struct interface function method enum typedef macro"},
}

// compared are our kinds that count.
var compared = map[index.Kind]bool{
	index.Function: true, index.Method: true, index.Type: true, index.Interface: true, index.Class: true, index.Enum: true,
}

// definitions compares what is declared with ctags, and for Go with gopls too.
func (a *accuracy) definitions() {
	a.printf("\n## Definitions: functions, methods, types\n\n| language | peer | corpus | ours | peer's | precision | recall |\n|---|---|---|---|---|---|---|\n")
	var misses strings.Builder
	judged := readJudged(a)
	for _, l := range tongues {
		ours, any := a.ourDefinitions(l)
		theirs, theirAny := a.ctags(l)
		a.definitionRow(&misses, judged, l, "ctags", ours, any, theirs, theirAny)
		if l.name == "Go" {
			theirs := a.goplsDefinitions(sample(files(theirs), 1500))
			only := func(all map[definition]bool) map[definition]bool { return within(all, theirs) }
			a.definitionRow(&misses, judged, l, "gopls, 1,500 files", only(ours), only(any), theirs, theirs)
		}
	}
	a.printf("%s", misses.String())
}

// definitionRow prints a line of the table. A name that one side has as a
// definition of another kind is no miss of the other: kinds differ by taste.
func (a *accuracy) definitionRow(misses *strings.Builder, judged verdicts, l tongue, peer string, ours, ourAny, theirs, theirAny map[definition]bool) {
	var s score
	var onlyOurs, onlyTheirs []definition
	for d := range ours {
		if theirAny[d] {
			s.both++
		} else {
			onlyOurs = append(onlyOurs, d)
		}
	}
	found := 0
	for d := range theirs {
		if ourAny[d] {
			found++
		} else {
			onlyTheirs = append(onlyTheirs, d)
		}
	}
	corpus := cmp.Or(l.corpus, "GOROOT/src")
	a.printf("| %s | %s | %s | %d | %d | %.4f | %.4f |\n", l.name, peer, corpus, len(ours), len(theirs),
		share(s.both, len(ours)), share(found, len(theirs)))
	slices.SortFunc(onlyOurs, byDefinition)
	slices.SortFunc(onlyTheirs, byDefinition)
	if peer == "ctags" {
		judged.report(misses, l.name, onlyOurs, onlyTheirs, len(ours), len(theirs))
	}
	fmt.Fprintf(misses, "\n%s, %s: the first that only agentls has (%d in all): %s\n", l.name, peer, len(onlyOurs), list(onlyOurs))
	fmt.Fprintf(misses, "\nThe first that only %s has (%d in all): %s\n", peer, len(onlyTheirs), list(onlyTheirs))
}

func list(all []definition) string {
	var out []string
	for _, d := range all[:min(shown, len(all))] {
		out = append(out, fmt.Sprintf("%s:%d %s", d.file, d.line, d.name))
	}
	if len(out) == 0 {
		return "none."
	}
	return "`" + strings.Join(out, "`, `") + "`."
}

// folders returns the folders of a corpus, and what its files are named from.
func (a *accuracy) folders(l tongue) (dirs []string, base string) {
	if l.corpus == "" {
		return []string{goroot(a.t)}, goroot(a.t)
	}
	for name := range strings.FieldsSeq(l.corpus) {
		dirs = append(dirs, filepath.Join(a.corpus, name))
	}
	return dirs, a.corpus
}

// ourDefinitions returns what the index has of the kinds that count, and of
// any kind.
func (a *accuracy) ourDefinitions(l tongue) (counted, any map[definition]bool) {
	counted, any = map[definition]bool{}, map[definition]bool{}
	dirs, base := a.folders(l)
	for _, dir := range dirs {
		snap := indexed(a.t, dir)
		lines := newLiner(snap)
		for path := range snap.Files() {
			if !slices.Contains(l.extensions, filepath.Ext(path)) {
				continue
			}
			rel, _ := filepath.Rel(base, path)
			syms, err := snap.Symbols(a.t.Context(), path)
			if err != nil {
				continue // too large, or not text
			}
			for _, sym := range syms {
				if isNameless(sym.Name) {
					continue
				}
				d := definition{rel, lines.place(a.t.Context(), path, sym.NameSpan.Start).line + 1, sym.Name}
				any[d] = true
				counted[d] = counted[d] || compared[sym.Kind]
			}
		}
	}
	for d, counts := range counted {
		if !counts {
			delete(counted, d)
		}
	}
	return counted, any
}

// ctags returns what ctags finds in the files that the index has.
func (a *accuracy) ctags(l tongue) (counted, any map[definition]bool) {
	counted, any = map[definition]bool{}, map[definition]bool{}
	dirs, base := a.folders(l)
	for _, dir := range dirs {
		snap := indexed(a.t, dir)
		args := []string{"--output-format=json", "--fields=+nK-P", "--extras=-q", "--languages=" + l.name, "-R", "-f", "-", "."}
		if l.name == "C" {
			args = append([]string{"--langmap=C:.c.h", "--kinds-C=+px"}, args...) // prototypes are declarations
		}
		cmd := exec.Command(os.Getenv("BENCH_CTAGS"), args...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			a.t.Fatal(err)
		}
		lines := bufio.NewScanner(strings.NewReader(string(out)))
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			var tag struct {
				Type             string `json:"_type"`
				Name, Path, Kind string
				Line             int
			}
			if json.Unmarshal(lines.Bytes(), &tag) != nil || tag.Type != "tag" {
				continue
			}
			path := filepath.Join(dir, tag.Path)
			if !snap.Has(path) || isNameless(tag.Name) {
				continue
			}
			rel, _ := filepath.Rel(base, path)
			d := definition{rel, tag.Line, tag.Name}
			any[d] = true
			if slices.Contains(strings.Fields(l.kinds), tag.Kind) {
				counted[d] = true
			}
		}
	}
	return counted, any
}

// isNameless reports whether nothing can refer to a name: ctags makes some up.
func isNameless(name string) bool {
	return name == "_" || strings.HasPrefix(name, "__anon") || strings.HasPrefix(name, "anonymousFunction")
}

func files(of map[definition]bool) []string {
	seen := map[string]bool{}
	for d := range of {
		seen[d.file] = true
	}
	out := make([]string, 0, len(seen))
	for file := range seen {
		out = append(out, file)
	}
	slices.Sort(out)
	return out
}

// within returns those of all that are in the files of some.
func within(all, some map[definition]bool) map[definition]bool {
	in := map[string]bool{}
	for d := range some {
		in[d.file] = true
	}
	out := map[definition]bool{}
	for d := range all {
		if in[d.file] {
			out[d] = true
		}
	}
	return out
}

// goplsDefinitions returns the functions, methods and types of files of Go's
// source, as gopls' outline has them.
func (a *accuracy) goplsDefinitions(files []string) map[definition]bool {
	dir := goroot(a.t)
	gopls := startServer(a.t, dir, os.Getenv("BENCH_GOPLS"))
	out := map[definition]bool{}
	for _, file := range files {
		var tree []goplsSymbol
		path := filepath.Join(dir, file)
		if err := gopls.call("textDocument/documentSymbol", map[string]any{"textDocument": map[string]any{"uri": "file://" + path}}, &tree); err != nil {
			continue // it takes no broken file
		}
		for _, sym := range tree {
			sym.collect(file, out)
		}
	}
	return out
}

type goplsSymbol struct {
	Name     string
	Kind     int
	Range    span `json:"selectionRange"`
	Children []goplsSymbol
}

// collect takes in functions, methods and types. (LSP, SymbolKind) A struct in
// a field is none.
func (s goplsSymbol) collect(file string, out map[definition]bool) {
	const class, method, enum, iface, function, structure, typeParameter = 5, 6, 10, 11, 12, 23, 26
	if slices.Contains([]int{class, method, enum, iface, function, structure, typeParameter}, s.Kind) {
		if name := s.Name[strings.LastIndexByte(s.Name, '.')+1:]; !isNameless(name) {
			out[definition{file, s.Range.Start.Line + 1, name}] = true
		}
	}
	for _, c := range s.Children {
		if c.Kind == method {
			c.collect(file, out)
		}
	}
}
