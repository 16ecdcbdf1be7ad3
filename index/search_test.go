package index_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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
