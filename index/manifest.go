package index

import (
	"bytes"
	"encoding/json"
	"path"
	"path/filepath"
	"strings"

	"github.com/agentls/agentls/index/lang"
)

// A manifest is a file that says what import paths mean: go.mod, package.json,
// Cargo.toml, tsconfig.json and jsconfig.json. What it says stands in its outline as a
// package and imports, so that it is kept and found like all else.

// How deep and how many the targets of a manifest are read: it is a stranger's.
const (
	maxManifestDepth = 8
	maxTargets       = 2000
	maxTarget        = 4096 // bytes of a path, with its stars filled in
)

// The aliases of what a manifest's imports are.
const (
	asExport  = "exports"    // package.json: subpath → file; without exports its main file, as "."
	asImport  = "imports"    // package.json: "#name" → file
	asPath    = "paths"      // tsconfig.json: pattern → file, from the base URL
	asBaseURL = "baseUrl"    // tsconfig.json
	asExtends = "extends"    // tsconfig.json: another one
	asRoot    = "rootDirs"   // tsconfig.json: folders that are as one
	asPart    = "references" // tsconfig.json: another one, of a part of the project
)

// isManifest reports whether the file at path is one, by its name.
func isManifest(path string) bool { return manifestReader(path) != nil }

// manifestReader returns what reads the file at path into an outline, or nil.
func manifestReader(file string) func(out *outline, content []byte) {
	switch base := filepath.Base(file); {
	case base == "go.mod":
		return readGoMod
	case base == npmPackage:
		return readPackage
	case base == rustPackage:
		return readCargo
	case isTSConfig(base):
		return readTSConfig
	default:
		return nil
	}
}

// isTSConfig reports whether base is the name of a TypeScript configuration:
// tsconfig.json, tsconfig.base.json, jsconfig.json.
func isTSConfig(base string) bool {
	return (strings.HasPrefix(base, "tsconfig.") || strings.HasPrefix(base, "jsconfig.")) && strings.HasSuffix(base, ".json")
}

// addManifest adds to the outline of the file at path what a manifest says.
func addManifest(path string, out *outline, content []byte) {
	if read := manifestReader(path); read != nil {
		read(out, content)
	}
}

// parseManifest returns the outline of a manifest in a language that is not
// known here; nil of another file.
func parseManifest(path string, content []byte) *outline {
	read := manifestReader(path)
	if read == nil {
		return nil
	}
	out := &outline{names: []string{""}}
	read(out, content)
	out.group()
	return out
}

// readGoMod keeps the module path, by which imports resolve.
func readGoMod(out *outline, content []byte) {
	for line := range bytes.Lines(content) {
		if rest, ok := bytes.CutPrefix(line, []byte("module")); ok {
			rest, _, _ = bytes.Cut(rest, []byte("//"))
			out.pkg = strings.Trim(string(bytes.TrimSpace(rest)), `"`)
			return
		}
	}
}

// readCargo keeps the name of a crate as code writes it: that of its library, or
// else of its package. (doc.rust-lang.org/cargo/reference/cargo-targets.html)
func readCargo(out *outline, content []byte) {
	section := ""
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(line, "[] ")
		}
		key, value, _ := strings.Cut(line, "=")
		if strings.TrimSpace(key) != "name" || section != "lib" && (section != "package" || out.pkg != "") {
			continue
		}
		value, _, _ = strings.Cut(value, "#")
		out.pkg = strings.ReplaceAll(strings.Trim(value, " \t\"'"), "-", "_")
	}
}

// readPackage keeps the name of a package and where its subpaths lead.
// (nodejs.org/api/packages.html)
func readPackage(out *outline, content []byte) {
	var p struct {
		Name                        string
		Exports, Imports            json.RawMessage
		Main, Module, Source, Types string
	}
	if json.Unmarshal(plainJSON(content), &p) != nil {
		return
	}
	out.pkg = p.Name
	out.addTargets(asExport, ".", p.Exports, maxManifestDepth)
	if len(p.Exports) == 0 {
		for _, target := range []string{p.Source, p.Types, p.Module, p.Main} {
			out.addTarget(asExport, ".", target)
		}
	}
	for name, targets := range members(p.Imports) {
		out.addTargets(asImport, name, targets, maxManifestDepth)
	}
}

// addTargets adds where subpath leads: a path, a list of them, or an object of
// them by condition or, at the top, by subpath; all, in their order.
func (o *outline) addTargets(kind, subpath string, raw json.RawMessage, depth int) {
	var target string
	var list []json.RawMessage
	switch {
	case depth == 0 || len(raw) == 0:
	case json.Unmarshal(raw, &target) == nil:
		o.addTarget(kind, subpath, target)
	case json.Unmarshal(raw, &list) == nil:
		for _, one := range list {
			o.addTargets(kind, subpath, one, depth-1)
		}
	default:
		for name, value := range members(raw) {
			if strings.HasPrefix(name, ".") {
				o.addTargets(kind, name, value, depth-1)
			} else {
				o.addTargets(kind, subpath, value, depth-1)
			}
		}
	}
}

