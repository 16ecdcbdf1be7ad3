package lsp

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/agentls/agentls/index"
)

// A navigationMode says where the index answers what other servers answer too.
type navigationMode string

// The modes of the setting "navigation".
const (
	navigationOn   navigationMode = "on"   // everywhere
	navigationOff  navigationMode = "off"  // nowhere
	navigationAuto navigationMode = "auto" // where the client says that no other server does
)

// navigation is what the index answers to, of what other servers answer too.
var navigation = []string{
	protocol.MethodTextDocumentDeclaration, protocol.MethodTextDocumentDefinition, protocol.MethodTextDocumentTypeDefinition,
	protocol.MethodTextDocumentImplementation, protocol.MethodTextDocumentReferences, protocol.MethodTextDocumentDocumentHighlight,
	protocol.MethodTextDocumentHover, protocol.MethodTextDocumentDocumentSymbol, protocol.MethodTextDocumentRename,
	protocol.MethodTextDocumentDocumentLink, protocol.MethodTextDocumentFoldingRange, protocol.MethodTextDocumentSelectionRange,
	protocol.MethodTextDocumentPrepareCallHierarchy, protocol.MethodTextDocumentPrepareTypeHierarchy,
}

// An offer is what of navigation is offered for which languages.
type offer struct {
	mu     sync.Mutex // guards the below
	mode   navigationMode
	served map[string][]string // by other servers: language → methods; none is all
}

type navigationParams struct {
	Served []servedLanguage `json:"served"`
}

// A servedLanguage is what other servers do for a language.
type servedLanguage struct {
	Language string   `json:"language"`
	Methods  []string `json:"methods"` // none: all
}

type navigationResult struct {
	Offered []string `json:"offered"` // the languages for which something is
}

// noteServed takes note of what other servers do, in place of what was said
// before.
func (s *Server) noteServed(_ context.Context, p *navigationParams) (*navigationResult, error) {
	served := make(map[string][]string, len(p.Served))
	for _, l := range p.Served {
		served[l.Language] = l.Methods
	}
	s.offer.mu.Lock()
	s.offer.served = served
	s.offer.mu.Unlock()
	out := &navigationResult{Offered: []string{}}
	for _, language := range index.Languages() {
		if slices.ContainsFunc(navigation, func(method string) bool { return s.offer.has(language, method) }) {
			out.Offered = append(out.Offered, language)
		}
	}
	return out, nil
}

// has reports whether a method is offered for a language.
func (o *offer) has(language, method string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch o.mode {
	case navigationOff:
		return false
	case navigationAuto:
		methods, served := o.served[language]
		return !served || len(methods) > 0 && !slices.Contains(methods, method)
	default:
		return true
	}
}

// set takes the mode from the client's settings, where they say one.
func (o *offer) set(settings json.RawMessage) {
	var s struct{ Navigation navigationMode }
	if json.Unmarshal(settings, &s) != nil {
		return
	}
	switch s.Navigation {
	case navigationOn, navigationOff, navigationAuto:
		o.mu.Lock()
		defer o.mu.Unlock()
		o.mode = s.Navigation
	}
}

// isOff reports whether nothing is offered.
func (o *offer) isOff() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mode == navigationOff
}

// leaves reports whether a document is left to another server, or to none.
func (s *Server) leaves(ctx context.Context, u uri.URI, method string) bool {
	path, err := filePath(u)
	if err != nil {
		return false // the handler says what is wrong
	}
	return !s.offer.has(snapshot(ctx).Language(path), method)
}
