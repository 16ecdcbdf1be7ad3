package index_test

import (
	"strings"
	"testing"
)

// At $0 stands what means the file, as a whole.
var moduleCases = []struct{ name, language, file, archive string }{
	{"go package by its name", "go", "p/p.go", goPackages + "-- main.go --\npackage main\n\nimport \"m/p\"\n\nfunc main() { p$0.F() }\n"},
	{"go package by another name", "go", "p/p.go", goPackages + "-- main.go --\npackage main\n\nimport q$0 \"m/p\"\n\nfunc main() { q.F() }\n"},
	{"go package by its path", "go", "p/p.go", goPackages + "-- main.go --\npackage main\n\nimport q \"m$0/p\"\n\nfunc main() { q.F() }\n"},
	{"go package that is called otherwise than its folder", "go", "go-x/a.go", goPackages + "-- go-x/a.go --\npackage x\n-- main.go --\npackage main\n\nimport \"m/go-x\"\n\nvar _ = x$0.Y\n"},
	{"go package of others", "go", "", goPackages + "-- main.go --\npackage main\n\nimport \"fm$0t\"\n"},
	{"go string that is no import", "go", "", goPackages + "-- main.go --\npackage main\n\nimport _ \"m/p\"\n\nvar s = \"p$0\"\n"},
	{"python package", "python", "pkg/__init__.py", pythonModules + "import pk$0g.mod\n"},
	{"python module of a package", "python", "pkg/mod.py", pythonModules + "import pkg.mo$0d\n"},
	{"python use of a package", "python", "pkg/__init__.py", pythonModules + "import pkg.mod\npk$0g.mod.f()\n"},
	{"python use of a module of a package", "python", "pkg/mod.py", pythonModules + "import pkg.mod\npkg.mo$0d.f()\n"},
	{"python module under another name", "python", "pkg/mod.py", pythonModules + "import pkg.mod as m\nm$0.f()\n"},
	{"python module from a package", "python", "pkg/sub/__init__.py", pythonModules + "from pkg import mod, su$0b as s\n"},
	{"python package that something is imported from", "python", "pkg/mod.py", pythonModules + "from pkg.mo$0d import f\n"},
	{"python module beside", "python", "main.py", pythonModules + "from . import mai$0n\n"},
	{"python name that is no module", "python", "", pythonModules + "from pkg import nothing\nnothin$0g\n"},
	{"typescript namespace", "typescript", "b.ts", scriptModules + "import * as ns from './b';\nns$0.x;\n"},
	{"typescript path", "typescript", "b.ts", scriptModules + "import { x } from './$0b';\n"},
	{"typescript path of an export", "typescript", "b.ts", scriptModules + "export * from \"./$0b\";\n"},
	{"typescript path that is loaded", "typescript", "b.ts", scriptModules + "const b = await import(\"./$0b\");\n"},
	{"c header", "c", "include/a.h", "-- include/a.h --\nint f(void);\n-- main.c --\n#include \"a$0.h\"\n"},
	{"c header in angles", "c", "include/a.h", "-- include/a.h --\nint f(void);\n-- main.c --\n#include <a$0.h>\n"},
}

const (
	goPackages    = "-- go.mod --\nmodule m\n-- p/a.go --\npackage p\n\nfunc F() {}\n-- p/p.go --\npackage p\n"
	pythonModules = "-- pkg/__init__.py --\n-- pkg/mod.py --\ndef f(): pass\n-- pkg/sub/__init__.py --\n-- main.py --\n"
	scriptModules = "-- b.ts --\nexport const x = 1;\n-- a.ts --\n"
)

func TestModules(t *testing.T) {
	for _, test := range moduleCases {
		if !isKnown(test.language + ".txt") {
			continue
		}
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			f := load(t, test.archive)
			found, err := f.ws.Snapshot().Modules(t.Context(), f.at, f.cursor)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case test.file == "" && len(found) == 0:
			case len(found) != 1 || f.ws.Snapshot().Rel(found[0].Path) != test.file:
				t.Errorf("found %v, want %q", found, test.file)
			}
		})
	}
}
