package index_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/index"
)

func TestTerms(t *testing.T) {
	cases := map[string]string{
		"parseRange parse_range PARSE_RANGE":    "pars rang pars rang pars rang",
		"HTTPServer getURLs utf8 Sum256":        "http serv get url utf8 sum256",
		"parsing Parser parsed parses parse":    "pars pars pars pars pars",
		"cache caches cached caching":           "cach cach cach cach",
		"entries entry boxes classes status":    "entry entry box class status",
		"stopping stopped stops":                "stop stop stop",
		"completion completed complete":         "complet complet complet",
		"the a of it's is not for":              "",
		"404 1 22 0x1f 9f8e7d6c5b":              "404",
		"x y2 größe":                            "y2 größ",
		strings.Repeat("a", 31) + " " + "ok":    "ok",
		"call calls calling pass passes passed": "call call call pass pass pass",
	}
	for text, want := range cases {
		if diff := cmp.Diff(strings.Fields(want), index.Terms(text), cmp.Transformer("", func(s []string) string { return strings.Join(s, " ") })); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// FuzzTerms: terms are short and never stop words, and splitting ends.
func FuzzTerms(f *testing.F) {
	f.Add("parseRange HTTPServer größe\xff_x")
	f.Fuzz(func(t *testing.T, text string) {
		for _, term := range index.Terms(text) {
			if len(term) < 2 || len(term) > 30 {
				t.Errorf("%q has the term %q", text, term)
			}
		}
	})
}
