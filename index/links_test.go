package index_test

import (
	"testing"

	"github.com/agentls/agentls/index"
)

// FuzzLinks: whatever a Markdown file holds, links and headlines lie in it, and
// each link that leads into the file leads to a place in it.
func FuzzLinks(f *testing.F) {
	for _, seed := range []string{
		"# A\n[a](#a) [b](b.md#x \"t\")\n\n[c]: /d/e\n", "A\r\n===\r\n[](<#a>)\r\n", "```\n# A\n~~~\n[a](#a)\n```\n", "`[a](#a)` [𝄞](#𝄞)\n# 𝄞 x\n", "[a](:) [b](%zz)\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		ws := index.New(index.Options{Roots: []string{"/r"}})
		defer ws.Close() //nolint:errcheck // nothing was kept
		const path = "/r/a.md"
		if err := ws.Change(index.Modification{Action: index.Open, Path: path, Version: 1, Text: src}); err != nil {
			t.Fatal(err)
		}
		snap := ws.Snapshot()
		links, err := snap.Links(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range links {
			if l.Span.Start < 0 || l.Span.Start >= l.Span.End || l.Span.End > len(src) {
				t.Fatalf("a link at %v of %d bytes", l.Span, len(src))
			}
			if l.Path != path {
				continue
			}
			to, err := snap.Target(t.Context(), l)
			if err != nil || to.Start < 0 || to.End > len(src) || to.Start > to.End {
				t.Fatalf("%+v leads to %v, %v", l, to, err)
			}
			if _, err := snap.LinkedFrom(t.Context(), path, l.Span.Start); err != nil {
				t.Fatal(err)
			}
		}
	})
}
