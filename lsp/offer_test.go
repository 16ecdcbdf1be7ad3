package lsp

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/index"
)

// TestNavigationIsLeft: what another server answers is not answered, by
// language and method; and the user decides.
func TestNavigationIsLeft(t *testing.T) {
	e := mathWorld(t).start(t)
	e.open("math.go")
	at := protocol.TextDocumentPositionParams{Position: e.at("math.go", "Add(1").Range.Start}
	at.TextDocument.URI = e.at("math.go", "Add(1").URI
	answered := func() [2]bool {
		t.Helper()
		hover, err := e.Hover(t.Context(), &protocol.HoverParams{TextDocumentPositionParams: at})
		if err != nil {
			t.Fatal(err)
		}
		found, err := e.Definition(t.Context(), &protocol.DefinitionParams{TextDocumentPositionParams: at})
		if err != nil {
			t.Fatal(err)
		}
		places, _ := found.(protocol.LocationSlice)
		return [2]bool{hover != nil, len(places) > 0}
	}
	set := func(mode string) {
		t.Helper()
		p := &protocol.DidChangeConfigurationParams{Settings: protocol.LSPAny(`{"agentls":{"navigation":"` + mode + `"}}`)}
		if err := e.DidChangeConfiguration(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	hoverElsewhere := navigationParams{Served: []servedLanguage{{Language: "go", Methods: []string{"textDocument/hover"}}}}
	allElsewhere := navigationParams{Served: []servedLanguage{{Language: "go"}}}
	for _, step := range []struct {
		mode   string
		served navigationParams
		want   [2]bool
	}{
		{"on", allElsewhere, [2]bool{true, true}},
		{"auto", navigationParams{}, [2]bool{true, true}},
		{"auto", hoverElsewhere, [2]bool{false, true}},
		{"auto", allElsewhere, [2]bool{false, false}},
		{"nonsense", allElsewhere, [2]bool{false, false}},
		{"off", navigationParams{}, [2]bool{false, false}},
		{"on", navigationParams{}, [2]bool{true, true}},
	} {
		set(step.mode)
		must[navigationResult](e, "agentls.navigation", step.served)
		if got := answered(); got != step.want {
			t.Errorf("%s with %v: hover and definition are answered: %v, want %v", step.mode, step.served, got, step.want)
		}
	}
}

// TestNavigationOffered: the result names the languages for which something is
// offered, and a server that offers none declares none.
func TestNavigationOffered(t *testing.T) {
	s := &Server{}
	s.offer.set([]byte(`{"navigation": "auto"}`))
	got, err := s.noteServed(t.Context(), &navigationParams{Served: []servedLanguage{{Language: "go"}, {Language: "python", Methods: []string{"textDocument/hover"}}}})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, language := range index.Languages() {
		if language != "go" {
			want = append(want, language)
		}
	}
	if diff := cmp.Diff(want, got.Offered); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.capabilities().HoverProvider == nil {
		t.Error("auto declares no hover")
	}
	s.offer.set([]byte(`{"navigation": "off"}`))
	if s.capabilities().HoverProvider != nil {
		t.Error("off declares hover")
	}
}
