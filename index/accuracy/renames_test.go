//go:build peers

package accuracy_test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// renamed is how many functions are renamed, in all modules together.
const renamed = 100

// renames has functions of real modules renamed by the server, one at a time,
// and builds and tests the module after each.
func (a *accuracy) renames() {
	modules := []string{"cobra", "pflag", "go-toml"}
	a.printf("\n## Renames: functions of real Go modules\n\nAfter each one the module is built and its tests are run, but for those that failed before.\n\n| module | renamed | builds and passes | refused | broken |\n|---|---|---|---|---|\n")
	var broken, refused []string
	for _, module := range modules {
		m := a.module(module)
		good, bad, no := 0, 0, 0
		for _, sym := range sample(m.functions(), renamed/len(modules)+1) {
			switch said := m.rename(sym); {
			case said == "":
				good++
			case strings.HasPrefix(said, "refused"):
				no++
				refused = append(refused, fmt.Sprintf("%s %s: %s", module, sym.Qualified(), said))
			default:
				bad++
				broken = append(broken, fmt.Sprintf("%s %s: %s", module, sym.Qualified(), said[:min(len(said), 300)]))
			}
		}
		a.printf("| %s | %d | %d | %d | %d |\n", filepath.Base(module), good+bad+no, good, no, bad)
	}
	a.printf("\nRefused: %s\n\nBroken: %s\n", orNone(refused), orNone(broken))
}

func orNone(all []string) string { return cmp.Or(strings.Join(all, "; "), "none") }

var failedTest = regexp.MustCompile(`--- FAIL: (\w+)`)

// A moduleCopy is a copy of a real module.
type moduleCopy struct {
	a    *accuracy
	dir  string
	snap *index.Snapshot
	peer *peer
	skip []string // tests that fail as it is
}

func (a *accuracy) module(name string) *moduleCopy {
	a.t.Helper()
	dir := filepath.Join(a.t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(a.corpus, name))); err != nil {
		a.t.Fatal(err)
	}
	m := &moduleCopy{a: a, dir: dir, snap: indexed(a.t, dir)}
	m.skip = []string{"^$"}
	for {
		says, ok := m.check()
		if ok {
			break
		}
		failed := failedTest.FindStringSubmatch(says)
		if failed == nil || len(m.skip) > 10 {
			a.t.Fatalf("%s as it is: %s", name, says)
		}
		m.skip = append(m.skip, "^"+failed[1]+"$") // as it is; some count on not being root
	}
	m.peer = startServer(a.t, dir, os.Getenv("BENCH_AGENTLS"), "serve")
	for ready := false; !ready; time.Sleep(50 * time.Millisecond) {
		var status struct{ Ready bool }
		m.peer.must("workspace/executeCommand", map[string]any{"command": "agentls.status"}, &status)
		ready = status.Ready
	}
	return m
}

// check builds and tests the module.
func (m *moduleCopy) check() (says string, ok bool) {
	for _, args := range [][]string{{"build", "./..."}, {"test", "-short", "-vet=off", "-timeout=120s", "-skip=" + strings.Join(m.skip, "|"), "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = m.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return strings.Join(strings.Fields(string(out[max(0, len(out)-2000):])), " "), false
		}
	}
	return "", true
}

// functions returns what a sample is drawn from.
func (m *moduleCopy) functions() []index.Symbol {
	var out []index.Symbol
	for path := range m.snap.Files() {
		if filepath.Ext(path) != ".go" {
			continue
		}
		syms, err := m.snap.Symbols(m.a.t.Context(), path)
		if err != nil {
			m.a.t.Fatal(err)
		}
		for _, sym := range syms {
			test := strings.HasSuffix(path, "_test.go") && len(sym.Name) > 4 && slices.Contains([]string{"Test", "Exam", "Benc", "Fuzz"}, sym.Name[:4])
			if sym.Kind == index.Function && sym.Name != "main" && sym.Name != "init" && !test {
				out = append(out, sym)
			}
		}
	}
	return out
}

// rename renames sym, checks the module and puts everything back. It returns
// "" where all is well.
func (m *moduleCopy) rename(sym index.Symbol) string {
	at := newLiner(m.snap).place(m.a.t.Context(), sym.Path, sym.NameSpan.Start)
	params := at.params()
	params["newName"] = sym.Name + "Renamed"
	var edit struct {
		Changes         map[string][]textEdit
		DocumentChanges []struct {
			TextDocument struct{ URI string }
			Edits        []textEdit
		}
	}
	err := m.peer.call("textDocument/rename", params, &edit)
	for range 60 { // what the last one changed and put back may not be indexed again yet
		if err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
		err = m.peer.call("textDocument/rename", params, &edit)
	}
	if err != nil {
		return "refused: " + err.Error()
	}
	changes := edit.Changes
	if changes == nil {
		changes = map[string][]textEdit{}
	}
	for _, d := range edit.DocumentChanges {
		changes[d.TextDocument.URI] = append(changes[d.TextDocument.URI], d.Edits...)
	}
	before := map[string][]byte{}
	for uri, edits := range changes {
		path := unescape(uri)
		src, err := os.ReadFile(path)
		if err != nil {
			m.a.t.Fatal(err)
		}
		before[path] = src
		write(m.a.t, path, applied(src, edits))
	}
	says, ok := m.check()
	for path, src := range before {
		write(m.a.t, path, string(src))
	}
	if ok && len(before) > 0 {
		return ""
	}
	return cmp.Or(says, "nothing was changed")
}

type textEdit struct {
	Range   span   `json:"range"`
	NewText string `json:"newText"`
}

// applied returns src with edits made.
func applied(src []byte, edits []textEdit) string {
	lines := text.NewLines(src)
	offset := func(p position) int {
		at, _ := lines.Offset(text.Point{Line: p.Line, Column: p.Character}, text.UTF16)
		return at
	}
	slices.SortFunc(edits, func(a, b textEdit) int { return offset(b.Range.Start) - offset(a.Range.Start) })
	out := string(src)
	for _, e := range edits {
		out = out[:offset(e.Range.Start)] + e.NewText + out[offset(e.Range.End):]
	}
	return out
}
