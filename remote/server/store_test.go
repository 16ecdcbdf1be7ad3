package server

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/agentls/agentls/remote"
)

// TestTheStoreIsFenced: a try that another one has taken over from writes
// nothing more, whatever it still believes.
func TestTheStoreIsFenced(t *testing.T) {
	s, err := openStore(t.Context(), filepath.Join(t.TempDir(), "tasks.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.db.Close() //nolint:errcheck // everything is written
	for fence := range uint64(2) {
		if err := s.claim("a", fence+1); err != nil {
			t.Fatal(err)
		}
	}
	late := remote.Event{Attempt: 1, Kind: remote.Text, Text: "late"}
	for what, err := range map[string]error{
		"claim":  s.claim("a", 1),
		"event":  s.append("t", "a", 1, []remote.Event{late}),
		"result": s.putResult("a", 1, &remote.Result{Answer: "late"}),
	} {
		if !errors.Is(err, ErrFenced) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := s.append("t", "a", 2, []remote.Event{{Attempt: 1, Kind: remote.Text, Text: "in time"}}); err != nil {
		t.Error(err)
	}
	events, err := s.events("t", 0, 10)
	if err != nil || len(events) != 1 || events[0].Text != "in time" || events[0].Seq != 1 {
		t.Errorf("%v, %+v", err, events)
	}
}
