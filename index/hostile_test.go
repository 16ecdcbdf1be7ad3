package index_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/index"
)

// A folder can hold anything: what cannot be read is left out, and the rest is
// found.
func TestHostileFolder(t *testing.T) {
	f := load(t, "-- good.go --\npackage p\n\nfunc Good() {}\n")
	write(t, f.path("min.js"), "var a=["+strings.Repeat("function(b){return b+1},", 8<<20/24)+"0]")
	write(t, f.path("latin1.go"), "package p\n\n// \xe9t\xe9\nfunc Latin() {}\n")
	write(t, f.path("deep.go"), "package p\n\nvar x = "+strings.Repeat("(\n", 200_000)+"1"+strings.Repeat(")\n", 200_000)+"\n\nfunc Deep() {}\n")
	write(t, f.path("closed/inside.go"), "package p\n")
	for link, to := range map[string]string{"loop": ".", "self": "self", "gone": "nowhere", "up": "..", "linked.go": "good.go"} {
		if err := os.Symlink(to, f.path(link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(f.path("closed"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(f.path("closed"), 0o700) //nolint:errcheck // for TempDir to remove it
	ws := fresh(t, f.dir)
	stats, err := ws.Scan(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	delete(stats.Skipped, "slow") // a busy machine may give deep.go up; its names are found all the same
	want := map[string]int{"minified": 1, "binary": 1}
	if diff := cmp.Diff(want, stats.Skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	for _, name := range []string{"Good", "Deep"} {
		if syms, err := ws.Snapshot().Search(t.Context(), name, 10); err != nil || len(syms) != 1 {
			t.Errorf("%s is found as %v, %v", name, syms, err)
		}
	}
}

// Configurations that extend each other in circles, or lead anywhere, take no
// longer than others, and what they say beside that holds.
func TestHostileConfigs(t *testing.T) {
	const use = "-- a.ts --\nimport { «area» } from 'shapes';\n«area»(1);\n-- lib/shapes.ts --\nexport function «ar$0ea»(n: number) { return n; }\n"
	const paths = "\n-- tsconfig.real.json --\n{ \"compilerOptions\": { \"paths\": { \"shapes\": [\"./lib/shapes\"] } } }\n"
	extends := func(names ...string) string { return `{ "extends": [` + strings.Join(names, ",\n") + `] }` }
	self, other := slices.Repeat([]string{`"./tsconfig.json"`}, 500), slices.Repeat([]string{`"./tsconfig.other.json"`}, 500)
	for name, config := range map[string]string{
		"itself":     extends(slices.Concat([]string{`"./tsconfig.real.json"`}, self)...) + paths,
		"each other": extends(slices.Concat([]string{`"./tsconfig.real.json"`}, self, other)...) + "\n-- tsconfig.other.json --\n" + extends(slices.Concat(other, self)...) + paths,
		"stars":      `{ "compilerOptions": { "paths": { "sh*": ["` + strings.Repeat("*", 3000) + `", "./lib/sh*"] } } }` + "\n",
		"nothing":    `{ "extends": [null, {}, 1, ["./x"], "./nothing"], "compilerOptions": { "baseUrl": "lib" } }` + "\n",
	} {
		t.Run(name, func(t *testing.T) { checkReferences(t, "-- tsconfig.json --\n"+config+use) })
	}
}

// Files that change while they are read are right in the end.
func TestFilesChangeWhileRead(t *testing.T) {
	dir := manyFiles(t, 20)
	ws := fresh(t, dir)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				name := fmt.Sprintf("%s/p0/f%d.go", dir, i%20)
				if i%7 == 0 {
					_ = os.Remove(name)
					continue
				}
				_ = os.WriteFile(name, []byte("package p\n\nfunc "+strings.Repeat("X", i%50+1)+"() {}\n"), 0o600)
			}
		}
	})
	for range 20 {
		if _, err := ws.Scan(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	writer.Wait()
	for i := range 20 {
		write(t, fmt.Sprintf("%s/p0/f%d.go", dir, i), fmt.Sprintf("package p\n\nfunc Last%d() { /* as long as it is */ }\n", i))
		change(t, ws, index.Modification{Action: index.Disk, Path: fmt.Sprintf("%s/p0/f%d.go", dir, i)})
	}
	if err := ws.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		name := fmt.Sprintf("Last%d", i)
		if syms, err := ws.Snapshot().Search(t.Context(), name, 1); err != nil || len(syms) != 1 || syms[0].Name != name {
			t.Errorf("%s is found as %v, %v", name, syms, err)
		}
	}
}

// A hundred thousand small files are read in a time that grows with their
// number alone, and nothing is kept of a second look.
func TestManyFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes 100,000 files")
	}
	const many = 100_000
	dir, cache := manyFiles(t, many), t.TempDir()
	stats, log := cachedScan(t, dir, cache)
	if stats.Parsed != many || stats.Symbols != many || log != "" {
		t.Errorf("cold: %+v\n%s", stats, log)
	}
	if stats, log := cachedScan(t, dir, cache); stats.Mode != index.Segment || stats.Cached != many || log != "" {
		t.Errorf("warm: %v, %+v\n%s", stats.Mode, stats, log)
	}
}
