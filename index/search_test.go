package index_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// What people type finds what they mean, among the thousands of names of a
// real package.
func TestSearchFindsWhatIsMeant(t *testing.T) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	ws := fresh(t, filepath.Join(strings.TrimSpace(string(out)), "src", "net", "http"))
	if _, err := ws.Scan(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"NewRequest":         "NewRequest", // exact
		"newrequest":         "NewRequest",
		"Request":            "Request",
		"NRWC":               "NewRequestWithContext",
		"nreqwith":           "NewRequestWithContext", // starts of words
		"lisandserve":        "ListenAndServe",
		"hndlrfunc":          "HandlerFunc", // letters left out
		"stripprefix":        "StripPrefix",
		"rtripper":           "RoundTripper",
		"Client.Do":          "Do", // narrowed to a container
		"ServeMux.servehttp": "ServeHTTP",
		"cookie.go:String":   "String", // and to a file
		"status_not_found":   "",
		"StatusNotF":         "StatusNotFound",
	} {
		syms, err := ws.Snapshot().Search(t.Context(), query, 1)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(syms) > 0 {
			got = syms[0].Name
		}
		if got != want {
			t.Errorf("%q finds %q first, want %q", query, got, want)
		}
	}
}

// A found name has its line without a look at the file: this one is gone. Where
// columns differ by who asks, it has none.
func TestSearchKnowsLines(t *testing.T) {
	f := load(t, "-- a.go --\npackage p\r\rfunc alpha() {\n\tvar é, alphabet = 1, 2\n}\n\ntype T struct{ alphaField int }\n/* é */ func alphaLast() {}\n")
	if err := os.Remove(f.path("a.go")); err != nil {
		t.Fatal(err)
	}
	syms, err := f.ws.Snapshot().Search(t.Context(), "alpha", 10)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]text.Point{}
	for _, sym := range syms {
		got[sym.Name] = text.Point{Line: sym.Line, Column: sym.Column}
	}
	want := map[string]text.Point{"alpha": {Line: 3, Column: 5}, "alphaField": {Line: 7, Column: 15}, "alphaLast": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// A query whose answer nobody waits for ends.
func TestQueriesCancel(t *testing.T) {
	f := load(t, small)
	ctx, cancel := contextEnded(t)
	defer cancel()
	if _, err := f.ws.Snapshot().Search(ctx, "old", 10); err == nil {
		t.Error("a cancelled search answers")
	}
	if _, err := f.ws.Snapshot().ReferencesTo(ctx, index.Symbol{Path: f.path("a.go")}); err == nil {
		t.Error("cancelled references answer")
	}
}

func contextEnded(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

// TestSearchShared: goroutines that share the names find what one finds.
func TestSearchShared(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	parts := []string{"Get", "http", "Server", "x", "New", "Conn", "read", "Buf", "a", "ID", "Map"}
	var src strings.Builder
	src.WriteString("package p\n")
	for i := range 3000 {
		name := ""
		for range 1 + random.IntN(4) {
			name += parts[random.IntN(len(parts))]
		}
		fmt.Fprintf(&src, "func %s%d() {}\n", name, i%700)
	}
	f := load(t, "-- a.go --\n"+src.String())
	snap := f.ws.Snapshot()
	for range 200 {
		query := parts[random.IntN(len(parts))][:1] + parts[random.IntN(len(parts))]
		limit := 1 + random.IntN(300)
		alone, err := snap.Search(t.Context(), query, limit)
		if err != nil {
			t.Fatal(err)
		}
		undo := index.ShareSearches(100)
		shared, err := snap.Search(t.Context(), query, limit)
		undo()
		if diff := cmp.Diff(alone, shared); err != nil || diff != "" {
			t.Fatalf("%s, best %d: %v (-alone +shared):\n%s", query, limit, err, diff)
		}
	}
}
