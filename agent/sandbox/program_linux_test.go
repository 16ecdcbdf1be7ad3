package sandbox_test

import (
	"strings"
	"testing"

	"github.com/agentls/agentls/agent/sandbox"
)

// TestEmbeddedStage: the stage comes from the program itself, or it is said
// before anything runs that it is not there, or is an old one.
func TestEmbeddedStage(t *testing.T) {
	p := newPlace(t, nil)
	p.opts.Stage = ""
	level := sandbox.Probe(t.Context(), p.opts)
	missing := strings.Contains(level.String(), "find the stage: this agentls was built without it")
	old := strings.Contains(level.String(), "build both again")
	if !missing && !old && level.Kind == sandbox.None {
		t.Errorf("level %v", level)
	}
	_, err := sandbox.New(p.opts)
	if missing != (err != nil && strings.Contains(err.Error(), "build with make")) {
		t.Errorf("missing %v, error %v", missing, err)
	}
}
