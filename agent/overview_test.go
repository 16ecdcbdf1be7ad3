package agent_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
)

const shapes = `
-- files/go.mod --
module m
-- files/area.go --
package m

// Area computes the area of a circle.
func Area(radius float64) float64 { return radius * radius }
-- files/circle.go --
package m

// Draw draws a circle and its area.
func Draw() { Area(1) }
-- files/secrets/area.go --
package secrets

// AreaKey is what the area is signed with.
func AreaKey() {}
-- files/unrelated.go --
package m

func Sort() {}
-- files/.agentlsignore --
secrets/
-- turn1.reply --
message: ok
`

// mapOf returns the piece with the map of what a task begins with.
func mapOf(t *testing.T, change func(*agent.Task)) (p agent.Piece, ok bool) {
	t.Helper()
	f := parse(t, []byte(shapes))
	f.task.Mode, f.task.Prompt = agent.Edit, "compute the area of a circle exactly"
	change(&f.task)
	if f.task.Focus != nil {
		f.task.Focus.Path = filepath.Join(f.snap.Roots()[0], f.task.Focus.Path)
	}
	m, err := agent.New(agent.Options{Model: f.model}).Context(t.Context(), f.snap, f.task)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Pieces {
		if p.ID == "map" {
			return p, true
		}
	}
	return p, false
}

// TestMapOfTheTask: the files that the words point at, with the reason, and none
// that is kept from models.
func TestMapOfTheTask(t *testing.T) {
	p, ok := mapOf(t, func(*agent.Task) {})
	if !ok || p.Dropped != "" || p.Tokens == 0 || p.Tokens > 1500 {
		t.Fatalf("%+v", p)
	}
	for _, want := range []string{"area.go (", "func Area(radius float64) float64 — Area computes the area of a circle.", "circle.go ("} {
		if !strings.Contains(p.Text, want) {
			t.Errorf("%q is not in\n%s", want, p.Text)
		}
	}
	if strings.Contains(p.Text, "secrets") || strings.Contains(p.Text, "AreaKey") || strings.Contains(p.Text, "unrelated") {
		t.Errorf("it is in\n%s", p.Text)
	}
}

// TestMapIsForWords: without words, and where all is said already, there is
// none; the file in focus is not shown twice; the user can remove it.
func TestMapIsForWords(t *testing.T) {
	if p, ok := mapOf(t, func(task *agent.Task) { task.Prompt = "" }); ok {
		t.Errorf("without words: %+v", p)
	}
	if p, ok := mapOf(t, func(task *agent.Task) { task.Mode = agent.Explain }); ok {
		t.Errorf("of an explanation: %+v", p)
	}
	p, ok := mapOf(t, func(task *agent.Task) { task.Focus = &agent.Focus{Path: "area.go"} })
	if !ok || strings.Contains(p.Text, "func Area(") || !strings.Contains(p.Text, "circle.go (") {
		t.Errorf("with a focus: %+v", p)
	}
	if p, ok := mapOf(t, func(task *agent.Task) { task.Choice.Drop = []string{"map"} }); !ok || p.Dropped != "you removed it" {
		t.Errorf("removed: %+v", p)
	}
}