func (o *outline) addTarget(kind, name, target string) {
	if target != "" && len(o.imports) < maxTargets {
		o.imports = append(o.imports, lang.Import{Path: target, Name: name, Alias: kind})
	}
}

// readTSConfig keeps what paths mean to the compiler.
// (typescriptlang.org/tsconfig, paths, baseUrl, rootDirs, extends, references)
func readTSConfig(out *outline, content []byte) {
	var c struct {
		Extends         json.RawMessage
		CompilerOptions struct {
			BaseURL         string
			Paths, RootDirs json.RawMessage
		}
		References []struct{ Path string }
	}
	if json.Unmarshal(plainJSON(content), &c) != nil {
		return
	}
	out.addTargets(asExtends, "", c.Extends, 2)
	out.addTarget(asBaseURL, "", c.CompilerOptions.BaseURL)
	out.addTargets(asRoot, "", c.CompilerOptions.RootDirs, 2)
	for _, part := range c.References {
		out.addTarget(asPart, "", part.Path)
	}
	for pattern, targets := range members(c.CompilerOptions.Paths) {
		out.addTargets(asPath, pattern, targets, 2)
	}
}

// members yields the members of a JSON object in the order of the text.
func members(raw json.RawMessage) func(yield func(string, json.RawMessage) bool) {
	return func(yield func(string, json.RawMessage) bool) {
		d := json.NewDecoder(bytes.NewReader(raw))
		if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
			return
		}
		for d.More() {
			name, err := d.Token()
			key, isString := name.(string)
			var value json.RawMessage
			if err != nil || !isString || d.Decode(&value) != nil || !yield(key, value) {
				return
			}
		}
	}
}

// plainJSON returns content without comments and trailing commas, which
// tsconfig.json may have.
func plainJSON(content []byte) []byte {
	out := make([]byte, 0, len(content))
	for i := 0; i < len(content); {
		switch rest := content[i:]; {
		case rest[0] == '"':
			end := stringEnd(rest)
			out = append(out, rest[:end]...)
			i += end
		case bytes.HasPrefix(rest, []byte("//")):
			i += lengthTo(rest, "\n")
		case bytes.HasPrefix(rest, []byte("/*")):
			i += lengthTo(rest[2:], "*/") + 4
		case rest[0] == '}' || rest[0] == ']':
			trimmed := bytes.TrimRight(out, " \t\r\n")
			out = append(bytes.TrimSuffix(trimmed, []byte(",")), rest[0])
			i++
		default:
			out = append(out, rest[0])
			i++
		}
	}
	return out
}

// lengthTo returns how far the first end is, or the end of all.
func lengthTo(content []byte, end string) int {
	if i := bytes.Index(content, []byte(end)); i >= 0 {
		return i
	}
	return len(content)
}

// stringEnd returns the length of the string that content begins with.
func stringEnd(content []byte) int {
	for i := 1; i < len(content); i++ {
		switch content[i] {
		case '\\':
			i++
		case '"', '\n':
			return i + 1
		}
	}
	return len(content)
}

// matchPattern returns what stands for the star of pattern in name, and whether
// name fits; a pattern without a star fits itself.
func matchPattern(pattern, name string) (star string, ok bool) {
	before, after, isPattern := strings.Cut(pattern, "*")
	if !isPattern {
		return "", pattern == name
	}
	rest, ok := strings.CutPrefix(name, before)
	if !ok || !strings.HasSuffix(rest, after) {
		return "", false
	}
	return strings.TrimSuffix(rest, after), true
}

// targets returns where name leads by the imports of kind: those of the pattern
// that fits best, in their order, with the star filled in.
func (o *outline) targets(kind, name string) []string {
	best, length := "", -1
	for _, imp := range o.imports {
		if _, ok := matchPattern(imp.Name, name); ok && imp.Alias == kind {
			if before, _, _ := strings.Cut(imp.Name, "*"); len(before) > length || imp.Name == name {
				best, length = imp.Name, len(before)
			}
			if imp.Name == name {
				break
			}
		}
	}
	var out []string
	if length < 0 {
		return nil
	}
	star, _ := matchPattern(best, name)
	for _, imp := range o.imports {
		if imp.Alias == kind && imp.Name == best && len(imp.Path)+strings.Count(imp.Path, "*")*len(star) <= maxTarget {
			out = append(out, path.Clean(strings.ReplaceAll(imp.Path, "*", star)))
		}
	}
	return out
}
