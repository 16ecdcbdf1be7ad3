package index_test

import (
	"strings"
	"testing"

	"github.com/agentls/agentls/index"
)

// FuzzManifest: whatever a package.json and a tsconfig.json say, uses are found,
// and a module's own declaration stays one of itself.
func FuzzManifest(f *testing.F) {
	for _, seed := range []struct{ pkg, config string }{
		{`{"name": "a", "exports": {".": "./a.ts", "./*": {"import": ["./lib/*.ts", null]}}}`, `{"compilerOptions": {"paths": {"@/*": ["./*"]}}}`},
		{`{"name": "a", "imports": {"#x": "./a.ts"}, "main": "a"}`, `// comment` + "\n" + `{"extends": ["./tsconfig.json", "a"], "compilerOptions": {"baseUrl": "..",},}`},
		{`{"name": "\u0000", "exports": {"./*/*": "../../**"}}`, `{"compilerOptions": {"paths": {"*": ["*", "***"], "": [""]}}}`},
		{`[`, `{"extends": {"extends": 1}}`},
	} {
		f.Add(seed.pkg, seed.config)
	}
	const use = "import { area } from 'a';\nimport { area as b } from '@/a';\narea(1); b(2);\n"
	f.Fuzz(func(t *testing.T, pkg, config string) {
		ws := index.New(index.Options{Roots: []string{"/r"}})
		defer ws.Close() //nolint:errcheck // nothing was kept
		src := "export function area(n: number) { return n; }\n"
		for path, text := range map[string]string{"/r/package.json": pkg, "/r/tsconfig.json": config, "/r/a.ts": src, "/r/b.ts": use} {
			if err := ws.Change(index.Modification{Action: index.Open, Path: path, Version: 1, Text: []byte(text)}); err != nil {
				t.Fatal(err)
			}
		}
		found, err := ws.Snapshot().Definitions(t.Context(), "/r/a.ts", strings.Index(src, "area"))
		if err != nil || len(found) != 1 || found[0].Path != "/r/a.ts" {
			t.Fatalf("%+v, %v", found, err)
		}
		uses, err := ws.Snapshot().ReferencesTo(t.Context(), found[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range uses {
			if u.Span.End > len(use) || u.Span.Start >= u.Span.End {
				t.Fatalf("a use at %v", u.Span)
			}
		}
	})
}
