package sandbox_test

import (
	"strings"
	"testing"

	"github.com/agentls/agentls/agent/sandbox"
)

// TestEmbeddedStage: the stage comes from the program itself, or its absence
// is said before anything runs.
func TestEmbeddedStage(t *testing.T) {
	p := newPlace(t, nil)
	p.opts.Stage = ""
	level := sandbox.Probe(t.Context(), p.opts)
	missing := strings.Contains(level.String(), "find the stage: this agentls was built without it")
	if !missing && level.Kind == sandbox.None {
		t.Errorf("level %v", level)
	}
	_, err := sandbox.New(p.opts)
	if missing != (err != nil && strings.Contains(err.Error(), "build with make")) {
		t.Errorf("missing %v, error %v", missing, err)
	}
}
