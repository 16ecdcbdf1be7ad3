package index_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/index"
)

// counts returns what of stats depends on the number of files only.
func counts(stats index.Stats) index.Stats {
	stats.Bytes, stats.Lines, stats.Languages, stats.Workers, stats.OnDisk, stats.Mode = 0, 0, nil, 0, 0, index.Cold
	if len(stats.Skipped) == 0 {
		stats.Skipped = nil
	}
	return stats
}

const early = `
-- a.go --
package p

type (
	Shape interface {
		Area() float64
	}
)

type Square[T any] struct {
	Side, Other T
	*Base
}

const (
	One = iota
	Two
)

func (s *Square[T]) Area() float64 { return 0 }

func New() *Square { return nil }
-- b.py --
LIMIT = 3

class Outer:
    async def method(self):
        def inner(): pass

class Other(Outer): pass
-- c.ts --
export default abstract class Widget {
  private static async render(x: number) {
    if (x) {
    }
  }
}
export const make = (x) => {
}
const enum Colour { Red }
export interface Props {
}
`

// fresh returns a workspace of dir that was not scanned.
func fresh(t *testing.T, dir string) *index.Workspace {
	t.Helper()
	ws := index.New(index.Options{Roots: []string{dir}})
	t.Cleanup(func() {
		if err := ws.Close(); err != nil {
			t.Error(err)
		}
	})
	return ws
}

// What is declared can be found when everything was skimmed and nothing parsed.
func TestSearchWhileScanning(t *testing.T) {
	f := load(t, "-- none.txt --\n")
	_, files := split(early)
	for name, content := range files {
		write(t, f.path(name), content)
	}
	ws := fresh(t, f.dir)
	var got []string
	scanUntilParsing(t, ws, func(snap *index.Snapshot) {
		if snap.Ready() {
			t.Error("ready before anything is parsed")
		}
		for path := range snap.Files() {
			for _, query := range []string{"Shape", "Area", "Square", "Side", "One", "Two", "New", "LIMIT", "Outer", "method", "inner", "Other", "Widget", "render", "if", "make", "Colour", "Props"} {
				syms, err := snap.Search(t.Context(), filepath.Base(path)+":"+query, 1)
				if err != nil {
					t.Fatal(err)
				}
				for _, sym := range syms {
					if sym.Name == query {
						got = append(got, fmt.Sprintf("%s %s", sym.Kind, sym.Qualified()))
					}
				}
			}
		}
	})
	want := []string{
		"interface Shape", "method Square.Area", "type Square", "field Square.Side", "constant One", "constant Two", "function New",
		"constant LIMIT", "class Outer", "method Outer.method", "function Outer.method.inner", "class Other",
		"class Widget", "method Widget.render", "function make", "enum Colour", "interface Props",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("found while scanning (-want +got):\n%s", diff)
	}
	if !ws.Snapshot().Ready() {
		t.Error("not ready after the scan")
	}
}

// scanUntilParsing calls look when all is skimmed and nothing parsed, and lets
// the scan end.
func scanUntilParsing(t *testing.T, ws *index.Workspace, look func(snap *index.Snapshot)) {
	t.Helper()
	looked := false
	_, err := ws.Scan(t.Context(), func(p index.Progress) {
		if p.Phase == index.Parsing && !looked {
			looked = true
			look(ws.Snapshot())
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if !looked {
		t.Fatal("nothing was parsed")
	}
}

// What is open is parsed first, then what lies beside it.
func TestScanOrder(t *testing.T) {
	f := load(t, "-- none.txt --\n")
	for i := range 20 {
		write(t, f.path(fmt.Sprintf("d%02d/a.go", i)), "package p\n")
	}
	write(t, f.path("d15/open.go"), "package p\n")
	ws := index.New(index.Options{Roots: []string{f.dir}, Workers: 1})
	defer ws.Close() //nolint:errcheck // it holds nothing
	change(t, ws, index.Modification{Action: index.Open, Path: f.path("d15/open.go"), Version: 1, Text: []byte("package p\n")})
	var order []string
	if _, err := ws.Scan(t.Context(), func(p index.Progress) {
		if p.Phase == index.Parsing {
			order = append(order, ws.Snapshot().Rel(p.File))
		}
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"d15/open.go", "d15/a.go", "d00/a.go"}, order[:3]); diff != "" {
		t.Errorf("parsed first (-want +got):\n%s", diff)
	}
}

// A cancelled scan keeps what it read, and the next one goes on.
func TestScanCancel(t *testing.T) {
	f := load(t, "-- none.txt --\n")
	for i := range 50 {
		write(t, f.path(fmt.Sprintf("a%02d.go", i)), fmt.Sprintf("package p\n\nfunc F%d() {}\n", i))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	because := errors.New("enough")
	ws := fresh(t, f.dir)
	stats, err := ws.Scan(ctx, func(p index.Progress) {
		if p.Phase == index.Parsing && p.Done == 10 {
			cancel(because)
		}
	})
	if !errors.Is(err, because) {
		t.Fatalf("error %v, want %v", err, because)
	}
	if stats.Parsed < 10 || stats.Parsed == 50 || ws.Snapshot().Ready() {
		t.Errorf("%d parsed, ready %v", stats.Parsed, ws.Snapshot().Ready())
	}
	if syms, err := ws.Snapshot().Search(t.Context(), "F49", 1); err != nil || len(syms) != 1 {
		t.Errorf("what is not parsed yet is found as %v, %v", syms, err)
	}
	rest, err := ws.Scan(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := (index.Stats{Files: 51, Parsed: 50 - stats.Parsed, Cached: stats.Parsed, Skipped: map[string]int{"language": 1}, Symbols: 50, References: 50}); !cmp.Equal(want, counts(rest)) {
		t.Errorf("the next scan (-want +got):\n%s", cmp.Diff(want, counts(rest)))
	}
}

func TestProgress(t *testing.T) {
	f := load(t, small)
	now := time.Unix(0, 0)
	clock := func() time.Time {
		now = now.Add(time.Second)
		return now
	}
	ws := index.New(index.Options{Roots: []string{f.dir}, Now: clock})
	defer ws.Close() //nolint:errcheck // it holds nothing
	var phases []index.Phase
	var last index.Progress
	if _, err := ws.Scan(t.Context(), func(p index.Progress) {
		phases = append(phases, p.Phase)
		last = p
	}); err != nil {
		t.Fatal(err)
	}
	if want := []index.Phase{index.Skimming, index.Parsing}; !slices.Equal(slices.Compact(phases), want) {
		t.Errorf("phases %v, want %v", phases, want)
	}
	if last.Rate <= 0 || last.Remaining != 0 || last.Done != last.Total {
		t.Errorf("at the end: %+v", last)
	}
}
